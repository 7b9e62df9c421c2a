"""Changes of a site in memory, for trying what would help: each returns a new site and leaves the old one alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from orchestrator.domain.site.geometry import Point
from orchestrator.domain.site.model import (
    GraphId,
    Lane,
    LaneGraph,
    LaneId,
    Site,
    StationId,
    StationKind,
    Waypoint,
    WaypointId,
)

NEW = "new"


def with_station_at(site: Site, station: StationId, graph: GraphId, waypoint: WaypointId) -> Site:
    """Return the site with a station's waypoint on one lane graph moved to another waypoint of it."""
    known = site.stations[station]
    moved = replace(known, waypoints={**known.waypoints, graph: waypoint})
    return replace(site, stations={**site.stations, station: moved})


def with_kind(site: Site, station: StationId, kind: StationKind) -> Site:
    """Return the site with a station of another kind."""
    return replace(site, stations={**site.stations, station: replace(site.stations[station], kind=kind)})


def without_station(site: Site, station: StationId) -> Site:
    """Return the site without a station; its waypoint stays."""
    return replace(site, stations={id: each for id, each in site.stations.items() if id != station})


def with_spur(site: Site, graph: GraphId, base: WaypointId, point: Point) -> tuple[Site, WaypointId]:
    """Return the site with a waypoint at ``point`` and a two-way lane to it from ``base``, and the new waypoint."""
    return with_bay(site, graph, (base,), point)


def with_bay(
    site: Site, graph: GraphId, ends: Iterable[WaypointId], point: Point, *, beside: WaypointId | None = None
) -> tuple[Site, WaypointId]:
    """Return the site with a waypoint at ``point`` and lanes to it from all ``ends``, and the new waypoint.

    The lanes are two-way, or lead only the ways in which lanes lead between ``beside`` and each end.
    """
    old, ends = site.graphs[graph], tuple(ends)
    id = WaypointId(f"{NEW}.{len(old.waypoints)}")
    waypoint = Waypoint(id, old.waypoints[ends[0]].level, *point)
    led = {(lane.start, lane.end) for lane in old.lanes.values()}
    lanes: list[Lane] = []
    for end in ends:
        there, back = LaneId(f"{NEW}.{end}~{id}"), LaneId(f"{NEW}.{id}~{end}")
        is_in, is_out = (beside is None or step in led for step in ((end, beside), (beside, end)))
        if is_in:
            lanes.append(Lane(there, end, id, reverse=back if is_out else None))
        if is_out:
            lanes.append(Lane(back, id, end, reverse=there if is_in else None))
    return with_graph(site, _added(old, [waypoint], lanes)), id


def with_reverse(site: Site, graph: GraphId, lane: LaneId) -> Site:
    """Return the site with a one-way lane made two-way."""
    old = site.graphs[graph]
    there = old.lanes[lane]
    back = replace(there, id=LaneId(f"{NEW}.{lane}"), start=there.end, end=there.start, reverse=lane)
    lanes = {**old.lanes, lane: replace(there, reverse=back.id), back.id: back}
    return with_graph(site, replace(old, lanes=lanes))


def without_lanes(site: Site, graph: GraphId, lanes: Iterable[LaneId]) -> Site:
    """Return the site without some lanes; what was the other direction of one of them is one-way."""
    old, gone = site.graphs[graph], frozenset(lanes)
    kept = {
        lane.id: replace(lane, reverse=None) if lane.reverse in gone else lane
        for lane in old.lanes.values()
        if lane.id not in gone
    }
    return with_graph(site, replace(old, lanes=kept))


def with_graph(site: Site, graph: LaneGraph) -> Site:
    """Return the site with another version of one of its lane graphs."""
    return replace(site, graphs={**site.graphs, graph.id: graph})


def with_parallel_lanes(
    site: Site, graph: GraphId, chain: Sequence[WaypointId], *, apart_m: float
) -> tuple[Site, tuple[WaypointId, ...], tuple[WaypointId, ...]]:
    """Return the site with a chain of two-way lanes made two one-way tracks, and the inner waypoints of both.

    The tracks lie half of ``apart_m`` (between their centre lines) to the right of the direction they are driven in;
    they meet at the first and the last waypoint of the chain, and part as near to these as they can.
    """
    old = site.graphs[graph]
    pairs = {*pairwise(chain), *pairwise(tuple(reversed(chain)))}
    kept = without_lanes(site, graph, [lane.id for lane in old.lanes.values() if (lane.start, lane.end) in pairs])
    points = [(old.waypoints[w].x_m, old.waypoints[w].y_m) for w in chain]
    ends = [_towards(points[0], points[1], 2.0 * apart_m), _towards(points[-1], points[-2], 2.0 * apart_m)]
    inner = [ends[0], *points[1:-1], ends[1]]
    line = [points[0], *inner, points[-1]]
    level = old.waypoints[chain[0]].level
    changed, tracks = kept, list[tuple[WaypointId, ...]]()
    for name, side in (("there", -1.0), ("back", 1.0)):
        places = [_beside(line, number, side * apart_m / 2.0) for number in range(1, len(line) - 1)]
        ids = tuple(WaypointId(f"{NEW}.{name}.{number}") for number in range(len(places)))
        new = [Waypoint(id, level, *place) for id, place in zip(ids, places, strict=True)]
        stops = [chain[0], *ids, chain[-1]] if side < 0.0 else [chain[-1], *reversed(ids), chain[0]]
        lanes = [Lane(LaneId(f"{NEW}.{a}~{b}"), a, b) for a, b in pairwise(stops)]
        changed = with_graph(changed, _added(changed.graphs[graph], new, lanes))
        tracks.append(ids)
    return changed, tracks[0], tracks[1]


def _towards(start: Point, end: Point, distance_m: float) -> Point:
    along = min(0.5, distance_m / (math.dist(start, end) or 1.0))
    return start[0] + along * (end[0] - start[0]), start[1] + along * (end[1] - start[1])


def _beside(line: Sequence[Point], number: int, left_m: float) -> Point:
    before, here, after = line[number - 1], line[number], line[number + 1]
    along_x, along_y = after[0] - before[0], after[1] - before[1]
    length = math.hypot(along_x, along_y) or 1.0
    return here[0] - left_m * along_y / length, here[1] + left_m * along_x / length


def _added(graph: LaneGraph, waypoints: Iterable[Waypoint], lanes: Iterable[Lane]) -> LaneGraph:
    return replace(
        graph,
        waypoints={**graph.waypoints, **{waypoint.id: waypoint for waypoint in waypoints}},
        lanes={**graph.lanes, **{lane.id: lane for lane in lanes}},
    )
