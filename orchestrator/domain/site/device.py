"""How doors and lifts stand at a moment, by their own word, and who holds them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.site.model import LevelId


class DoorPosition(StrEnum):
    """How far a door has moved. OFFLINE: it has gone silent; UNKNOWN: it was never heard, or does not know itself."""

    OPEN = "open"
    CLOSED = "closed"
    MOVING = "moving"
    OFFLINE = "offline"
    UNKNOWN = "unknown"

    @property
    def is_told(self) -> bool:
        """Whether the device itself says where its leaf is."""
        return self in (DoorPosition.OPEN, DoorPosition.CLOSED, DoorPosition.MOVING)


class LiftMode(StrEnum):
    """Whom a lift serves: robots and people in turn, or nobody but people, firefighters, or the service engineer.

    STUCK: it stands between floors, or cannot open, and knows it.
    """

    NORMAL = "normal"
    OUT_OF_SERVICE = "out_of_service"
    PEOPLE = "people"
    FIRE = "fire"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True)
class Session:
    """One holding of a door or a lift, as the device has it.

    ``holder`` is the robot it is for, ``owner`` and ``epoch`` name the orchestrator that asked and its start; of two
    epochs the larger one counts. ``since`` and ``heard_at`` are when the device first and last heard it asked for, on
    the device's clock: for people, never for a decision.
    """

    id: str
    holder: str
    owner: str
    epoch: int
    purpose: str
    since: datetime
    heard_at: datetime


@dataclass(frozen=True, slots=True)
class DoorPicture:
    """How a door stands. ``is_obstructed``: something is in its way. It stays open while anybody holds it."""

    position: DoorPosition
    is_obstructed: bool = False
    sessions: tuple[Session, ...] = ()

    def is_open_for(self, session: str) -> bool:
        """Whether it is fully open and the device itself names the session among those it stays open for."""
        return self.position is DoorPosition.OPEN and any(held.id == session for held in self.sessions)


@dataclass(frozen=True, slots=True)
class LiftPicture:
    """Where a lift's cabin is, None between two levels, how its doors stand there, and who has it.

    ``load_kg`` is what the cabin weighs above empty, None when the lift cannot tell. ``is_occupied`` says whether
    people are in the cabin, by its own sensor; None when it has none that tells people from robots.
    """

    level: LevelId | None
    doors: DoorPosition
    mode: LiftMode = LiftMode.NORMAL
    load_kg: float | None = None
    session: Session | None = None
    is_occupied: bool | None = None

    def is_open_for(self, session: str, level: LevelId) -> bool:
        """Whether the cabin stands at the level, doors open, in service, and the device names this very session."""
        is_there = self.level == level and self.doors is DoorPosition.OPEN and self.mode is LiftMode.NORMAL
        return is_there and self.session is not None and self.session.id == session
