"""Whether the books and the site and fleet of this start belong together.

Books name robots, stations, waypoints and lanes. Started over another site they would send robots to places that are
not there, so the start is refused instead.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.application.fleet import FleetOnSite, FleetSettingError
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.steps import OFF_GRAPH
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord


class ForeignBooksError(FleetSettingError):
    """The books speak of robots or places that this fleet or site does not have."""

    code = "foreign_books"


def require_fitting_books(uow: UnitOfWork, fleet: FleetOnSite) -> None:
    """Refuse to go on with books that do not fit.

    Raises
    ------
    ForeignBooksError
        Names the first robot, station, waypoint or lane that is unknown here.
    """
    for unknown in _unknown(uow, fleet):
        raise ForeignBooksError(
            f"The books were refused: {unknown}, which site {fleet.site.id} and its fleet do not have. "
            f"Start with the site and fleet they were written for, or name another data folder."
        )


def _unknown(uow: UnitOfWork, fleet: FleetOnSite) -> Iterator[str]:
    for trip in uow.trips.open():
        if trip.robot not in fleet.robots:
            yield f"trip {trip.id} is under way with robot {trip.robot}"
    for delivery in uow.deliveries.open():
        for station in (delivery.from_station, delivery.to_station):
            if not fleet.serves(station):
                yield f"delivery {delivery.id} goes by station {station}"
    for robot in sorted(fleet.robots):
        yield from _unknown_places(uow.robots.get(robot), fleet)


def _unknown_places(record: RobotRecord, fleet: FleetOnSite) -> Iterator[str]:
    waypoints = [] if record.tip is None else [record.tip]
    lanes = [*record.granted, *record.route]
    if record.order is not None and record.phase is not OrderPhase.DONE:
        waypoints += [step.waypoint for step in record.order.steps if not step.waypoint.startswith(OFF_GRAPH)]
        lanes += [step.lane for step in record.order.steps if step.lane is not None]
    graph = fleet.graph_of(record.robot)
    yield from (f"robot {record.robot} stands at {w}" for w in waypoints if w not in graph.waypoints)
    yield from (f"robot {record.robot} has lane {lane}" for lane in lanes if lane not in graph.lanes)
    for station in (record.target, record.sent_to):
        if station is not None and not fleet.reaches(record.robot, station):
            yield f"robot {record.robot} is bound for station {station}"
