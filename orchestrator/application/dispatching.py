"""Dispatch: who fetches what next, written into the books; the choice itself is `orchestrator.domain.dispatch`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.turn import Turn
from orchestrator.domain.delivery.model import DeliveryState, Stop, StopKind, Trip, TripId
from orchestrator.domain.dispatch.choice import PlannedTrip, plan_trips
from orchestrator.domain.dispatch.filters import Candidate
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.model import StationId, WaypointId

Distance = Callable[[WaypointId, WaypointId], float | None]


def dispatch(turn: Turn, fleet: FleetOnSite, *, distance: Distance, resting: Collection[RobotId]) -> None:
    """Assign waiting deliveries to robots, keep the reasons of those left waiting, and send the idle home.

    Parameters
    ----------
    turn : Turn
        The transaction.
    fleet : FleetOnSite
        Site, robots, models.
    distance : callable
        Driving distance between two waypoints in metres; None when there is no way.
    resting : collection of RobotId
        Robots that refused an order a moment ago and are left alone for now.
    """
    plan = plan_trips(
        [d for d in turn.deliveries.values() if d.state is DeliveryState.VERIFIED],
        [_candidate(turn, fleet, robot, is_resting=robot in resting) for robot in sorted(fleet.robots)],
        distance=lambda robot, station: _distance_to(turn, fleet, distance, robot, station),
        busy_stations=_stations_being_loaded(turn),
        at=turn.at,
    )
    for planned in plan.trips:
        _start_trip(turn, planned)
    for delivery_id, reasons in plan.reasons.items():
        turn.let_wait(turn.delivery(delivery_id), reasons)
    for robot in (*plan.charges, *plan.parks):
        turn.put(replace(turn.record(robot), target=fleet.robots[robot].home))


def _candidate(turn: Turn, fleet: FleetOnSite, robot: RobotId, *, is_resting: bool) -> Candidate:
    record = turn.record(robot)
    return Candidate(
        robot=robot,
        model=fleet.models[robot],
        report=record.report,
        is_lost=record.lost_since is not None,
        is_fenced_off=is_resting,
        is_on_trip=record.trip is not None,
        is_going_home=record.target == fleet.robots[robot].home,
        occupied_drawers=frozenset(
            d.drawer for d in turn.deliveries.values() if d.robot == robot and d.drawer is not None
        ),
    )


def _distance_to(
    turn: Turn, fleet: FleetOnSite, distance: Distance, robot: RobotId, station: StationId
) -> float | None:
    tip = turn.record(robot).tip
    return None if tip is None else distance(tip, fleet.waypoint_of(station))


def _stations_being_loaded(turn: Turn) -> frozenset[StationId]:
    fronts = (trip.stops[0] for trip in turn.trips.values() if trip.stops)
    return frozenset(stop.station for stop in fronts if stop.kind is StopKind.LOAD)


def _start_trip(turn: Turn, planned: PlannedTrip) -> None:
    trip_id = TripId(turn.ids.new("trip"))
    deliveries = tuple(loaded.delivery for loaded in planned.loads)
    turn.start_trip(
        Trip(
            id=trip_id,
            robot=planned.robot,
            stops=(
                Stop(station=planned.from_station, kind=StopKind.LOAD, deliveries=deliveries),
                Stop(station=planned.to_station, kind=StopKind.HAND_OVER, deliveries=deliveries),
            ),
            started_at=turn.at,
        )
    )
    turn.put(replace(turn.record(planned.robot), trip=trip_id, target=planned.from_station))
    for loaded in planned.loads:
        delivery = turn.delivery(loaded.delivery)
        assigned = replace(delivery, trip=trip_id, robot=planned.robot, drawer=loaded.drawer)
        turn.move(assigned, DeliveryState.ASSIGNED, cause="dispatch")
