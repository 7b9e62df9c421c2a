"""Which ways robots would take between stations, and what stations are lost when something on the way is shut."""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from orchestrator.domain.fleet.model import RobotModel
from orchestrator.domain.site.graph import Adjacency, adjacency_of
from orchestrator.domain.site.model import (
    DoorId,
    Lane,
    LaneGraph,
    LaneId,
    LiftId,
    Site,
    StationId,
    StationKind,
    WaypointId,
)
from orchestrator.domain.traffic.routing import Router

_NO_LANES: frozenset[LaneId] = frozenset()

Segment = frozenset[WaypointId]
"""The floor under a lane, whichever way it is driven: its two ends."""


@dataclass(frozen=True, slots=True)
class Flows:
    """The quickest routes between all ordered pairs of stations of a graph, with nobody else about.

    ``routes`` counts them; ``on_segment``, ``on_door`` and ``on_lift`` count those that go over each. ``trips`` are
    the rounds from a pharmacy hatch to a ward or bedside and back, in seconds of driving, and ``trip_on_segment_s``
    the seconds that such a round spends on each segment, on average.
    """

    routes: int
    on_segment: Mapping[Segment, int]
    on_door: Mapping[DoorId, int]
    on_lift: Mapping[LiftId, int]
    trip_s: float
    trip_on_segment_s: Mapping[Segment, float]
    time_s: Mapping[LaneId, float]

    def share(self, count: int) -> float:
        """Return the share of all routes, 0 to 1."""
        return count / self.routes if self.routes else 0.0


def flows_of(site: Site, graph: LaneGraph, model: RobotModel, *, closed: Collection[LaneId] = _NO_LANES) -> Flows:
    """Return the flows of one robot model between the stations of its graph."""
    router = Router(site, graph, model)
    time_s = {lane: router.time_s((lane,)) for lane in graph.lanes}
    places = places_of(site, graph)
    adjacency = adjacency_of(graph)
    trees = {station: _tree(adjacency, place, time_s, closed) for station, place in places.items()}
    segments, doors, lifts = Counter[Segment](), Counter[DoorId](), Counter[LiftId]()
    routes = 0
    for start, tree in trees.items():
        for goal, place in places.items():
            lanes = _route(tree, places[start], place)
            if goal == start or lanes is None:
                continue
            routes += 1
            segments.update({frozenset((lane.start, lane.end)) for lane in lanes})
            doors.update({lane.door for lane in lanes if lane.door is not None})
            lifts.update({lift for lane in lanes for lift in lifts_of_lane(graph, lane)})
    trip_s, trip_on_segment_s = _trips(site, places, trees, time_s)
    return Flows(routes, segments, doors, lifts, trip_s, trip_on_segment_s, time_s)


def places_of(site: Site, graph: LaneGraph) -> dict[StationId, WaypointId]:
    """Return the waypoint of each station that lies on a graph, in file order."""
    return {
        station.id: station.waypoints[graph.id]
        for station in site.stations.values()
        if station.waypoints.get(graph.id) in graph.waypoints
    }


def lifts_of_lane(graph: LaneGraph, lane: Lane) -> set[LiftId]:
    """Return the lifts whose cabin a lane leads into, out of or through."""
    lifts = (graph.waypoints[end].lift for end in (lane.start, lane.end))
    return {lift for lift in lifts if lift is not None}


_Tree = Mapping[WaypointId, Lane]
"""The lane by which each waypoint is reached."""


def _tree(
    adjacency: Adjacency, start: WaypointId, time_s: Mapping[LaneId, float], closed: Collection[LaneId]
) -> dict[WaypointId, Lane]:
    came: dict[WaypointId, Lane] = {}
    best = {start: 0.0}
    queue = [(0.0, start)]
    while queue:
        so_far_s, here = heapq.heappop(queue)
        if so_far_s > best[here]:
            continue
        for lane in adjacency.outgoing[here]:
            there_s = so_far_s + time_s[lane.id]
            if lane.id not in closed and there_s < best.get(lane.end, float("inf")):
                best[lane.end], came[lane.end] = there_s, lane
                heapq.heappush(queue, (there_s, lane.end))
    return came


def _route(tree: _Tree, start: WaypointId, goal: WaypointId) -> list[Lane] | None:
    lanes: list[Lane] = []
    here = goal
    while here != start:
        if here not in tree:
            return None
        lanes.append(tree[here])
        here = tree[here].start
    return lanes


