"""Arrivals in a ward: what is expected comes, and what will be too late is called out for while there is time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from orchestrator.application.fleet import FleetPolicy
from orchestrator.application.hand_to_runner import hand_to_runner
from orchestrator.application.ports import Event
from orchestrator.domain.custody.people import believed
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState, Priority
from orchestrator.domain.dispatch.forecast import PRIOR, slowness_of
from orchestrator.domain.dispatch.policy import DispatchPolicy
from orchestrator.domain.site.device import LiftMode
from orchestrator.domain.site.model import LiftId
from simulation.ward import Asked, SimulatedWard
from tests.support.wards import a_demand, a_fleet, demo_hospital

LIFT = LiftId("lift_1")
S = DeliveryState
COUNT = 20


def a_ward(
    *asked: Asked, count: int = 4, robots: int = 2, policy: DispatchPolicy | None = None, seed: int = 4
) -> SimulatedWard:
    site = demo_hospital()
    fleet_policy = FleetPolicy(device_patience_s=40.0, dispatch=policy or DispatchPolicy())
    return SimulatedWard(
        a_fleet(site, robots=robots, policy=fleet_policy),
        asked=asked or a_demand(site, count=count, seed=seed, robots=robots),
        seed=seed,
    )


def upstairs(ward_start: datetime, *, due_s: float | None, is_critical: bool = True, at_s: float = 5.0) -> Asked:
    """One delivery from the ground floor to the first, by the only lift."""
    site = demo_hospital()
    for asked in a_demand(site, count=40, seed=4, robots=2):
        start, end = site.stations[asked.request.from_station], site.stations[asked.request.to_station]
        if (start.level, end.level) == ("ground", "first"):
            due_by = None if due_s is None else ward_start + timedelta(seconds=due_s)
            request = replace(asked.request, priority=Priority.ROUTINE, due_by=due_by, is_critical=is_critical)
            return Asked(at_s, request)
    raise AssertionError("no delivery leads upstairs")


def an_errand(*, at_s: float) -> Asked:
    """Something else to do on the ground floor."""
    site = demo_hospital()
    for asked in a_demand(site, count=40, seed=4, robots=2):
        start, end = site.stations[asked.request.from_station], site.stations[asked.request.to_station]
        if (start.level, end.level) == ("ground", "ground"):
            return replace(asked, at_s=at_s)
    raise AssertionError("no delivery stays on the ground floor")


def begun(ward: SimulatedWard) -> datetime:
    return ward.clock.moment(0.0)


def start_of_time() -> datetime:
    return begun(a_ward())


def events(ward: SimulatedWard, *kinds: str) -> list[Event]:
    return [event for event in ward._log if event.kind in kinds]


def the_delivery(ward: SimulatedWard) -> Delivery:
    with ward.store.reading() as uow:
        (only,) = uow.deliveries.page(after=None, limit=10, states=None)
    return only


def carry_when_asked(ward: SimulatedWard) -> list[datetime]:
    """Let a person take over whatever a runner is asked for, two minutes later."""
    taken: list[datetime] = []

    def carry(subject: str) -> None:
        with_robot = the_delivery(ward)
        assert with_robot.id == subject
        ward.control.run(
            lambda uow: hand_to_runner(
                uow,
                delivery=with_robot.id,
                reason="the lift is out of use",
                is_emptied=True,
                at=ward.clock.now(),
                present=believed("porter"),
                premises=ward.control.fleet.premises,
                ids=ward.ids,
            )
        )
        taken.append(ward.clock.now())

    def look() -> None:
        asked = events(ward, "runner_needed")
        if asked and not taken and not scheduled:
            scheduled.append(1)
            ward.scheduler.after(120.0, lambda: carry(asked[0].subject))

    scheduled: list[int] = []
    ward.control.observers.append(look)
    return taken


def test_what_is_expected_comes_and_nineteen_in_twenty_not_after_the_latest() -> None:
    # Every drive on its own, from the moment in which it begins, and in no rush.
    ward = a_ward(*a_demand(demo_hospital(), count=COUNT, seed=4, every_s=40.0), robots=3)
    said: dict[DeliveryId, tuple[datetime, datetime, datetime]] = {}

    def look() -> None:
        with ward.store.reading() as uow:
            for delivery in uow.deliveries.open():
                arrival = delivery.arrival
                if delivery.state is S.IN_TRANSIT and arrival.expected_at and arrival.expected_latest_at:
                    said.setdefault(delivery.id, (ward.clock.now(), arrival.expected_at, arrival.expected_latest_at))

    ward.control.observers.append(look)
    outcome = ward.run(limit_s=6000.0)

    assert outcome.is_finished
    came = {d.id: next(c.at for c in d.history if c.after is S.ARRIVED) for d in outcome.deliveries}
    assert len(said) == COUNT
    assert sum(came[one] > latest_at for one, (_, _, latest_at) in said.items()) <= COUNT / 20
    off = sorted((came[one] - at) / (expected_at - at) for one, (at, expected_at, _) in said.items())
    assert 0.75 < off[COUNT // 2] < 1.35, "as likely earlier as later, about"


def test_past_drives_are_kept_once_each_and_count_when_there_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.domain.dispatch.forecast.ENOUGH", 5)
    ward = a_ward(count=16, robots=3)
    ward.scheduler.at(300.0, lambda: ward.kill_orchestrator(away_s=5.0))
    assert ward.run(limit_s=4000.0).is_finished
    with ward.store.reading() as uow:
        drives = uow.drives.newest(100)
    assert len(drives) == len({drive.trip for drive in drives}) >= 5
    assert all(0.8 < drive.ratio < 6.0 for drive in drives)
    assert ward.control._arrivals._slowness == slowness_of([drive.ratio for drive in drives])
    assert ward.control._arrivals._slowness != PRIOR


def test_case_32_a_critical_delivery_that_will_be_late_is_given_to_a_runner_before_it_is() -> None:
    # Nothing drives upstairs; the place has runners, who need five minutes.
    due_s = 3600.0
    ward = a_ward(upstairs(start_of_time(), due_s=due_s))
    ward.befall(0.0, lambda machines, at_s: machines.lifts[LIFT].set_mode(LiftMode.OUT_OF_SERVICE, at_s))
    taken = carry_when_asked(ward)

    assert ward.run(limit_s=due_s).is_finished

    (asked,) = events(ward, "runner_needed")
    alarms = [event for event in events(ward, "alarm") if event.data["code"] == "runner_needed"]
    assert [alarm.subject for alarm in alarms] == [asked.subject]
    assert alarms[0].data["audience"] == ["pharmacy", "ward"]
    due_by = begun(ward) + timedelta(seconds=due_s)
    assert begun(ward) + timedelta(seconds=60.0) < asked.at < due_by - timedelta(minutes=5)
    assert taken[0] < due_by - timedelta(minutes=3)
    assert the_delivery(ward).state is S.HANDED_TO_RUNNER
    assert not events(ward, "nurse_in_charge_needed", "delivery_late")


def test_case_32_the_reason_stays_on_it_and_whoever_reads_sees_it_while_it_waits() -> None:
    # Asked for when the lift is known to be out of use, so that no robot is given it.
    ward = a_ward(upstairs(start_of_time(), due_s=1200.0, at_s=120.0), an_errand(at_s=600.0))
    ward.befall(0.0, lambda machines, at_s: machines.lifts[LIFT].set_mode(LiftMode.OUT_OF_SERVICE, at_s))
    ward.run(limit_s=900.0)
    with ward.store.reading() as uow:
        (waiting,) = uow.deliveries.open()
    codes = [reason.code for reason in waiting.waiting]
    assert (codes[0], codes.count("runner_needed")) == ("runner_needed", 1)
    assert "station_unreachable" in codes, "why no robot comes is told as well"
    assert (waiting.arrival.expected_at, waiting.arrival.expected_latest_at) == (None, None)


def test_case_32_nobody_takes_it_in_time_and_the_nurse_in_charge_is_told_once() -> None:
    due_s = 1500.0
    ward = a_ward(upstairs(start_of_time(), due_s=due_s))
    ward.befall(0.0, lambda machines, at_s: machines.lifts[LIFT].set_mode(LiftMode.OUT_OF_SERVICE, at_s))
    ward.run(limit_s=2.0 * due_s)
    (escalated,) = events(ward, "nurse_in_charge_needed")
    last_moment = begun(ward) + timedelta(seconds=due_s) - timedelta(minutes=5)
    assert last_moment <= escalated.at <= last_moment + timedelta(seconds=30)
    assert len(events(ward, "runner_needed")) == 1


def test_case_32_where_nobody_runs_the_nurse_in_charge_is_told_at_once() -> None:
    ward = a_ward(upstairs(start_of_time(), due_s=1200.0), policy=DispatchPolicy(has_runners=False))
    ward.befall(0.0, lambda machines, at_s: machines.lifts[LIFT].set_mode(LiftMode.OUT_OF_SERVICE, at_s))
    ward.run(limit_s=400.0)
    assert len(events(ward, "nurse_in_charge_needed")) == 1
    assert not events(ward, "runner_needed")


def test_case_32_what_is_not_critical_is_only_told_late_and_once() -> None:
    ward = a_ward(upstairs(start_of_time(), due_s=300.0, is_critical=False))
    ward.befall(0.0, lambda machines, at_s: machines.lifts[LIFT].set_mode(LiftMode.OUT_OF_SERVICE, at_s))
    ward.run(limit_s=1500.0)
    assert len(events(ward, "delivery_late")) == 1
    assert not events(ward, "runner_needed", "nurse_in_charge_needed", "eta_changed")


@pytest.mark.parametrize("priority", [Priority.STAT, Priority.URGENT])
def test_case_32_a_stat_counts_as_critical_and_nothing_less(priority: Priority) -> None:
    asked = upstairs(start_of_time(), due_s=1200.0, is_critical=False)
    ward = a_ward(replace(asked, request=replace(asked.request, priority=priority)))
    ward.befall(0.0, lambda machines, at_s: machines.lifts[LIFT].set_mode(LiftMode.OUT_OF_SERVICE, at_s))
    ward.run(limit_s=700.0)
    assert len(events(ward, "runner_needed")) == (1 if priority is Priority.STAT else 0)


def test_case_32_nobody_is_called_for_what_comes_in_time() -> None:
    ward = a_ward(upstairs(start_of_time(), due_s=7200.0))
    assert ward.run(limit_s=3000.0).is_finished
    assert the_delivery(ward).state is S.RECEIVED
    assert not events(ward, "runner_needed", "nurse_in_charge_needed", "delivery_late")


def test_case_32_an_orchestrator_that_comes_back_does_not_call_again() -> None:
    ward = a_ward(upstairs(start_of_time(), due_s=1200.0))
    ward.befall(0.0, lambda machines, at_s: machines.lifts[LIFT].set_mode(LiftMode.OUT_OF_SERVICE, at_s))
    ward.scheduler.at(300.0, lambda: ward.kill_orchestrator(away_s=5.0))
    ward.run(limit_s=700.0)
    assert [event.at < ward.clock.moment(300.0) for event in events(ward, "runner_needed")] == [True]


def test_case_30_a_lift_that_goes_out_of_use_under_way_changes_the_arrival_and_a_runner_takes_what_is_critical() -> (
    None
):
    due_s = 2400.0
    ward = a_ward(upstairs(start_of_time(), due_s=due_s))
    is_out: list[float] = []

    def look() -> None:
        if not is_out and the_open_state(ward) is S.IN_TRANSIT:
            is_out.append(ward.clock.monotonic_s())
            ward.befall(is_out[0], lambda machines, at_s: machines.lifts[LIFT].set_mode(LiftMode.OUT_OF_SERVICE, at_s))

    ward.control.observers.append(look)
    taken = carry_when_asked(ward)

    assert ward.run(limit_s=due_s).is_finished

    out_at = ward.clock.moment(is_out[0])
    changes = [event for event in events(ward, "eta_changed") if event.at > out_at]
    assert [change.data["expected_at"] for change in changes] == [None]
    (asked,) = events(ward, "runner_needed")
    assert out_at < asked.at < begun(ward) + timedelta(seconds=due_s) - timedelta(minutes=5)
    assert the_delivery(ward).state is S.HANDED_TO_RUNNER
    assert taken
    cabin = ward.control.fleet.site.lifts[LIFT]
    for robot in ward.control.picture().robots:
        pose = robot.report.pose if robot.report else None
        assert pose is not None
        assert pose.level == "ground" or abs(pose.x_m - cabin.x_m) + abs(pose.y_m - cabin.y_m) > 0.6


def the_open_state(ward: SimulatedWard) -> DeliveryState | None:
    with ward.store.reading() as uow:
        opened = uow.deliveries.open()
    return opened[0].state if opened else None
