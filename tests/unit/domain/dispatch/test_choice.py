from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.delivery.lifecycle import moved
from orchestrator.domain.delivery.model import (
    Delivery,
    DeliveryId,
    DeliveryState,
    Line,
    LineId,
    Priority,
)
from orchestrator.domain.dispatch.choice import DispatchPlan, PlannedLoad, PlannedTrip, plan_trips
from orchestrator.domain.dispatch.comparators import by_urgency
from orchestrator.domain.dispatch.filters import Candidate
from orchestrator.domain.dispatch.withdrawn import ROBOT_WITHDRAWN, resting_from
from orchestrator.domain.fleet.model import (
    OperatingMode,
    RobotFault,
    RobotId,
)
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import StationId
from tests.support.candidates import a_candidate
from tests.support.waiting_deliveries import HATCH, NOON, OTHER_WARD, WARD, a_delivery


def planned(
    deliveries: list[Delivery],
    candidates: list[Candidate],
    *,
    far: dict[str, float] | None = None,
    unreachable: tuple[str, ...] = (),
    busy: tuple[StationId, ...] = (),
    withdrawn: dict[str, set[str]] | None = None,
) -> DispatchPlan:
    def distance(robot: RobotId, _: StationId) -> float | None:
        return None if robot in unreachable else (far or {}).get(robot, 10.0)

    keeps_off = {DeliveryId(d): frozenset(RobotId(r) for r in robots) for d, robots in (withdrawn or {}).items()}
    return plan_trips(deliveries, candidates, distance=distance, busy_stations=busy, at=NOON, withdrawn=keeps_off)


def codes(plan: DispatchPlan, delivery: str = "d1") -> list[str]:
    return [reason.code for reason in plan.reasons.get(DeliveryId(delivery), ())]


def test_urgency_goes_by_priority_then_due_time_then_time_queued_then_id() -> None:
    stat = a_delivery("z", priority=Priority.STAT, queued_min=9)
    due_soon, due_late = a_delivery("y", due_min=30, queued_min=8), a_delivery("x", due_min=60)
    queued_first, queued_later = a_delivery("w"), a_delivery("v", queued_min=1)
    twin = a_delivery("w2")

    in_order = sorted([queued_later, twin, queued_first, due_late, due_soon, stat], key=by_urgency)

    assert in_order == [stat, due_soon, due_late, queued_first, twin, queued_later]


def test_the_nearest_suitable_robot_gets_the_most_urgent_delivery() -> None:
    deliveries = [a_delivery("late", start=StationId("hatch-2")), a_delivery("soon", due_min=10)]

    plan = planned(deliveries, [a_candidate("r1"), a_candidate("r2")], far={"r1": 9.0, "r2": 5.0})

    assert [(trip.robot, trip.loads) for trip in plan.trips] == [
        ("r2", (PlannedLoad(DeliveryId("soon"), "A"),)),
        ("r1", (PlannedLoad(DeliveryId("late"), "A"),)),
    ]
    assert plan.reasons == {}


def test_robots_equally_near_are_taken_by_id() -> None:
    assert planned([a_delivery()], [a_candidate("r2"), a_candidate("r1")]).trips[0].robot == "r1"


def test_free_drawers_are_filled_with_what_goes_the_same_way_most_urgent_first() -> None:
    deliveries = [
        a_delivery("third", queued_min=3),
        a_delivery("elsewhere", end=OTHER_WARD, queued_min=1),
        a_delivery("second", queued_min=2),
        a_delivery("first", priority=Priority.URGENT, queued_min=4),
    ]

    plan = planned(deliveries, [a_candidate()])

    loads = (PlannedLoad(DeliveryId("first"), "A"), PlannedLoad(DeliveryId("second"), "B"))
    assert plan.trips == (PlannedTrip(RobotId("r1"), HATCH, WARD, loads),)
    assert set(plan.reasons) == {"third", "elsewhere"}


def test_occupied_drawers_are_not_filled() -> None:
    candidate = replace(a_candidate(), occupied_drawers=frozenset({"A"}))

    plan = planned([a_delivery("d1"), a_delivery("d2")], [candidate])

    assert plan.trips[0].loads == (PlannedLoad(DeliveryId("d1"), "B"),)


def test_a_stat_travels_alone() -> None:
    deliveries = [a_delivery("routine"), a_delivery("stat", priority=Priority.STAT, queued_min=5)]

    plan = planned(deliveries, [a_candidate()])

    assert plan.trips[0].loads == (PlannedLoad(DeliveryId("stat"), "A"),)
    assert codes(plan, "routine") == ["station_busy"]


