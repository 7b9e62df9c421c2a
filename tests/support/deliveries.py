"""Deliveries, stations and a store for tests, with defaults, so that every value a test writes matters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from orchestrator.application.load_delivery import load_delivery
from orchestrator.application.ports import Ids, Store, UnitOfWork
from orchestrator.application.queue_delivery import queue_delivery
from orchestrator.domain.custody.people import believed
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.delivery.lifecycle import moved
from orchestrator.domain.delivery.model import (
    Delivery,
    DeliveryId,
    DeliveryState,
    LineCount,
    Priority,
    Stop,
    StopKind,
    Trip,
    TripId,
)
from orchestrator.domain.delivery.request import DeliveryRequest, LineRequest
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.model import GraphId, LevelId, Station, StationId, StationKind, WaypointId

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


class CountingIds:
    """Ids that count up by kind."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def new(self, kind: str) -> str:
        self._counts[kind] += 1
        return f"{kind}-{self._counts[kind]:04d}"


def a_station(name: str, kind: StationKind = StationKind.WARD_HANDOVER) -> Station:
    return Station(StationId(name), kind, LevelId("L1"), {GraphId("0"): WaypointId(f"w-{name}")})


STATIONS: Mapping[StationId, Station] = {
    station.id: station
    for station in (
        a_station("pharmacy-hatch-1", StationKind.PHARMACY_HATCH),
        a_station("ward-a-handover"),
        a_station("ward-b-handover"),
        a_station("attic"),
        a_station("charger-1", StationKind.CHARGER),
        a_station("charger-2", StationKind.CHARGER),
    )
}


PREMISES = Premises(STATIONS)


def is_served(station: Station) -> bool:
    """Every station but the attic."""
    return station.id != "attic"


def a_line(medicine: str = "Paracetamol 500 mg tablets", quantity: int = 32, unit: str = "tablet") -> LineRequest:
    return LineRequest(medicine=medicine, quantity=quantity, unit=unit)


def a_request(
    from_station: str = "pharmacy-hatch-1",
    to_station: str = "ward-a-handover",
    *lines: LineRequest,
    priority: Priority = Priority.ROUTINE,
    due_by: datetime | None = None,
) -> DeliveryRequest:
    return DeliveryRequest(
        StationId(from_station), StationId(to_station), lines or (a_line(),), priority=priority, due_by=due_by
    )


def queue(uow: UnitOfWork, request: DeliveryRequest | None = None, *, ids: Ids, at: datetime = NOON) -> Delivery:
    return queue_delivery(
        uow,
        request=request or a_request(),
        at=at,
        ids=ids,
        present=believed("pharmacist-1"),
        premises=PREMISES,
        is_served=is_served,
    )


def counts_of(delivery: Delivery, *, off_by: int = 0) -> tuple[LineCount, ...]:
    """The quantities asked for, the first one off by some."""
    return tuple(
        LineCount(line.id, line.quantity + (off_by if index == 0 else 0)) for index, line in enumerate(delivery.lines)
    )


def bring_to(
    store: Store, delivery: DeliveryId, state: DeliveryState, *, seal_number: str = "S-1", at: datetime = NOON
) -> Delivery:
    """Play the robot and the pharmacist until a queued delivery is in a state on the way to ``arrived``."""
    with store.transaction() as uow:
        now = uow.deliveries.get(delivery)
        for step in _STEPS[_STEPS.index(now.state) + 1 if now.state in _STEPS else 0 :]:
            if now.state is state:
                return now
            if step is DeliveryState.SEALED:
                now = load_delivery(
                    uow,
                    delivery=now.id,
                    seal_number=seal_number,
                    ids=CountingIds(),
                    counts=counts_of(now),
                    at=at,
                    present=believed("pharmacist-1"),
                    premises=PREMISES,
                )
                continue
            if step is DeliveryState.ASSIGNED:
                now = _assigned(uow, now, at=at)
            now = moved(now, step, at=at, cause="robot-1")
            uow.deliveries.save(now)
        return now


_STEPS = (
    DeliveryState.ASSIGNED,
    DeliveryState.LOADING,
    DeliveryState.SEALED,
    DeliveryState.IN_TRANSIT,
    DeliveryState.ARRIVED,
)


def _assigned(uow: UnitOfWork, delivery: Delivery, *, at: datetime) -> Delivery:
    trip = Trip(
        id=TripId(f"trip-of-{delivery.id}"),
        robot=RobotId("robot-1"),
        stops=(
            Stop(delivery.from_station, StopKind.LOAD, (delivery.id,)),
            Stop(delivery.to_station, StopKind.HAND_OVER, (delivery.id,)),
        ),
        started_at=at,
    )
    uow.trips.add(trip)
    return replace(delivery, trip=trip.id, robot=trip.robot, drawer="top")


def stand_at_take_back(store: Store, delivery: DeliveryId, *, has_arrived: bool = True) -> None:
    """Put the trip of a delivery at, or on its way to, the stop that takes it back."""
    with store.transaction() as uow:
        back = uow.deliveries.get(delivery)
        assert back.trip is not None
        stop = Stop(back.from_station, StopKind.TAKE_BACK, (back.id,))
        uow.trips.save(replace(uow.trips.get(back.trip), stops=(stop,), has_arrived=has_arrived))


def an_hour_later(at: datetime = NOON) -> datetime:
    return at + timedelta(hours=1)
