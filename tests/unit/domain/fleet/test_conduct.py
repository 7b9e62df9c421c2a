"""What a robot is held for by what it does: it stands, creeps, jumps, drives unasked, or answers nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.domain.fleet.conduct import ANSWERS, JUMP_M, LATE_S, PACE, REFUSALS, STALL_S, Conduct, Finding
from orchestrator.domain.fleet.hold import Hold, HoldKind
from orchestrator.domain.fleet.model import ActionId, ActionStatus, OperatingMode, OrderId, Pose, RobotId, RobotReport
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.site.model import LevelId
from tests.support.robot_link import a_model, an_order

AT = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
MODEL = a_model(handling_s=2.0, speed_max_m_s=1.0, acceleration_m_s2=0.5, order_answer_s=5.0)
"""Stops within 1 m."""


def a_report(x_m: float = 0.0, **changes: Any) -> RobotReport:
    values: dict[str, Any] = {
        "robot": RobotId("r1"),
        "received_at": AT,
        "order_id": OrderId("order-1"),
        "order_update_id": 0,
        "last_waypoint": None,
        "last_sequence": 0,
        "sequences_ahead": (2,),
        "is_driving": False,
        "is_paused": False,
        "pose": Pose(LevelId("L1"), x_m, 0.5),
        "battery": 0.9,
        "is_charging": False,
        "mode": OperatingMode.AUTOMATIC,
        "is_emergency_stopped": False,
        "has_field_violation": False,
    }
    return RobotReport(**(values | changes))


def a_record(**changes: Any) -> RobotRecord:
    return replace(RobotRecord(RobotId("r1"), order=an_order(), phase=OrderPhase.ACKNOWLEDGED), **changes)


def judge(*heard: tuple[float, RobotReport], record: RobotRecord | None = None) -> list[Finding | None]:
    conduct = Conduct(MODEL)
    return [conduct.judge(record or a_record(), report, at_s=at_s) for at_s, report in heard]


def kinds(found: list[Finding | None]) -> list[HoldKind | None]:
    return [each and each.kind for each in found]


def test_a_robot_that_takes_its_order_and_stands_is_held_soon_after_its_time_is_up() -> None:
    late_s = STALL_S + MODEL.handling_s + 1.0

    found = judge((0.0, a_report()), (late_s - 2.0, a_report()), (late_s, a_report()))

    assert kinds(found) == [None, None, HoldKind.UNRESPONSIVE]
    assert found[-1] is not None
    assert "resume it here" in found[-1].sentence


def test_a_robot_that_creeps_is_held_when_it_is_many_times_slower_than_it_can_be() -> None:
    lane_s = PACE * 1.0 / 0.8
    moments = [(5.0 * i, a_report(0.02 * i, is_driving=True)) for i in range(12)]

    first = next(at_s for (at_s, _), each in zip(moments, judge(*moments), strict=True) if each is not None)

    assert STALL_S + MODEL.handling_s <= first <= STALL_S + MODEL.handling_s + lane_s + 5.0


@pytest.mark.parametrize(
    "news",
    [
        {"has_field_violation": True},
        {"actions": {ActionId("a1"): ActionStatus.RUNNING}},
    ],
)
def test_a_robot_that_somebody_stands_before_or_that_has_just_begun_to_act_is_given_time(news: dict[str, Any]) -> None:
    late_s = STALL_S + MODEL.handling_s + 1.0

    assert kinds(judge((0.0, a_report()), (late_s, a_report(**news)))) == [None, None]


def test_a_robot_with_nothing_to_drive_may_stand_for_ever() -> None:
    assert kinds(judge((0.0, a_report()), (9999.0, a_report()), record=a_record(passed=1))) == [None, None]


def test_a_robot_that_is_suddenly_farther_than_it_can_have_driven_is_held_as_moved() -> None:
    reach_m = MODEL.speed_max_m_s * (2.0 + LATE_S) + JUMP_M

    near = judge((0.0, a_report()), (2.0, a_report(reach_m - 0.1, is_driving=True)))
    far = judge((0.0, a_report()), (2.0, a_report(reach_m + 0.1, is_driving=True)))

    assert kinds(near) == [None, None]
    assert kinds(far) == [None, HoldKind.MOVED]


def test_a_simulated_robot_that_lives_ten_times_as_fast_may_have_driven_ten_times_as_far() -> None:
    conduct = Conduct(MODEL, pace=10.0)
    reach_m = MODEL.speed_max_m_s * 10.0 * (2.0 + LATE_S) + JUMP_M
    conduct.judge(a_record(), a_report(), at_s=0.0)

    assert conduct.judge(a_record(), a_report(reach_m - 0.1, is_driving=True), at_s=2.0) is None
    far = conduct.judge(a_record(), a_report(3.0 * reach_m, is_driving=True), at_s=2.0)
    assert far is not None
    assert far.kind is HoldKind.MOVED


def test_a_robot_that_leaps_to_where_it_was_released_to_drive_is_not_held() -> None:
    record = a_record(order=an_order(steps=40, released=40))
    way_m = record.order.steps[30].pose.x_m if record.order else 0.0
    there = a_report(pose=Pose(LevelId("L1"), way_m, record.order.steps[30].pose.y_m if record.order else 0.0))

    assert way_m > MODEL.speed_max_m_s * (1.0 + LATE_S) + JUMP_M, "farther than it can have driven"
    assert kinds(judge((0.0, a_report()), (1.0, there), record=record)) == [None, None]
    not_released = a_record(order=an_order(steps=40, released=10))
    assert kinds(judge((0.0, a_report()), (1.0, there), record=not_released)) == [None, HoldKind.MOVED]


def test_a_robot_that_rides_a_lift_does_not_jump() -> None:
    above = a_report(pose=Pose(LevelId("L2"), 30.0, 0.5))

    assert kinds(judge((0.0, a_report()), (1.0, above))) == [None, None]


def test_a_robot_that_drives_without_an_order_is_held() -> None:
    record = a_record(phase=OrderPhase.DONE, passed=3)
    heard = [(0.0, a_report()), (2.0, a_report(1.0, is_driving=True))]

    assert kinds(judge(*heard, record=record)) == [None, HoldKind.MOVED]


def test_a_robot_that_says_it_is_paused_may_brake_but_not_drive_on() -> None:
    braking = [(t, a_report(0.4 * t, is_paused=True, is_driving=True)) for t in (0.0, 1.0, 2.0, 3.0)]
    driving = [(t, a_report(0.8 * t, is_paused=True, is_driving=True)) for t in (0.0, 1.0, 2.0, 3.0)]

    assert kinds(judge(*braking)) == [None, None, None, None]
    assert kinds(judge(*driving))[2:] == [HoldKind.UNRESPONSIVE, None]


@pytest.mark.parametrize("phase", [OrderPhase.WANTED, OrderPhase.CANCELLING])
def test_a_robot_that_reports_and_answers_nothing_is_held_after_several_times_its_limit(phase: OrderPhase) -> None:
    limit_s = ANSWERS * MODEL.order_answer_s
    heard = [(0.0, a_report()), (limit_s, a_report()), (limit_s + 1.0, a_report())]

    assert kinds(judge(*heard, record=a_record(phase=phase))) == [None, None, HoldKind.UNRESPONSIVE]


def test_several_refusals_in_a_row_hold_a_robot_and_an_order_taken_in_between_does_not() -> None:
    stubborn, fickle = Conduct(MODEL), Conduct(MODEL)

    assert [stubborn.note_refused("r1") is not None for _ in range(REFUSALS)] == [False] * (REFUSALS - 1) + [True]
    for _ in range(2 * REFUSALS):
        assert fickle.note_refused("r1") is None
        fickle.note_taken()


def test_who_is_held_for_refusals_is_told_the_last_in_its_own_words() -> None:
    conduct = Conduct(MODEL)
    found = [conduct.note_refused("r1", why="orderError: invalid actionParameter.") for _ in range(REFUSALS)][-1]

    assert found is not None
    assert "in a row, the last one so: orderError: invalid actionParameter. See what keeps it" in found.sentence


@pytest.mark.parametrize(
    "record",
    [
        a_record(holds=(Hold(HoldKind.STOPPED, "stopped", "r1", AT),)),
        a_record(lost_since=AT),
    ],
)
def test_nothing_is_held_against_a_robot_that_somebody_sees_to_already(record: RobotRecord) -> None:
    heard = [(0.0, a_report()), (2.0, a_report(50.0)), (999.0, a_report(50.0))]

    assert kinds(judge(*heard, record=record)) == [None, None, None]


def test_a_robot_in_a_persons_hands_may_be_anywhere_afterwards() -> None:
    heard = [(0.0, a_report()), (1.0, a_report(20.0, mode=OperatingMode.MANUAL)), (2.0, a_report(20.0))]

    assert kinds(judge(*heard)) == [None, None, None]
