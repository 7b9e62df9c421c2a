"""Lanes that people close, in a virtual ward: nobody is sent over them, and what waits for them goes on afterwards."""

from __future__ import annotations

import json
from datetime import timedelta

from orchestrator.application.lane_closures import LaneAct, close_lane, open_lane
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.delivery.request import DeliveryRequest, LineRequest
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.model import LaneId, StationId
from simulation.ward import Asked, Outcome, SimulatedWard
from tests.support.wards import a_cast, a_fleet, demo_hospital

SITE = demo_hospital()
TO_THE_BED, FROM_THE_BED = LaneId("alder_2~alder_bed_1"), LaneId("alder_bed_1~alder_2")
BED = StationId("ward_alder_bed_1")


class Releases:
    """When each lane was first released to a robot, in seconds of virtual time."""

    def __init__(self, ward: SimulatedWard) -> None:
        self.first_s: dict[str, float] = {}
        self._ward = ward
        for robot in ward.robots.values():
            ward.listen(robot.address.topic("order"), self._hear)

    def _hear(self, _topic: str, payload: bytes) -> None:
        for edge in json.loads(payload)["edges"]:
            if edge["released"]:
                self.first_s.setdefault(edge["edgeId"], self._ward.clock.monotonic_s())


def a_ward() -> tuple[SimulatedWard, Releases]:
    """One robot that is asked to carry something to a bed."""
    line = LineRequest(medicine="Paracetamol 500 mg tablets", quantity=28, unit="tablet")
    request = DeliveryRequest(a_cast(SITE, robots=1).hatches[0], BED, (line,))
    ward = SimulatedWard(a_fleet(SITE, robots=1), asked=[Asked(at_s=5.0, request=request)], seed=2)
    return ward, Releases(ward)


def asked(ward: SimulatedWard) -> LaneAct:
    return LaneAct(TO_THE_BED, both_directions=True, by="porter-1", reason="wet floor", at=ward.clock.now())


def close(ward: SimulatedWard, *, for_s: float | None = None) -> None:
    until = None if for_s is None else ward.clock.now() + timedelta(seconds=for_s)
    fleet, act = ward.control.fleet, asked(ward)
    ward.control.run(lambda uow: close_lane(uow, fleet, act, until=until, even_if_cut_off=True))
    ward._plan_tick()


def open_again(ward: SimulatedWard) -> None:
    fleet, act = ward.control.fleet, asked(ward)
    ward.control.run(lambda uow: open_lane(uow, fleet, act))
    ward._plan_tick()


def assert_received(outcome: Outcome) -> None:
    assert outcome.is_finished
    assert [delivery.state for delivery in outcome.deliveries] == [DeliveryState.RECEIVED]


def test_nobody_is_sent_over_a_closed_lane_and_who_waits_for_it_goes_on_when_it_is_opened() -> None:
    ward, releases = a_ward()
    seen: list[list[str]] = []

    def look() -> None:
        with ward.store.reading() as uow:
            seen.extend([reason.code for reason in delivery.waiting] for delivery in uow.deliveries.open())

    ward.scheduler.at(2.0, lambda: close(ward))
    ward.scheduler.at(599.0, look)
    ward.scheduler.at(600.0, lambda: open_again(ward))

    assert_received(ward.run(limit_s=3000.0))

    assert releases.first_s[TO_THE_BED] >= 600.0
    assert seen == [["station_unreachable"]]


def test_a_lane_closed_for_a_time_opens_by_itself() -> None:
    ward, releases = a_ward()
    ward.scheduler.at(2.0, lambda: close(ward, for_s=500.0))

    assert_received(ward.run(limit_s=3000.0))

    assert releases.first_s[TO_THE_BED] >= 502.0
    opened = [event for event in ward._log if event.kind == "lane_opened"]
    assert {event.subject for event in opened} == {TO_THE_BED, FROM_THE_BED}
    assert {event.data["by"] for event in opened} == {"schedule"}


def test_a_closure_outlives_the_orchestrator_that_heard_of_it() -> None:
    ward, releases = a_ward()
    ward.scheduler.at(2.0, lambda: close(ward))
    ward.scheduler.at(10.0, lambda: ward.kill_orchestrator(away_s=3.0))
    ward.scheduler.at(600.0, lambda: open_again(ward))

    assert_received(ward.run(limit_s=3000.0))

    assert releases.first_s[TO_THE_BED] >= 600.0


def test_a_lane_that_is_closed_before_a_robot_on_its_way_is_not_released_to_it_any_more() -> None:
    ward, releases = a_ward()
    moments: list[float] = []

    def close_before_it_is_released() -> None:
        record = next(p.record for p in ward.control.picture().robots if p.id == RobotId("robot-1"))
        if TO_THE_BED in record.route and TO_THE_BED not in releases.first_s:
            close(ward)
            moments.append(ward.clock.monotonic_s())
            ward.scheduler.after(300.0, lambda: open_again(ward))
        else:
            ward.scheduler.after(0.5, close_before_it_is_released)

    ward.scheduler.at(20.0, close_before_it_is_released)
    assert_received(ward.run(limit_s=3000.0))

    assert releases.first_s[TO_THE_BED] >= moments[0] + 300.0


def test_a_robot_on_a_lane_that_is_closed_ends_its_released_way() -> None:
    ward, releases = a_ward()

    def close_when_it_is_released() -> None:
        if TO_THE_BED in releases.first_s:
            close(ward)
            ward.scheduler.after(300.0, lambda: open_again(ward))
        else:
            ward.scheduler.after(0.2, close_when_it_is_released)

    ward.scheduler.at(20.0, close_when_it_is_released)
    outcome = ward.run(limit_s=250.0)

    assert_received(outcome)
