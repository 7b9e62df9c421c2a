"""What the site linter says: one finding is one sentence about one thing, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from orchestrator.domain.site.geometry import Point
from orchestrator.domain.site.model import (
    DoorId,
    GraphId,
    LaneId,
    LevelId,
    LiftId,
    PanelId,
    StationId,
    WaypointId,
    ZoneId,
)


class Severity(StrEnum):
    """Whether a site may be used in spite of a finding: an error refuses it, a warning is a condition of its use."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class RemedyKind(StrEnum):
    """What is done to the site."""

    MOVE_TO_WAYPOINT = "move_to_waypoint"
    MOVE_TO_SPUR = "move_to_spur"
    PASSING_PLACE = "passing_place"
    PARALLEL_LANES = "parallel_lanes"
    ONE_WAY = "one_way"
    TWO_WAY = "two_way"
    DROP_RESTING_PLACE = "drop_resting_place"
    REMOVE_STATION = "remove_station"


@dataclass(frozen=True, slots=True)
class Remedy:
    """One change of the site that was tried in memory and makes the finding go away.

    ``points`` are where something is to be built or moved to, in metres in the site frame on ``level``; ``waypoints``
    those that it is joined with, or moved to; ``lanes`` those whose direction changes.
    """

    kind: RemedyKind
    sentence: str
    level: LevelId | None = None
    points: tuple[Point, ...] = ()
    waypoints: tuple[WaypointId, ...] = ()
    lanes: tuple[LaneId, ...] = ()


def _no_figures() -> Mapping[str, float]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a site, or worth knowing of it.

    ``code`` is stable; ``sentence`` says what is wrong and ``remedy`` what to do. ``remedies`` are changes that were
    tried on the site and found to help. ``figures`` are the numbers in the sentence, each named with its unit.
    ``stations`` are those it matters to. The other fields name the things it is about, as far as there are any.
    """

    code: str
    severity: Severity
    sentence: str
    remedy: str
    level: LevelId | None = None
    graph: GraphId | None = None
    waypoint: WaypointId | None = None
    lane: LaneId | None = None
    door: DoorId | None = None
    lift: LiftId | None = None
    station: StationId | None = None
    stations: tuple[StationId, ...] = ()
    lanes: tuple[LaneId, ...] = ()
    figures: Mapping[str, float] = field(default_factory=_no_figures)
    remedies: tuple[Remedy, ...] = ()
    zone: ZoneId | None = None
    panel: PanelId | None = None

    @property
    def is_error(self) -> bool:
        """Whether the site is refused because of it."""
        return self.severity is Severity.ERROR