def _trips(
    site: Site,
    places: Mapping[StationId, WaypointId],
    trees: Mapping[StationId, _Tree],
    time_s: Mapping[LaneId, float],
) -> tuple[float, dict[Segment, float]]:
    """Return the mean seconds of a round from a hatch to a ward and back, and those it spends on each segment."""
    hatches = [station for station in places if site.stations[station].kind is StationKind.PHARMACY_HATCH]
    wards = [station for station in places if site.stations[station].kind in _DELIVERED_TO]
    total_s, on_segment_s, rounds = 0.0, dict[Segment, float](), 0
    for hatch in hatches:
        for ward in wards:
            there = _route(trees[hatch], places[hatch], places[ward])
            back = _route(trees[ward], places[ward], places[hatch])
            if there is None or back is None:
                continue
            rounds += 1
            for lane in (*there, *back):
                segment = frozenset((lane.start, lane.end))
                on_segment_s[segment] = on_segment_s.get(segment, 0.0) + time_s[lane.id]
                total_s += time_s[lane.id]
    if not rounds:
        return 0.0, {}
    return total_s / rounds, {segment: spent_s / rounds for segment, spent_s in on_segment_s.items()}


_DELIVERED_TO = (StationKind.WARD_HANDOVER, StationKind.BEDSIDE)


def _start_of(lane: Lane) -> WaypointId:
    return lane.start


def _end_of(lane: Lane) -> WaypointId:
    return lane.end


class Severance:
    """What stations are lost when lanes are shut, on one graph.

    Most lanes are spared the search: two different ways are kept from one station to all others and back, and whoever
    shuts nothing on one of the two loses nothing.
    """

    def __init__(self, site: Site, graph: LaneGraph, *, closed: Collection[LaneId] = _NO_LANES) -> None:
        self._adjacency: Adjacency = adjacency_of(graph)
        self._places = places_of(site, graph)
        self._closed = frozenset(closed)
        self._lost_already = frozenset(self._apart(self._closed))
        joined = [place for station, place in self._places.items() if station not in self._lost_already]
        first = self._ways_to_all(joined, dear=_NO_LANES)
        self._needed = first & self._ways_to_all(joined, dear=first)

    def lost(self, lanes: Iterable[LaneId]) -> tuple[StationId, ...]:
        """Return the stations that shutting ``lanes`` parts from the largest group of stations joined both ways.

        Stations that are apart from it already are left out.
        """
        shut = frozenset(lanes)
        if not shut & self._needed:
            return ()
        return tuple(each for each in self._apart(self._closed | shut) if each not in self._lost_already)

    def _ways_to_all(self, joined: list[WaypointId], *, dear: frozenset[LaneId]) -> frozenset[LaneId]:
        """Return lanes of ways from the first of some waypoints to all others and back, few of them dear."""
        if not joined:
            return _NO_LANES
        found: set[LaneId] = set()
        sides = (
            (self._adjacency.outgoing, _end_of, _start_of),
            (self._adjacency.incoming, _start_of, _end_of),
        )
        for lanes_at, far_end, near_end in sides:
            came = self._cheapest(joined[0], lanes_at, far_end, dear)
            for place in joined:
                while place != joined[0] and came[place].id not in found:
                    found.add(came[place].id)
                    place = near_end(came[place])
        return frozenset(found)

    def _cheapest(
        self,
        start: WaypointId,
        lanes_at: Mapping[WaypointId, tuple[Lane, ...]],
        far_end: Callable[[Lane], WaypointId],
        dear: frozenset[LaneId],
    ) -> dict[WaypointId, Lane]:
        came: dict[WaypointId, Lane] = {}
        done: set[WaypointId] = set()
        queue: deque[tuple[WaypointId, Lane | None]] = deque([(start, None)])
        while queue:  # cheap lanes go to the front, dear ones to the back
            here, by = queue.popleft()
            if here in done:
                continue
            done.add(here)
            if by is not None:
                came[here] = by
            for lane in lanes_at[here]:
                if lane.id not in self._closed and far_end(lane) not in done:
                    add = queue.append if lane.id in dear else queue.appendleft
                    add((far_end(lane), lane))
        return came

    def _apart(self, closed: frozenset[LaneId]) -> list[StationId]:
        left, largest = dict(self._places), frozenset[StationId]()
        while len(left) > len(largest):
            place = next(iter(left.values()))
            joined = self._adjacency.reachable_from(place, closed=closed) & self._adjacency.reaching(
                place, closed=closed
            )
            group = frozenset(station for station, each in self._places.items() if each in joined)
            largest = max(largest, group, key=len)
            left = {station: each for station, each in left.items() if station not in group}
        return [station for station in self._places if station not in largest]
