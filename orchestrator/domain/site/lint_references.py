"""The linter's first look: names that name nothing, and names used twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from orchestrator.domain.site.findings import Finding, Severity
from orchestrator.domain.site.geometry import distance_between
from orchestrator.domain.site.graph import one_of_each_pair
from orchestrator.domain.site.model import (
    DoorId,
    GraphId,
    Lane,
    LaneGraph,
    LaneId,
    Lift,
    LiftId,
    Site,
    Station,
    StationId,
    StationKind,
    Waypoint,
    WaypointId,
)

SAME_PLACE_M = 0.01
"""Two waypoints of one graph nearer than this are the same place drawn twice."""


def reference_findings(site: Site) -> Iterator[Finding]:
    """Yield dangling references and duplicates, in file order."""
    for door in site.doors.values():
        if door.level not in site.levels:
            yield _unknown("level", door.level, f"Door {door.id}", site.levels, door=door.id)
    for lift in site.lifts.values():
        for level in lift.levels:
            if level not in site.levels:
                yield _unknown("level", level, f"Lift {lift.id}", site.levels, lift=lift.id)
        yield from _order_of_levels(site, lift)
    seen_waypoints: dict[WaypointId, LaneGraph] = {}
    seen_lanes: dict[LaneId, LaneGraph] = {}
    for graph in site.graphs.values():
        yield from _waypoint_references(site, graph)
        yield from _duplicates(graph)
        for lane in one_of_each_pair(graph):
            yield from _lane_references(site, graph, lane)
        yield from _shared_ids(graph, seen_waypoints, seen_lanes)
    for station in site.stations.values():
        yield from _station_references(site, station)
    yield from _stations_of_one_name(site)


def _unknown(
    kind: str,
    name: str,
    owner: str,
    known: Iterable[str] = (),
    *,
    graph: GraphId | None = None,
    waypoint: WaypointId | None = None,
    lane: LaneId | None = None,
    door: DoorId | None = None,
    lift: LiftId | None = None,
    station: StationId | None = None,
) -> Finding:
    names = ", ".join(sorted(known)[:12])
    return Finding(
        code=f"unknown_{kind}",
        severity=Severity.ERROR,
        sentence=f"{owner} names {kind} {name!r}, which is not there.",
        remedy=f"Add the {kind}, or name one of: {names}." if names else f"Add the {kind}, or correct the name.",
        graph=graph,
        waypoint=waypoint,
        lane=lane,
        door=door,
        lift=lift,
        station=station,
    )


def _order_of_levels(site: Site, lift: Lift) -> Iterator[Finding]:
    """Yield that a lift's levels are not written from the lowest up, or that floors it joins are at one height."""
    known = [site.levels[level] for level in lift.levels if level in site.levels]
    for lower, upper in pairwise(sorted(known, key=lambda level: level.elevation_m)):
        if upper.elevation_m - lower.elevation_m < SAME_PLACE_M:
            yield Finding(
                code="lift_floors_at_one_height",
                severity=Severity.WARNING,
                sentence=f"Levels {lower.id} and {upper.id} of lift {lift.id} are both {lower.elevation_m:g} m high, "
                "so a ride between them is taken to last no time.",
                remedy="Write the height of each floor as its elevation_m.",
                lift=lift.id,
                level=upper.id,
            )
            return
    if known != sorted(known, key=lambda level: level.elevation_m):
        yield Finding(
            code="lift_levels_not_lowest_first",
            severity=Severity.WARNING,
            sentence=f"Lift {lift.id} names its levels as {', '.join(lift.levels)}, which is not from the lowest up.",
            remedy="Write them lowest first, or correct the elevation_m of a level.",
            lift=lift.id,
        )


def _waypoint_references(site: Site, graph: LaneGraph) -> Iterator[Finding]:
    for waypoint in graph.waypoints.values():
        if waypoint.level not in site.levels:
            yield _unknown(
                "level", waypoint.level, f"Waypoint {waypoint.id}", site.levels, graph=graph.id, waypoint=waypoint.id
            )
        if waypoint.lift is not None and waypoint.lift not in site.lifts:
            yield _unknown(
                "lift", waypoint.lift, f"Waypoint {waypoint.id}", site.lifts, graph=graph.id, waypoint=waypoint.id
            )


def _lane_references(site: Site, graph: LaneGraph, lane: Lane) -> Iterator[Finding]:
    for end in (lane.start, lane.end):
        if end not in graph.waypoints:
            yield _unknown("waypoint", end, f"Lane {lane.id}", graph=graph.id, lane=lane.id, waypoint=end)
    if lane.door is not None and lane.door not in site.doors:
        yield _unknown("door", lane.door, f"Lane {lane.id}", graph=graph.id, lane=lane.id, waypoint=lane.start)
    if lane.start == lane.end:
        yield Finding(
            code="lane_to_itself",
            severity=Severity.ERROR,
            sentence=f"Lane {lane.id} starts and ends at waypoint {lane.start}.",
            remedy="Name two different waypoints, or remove the lane.",
            graph=graph.id,
            lane=lane.id,
            waypoint=lane.start,
        )
    start, end = graph.waypoints.get(lane.start), graph.waypoints.get(lane.end)
    if start is not None and end is not None and start is not end and _is_without_length(start, end):
        yield Finding(
            code="lane_without_length",
            severity=Severity.ERROR,
            sentence=f"Lane {lane.id} joins two waypoints at one place ({start.x_m:g}, {start.y_m:g}), so it has no "
            "direction to drive in.",
            remedy="Keep one of the two waypoints and lead the lanes of both to it.",
            graph=graph.id,
            lane=lane.id,
            waypoint=lane.start,
        )


