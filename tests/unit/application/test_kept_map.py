"""A robot that keeps its old map over the ride of a lift is held for what it is, not as one that was moved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.application.steps import steps_of_lanes
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import OrderId, RobotId
from orchestrator.domain.fleet.order import DriveOrder, OrderStep
from orchestrator.domain.fleet.record import OrderPhase
from orchestrator.domain.site.model import LaneId, LevelId, WaypointId
from tests.support.steering_bench import FLEET, Bench, a_report

ROBOT = RobotId("robot-1")
LANES = [LaneId("hall_e~lift_ground"), LaneId("lift_ground~lift_first"), LaneId("lift_first~up_hall_e")]


def a_ride(*, level: str, x_m: float = 0.0, phase: OrderPhase = OrderPhase.ACKNOWLEDGED, passed: int = 3) -> Bench:
    """Return a bench with a robot that has ridden up and driven out, and says it is on this level, so far aside."""
    bench = Bench()
    here = WaypointId("hall_e")
    steps = (OrderStep(here, FLEET.pose_of(ROBOT, here)), *steps_of_lanes(FLEET, ROBOT, LANES))
    there = FLEET.pose_of(ROBOT, WaypointId("up_hall_e"))
    pose = replace(there, level=LevelId(level), x_m=there.x_m + x_m)
    bench.change(
        ROBOT,
        order=DriveOrder(OrderId("order-1"), ROBOT, steps, released=len(steps)),
        phase=phase,
        passed=passed,
        tip=WaypointId("up_hall_e"),
        report=a_report(ROBOT, pose),
    )
    bench.in_a_turn(lambda turn: bench.steering.place(turn, ROBOT))
    return bench


@pytest.mark.parametrize("phase", [OrderPhase.ACKNOWLEDGED, OrderPhase.DONE])
def test_the_sentence_names_the_map_that_is_still_reported_and_map_switch(phase: OrderPhase) -> None:
    (hold,) = a_ride(level="ground", phase=phase).records[ROBOT].holds
    assert hold.kind is HoldKind.MOVED
    assert "still reports map ground" in hold.reason
    assert "Set its position on level first" in hold.reason
    assert "map_switch in its model, which is none now" in hold.reason


def test_a_robot_that_was_pushed_away_on_its_own_level_was_moved() -> None:
    (hold,) = a_ride(level="first", x_m=9.0).records[ROBOT].holds
    assert "was moved" in hold.reason


def test_a_robot_that_is_elsewhere_on_the_old_level_was_moved() -> None:
    (hold,) = a_ride(level="ground", x_m=9.0).records[ROBOT].holds
    assert "was moved" in hold.reason


def test_a_robot_that_changed_its_map_is_not_held() -> None:
    assert a_ride(level="first").records[ROBOT].holds == ()
