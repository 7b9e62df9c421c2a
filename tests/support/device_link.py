"""Both ends of the device protocol for tests: the orchestrator's dialogue, and states as a device would send them."""

from __future__ import annotations

from datetime import UTC, datetime

from orchestrator.devices.address import DeviceAddress, DeviceKind
from orchestrator.devices.dialogue import DeviceDialogue, Outgoing
from orchestrator.devices.messages import (
    DoorRequest,
    DoorState,
    LiftRequest,
    LiftState,
    SessionPart,
    decode,
    encode,
)
from orchestrator.domain.site.device import DoorPosition, LiftMode

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
SITE = "small"
OWNER = "wardporter"
EPOCH = 7


def a_door(*, epoch: int = EPOCH) -> DeviceDialogue:
    return DeviceDialogue(DeviceAddress(SITE, DeviceKind.DOOR, "door-1"), owner=OWNER, epoch=epoch)


def a_lift(*, epoch: int = EPOCH) -> DeviceDialogue:
    return DeviceDialogue(DeviceAddress(SITE, DeviceKind.LIFT, "lift-1"), owner=OWNER, epoch=epoch)


def a_session(session: str, *, holder: str = "R1", owner: str = OWNER, epoch: int = EPOCH) -> SessionPart:
    return SessionPart(session=session, holder=holder, owner=owner, epoch=epoch, since=NOON, heard_at=NOON)


def a_door_state(
    *sessions: SessionPart, number: int = 1, boot: str = "b1", position: DoorPosition = DoorPosition.OPEN
) -> bytes:
    return encode(DoorState(boot=boot, number=number, sent_at=NOON, position=position, sessions=sessions))


def a_lift_state(
    session: SessionPart | None = None,
    *,
    level: str | None = "ground",
    doors: DoorPosition = DoorPosition.OPEN,
    mode: LiftMode = LiftMode.NORMAL,
    number: int = 1,
    boot: str = "b1",
    occupied: bool | None = None,
) -> bytes:
    state = LiftState(
        boot=boot,
        number=number,
        sent_at=NOON,
        level=level,
        doors=doors,
        mode=mode,
        session=session,
        load_kg=0.0,
        occupied=occupied,
    )
    return encode(state)


def door_requests(sent: list[Outgoing]) -> list[DoorRequest]:
    return [decode(DoorRequest, message.payload) for message in sent]


def lift_requests(sent: list[Outgoing]) -> list[LiftRequest]:
    return [decode(LiftRequest, message.payload) for message in sent]