def test_another_stat_the_same_way_rides_along() -> None:
    deliveries = [a_delivery(name, priority=Priority.STAT) for name in ("s1", "s2")]
    deliveries.append(a_delivery("s3", priority=Priority.STAT, end=OTHER_WARD))

    plan = planned(deliveries, [a_candidate()])

    assert [load.delivery for load in plan.trips[0].loads] == ["s1", "s2"]


def test_one_trip_at_most_starts_from_a_station() -> None:
    plan = planned([a_delivery("d1"), a_delivery("d2", end=OTHER_WARD)], [a_candidate("r1"), a_candidate("r2")])

    assert len(plan.trips) == 1
    assert codes(plan, "d2") == ["station_busy"]
    assert "hatch" in plan.reasons[DeliveryId("d2")][0].sentence


def test_a_stat_gets_a_robot_even_while_another_is_at_its_station() -> None:
    deliveries = [a_delivery("s1", priority=Priority.STAT), a_delivery("d1")]

    plan = planned(deliveries, [a_candidate("r1"), a_candidate("r2")], busy=(HATCH,))

    assert [[load.delivery for load in trip.loads] for trip in plan.trips] == [["s1"]]
    assert codes(plan, "d1") == ["station_busy"]


def test_nothing_starts_from_a_busy_station() -> None:
    plan = planned([a_delivery()], [a_candidate()], busy=(HATCH,))

    assert plan.trips == ()
    assert codes(plan) == ["station_busy"]


