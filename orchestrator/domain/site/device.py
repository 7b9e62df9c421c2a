"""How doors and lifts stand at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.site.model import LevelId


class DoorPosition(StrEnum):
    """How far a door has moved."""

    OPEN = "open"
    CLOSED = "closed"
    MOVING = "moving"


@dataclass(frozen=True, slots=True)
class LiftPicture:
    """Where a lift's cabin is, None between two levels, and whether its doors are open there."""

    level: LevelId | None
    doors: DoorPosition
