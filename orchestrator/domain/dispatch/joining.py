"""Filling drawers that are still free: deliveries that join a trip which has not left its first station yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.delivery.model import Delivery, DeliveryId, Priority, TripId
from orchestrator.domain.dispatch.comparators import by_urgency
from orchestrator.domain.dispatch.filters import may_ride_on, needs_grants
from orchestrator.domain.fleet.model import ModelId
from orchestrator.domain.site.model import StationId


@dataclass(frozen=True, slots=True)
class OpenTrip:
    """A trip whose robot is on its way to be loaded, or is being loaded, and the drawers nobody has yet.

    ``is_stat`` says that it carries a STAT, which travels with nothing less urgent; ``checks_grants`` that the robot's
    drawers open on grants alone. ``withdrawn_from`` are deliveries that people withdrew its robot from a moment ago.
    """

    trip: TripId
    from_station: StationId
    to_station: StationId
    free_drawers: tuple[str, ...]
    is_stat: bool
    model: ModelId
    checks_grants: bool = False
    withdrawn_from: frozenset[DeliveryId] = frozenset()


@dataclass(frozen=True, slots=True)
class Joining:
    """Which delivery joins which trip, and its drawer."""

    delivery: DeliveryId
    trip: TripId
    drawer: str


def join_trips(deliveries: Sequence[Delivery], trips: Sequence[OpenTrip]) -> tuple[Joining, ...]:
    """Return who may ride along, most urgent first.

    A delivery joins a trip between the same two stations with a free drawer. A STAT joins a STAT only, and nothing else
    does: it must not wait while more is loaded.
    """
    free = {trip.trip: list(trip.free_drawers) for trip in trips}
    joined: list[Joining] = []
    for delivery in sorted(deliveries, key=by_urgency):
        for trip in sorted(trips, key=lambda trip: trip.trip):
            if _goes_along(delivery, trip) and free[trip.trip]:
                joined.append(Joining(delivery.id, trip.trip, free[trip.trip].pop(0)))
                break
    return tuple(joined)


def _goes_along(delivery: Delivery, trip: OpenTrip) -> bool:
    is_same_way = (delivery.from_station, delivery.to_station) == (trip.from_station, trip.to_station)
    may_ride = may_ride_on(delivery, trip.model) and (trip.checks_grants or not needs_grants(delivery))
    may_ride = may_ride and delivery.id not in trip.withdrawn_from
    return is_same_way and may_ride and (delivery.priority is Priority.STAT) == trip.is_stat
