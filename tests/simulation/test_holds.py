"""Robots that a person has to see to: each kind of hold, in a virtual ward, until somebody resumes the robot."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestrator.application.driving import lanes_ahead
from orchestrator.application.resume_robot import resume_robot
from orchestrator.application.robot_acts import Asked
from orchestrator.application.steps import standing_place
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.errors import ConflictError
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.site.model import WaypointId
from orchestrator.vda5050.messages import OperatingMode
from ros_nodes.onboard.path_geometry import Pose as BoardPose
from simulation.virtual_robot import VirtualRobot
from simulation.ward import Outcome, SimulatedWard
from tests.support.wards import a_demand, a_fleet, demo_hospital

Act = Callable[[VirtualRobot], None]

HELD_FOR_S = 90.0


def press(robot: VirtualRobot) -> None:
    robot.press_emergency_stop()


def release(robot: VirtualRobot) -> None:
    robot.release_emergency_stop()


def take_over(mode: OperatingMode) -> Act:
    return lambda robot: robot.set_operating_mode(mode)


def give_back(robot: VirtualRobot) -> None:
    robot.set_operating_mode(OperatingMode.AUTOMATIC)


def break_down(robot: VirtualRobot) -> None:
    robot.raise_fault("motorOverheated", "the motor is too hot", is_fatal=True)


def repair(robot: VirtualRobot) -> None:
    robot.clear_fault("motorOverheated")


def lose_position(robot: VirtualRobot) -> None:
    robot.set_localised(is_localised=False)


def find_position(robot: VirtualRobot) -> None:
    robot.set_localised(is_localised=True)


def empty(robot: VirtualRobot) -> None:
    robot.put_in_battery(charge=0.0)


def swap_battery(robot: VirtualRobot) -> None:
    robot.put_in_battery(charge=1.0)


def push_aside(robot: VirtualRobot) -> None:
    robot.push_aside(dx_m=2.5, dy_m=2.5)


def push_back(robot: VirtualRobot) -> None:
    robot.push_aside(dx_m=0.0, dy_m=0.0)


CASES = {
    "emergency stop": (HoldKind.STOPPED, press, release),
    "manual mode": (HoldKind.STOPPED, take_over(OperatingMode.MANUAL), give_back),
    "service mode": (HoldKind.STOPPED, take_over(OperatingMode.SERVICE), give_back),
    "teach-in mode": (HoldKind.STOPPED, take_over(OperatingMode.TEACHIN), give_back),
    "fatal fault": (HoldKind.STOPPED, break_down, repair),
    "position lost": (HoldKind.UNLOCALISED, lose_position, find_position),
    "empty battery": (HoldKind.BATTERY_EMPTY, empty, swap_battery),
    "pushed aside": (HoldKind.MOVED, push_aside, push_back),
}


class HeldRobot:
    """What is seen of the first robot that drives with a load, from the moment at which something befalls it.

    Nobody but the test resumes it: it stays held for `HELD_FOR_S`, is put right, is watched for as long again, and then
    resumed.
    """

    def __init__(self, ward: SimulatedWard, *, befalls: Act, mends: Act, kills_service: bool = False) -> None:
        self.ward = ward
        self.robot = RobotId("")
        self.refusals: list[str] = []
        self.seen: list[RobotRecord] = []
        self.placed: list[tuple[float, float]] = []
        self._befalls, self._mends, self._kills = befalls, mends, kills_service
        ward._people._looked_after.update(ward.robots)
        ward.scheduler.after(1.0, self._wait)

    @property
    def record(self) -> RobotRecord:
        return next(p.record for p in self.ward.control.picture().robots if p.id == self.robot)

    def _wait(self) -> None:
        for picture in self.ward.control.picture().robots:
            if picture.report and picture.report.is_driving and picture.report.loads and picture.record.passed >= 1:
                self.robot = picture.id
                self._befall()
                return
        self.ward.scheduler.after(0.5, self._wait)

    def _befall(self) -> None:
        self._befalls(self.ward.robots[self.robot])
        if self._kills:
            self.ward.scheduler.after(5.0, lambda: self.ward.kill_orchestrator(away_s=3.0))
        for after_s in (20.0, HELD_FOR_S - 1.0, 2.0 * HELD_FOR_S - 1.0):
            self.ward.scheduler.after(after_s, self._look)
        self.ward.scheduler.after(HELD_FOR_S / 2.0, self.resume)
        self.ward.scheduler.after(HELD_FOR_S, lambda: self._mends(self.ward.robots[self.robot]))
        self.ward.scheduler.after(2.0 * HELD_FOR_S, self.resume)

    def _look(self) -> None:
        self.seen.append(self.record)
        pose = self.ward.robots[self.robot].pose
        self.placed.append((pose.x_m, pose.y_m))

    def resume(self) -> None:
        try:
            asked = Asked(self.robot, "porter-1", "seen to", self.ward.clock.now())
            fleet = self.ward.control.fleet
            self.ward.control.run(lambda uow: resume_robot(uow, fleet, asked, ids=self.ward.ids))
        except ConflictError as error:
            self.refusals.append(error.code)


def a_ward() -> SimulatedWard:
    site = demo_hospital()
    return SimulatedWard(a_fleet(site), asked=a_demand(site, count=3, seed=2), seed=2)


def run_case(case: str, *, kills_service: bool = False) -> tuple[Outcome, HeldRobot]:
    _, befalls, mends = CASES[case]
    ward = a_ward()
    held = HeldRobot(ward, befalls=befalls, mends=mends, kills_service=kills_service)
    return ward.run(limit_s=7200.0), held


def of_its_place(ward: SimulatedWard, record: RobotRecord) -> frozenset[str]:
    """What a robot holds by standing where the books have it."""
    fleet = ward.control.fleet
    place = standing_place(fleet, record)
    assert place is not None
    return ward.control._steering.relation.of_waypoint(fleet.models[record.robot].id, place)


@pytest.mark.parametrize("case", sorted(CASES))
def test_a_held_robot_is_granted_nothing_and_keeps_its_place_until_a_person_resumes_it(case: str) -> None:
    outcome, held = run_case(case)

    kind = CASES[case][0]
    first, *later = held.seen
    assert all(record.is_held_for(kind) for record in held.seen)
    assert first.held, "the place where it stands is nobody else's"
    for record in later:
        assert set(lanes_ahead(record)) <= set(lanes_ahead(first))
        assert set(of_its_place(held.ward, record)) <= record.held or kind is HoldKind.MOVED
    assert held.placed[1] == pytest.approx(held.placed[2], abs=0.01) or kind is HoldKind.MOVED
    assert outcome.is_finished
    assert {d.state for d in outcome.deliveries} == {DeliveryState.RECEIVED}


@pytest.mark.parametrize("case", sorted(CASES))
def test_nobody_may_resume_a_robot_while_it_still_reports_what_it_is_held_for(case: str) -> None:
    _, held = run_case(case)

    kind = CASES[case][0]
    assert held.refusals == ["robot_off_graph" if kind is HoldKind.MOVED else "robot_still_stopped"]


@pytest.mark.parametrize("case", ["emergency stop", "pushed aside"])
def test_a_hold_outlives_the_orchestrator_that_laid_it(case: str) -> None:
    outcome, held = run_case(case, kills_service=True)

    assert all(record.is_held_for(CASES[case][0]) for record in held.seen)
    assert outcome.is_finished
    assert {d.state for d in outcome.deliveries} == {DeliveryState.RECEIVED}


def test_a_robot_released_at_its_own_button_does_not_move_before_its_word_is_in_our_books() -> None:
    outcome, held = run_case("emergency stop")

    assert held.placed[0] == pytest.approx(held.placed[2], abs=0.01)
    assert held.seen[2].report is not None
    assert not held.seen[2].report.needs_person
    assert outcome.is_finished


def test_a_robot_pushed_aside_is_in_the_way_where_it_stands_now_and_where_the_books_had_it() -> None:
    ward = a_ward()
    there = ward.control.fleet.graph_of(RobotId("robot-1")).waypoints[WaypointId("alder_1")]
    barred: list[frozenset[WaypointId]] = []

    def push_far(robot: VirtualRobot) -> None:
        robot.push_aside(dx_m=there.x_m - robot.pose.x_m, dy_m=there.y_m - robot.pose.y_m)
        ward.scheduler.after(20.0, lambda: barred.append(barred_to_others(robot)))

    def barred_to_others(robot: VirtualRobot) -> frozenset[WaypointId]:
        monitor = ward.control._steering.monitor
        return monitor.barred(next(other for other in monitor.robots if ward.robots[other] is not robot)).waypoints

    held = HeldRobot(ward, befalls=push_far, mends=lambda robot: robot.push_aside(dx_m=0.0, dy_m=0.0))
    ward.run(limit_s=200.0)

    first, steering = held.seen[0], ward.control._steering
    assert first.report is not None
    assert first.report.pose is not None
    assert first.tip is not None
    model = ward.control.fleet.models[first.robot].id
    reached = steering.relation.occupied_by(model, first.report.pose)
    assert reached
    assert not reached & steering.relation.of_waypoint(model, first.tip), "it was pushed to where it holds nothing"
    assert first.held >= steering.relation.of_waypoint(model, first.tip)
    assert barred[0] >= {there.id, first.tip}


def test_people_of_the_virtual_ward_go_to_a_robot_that_is_held_and_resume_it() -> None:
    ward = a_ward()

    def stop_one() -> None:
        for picture in ward.control.picture().robots:
            if picture.report and picture.report.is_driving and picture.report.loads:
                robot = ward.robots[picture.id]
                robot.press_emergency_stop()
                ward.scheduler.after(400.0, robot.release_emergency_stop)
                return
        ward.scheduler.after(0.5, stop_one)

    ward.scheduler.after(1.0, stop_one)
    outcome = ward.run(limit_s=7200.0)

    assert outcome.is_finished
    assert {d.state for d in outcome.deliveries} == {DeliveryState.RECEIVED}


def test_a_robot_carried_to_a_waypoint_goes_on_from_there_and_its_old_place_is_free_again() -> None:
    ward = a_ward()
    fleet = ward.control.fleet
    there = fleet.graph_of(RobotId("robot-1")).waypoints[WaypointId("alder_1")]

    def carry(robot: VirtualRobot) -> None:
        robot.cut_power()
        robot.carry_to(BoardPose(there.level, there.x_m, there.y_m, 0.0))
        ward.scheduler.after(2.0, robot.switch_on)

    held = HeldRobot(ward, befalls=carry, mends=lambda _robot: None)
    seen: list[tuple[RobotRecord, RobotRecord]] = []

    def look() -> None:
        if held.robot and held.record.is_held_for(HoldKind.MOVED):
            before = held.record
            held.resume()
            seen.append((before, held.record))
        else:
            ward.scheduler.after(1.0, look)

    look()
    outcome = ward.run(limit_s=7200.0)

    before, after = seen[0]
    assert after.holds == ()
    relation, model = held.ward.control._steering.relation, held.ward.control.fleet.models[after.robot].id
    assert after.held >= relation.of_waypoint(model, there.id)
    assert before.tip is not None
    assert not after.held & relation.of_waypoint(model, before.tip)
    assert outcome.is_finished
    assert held.refusals == []
