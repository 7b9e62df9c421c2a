"""Robots that come back elsewhere than where the books have them, in a virtual ward."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from orchestrator.application.cancel_delivery import cancel_delivery
from orchestrator.domain.delivery.model import DeliveryState, StopKind
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.site.model import WaypointId
from ros_nodes.onboard.path_geometry import Pose as BoardPose
from simulation.ward import SimulatedWard
from tests.support.wards import a_demand, a_fleet, demo_hospital

ROBOT = RobotId("robot-1")
FLEET = a_fleet(demo_hospital())


def a_ward(*, count: int = 4, robots: int = 3) -> SimulatedWard:
    site = demo_hospital()
    return SimulatedWard(a_fleet(site, robots=robots), asked=a_demand(site, count=count, seed=2, robots=robots), seed=2)


def place_of(waypoint: str, *, aside_m: float = 0.0) -> BoardPose:
    pose = FLEET.pose_of(ROBOT, WaypointId(waypoint))
    return BoardPose(pose.level, pose.x_m, pose.y_m + aside_m, 0.0)


def once(ward: SimulatedWard, is_so: Callable[[RobotRecord], bool], act: Callable[[], None]) -> None:
    """Do something at the first moment at which the robot's record is as wanted."""

    def look() -> None:
        record = ward.control.picture().robots[0].record
        if is_so(record):
            act()
        else:
            ward.scheduler.after(0.5, look)

    ward.scheduler.after(1.0, look)


def carry(ward: SimulatedWard, to: BoardPose, *, away_s: float) -> None:
    ward.robots[ROBOT].cut_power()
    ward.robots[ROBOT].carry_to(to)
    ward.scheduler.after(away_s, ward.robots[ROBOT].switch_on)


def is_driving_with_a_load(record: RobotRecord) -> bool:
    return bool(record.report and record.report.is_driving and record.report.loads)


def is_being_loaded(ward: SimulatedWard) -> Callable[[RobotRecord], bool]:
    def look(record: RobotRecord) -> bool:
        with ward.store.reading() as uow:
            return any(d.robot == record.robot and d.state is DeliveryState.LOADING for d in uow.deliveries.open())

    return look


def is_back_with_a_load(ward: SimulatedWard) -> Callable[[RobotRecord], bool]:
    def look(record: RobotRecord) -> bool:
        with ward.store.reading() as uow:
            trip = uow.trips.get(record.trip) if record.trip else None
        return trip is not None and trip.has_arrived and trip.stops[0].kind is StopKind.TAKE_BACK

    return look


def call_back_what_it_carries(ward: SimulatedWard) -> None:
    aboard = ward.control.read(lambda uow: [d for d in uow.deliveries.open() if d.robot == ROBOT and d.state.is_aboard])
    for delivery in aboard:
        ward.control.run(
            lambda uow, delivery=delivery.id: cancel_delivery(
                uow,
                delivery=delivery,
                reason="not needed",
                at=ward.clock.now(),
                by="pharmacy",
                premises=ward.control.fleet.premises,
            )
        )


class FirstNodes:
    """Where each new order of the robot starts, in metres, and when it was sent."""

    def __init__(self, ward: SimulatedWard) -> None:
        self._ward = ward
        self.seen: list[tuple[float, float, float]] = []
        ward.listen(ward.robots[ROBOT].address.topic("order"), self._hear)

    def _hear(self, _topic: str, payload: bytes) -> None:
        message = json.loads(payload)
        if message["orderUpdateId"] == 0:
            for node in message["nodes"][:2]:
                at = node["nodePosition"]
                self.seen.append((self._ward.clock.monotonic_s(), at["x"], at["y"]))

    def after(self, moment_s: float) -> list[tuple[float, float]]:
        return [(x, y) for at_s, x, y in self.seen if at_s >= moment_s]


