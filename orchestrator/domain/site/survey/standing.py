"""What robots that stand at stations block, and ways that avoid them.

Stations are bits: bit ``n`` of a set is the ``n``-th station of the site. Every lane carries the set of stations at
which a robot that stands keeps another off the lane, or off the waypoint at its end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from orchestrator.domain.site.geometry import Point, distance_to_segment
from orchestrator.domain.site.model import GraphId, LaneGraph, LaneId, LevelId, Site, Station, StationId, WaypointId

MARGIN_M = 0.05
"""Free width that must stay between a robot that stands and one that passes; the grant monitor's."""

_NO_LANES: frozenset[LaneId] = frozenset()


@dataclass(frozen=True, slots=True)
class Step:
    """A lane as a way takes it: where it ends, and the stations where a robot standing keeps others off it."""

    lane: LaneId
    end: WaypointId
    blockers: int


class StandingWays:
    """Ways on one lane graph for a robot of one size, past robots that stand at stations.

    Parameters
    ----------
    site : Site
        Its stations on all lane graphs count: a robot of another graph stands in the way as much as one of this.
    graph : LaneGraph
        The lanes that the moving robot drives on.
    radius_m : float
        Radius of the moving robot, in metres.
    radius_by_graph : mapping
        Radius of the largest robot that stands at stations of each graph, in metres. Where both radii are 0, only
        the waypoints themselves count.
    closed : collection of LaneId
        Lanes that nobody may use.
    """

    def __init__(
        self,
        site: Site,
        graph: LaneGraph,
        *,
        radius_m: float,
        radius_by_graph: Mapping[GraphId, float],
        closed: Collection[LaneId] = _NO_LANES,
    ) -> None:
        self.graph = graph
        self.stations = tuple(site.stations)
        self.bit = {station: 1 << number for number, station in enumerate(self.stations)}
        self.place = {
            station.id: station.waypoints[graph.id]
            for station in site.stations.values()
            if station.waypoints.get(graph.id) in graph.waypoints
        }
        self.at_waypoint, on_lane = _blockers(site, graph, self.bit, radius_m, radius_by_graph)
        self.steps: dict[WaypointId, list[Step]] = {waypoint: [] for waypoint in graph.waypoints}
        self.entries: dict[WaypointId, list[tuple[WaypointId, int]]] = {waypoint: [] for waypoint in graph.waypoints}
        for lane in graph.lanes.values():
            if lane.id not in closed and lane.start in graph.waypoints and lane.end in graph.waypoints:
                blockers = on_lane.get(lane.id, 0) | self.at_waypoint[lane.end]
                self.steps[lane.start].append(Step(lane.id, lane.end, blockers))
                self.entries[lane.end].append((lane.start, blockers))

    def mask(self, stations: Iterable[StationId]) -> int:
        """Return the set of ``stations``."""
        found = 0
        for station in stations:
            found |= self.bit[station]
        return found

    def names(self, mask: int) -> tuple[StationId, ...]:
        """Return the stations of a set, in file order."""
        return tuple(self.stations[number] for number in bits(mask))

    def reached(self, start: StationId, *, occupied: int) -> tuple[frozenset[WaypointId], int]:
        """Return where a robot gets from ``start`` past robots at ``occupied``, and those of them it was stopped by.

        A robot that overlaps one of them where it stands gets nowhere.
        """
        place = self.place[start]
        stopped_by = self.at_waypoint[place] & occupied
        if stopped_by:
            return frozenset(), stopped_by
        seen, front, steps = {place}, [place], self.steps
        while front:
            for step in steps[front.pop()]:
                if step.end in seen:
                    continue
                if step.blockers & occupied:
                    stopped_by |= step.blockers & occupied
                else:
                    seen.add(step.end)
                    front.append(step.end)
        return frozenset(seen), stopped_by


def bits(mask: int) -> Iterator[int]:
    """Yield the numbers of the bits that are set, lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def standing_points(site: Site, station: Station) -> Iterator[tuple[GraphId, LevelId, Point]]:
    """Yield where robots stand at a station: one place for each lane graph that reaches it."""
    for graph_id, waypoint_id in station.waypoints.items():
        graph = site.graphs.get(graph_id)
        waypoint = graph.waypoints.get(waypoint_id) if graph else None
        if waypoint is not None:
            yield graph_id, waypoint.level, (waypoint.x_m, waypoint.y_m)


def _blockers(
    site: Site,
    graph: LaneGraph,
    bit: Mapping[StationId, int],
    radius_m: float,
    radius_by_graph: Mapping[GraphId, float],
) -> tuple[dict[WaypointId, int], dict[LaneId, int]]:
    """Return for every waypoint and lane the stations where a robot standing blocks it; a station not its own place."""
    at_waypoint = dict.fromkeys(graph.waypoints, 0)
    on_lane: dict[LaneId, int] = {}
    segments = _segments(graph)
    for station in site.stations.values():
        if station.waypoints.get(graph.id) in at_waypoint:
            at_waypoint[station.waypoints[graph.id]] |= bit[station.id]
        for other_graph, level, point in standing_points(site, station):
            apart_m = radius_m + radius_by_graph.get(other_graph, 0.0)
            if apart_m <= 0.0:
                continue
            apart_m += MARGIN_M
            for waypoint in graph.waypoints.values():
                if waypoint.level == level and _is_near(point, (waypoint.x_m, waypoint.y_m), apart_m):
                    at_waypoint[waypoint.id] |= bit[station.id]
            for lane, start, end in segments.get(level, ()):
                if _box_is_near(point, start, end, apart_m) and distance_to_segment(point, start, end) < apart_m:
                    on_lane[lane] = on_lane.get(lane, 0) | bit[station.id]
    return at_waypoint, on_lane


def _segments(graph: LaneGraph) -> dict[LevelId, list[tuple[LaneId, Point, Point]]]:
    found: dict[LevelId, list[tuple[LaneId, Point, Point]]] = {}
    for lane in graph.lanes.values():
        start, end = graph.waypoints.get(lane.start), graph.waypoints.get(lane.end)
        if start is not None and end is not None and start.level == end.level:
            ends = (lane.id, (start.x_m, start.y_m), (end.x_m, end.y_m))
            found.setdefault(start.level, []).append(ends)
    return found


def _is_near(a: Point, b: Point, apart_m: float) -> bool:
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 < apart_m * apart_m


def _box_is_near(point: Point, start: Point, end: Point, apart_m: float) -> bool:
    """Whether a point is near the box around a segment: spares most of the geometry."""
    x, y = point
    if (x < start[0] - apart_m and x < end[0] - apart_m) or (x > start[0] + apart_m and x > end[0] + apart_m):
        return False
    return not ((y < start[1] - apart_m and y < end[1] - apart_m) or (y > start[1] + apart_m and y > end[1] + apart_m))
