"""Between the device protocol and Open-RMF's door and lift messages, without ROS: fields in, fields out.

The bridge stands where a building already has Open-RMF door and lift adapters. Our orchestrator asks them through it:
requests of ours go out on ``door_requests`` and ``lift_requests``, their ``door_states`` and ``lift_states`` come back
as states of ours. Field names and values are those of rmf_door_msgs and rmf_lift_msgs.

An Open-RMF door knows no sessions: it says its mode and nothing of who asked. So the bridge itself keeps which of our
sessions it has asked for and names these in the door's state, for as long as they are renewed. A lift does name the
session that has it, and only that name counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Protocol

from orchestrator.devices.messages import (
    DoorCommand,
    DoorRequest,
    DoorState,
    LiftCommand,
    LiftRequest,
    LiftState,
    SessionPart,
)
from orchestrator.domain.site.device import DoorPosition, LiftMode

LAPSE_S = 30.0
"""A session that was not renewed for this long, in seconds, is asked for no more."""


class RmfDoorMode(IntEnum):
    """rmf_door_msgs/DoorMode.value."""

    CLOSED = 0
    MOVING = 1
    OPEN = 2
    OFFLINE = 3
    UNKNOWN = 4


class RmfLiftRequestType(IntEnum):
    """rmf_lift_msgs/LiftRequest.request_type."""

    END_SESSION = 0
    AGV_MODE = 1
    HUMAN_MODE = 2


class RmfLiftDoor(IntEnum):
    """rmf_lift_msgs/LiftState.door_state and LiftRequest.door_state."""

    CLOSED = 0
    MOVING = 1
    OPEN = 2


class RmfLiftMotion(IntEnum):
    """rmf_lift_msgs/LiftState.motion_state."""

    STOPPED = 0
    UP = 1
    DOWN = 2
    UNKNOWN = 3


class RmfLiftMode(IntEnum):
    """rmf_lift_msgs/LiftState.current_mode."""

    UNKNOWN = 0
    HUMAN = 1
    AGV = 2
    FIRE = 3
    OFFLINE = 4
    EMERGENCY = 5


class RmfMode(Protocol):
    """rmf_door_msgs/DoorMode."""

    value: int


class RmfDoorState(Protocol):
    """rmf_door_msgs/DoorState, as far as it is read."""

    @property
    def current_mode(self) -> RmfMode:
        """Its mode."""
        ...


class RmfLiftState(Protocol):
    """rmf_lift_msgs/LiftState, as far as it is read."""

    lift_name: str
    current_floor: str
    door_state: int
    motion_state: int
    current_mode: int
    session_id: str


_POSITIONS: Mapping[int, DoorPosition] = {
    RmfDoorMode.CLOSED: DoorPosition.CLOSED,
    RmfDoorMode.MOVING: DoorPosition.MOVING,
    RmfDoorMode.OPEN: DoorPosition.OPEN,
    RmfDoorMode.OFFLINE: DoorPosition.OFFLINE,
}
_LIFT_DOORS: Mapping[int, DoorPosition] = {
    RmfLiftDoor.CLOSED: DoorPosition.CLOSED,
    RmfLiftDoor.MOVING: DoorPosition.MOVING,
    RmfLiftDoor.OPEN: DoorPosition.OPEN,
}
_LIFT_MODES: Mapping[int, LiftMode] = {
    RmfLiftMode.AGV: LiftMode.NORMAL,
    RmfLiftMode.HUMAN: LiftMode.NORMAL,
    RmfLiftMode.FIRE: LiftMode.FIRE,
    RmfLiftMode.EMERGENCY: LiftMode.FIRE,
}
"""A lift in human mode is free for a robot, unless somebody else's session has it; what is unknown is none."""


@dataclass(frozen=True, slots=True)
class RmfDoorAsked:
    """Fields of a rmf_door_msgs/DoorRequest."""

    requester_id: str
    door_name: str
    requested_mode: RmfDoorMode


@dataclass(frozen=True, slots=True)
class RmfLiftAsked:
    """Fields of a rmf_lift_msgs/LiftRequest; in AGV mode doors stay open at a stop whatever ``door_state`` says."""

    lift_name: str
    session_id: str
    request_type: RmfLiftRequestType
    destination_floor: str
    door_state: RmfLiftDoor


@dataclass(slots=True)
class _Kept:
    """A request of ours that is in force, since when, and when it was last renewed."""

    request: DoorRequest | LiftRequest
    since: datetime
    heard_at: datetime
    heard_s: float


