"""The whole of dispatch on one screen: phases in a fixed order, each taking robots that are still free.

STAT first, even towards a station that another robot is still at, then the rest by urgency, then robots that must
charge, then robots that have nothing to do go home. A trip goes to the most urgent delivery and the nearest robot that
passes the filters; its further drawers are filled with deliveries between the same two stations, most urgent first. A
STAT travels alone: only other STATs between the same stations ride along.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from orchestrator.domain.delivery.model import Delivery, DeliveryId, Priority
from orchestrator.domain.dispatch.comparators import by_urgency
from orchestrator.domain.dispatch.filters import (
    MAY_DRIVE,
    MAY_TAKE_TRIP,
    Candidate,
    Distance,
    may_ride_on,
    reasons_against,
    robot_checks_no_grants,
    robot_not_approved,
    station_busy,
    station_unreachable,
)
from orchestrator.domain.dispatch.withdrawn import rests
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import StationId


@dataclass(frozen=True, slots=True)
class PlannedLoad:
    """Which delivery goes into which drawer; ``is_again`` says that the robot was withdrawn from it a moment ago."""

    delivery: DeliveryId
    drawer: str
    is_again: bool = False


@dataclass(frozen=True, slots=True)
class PlannedTrip:
    """A robot, from where to where, and what it carries, most urgent first."""

    robot: RobotId
    from_station: StationId
    to_station: StationId
    loads: tuple[PlannedLoad, ...]


@dataclass(frozen=True, slots=True)
class DispatchPlan:
    """What to start now, and for every delivery left waiting the reasons.

    ``charges`` are robots to send home because their battery is low, ``parks`` those to send home because they have
    nothing to do.
    """

    trips: tuple[PlannedTrip, ...]
    reasons: Mapping[DeliveryId, tuple[Reason, ...]]
    charges: tuple[RobotId, ...] = ()
    parks: tuple[RobotId, ...] = ()


@dataclass(slots=True)
class _Draft:
    """The plan while the phases work on it."""

    waiting: list[Delivery]
    free: list[Candidate]
    busy_stations: set[StationId]
    distance: Distance
    at: datetime
    candidates: Sequence[Candidate]
    withdrawn: Mapping[DeliveryId, Collection[RobotId]]
    trips: list[PlannedTrip] = field(default_factory=list[PlannedTrip])
    charges: list[RobotId] = field(default_factory=list[RobotId])
    parks: list[RobotId] = field(default_factory=list[RobotId])


_NOBODY: Mapping[DeliveryId, Collection[RobotId]] = MappingProxyType({})

_PASSING = frozenset({"robot_busy", "battery_below_reserve", "no_free_drawer"})
"""Reasons that pass by themselves: such a robot can fetch a delivery, only not yet."""


def plan_trips(
    deliveries: Sequence[Delivery],
    candidates: Sequence[Candidate],
    *,
    distance: Distance,
    busy_stations: Collection[StationId],
    at: datetime,
    withdrawn: Mapping[DeliveryId, Collection[RobotId]] = _NOBODY,
) -> DispatchPlan:
    """Return which trips to start, who charges, who parks, and why the rest waits.

    Parameters
    ----------
    deliveries : sequence of Delivery
        Those that wait for a robot, in any order.
    candidates : sequence of Candidate
        All robots, also those that cannot take anything now: their reasons are what is told.
    distance : callable
        How far a robot has to drive to a station; None when there is no way.
    busy_stations : collection of StationId
        Stations with a robot at them or on the way there. One trip at most starts for each station.
    at : datetime
        Now; aware.
    withdrawn : mapping
        Robots that people withdrew from a delivery a moment ago: they get it only when no other robot can fetch it.
    """
    assert at.tzinfo is not None, "datetimes are aware"
    draft = _Draft(
        waiting=sorted(deliveries, key=by_urgency),
        free=sorted(candidates, key=lambda candidate: candidate.robot),
        busy_stations=set(busy_stations),
        distance=distance,
        at=at,
        candidates=candidates,
        withdrawn=withdrawn,
    )
    for phase in PHASES:
        phase(draft)
    return DispatchPlan(
        trips=tuple(draft.trips),
        reasons=_reasons(draft, candidates),
        charges=tuple(draft.charges),
        parks=tuple(draft.parks),
    )


def start_stat_trips(draft: _Draft) -> None:
    """Give each STAT the nearest suitable robot, which may wait near a station that is busy still.

    Whoever is being loaded there leaves sooner than a robot that comes only then arrives.
    """
    busy, draft.busy_stations = draft.busy_stations, set()
    _start_trips(draft, [delivery for delivery in draft.waiting if delivery.priority is Priority.STAT])
    draft.busy_stations |= busy


def start_other_trips(draft: _Draft) -> None:
    """Give what is less urgent the robots that are left."""
    _start_trips(draft, [delivery for delivery in draft.waiting if delivery.priority is not Priority.STAT])


def send_to_charge(draft: _Draft) -> None:
    """Send free robots with a low battery home, where they charge."""
    for candidate in tuple(draft.free):
        if candidate.must_charge and not reasons_against(candidate, MAY_DRIVE):
            draft.free.remove(candidate)
            if not candidate.is_going_home:
                draft.charges.append(candidate.robot)


def send_to_park(draft: _Draft) -> None:
    """Send free robots home that stand somewhere else."""
    for candidate in draft.free:
        if not candidate.is_going_home and not reasons_against(candidate, MAY_DRIVE):
            draft.parks.append(candidate.robot)


PHASES: tuple[Callable[[_Draft], None], ...] = (start_stat_trips, start_other_trips, send_to_charge, send_to_park)
"""The order of the phases is policy. Withdrawals, once there are any, come before all of these."""


def _start_trips(draft: _Draft, deliveries: Sequence[Delivery]) -> None:
    taken: set[DeliveryId] = set()
    for delivery in deliveries:
        if delivery.id in taken or station_busy(delivery, draft.busy_stations) is not None:
            continue
        chosen = _nearest(draft, delivery)
        if chosen is None:
            continue
        riders = [d for d in deliveries if d.id not in taken and _is_same_way(d, delivery) and _may_ride(d, chosen)]
        again = _rests(draft, chosen, delivery)
        riders = [d for d in riders if d is delivery or not _rests(draft, chosen, d)]
        trip = _trip(chosen, delivery, riders, again=delivery.id if again else None)
        taken |= {load.delivery for load in trip.loads}
        draft.trips.append(trip)
        draft.free.remove(chosen)
        draft.busy_stations.add(delivery.from_station)
    draft.waiting = [delivery for delivery in draft.waiting if delivery.id not in taken]


def _may_ride(delivery: Delivery, candidate: Candidate) -> bool:
    return may_ride_on(delivery, candidate.model.id) and robot_checks_no_grants(candidate, delivery) is None


def _rests(draft: _Draft, candidate: Candidate, delivery: Delivery) -> bool:
    return candidate.robot in draft.withdrawn.get(delivery.id, ())


def _another_can(draft: _Draft, delivery: Delivery) -> bool:
    """Whether a robot that nobody withdrew from a delivery can fetch it, now or once it is free."""
    return any(
        not _rests(draft, candidate, delivery)
        and all(reason.code in _PASSING for reason in _reasons_for(candidate, delivery, draft.distance))
        and station_unreachable(candidate, delivery, draft.distance) is None
        for candidate in draft.candidates
    )


def _nearest(draft: _Draft, delivery: Delivery) -> Candidate | None:
    found: list[tuple[float, RobotId, Candidate]] = []
    keeps_off = bool(draft.withdrawn.get(delivery.id)) and _another_can(draft, delivery)
    for candidate in draft.free:
        if keeps_off and _rests(draft, candidate, delivery):
            continue
        far = draft.distance(candidate.robot, delivery.from_station)
        if far is not None and not _reasons_for(candidate, delivery, draft.distance):
            found.append((far, candidate.robot, candidate))
    return min(found, key=lambda each: each[:2])[2] if found else None


def _trip(
    candidate: Candidate, first: Delivery, riders: Sequence[Delivery], *, again: DeliveryId | None
) -> PlannedTrip:
    """Return the trip with as many of ``riders`` as there are drawers; ``first`` is the first of them."""
    filled = zip(riders, candidate.free_drawers, strict=False)
    loads = tuple(PlannedLoad(d.id, drawer, is_again=d.id == again) for d, drawer in filled)
    return PlannedTrip(candidate.robot, first.from_station, first.to_station, loads)


def _is_same_way(one: Delivery, other: Delivery) -> bool:
    return (one.from_station, one.to_station) == (other.from_station, other.to_station)


def _reasons_for(candidate: Candidate, delivery: Delivery, distance: Distance) -> tuple[Reason, ...]:
    """Return all that speaks against this robot for this delivery."""
    not_approved = robot_not_approved(candidate, delivery) or robot_checks_no_grants(candidate, delivery)
    if not_approved is not None:
        return (not_approved,)
    reasons = reasons_against(candidate, MAY_TAKE_TRIP)
    far = station_unreachable(candidate, delivery, distance) if not reasons else None
    return reasons if far is None else (far,)


def _reasons(draft: _Draft, candidates: Sequence[Candidate]) -> dict[DeliveryId, tuple[Reason, ...]]:
    """Return why each delivery left over waits: its station, or what speaks against each robot."""
    given = {trip.robot: trip for trip in draft.trips}
    reasons: dict[DeliveryId, tuple[Reason, ...]] = {}
    for delivery in draft.waiting:
        busy = station_busy(delivery, draft.busy_stations)
        if busy is not None:
            reasons[delivery.id] = (busy,)
            continue
        found = [
            reason for c in sorted(candidates, key=lambda c: c.robot) for reason in _told(c, delivery, draft, given)
        ]
        reasons[delivery.id] = tuple(found) or (Reason("no_robot", "There is no robot in the fleet; ask an engineer."),)
    return reasons


def _told(
    candidate: Candidate, delivery: Delivery, draft: _Draft, given: Mapping[RobotId, PlannedTrip]
) -> tuple[Reason, ...]:
    trip = given.get(candidate.robot)
    if trip is not None:
        sentence = f"{candidate.robot} goes to {trip.from_station} for a delivery that is more urgent or nearer."
        return (Reason("robot_busy", sentence),)
    against = _reasons_for(candidate, delivery, draft.distance)
    return against or ((rests(candidate.robot),) if _rests(draft, candidate, delivery) else ())
