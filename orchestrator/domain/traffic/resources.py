"""Unit resources of a lane graph, and which of them two robots may not hold at once.

A robot holds a waypoint while it stands there or is on its way to or from it, and a lane while it is on it; the lane
brings its door and its lift, a cabin waypoint its lift. Ids are strings: ``waypoint:ID``, ``lane:ID`` (one for both
directions), ``door:ID`` and ``lift:ID``.

Two resources conflict when robots that use them could touch: when the circles of ``radius_m`` and half the margin,
somewhere on one and somewhere on the other, overlap. Lanes that share a waypoint are compared outside its
neighbourhood only: inside it the waypoint, which both must hold, keeps them apart. That needs the rule that a robot
gives back a waypoint and the lane out of it when it reaches the lane's other end, not before. Linter and monitor
share this relation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import TypeVar

from orchestrator.domain.site.model import Lane, LaneGraph, LaneId, LevelId, LiftId, Site, WaypointId
from orchestrator.domain.traffic._geometry import Point, Segment, point_segment_m, segments_m, shortened
from orchestrator.domain.traffic.errors import UnknownPlaceError

_Key = TypeVar("_Key", bound=str)


class ResourceMap:
    """The resources of one lane graph for robots of one radius.

    Sets of resources are also offered as bit masks (``mask``, ``conflicts``), which is what makes the monitor fast.

    Parameters
    ----------
    waypoints, lanes : mapping
        Resource ids of each waypoint and of each lane.
    pairs : iterable of (str, str)
        Pairs of different resources that conflict. A resource always conflicts with itself.
    """

    def __init__(
        self,
        *,
        waypoints: Mapping[WaypointId, frozenset[str]],
        lanes: Mapping[LaneId, frozenset[str]],
        pairs: Iterable[tuple[str, str]],
    ) -> None:
        self._waypoints = waypoints
        self._lanes = lanes
        self.ids: tuple[str, ...] = tuple(sorted({r for ids in (*waypoints.values(), *lanes.values()) for r in ids}))
        self._index = {resource: i for i, resource in enumerate(self.ids)}
        self._conflicts = [1 << i for i in range(len(self.ids))]
        for one, other in pairs:
            i, j = self._index[one], self._index[other]
            self._conflicts[i] |= 1 << j
            self._conflicts[j] |= 1 << i

    def of_waypoint(self, waypoint: WaypointId) -> frozenset[str]:
        """Return what a robot holds to stand at ``waypoint``: the waypoint, and the lift if it is a cabin."""
        return _known(self._waypoints, waypoint, "waypoint")

    def of_lane(self, lane: LaneId) -> frozenset[str]:
        """Return what a robot holds to be on ``lane``: the segment, its door, its lift; not its ends."""
        return _known(self._lanes, lane, "lane")

    def of_route(self, waypoint: WaypointId, lanes: Sequence[LaneId], graph: LaneGraph) -> frozenset[str]:
        """Return all that a robot at ``waypoint`` holds that is to drive ``lanes``."""
        held = set(self.of_waypoint(waypoint))
        for lane in lanes:
            held |= self.of_lane(lane) | self.of_waypoint(graph.lanes[lane].end)
        return frozenset(held)

    def conflicting(self, resource: str) -> frozenset[str]:
        """Return the resources that nobody else may hold while one robot holds ``resource``; it is one of them."""
        if resource not in self._index:
            raise UnknownPlaceError(f"There is no resource {resource}; expected an id of this resource map.")
        return self.names(self._conflicts[self._index[resource]])

    def mask(self, resources: Iterable[str]) -> int:
        """Return the bit set of ``resources``; ids that this map does not know are refused.

        Raises
        ------
        UnknownPlaceError
            A resource is not of this lane graph, for instance because the site has changed since it was held.
        """
        mask = 0
        for resource in resources:
            if resource not in self._index:
                raise UnknownPlaceError(
                    f"There is no resource {resource} on this lane graph; after a change of the site, release what "
                    "robots held on the old one.",
                    detail={"resource": resource},
                )
            mask |= 1 << self._index[resource]
        return mask

    def names(self, mask: int) -> frozenset[str]:
        """Return the ids of a bit set."""
        return frozenset(self.ids[i] for i in _bits(mask))

    def conflicts(self, mask: int) -> int:
        """Return the bit set of all that conflicts with anything in ``mask``."""
        found = 0
        for i in _bits(mask):
            found |= self._conflicts[i]
        return found


@dataclass(frozen=True, slots=True)
class _Shape:
    """A resource's place on one level: a segment, of no length for a waypoint, and the waypoints at its ends."""

    resource: str
    segment: Segment
    ends: frozenset[WaypointId]

    @property
    def is_lane(self) -> bool:
        return len(self.ends) > 1


