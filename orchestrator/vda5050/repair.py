"""Making a faulty message usable: what may be guessed, and what may not.

A guess never makes a robot look freer, safer or emptier than it might be: an unreadable safety state reads as an
emergency stop, an unknown mode as one that takes no orders, a half-read list of loads as "not known". What decides
over traffic or custody (node states, action ids, order ids) is not guessed: the message is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from orchestrator.vda5050.guard import JsonObject, malformed
from orchestrator.vda5050.wire import WireModel

M = TypeVar("M", bound=WireModel)
Path = tuple[str | int, ...]

_PASSES_MAX = 8
_FAULTS_MAX = 20
_FINDINGS_MAX = 200
_READINGS_MAX = 5000
"""Findings that are looked at to see which of them are faults: more than a state of whole numbers that is kept has."""
NO_TIMESTAMP = "1970-01-01T00:00:00Z"
_NO_TIMING = {"minOrderInterval": 0.0, "minStateInterval": 0.0}

# What pydantic names by the type that it reads into, otherwise before a repair than after: one fault, one sentence.
_IN_JSON = {
    "tuple_type": "Input should be a valid array",
    "list_type": "Input should be a valid array",
    "model_type": "Input should be an object",
    "dict_type": "Input should be an object",
}

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class SchemaFault:
    """One way in which a usable message differs from its schema: where, and what was found."""

    path: str
    problem: str


# Value when the field is missing or unreadable; "*" stands for a list index.
_STAND_INS: Mapping[tuple[str, ...], object] = {
    ("headerId",): 0,
    ("timestamp",): NO_TIMESTAMP,
    ("version",): "",
    ("edgeStates",): [],
    ("driving",): True,
    ("operatingMode",): "SERVICE",
    ("batteryState",): {"batteryCharge": 0.0, "charging": False},
    ("batteryState", "batteryCharge"): 0.0,
    ("batteryState", "charging"): False,
    ("safetyState",): {"eStop": "MANUAL", "fieldViolation": True},
    ("safetyState", "eStop"): "MANUAL",
    ("safetyState", "fieldViolation"): True,
    ("errors", "*", "errorType"): "unreadable",
    ("errors", "*", "errorLevel"): "FATAL",
    ("actionStates", "*", "actionStatus"): "RUNNING",
    ("nodeStates", "*", "released"): False,
    ("edgeStates", "*", "released"): False,
    ("agvPosition", "positionInitialized"): False,
    ("agvPosition", "theta"): 0.0,  # the link takes it from round robots only
    # Of a factsheet: a part that is left out contradicts nothing, and must not hide what the other parts say.
    ("typeSpecification",): {"seriesName": "", "agvKinematic": "", "agvClass": "", "maxLoadMass": 0.0},
    ("typeSpecification", "seriesName"): "",
    ("typeSpecification", "agvKinematic"): "",
    ("typeSpecification", "agvClass"): "",
    ("typeSpecification", "maxLoadMass"): 0.0,
    ("protocolLimits",): {"timing": _NO_TIMING},
    ("protocolLimits", "timing"): _NO_TIMING,
    ("protocolLimits", "timing", "minOrderInterval"): 0.0,
    ("protocolLimits", "timing", "minStateInterval"): 0.0,
    ("protocolFeatures",): {},
    ("agvGeometry",): {},
    ("loadSpecification",): {},
}
# A missing or null list of errors says nothing; one that cannot be read may say anything.
_ERRORS_MISSING: list[object] = []
_ERRORS_UNREADABLE: list[object] = [{"errorType": "unreadable", "errorLevel": "FATAL"}]


def usable(model: type[M], tree: JsonObject, first: ValidationError) -> tuple[M, tuple[SchemaFault, ...]]:
    """Return the message in ``tree`` after as little repair as it takes, and what was wrong with it.

    Parameters
    ----------
    model : type
        What the message should be.
    tree : dict
        The parsed payload; it is changed.
    first : ValidationError
        What strict validation said; its findings are the faults listed first.

    Raises
    ------
    MalformedMessageError
        Something that may not be guessed is missing.
    """
    faults = {_fault_of(error) for error in _details(first)}
    for _ in range(_PASSES_MAX):
        try:
            message = model.model_validate(tree)
        except ValidationError as error:
            for detail in _details(error):
                faults.add(_fault_of(detail))
                _mend(tree, detail)
        else:
            return message, tuple(sorted(faults, key=lambda fault: (fault.path, fault.problem))[:_FAULTS_MAX])
    raise malformed("too much of it is missing or misspelt")


def _details(error: ValidationError) -> list[ErrorDetails]:
    if error.error_count() > _READINGS_MAX:
        # Repair takes time; a message built of faults must not stall every other robot.
        raise malformed(f"it departs from its schema in more than {_FINDINGS_MAX} places")
    details = [
        detail for detail in error.errors(include_url=False, include_context=False) if not _is_whole_number(detail)
    ]
    if len(details) > _FINDINGS_MAX:
        raise malformed(f"it departs from its schema in more than {_FINDINGS_MAX} places")
    return details


def _is_whole_number(detail: ErrorDetails) -> bool:
    """Whether it is only the strict reading that objects: 2.0 is an integer in a JSON schema, and is read as one."""
    given: object = detail["input"]
    return detail["type"] == "int_type" and isinstance(given, float) and given.is_integer()


def _fault_of(detail: ErrorDetails) -> SchemaFault:
    problem = _IN_JSON.get(detail["type"], detail["msg"])
    return SchemaFault(path=".".join(str(part) for part in detail["loc"])[:200], problem=problem[:200])


def _mend(tree: JsonObject, detail: ErrorDetails) -> None:
    path = _existing(tree, detail["loc"], is_missing=detail["type"] == "missing")
    if len(path) < len(detail["loc"]):
        # An earlier repair of this pass has removed the part that this fault lies in.
        return
    container = cast(JsonObject, _at(tree, path[:-1]))
    key = path[-1]
    value = container.get(cast(str, key), _ABSENT) if isinstance(container, dict) else _ABSENT
    if value is _ABSENT and isinstance(key, str) and (other := _respelt(container, key)) is not None:
        container[key] = container.pop(other)
        return
    if isinstance(value, str) and detail["type"] == "enum" and (folded := _folded(value)) != value:
        container[cast(str, key)] = folded
        return
    stand_in = _stand_in(path, value)
    if stand_in is not _ABSENT:
        container[cast(str, key)] = stand_in
    else:
        _drop(tree, path, is_absent=value is _ABSENT)


def _stand_in(path: Path, value: object) -> object:
    pattern = tuple("*" if isinstance(part, int) else part for part in path)
    if pattern == ("errors",):
        return list(_ERRORS_MISSING if value is _ABSENT or value is None else _ERRORS_UNREADABLE)
    found = _STAND_INS.get(pattern, _ABSENT)
    if found is _ABSENT or found == value:
        return _ABSENT
    if isinstance(found, dict):
        return dict(cast(JsonObject, found))
    return list(cast(list[object], found)) if isinstance(found, list) else found


def _drop(tree: JsonObject, path: Path, *, is_absent: bool) -> None:
    """Remove the smallest optional part around ``path``; a list goes as a whole, because a shorter one lies."""
    wrong = path
    if is_absent:
        path = path[:-1]
    while path and not isinstance(path[-1], str):
        path = path[:-1]
    if not path:
        raise malformed(f"its {'.'.join(str(part) for part in wrong)} is missing or unreadable, and is not guessed")
    cast(JsonObject, _at(tree, path[:-1])).pop(cast(str, path[-1]), None)


def _existing(tree: JsonObject, loc: Path, *, is_missing: bool) -> Path:
    """Return the longest part of ``loc`` that is in the tree, and one missing key more when that is what is wrong."""
    node: Any = tree
    for depth, part in enumerate(loc):
        if isinstance(node, dict) and part in node:
            node = cast(Any, node[part])
        elif isinstance(node, list) and isinstance(part, int) and 0 <= part < len(cast(list[object], node)):
            node = cast(Any, node[part])
        elif isinstance(node, dict) and is_missing and depth == len(loc) - 1:
            return loc
        else:
            return loc[:depth]
    return loc


def _at(tree: JsonObject, path: Path) -> object:
    node: Any = tree
    for part in path:
        node = node[part]
    return node


def _respelt(container: JsonObject, key: str) -> str | None:
    """Return a key of ``container`` that differs from ``key`` only in case, underscores or hyphens."""
    wanted = _letters(key)
    return next((other for other in container if other != key and _letters(other) == wanted), None)


def _letters(key: str) -> str:
    return key.replace("_", "").replace("-", "").lower()


def _folded(value: str) -> str:
    return value.strip().upper().replace("_", "").replace(" ", "")
