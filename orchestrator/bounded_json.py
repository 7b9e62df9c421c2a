"""Reading JSON from a stranger: bounded, unambiguous, finite.

What is refused here would be read differently by different parsers (duplicate keys, NaN), or is built to hurt
(depth, size, numbers of thousands of digits).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from math import isfinite
from typing import NoReturn

from orchestrator.domain.errors import InvalidInputError

PAYLOAD_BYTES_MAX = 256 * 1024
DEPTH_MAX = 32
INTEGER_MAX = 2**63 - 1

JsonObject = dict[str, object]


class UnreadableJsonError(InvalidInputError):
    """A payload that is not bounded, unambiguous JSON. ``what`` is a clause without a full stop."""

    code = "unreadable_json"

    def __init__(self, what: str) -> None:
        super().__init__(f"A message was dropped: {what}. Expected one JSON object in UTF-8; look at its sender.")
        self.what = what


def parse_object(payload: bytes, *, limit: int = PAYLOAD_BYTES_MAX) -> JsonObject:
    """Return the JSON object in ``payload``, of at most ``limit`` bytes.

    Raises
    ------
    UnreadableJsonError
        Longer than ``limit``, deeper than 32 levels, not UTF-8, not JSON, not an object, a duplicate key, a number
        that is not finite or does not fit 64 bits, or half of a surrogate pair.
    """
    if len(payload) > limit:
        raise UnreadableJsonError(f"{len(payload)} bytes, at most {limit} are read")
    try:
        text = payload.decode("utf-8")
        tree: object = _DECODER.decode(text)
        if "\\u" in text:
            json.dumps(tree, ensure_ascii=False).encode("utf-8")
    except UnreadableJsonError:
        raise
    except UnicodeError as error:
        raise UnreadableJsonError("it is not UTF-8 text") from error
    except RecursionError as error:
        raise UnreadableJsonError(f"it is nested deeper than {DEPTH_MAX} levels") from error
    except ValueError as error:
        raise UnreadableJsonError(f"it is not JSON ({error})") from error
    if not isinstance(tree, dict):
        raise UnreadableJsonError("it is not a JSON object")
    if text.count("{") + text.count("[") > DEPTH_MAX:
        _check_depth(tree)  # pyright: ignore[reportUnknownArgumentType]  # json gives str keys
    return tree  # pyright: ignore[reportUnknownVariableType]  # json gives str keys


def _object_without_duplicates(pairs: list[tuple[str, object]]) -> JsonObject:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise UnreadableJsonError("a key appears twice in one object")
    return made


def _bounded_int(digits: str) -> int:
    if len(digits) > 20 or abs(value := int(digits)) > INTEGER_MAX:
        raise UnreadableJsonError("it holds an integer beyond 64 bits")
    return value


def _finite_float(digits: str) -> float:
    value = float(digits)
    if not isfinite(value):
        raise UnreadableJsonError("it holds a number too large to read")
    return value


def _no_constant(name: str) -> NoReturn:
    raise UnreadableJsonError(f"it holds {name}, which is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object_without_duplicates,
    parse_int=_bounded_int,
    parse_float=_finite_float,
    parse_constant=_no_constant,
)


def _check_depth(tree: JsonObject) -> None:
    layer: list[object] = [tree]
    for _ in range(DEPTH_MAX):
        below: list[object] = []
        for container in layer:
            values: Iterable[object] = container.values() if isinstance(container, dict) else container  # type: ignore[assignment]
            below += [value for value in values if type(value) is dict or type(value) is list]
        if not below:
            return
        layer = below
    raise UnreadableJsonError(f"it is nested deeper than {DEPTH_MAX} levels")