def _is_without_length(start: Waypoint, end: Waypoint) -> bool:
    distance_m = distance_between((start.x_m, start.y_m), (end.x_m, end.y_m))
    return start.level == end.level and distance_m < SAME_PLACE_M


def _duplicates(graph: LaneGraph) -> Iterator[Finding]:
    by_name: dict[str, Waypoint] = {}
    by_cell: dict[tuple[str, int, int], Waypoint] = {}
    for waypoint in graph.waypoints.values():
        if waypoint.name:
            other = by_name.setdefault(waypoint.name, waypoint)
            if other is not waypoint:
                yield Finding(
                    code="duplicate_name",
                    severity=Severity.WARNING,
                    sentence=f"Waypoints {other.id} and {waypoint.id} of graph {graph.id} are both named "
                    f"{waypoint.name!r}.",
                    remedy="Give each waypoint of a graph its own name, or none: Open-RMF's adapters refuse others.",
                    graph=graph.id,
                    waypoint=waypoint.id,
                    level=waypoint.level,
                )
        other = _at_same_place(waypoint, by_cell)
        if other is not None:
            yield Finding(
                code="same_place",
                severity=Severity.WARNING,
                sentence=f"Waypoints {other.id} and {waypoint.id} of graph {graph.id} are at one place "
                f"({waypoint.x_m:g}, {waypoint.y_m:g}).",
                remedy="Keep one of them and lead the lanes of both to it.",
                graph=graph.id,
                waypoint=waypoint.id,
                level=waypoint.level,
            )


def _at_same_place(waypoint: Waypoint, by_cell: dict[tuple[str, int, int], Waypoint]) -> Waypoint | None:
    """Return an earlier waypoint at this place, and remember this one in its cell of the grid."""
    column, row = round(waypoint.x_m / SAME_PLACE_M), round(waypoint.y_m / SAME_PLACE_M)
    for cell in ((waypoint.level, column + i, row + j) for i in (-1, 0, 1) for j in (-1, 0, 1)):
        other = by_cell.get(cell)
        if other and distance_between((other.x_m, other.y_m), (waypoint.x_m, waypoint.y_m)) < SAME_PLACE_M:
            return other
    by_cell[waypoint.level, column, row] = waypoint
    return None


def _shared_ids(
    graph: LaneGraph, seen_waypoints: dict[WaypointId, LaneGraph], seen_lanes: dict[LaneId, LaneGraph]
) -> Iterator[Finding]:
    remedy = "Give it another id: robots of different graphs are told apart by these ids."
    for waypoint in graph.waypoints:
        other = seen_waypoints.setdefault(waypoint, graph)
        if other is not graph:
            sentence = f"Waypoint id {waypoint!r} is used in graph {other.id} and again in graph {graph.id}."
            yield Finding("duplicate_id", Severity.ERROR, sentence, remedy, graph=graph.id, waypoint=waypoint)
    for lane in graph.lanes:
        other = seen_lanes.setdefault(lane, graph)
        if other is not graph:
            sentence = f"Lane id {lane!r} is used in graph {other.id} and again in graph {graph.id}."
            yield Finding("duplicate_id", Severity.ERROR, sentence, remedy, graph=graph.id, lane=lane)


def _station_references(site: Site, station: Station) -> Iterator[Finding]:
    if station.level not in site.levels:
        yield _unknown("level", station.level, f"Station {station.id}", site.levels, station=station.id)
    if not station.waypoints:
        yield Finding(
            code="station_on_no_graph",
            severity=Severity.ERROR,
            sentence=f"Station {station.id} lies on no lane graph, so no robot can go there.",
            remedy="Name the waypoint of at least one lane graph, or remove the station.",
            station=station.id,
            level=station.level,
        )
    for graph_id, waypoint_id in station.waypoints.items():
        graph = site.graphs.get(graph_id)
        if graph is None:
            yield _unknown("graph", graph_id, f"Station {station.id}", site.graphs, station=station.id)
            continue
        waypoint = graph.waypoints.get(waypoint_id)
        if waypoint is None:
            yield _unknown(
                "waypoint",
                waypoint_id,
                f"Station {station.id}",
                station=station.id,
                graph=graph_id,
                waypoint=waypoint_id,
            )
        elif waypoint.level != station.level:
            yield Finding(
                code="station_on_other_level",
                severity=Severity.ERROR,
                sentence=f"Station {station.id} is on level {station.level}, but its waypoint {waypoint_id} is on "
                f"level {waypoint.level}.",
                remedy="Correct the level of the station, or name a waypoint of that level.",
                station=station.id,
                graph=graph_id,
                waypoint=waypoint_id,
            )


def _stations_of_one_name(site: Site) -> Iterator[Finding]:
    """Yield stations that people cannot tell apart: a medicine would go to the wrong one of them."""
    named: dict[str, Station] = {}
    for station in site.stations.values():
        if station.kind.is_resting_place or station.kind is StationKind.OTHER:
            continue
        name = station.name or station.id
        other = named.setdefault(name, station)
        if other is not station:
            yield Finding(
                code="station_name_twice",
                severity=Severity.ERROR,
                sentence=f"Stations {other.id} and {station.id} are both called {name!r}, so people would send "
                "medicines to the wrong one.",
                remedy="Give each hatch, ward handover point and bedside point a name of its own.",
                station=station.id,
                level=station.level,
            )