@pytest.mark.parametrize(
    ("candidate", "code"),
    [
        (replace(a_candidate(), is_fenced_off=True), "robot_fenced_off"),
        (replace(a_candidate(), report=None), "robot_not_reported"),
        (replace(a_candidate(), is_lost=True), "robot_lost"),
        (replace(a_candidate(), is_on_trip=True), "robot_busy"),
        (replace(a_candidate(), occupied_drawers=frozenset({"A", "B"})), "no_free_drawer"),
        (replace(a_candidate(), left_in=("B",)), "drawer_not_empty"),
        (replace(a_candidate(), not_ours=("cart-7",)), "load_not_ours"),
        (a_candidate(is_emergency_stopped=True), "emergency_stop"),
        (a_candidate(has_field_violation=True), "emergency_stop"),
        (a_candidate(faults=(RobotFault("motor", is_fatal=True),)), "robot_at_fault"),
        (a_candidate(mode=OperatingMode.MANUAL), "wrong_mode"),
        (replace(a_candidate(), not_ready=Reason("robot_paused_itself", "r1 is paused.")), "robot_paused_itself"),
        (a_candidate(battery=0.19), "battery_below_reserve"),
        (a_candidate(battery=0.3, is_charging=True), "battery_below_reserve"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_unsuitable_robot_gets_nothing_and_says_why(candidate: Candidate, code: str) -> None:
    plan = planned([a_delivery()], [candidate])

    assert plan.trips == ()
    assert codes(plan) == [code]
    assert "r1" in plan.reasons[DeliveryId("d1")][0].sentence


def test_of_many_loads_that_nobody_gave_a_robot_some_are_named_short_and_readable() -> None:
    plan = planned([a_delivery()], [replace(a_candidate(), not_ours=("\x1b[2J", "x" * 200, "b", "c", "d"))])

    sentence = plan.reasons[DeliveryId("d1")][0].sentence
    assert sentence.isprintable()
    assert "'b' and 2 more" in sentence
    assert "x" * 61 not in sentence


@pytest.mark.parametrize(
    "candidate",
    [
        a_candidate(battery=0.2),
        a_candidate(battery=0.5, is_charging=True),
        a_candidate(mode=OperatingMode.SEMIAUTOMATIC),
    ],
    ids=["at the reserve", "charged enough", "semi-automatic"],
)
def test_a_robot_at_the_edge_of_a_filter_passes(candidate: Candidate) -> None:
    assert len(planned([a_delivery()], [candidate]).trips) == 1


def test_a_robot_without_a_way_gets_nothing_and_says_where_to() -> None:
    plan = planned([a_delivery()], [a_candidate("r1"), a_candidate("r2")], unreachable=("r1", "r2"))

    assert codes(plan) == ["station_unreachable", "station_unreachable"]
    assert "hatch" in plan.reasons[DeliveryId("d1")][0].sentence


def test_without_robots_a_delivery_says_so() -> None:
    assert codes(planned([a_delivery()], [])) == ["no_robot"]


def test_a_delivery_that_lost_the_robot_to_a_more_urgent_one_says_so() -> None:
    deliveries = [a_delivery("d1", start=StationId("hatch-2")), a_delivery("d2", priority=Priority.STAT)]

    plan = planned(deliveries, [a_candidate()])

    assert codes(plan, "d1") == ["robot_busy"]


def test_a_robot_that_is_low_goes_to_charge_and_an_idle_one_goes_to_park() -> None:
    low = replace(a_candidate("low", battery=0.1), is_going_home=False)
    idle = replace(a_candidate("idle"), is_going_home=False)
    at_home, lost = a_candidate("at-home"), replace(a_candidate("lost"), is_lost=True, is_going_home=False)

    plan = planned([], [low, idle, at_home, lost])

    assert plan.charges == ("low",)
    assert plan.parks == ("idle",)


def test_a_robot_that_got_a_trip_is_not_sent_home() -> None:
    plan = planned([a_delivery()], [replace(a_candidate(), is_going_home=False)])

    assert len(plan.trips) == 1
    assert plan.parks == ()


def test_the_plan_does_not_depend_on_the_order_of_what_is_handed_in() -> None:
    deliveries = [a_delivery(f"d{i}", queued_min=i % 3, end=(WARD, OTHER_WARD)[i % 2]) for i in range(6)]
    candidates = [a_candidate("r1"), a_candidate("r2")]

    assert planned(deliveries, candidates) == planned(deliveries[::-1], candidates[::-1])


def a_controlled_delivery(name: str = "d1") -> Delivery:
    line = Line(LineId("line-1"), "Morphine", 10, "ampoule", handling_class=HandlingClass.CONTROLLED)
    return replace(a_delivery(name), lines=(line,))


def test_what_is_controlled_waits_for_a_robot_that_checks_drawer_grants() -> None:
    plan = planned([a_controlled_delivery()], [a_candidate()])

    assert plan.trips == ()
    assert codes(plan) == ["robot_checks_no_grants"]


def test_what_is_controlled_goes_with_a_robot_that_checks_grants_however_near_another_is() -> None:
    locked = replace(a_candidate("r2"), checks_grants=True)
    plan = planned([a_controlled_delivery()], [a_candidate("r1"), locked], far={"r1": 1.0, "r2": 50.0})

    assert [trip.robot for trip in plan.trips] == ["r2"]


def test_what_is_controlled_does_not_ride_along_with_a_robot_that_checks_none() -> None:
    plan = planned([a_delivery("d1"), a_controlled_delivery("d2")], [a_candidate()])

    assert [[load.delivery for load in trip.loads] for trip in plan.trips] == [["d1"]]


WITHDRAWN = {"d1": {"r1"}}


def test_a_withdrawn_robot_leaves_the_delivery_to_another_one_however_far() -> None:
    plan = planned([a_delivery()], [a_candidate("r1"), a_candidate("r2")], far={"r2": 90.0}, withdrawn=WITHDRAWN)

    assert [(trip.robot, [load.is_again for load in trip.loads]) for trip in plan.trips] == [("r2", [False])]


@pytest.mark.parametrize("other", [replace(a_candidate("r2"), is_on_trip=True), a_candidate("r2", battery=0.01)])
def test_a_delivery_waits_for_a_robot_that_comes_free_and_says_so(other: Candidate) -> None:
    plan = planned([a_delivery()], [a_candidate("r1"), other], withdrawn=WITHDRAWN)

    assert plan.trips == ()
    assert codes(plan)[0] == "robot_withdrawn"
    assert "r1 was withdrawn from this delivery" in plan.reasons[DeliveryId("d1")][0].sentence


@pytest.mark.parametrize("others", [[], [replace(a_candidate("r2"), is_lost=True)]])
def test_a_withdrawn_robot_is_given_it_again_when_no_other_can_fetch_it(others: list[Candidate]) -> None:
    (trip,) = planned([a_delivery(), a_delivery("d2")], [a_candidate("r1"), *others], withdrawn=WITHDRAWN).trips

    assert trip.robot == "r1"
    assert [(load.delivery, load.is_again) for load in trip.loads] == [("d1", True), ("d2", False)]


def test_a_withdrawn_robot_takes_another_delivery_and_not_that_one_with_it() -> None:
    busy = replace(a_candidate("r2"), is_on_trip=True)
    (trip,) = planned([a_delivery(), a_delivery("d2")], [a_candidate("r1"), busy], withdrawn=WITHDRAWN).trips

    assert (trip.robot, [load.delivery for load in trip.loads]) == ("r1", ["d2"])


def test_the_rest_of_a_withdrawn_robot_ends() -> None:
    delivery = a_delivery()
    for state, cause in ((DeliveryState.ASSIGNED, "dispatch"), (DeliveryState.VERIFIED, "r1")):
        reason = Reason(ROBOT_WITHDRAWN, "Robot r1 was withdrawn.") if cause == "r1" else None
        delivery = moved(delivery, state, at=NOON, cause=cause, reason=reason)
    rest = timedelta(minutes=10)

    assert resting_from(delivery, rest=rest, at=NOON + timedelta(minutes=9)) == {"r1"}
    assert resting_from(delivery, rest=rest, at=NOON + rest) == frozenset()
