"""Lanes that nobody may be sent over now, and why.

Whatever closes lanes (a person, a door or lift out of order, fire mode) is a *source*: a function of the turn that
answers with the lanes it has closed. The control asks every source once a turn and hands steering the sum.

A closed lane is on no new route and is granted to nobody. Who holds one that was not released to it gives it back and
plans again; one that is in a robot's base is driven to its end, because a base never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from orchestrator.application.turn import Turn
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import LaneId


def _nothing() -> Mapping[LaneId, Reason]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ClosedLanes:
    """Closed lanes, each with the reason that people are told; a two-way lane is closed by naming both directions."""

    reasons: Mapping[LaneId, Reason] = field(default_factory=_nothing)

    @property
    def lanes(self) -> frozenset[LaneId]:
        """The closed lanes."""
        return frozenset(self.reasons)

    def __contains__(self, lane: object) -> bool:
        return lane in self.reasons


ClosureSource = Callable[[Turn], ClosedLanes]
"""What one source closes as things stand in this turn."""


def closed_lanes(turn: Turn, sources: Iterable[ClosureSource]) -> ClosedLanes:
    """Return all lanes that are closed now; of several reasons for one lane that of the first source."""
    reasons: dict[LaneId, Reason] = {}
    for source in sources:
        reasons = {**source(turn).reasons, **reasons}
    return ClosedLanes(reasons) if reasons else ClosedLanes()
