"""Dispatch: who fetches what next, written into the books; the choice itself is `orchestrator.domain.dispatch`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.readiness import why_not_ready
from orchestrator.application.residue import left_in_drawers
from orchestrator.application.trips import waits_for_robot
from orchestrator.application.turn import Turn
from orchestrator.domain.delivery.model import (
    Delivery,
    DeliveryId,
    DeliveryState,
    Priority,
    Stop,
    StopKind,
    Trip,
    TripId,
)
from orchestrator.domain.dispatch.choice import PlannedTrip, plan_trips
from orchestrator.domain.dispatch.filters import Candidate
from orchestrator.domain.dispatch.joining import OpenTrip, join_trips
from orchestrator.domain.dispatch.withdrawn import resting_from, takes_it_again
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import LaneId, StationId, WaypointId

Distance = Callable[[RobotId, WaypointId, WaypointId], float | None]


@dataclass(frozen=True, slots=True)
class _Question:
    """Everything that a plan depends on; the same question has the same answer.

    What was asked for never changes, so the ids of the waiting deliveries stand for them.
    """

    deliveries: tuple[DeliveryId, ...]
    candidates: tuple[Candidate, ...]
    tips: tuple[WaypointId | None, ...]
    busy: frozenset[StationId]
    closed: frozenset[LaneId]
    withdrawn: tuple[tuple[DeliveryId, frozenset[RobotId]], ...]


class Dispatcher:
    """Asks for a plan whenever something that a plan depends on has changed.

    Parameters
    ----------
    fleet : FleetOnSite
        Site, robots, models.
    distance : callable
        Driving distance of a robot between two waypoints of its graph in metres; None when there is no way.
    """

    def __init__(self, fleet: FleetOnSite, *, distance: Distance) -> None:
        self._fleet = fleet
        self._distance = distance
        self._settled: _Question | None = None

    def dispatch(
        self,
        turn: Turn,
        *,
        reported: Collection[RobotId],
        resting: Collection[RobotId],
        unserved: Collection[DeliveryId] = (),
        closed: frozenset[LaneId] = frozenset(),
    ) -> None:
        """Assign waiting deliveries to robots, keep the reasons of those left waiting, and send the idle home.

        Parameters
        ----------
        turn : Turn
            The transaction.
        reported : collection of RobotId
            Robots that have reported since the orchestrator started; what others said before counts no more.
        resting : collection of RobotId
            Robots that refused an order a moment ago and are left alone for now.
        unserved : collection of DeliveryId
            Deliveries that nobody may fetch or bring now; whoever says so says why.
        closed : frozenset of LaneId
            Lanes that nobody may be sent over; distances are asked anew when they change.
        """
        question = self._question(turn, reported=reported, resting=resting, unserved=unserved, closed=closed)
        if question == self._settled:
            return
        if _join_open_trips(turn, self._fleet, unserved):
            question = self._question(turn, reported=reported, resting=resting, unserved=unserved, closed=closed)
        plan = plan_trips(
            [turn.delivery(delivery) for delivery in question.deliveries],
            question.candidates,
            distance=lambda robot, station: self._distance_to(turn, robot, station),
            busy_stations=question.busy,
            at=turn.at,
            withdrawn=dict(question.withdrawn),
        )
        for planned in plan.trips:
            _start_trip(turn, planned)
        for delivery_id, reasons in plan.reasons.items():
            turn.let_wait(turn.delivery(delivery_id), reasons)
        for robot in (*plan.charges, *plan.parks):
            turn.put(replace(turn.record(robot), target=self._fleet.robots[robot].home))
        # What was decided changes the question; it is settled when it comes back with nothing left to decide.
        self._settled = question if not (plan.trips or plan.charges or plan.parks) else None

    def forget(self) -> None:
        """Ask anew next time, whatever was settled."""
        self._settled = None

    def _question(
        self,
        turn: Turn,
        *,
        reported: Collection[RobotId],
        resting: Collection[RobotId],
        unserved: Collection[DeliveryId],
        closed: frozenset[LaneId],
    ) -> _Question:
        robots = sorted(self._fleet.robots)
        waiting = [d for d in turn.deliveries.values() if waits_for_robot(d) and d.id not in unserved]
        withdrawn = ((delivery.id, _resting_from(turn, self._fleet, delivery)) for delivery in waiting)
        return _Question(
            deliveries=tuple(delivery.id for delivery in waiting),
            candidates=tuple(
                candidate_of(turn, self._fleet, robot, has_reported=robot in reported, is_resting=robot in resting)
                for robot in robots
            ),
            tips=tuple(turn.record(robot).tip for robot in robots),
            busy=_stations_being_loaded(turn),
            closed=closed,
            withdrawn=tuple((delivery, robots) for delivery, robots in withdrawn if robots),
        )

    def _distance_to(self, turn: Turn, robot: RobotId, station: StationId) -> float | None:
        tip = turn.record(robot).tip
        if tip is None or not self._fleet.reaches(robot, station):
            return None
        return self._distance(robot, tip, self._fleet.waypoint_of(robot, station))


def candidate_of(
    turn: Turn, fleet: FleetOnSite, robot: RobotId, *, has_reported: bool, is_resting: bool = False
) -> Candidate:
    """Return what decides whether a robot may take a trip now."""
    record = turn.record(robot)
    return Candidate(
        robot=robot,
        model=fleet.models[robot],
        report=record.report if has_reported else None,
        is_lost=record.lost_since is not None,
        is_fenced_off=is_resting or record.is_kept_from_driving,
        is_out_of_service=record.is_held_for(HoldKind.OUT_OF_SERVICE),
        is_on_trip=record.trip is not None or record.sent_to is not None,
        is_going_home=record.target == fleet.robots[robot].home,
        checks_grants=record.checks_grants,
        left_in=left_in_drawers(turn.uow, record),
        not_ready=why_not_ready(turn, robot),
        not_ours=tuple(sorted(record.loads_not_ours)),
        occupied_drawers=frozenset(
            d.drawer for d in turn.deliveries.values() if d.robot == robot and d.drawer is not None
        ),
    )


def _join_open_trips(turn: Turn, fleet: FleetOnSite, unserved: Collection[DeliveryId]) -> bool:
    """Let waiting deliveries join trips that have not left yet; returns whether any did."""
    waiting = [d for d in turn.deliveries.values() if waits_for_robot(d) and d.id not in unserved]
    joined = join_trips(waiting, _open_trips(turn, fleet, waiting)) if waiting else ()
    for joining in joined:
        trip = turn.trips[joining.trip]
        stops = tuple(replace(stop, deliveries=(*stop.deliveries, joining.delivery)) for stop in trip.stops)
        turn.keep_trip(replace(trip, stops=stops))
        _assign(turn, joining.delivery, trip=trip, drawer=joining.drawer)
        if trip.has_arrived:
            turn.move(turn.delivery(joining.delivery), DeliveryState.LOADING, cause=trip.robot)
    return bool(joined)


def _resting_from(turn: Turn, fleet: FleetOnSite, delivery: Delivery) -> frozenset[RobotId]:
    return resting_from(delivery, rest=fleet.policy.dispatch.withdrawn_rest, at=turn.at)


def _open_trips(turn: Turn, fleet: FleetOnSite, waiting: Collection[Delivery]) -> list[OpenTrip]:
    found: list[OpenTrip] = []
    withdrawn = {delivery.id: _resting_from(turn, fleet, delivery) for delivery in waiting}
    for trip in turn.trips.values():
        kinds = [stop.kind for stop in trip.stops]
        if kinds != [StopKind.LOAD, StopKind.HAND_OVER] or not _goes_on(turn, trip.robot):
            continue
        aboard = [d for d in turn.deliveries.values() if d.robot == trip.robot]
        taken = {d.drawer for d in aboard}
        found.append(
            OpenTrip(
                trip=trip.id,
                from_station=trip.stops[0].station,
                to_station=trip.stops[1].station,
                free_drawers=tuple(d for d in fleet.models[trip.robot].drawers if d not in taken),
                model=fleet.models[trip.robot].id,
                is_stat=any(d.priority is Priority.STAT for d in aboard),
                checks_grants=turn.record(trip.robot).checks_grants,
                withdrawn_from=frozenset(id for id, robots in withdrawn.items() if trip.robot in robots),
            )
        )
    return found


def _goes_on(turn: Turn, robot: RobotId) -> bool:
    """Whether nothing speaks against giving more to a robot that is on its way to be loaded, or stands there."""
    record = turn.record(robot)
    is_there = record.lost_since is None and not record.holds and why_not_ready(turn, robot) is None
    is_there = is_there and not record.loads_not_ours and not left_in_drawers(turn.uow, record)
    return is_there and record.report is not None and record.report.may_be_ordered


def _stations_being_loaded(turn: Turn) -> frozenset[StationId]:
    fronts = (trip.stops[0] for trip in turn.trips.values() if trip.stops)
    return frozenset(stop.station for stop in fronts if stop.kind is StopKind.LOAD)


def _start_trip(turn: Turn, planned: PlannedTrip) -> None:
    deliveries = tuple(loaded.delivery for loaded in planned.loads)
    trip = Trip(
        id=TripId(turn.ids.new("trip")),
        robot=planned.robot,
        stops=(
            Stop(station=planned.from_station, kind=StopKind.LOAD, deliveries=deliveries),
            Stop(station=planned.to_station, kind=StopKind.HAND_OVER, deliveries=deliveries),
        ),
        started_at=turn.at,
    )
    turn.start_trip(trip)
    turn.put(replace(turn.record(planned.robot), trip=trip.id, target=planned.from_station))
    for loaded in planned.loads:
        again = takes_it_again(trip.robot) if loaded.is_again else None
        _assign(turn, loaded.delivery, trip=trip, drawer=loaded.drawer, reason=again)


def _assign(turn: Turn, delivery: DeliveryId, *, trip: Trip, drawer: str, reason: Reason | None = None) -> None:
    assigned = replace(turn.delivery(delivery), trip=trip.id, robot=trip.robot, drawer=drawer)
    turn.move(assigned, DeliveryState.ASSIGNED, cause="dispatch", reason=reason)
