"""The lane graphs of a building, by the rules of the upstream generator, in metres.

Vertices are numbered by first use in lane order, per level and per graph; a two-way lane is two lanes, the way back
following at once. So an export has the same indices as the graphs that upstream tools generate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType

from orchestrator.adapters.config.rmf.structure import PlacedFloor, ends_in_drawing, lift_at
from orchestrator.adapters.config.rmf.widths import width_from_walls_m
from orchestrator.adapters.config.site_file import opposite
from orchestrator.domain.site.geometry import distance_between, is_crossing
from orchestrator.domain.site.model import (
    Door,
    DoorId,
    GraphId,
    Lane,
    LaneGraph,
    LaneId,
    Level,
    LevelId,
    Lift,
    LiftId,
    Orientation,
    PropertyValue,
    Wall,
    Waypoint,
    WaypointId,
)

GRAPH_INDEX_MAX = 8
"""Index 9 is for the lanes of people."""

PARALLEL_DETERMINANT = 0.01
"""Below this (drawing units squared) a lane and a door are parallel; the upstream generator's value."""

_LANE_PROPERTIES = ("mutex", "demo_mock_floor_name", "demo_mock_lift_name")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What lanes lie among."""

    levels: Mapping[LevelId, Level]
    doors: Mapping[DoorId, Door]
    door_ids: Mapping[tuple[LevelId, int], DoorId]
    lifts: Mapping[LiftId, Lift]
    lifts_passing: Mapping[LiftId, frozenset[LevelId]]
    walls: Mapping[LevelId, tuple[Wall, ...]]


def lane_graphs_of(
    floors: list[PlacedFloor], around: Surroundings, graph_names: Mapping[int, str]
) -> dict[GraphId, LaneGraph]:
    """Return every lane graph that has a lane, by its index written as text."""
    indices = sorted({index for placed in floors for index in _graph_indices(placed)})
    return {
        GraphId(str(index)): _lane_graph(index, floors, around, graph_names.get(index, ""))
        for index in indices
        if 0 <= index <= GRAPH_INDEX_MAX
    }


def _graph_indices(placed: PlacedFloor) -> Iterator[int]:
    for edge in placed.floor.lanes:
        yield _graph_index(edge.properties)


def _graph_index(properties: Mapping[str, PropertyValue]) -> int:
    index = properties.get("graph_idx", 0)
    return index if isinstance(index, int) else 0


def _lane_graph(index: int, floors: list[PlacedFloor], around: Surroundings, name: str) -> LaneGraph:
    waypoints: dict[WaypointId, Waypoint] = {}
    lanes: dict[LaneId, Lane] = {}
    for placed in floors:
        ids: dict[int, WaypointId] = {}
        for edge in placed.floor.lanes:
            if _graph_index(edge.properties) != index:
                continue
            for vertex in (edge.start, edge.end):
                if vertex not in ids:
                    ids[vertex] = WaypointId(f"g{index}.{placed.level}.{len(ids)}")
                    waypoints[ids[vertex]] = _waypoint(ids[vertex], vertex, placed, around)
        _add_lanes(lanes, index, placed, ids, waypoints, around)
    for start, end, width_m in _lift_rides(waypoints, around):
        ride = Lane(id=LaneId(""), start=start.id, end=end.id, width_m=width_m)
        for lane in _pair(ride, lanes):
            lanes[lane.id] = lane
    return LaneGraph(id=GraphId(str(index)), waypoints=waypoints, lanes=lanes, name=name)


def _waypoint(id: WaypointId, vertex_index: int, placed: PlacedFloor, around: Surroundings) -> Waypoint:
    vertex = placed.floor.vertices[vertex_index]
    point = placed.point_m(vertex_index)
    lift = lift_at(placed.transform.point_m(vertex.x, vertex.y), placed.level, around.lifts, around.lifts_passing)
    return Waypoint(
        id=id,
        level=placed.level,
        x_m=point[0],
        y_m=point[1],
        name=vertex.name,
        lift=lift,
        may_stop=lift is None and vertex.properties.get("is_passthrough_point") is not True,
        properties=MappingProxyType(dict(vertex.properties)),
    )


def _add_lanes(
    lanes: dict[LaneId, Lane],
    index: int,
    placed: PlacedFloor,
    ids: Mapping[int, WaypointId],
    waypoints: Mapping[WaypointId, Waypoint],
    around: Surroundings,
) -> None:
    for edge in placed.floor.lanes:
        if _graph_index(edge.properties) != index or edge.start == edge.end:
            continue
        start, end = waypoints[ids[edge.start]], waypoints[ids[edge.end]]
        door_id: DoorId | None = None
        for number, door in enumerate(placed.floor.doors):
            crossing = (*ends_in_drawing(placed.floor, edge), *ends_in_drawing(placed.floor, door))
            if is_crossing(*crossing, parallel_below=PARALLEL_DETERMINANT):
                door_id = around.door_ids[placed.level, number]
        width_m = width_from_walls_m(
            (start.x_m, start.y_m),
            (end.x_m, end.y_m),
            around.walls.get(placed.level, ()),
            around.doors[door_id] if door_id is not None else None,
        )
        lane = _lane(start.id, end.id, edge.properties, door_id, width_m)
        is_two_way = edge.properties.get("bidirectional", False) is True
        for each in _pair(lane, lanes, is_two_way=is_two_way):
            lanes[each.id] = each


def _lane(
    start: WaypointId,
    end: WaypointId,
    properties: Mapping[str, PropertyValue],
    door: DoorId | None,
    width_m: float,
) -> Lane:
    speed = properties.get("speed_limit", 0.0)
    orientation = properties.get("orientation", "")
    return Lane(
        id=LaneId(""),
        start=start,
        end=end,
        width_m=width_m,
        is_width_estimated=True,
        speed_limit_m_s=float(speed) if isinstance(speed, (int, float)) and speed > 0 else None,
        door=door,
        orientation=Orientation(orientation) if orientation in ("forward", "backward") else None,
        properties=MappingProxyType({key: properties[key] for key in _LANE_PROPERTIES if properties.get(key)}),
    )


def _pair(lane: Lane, taken: Mapping[LaneId, Lane], *, is_two_way: bool = True) -> Iterator[Lane]:
    """Yield the lane and, if two-way, the lane back, with ids not yet taken."""
    there, back = LaneId(f"{lane.start}~{lane.end}"), LaneId(f"{lane.end}~{lane.start}")
    number = 2
    while there in taken or (is_two_way and back in taken):
        there = LaneId(f"{lane.start}~{lane.end}~{number}")
        back = LaneId(f"{there}~back")
        number += 1
    yield replace(lane, id=there, reverse=back if is_two_way else None)
    if is_two_way:
        orientation = opposite(lane.orientation)
        yield replace(lane, id=back, start=lane.end, end=lane.start, reverse=there, orientation=orientation)


def _lift_rides(
    waypoints: Mapping[WaypointId, Waypoint], around: Surroundings
) -> Iterator[tuple[Waypoint, Waypoint, float]]:
    """Yield the rides between neighbouring levels of each lift, from the lowest up, and the cabin's smaller side."""
    for lift in around.lifts.values():
        by_height = sorted(lift.levels, key=lambda level: around.levels[level].elevation_m)
        inside = [
            [each for each in waypoints.values() if each.lift == lift.id and each.level == id] for id in by_height
        ]
        for below, above in pairwise([on_level for on_level in inside if on_level]):
            for start in below:
                end = min(above, key=lambda other: distance_between((start.x_m, start.y_m), (other.x_m, other.y_m)))
                yield start, end, min(lift.width_m, lift.depth_m)
