"""Lifts and doors that fail: who waits is told why, who is inside is told of, and all go on once it is right."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from orchestrator.application.device_watch import LIFT_PATIENCES
from orchestrator.application.fleet import FleetPolicy
from orchestrator.application.steps import remaining_base
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.device import DoorPosition, LiftMode
from orchestrator.domain.site.model import DoorId, LevelId, LiftId
from simulation.building import DeviceTimes, Machines
from simulation.ward import SimulatedWard
from tests.support.alarms import AlarmBell
from tests.support.wards import a_demand, a_fleet, building_over_broker, demo_hospital

LIFT = LiftId("lift_1")
ROBOTS = 2
PATIENCE_S = 40.0


def a_ward(*, is_over_broker: bool = False, count: int = 4) -> SimulatedWard:
    site = demo_hospital()
    return SimulatedWard(
        a_fleet(site, robots=ROBOTS, policy=FleetPolicy(device_patience_s=PATIENCE_S)),
        asked=a_demand(site, count=count, seed=4, robots=ROBOTS),
        seed=4,
        building_over_broker=building_over_broker(site) if is_over_broker else None,
    )


def to_mode(mode: LiftMode) -> Callable[[Machines, float], None]:
    return lambda machines, at_s: machines.lifts[LIFT].set_mode(mode, at_s)


def inside(ward: SimulatedWard) -> list[RobotId]:
    """The robots that stand in the cabin by their own report."""
    lift = ward.control.fleet.site.lifts[LIFT]
    poses = {p.id: p.report.pose for p in ward.control.picture().robots if p.report is not None}
    return [
        robot
        for robot, pose in poses.items()
        if pose is not None and abs(pose.x_m - lift.x_m) < 0.3 and abs(pose.y_m - lift.y_m) < 0.3
    ]


def waiting_codes(ward: SimulatedWard) -> set[str]:
    return {reason.code for p in ward.control.picture().robots for reason in p.record.waiting}


def when(ward: SimulatedWard, is_so: Callable[[], bool], act: Callable[[Machines, float], None]) -> list[float]:
    """Let something befall the machines in the first moment in which ``is_so``; returns where that moment is noted."""
    moments: list[float] = []

    def look() -> None:
        if not moments and is_so():
            moments.append(ward.clock.monotonic_s())
            ward.befall(moments[0], act)

    ward.control.observers.append(look)
    return moments


@pytest.mark.parametrize("is_over_broker", [False, True])
@pytest.mark.parametrize(
    ("mode", "code"), [(LiftMode.OUT_OF_SERVICE, "lift_out_of_service"), (LiftMode.PEOPLE, "lift_people")]
)
def test_robots_wait_for_a_lift_that_is_not_for_them_people_are_told_and_then_they_ride(
    mode: LiftMode, code: str, is_over_broker: bool
) -> None:
    ward = a_ward(is_over_broker=is_over_broker)
    ward.befall(0.0, to_mode(mode))
    ward.befall(400.0, to_mode(LiftMode.NORMAL))
    entered: list[float] = []
    ward.control.observers.append(lambda: entered.append(ward.clock.monotonic_s()) if inside(ward) else None)
    seen: set[str] = set()
    ward.control.observers.append(lambda: seen.update(waiting_codes(ward)))

    outcome = ward.run(limit_s=3000.0)

    assert outcome.is_finished
    assert code in seen
    assert b"device_unusable" in outcome.log
    assert min(entered) > 400.0, "somebody drove into a lift that was not for robots"


@pytest.mark.parametrize("is_over_broker", [False, True])
def test_a_robot_in_a_lift_that_is_stuck_is_told_of_with_its_load_and_goes_out_once_it_moves_again(
    is_over_broker: bool,
) -> None:
    ward = a_ward(is_over_broker=is_over_broker)
    is_between = lambda: bool(inside(ward)) and ward.control.picture().lifts[LIFT].level is None  # noqa: E731
    stuck_at = when(ward, is_between, to_mode(LiftMode.STUCK))

    assert not ward.run(limit_s=600.0).is_finished
    assert len(inside(ward)) == 1
    (robot,) = inside(ward)
    alarms = [e for e in ward._log if e.kind == "alarm" and e.data["code"] == "robot_in_lift"]
    assert [alarm.subject for alarm in alarms] == [robot]
    assert f"Robot {robot}" in str(alarms[0].data["sentence"])
    assert "carries delivery delivery-" in str(alarms[0].data["sentence"])
    assert alarms[0].at <= ward.clock.moment(stuck_at[0] + 5.0)
    assert "lift_stuck" in waiting_codes(ward)

    ward.befall(600.0, to_mode(LiftMode.NORMAL))
    assert ward.scheduler.run(until=lambda: ward._open == 0, limit_s=3000.0)


@pytest.mark.parametrize(("mode", "after_s"), [(LiftMode.OUT_OF_SERVICE, PATIENCE_S), (LiftMode.FIRE, 0.0)])
def test_routes_avoid_a_lift_once_it_has_been_of_no_use_for_the_limit_and_in_a_fire_at_once_but_never_the_way_out_30(
    mode: LiftMode, after_s: float
) -> None:
    ward = a_ward()
    ward.befall(10.0, to_mode(mode))
    closed_at: list[float] = []

    def look() -> None:
        if ward.control._steering._closed.lanes and not closed_at:
            closed_at.append(ward.clock.monotonic_s())

    ward.control.observers.append(look)
    ward.run(limit_s=120.0)

    assert 10.0 + after_s <= closed_at[0] <= 10.0 + after_s + 6.0
    assert ward.control._steering._closed.lanes == {
        "hall_e~lift_ground",
        "up_hall_e~lift_first",
        "lift_ground~lift_first",
    }


def test_in_fire_mode_nobody_rides_and_a_robot_that_the_cabin_has_brought_home_gets_out() -> None:
    ward = a_ward()

    def rides_down() -> bool:
        held = ward.control.picture().lifts[LIFT].session
        is_up = any(
            p.report and p.report.pose and p.report.pose.level == "first" for p in ward.control.picture().robots
        )
        return is_up and bool(inside(ward)) and held is not None and held.purpose == "at ground"

    fire_at = when(ward, rides_down, to_mode(LiftMode.FIRE))
    ward.run(limit_s=3000.0)
    assert ward.scheduler.run(until=lambda: bool(fire_at), limit_s=6000.0)

    assert ward.scheduler.run(until=lambda: not inside(ward), limit_s=ward.clock.monotonic_s() + 120.0)
    assert ward.control.picture().lifts[LIFT].mode is LiftMode.FIRE
    assert ward.control.picture().lifts[LIFT].session is None


def boards(ward: SimulatedWard) -> bool:
    """Whether a robot is on the lane into the cabin, downstairs."""
    return any(remaining_base(p.record) == ("hall_e~lift_ground",) for p in ward.control.picture().robots)


def has_boarded(ward: SimulatedWard) -> bool:
    """Whether a robot stands in the cabin where it got in, downstairs, granted the ride that has not begun."""
    records = [p.record for p in ward.control.picture().robots if p.id in inside(ward)]
    is_downstairs = ward.control.picture().lifts[LIFT].level == "ground"
    return is_downstairs and any(record.granted[:1] == ("lift_ground~lift_first",) for record in records)


@pytest.mark.parametrize("is_over_broker", [False, True])
@pytest.mark.parametrize(
    ("mode", "moment"), [(LiftMode.OUT_OF_SERVICE, boards), (LiftMode.FIRE, boards), (LiftMode.FIRE, has_boarded)]
)
def test_a_robot_that_has_boarded_a_lift_which_is_taken_from_it_gets_out_where_it_got_in(
    mode: LiftMode, moment: Callable[[SimulatedWard], bool], is_over_broker: bool
) -> None:
    ward = a_ward(is_over_broker=is_over_broker)
    taken_at = when(ward, lambda: moment(ward), to_mode(mode))
    entered_at: list[float] = []
    emptied_at: list[float] = []
    mended: list[tuple[LiftMode, object]] = []

    def look() -> None:
        now_s, lift = ward.clock.monotonic_s(), ward.control.picture().lifts[LIFT]
        if taken_at and inside(ward):
            entered_at.append(now_s)
        elif entered_at:
            emptied_at.append(now_s)
        if taken_at and now_s > taken_at[0] + 60.0 and not mended:
            mended.append((lift.mode, lift.session))
            ward.befall(now_s, to_mode(LiftMode.NORMAL))

    ward.control.observers.append(look)

    outcome = ward.run(limit_s=4000.0)

    assert emptied_at[0] - entered_at[0] < 15.0
    assert not [at_s for at_s in entered_at if emptied_at[0] < at_s <= taken_at[0] + 60.0]
    assert mended == [(mode, None)], "while it was out of order nobody held it"
    assert b"robot_in_lift" in outcome.log
    assert outcome.is_finished


def recalled_to_the_first_floor(machines: Machines, at_s: float) -> None:
    machines.lifts[LIFT]._recall = LevelId("first")
    machines.lifts[LIFT].set_mode(LiftMode.FIRE, at_s)


@pytest.mark.parametrize("sounds", [False, True])
def test_a_robot_that_a_lift_on_fire_duty_has_taken_to_a_floor_without_a_way_home_gets_out_all_the_same(
    sounds: bool,
) -> None:
    ward = a_ward()
    bell = AlarmBell(ward)

    def sound() -> None:
        bell.sound("alder")

    def recall(machines: Machines, at_s: float) -> None:
        recalled_to_the_first_floor(machines, at_s)
        if sounds:
            ward.scheduler.after(0.1, sound)

    recalled_at = when(ward, lambda: has_boarded(ward), recall)
    ward.run(limit_s=600.0)

    assert recalled_at, "the moment came"
    assert ward.control.picture().lifts[LIFT].level == "first"
    assert inside(ward) == [], "nobody stays in the firefighters' lift"
    assert bell.offences == []


@pytest.mark.parametrize(
    ("times", "device", "after_s"),
    [
        (DeviceTimes(door_s=math.inf), "corridor_door", PATIENCE_S),
        (DeviceTimes(lift_door_s=math.inf), LIFT, LIFT_PATIENCES * PATIENCE_S),
    ],
)
def test_people_are_told_once_of_a_device_that_answers_and_never_opens_for_a_robot(
    times: DeviceTimes, device: str, after_s: float
) -> None:
    site = demo_hospital()
    fleet = a_fleet(site, robots=1, policy=FleetPolicy(device_patience_s=PATIENCE_S))
    ward = SimulatedWard(fleet, asked=a_demand(site, count=4, seed=4, robots=1), seed=4, device_times=times)
    waits_from: list[float] = []

    def look() -> None:
        if not waits_from and waiting_codes(ward) & {"door_closed", "lift_not_here"}:
            waits_from.append(ward.clock.monotonic_s())

    ward.control.observers.append(look)
    assert not ward.run(limit_s=900.0).is_finished

    (told,) = [event for event in ward._log if event.kind == "alarm" and event.data["code"] == "device_not_open"]
    assert told.subject == device
    assert "robot-1 waiting" in str(told.data["sentence"])
    assert told.at >= ward.clock.moment(waits_from[0] + after_s)


@pytest.mark.parametrize("is_over_broker", [False, True])
@pytest.mark.parametrize("code", ["door_obstructed", "door_offline"])
def test_robots_stand_before_a_door_that_is_obstructed_or_silent_and_go_on_when_it_is_not(
    code: str, is_over_broker: bool
) -> None:
    ward = a_ward(is_over_broker=is_over_broker)
    doors = [DoorId(door) for door in ward.machines.doors]

    def fail(machines: Machines, at_s: float) -> None:
        for door in doors:
            if code == "door_obstructed":
                machines.doors[door].obstruct(at_s)
            else:
                machines.offline.add(door)

    def mend(machines: Machines, at_s: float) -> None:
        machines.offline.clear()
        for door in doors:
            machines.doors[door].clear(at_s)

    ward.befall(0.0, fail)
    ward.befall(400.0, mend)
    seen: set[str] = set()
    ward.control.observers.append(lambda: seen.update(waiting_codes(ward)))

    outcome = ward.run(limit_s=3000.0)

    assert outcome.is_finished
    assert code in seen
    assert b"device_unusable" in outcome.log
    assert all(p.position is not DoorPosition.OFFLINE for p in ward.control.picture().doors.values())
