"""Simulated doors and lifts: machines that take their time, keep sessions, and fail as real ones do.

Time is handed in, in seconds, and only grows; nothing runs by itself. `SimulatedBuilding` drives them directly,
`simulation.device_controller` over the device protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.domain.site.device import DoorPosition, LiftMode
from orchestrator.domain.site.model import LevelId
from simulation.session_book import Asked, Held, SessionBook

NEVER_S = float("inf")


@dataclass(frozen=True, slots=True)
class DeviceTimes:
    """How slow the devices are: door leaf travel and lift door travel in seconds, cabin speed in m/s."""

    door_s: float = 3.0
    lift_door_s: float = 3.0
    lift_speed_m_s: float = 1.0


class Leaf:
    """A door leaf, or the doors of a cabin, that opens and closes in a fixed time unless something is in its way."""

    def __init__(self, travel_s: float) -> None:
        self._travel_s = travel_s
        self._is_opening = False
        self._moved_at_s = -NEVER_S
        self._stopped_at_s: float | None = None

    def move(self, *, is_opening: bool, at_s: float) -> None:
        """Begin to open or to close; nothing happens while it does that already, or is held up."""
        if is_opening != self._is_opening and self._stopped_at_s is None:
            self._is_opening, self._moved_at_s = is_opening, at_s

    def hold_up(self, at_s: float) -> None:
        """Stop it where it is."""
        if self._stopped_at_s is None:
            self._stopped_at_s = at_s

    def let_go(self, at_s: float) -> None:
        """Let it move on from where it was stopped."""
        if self._stopped_at_s is not None:
            self._moved_at_s += at_s - self._stopped_at_s
            self._stopped_at_s = None

    def settles_s(self) -> float:
        """Return when it will have come to rest."""
        return NEVER_S if self._stopped_at_s is not None else self._moved_at_s + self._travel_s

    def position(self, at_s: float) -> DoorPosition:
        """Return where it is."""
        now_s = at_s if self._stopped_at_s is None else self._stopped_at_s
        if now_s < self._moved_at_s + self._travel_s:
            return DoorPosition.MOVING
        return DoorPosition.OPEN if self._is_opening else DoorPosition.CLOSED


class DoorDevice:
    """A motorised door that stays open for as long as anybody holds it."""

    def __init__(self, times: DeviceTimes) -> None:
        self.book = SessionBook()
        self.is_obstructed = False
        self._leaf = Leaf(times.door_s)

    def ask(self, asked: Asked, *, at_s: float) -> None:
        """Open for a session, or hear that it is still needed."""
        self.book.ask(asked, at_s=at_s)
        self._follow(at_s)

    def release(self, session: str, *, owner: str, epoch: int, at_s: float) -> None:
        """Close once nobody holds it."""
        self.book.release(session, owner=owner, epoch=epoch)
        self._follow(at_s)

    def advance(self, at_s: float, *, lapse_s: float = NEVER_S) -> None:
        """Drop the sessions that were not renewed for ``lapse_s``."""
        self.book.lapse(before_s=at_s - lapse_s)
        self._follow(at_s)

    def obstruct(self, at_s: float) -> None:
        """Put something in its way: the leaf stops where it is."""
        self.is_obstructed = True
        self._leaf.hold_up(at_s)

    def clear(self, at_s: float) -> None:
        """Take away what was in its way."""
        self.is_obstructed = False
        self._leaf.let_go(at_s)
        self._follow(at_s)

    def position(self, at_s: float) -> DoorPosition:
        """Return where the leaf is."""
        return self._leaf.position(at_s)

    def settles_s(self) -> float:
        """Return when the leaf will have come to rest."""
        return self._leaf.settles_s()

    def _follow(self, at_s: float) -> None:
        self._leaf.move(is_opening=not self.book.is_empty, at_s=at_s)


class LiftDevice:
    """A lift that serves one session after the other: comes, opens, waits with open doors until it is sent or released.

    Parameters
    ----------
    elevations : mapping
        Height of each level it serves, metres; it stands at the first.
    times : DeviceTimes
        How slow it is.
    """

    def __init__(self, elevations: Mapping[LevelId, float], times: DeviceTimes) -> None:
        self.book = SessionBook()
        self.mode = LiftMode.NORMAL
        self.load_kg: float | None = None
        self.is_occupied: bool | None = False
        self._elevations = dict(elevations)
        self._recall = next(iter(elevations))
        self._speed_m_s = times.lift_speed_m_s
        self._door_s = times.lift_door_s
        self._leaf = Leaf(times.lift_door_s)
        self._at = self._recall
        self._bound = self._recall
        self._is_travelling = False
        self._arrives_s = NEVER_S
        self._now_s = -NEVER_S
        self._stopped_at_s: float | None = None
        self._served: tuple[str, str] | None = None

    # -- sessions -------------------------------------------------------------------------------------------------

    @property
    def served(self) -> Held | None:
        """The session that has the cabin."""
        return None if self._served is None else self.book.of(*self._served)

    @property
    def waiting(self) -> tuple[Held, ...]:
        """The sessions whose turn comes later, in order."""
        return tuple(held for held in self.book.held if _key(held) != self._served)

    def ask(self, asked: Asked, *, at_s: float) -> None:
        """Come to the session's level, now if nobody has the cabin, else in turn."""
        self.advance(at_s)
        if asked.level in self._elevations:
            self.book.ask(asked, at_s=at_s)
        self.advance(at_s)

    def release(self, session: str, *, owner: str, epoch: int, at_s: float) -> None:
        """Give the cabin to whoever waits next."""
        self.advance(at_s)
        self.book.release(session, owner=owner, epoch=epoch)
        self.advance(at_s)

    # -- what befalls it ------------------------------------------------------------------------------------------

    def set_mode(self, mode: LiftMode, at_s: float) -> None:
        """Let people take it, take it out of service, recall it for a fire, have it get stuck, or put it right again.

        People and firefighters take it from whoever had it. Out of service and stuck it stands where it is, between
        floors or not, and keeps whom it served.
        """
        self.advance(at_s)
        self.mode = mode
        if mode in (LiftMode.STUCK, LiftMode.OUT_OF_SERVICE):
            self._stopped_at_s = at_s if self._stopped_at_s is None else self._stopped_at_s
            self._leaf.hold_up(at_s)
        elif self._stopped_at_s is not None:
            self._arrives_s += at_s - self._stopped_at_s
            self._stopped_at_s = None
            self._leaf.let_go(at_s)
        if mode in (LiftMode.PEOPLE, LiftMode.FIRE):
            self._served = None
        self.advance(at_s)

    def step_in(self) -> None:
        """Let people step into the cabin."""
        self.is_occupied = True

    def step_out(self) -> None:
        """Let them step out again."""
        self.is_occupied = False

    # -- where it is ----------------------------------------------------------------------------------------------

    def look(self, at_s: float) -> tuple[LevelId | None, DoorPosition]:
        """Return `level` and `doors` of one moment."""
        self.advance(at_s)
        return None if self._is_travelling else self._at, self._leaf.position(at_s)

    def level(self, at_s: float) -> LevelId | None:
        """Return the level at which the cabin stands, None while it travels or is stuck on the way."""
        return self.look(at_s)[0]

    def doors(self, at_s: float) -> DoorPosition:
        """Return how its doors stand."""
        return self.look(at_s)[1]

    def settles_s(self) -> float:
        """Return when something about it will change by itself; in the past when nothing will."""
        if self._stopped_at_s is not None:
            return NEVER_S
        return self._arrives_s if self._is_travelling else self._leaf.settles_s()

    def advance(self, at_s: float, *, lapse_s: float = NEVER_S) -> None:
        """Live on until ``at_s``; drop sessions not renewed for ``lapse_s``, unless there is a load in the cabin."""
        if not self.load_kg and lapse_s < NEVER_S:
            self.book.lapse(before_s=at_s - lapse_s)
        self._choose_served()
        if self._stopped_at_s is None:
            while self._now_s < self.settles_s() <= at_s:
                self._settle(self.settles_s())
            self._settle(at_s)

    def _choose_served(self) -> None:
        if self.served is not None:
            return
        is_free = self.mode is LiftMode.NORMAL and not self.book.is_empty
        self._served = _key(self.book.held[0]) if is_free else None

    def _settle(self, at_s: float) -> None:
        """Do everything that is possible at this moment."""
        self._now_s = at_s
        if self._is_travelling:
            if at_s < self._arrives_s:
                return
            self._at, self._is_travelling = self._bound, False
        wanted = self._wanted()
        self._leaf.move(is_opening=wanted == self._at, at_s=at_s)
        if wanted not in (None, self._at) and self._leaf.position(at_s) is DoorPosition.CLOSED:
            self._depart(wanted, at_s)

    def _depart(self, level: LevelId, at_s: float) -> None:
        height_m = abs(self._elevations[level] - self._elevations[self._at])
        self._bound, self._is_travelling = level, True
        self._arrives_s = at_s + height_m / self._speed_m_s

    def _wanted(self) -> LevelId | None:
        if self.mode is LiftMode.FIRE:
            return self._recall
        served = self.served
        return None if served is None or served.asked.level is None else LevelId(served.asked.level)


def _key(held: Held) -> tuple[str, str]:
    return held.asked.owner, held.asked.holder
