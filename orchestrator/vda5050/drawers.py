"""How a robot says how its drawers stand, and which nonce a grant has to name (docs/drawers.md).

VDA 5050 2.x has no place for either, so they are informations of ours; the standard asks that nobody decides by the
informations it does not know, and these are decided by only between our orchestrator and robots whose factsheet
declares `openDrawer`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from orchestrator.domain.custody.grant import NONCE_BYTES
from orchestrator.domain.fleet.model import DrawerContent, DrawerReport, DrawerState
from orchestrator.domain.fleet.order import ActionKind
from orchestrator.vda5050.dialect import Dialect
from orchestrator.vda5050.factsheets import ActionScope, Factsheet
from orchestrator.vda5050.orders import ParameterKey
from orchestrator.vda5050.states import ErrorReference, InfoLevel, Information

DRAWERS_MAX = 64
"""So many drawers of one robot are kept; no robot has more."""

NAME_LENGTH_MAX = 64

T = TypeVar("T", bound=StrEnum)

_NONCE = re.compile(rf"[0-9a-f]{{{2 * NONCE_BYTES},128}}")


class InfoType(StrEnum):
    """Informations of ours."""

    DRAWERS = "wardporterDrawers"
    NONCE = "wardporterNonce"


NONCE_KEY = "nonce"
INTACT, TAMPERED = "intact", "tampered"


def informations_of_drawers(drawers: Iterable[DrawerReport], nonce: str | None) -> tuple[Information, ...]:
    """Return what a robot says of its drawers, and the nonce while there is one.

    One reference for each drawer: its name, and three words for lock, content and tamper switch.
    """
    told = (_information_of_drawers(tuple(drawers)),)
    return told if nonce is None else (*told, _information(InfoType.NONCE, {NONCE_KEY: nonce}))


@lru_cache(maxsize=256)
def _information_of_drawers(drawers: tuple[DrawerReport, ...]) -> Information:
    """Return what is said of all drawers; kept, because the same is said in nearly every state."""
    words = {
        drawer.drawer: f"{drawer.state.value} {drawer.content.value} {TAMPERED if drawer.is_tampered else INTACT}"
        for drawer in drawers
    }
    return _information(InfoType.DRAWERS, words)


def _information(kind: InfoType, values: dict[str, str]) -> Information:
    references = tuple(ErrorReference(reference_key=key, reference_value=text) for key, text in values.items())
    return Information(info_type=kind.value, info_references=references, info_level=InfoLevel.INFO)


def drawers_of_information(information: Iterable[Information] | None) -> tuple[DrawerReport, ...]:
    """Return how the drawers stand; what cannot be read counts as unknown, and the first word on a drawer stands."""
    found: dict[str, DrawerReport] = {}
    for name, text in _references(information, InfoType.DRAWERS):
        if 0 < len(name) <= NAME_LENGTH_MAX and name not in found and len(found) < DRAWERS_MAX:
            found[name] = _report(name, text)
    return tuple(found.values())


def _report(name: str, text: str) -> DrawerReport:
    words = text.split(" ")
    state, content, tamper = words if len(words) == 3 else ("", "", "")
    return DrawerReport(
        name,
        _one_of(DrawerState, state, DrawerState.UNKNOWN),
        _one_of(DrawerContent, content, DrawerContent.UNKNOWN),
        is_tampered=tamper != INTACT,
    )


def nonce_of_information(information: Iterable[Information] | None) -> str | None:
    """Return the nonce a robot shows; None when it shows none, or one that is too short to be one."""
    shown = [text for key, text in _references(information, InfoType.NONCE) if key == NONCE_KEY]
    return shown[0] if len(shown) == 1 and _NONCE.fullmatch(shown[0]) else None


def _references(information: Iterable[Information] | None, kind: InfoType) -> Iterator[tuple[str, str]]:
    for item in information or ():
        if item.info_type == kind.value:
            yield from ((each.reference_key, each.reference_value) for each in item.info_references or ())


def _one_of(kind: type[T], text: str, otherwise: T) -> T:
    return kind(text) if text in _VALUES[kind] else otherwise


_VALUES: Mapping[type[StrEnum], frozenset[str]] = {
    kind: frozenset(each.value for each in kind) for kind in (DrawerState, DrawerContent)
}


def declares_grants(factsheet: Factsheet, dialect: Dialect) -> bool:
    """Whether a robot's factsheet says that it checks grants: our action, at once, with grant and signature."""
    rule = dialect.rule(ActionKind.OPEN_DRAWER)
    if rule is None:
        return False
    needed = {ParameterKey.GRANT.value, ParameterKey.SIGNATURE.value}
    return any(
        action.action_type == rule.action_type
        and ActionScope.INSTANT in action.action_scopes
        and needed <= {parameter.key for parameter in action.action_parameters or ()}
        for action in factsheet.protocol_features.agv_actions
    )