@pytest.mark.parametrize("away_s", [3.0, 60.0])
@pytest.mark.parametrize("to", ["charger_1", "lobby_s", "up_hall_nw", "alder_1"])
def test_a_robot_that_was_carried_to_another_waypoint_goes_on_from_there_once_it_is_resumed_28(
    to: str, away_s: float
) -> None:
    ward = a_ward()
    nodes = FirstNodes(ward)
    moved_s: list[float] = []

    def move() -> None:
        moved_s.append(ward.clock.monotonic_s())
        carry(ward, place_of(to), away_s=away_s)

    once(ward, is_driving_with_a_load, move)
    outcome = ward.run(limit_s=7200.0)

    assert outcome.is_finished
    assert {d.state for d in outcome.deliveries} == {DeliveryState.RECEIVED}
    here = place_of(to)
    assert nodes.after(moved_s[0] + away_s)[0] == pytest.approx((here.x_m, here.y_m), abs=0.01)
    assert b"robot_moved" in outcome.log


def test_a_robot_that_stands_on_no_waypoint_gets_no_order_until_somebody_puts_it_on_one() -> None:
    ward = a_ward()
    nodes = FirstNodes(ward)
    seen: list[tuple[str, ...]] = []
    moved_s: list[float] = []

    def move() -> None:
        moved_s.append(ward.clock.monotonic_s())
        carry(ward, place_of("charger_1", aside_m=6.0), away_s=5.0)
        ward.scheduler.after(100.0, remember)

    def remember() -> None:
        seen.append(tuple(r.code for r in ward.control.picture().robots[0].record.waiting))
        assert nodes.after(moved_s[0] + 5.0) == []
        carry(ward, place_of("charger_1"), away_s=5.0)

    once(ward, is_driving_with_a_load, move)
    outcome = ward.run(limit_s=7200.0)

    assert seen == [("robot_moved",)]
    assert outcome.is_finished
    assert {d.state for d in outcome.deliveries} == {DeliveryState.RECEIVED}


def test_a_delivery_at_the_hatch_waits_for_a_robot_again_when_its_robot_is_carried_away() -> None:
    ward = a_ward()
    once(ward, is_being_loaded(ward), lambda: carry(ward, place_of("alder_1"), away_s=2.0))

    outcome = ward.run(limit_s=7200.0)

    assert outcome.is_finished
    assert {d.state for d in outcome.deliveries} == {DeliveryState.RECEIVED}
    reasons = [c.reason.code for d in outcome.deliveries for c in d.history if c.reason]
    assert "robot_moved" in reasons


def test_what_came_back_is_taken_out_once_its_robot_stands_there_again_when_it_was_pushed_away_meanwhile() -> None:
    ward = a_ward()
    body = ward.robots[ROBOT]

    def push_for_a_while() -> None:
        body.push_aside(dx_m=0.0, dy_m=2.0)
        ward.scheduler.after(90.0, lambda: body.push_aside(dx_m=0.0, dy_m=0.0))

    once(ward, is_driving_with_a_load, lambda: call_back_what_it_carries(ward))
    once(ward, is_back_with_a_load(ward), push_for_a_while)
    outcome = ward.run(limit_s=7200.0)

    assert outcome.is_finished
    assert {d.state for d in outcome.deliveries} == {DeliveryState.RECEIVED, DeliveryState.RETURNED}
    assert b"robot_moved" in outcome.log


def test_a_robot_first_seen_away_from_its_home_is_entered_where_it_stands() -> None:
    ward = a_ward()
    ward.robots[ROBOT].carry_to(place_of("lobby_s"))

    outcome = ward.run(limit_s=7200.0)

    assert outcome.is_finished
    assert {d.state for d in outcome.deliveries} == {DeliveryState.RECEIVED}


def test_a_robot_first_seen_off_the_lanes_is_entered_once_it_stands_on_one() -> None:
    ward = a_ward()
    ward.robots[ROBOT].carry_to(place_of("charger_1", aside_m=6.0))
    seen: list[object] = []

    def put_right() -> None:
        record = ward.control.picture().robots[0].record
        seen.append((record.tip, [reason.code for reason in record.waiting]))
        carry(ward, place_of("charger_1"), away_s=2.0)
        ward.scheduler.after(10.0, lambda: seen.append(ward.control.picture().robots[0].record.tip))

    ward.scheduler.at(20.0, put_right)
    outcome = ward.run(limit_s=7200.0)

    assert outcome.is_finished
    assert seen[0] == (None, ["robot_off_graph"])
    assert seen[1] is not None
