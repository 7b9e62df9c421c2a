"""Who rides along on a trip that has not left its hatch."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.delivery.model import Delivery, DeliveryId, Line, LineId, Priority, TripId
from orchestrator.domain.dispatch.joining import OpenTrip, join_trips
from orchestrator.domain.fleet.model import ModelId
from orchestrator.domain.medicine.handling import HandlingClass
from tests.support.waiting_deliveries import HATCH, OTHER_WARD, WARD, a_delivery


def a_trip(*, drawers: tuple[str, ...] = ("B", "C"), is_stat: bool = False) -> OpenTrip:
    return OpenTrip(TripId("trip"), HATCH, WARD, drawers, is_stat, ModelId("porter"))


def joined(deliveries: list[Delivery], trip: OpenTrip) -> list[tuple[str, str]]:
    return [(joining.delivery, joining.drawer) for joining in join_trips(deliveries, [trip])]


def test_deliveries_for_the_same_place_take_the_free_drawers_most_urgent_first() -> None:
    waiting = [
        a_delivery("late", queued_min=2),
        a_delivery("early", queued_min=1),
        a_delivery("u", priority=Priority.URGENT),
    ]

    assert joined(waiting, a_trip()) == [("u", "B"), ("early", "C")]


def test_a_delivery_for_another_place_does_not_join_21() -> None:
    assert joined([a_delivery("d", end=OTHER_WARD)], a_trip()) == []


def test_nothing_joins_a_stat_and_a_stat_joins_nothing_less_urgent() -> None:
    assert joined([a_delivery("d")], a_trip(is_stat=True)) == []
    assert joined([a_delivery("s", priority=Priority.STAT)], a_trip()) == []
    assert joined([a_delivery("s", priority=Priority.STAT)], a_trip(is_stat=True)) == [("s", "B")]


def test_a_full_robot_takes_nobody() -> None:
    assert joined([a_delivery("d")], a_trip(drawers=())) == []


def test_what_is_controlled_joins_only_a_robot_that_checks_drawer_grants() -> None:
    line = Line(LineId("line-1"), "Morphine", 10, "ampoule", handling_class=HandlingClass.CONTROLLED)
    controlled = replace(a_delivery("d"), lines=(line,))

    assert joined([controlled], a_trip()) == []
    assert joined([controlled], replace(a_trip(), checks_grants=True)) == [("d", "B")]


def test_a_delivery_does_not_join_the_trip_of_the_robot_that_was_withdrawn_from_it() -> None:
    trip = replace(a_trip(), withdrawn_from=frozenset({DeliveryId("d1")}))
    assert joined([a_delivery("d1"), a_delivery("d2")], trip) == [("d2", "B")]
