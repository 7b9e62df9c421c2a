"""Forecasts of arrival: what counts, and how wide they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from orchestrator.domain.delivery.model import Delivery, DeliveryId, Priority, StopKind
from orchestrator.domain.dispatch.forecast import (
    ENOUGH,
    HELP_LATE_S,
    PRIOR,
    Outlook,
    RobotAhead,
    Slowness,
    StopAhead,
    forecast,
    slowness_of,
)
from orchestrator.domain.dispatch.policy import DispatchPolicy
from orchestrator.domain.fleet.model import ModelId, RobotId
from orchestrator.domain.site.model import StationId
from tests.support.candidates import MODEL, a_candidate
from tests.support.waiting_deliveries import HATCH, OTHER_WARD, WARD, a_delivery

SLOWNESS = Slowness(as_a_rule=1.0, at_worst=2.0)
POLICY = DispatchPolicy(stop_minutes=1.0, stop_late_minutes=3.0)
DRIVE_S = 100.0


def between(_robot: RobotId, start: StationId | None, end: StationId) -> float:
    return 0.0 if start == end else DRIVE_S


def expected(*waiting: Delivery, robots: list[RobotAhead], drive_s: object = between) -> Mapping[DeliveryId, Outlook]:
    return forecast(waiting, robots, drive_s=drive_s, slowness=SLOWNESS, policy=POLICY)  # pyright: ignore[reportArgumentType]


def stop(kind: StopKind, *deliveries: str, drive_s: float | None = DRIVE_S, stood_s: float | None = None) -> StopAhead:
    station = HATCH if kind is StopKind.LOAD else WARD
    return StopAhead(station, kind, tuple(DeliveryId(one) for one in deliveries), drive_s, stood_s)


def ahead(name: str = "r1", *stops: StopAhead, **more: object) -> RobotAhead:
    return RobotAhead(a_candidate(name), stops, **more)  # pyright: ignore[reportArgumentType]


def with_one_drawer(robot: RobotAhead) -> RobotAhead:
    return replace(robot, candidate=replace(robot.candidate, model=replace(MODEL, drawers=("A",))))


def test_a_robot_under_way_drives_and_stops_and_the_worst_is_the_sum_of_the_worst() -> None:
    found = expected(robots=[ahead("r1", stop(StopKind.LOAD, "d1"), stop(StopKind.HAND_OVER, "d1"))])
    # Drive, load for one minute (three at worst), drive.
    assert found[DeliveryId("d1")] == Outlook(100.0 + 60.0 + 100.0, 200.0 + 180.0 + 200.0)


def test_what_people_have_worked_already_counts_and_never_less_than_nothing() -> None:
    at_hatch = stop(StopKind.LOAD, "d1", drive_s=0.0, stood_s=100.0)
    found = expected(robots=[ahead("r1", at_hatch, stop(StopKind.HAND_OVER, "d1"))])
    assert found[DeliveryId("d1")] == Outlook(0.0 + 100.0, 80.0 + 200.0)


def test_what_waits_comes_with_the_robot_that_is_there_first() -> None:
    busy = ahead("r1", stop(StopKind.HAND_OVER, "d0"))
    found = expected(a_delivery("d1"), robots=[busy, ahead("r2")])
    assert found[DeliveryId("d1")] == Outlook(100.0 + 60.0 + 100.0, 200.0 + 180.0 + 200.0)


def test_the_queue_before_it_and_drawers_filled_count() -> None:
    first, along, later = a_delivery("d1"), a_delivery("d2", queued_min=1), a_delivery("d3", queued_min=2)
    shared = expected(first, along, later, robots=[ahead("r1")])
    assert shared[along.id] == shared[first.id]
    assert shared[later.id].expected_s > shared[first.id].expected_s + DRIVE_S, "the robot has two drawers"
    alone = expected(first, along, robots=[with_one_drawer(ahead("r1"))])
    # Received in a minute, back to the hatch, loaded in a minute, to the ward again.
    assert alone[along.id].expected_s == alone[first.id].expected_s + 60.0 + 100.0 + 60.0 + 100.0


def test_what_is_more_urgent_goes_first_and_a_stat_travels_alone() -> None:
    stat = a_delivery("d2", priority=Priority.STAT, queued_min=5)
    found = expected(a_delivery("d1"), stat, robots=[ahead("r1")])
    assert found[stat.id].expected_s < found[DeliveryId("d1")].expected_s


def test_robots_load_at_a_station_one_after_the_other() -> None:
    found = expected(
        robots=[
            ahead("r1", stop(StopKind.LOAD, "d1", drive_s=0.0, stood_s=0.0), stop(StopKind.HAND_OVER, "d1")),
            ahead("r2", stop(StopKind.LOAD, "d2", drive_s=10.0), stop(StopKind.HAND_OVER, "d2")),
        ]
    )
    # The second is there after 10 s, has the hatch after 60 s, and the ward is free of the first by then.
    assert found[DeliveryId("d2")].expected_s == 60.0 + 60.0 + 100.0
    assert found[DeliveryId("d2")].latest_s >= 180.0 + 180.0 + 200.0


@pytest.mark.parametrize("way", ["needs_person", "no_way"])
def test_nothing_is_expected_of_a_robot_that_needs_a_person_or_has_no_way(way: str) -> None:
    drive_s = None if way == "no_way" else DRIVE_S
    robot = ahead("r1", stop(StopKind.HAND_OVER, "d1", drive_s=drive_s), needs_person=way == "needs_person")
    found = expected(robots=[robot])[DeliveryId("d1")]
    assert not found.is_known
    assert found.latest_s >= HELP_LATE_S


def test_a_robot_that_needs_nobody_is_preferred_to_a_nearer_one_that_does() -> None:
    found = expected(a_delivery("d1"), robots=[ahead("r1", needs_person=True), ahead("r2", stop(StopKind.LOAD, "d0"))])
    assert found[DeliveryId("d1")].is_known


def test_a_robot_charges_first() -> None:
    found = expected(a_delivery("d1"), robots=[ahead("r1", charge_s=500.0)])
    assert found[DeliveryId("d1")].expected_s == 500.0 + 100.0 + 60.0 + 100.0


@pytest.mark.parametrize("why", ["not approved", "out of service", "no way to the ward"])
def test_what_no_robot_may_or_can_bring_has_no_forecast(why: str) -> None:
    delivery = a_delivery("d1", end=OTHER_WARD)
    robot = ahead("r1")
    if why == "not approved":
        delivery = replace(delivery, custody=replace(delivery.custody, models=(ModelId("another"),)))
    elif why == "out of service":
        robot = replace(robot, candidate=replace(robot.candidate, is_out_of_service=True))

    def drive_s(_robot: RobotId, _start: StationId | None, end: StationId) -> float | None:
        return None if why == "no way to the ward" and end == OTHER_WARD else DRIVE_S

    assert expected(delivery, robots=[robot], drive_s=drive_s) == {}


def test_a_few_past_drives_do_not_count_and_enough_do_instead_of_the_prior() -> None:
    ratios = [1.0 + number / 100.0 for number in range(ENOUGH)]
    assert slowness_of(ratios[1:]) == PRIOR
    assert slowness_of(ratios) == Slowness(pytest.approx(1.095), 1.18)  # pyright: ignore[reportArgumentType]
    assert slowness_of([*ratios, 40.0]).at_worst == 1.19, "one drive that got stuck is the one in twenty"
