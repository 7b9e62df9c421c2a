"""Resting places: where idle robots may stand without cutting anybody off.

A set of resting places is well-formed when, with a robot parked on every one of them, each robot can still drive
from its own place to every station and back. A parked robot blocks its waypoint and, given a separation, every
waypoint and lane that another robot could not pass it on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.domain.site.geometry import Point, distance_between, distance_to_segment
from orchestrator.domain.site.graph import Adjacency, adjacency_of
from orchestrator.domain.site.model import (
    GraphId,
    LaneGraph,
    LaneId,
    LevelId,
    Site,
    Station,
    StationId,
    WaypointId,
)


@dataclass(frozen=True, slots=True)
class CutOff:
    """A station that a robot on ``resting_place`` cannot reach, or not return from, when others are parked."""

    graph: GraphId
    resting_place: StationId
    station: StationId
    blockers: tuple[StationId, ...]


@dataclass(frozen=True, slots=True)
class _Obstruction:
    """What a parked robot blocks on one graph."""

    waypoints: frozenset[WaypointId]
    lanes: frozenset[LaneId]


class RestingPlaces:
    """Answers whether stations may be resting places together.

    Parameters
    ----------
    site : Site
        Graphs and stations; the kinds of stations play no role here.
    separation_m : float
        Centre distance in metres under which two robots cannot pass each other; 0 looks at waypoints only.
    """

    def __init__(self, site: Site, *, separation_m: float = 0.0) -> None:
        self._stations = site.stations
        self._adjacency = {id: adjacency_of(graph) for id, graph in site.graphs.items()}
        self._obstructions = {
            (graph.id, station.id): _obstruction_of(graph, _standing_points(site, station), station, separation_m)
            for graph in site.graphs.values()
            for station in site.stations.values()
        }

    def first_cut_off(self, resting: Sequence[StationId]) -> CutOff | None:
        """Return the first station that parked robots cut off, or None when ``resting`` is well-formed.

        Parameters
        ----------
        resting : sequence of StationId
            Stations on each of which a robot is parked.
        """
        for graph, adjacency in self._adjacency.items():
            on_graph = {
                id: station.waypoints[graph]
                for id, station in self._stations.items()
                if station.waypoints.get(graph) in adjacency.outgoing
            }
            for place in resting:
                found = self._cut_off_from(place, resting, graph, adjacency, on_graph)
                if found is not None:
                    return found
        return None

    def _cut_off_from(
        self,
        place: StationId,
        resting: Sequence[StationId],
        graph: GraphId,
        adjacency: Adjacency,
        on_graph: Mapping[StationId, WaypointId],
    ) -> CutOff | None:
        start = on_graph.get(place)
        if start is None:
            return None
        plain = [id for id in on_graph if id not in resting]
        rounds: list[tuple[Collection[StationId], list[StationId]]] = [((place,), plain)]
        rounds += [((place, other), [other]) for other in resting if other != place and other in on_graph]
        for moving, goals in rounds:
            parked = [id for id in resting if id not in moving]
            avoiding, closed = self._blocked_by(parked, graph)
            there = adjacency.reachable_from(start, avoiding=avoiding, closed=closed)
            back = adjacency.reaching(start, avoiding=avoiding, closed=closed)
            for goal in goals:
                if on_graph[goal] not in there or on_graph[goal] not in back or start in avoiding:
                    return CutOff(graph, place, goal, tuple(parked))
        return None

    def _blocked_by(
        self, parked: Collection[StationId], graph: GraphId
    ) -> tuple[frozenset[WaypointId], frozenset[LaneId]]:
        found = [self._obstructions[graph, id] for id in parked]
        waypoints = frozenset[WaypointId]().union(*(obstruction.waypoints for obstruction in found))
        return waypoints, frozenset[LaneId]().union(*(obstruction.lanes for obstruction in found))


def _standing_points(site: Site, station: Station) -> list[tuple[LevelId, Point]]:
    points: list[tuple[LevelId, Point]] = []
    for graph_id, waypoint_id in station.waypoints.items():
        graph = site.graphs.get(graph_id)
        waypoint = graph.waypoints.get(waypoint_id) if graph else None
        if waypoint is not None:
            points.append((waypoint.level, (waypoint.x_m, waypoint.y_m)))
    return points


def _obstruction_of(
    graph: LaneGraph, points: Sequence[tuple[LevelId, Point]], station: Station, separation_m: float
) -> _Obstruction:
    own = {station.waypoints[graph.id]} if graph.id in station.waypoints else set[WaypointId]()
    if separation_m <= 0.0:
        return _Obstruction(frozenset(own), frozenset())
    near = {
        waypoint.id
        for waypoint in graph.waypoints.values()
        for level, point in points
        if waypoint.level == level and distance_between(point, (waypoint.x_m, waypoint.y_m)) < separation_m
    }
    lanes: set[LaneId] = set()
    for lane in graph.lanes.values():
        start, end = graph.waypoints.get(lane.start), graph.waypoints.get(lane.end)
        if start is None or end is None or start.level != end.level:
            continue
        ends = (start.x_m, start.y_m), (end.x_m, end.y_m)
        if any(start.level == level and distance_to_segment(point, *ends) < separation_m for level, point in points):
            lanes.add(lane.id)
    return _Obstruction(frozenset(own | near), frozenset(lanes))
