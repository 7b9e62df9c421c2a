"""Whether there is room on a level: free of walls, of other lanes and of places where robots stand."""

from __future__ import annotations

import math
from collections.abc import Iterator

from orchestrator.domain.site.geometry import Point, distance_between, distance_between_segments, distance_to_segment
from orchestrator.domain.site.model import GraphId, LaneGraph, LevelId, Site, WaypointId
from orchestrator.domain.site.survey.standing import MARGIN_M

DIRECTIONS = 16
"""In how many directions around a waypoint room is looked for."""

FURTHER_M = (0.05, 0.45, 0.95, 1.95)
"""How much further out than the least distance it is looked for."""


class Room:
    """Free floor for robots of one lane graph.

    Parameters
    ----------
    site : Site
        Walls, lanes and stations. Where a level has no drawn wall, room is taken to be there.
    graph : LaneGraph
        The graph that a new lane would belong to.
    radius_by_graph : mapping
        Radius of the largest robot of each lane graph, in metres.
    """

    def __init__(self, site: Site, graph: LaneGraph, radius_by_graph: dict[GraphId, float]) -> None:
        self._site = site
        self._graph = graph
        self._radii = radius_by_graph
        self.radius_m = radius_by_graph.get(graph.id, 0.0)
        self.apart_m = self.radius_m + max(radius_by_graph.values(), default=0.0) + MARGIN_M

    def spurs(self, base: WaypointId) -> Iterator[Point]:
        """Yield ends of possible spurs from ``base``, nearest first, each clear of all lanes and walls."""
        place = self._graph.waypoints[base]
        for further_m in FURTHER_M:
            reach_m = math.ceil(20.0 * (self.apart_m + further_m)) / 20.0
            for number in range(DIRECTIONS):
                angle = 2.0 * math.pi * number / DIRECTIONS
                x_m = round(place.x_m + reach_m * math.cos(angle), 2)
                y_m = round(place.y_m + reach_m * math.sin(angle), 2)
                if self._is_clear_of_walls(place.level, (place.x_m, place.y_m), (x_m, y_m)) and self.is_clear_of_lanes(
                    place.level, (x_m, y_m)
                ):
                    yield x_m, y_m

    def bays(self, before: WaypointId, after: WaypointId, past: WaypointId) -> Iterator[Point]:
        """Yield places beside ``past`` by which a robot passes one that stands there, from ``before`` to ``after``."""
        here, ends = self._at(past), (self._at(before), self._at(after))
        along = (ends[1][0] - ends[0][0], ends[1][1] - ends[0][1])
        length_m = math.hypot(*along)
        if length_m == 0.0 or min(distance_between(here, end) for end in ends) <= self.apart_m:
            return
        level = self._graph.waypoints[past].level
        for further_m in FURTHER_M:
            for side in (1.0, -1.0):
                out_m = side * (self.apart_m + further_m)
                x_m = round(here[0] - out_m * along[1] / length_m, 2)
                y_m = round(here[1] + out_m * along[0] / length_m, 2)
                legs = [(end, (x_m, y_m)) for end in ends]
                if all(distance_to_segment(here, *leg) >= self.apart_m for leg in legs) and all(
                    self._is_clear_of_walls(level, *leg) for leg in legs
                ):
                    yield x_m, y_m

    def width_m(self, level: LevelId, start: Point, end: Point) -> float | None:
        """Return twice the least distance of a segment to a drawn wall; None where the level has no walls."""
        walls = [wall for wall in self._site.walls if wall.level == level]
        if not walls:
            return None
        return 2.0 * min(distance_between_segments(start, end, wall.start, wall.end) for wall in walls)

    def is_clear_of_lanes(self, level: LevelId, point: Point) -> bool:
        """Whether a robot standing at ``point`` blocks no lane and no waypoint of any graph."""
        for graph in self._site.graphs.values():
            apart_m = self.radius_m + self._radii.get(graph.id, 0.0) + MARGIN_M
            for waypoint in graph.waypoints.values():
                if waypoint.level == level and distance_between(point, (waypoint.x_m, waypoint.y_m)) < apart_m:
                    return False
            for lane in graph.lanes.values():
                start, end = graph.waypoints.get(lane.start), graph.waypoints.get(lane.end)
                if start is None or end is None or not start.level == end.level == level:
                    continue
                if distance_to_segment(point, (start.x_m, start.y_m), (end.x_m, end.y_m)) < apart_m:
                    return False
        return True

    def _is_clear_of_walls(self, level: LevelId, start: Point, end: Point) -> bool:
        return all(
            distance_between_segments(start, end, wall.start, wall.end) >= self.radius_m
            for wall in self._site.walls
            if wall.level == level
        )

    def _at(self, waypoint: WaypointId) -> Point:
        place = self._graph.waypoints[waypoint]
        return place.x_m, place.y_m