@dataclass(slots=True)
class RmfDoor:
    """One Open-RMF door as the bridge keeps it: which of our sessions are asked for, by holder."""

    name: str
    boot: str
    _kept: dict[str, _Kept] = field(default_factory=dict[str, _Kept])
    _epoch: int = 0
    _number: int = 0

    def ask(self, request: DoorRequest, *, at_s: float, now: datetime) -> RmfDoorAsked | None:
        """Take in a request of ours and return what the door is asked for, None when the request changes nothing."""
        if request.epoch < self._epoch:
            return None
        self._epoch = request.epoch
        if request.command is DoorCommand.RELEASE:
            kept = self._kept.get(request.holder)
            if kept is not None and kept.request.session == request.session:
                del self._kept[request.holder]
        else:
            before = self._kept.get(request.holder)
            since = now if before is None else before.since
            self._kept[request.holder] = _Kept(request, since, now, at_s)
        return self._asked(request.owner)

    def renew(self, *, at_s: float) -> RmfDoorAsked | None:
        """Return what the door is asked for once sessions that nobody renewed have been dropped; None when none has."""
        gone = [holder for holder, kept in self._kept.items() if at_s - kept.heard_s >= LAPSE_S]
        owners = [self._kept.pop(holder).request.owner for holder in gone]
        return self._asked(owners[0]) if owners else None

    def state(self, message: RmfDoorState, *, now: datetime) -> DoorState:
        """Return the state to tell, by the door's own word."""
        self._number += 1
        return DoorState(
            boot=self.boot,
            number=self._number,
            sent_at=now,
            position=_POSITIONS.get(message.current_mode.value, DoorPosition.UNKNOWN),
            sessions=tuple(_part(kept) for kept in self._kept.values()),
        )

    def _asked(self, owner: str) -> RmfDoorAsked:
        mode = RmfDoorMode.OPEN if self._kept else RmfDoorMode.CLOSED
        return RmfDoorAsked(requester_id=owner, door_name=self.name, requested_mode=mode)


@dataclass(slots=True)
class RmfLift:
    """One Open-RMF lift as the bridge keeps it: our requests in force, by the session id that the lift knows.

    That id names the orchestrator and the robot, and stays the same over a restart of either: an Open-RMF lift hears no
    other session while it has one, so a new id could never take over.
    """

    name: str
    boot: str
    _kept: dict[str, _Kept] = field(default_factory=dict[str, _Kept])
    _epoch: int = 0
    _number: int = 0

    def ask(self, request: LiftRequest, *, at_s: float, now: datetime) -> RmfLiftAsked | None:
        """Take in a request of ours and return what the lift is asked for, None when the request changes nothing."""
        if request.epoch < self._epoch:
            return None
        self._epoch = request.epoch
        session = f"{request.owner}/{request.holder}"
        before = self._kept.get(session)
        is_release = request.command is LiftCommand.RELEASE
        if is_release:
            if before is not None and before.request.session != request.session:
                return None
            self._kept.pop(session, None)
        elif request.level is None:
            return None
        else:
            self._kept[session] = _Kept(request, now if before is None else before.since, now, at_s)
        return RmfLiftAsked(
            lift_name=self.name,
            session_id=session,
            request_type=RmfLiftRequestType.END_SESSION if is_release else RmfLiftRequestType.AGV_MODE,
            destination_floor=request.level or "",
            door_state=RmfLiftDoor.CLOSED if is_release else RmfLiftDoor.OPEN,
        )

    def state(self, message: RmfLiftState, *, now: datetime) -> LiftState:
        """Return the state to tell, by the lift's own word.

        It is at a level only while it stands, and it is a robot's only in AGV mode and under the session it names.
        """
        self._number += 1
        is_standing = message.motion_state == RmfLiftMotion.STOPPED
        kept = self._kept.get(message.session_id)
        is_foreign = kept is None and bool(message.session_id)
        mode = _LIFT_MODES.get(message.current_mode, LiftMode.OUT_OF_SERVICE)
        is_ours = kept is not None and message.current_mode == RmfLiftMode.AGV
        return LiftState(
            boot=self.boot,
            number=self._number,
            sent_at=now,
            level=message.current_floor or None if is_standing else None,
            doors=_LIFT_DOORS.get(message.door_state, DoorPosition.UNKNOWN),
            mode=LiftMode.PEOPLE if is_foreign and mode is LiftMode.NORMAL else mode,
            session=_part(kept) if is_ours and kept is not None else None,
        )


def _part(kept: _Kept) -> SessionPart:
    request = kept.request
    return SessionPart(
        session=request.session,
        holder=request.holder,
        owner=request.owner,
        epoch=request.epoch,
        purpose=request.purpose,
        since=kept.since,
        heard_at=kept.heard_at,
    )
