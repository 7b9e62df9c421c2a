"""How a trip goes on: what has been done at a stop, and which stop comes next.

Everything follows from the states of the deliveries, so staff's use cases need not know of trips: whoever loads,
receives or cancels changes a delivery, and the next turn draws the consequences here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from orchestrator.application.turn import Turn
from orchestrator.domain.delivery.custody_record import Carrier
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState, Stop, StopKind, Trip, TripId
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.record import OrderPhase
from orchestrator.domain.reason import Reason

S = DeliveryState

# What a delivery at a stop is still waiting for there; in any other state the stop is done with it.
_PENDING_AT = {
    StopKind.LOAD: frozenset({S.ASSIGNED, S.LOADING}),
    StopKind.HAND_OVER: frozenset({S.ASSIGNED, S.LOADING, S.SEALED, S.IN_TRANSIT, S.ARRIVED}),
    StopKind.TAKE_BACK: frozenset({S.RETURNING}),
}


def progress_trips(turn: Turn) -> None:
    """Take every open trip as far as the states of its deliveries allow."""
    for trip in list(turn.trips.values()):
        _take_back_what_returns(turn, trip)
        _bring_what_goes_elsewhere(turn, turn.trips[trip.id])
        _pass_finished_stops(turn, turn.trips[trip.id])
        if trip.id in turn.trips:
            _head_for_next_stop(turn, turn.trips[trip.id])


def arrive(turn: Turn, robot: RobotId) -> None:
    """Record that a robot stands at its target, and open what can be done there."""
    record = turn.record(robot)
    trip = turn.trips.get(record.trip) if record.trip else None
    if trip is None or trip.has_arrived or not trip.stops or trip.stops[0].station != record.target:
        return
    stop = trip.stops[0]
    turn.keep_trip(replace(trip, has_arrived=True))
    opened = {StopKind.LOAD: (S.ASSIGNED, S.LOADING), StopKind.HAND_OVER: (S.IN_TRANSIT, S.ARRIVED)}.get(stop.kind)
    for delivery_id in stop.deliveries:
        delivery = turn.delivery(delivery_id)
        if opened and delivery.state is opened[0]:
            turn.move(delivery, opened[1], cause=robot)
    turn.tell("robot_arrived", robot, {"station": stop.station, "kind": stop.kind.value})


def set_off(turn: Turn, robot: RobotId) -> None:
    """Record that a robot has left the station where it was loaded: what was sealed is now in transit."""
    for delivery in list(turn.deliveries.values()):
        if delivery.robot == robot and delivery.state is S.SEALED:
            turn.move(delivery, S.IN_TRANSIT, cause=robot)


def give_up_assignments(turn: Turn, robot: RobotId, reason: Reason, *, cause: str = "dispatch") -> None:
    """Let another robot take what this one was to fetch; what is already aboard stays with it."""
    for delivery in list(turn.deliveries.values()):
        if delivery.robot == robot and delivery.state is S.ASSIGNED:
            turn.move(_freed(delivery), S.VERIFIED, cause=cause, reason=reason)


def free_the_hatch(turn: Turn, robot: RobotId, reason: Reason) -> None:
    """Let others be loaded where this robot was being loaded when it came to a halt."""
    trip = turn.trips.get(turn.record(robot).trip or TripId(""))
    if trip is not None and trip.stops and trip.stops[0].kind is StopKind.LOAD:
        leave_station(turn, robot, reason)


def leave_station(turn: Turn, robot: RobotId, reason: Reason) -> None:
    """Record that a robot no longer stands at its stop: what is not sealed yet waits for a robot again."""
    trip = turn.trips.get(turn.record(robot).trip or TripId(""))
    if trip is None or not trip.has_arrived:
        return
    turn.keep_trip(replace(trip, has_arrived=False))
    for delivery in list(turn.deliveries.values()):
        if delivery.robot == robot and delivery.state is S.LOADING:
            turn.move(_freed(delivery), S.VERIFIED, cause=robot, reason=reason)


def waits_for_robot(delivery: Delivery) -> bool:
    """Whether a delivery is to be fetched by a robot and was given none yet."""
    return delivery.state is S.VERIFIED and delivery.custody.carrier is Carrier.ROBOT


def _freed(delivery: Delivery) -> Delivery:
    return replace(delivery, trip=None, robot=None, drawer=None)


def _take_back_what_returns(turn: Turn, trip: Trip) -> None:
    """Add a stop where deliveries that were sealed and then called back are taken out again."""
    planned = {d for stop in trip.stops if stop.kind is StopKind.TAKE_BACK for d in stop.deliveries}
    returning = [
        d for d in turn.deliveries.values() if d.trip == trip.id and d.state is S.RETURNING and d.id not in planned
    ]
    if not returning:
        return
    stops = list(trip.stops)
    for station in sorted({d.returns_to for d in returning}):
        back = tuple(d.id for d in returning if d.returns_to == station)
        stops.append(Stop(station=station, kind=StopKind.TAKE_BACK, deliveries=back))
    turn.keep_trip(replace(trip, stops=tuple(stops)))


def _bring_what_goes_elsewhere(turn: Turn, trip: Trip) -> None:
    """Add a stop where deliveries are handed over that go elsewhere now, and let them be at no other."""
    aboard = [d for d in turn.deliveries.values() if d.trip == trip.id and d.state in (S.SEALED, S.IN_TRANSIT)]
    planned = {(d, stop.station) for stop in trip.stops if stop.kind is StopKind.HAND_OVER for d in stop.deliveries}
    elsewhere = [delivery for delivery in aboard if (delivery.id, delivery.to_station) not in planned]
    if not elsewhere:
        return
    gone = {delivery.id for delivery in elsewhere}
    front, rest = (trip.stops[:1], trip.stops[1:]) if trip.has_arrived else ((), trip.stops)
    kept = [stop for stop in (_without(stop, gone) for stop in rest) if stop.deliveries]
    brought = [stop for stop in kept if stop.kind is not StopKind.TAKE_BACK]
    back = [stop for stop in kept if stop.kind is StopKind.TAKE_BACK]
    stations = sorted({delivery.to_station for delivery in elsewhere})
    new = [Stop(s, StopKind.HAND_OVER, tuple(d.id for d in elsewhere if d.to_station == s)) for s in stations]
    turn.keep_trip(replace(trip, stops=(*(_without(stop, gone) for stop in front), *brought, *new, *back)))


def _without(stop: Stop, gone: Collection[DeliveryId]) -> Stop:
    """Return a stop where some deliveries are neither handed over nor taken back any more."""
    if stop.kind is StopKind.LOAD:
        return stop
    return replace(stop, deliveries=tuple(delivery for delivery in stop.deliveries if delivery not in gone))


def _pass_finished_stops(turn: Turn, trip: Trip) -> None:
    stops = trip.stops
    while stops and not _is_pending(turn, trip, stops[0]):
        stops = stops[1:]
    if stops == trip.stops:
        return
    if stops:
        at_same_place = trip.has_arrived and stops[0].station == trip.stops[0].station
        turn.keep_trip(replace(trip, stops=stops, has_arrived=at_same_place))
        return
    turn.keep_trip(replace(trip, stops=(), has_arrived=False, ended_at=turn.at))
    record = turn.record(trip.robot)
    if record.trip == trip.id:
        turn.put(replace(record, trip=None, target=None))


def _is_pending(turn: Turn, trip: Trip, stop: Stop) -> bool:
    at_stop = (turn.delivery(delivery) for delivery in stop.deliveries)
    return any(d.trip == trip.id and d.state in _PENDING_AT[stop.kind] for d in at_stop)


def _head_for_next_stop(turn: Turn, trip: Trip) -> None:
    record = turn.record(trip.robot)
    if record.trip == trip.id and record.target != trip.stops[0].station:
        turn.put(replace(record, target=trip.stops[0].station))


def is_standing_for_people(turn: Turn, robot: RobotId) -> bool:
    """Whether the robot stands at a stop where people still have to do something."""
    record = turn.record(robot)
    trip = turn.trips.get(record.trip) if record.trip else None
    return trip is not None and trip.has_arrived and record.phase is OrderPhase.DONE
