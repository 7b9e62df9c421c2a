"""Shortest routes by time. Efficiency only: whether a route may be driven now is the monitor's business."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from math import atan2, hypot, pi

from orchestrator.domain.fleet.model import RobotModel
from orchestrator.domain.site.model import Lane, LaneGraph, LaneId, Site, WaypointId
from orchestrator.domain.traffic.errors import UnknownPlaceError


@dataclass(frozen=True, slots=True)
class Delays:
    """What doors and lifts cost on the way, in seconds, and how fast lifts travel, in m/s.

    The defaults are those Open-RMF plans with for a door event and a lift session; the cabin's speed is a common
    hospital lift's.
    """

    door_s: float = 4.0
    lift_s: float = 8.0
    lift_speed_m_s: float = 1.0


class Router:
    """Routes over one lane graph for robots of one model.

    Parameters
    ----------
    site : Site
        Gives the height between levels.
    graph : LaneGraph
        The lanes.
    model : RobotModel
        Gives speeds.
    delays : Delays
        What doors and lifts cost.
    """

    def __init__(self, site: Site, graph: LaneGraph, model: RobotModel, *, delays: Delays | None = None) -> None:
        self._graph = graph
        self._turn_rad_s = model.turn_speed_max_rad_s
        delays = delays or Delays()
        self._time_s = {lane.id: _lane_time_s(lane, site, graph, model, delays) for lane in graph.lanes.values()}
        self._heading_rad = {lane.id: _heading_rad(lane, graph) for lane in graph.lanes.values()}
        self._out: dict[WaypointId, list[LaneId]] = {waypoint: [] for waypoint in graph.waypoints}
        for lane in sorted(graph.lanes.values(), key=lambda lane: lane.id):
            self._out[lane.start].append(lane.id)

    def route(
        self,
        start: WaypointId,
        goal: WaypointId,
        *,
        avoid: Set[WaypointId] = frozenset(),
        closed: Set[LaneId] = frozenset(),
        extra_s: Mapping[LaneId, float] | None = None,
    ) -> tuple[LaneId, ...] | None:
        """Return the quickest lanes from ``start`` to ``goal``, or None when there are none.

        Parameters
        ----------
        start, goal : WaypointId
            From where to where. A goal in ``avoid`` has no route; a start in ``avoid`` may be left.
        avoid : set of WaypointId
            Waypoints not to pass or reach, such as other robots' endpoints; see `Monitor.barred`.
        closed : set of LaneId
            Lanes not to use.
        extra_s : mapping, optional
            Seconds to add to a lane, for instance for traffic the other way.

        Notes
        -----
        Dijkstra over lanes, since a turn costs by the lane it comes from. Of equally quick routes the one whose lane
        ids sort first is taken, so the answer does not depend on the order of the site file.
        """
        for waypoint in (start, goal):
            if waypoint not in self._out:
                raise UnknownPlaceError(f"The lane graph has no waypoint {waypoint}.", detail={"waypoint": waypoint})
        if start == goal:
            return ()
        extra = extra_s or {}
        queue: list[tuple[float, tuple[LaneId, ...]]] = [
            (self._time_s[lane] + extra.get(lane, 0.0), (lane,)) for lane in self._open(start, avoid, closed)
        ]
        heapq.heapify(queue)
        done: set[LaneId] = set()
        while queue:
            time_s, lanes = heapq.heappop(queue)
            last = lanes[-1]
            if last in done:
                continue
            done.add(last)
            here = self._graph.lanes[last].end
            if here == goal:
                return lanes
            for lane in self._open(here, avoid, closed):
                if lane not in done:
                    cost_s = self._time_s[lane] + self._turn_s(last, lane) + extra.get(lane, 0.0)
                    heapq.heappush(queue, (time_s + cost_s, (*lanes, lane)))
        return None

    def time_s(self, lanes: Sequence[LaneId]) -> float:
        """Return how long a robot alone on its way takes for ``lanes``, in seconds."""
        turns_s = sum(self._turn_s(before, after) for before, after in itertools.pairwise(lanes))
        return sum(self._time_s[lane] for lane in lanes) + turns_s

    def length_m(self, lanes: Sequence[LaneId]) -> float:
        """Return the length of ``lanes`` in the plane, in metres; the travel of lifts does not count."""
        return sum(lane_length_m(self._graph.lanes[lane], self._graph) for lane in lanes)

    def _open(self, here: WaypointId, avoid: Set[WaypointId], closed: Set[LaneId]) -> list[LaneId]:
        lanes = self._graph.lanes
        return [lane for lane in self._out[here] if lane not in closed and lanes[lane].end not in avoid]

    def _turn_s(self, before: LaneId, after: LaneId) -> float:
        first, second = self._heading_rad[before], self._heading_rad[after]
        if first is None or second is None:
            return 0.0
        return abs((second - first + pi) % (2.0 * pi) - pi) / self._turn_rad_s


def lane_length_m(lane: Lane, graph: LaneGraph) -> float:
    """Return the length of a lane in the plane, in metres; 0 for a lane that lies in a lift."""
    start, end = graph.waypoints[lane.start], graph.waypoints[lane.end]
    return hypot(end.x_m - start.x_m, end.y_m - start.y_m)


def opposing(routes: Sequence[Sequence[LaneId]], graph: LaneGraph, *, each_s: float) -> dict[LaneId, float]:
    """Return extra seconds for every lane whose other direction is on somebody's remaining route.

    Handed to `Router.route` it keeps robots from planning head-on where there is another way.
    """
    extra: dict[LaneId, float] = {}
    for route in routes:
        for lane in route:
            reverse = graph.lanes[lane].reverse
            if reverse is not None:
                extra[reverse] = extra.get(reverse, 0.0) + each_s
    return extra


def _lane_time_s(lane: Lane, site: Site, graph: LaneGraph, model: RobotModel, delays: Delays) -> float:
    start, end = graph.waypoints[lane.start], graph.waypoints[lane.end]
    if start.level != end.level:
        height_m = abs(site.levels[end.level].elevation_m - site.levels[start.level].elevation_m)
        return height_m / delays.lift_speed_m_s
    speed_m_s = min(model.speed_max_m_s, lane.speed_limit_m_s or model.speed_max_m_s)
    wait_s = delays.door_s if lane.door is not None else 0.0
    if end.lift is not None and start.lift is None:
        wait_s += delays.lift_s
    return lane_length_m(lane, graph) / speed_m_s + wait_s


def _heading_rad(lane: Lane, graph: LaneGraph) -> float | None:
    start, end = graph.waypoints[lane.start], graph.waypoints[lane.end]
    if start.level != end.level or (start.x_m, start.y_m) == (end.x_m, end.y_m):
        return None
    return atan2(end.y_m - start.y_m, end.x_m - start.x_m)
