"""Unit resources: what a robot of one model holds to be at a waypoint of its lane graph, or on a lane of it.

A robot holds a waypoint while it stands there or is on its way to or from it, and a lane while it is on it; the lane
brings its door and its lift, a cabin waypoint its lift. Ids are strings. ``waypoint:ID@MODEL`` and ``lane:ID@MODEL``
(one for both directions) are a model's own, because another model covers other ground there; ``door:ID`` and
``lift:ID`` are everybody's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from orchestrator.domain.fleet.model import RobotModel
from orchestrator.domain.site.model import Lane, LaneGraph, LaneId, LiftId, Site, WaypointId
from orchestrator.domain.traffic.errors import UnknownPlaceError

_Key = TypeVar("_Key", bound=str)


@dataclass(frozen=True, slots=True)
class Segment:
    """The ground under a lane, or under both directions of a two-way one: its resource, its ends and the lanes."""

    resource: str
    start: WaypointId
    end: WaypointId
    lanes: tuple[Lane, ...]


class Holdings:
    """What robots of one model hold.

    Parameters
    ----------
    site : Site
        Where the doors and lifts that lanes and waypoints name are.
    model : RobotModel
        Whose; it drives on its own lane graph.
    """

    def __init__(self, site: Site, model: RobotModel) -> None:
        if model.graph not in site.graphs:
            raise UnknownPlaceError(
                f"Model {model.id} drives on lane graph {model.graph}, which site {site.id} does not have; "
                f"it has {', '.join(site.graphs)}.",
                detail={"graph": model.graph},
            )
        self.model = model
        self.graph: LaneGraph = site.graphs[model.graph]
        self.segments: tuple[Segment, ...] = tuple(_segments(self.graph, model))
        self._waypoints = {w.id: _of_waypoint(w.id, w.lift, model) for w in self.graph.waypoints.values()}
        self._lanes = {
            lane.id: _of_lane(lane, segment.resource, self.graph, site)
            for segment in self.segments
            for lane in segment.lanes
        }

    @property
    def lanes(self) -> frozenset[LaneId]:
        """The lanes of the graph that lead from a waypoint to a waypoint."""
        return frozenset(self._lanes)

    @property
    def ids(self) -> frozenset[str]:
        """All resources that a robot of this model can hold."""
        return frozenset[str]().union(*self._waypoints.values(), *self._lanes.values())

    def own(self, waypoint: WaypointId) -> str:
        """Return the resource that is the waypoint itself."""
        return _waypoint_id(waypoint, self.model)

    def of_waypoint(self, waypoint: WaypointId) -> frozenset[str]:
        """Return what a robot holds to stand at ``waypoint``: the waypoint, and the lift if it is a cabin."""
        return _known(self._waypoints, waypoint, "waypoint")

    def of_lane(self, lane: LaneId) -> frozenset[str]:
        """Return what a robot holds to be on ``lane``: the segment, its door, its lift; not its ends."""
        return _known(self._lanes, lane, "lane")

    def of_route(self, waypoint: WaypointId, lanes: Sequence[LaneId]) -> frozenset[str]:
        """Return all that a robot at ``waypoint`` holds that is to drive ``lanes``."""
        held = set(self.of_waypoint(waypoint))
        for lane in lanes:
            held |= self.of_lane(lane) | self.of_waypoint(self.graph.lanes[lane].end)
        return frozenset(held)


def door_id(door: str) -> str:
    """Return the resource of a door's passage."""
    return f"door:{door}"


def lift_id(lift: str) -> str:
    """Return the resource of a lift."""
    return f"lift:{lift}"


def _waypoint_id(waypoint: WaypointId, model: RobotModel) -> str:
    return f"waypoint:{waypoint}@{model.id}"


def _segments(graph: LaneGraph, model: RobotModel) -> Iterator[Segment]:
    """Yield the ground under the lanes, named by the first lane, in id order, between the same two waypoints."""
    between: dict[frozenset[WaypointId], list[Lane]] = {}
    # A lane that names an unknown waypoint is left out: the linter reports it, and nothing can drive on it.
    known = (lane for lane in graph.lanes.values() if lane.start in graph.waypoints and lane.end in graph.waypoints)
    for lane in sorted(known, key=lambda lane: lane.id):
        between.setdefault(frozenset((lane.start, lane.end)), []).append(lane)
    for lanes in between.values():
        first = lanes[0]
        yield Segment(f"lane:{first.id}@{model.id}", first.start, first.end, tuple(lanes))


def _of_waypoint(waypoint: WaypointId, lift: LiftId | None, model: RobotModel) -> frozenset[str]:
    own = _waypoint_id(waypoint, model)
    return frozenset({own}) if lift is None else frozenset({own, lift_id(lift)})


def _of_lane(lane: Lane, segment: str, graph: LaneGraph, site: Site) -> frozenset[str]:
    held = {segment}
    if lane.door is not None and lane.door in site.doors:
        held.add(door_id(lane.door))
    # Driving in or out, the robot stands in the cabin's doorway: the lift is its own until it is through.
    for end in (lane.start, lane.end):
        lift = graph.waypoints[end].lift
        if lift is not None:
            held.add(lift_id(lift))
    return frozenset(held)


def _known(of: Mapping[_Key, frozenset[str]], key: _Key, kind: str) -> frozenset[str]:
    if key not in of:
        raise UnknownPlaceError(f"The lane graph has no {kind} {key}.", detail={kind: key})
    return of[key]