def compile_resources(site: Site, graph: LaneGraph, *, radius_m: float, margin_m: float = 0.05) -> ResourceMap:
    """Return the resources of ``graph`` and their conflicts for robots of one size.

    Parameters
    ----------
    site : Site
        Where the doors and lifts that lanes and waypoints name are.
    graph : LaneGraph
        The lane graph the robots drive on.
    radius_m : float
        Radius of the circle around the footprint, in metres.
    margin_m : float
        Free width that must stay between two robots, in metres.
    """
    apart_m = 2.0 * radius_m + margin_m
    waypoints = {w.id: _waypoint_resources(w.id, w.lift) for w in graph.waypoints.values()}
    segments = _segment_names(graph)
    lanes = {lane.id: _lane_resources(lane, segments[lane.id], graph, site) for lane in graph.lanes.values()}
    pairs: set[tuple[str, str]] = set()
    for level in sorted({w.level for w in graph.waypoints.values()}):
        for one, other in _near(_shapes(graph, segments, level), apart_m):
            if _may_touch(one, other, apart_m, graph):
                pairs.add((one.resource, other.resource))
    return ResourceMap(waypoints=waypoints, lanes=lanes, pairs=sorted(pairs))


def _segment_names(graph: LaneGraph) -> dict[LaneId, str]:
    """Name the segment under each lane: by the first lane, in id order, between the same two waypoints."""
    first: dict[frozenset[WaypointId], LaneId] = {}
    for lane in sorted(graph.lanes.values(), key=lambda lane: lane.id):
        first.setdefault(frozenset((lane.start, lane.end)), lane.id)
    return {lane.id: f"lane:{first[frozenset((lane.start, lane.end))]}" for lane in graph.lanes.values()}


def _waypoint_resources(waypoint: WaypointId, lift: LiftId | None) -> frozenset[str]:
    own = f"waypoint:{waypoint}"
    return frozenset({own}) if lift is None else frozenset({own, f"lift:{lift}"})


def _lane_resources(lane: Lane, segment: str, graph: LaneGraph, site: Site) -> frozenset[str]:
    held = {segment}
    if lane.door is not None and lane.door in site.doors:
        held.add(f"door:{lane.door}")
    # Driving in or out, the robot stands in the cabin's doorway: the lift is its own until it is through.
    for end in (lane.start, lane.end):
        lift = graph.waypoints[end].lift
        if lift is not None:
            held.add(f"lift:{lift}")
    return frozenset(held)


def _shapes(graph: LaneGraph, segments: Mapping[LaneId, str], level: LevelId) -> list[_Shape]:
    shapes: dict[str, _Shape] = {}
    for waypoint in graph.waypoints.values():
        if waypoint.level == level:
            at: Point = (waypoint.x_m, waypoint.y_m)
            name = f"waypoint:{waypoint.id}"
            shapes[name] = _Shape(name, (at, at), frozenset({waypoint.id}))
    for lane in graph.lanes.values():
        start, end = graph.waypoints[lane.start], graph.waypoints[lane.end]
        if start.level == end.level == level and lane.start != lane.end:
            segment = ((start.x_m, start.y_m), (end.x_m, end.y_m))
            shapes[segments[lane.id]] = _Shape(segments[lane.id], segment, frozenset({lane.start, lane.end}))
    return [shapes[name] for name in sorted(shapes)]


def _near(shapes: Sequence[_Shape], apart_m: float) -> Iterator[tuple[_Shape, _Shape]]:
    """Yield each pair that shares a cell of a grid once; every pair nearer than ``apart_m`` is among them."""
    cell_m = max(2.0, apart_m)
    cells: dict[tuple[int, int], list[int]] = defaultdict(list)
    for i, shape in enumerate(shapes):
        (ax, ay), (bx, by) = shape.segment
        reach = apart_m / 2.0 + 1e-6
        for column in range(floor((min(ax, bx) - reach) / cell_m), floor((max(ax, bx) + reach) / cell_m) + 1):
            for row in range(floor((min(ay, by) - reach) / cell_m), floor((max(ay, by) + reach) / cell_m) + 1):
                cells[column, row].append(i)
    seen: set[tuple[int, int]] = set()
    for members in cells.values():
        for k, i in enumerate(members):
            for j in members[k + 1 :]:
                if (i, j) not in seen:
                    seen.add((i, j))
                    yield shapes[i], shapes[j]


def _may_touch(one: _Shape, other: _Shape, apart_m: float, graph: LaneGraph) -> bool:
    shared = one.ends & other.ends
    if not shared:
        return _distance_m(one, other) < apart_m
    if not (one.is_lane and other.is_lane):
        return False
    for waypoint in sorted(shared):
        first, second = (_outside(shape.segment, waypoint, apart_m, graph) for shape in (one, other))
        if first is not None and second is not None and segments_m(first, second) < apart_m - 1e-9:
            return True
    return False


def _outside(segment: Segment, waypoint: WaypointId, apart_m: float, graph: LaneGraph) -> Segment | None:
    place = graph.waypoints[waypoint]
    is_start = segment[0] == (place.x_m, place.y_m)
    return shortened(segment, start_m=apart_m if is_start else 0.0, end_m=0.0 if is_start else apart_m)


def _distance_m(one: _Shape, other: _Shape) -> float:
    if not one.is_lane:
        return point_segment_m(one.segment[0], other.segment)
    if not other.is_lane:
        return point_segment_m(other.segment[0], one.segment)
    return segments_m(one.segment, other.segment)


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _known(of: Mapping[_Key, frozenset[str]], key: _Key, kind: str) -> frozenset[str]:
    if key not in of:
        raise UnknownPlaceError(f"The lane graph has no {kind} {key}.", detail={kind: key})
    return of[key]
