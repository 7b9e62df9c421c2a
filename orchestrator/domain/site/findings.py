"""What the site linter says: one finding is one sentence about one thing, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.site.model import DoorId, GraphId, LaneId, LevelId, LiftId, StationId, WaypointId


class Severity(StrEnum):
    """Whether a site may be used in spite of a finding."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a site.

    ``code`` is stable; ``sentence`` says what is wrong and ``remedy`` what to do. The other fields name the things it
    is about, as far as there are any.
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

    @property
    def is_error(self) -> bool:
        """Whether the site is refused because of it."""
        return self.severity is Severity.ERROR
