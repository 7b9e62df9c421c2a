"""One door or lift as we hear it: only its own word counts, only for our session, and only while it speaks."""

from __future__ import annotations

from orchestrator.devices.dialogue import Timing
from orchestrator.devices.messages import DoorCommand, LiftCommand
from orchestrator.domain.site.device import DoorPosition, LiftMode
from orchestrator.domain.site.model import LevelId
from tests.support.device_link import (
    EPOCH,
    NOON,
    a_door,
    a_door_state,
    a_lift,
    a_lift_state,
    a_session,
    door_requests,
    lift_requests,
)

GROUND, FIRST = LevelId("ground"), LevelId("first")
TIMING = Timing()


def test_a_request_is_renewed_for_as_long_as_it_is_wanted_and_never_retained_or_queued() -> None:
    door = a_door()
    door.hold("R1", purpose="passage", at_s=0.0)

    sent = [message for t in range(10) for message in door.due(at_s=float(t), now=NOON)]

    assert [request.command for request in door_requests(sent)] == [DoorCommand.OPEN] * 5
    assert len({request.session for request in door_requests(sent)}) == 1
    assert [request.number for request in door_requests(sent)] == [1, 2, 3, 4, 5]
    assert {message.qos for message in sent} == {0}


def test_a_door_is_open_for_a_robot_only_when_the_device_names_its_session() -> None:
    door = a_door()
    door.hold("R1", purpose="passage", at_s=0.0)
    (asked,) = door_requests(door.due(at_s=0.0, now=NOON))

    door.receive(a_door_state(), at_s=0.1)
    assert not door.is_door_open_for("R1", at_s=0.1), "open, but for nobody we know of"

    door.receive(a_door_state(a_session("somebody-else"), number=2), at_s=0.2)
    assert not door.is_door_open_for("R1", at_s=0.2)

    door.receive(a_door_state(a_session(asked.session), number=3, position=DoorPosition.MOVING), at_s=0.3)
    assert not door.is_door_open_for("R1", at_s=0.3)

    door.receive(a_door_state(a_session(asked.session), number=4), at_s=0.4)
    assert door.is_door_open_for("R1", at_s=0.4)
    assert not door.is_door_open_for("R2", at_s=0.4)


def test_a_silent_device_is_offline_and_not_open_whatever_it_said_last() -> None:
    door = a_door()
    door.hold("R1", purpose="passage", at_s=0.0)
    (asked,) = door_requests(door.due(at_s=0.0, now=NOON))
    door.receive(a_door_state(a_session(asked.session)), at_s=0.0)
    last_s = TIMING.silent_after_s - 0.01

    assert door.is_door_open_for("R1", at_s=last_s)
    assert not door.is_door_open_for("R1", at_s=TIMING.silent_after_s)
    assert door.door(at_s=TIMING.silent_after_s).position is DoorPosition.OFFLINE
    assert a_door().door(at_s=0.0).position is DoorPosition.UNKNOWN


def test_a_capture_of_an_earlier_holding_opens_nothing_for_a_later_one() -> None:
    door = a_door()
    door.hold("R1", purpose="passage", at_s=0.0)
    (first,) = door_requests(door.due(at_s=0.0, now=NOON))
    capture = a_door_state(a_session(first.session), number=900, boot="captured")
    door.release("R1", at_s=1.0)
    door.hold("R1", purpose="passage", at_s=2.0)

    assert door.receive(capture, at_s=2.1) is None
    assert not door.is_door_open_for("R1", at_s=2.1)


def test_what_the_broker_had_kept_what_repeats_and_what_is_from_a_run_that_ended_changes_nothing() -> None:
    door = a_door()
    assert door.receive(a_door_state(number=5), at_s=0.0, is_retained=True) is not None
    assert door.receive(a_door_state(number=5, position=DoorPosition.CLOSED), at_s=0.0) is None
    assert door.receive(a_door_state(number=5), at_s=0.1) is not None
    assert door.receive(a_door_state(number=4), at_s=0.1) is not None
    assert door.receive(a_door_state(number=1, boot="b2", position=DoorPosition.CLOSED), at_s=0.2) is None
    assert door.receive(a_door_state(number=6, boot="b1"), at_s=0.3) is not None
    assert door.door(at_s=0.3).position is DoorPosition.CLOSED


def test_a_release_is_repeated_until_the_device_no_longer_names_the_session() -> None:
    door = a_door()
    door.hold("R1", purpose="passage", at_s=0.0)
    (asked,) = door_requests(door.due(at_s=0.0, now=NOON))
    door.receive(a_door_state(a_session(asked.session)), at_s=0.5)
    door.release("R1", at_s=1.0)

    sent = [message for t in (1.0, 2.0, 3.0, 5.0) for message in door.due(at_s=t, now=NOON)]
    assert [(r.command, r.session) for r in door_requests(sent)] == [(DoorCommand.RELEASE, asked.session)] * 3

    door.receive(a_door_state(number=2, position=DoorPosition.MOVING), at_s=5.5)
    assert door.due(at_s=60.0, now=NOON) == []


