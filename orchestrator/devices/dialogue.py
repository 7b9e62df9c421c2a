"""The orchestrator's side of one door or lift, sans-I/O: what is wanted of it, what it says, when to say it again.

Rules:

1. Only the device's own state proves anything, and only for the very session that it names: a state from before the
   session was made cannot name it, so a replayed one opens nothing.
2. A request is renewed every ``renew_s`` for as long as it is wanted: that is the session's heartbeat. A release is
   repeated until the device no longer names the session, and again when it names it later.
3. A device that was silent for ``silent_after_s`` is offline: not open, not usable, whatever it said last.
4. A message that is malformed, kept by the broker, repeated or old changes nothing.
5. Sessions of an earlier start of the same orchestrator are left behind: they are taken over by asking again for the
   same robot, or released; never both unheard.

The caller hands in time: monotonic seconds as ``at_s``, time of day as ``now``. One thread calls; no call blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from orchestrator.devices.address import QOS, Channel, DeviceAddress, DeviceKind
from orchestrator.devices.messages import (
    DeviceMessageError,
    DoorCommand,
    DoorRequest,
    DoorState,
    LiftCommand,
    LiftRequest,
    LiftState,
    SessionPart,
    decode,
    encode,
)
from orchestrator.devices.newness import Newness
from orchestrator.domain.site.device import DoorPicture, DoorPosition, LiftPicture, Session
from orchestrator.domain.site.model import LevelId


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: how often a request is renewed, when a silent device is offline, how long a release is repeated."""

    renew_s: float = 2.0
    silent_after_s: float = 6.0
    give_up_release_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to hand to the broker; never retained."""

    topic: str
    payload: bytes
    qos: int


@dataclass(slots=True)
class _Wish:
    """A session that is wanted, or, with ``released_s`` set, one that is wanted no more and still named."""

    session: str
    robot: str
    purpose: str
    send_s: float
    level: LevelId | None = None
    released_s: float | None = None


class DeviceDialogue:
    """What is said with one door or lift.

    Parameters
    ----------
    address : DeviceAddress
        A door's or a lift's.
    owner : str
        The orchestrator's name in its sessions.
    epoch : int
        Its present start; larger than that of any earlier one.
    timing : Timing, optional
        How often and how long.
    """

    def __init__(self, address: DeviceAddress, *, owner: str, epoch: int, timing: Timing | None = None) -> None:
        assert address.kind in (DeviceKind.DOOR, DeviceKind.LIFT), "only doors and lifts are held"
        self.address = address
        self._owner = owner
        self._epoch = epoch
        self._timing = timing or Timing()
        self._newness = Newness()
        self._wishes: dict[str, _Wish] = {}
        self._leaving: dict[str, _Wish] = {}
        self._made = 0
        self._number = 0
        self._state: DoorState | LiftState | None = None
        self._heard_s = float("-inf")
        self._is_silence_noted = True

    # -- what is wanted -------------------------------------------------------------------------------------------

    def hold(self, robot: str, *, purpose: str, at_s: float, level: LevelId | None = None) -> None:
        """Want the device for a robot, at a level if it is a lift; asking again for the same changes nothing."""
        wish = self._wishes.get(robot)
        if wish is None:
            self._made += 1
            session = f"{self._owner}.{self._epoch}.{self._made}"
            self._wishes[robot] = _Wish(session, robot, purpose, send_s=at_s, level=level)
        elif (wish.level, wish.purpose) != (level, purpose):
            wish.level, wish.purpose, wish.send_s = level, purpose, at_s

    def release(self, robot: str, *, at_s: float) -> None:
        """Want it no more for a robot: neither by our own session nor by one that an earlier start left behind."""
        wish = self._wishes.pop(robot, None)
        sessions = [] if wish is None else [wish.session]
        sessions += [part.session for part in self._left() if part.holder == robot]
        for session in sessions:
            self._leaving[session] = _Wish(session, robot, "", send_s=at_s, released_s=at_s)

    def is_wanted_by(self, robot: str) -> bool:
        """Whether it is wanted for the robot now."""
        return robot in self._wishes

    def left_behind(self) -> tuple[str, ...]:
        """Return the robots for which the device still names a session of an earlier start, by id."""
        return tuple(sorted({part.holder for part in self._left()} - self._wishes.keys()))

    def _left(self) -> list[SessionPart]:
        return [
            part
            for part in _sessions(self._state)
            if part.owner == self._owner and part.epoch < self._epoch and part.session not in self._leaving
        ]

    # -- what the device says -------------------------------------------------------------------------------------

    def receive(self, payload: bytes, *, at_s: float, is_retained: bool = False) -> str | None:
        """Take in a state; return why it does not count, None when it does."""
        try:
            state = decode(DoorState if self.address.kind is DeviceKind.DOOR else LiftState, payload)
        except DeviceMessageError as error:
            return error.message
        why = self._newness.objection(boot=state.boot, number=state.number, is_retained=is_retained)
        if why is not None:
            return why
        self._state, self._heard_s, self._is_silence_noted = state, at_s, False
        named = {part.session for part in _sessions(state)}
        self._leaving = {session: wish for session, wish in self._leaving.items() if session in named}
        self._leave_what_is_unwanted(at_s)
        return None

    def _leave_what_is_unwanted(self, at_s: float) -> None:
        """Release what the device has of this start and nobody wants: it never heard the release, or only now."""
        wanted = {wish.session for wish in self._wishes.values()}
        for part in _sessions(self._state):
            is_ours = part.owner == self._owner and part.epoch == self._epoch
            if is_ours and part.session not in wanted and part.session not in self._leaving:
                self._leaving[part.session] = _Wish(part.session, part.holder, "", send_s=at_s, released_s=at_s)

    def door(self, *, at_s: float) -> DoorPicture:
        """Return how the door stands, by its own word."""
        state = self._state
        if not isinstance(state, DoorState):
            return DoorPicture(DoorPosition.UNKNOWN)
        if self._is_silent(at_s):
            return DoorPicture(DoorPosition.OFFLINE)
        sessions = tuple(_session(part) for part in state.sessions)
        return DoorPicture(state.position, is_obstructed=state.obstructed, sessions=sessions)

    def lift(self, *, at_s: float) -> LiftPicture:
        """Return where the cabin is and whom it serves, by its own word."""
        state = self._state
        if not isinstance(state, LiftState):
            return LiftPicture(None, DoorPosition.UNKNOWN)
        level = None if state.level is None else LevelId(state.level)
        if self._is_silent(at_s):
            return LiftPicture(level, DoorPosition.OFFLINE, mode=state.mode)
        session = None if state.session is None else _session(state.session)
        return LiftPicture(
            level,
            state.doors,
            mode=state.mode,
            load_kg=state.load_kg,
            session=session,
            is_occupied=state.occupied,
        )

    def is_door_open_for(self, robot: str, *, at_s: float) -> bool:
        """Whether the door is open in our own session for the robot."""
        wish = self._wishes.get(robot)
        return wish is not None and self.door(at_s=at_s).is_open_for(wish.session)

    def is_lift_open_for(self, robot: str, level: LevelId, *, at_s: float) -> bool:
        """Whether the cabin stands open at the level in our own session for the robot."""
        wish = self._wishes.get(robot)
        return wish is not None and self.lift(at_s=at_s).is_open_for(wish.session, level)

    def _is_silent(self, at_s: float) -> bool:
        return at_s - self._heard_s >= self._timing.silent_after_s

    # -- what time brings -----------------------------------------------------------------------------------------

    def note_silence(self, *, at_s: float) -> bool:
        """Return whether the device has gone silent since it was heard; told once."""
        if self._is_silence_noted or not self._is_silent(at_s):
            return False
        self._is_silence_noted = True
        return True

    def due(self, *, at_s: float, now: datetime) -> list[Outgoing]:
        """Return the requests to send by now; calling again at once returns nothing."""
        self._leaving = {
            session: wish
            for session, wish in self._leaving.items()
            if at_s - (wish.released_s or 0.0) < self._timing.give_up_release_s
        }
        return [self._request(wish, at_s=at_s, now=now) for wish in self._outstanding() if at_s >= wish.send_s]

    def next_due_s(self) -> float | None:
        """Return when `due` or `note_silence` has something again; None when only a message can bring news."""
        times = [wish.send_s for wish in self._outstanding()]
        if not self._is_silence_noted:
            times.append(self._heard_s + self._timing.silent_after_s)
        return min(times, default=None)

    def _outstanding(self) -> Iterator[_Wish]:
        # What is released goes first: a lift is given back before it is asked for in another session.
        yield from self._leaving.values()
        yield from self._wishes.values()

    def _request(self, wish: _Wish, *, at_s: float, now: datetime) -> Outgoing:
        wish.send_s = at_s + self._timing.renew_s
        self._number += 1
        said = {
            "session": wish.session,
            "holder": wish.robot,
            "owner": self._owner,
            "epoch": self._epoch,
            "number": self._number,
            "purpose": wish.purpose,
            "sent_at": now,
        }
        is_release = wish.released_s is not None
        if self.address.kind is DeviceKind.DOOR:
            message = DoorRequest(command=DoorCommand.RELEASE if is_release else DoorCommand.OPEN, **said)
        else:
            command = LiftCommand.RELEASE if is_release else LiftCommand.CALL
            message = LiftRequest(command=command, level=wish.level, **said)
        topic = self.address.topic(Channel.REQUEST)
        return Outgoing(topic, encode(message), QOS[self.address.kind, Channel.REQUEST])


def _sessions(state: DoorState | LiftState | None) -> tuple[SessionPart, ...]:
    if isinstance(state, DoorState):
        return state.sessions
    return (state.session,) if isinstance(state, LiftState) and state.session is not None else ()


def _session(part: SessionPart) -> Session:
    return Session(
        id=part.session,
        holder=part.holder,
        owner=part.owner,
        epoch=part.epoch,
        purpose=part.purpose,
        since=part.since,
        heard_at=part.heard_at,
    )
