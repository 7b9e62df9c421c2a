"""Open-RMF doors and lifts through the bridge, with doubles that have the fields of their messages."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from orchestrator.devices.messages import DoorCommand, DoorRequest, LiftCommand, LiftRequest
from orchestrator.domain.site.device import DoorPosition, LiftMode
from ros_nodes.rmf_building import (
    LAPSE_S,
    RmfDoor,
    RmfDoorMode,
    RmfLift,
    RmfLiftDoor,
    RmfLiftMode,
    RmfLiftMotion,
    RmfLiftRequestType,
)
from tests.support.device_link import NOON


@dataclass
class DoorMode:
    value: int = 0


@dataclass
class DoorStateDouble:
    """rmf_door_msgs/DoorState."""

    door_name: str = "front"
    current_mode: DoorMode = field(default_factory=DoorMode)


@dataclass
class LiftStateDouble:
    """rmf_lift_msgs/LiftState."""

    lift_name: str = "L1"
    current_floor: str = "ground"
    destination_floor: str = "ground"
    door_state: int = RmfLiftDoor.OPEN
    motion_state: int = RmfLiftMotion.STOPPED
    current_mode: int = RmfLiftMode.AGV
    session_id: str = "wardporter/R1"


def a_door_request(
    command: DoorCommand = DoorCommand.OPEN, *, holder: str = "R1", session: str = "", epoch: int = 1
) -> DoorRequest:
    return DoorRequest(
        command=command,
        session=session or f"s-{holder}",
        holder=holder,
        owner="wardporter",
        epoch=epoch,
        number=1,
        sent_at=NOON,
    )


def a_lift_request(
    command: LiftCommand = LiftCommand.CALL, *, session: str = "s1", level: str | None = "first", epoch: int = 1
) -> LiftRequest:
    return LiftRequest(
        command=command,
        level=level,
        session=session,
        holder="R1",
        owner="wardporter",
        epoch=epoch,
        number=1,
        sent_at=NOON,
    )


@pytest.mark.parametrize(
    ("mode", "position"),
    [
        (RmfDoorMode.CLOSED, DoorPosition.CLOSED),
        (RmfDoorMode.MOVING, DoorPosition.MOVING),
        (RmfDoorMode.OPEN, DoorPosition.OPEN),
        (RmfDoorMode.OFFLINE, DoorPosition.OFFLINE),
        (RmfDoorMode.UNKNOWN, DoorPosition.UNKNOWN),
        (77, DoorPosition.UNKNOWN),
    ],
)
def test_a_door_is_where_it_says(mode: int, position: DoorPosition) -> None:
    state = RmfDoor("front", "boot").state(DoorStateDouble(current_mode=DoorMode(mode)), now=NOON)
    assert state.position is position


def test_a_door_stays_open_until_the_last_session_is_released_or_not_renewed() -> None:
    door = RmfDoor("front", "boot")
    asked = [
        door.ask(a_door_request(holder="R1"), at_s=0.0, now=NOON),
        door.ask(a_door_request(holder="R2"), at_s=1.0, now=NOON),
        door.ask(a_door_request(DoorCommand.RELEASE, holder="R1"), at_s=2.0, now=NOON),
    ]
    assert [each.requested_mode for each in asked if each is not None] == [RmfDoorMode.OPEN] * 3
    state = door.state(DoorStateDouble(), now=NOON)
    assert [part.session for part in state.sessions] == ["s-R2"]

    assert door.renew(at_s=LAPSE_S) is None
    closing = door.renew(at_s=1.0 + LAPSE_S)
    assert closing is not None
    assert closing.requested_mode is RmfDoorMode.CLOSED


def test_a_start_that_has_ended_is_not_heard_any_more() -> None:
    door, lift = RmfDoor("front", "boot"), RmfLift("L1", "boot")
    assert door.ask(a_door_request(epoch=2), at_s=0.0, now=NOON) is not None
    assert door.ask(a_door_request(DoorCommand.RELEASE, epoch=1), at_s=1.0, now=NOON) is None
    assert lift.ask(a_lift_request(epoch=2), at_s=0.0, now=NOON) is not None
    assert lift.ask(a_lift_request(LiftCommand.RELEASE, epoch=1), at_s=1.0, now=NOON) is None


def test_a_lift_is_asked_in_agv_mode_and_its_session_is_ended() -> None:
    lift = RmfLift("L1", "boot")
    called = lift.ask(a_lift_request(), at_s=0.0, now=NOON)
    ended = lift.ask(a_lift_request(LiftCommand.RELEASE), at_s=9.0, now=NOON)
    assert called is not None
    assert ended is not None
    assert (called.request_type, called.destination_floor) == (RmfLiftRequestType.AGV_MODE, "first")
    assert ended.request_type is RmfLiftRequestType.END_SESSION
    assert called.session_id == ended.session_id == "wardporter/R1"


def test_after_a_restart_the_same_lift_session_goes_on_under_our_new_one() -> None:
    lift = RmfLift("L1", "boot")
    before = lift.ask(a_lift_request(session="old", epoch=1), at_s=0.0, now=NOON)
    after = lift.ask(a_lift_request(session="new", epoch=2), at_s=5.0, now=NOON)
    assert before is not None
    assert after is not None
    assert before.session_id == after.session_id
    state = lift.state(LiftStateDouble(), now=NOON)
    assert state.session is not None
    assert (state.session.session, state.session.epoch) == ("new", 2)


def test_only_a_lift_that_stands_in_agv_mode_under_our_session_is_ours() -> None:
    lift = RmfLift("L1", "boot")
    lift.ask(a_lift_request(), at_s=0.0, now=NOON)
    ours = lift.state(LiftStateDouble(), now=NOON)
    assert (ours.level, ours.doors, ours.mode) == ("ground", DoorPosition.OPEN, LiftMode.NORMAL)
    assert ours.session is not None

    assert lift.state(LiftStateDouble(motion_state=RmfLiftMotion.UP), now=NOON).level is None
    assert lift.state(LiftStateDouble(motion_state=RmfLiftMotion.UNKNOWN), now=NOON).level is None
    theirs = lift.state(LiftStateDouble(session_id="another/fleet"), now=NOON)
    assert (theirs.session, theirs.mode) == (None, LiftMode.PEOPLE)
    by_hand = lift.state(LiftStateDouble(current_mode=RmfLiftMode.HUMAN), now=NOON)
    assert (by_hand.session, by_hand.mode) == (None, LiftMode.NORMAL)


@pytest.mark.parametrize(
    ("current", "mode"),
    [
        (RmfLiftMode.FIRE, LiftMode.FIRE),
        (RmfLiftMode.EMERGENCY, LiftMode.FIRE),
        (RmfLiftMode.OFFLINE, LiftMode.OUT_OF_SERVICE),
        (RmfLiftMode.UNKNOWN, LiftMode.OUT_OF_SERVICE),
        (99, LiftMode.OUT_OF_SERVICE),
    ],
)
def test_what_is_no_mode_for_robots_is_none(current: int, mode: LiftMode) -> None:
    lift = RmfLift("L1", "boot")
    lift.ask(a_lift_request(), at_s=0.0, now=NOON)
    state = lift.state(LiftStateDouble(current_mode=current), now=NOON)
    assert (state.mode, state.session) == (mode, None)
