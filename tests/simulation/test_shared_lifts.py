"""People who step into a robot's lift: nobody rides with them, they come first, and all goes on when they are out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestrator.application.fleet import FleetPolicy
from orchestrator.application.steps import remaining_base
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.policies import SharingLifts
from orchestrator.domain.site.device import LiftPicture
from orchestrator.domain.site.model import LiftId
from simulation.building import Machines
from simulation.ward import SimulatedWard
from tests.support.wards import a_demand, a_fleet, building_over_broker, demo_hospital

LIFT = LiftId("lift_1")
ROBOTS = 2
PATIENCE_S = 40.0
INTO_THE_CABIN = {"hall_e~lift_ground", "up_hall_e~lift_first"}


def a_ward(*, is_over_broker: bool = False, sharing: SharingLifts = SharingLifts.WAIT) -> SimulatedWard:
    site = demo_hospital()
    return SimulatedWard(
        a_fleet(site, robots=ROBOTS, policy=FleetPolicy(device_patience_s=PATIENCE_S, share_lift=sharing)),
        asked=a_demand(site, count=4, seed=4, robots=ROBOTS),
        seed=4,
        building_over_broker=building_over_broker(site) if is_over_broker else None,
    )


def people_step_in(machines: Machines, _at_s: float) -> None:
    machines.lifts[LIFT].step_in()


def people_step_out(machines: Machines, _at_s: float) -> None:
    machines.lifts[LIFT].step_out()


def cabin(ward: SimulatedWard) -> LiftPicture:
    return ward.control.picture().lifts[LIFT]


def inside(ward: SimulatedWard) -> list[RobotId]:
    """The robots whose body is in the cabin."""
    lift = ward.control.fleet.site.lifts[LIFT]
    poses = {robot: body.look() for robot, body in ward.robots.items()}
    return [r for r, pose in poses.items() if abs(pose.x_m - lift.x_m) < 0.3 and abs(pose.y_m - lift.y_m) < 0.3]


def told(ward: SimulatedWard) -> list[str]:
    return [str(e.data["sentence"]) for e in ward._log if e.kind == "alarm" and e.data["code"] == "device_unusable"]


def waits_for(ward: SimulatedWard, code: str) -> bool:
    return any(reason.code == code for p in ward.control.picture().robots for reason in p.record.waiting)


def base_lanes(ward: SimulatedWard) -> set[str]:
    return {lane for p in ward.control.picture().robots for lane in remaining_base(p.record)}


def has_boarded(ward: SimulatedWard) -> bool:
    """Whether a robot stands in the cabin where it got in, downstairs, granted the ride that has not begun."""
    records = [p.record for p in ward.control.picture().robots if p.id in inside(ward)]
    return cabin(ward).level == "ground" and any(r.granted[:1] == ("lift_ground~lift_first",) for r in records)


def waits_outside(ward: SimulatedWard) -> bool:
    """Whether the lift is held for a robot outside whose base does not lead in yet."""
    return cabin(ward).session is not None and not inside(ward) and not base_lanes(ward) & INTO_THE_CABIN


class Stay:
    """People who step in at the first moment that is as asked for and step out again later; what was seen meanwhile."""

    def __init__(self, ward: SimulatedWard, *, when: Callable[[], bool], for_s: float) -> None:
        self.ward, self._when, self._for_s = ward, when, for_s
        self.began_s: float | None = None
        self.levels: set[object] = set()
        self.new_lanes: set[str] = set()
        self.holders: list[str | None] = []
        self.inside_at: list[tuple[float, int]] = []
        self.is_waited_for = False
        self._base_before: set[str] = set()
        ward.control.observers.append(self._look)

    @property
    def is_going_on(self) -> bool:
        return self.began_s is not None and self.ward.clock.monotonic_s() < self.began_s + self._for_s

    def _look(self) -> None:
        now_s = self.ward.clock.monotonic_s()
        if self.began_s is None and self._when():
            self.began_s, self._base_before = now_s, base_lanes(self.ward)
            self.ward.befall(now_s, people_step_in)
            self.ward.befall(now_s + self._for_s, people_step_out)
        elif self.is_going_on and cabin(self.ward).is_occupied:
            self.levels.add(cabin(self.ward).level)
            session = cabin(self.ward).session
            self.holders.append(None if session is None else session.holder)
            self.new_lanes |= base_lanes(self.ward) - self._base_before
            self.inside_at.append((now_s, len(inside(self.ward))))
            self.is_waited_for |= waits_for(self.ward, "lift_occupied")


@pytest.mark.parametrize("is_over_broker", [False, True])
def test_case_31_a_robot_inside_is_taken_nowhere_while_people_are_in_the_cabin_and_goes_on_when_they_are_out(
    is_over_broker: bool,
) -> None:
    ward = a_ward(is_over_broker=is_over_broker)
    people = Stay(ward, when=lambda: has_boarded(ward), for_s=120.0)

    outcome = ward.run(limit_s=4000.0)

    assert people.is_waited_for
    assert people.levels == {"ground"}, "the lift took people and a robot somewhere"
    assert {count for _, count in people.inside_at} == {1}, "by default it waits inside"
    assert not people.new_lanes & {"lift_ground~lift_first"}
    assert any("People are in lift lift_1" in sentence and "For 40 s" in sentence for sentence in told(ward))
    assert b"robot_in_lift" not in outcome.log, "people who step out again are no emergency"
    assert outcome.is_finished


@pytest.mark.parametrize("is_over_broker", [False, True])
def test_case_31_where_the_place_says_never_a_robot_inside_drives_out_and_leaves_people_the_lift(
    is_over_broker: bool,
) -> None:
    ward = a_ward(is_over_broker=is_over_broker, sharing=SharingLifts.NEVER)
    people = Stay(ward, when=lambda: has_boarded(ward), for_s=120.0)

    outcome = ward.run(limit_s=4000.0)

    assert people.levels == {"ground"}
    assert people.inside_at[0][1] == 1
    assert {count for at_s, count in people.inside_at if at_s > people.inside_at[0][0] + 20.0} == {0}
    assert people.holders[-1] is None, "the lift is left to people"
    assert outcome.is_finished


@pytest.mark.parametrize("is_over_broker", [False, True])
@pytest.mark.parametrize("sharing", list(SharingLifts))
def test_case_31_a_robot_outside_gives_the_lift_back_and_its_base_does_not_lead_in_while_people_are_in_the_cabin(
    sharing: SharingLifts, is_over_broker: bool
) -> None:
    ward = a_ward(is_over_broker=is_over_broker, sharing=sharing)
    people = Stay(ward, when=lambda: waits_outside(ward), for_s=120.0)

    outcome = ward.run(limit_s=4000.0)

    assert people.is_waited_for
    assert not people.new_lanes & INTO_THE_CABIN
    assert {count for _, count in people.inside_at} == {0}
    assert people.holders[-1] is None, "the lift is left to people"
    assert told(ward)
    assert outcome.is_finished


def test_people_who_pass_through_are_told_to_nobody() -> None:
    ward = a_ward()
    people = Stay(ward, when=lambda: has_boarded(ward), for_s=PATIENCE_S / 2)

    assert ward.run(limit_s=4000.0).is_finished

    assert people.is_waited_for
    assert told(ward) == []


@pytest.mark.parametrize("is_over_broker", [False, True])
def test_case_31_an_orchestrator_that_starts_while_people_are_in_the_cabin_takes_nobody_anywhere_either(
    is_over_broker: bool,
) -> None:
    ward = a_ward(is_over_broker=is_over_broker)
    levels: set[object] = set()
    people = Stay(ward, when=lambda: has_boarded(ward), for_s=120.0)

    def watch() -> None:
        if people.is_going_on:
            levels.add(ward.machines.lifts[LIFT].level(ward.clock.monotonic_s()))
        ward.scheduler.after(0.5, watch)

    def kill_soon() -> None:
        if people.began_s is None:
            ward.scheduler.after(1.0, kill_soon)
        else:
            ward.scheduler.after(20.0, lambda: ward.kill_orchestrator(away_s=10.0))

    watch()
    kill_soon()

    outcome = ward.run(limit_s=4000.0)

    assert outcome.is_finished
    assert levels == {"ground"}
