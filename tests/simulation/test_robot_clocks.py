"""A robot whose clock is wrong works on; what it is off by is kept, told once, and moves no entry (case 40)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.application.resume_robot import resume_robot
from orchestrator.application.robot_acts import Asked
from orchestrator.application.views import RobotPicture
from orchestrator.domain.fleet.model import RobotId
from simulation.faults.messages import ClockOff
from simulation.faults.plan import PlannedFault
from simulation.faults.stage import FaultyWard
from tests.support.wards import a_demand, a_fleet, demo_hospital

ROBOT = RobotId("robot-1")


def a_ward(*faults: PlannedFault) -> FaultyWard:
    site = demo_hospital()
    return FaultyWard(a_fleet(site, robots=2), asked=a_demand(site, count=4, seed=4, robots=2), seed=4, plan=faults)


def kept(ward: FaultyWard, robot: RobotId) -> float | None:
    with ward.store.reading() as uow:
        return uow.robots.get(robot).clock_skew_s


def alarms(ward: FaultyWard) -> list[str]:
    return [str(e.data["sentence"]) for e in ward._log if e.kind == "alarm" and e.data["code"] == "robot_clock_wrong"]


@pytest.mark.parametrize("off_s", [-3600.0, 300.0])
def test_case_40_how_far_a_robots_clock_is_off_is_kept_and_told_once_and_nothing_is_ordered_by_it(off_s: float) -> None:
    ward = a_ward()
    ward.wires[ROBOT].faults.append(ClockOff(timedelta(seconds=off_s)))

    outcome = ward.run(limit_s=4000.0)

    assert outcome.is_finished
    assert kept(ward, ROBOT) == pytest.approx(off_s, abs=0.5)
    others = [kept(ward, robot) for robot in ward.fleet.robots if robot != ROBOT]
    assert others
    assert all(skew_s == pytest.approx(0.0, abs=0.5) for skew_s in others)
    (sentence,) = alarms(ward)
    assert f"{abs(off_s):.0f} s {'ahead of' if off_s > 0 else 'behind'} ours" in sentence
    moments = [event.at for event in ward._log]
    assert moments == sorted(moments)
    assert moments[-1] - moments[0] < timedelta(seconds=4000), "an event was dated by the robot's clock"


def test_a_clock_that_is_right_is_written_down_once_and_told_to_nobody() -> None:
    ward = a_ward()
    written: list[float | None] = []

    def look() -> None:
        skew_s = kept(ward, ROBOT)
        if not written or written[-1] != skew_s:
            written.append(skew_s)

    ward.control.observers.append(look)

    assert ward.run(limit_s=4000.0).is_finished

    assert written == [None, pytest.approx(0.0, abs=0.5)]
    assert alarms(ward) == []


def test_a_clock_that_was_put_right_is_known_to_be_right_and_one_that_goes_wrong_anew_is_told_anew() -> None:
    ward = a_ward()
    fault = ClockOff(timedelta(seconds=300.0))
    faults = ward.wires[ROBOT].faults
    for at_s, change in [(0.0, faults.append), (200.0, faults.remove), (500.0, faults.append)]:
        ward.scheduler.at(at_s, lambda change=change: change(fault))
    seen: dict[float, float | None] = {}
    for at_s in (190.0, 490.0):
        ward.scheduler.at(at_s, lambda at_s=at_s: seen.update({at_s: kept(ward, ROBOT)}))

    ward.run(limit_s=700.0)
    ward.scheduler.run(until=lambda: False, limit_s=700.0)

    assert seen == {190.0: pytest.approx(300.0, abs=0.5), 490.0: pytest.approx(0.0, abs=0.5)}
    assert len(alarms(ward)) == 2


def test_a_robot_that_starts_with_its_clock_long_ago_works_on_once_a_person_lets_it_count_and_no_capture_does() -> None:
    ward = a_ward()
    control, topic = ward.control, ward.robots[ROBOT].address.topic("state")
    captured: list[bytes] = []
    ward.listen(topic, lambda _topic, payload: captured.append(payload))
    seen: dict[str, object] = {}

    def picture() -> RobotPicture:
        return next(robot for robot in control.picture().robots if robot.id == ROBOT)

    def act() -> None:
        seen["lost"] = picture().is_lost
        off_s = picture().refused_clock_off_s
        said = Asked(ROBOT, "porter-1", "I stand at it; its clock started anew.", ward.clock.now())
        control.run(lambda uow: resume_robot(uow, control.fleet, said, ids=ward.ids, clock_off_s=off_s))

    def replay(when: str) -> None:
        before, report = control.refused[ROBOT], picture().report
        old = [*captured]
        for payload in old:
            control.receive(topic, payload)
        seen[when] = (control.refused[ROBOT] - before == len(old) > 50, picture().report == report)

    ward.scheduler.at(120.0, lambda: ward.wires[ROBOT].faults.append(ClockOff(-timedelta(days=800))))
    ward.scheduler.at(200.0, lambda: replay("while it is lost"))
    ward.scheduler.at(210.0, act)
    ward.scheduler.at(230.0, lambda: replay("once it is heard"))
    ward.scheduler.at(240.0, lambda: seen.update(heard=not picture().is_lost))
    ward.scheduler.at(250.0, control.start)
    ward.scheduler.at(250.0, lambda: replay("after a restart"))
    ward.scheduler.at(270.0, lambda: seen.update(restarted=not picture().is_lost and picture().report is not None))

    outcome = ward.run(limit_s=4000.0)

    assert outcome.is_finished
    assert seen == {
        "lost": True,
        "while it is lost": (True, True),
        "once it is heard": (True, True),
        "heard": True,
        "after a restart": (True, True),
        "restarted": True,
    }
    assert kept(ward, ROBOT) == pytest.approx(-800 * 86400.0, abs=1.0)
