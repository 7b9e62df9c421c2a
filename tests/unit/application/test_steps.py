"""Where an order for a robot may start, and what it holds: on the demo hospital's lanes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from orchestrator.application.driving import catch_up
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.steps import (
    passed_unheard,
    remaining_base,
    standing_place,
    start_actions,
    starting_steps,
    steps_of_lanes,
)
from orchestrator.application.turn import Turn
from orchestrator.domain.fleet.model import LoadId, OrderId, Pose, RobotId, RobotReport
from orchestrator.domain.fleet.order import ActionKind, DriveOrder, OrderStep
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.site.model import LaneId, WaypointId
from simulation.memory_store import MemoryStore
from simulation.ward import CountedIds
from tests.support.idle_reports import an_idle_report
from tests.support.wards import a_fleet, demo_hospital

ROBOT = RobotId("robot-1")
FLEET: FleetOnSite = a_fleet(demo_hospital())
HOME = FLEET.home_waypoint_of(ROBOT)


LANES = (LaneId("charger_1~lobby_n"), LaneId("lobby_n~lobby"), LaneId("lobby~corridor_w"))
ENDS = [FLEET.graph_of(ROBOT).lanes[lane].end for lane in LANES]


def a_report(pose: Pose | None) -> RobotReport:
    return an_idle_report(ROBOT, datetime(2026, 1, 5, tzinfo=UTC), pose=pose, loads=())


def aside(waypoint: WaypointId, *, by_m: float) -> Pose:
    pose = FLEET.pose_of(ROBOT, waypoint)
    return replace(pose, x_m=pose.x_m + by_m)


def waypoints(steps: tuple[OrderStep, ...]) -> list[str]:
    return [step.waypoint for step in steps]


def an_order(*, first: OrderStep, lanes: tuple[LaneId, ...], released: int) -> DriveOrder:
    return DriveOrder(
        id=OrderId("order-1"), robot=ROBOT, steps=(first, *steps_of_lanes(FLEET, ROBOT, lanes)), released=released
    )


def test_the_first_order_of_a_robot_begins_where_it_stands_and_not_at_the_end_of_what_is_granted() -> None:
    record = RobotRecord(ROBOT, tip=ENDS[-1], granted=LANES, report=a_report(FLEET.pose_of(ROBOT, HOME)))

    assert standing_place(FLEET, record) == HOME
    assert waypoints(starting_steps(FLEET, record, order="order-1")) == [HOME]


def test_only_what_the_books_have_given_a_robot_is_it_told_to_give_out() -> None:
    report = replace(a_report(FLEET.pose_of(ROBOT, HOME)), loads=(LoadId("tote-1"), LoadId("cart-7")))
    record = RobotRecord(ROBOT, tip=HOME, report=report, carried=frozenset({LoadId("tote-1")}))

    with MemoryStore().transaction() as uow:
        turn = Turn(uow, at=report.received_at, at_s=0.0, ids=CountedIds(), records={ROBOT: record})
        actions = start_actions(turn, FLEET, ROBOT)

    assert [(action.kind, action.load) for action in actions] == [(ActionKind.DROP, "tote-1")]


def test_an_order_begins_at_the_waypoint_passed_last() -> None:
    home = OrderStep(waypoint=HOME, pose=FLEET.pose_of(ROBOT, HOME))
    record = RobotRecord(
        ROBOT,
        order=an_order(first=home, lanes=LANES, released=2),
        passed=1,
        tip=ENDS[0],
        phase=OrderPhase.LOST,
        report=a_report(FLEET.pose_of(ROBOT, ENDS[0])),
    )

    assert waypoints(starting_steps(FLEET, record, order="order-2")) == [ENDS[0]]


def test_an_order_for_a_robot_between_two_waypoints_begins_at_its_own_pose_and_goes_on_along_the_lane() -> None:
    home = OrderStep(waypoint=HOME, pose=FLEET.pose_of(ROBOT, HOME))
    pose = aside(HOME, by_m=1.5)
    record = RobotRecord(
        ROBOT,
        order=an_order(first=home, lanes=LANES, released=3),
        tip=ENDS[1],
        phase=OrderPhase.LOST,
        report=a_report(pose),
    )

    steps = starting_steps(FLEET, record, order="order-2")

    assert waypoints(steps) == ["pose:order-2"]
    assert steps[0].pose == pose


def test_an_order_for_a_robot_that_stands_beside_its_waypoint_leads_it_back_onto_it() -> None:
    record = RobotRecord(ROBOT, tip=HOME, report=a_report(aside(HOME, by_m=0.8)))

    assert waypoints(starting_steps(FLEET, record, order="order-1")) == ["pose:order-1", HOME]


def test_a_robot_that_never_came_back_onto_its_waypoint_is_led_there_again() -> None:
    here = OrderStep(waypoint=WaypointId("pose:order-1"), pose=aside(HOME, by_m=0.8))
    home = OrderStep(waypoint=HOME, pose=FLEET.pose_of(ROBOT, HOME))
    order = DriveOrder(id=OrderId("order-1"), robot=ROBOT, steps=(here, home), released=2)
    record = RobotRecord(ROBOT, order=order, tip=HOME, phase=OrderPhase.LOST, report=a_report(aside(HOME, by_m=0.8)))

    assert waypoints(starting_steps(FLEET, record, order="order-2")) == ["pose:order-2", HOME]


def test_no_order_begins_while_a_robot_does_not_say_where_it_is() -> None:
    assert starting_steps(FLEET, RobotRecord(ROBOT, tip=HOME, report=a_report(None)), order="order-1") == ()


def test_a_robot_that_drove_on_unheard_has_passed_what_lies_behind_it() -> None:
    order = an_order(first=OrderStep(HOME, FLEET.pose_of(ROBOT, HOME)), lanes=LANES, released=4)
    record = RobotRecord(ROBOT, order=order, phase=OrderPhase.LOST, tip=ENDS[-1])

    def passed_at(pose: Pose | None) -> int:
        return passed_unheard(FLEET, replace(record, report=a_report(pose)))

    assert [passed_at(FLEET.pose_of(ROBOT, end)) for end in (HOME, *ENDS)] == [0, 1, 2, 3]
    assert passed_at(aside(ENDS[1], by_m=1.1)) == 2
    assert passed_at(aside(ENDS[-1], by_m=40.0)) == 0
    assert passed_at(None) == 0


def test_a_robot_that_drove_its_whole_base_unheard_has_nothing_of_it_left() -> None:
    order = an_order(first=OrderStep(HOME, FLEET.pose_of(ROBOT, HOME)), lanes=LANES, released=4)
    record = RobotRecord(
        ROBOT, order=order, phase=OrderPhase.LOST, tip=ENDS[-1], report=a_report(FLEET.pose_of(ROBOT, ENDS[-1]))
    )

    assert remaining_base(replace(record, passed=passed_unheard(FLEET, record))) == ()


def caught_up(record: RobotRecord) -> RobotRecord:
    with MemoryStore().transaction() as uow:
        turn = Turn(uow, at=datetime(2026, 1, 5, tzinfo=UTC), at_s=0.0, ids=CountedIds(), records={ROBOT: record})
        catch_up(turn, FLEET, ROBOT)
        return turn.record(ROBOT)


def test_the_books_follow_a_robot_once_its_order_is_gone_and_it_stands() -> None:
    order = an_order(first=OrderStep(HOME, FLEET.pose_of(ROBOT, HOME)), lanes=LANES, released=4)
    there = a_report(FLEET.pose_of(ROBOT, ENDS[1]))
    record = RobotRecord(ROBOT, order=order, phase=OrderPhase.LOST, tip=ENDS[-1], report=there)

    assert caught_up(record).passed == 2
    assert caught_up(replace(record, report=replace(there, is_driving=True))).passed == 0
    assert caught_up(replace(record, phase=OrderPhase.ACKNOWLEDGED)).passed == 0


def test_an_order_that_is_gone_is_done_once_the_robot_stands_at_its_end() -> None:
    order = an_order(first=OrderStep(HOME, FLEET.pose_of(ROBOT, HOME)), lanes=LANES, released=4)
    there = a_report(FLEET.pose_of(ROBOT, ENDS[-1]))
    record = RobotRecord(ROBOT, order=order, phase=OrderPhase.LOST, tip=ENDS[-1], report=there)

    def phase(other: RobotRecord) -> OrderPhase:
        return caught_up(other).phase

    assert phase(record) is OrderPhase.DONE
    assert phase(replace(record, passed=3)) is OrderPhase.DONE, "it was heard to arrive, and lost its order there"
    assert phase(replace(record, granted=LANES[:1])) is OrderPhase.LOST
    assert phase(replace(record, route=LANES[:1])) is OrderPhase.LOST
    assert phase(replace(record, report=replace(there, sequences_ahead=(2,)))) is OrderPhase.LOST
    assert phase(replace(record, report=a_report(FLEET.pose_of(ROBOT, ENDS[1])))) is OrderPhase.LOST
    assert phase(replace(record, phase=OrderPhase.CANCELLING)) is OrderPhase.CANCELLING
