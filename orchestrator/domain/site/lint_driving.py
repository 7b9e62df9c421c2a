"""The linter's second look: what robots can reach, what they fit through, and what they would drive into."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from orchestrator.domain.site.findings import Finding, Severity
from orchestrator.domain.site.geometry import Point, is_crossing, is_in_rectangle
from orchestrator.domain.site.graph import adjacency_of, one_of_each_pair
from orchestrator.domain.site.model import Door, GraphId, Lane, LaneGraph, LiftId, Site, Wall, Waypoint, WaypointId

SHAFT_MARGIN_M = 0.051
"""A waypoint in the doorway of a cabin is still in its lift: a shaft is 0.05 m wider than its cabin on every side, and
positions are rounded to a tenth of a millimetre."""

DOORS_NAMED = 8
"""So many of the doors that nobody drives through are named; of most buildings they are the most."""


def driving_findings(site: Site, radius_by_graph: Mapping[GraphId, float]) -> Iterator[Finding]:
    """Yield what keeps robots from driving, graph by graph.

    Parameters
    ----------
    site : Site
        The site; references that lead nowhere are passed over.
    radius_by_graph : mapping
        Radius in metres of the largest robot of each graph, 0 when none is known.
    """
    for graph in site.graphs.values():
        yield from _reach_findings(site, graph)
        for lane in one_of_each_pair(graph):
            start, end = graph.waypoints.get(lane.start), graph.waypoints.get(lane.end)
            if start is None or end is None:
                continue
            yield from _width_findings(graph, lane, radius_by_graph.get(graph.id, 0.0))
            yield from _lift_findings(graph, lane, start, end)
            yield from _door_findings(site, graph, lane, radius_by_graph.get(graph.id, 0.0))
            yield from _wall_findings(site, graph, lane, start, end)
        yield from _standing_findings(site, graph)
        yield from _cabin_findings(site, graph, radius_by_graph.get(graph.id, 0.0))
    yield from _unused_doors(site)


def _reach_findings(site: Site, graph: LaneGraph) -> Iterator[Finding]:
    if not graph.waypoints:
        return
    stations = {
        station.id: station.waypoints[graph.id]
        for station in site.stations.values()
        if station.waypoints.get(graph.id) in graph.waypoints
    }
    components = adjacency_of(graph).strong_components()
    main = max(components, key=lambda part: (len(part & frozenset(stations.values())), len(part)))
    for station, waypoint in stations.items():
        if waypoint not in main:
            yield Finding(
                code="unreachable_station",
                severity=Severity.ERROR,
                sentence=f"Station {station} at waypoint {waypoint} cannot be reached from the other stations of graph "
                f"{graph.id}, or not be left again.",
                remedy="Add the missing lane, or make a one-way lane two-way.",
                station=station,
                graph=graph.id,
                waypoint=waypoint,
            )
    taken = frozenset(stations.values())
    for part in components:
        if part is not main and not part & taken:
            yield _unreachable_part(graph, part)


def _unreachable_part(graph: LaneGraph, part: frozenset[WaypointId]) -> Finding:
    first, *others = sorted(part)
    more = f" and {len(others)} more" if others else ""
    return Finding(
        code="unreachable_waypoint",
        severity=Severity.WARNING,
        sentence=f"Waypoint {first}{more} cannot be reached from the stations of graph {graph.id}, or not be left "
        "again.",
        remedy="Add the missing lane, or remove what nobody drives to.",
        graph=graph.id,
        waypoint=first,
    )


def _width_findings(graph: LaneGraph, lane: Lane, radius_m: float) -> Iterator[Finding]:
    if lane.width_m is None or lane.width_m >= 2.0 * radius_m:
        return
    estimated = " by the drawn walls" if lane.is_width_estimated else ""
    yield Finding(
        code="narrow_lane",
        severity=Severity.WARNING if lane.is_width_estimated else Severity.ERROR,
        sentence=f"Lane {lane.id} is {lane.width_m:.2f} m wide{estimated}; the robot's footprint is "
        f"{2.0 * radius_m:.2f} m.",
        remedy="Measure the place and write its width, move the lane, or keep this robot model off the graph.",
        graph=graph.id,
        lane=lane.id,
        waypoint=lane.start,
    )


def _lift_findings(graph: LaneGraph, lane: Lane, start: Waypoint, end: Waypoint) -> Iterator[Finding]:
    if start.level == end.level or (start.lift is not None and start.lift == end.lift):
        return
    yield Finding(
        code="lane_between_levels",
        severity=Severity.ERROR,
        sentence=f"Lane {lane.id} leads from level {start.level} to level {end.level} outside a lift.",
        remedy="Give both waypoints the lift whose cabin stands there, or correct a level.",
        graph=graph.id,
        lane=lane.id,
        waypoint=lane.start,
    )


def _door_findings(site: Site, graph: LaneGraph, lane: Lane, radius_m: float) -> Iterator[Finding]:
    door = site.doors.get(lane.door) if lane.door is not None else None
    if door is None:
        return
    width_m = math.dist(door.start, door.end)
    if width_m < 2.0 * radius_m:
        yield Finding(
            code="narrow_door",
            severity=Severity.ERROR,
            sentence=f"Door {door.id} on lane {lane.id} is {width_m:.2f} m wide between its jambs; the robot's "
            f"footprint is {2.0 * radius_m:.2f} m.",
            remedy="Measure the door and correct its jambs, lead the lane elsewhere, or keep this robot model off the "
            "graph.",
            graph=graph.id,
            lane=lane.id,
            door=door.id,
            level=door.level,
            waypoint=lane.start,
        )
    if not door.is_motorised:
        yield Finding(
            code="door_without_motor",
            severity=Severity.WARNING,
            sentence=f"Lane {lane.id} leads through door {door.id}, which has no motor.",
            remedy="Motorise the door, keep it open, or lead the lane elsewhere: a robot cannot open it.",
            graph=graph.id,
            lane=lane.id,
            door=door.id,
            waypoint=lane.start,
        )


def _unused_doors(site: Site) -> Iterator[Finding]:
    """Yield doors that no lane names, and those that a lane leads through unnamed: they would stay shut before a robot.

    That another lane names it opens it for robots on that lane alone.
    """
    named = {lane.door for graph in site.graphs.values() for lane in graph.lanes.values()}
    unused: list[Door] = []
    for door in site.doors.values():
        through = next(((graph, lane) for graph, lane in _lanes_through(site, door) if lane.door != door.id), None)
        if through is None:
            if door.id not in named:
                unused.append(door)
            continue
        graph, lane = through
        yield Finding(
            code="door_not_named_by_lane",
            severity=Severity.WARNING,
            sentence=f"Lane {lane.id} leads through door {door.id} and does not name it, so the door is not opened.",
            remedy="Name the door at the lane, or move one of the two.",
            door=door.id,
            level=door.level,
            graph=graph.id,
            lane=lane.id,
        )
    if unused:
        names = ", ".join(door.id for door in unused[:DOORS_NAMED])
        more = f" and {len(unused) - DOORS_NAMED} more" if len(unused) > DOORS_NAMED else ""
        yield Finding(
            code="doors_without_lane",
            severity=Severity.NOTE,
            sentence=f"No lane leads through {'doors' if len(unused) > 1 else 'door'} {names}{more}, so no robot will "
            f"ask for {'them' if len(unused) > 1 else 'it'}.",
            remedy="Nothing need be done where robots are to stay out; elsewhere draw a lane and name the door at it.",
            door=unused[0].id,
            level=unused[0].level,
            figures={"doors": len(unused)},
        )


def _lanes_through(site: Site, door: Door) -> Iterator[tuple[LaneGraph, Lane]]:
    for graph in site.graphs.values():
        for lane in one_of_each_pair(graph):
            start, end = graph.waypoints.get(lane.start), graph.waypoints.get(lane.end)
            if start is None or end is None or not start.level == end.level == door.level:
                continue
            if is_crossing((start.x_m, start.y_m), (end.x_m, end.y_m), door.start, door.end):
                yield graph, lane


def _wall_findings(site: Site, graph: LaneGraph, lane: Lane, start: Waypoint, end: Waypoint) -> Iterator[Finding]:
    if start.level != end.level:
        return
    ends = (start.x_m, start.y_m), (end.x_m, end.y_m)
    for wall in site.walls:
        if wall.level == start.level and _is_near(wall, ends) and is_crossing(*ends, wall.start, wall.end):
            yield Finding(
                code="lane_through_wall",
                severity=Severity.WARNING,
                sentence=f"Lane {lane.id} on level {start.level} leads through the wall from "
                f"({wall.start[0]:.2f}, {wall.start[1]:.2f}) to ({wall.end[0]:.2f}, {wall.end[1]:.2f}).",
                remedy="Move the lane, or draw the opening that is there.",
                graph=graph.id,
                lane=lane.id,
                level=start.level,
                waypoint=lane.start,
            )
            return


def _is_near(wall: Wall, ends: tuple[Point, Point]) -> bool:
    """Whether the boxes around a wall and a lane overlap: most walls are out of question at once."""
    return all(
        max(wall.start[axis], wall.end[axis]) >= min(ends[0][axis], ends[1][axis])
        and min(wall.start[axis], wall.end[axis]) <= max(ends[0][axis], ends[1][axis])
        for axis in (0, 1)
    )


def _standing_findings(site: Site, graph: LaneGraph) -> Iterator[Finding]:
    for station in site.stations.values():
        waypoint = graph.waypoints.get(station.waypoints.get(graph.id, WaypointId("")))
        if waypoint is not None and (waypoint.lift is not None or not waypoint.may_stop):
            is_in_lift = waypoint.lift is not None
            yield Finding(
                code="station_without_standing",
                severity=Severity.ERROR,
                sentence=f"Station {station.id} is at waypoint {waypoint.id}"
                f"{f' in the cabin of lift {waypoint.lift}' if is_in_lift else ''}, where no robot may stop.",
                remedy="Move the station out of the cabin."
                if is_in_lift
                else "Move the station, or allow stopping there.",
                graph=graph.id,
                station=station.id,
                waypoint=waypoint.id,
            )
    for waypoint in graph.waypoints.values():
        lift = site.lifts.get(waypoint.lift) if waypoint.lift is not None else None
        if lift is None:
            continue
        is_inside = is_in_rectangle(
            (waypoint.x_m, waypoint.y_m),
            (lift.x_m, lift.y_m),
            yaw_rad=lift.yaw_rad,
            width_m=lift.width_m + 2.0 * SHAFT_MARGIN_M,
            depth_m=lift.depth_m + 2.0 * SHAFT_MARGIN_M,
        )
        if not is_inside or waypoint.level not in lift.levels:
            yield Finding(
                code="waypoint_outside_lift",
                severity=Severity.ERROR,
                sentence=f"Waypoint {waypoint.id} names lift {lift.id}, but is not in its cabin on a level it serves.",
                remedy="Move the waypoint into the cabin, or correct the lift or its levels.",
                graph=graph.id,
                waypoint=waypoint.id,
                lift=lift.id,
            )


def _cabin_findings(site: Site, graph: LaneGraph, radius_m: float) -> Iterator[Finding]:
    seen: set[LiftId] = set()
    for waypoint in graph.waypoints.values():
        lift = site.lifts.get(waypoint.lift) if waypoint.lift is not None else None
        if lift is None or lift.id in seen or min(lift.width_m, lift.depth_m) >= 2.0 * radius_m:
            continue
        seen.add(lift.id)
        yield Finding(
            code="small_cabin",
            severity=Severity.ERROR,
            sentence=f"The cabin of lift {lift.id} at waypoint {waypoint.id} is {lift.width_m:.2f} m by "
            f"{lift.depth_m:.2f} m; the robot's footprint is {2.0 * radius_m:.2f} m.",
            remedy="Measure the cabin and write its size, lead the lanes to another lift, or keep this robot model off "
            "the graph.",
            graph=graph.id,
            waypoint=waypoint.id,
            lift=lift.id,
        )