def test_a_lift_that_was_away_for_long_is_released_as_soon_as_it_still_names_the_session() -> None:
    lift = a_lift()
    lift.hold("R1", purpose="ride", at_s=0.0, level=GROUND)
    (asked,) = lift_requests(lift.due(at_s=0.0, now=NOON))
    lift.receive(a_lift_state(a_session(asked.session)), at_s=0.5)
    lift.release("R1", at_s=1.0)
    assert lift.due(at_s=1.0 + TIMING.give_up_release_s, now=NOON) == []

    lift.receive(a_lift_state(a_session(asked.session), number=2), at_s=300.0)

    (release,) = lift_requests(lift.due(at_s=300.0, now=NOON))
    assert (release.command, release.session) == (LiftCommand.RELEASE, asked.session)


def test_a_session_that_a_device_names_only_after_its_release_is_released_again_and_one_that_is_wanted_is_not() -> None:
    door = a_door()
    door.hold("R1", purpose="passage", at_s=0.0)
    (asked,) = door_requests(door.due(at_s=0.0, now=NOON))
    door.release("R1", at_s=0.1)
    door.due(at_s=0.1, now=NOON)
    door.receive(a_door_state(position=DoorPosition.CLOSED), at_s=0.2)
    door.hold("R1", purpose="passage", at_s=0.3)
    (again,) = door_requests(door.due(at_s=0.3, now=NOON))

    door.receive(a_door_state(a_session(asked.session), a_session(again.session, holder="R2"), number=2), at_s=0.5)

    sent = door_requests(door.due(at_s=0.5, now=NOON))
    assert [(r.command, r.session) for r in sent] == [(DoorCommand.RELEASE, asked.session)]


def test_a_lift_is_open_only_at_the_level_asked_for_in_service_and_for_this_robot() -> None:
    lift = a_lift()
    lift.hold("R1", purpose="ride", at_s=0.0, level=GROUND)
    (asked,) = lift_requests(lift.due(at_s=0.0, now=NOON))
    assert (asked.command, asked.level) == (LiftCommand.CALL, "ground")
    mine, theirs = a_session(asked.session), a_session("other", holder="R2")

    states = [
        (a_lift_state(mine, level="first", number=1), False),
        (a_lift_state(mine, level=None, number=2), False),
        (a_lift_state(mine, doors=DoorPosition.MOVING, number=3), False),
        (a_lift_state(theirs, number=4), False),
        (a_lift_state(None, number=5), False),
        *((a_lift_state(mine, mode=mode, number=6 + i), mode is LiftMode.NORMAL) for i, mode in enumerate(LiftMode)),
    ]
    for state, is_open in states:
        assert lift.receive(state, at_s=1.0) is None
        assert lift.is_lift_open_for("R1", GROUND, at_s=1.0) is is_open


def test_the_same_session_is_sent_on_to_the_other_level_at_once() -> None:
    lift = a_lift()
    lift.hold("R1", purpose="ride", at_s=0.0, level=GROUND)
    (first,) = lift_requests(lift.due(at_s=0.0, now=NOON))

    lift.hold("R1", purpose="ride", at_s=0.5, level=FIRST)
    (second,) = lift_requests(lift.due(at_s=0.5, now=NOON))

    assert (second.session, second.level) == (first.session, "first")


def test_what_an_earlier_start_left_behind_is_taken_over_or_released_and_a_strangers_session_is_left_alone() -> None:
    door = a_door()
    old = a_session("old-1", holder="R1", epoch=EPOCH - 1), a_session("old-2", holder="R2", epoch=EPOCH - 1)
    foreign = a_session("foreign", holder="R3", owner="another-house", epoch=1)
    door.receive(a_door_state(*old, foreign), at_s=0.0)
    assert door.left_behind() == ("R1", "R2")

    door.hold("R1", purpose="passage", at_s=0.0)
    door.release("R2", at_s=0.0)
    door.release("R3", at_s=0.0)

    sent = door_requests(door.due(at_s=0.0, now=NOON))
    assert [(r.command, r.holder) for r in sent] == [(DoorCommand.RELEASE, "R2"), (DoorCommand.OPEN, "R1")]
    assert sent[0].session == "old-2"
    assert door.left_behind() == ()


def test_a_device_that_stays_silent_is_told_once_and_not_again_and_again() -> None:
    door = a_door()
    door.receive(a_door_state(), at_s=0.0)
    assert door.next_due_s() == TIMING.silent_after_s
    assert not door.note_silence(at_s=TIMING.silent_after_s - 0.1)
    assert door.note_silence(at_s=TIMING.silent_after_s)
    assert not door.note_silence(at_s=TIMING.silent_after_s)
    assert door.next_due_s() is None

    door.receive(a_door_state(number=2), at_s=20.0)
    assert door.next_due_s() == 20.0 + TIMING.silent_after_s
