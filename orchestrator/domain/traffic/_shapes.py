"""What a robot covers of a floor: on a waypoint, along a lane, at a pose. Metres in the site frame, by shapely.

A `Cover` is a *core* and a *reach*: every point nearer to the core than the reach. A disc is a point with a reach, a
disc that drives is a line with one; so circles are never drawn as polygons, and distances of covers are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, cos, hypot, pi, sin

from shapely.geometry import GeometryCollection, LineString, Polygon
from shapely.geometry import Point as GeometryPoint
from shapely.geometry.base import BaseGeometry

from orchestrator.domain.fleet.model import Pose, RobotModel
from orchestrator.domain.site.model import Lane, LaneGraph, Lift, Orientation

Point = tuple[float, float]
Segment = tuple[Point, Point]

MARGIN_M = 0.05
"""Free width that must stay between two robots, in metres, whatever they are allowed to stray."""


@dataclass(frozen=True, slots=True)
class Cover:
    """All points nearer than ``reach_m`` to ``core``."""

    core: BaseGeometry
    reach_m: float

    def gap_m(self, other: Cover) -> float:
        """Return the free width between two covers in metres; negative by as much as they overlap."""
        return float(self.core.distance(other.core)) - self.reach_m - other.reach_m

    def touches(self, other: Cover) -> bool:
        """Whether less than the margin is free between two covers."""
        return self.gap_m(other) < MARGIN_M - 1e-9

    def area(self, *, beyond_m: float = 0.0) -> BaseGeometry:
        """Return the cover as an area, ``beyond_m`` wider all round; circles become polygons, for drawing only."""
        return self.core.buffer(self.reach_m + beyond_m)


def turning(model: RobotModel, at: Point) -> Cover:
    """Return what a robot covers that may turn on ``at`` to any heading: a disc."""
    return Cover(GeometryPoint(at), model.radius_m + model.deviation_m)


def standing(model: RobotModel, pose: Pose) -> Cover:
    """Return what a robot covers that stands at ``pose``."""
    at = (pose.x_m, pose.y_m)
    if not model.footprint:
        return turning(model, at)
    return Cover(_hull(_placed(model, at, pose.theta_rad)), model.deviation_m)


def driving(model: RobotModel, way: Segment, headings_rad: Sequence[float]) -> Cover:
    """Return what a robot covers that drives along ``way`` facing any of ``headings_rad``: its footprint, swept."""
    start, end = way
    if not model.footprint:
        core = LineString(way) if start != end else GeometryPoint(start)
        return Cover(core, model.radius_m + model.deviation_m)
    swept = [_hull([*_placed(model, start, heading), *_placed(model, end, heading)]) for heading in headings_rad]
    # Parts that overlap are as good as their union for distances, and much quicker.
    core = swept[0] if len(swept) == 1 else GeometryCollection(swept)
    return Cover(core, model.deviation_m)


def headings_of(lane: Lane, graph: LaneGraph) -> float:
    """Return how a robot faces on a lane, in radians; 0 on one that has no length."""
    start, end = graph.waypoints[lane.start], graph.waypoints[lane.end]
    heading = atan2(end.y_m - start.y_m, end.x_m - start.x_m)
    turned = heading + pi if lane.orientation is Orientation.BACKWARD else heading
    # Rounded, so that the two directions of a lane that is driven backwards one way face alike exactly.
    return round(turned % (2.0 * pi), 9)


def cabin(lift: Lift) -> Cover:
    """Return what a lift's cabin covers."""
    across, deep = lift.width_m / 2.0, lift.depth_m / 2.0
    corners = [(-across, -deep), (across, -deep), (across, deep), (-across, deep)]
    return Cover(Polygon([_turned(corner, (lift.x_m, lift.y_m), lift.yaw_rad) for corner in corners]), 0.0)


def passage(jambs: Segment) -> Cover:
    """Return the line between the jambs of a door."""
    return Cover(LineString(jambs), 0.0)


def without_end(way: Segment, *, index: int, by_m: float) -> Segment | None:
    """Return ``way`` without the ``by_m`` metres at its start (``index`` 0) or end (1); None when nothing is left."""
    near, far = (way[0], way[1]) if index == 0 else (way[1], way[0])
    length_m = hypot(far[0] - near[0], far[1] - near[1])
    if by_m >= length_m:
        return None
    share = by_m / length_m
    cut = (near[0] + (far[0] - near[0]) * share, near[1] + (far[1] - near[1]) * share)
    return (cut, far) if index == 0 else (far, cut)


def _hull(corners: Sequence[Point]) -> BaseGeometry:
    return LineString(corners).convex_hull


def _placed(model: RobotModel, at: Point, heading_rad: float) -> list[Point]:
    return [_turned(corner, at, heading_rad) for corner in model.footprint]


def _turned(corner: Point, at: Point, heading_rad: float) -> Point:
    c, s = cos(heading_rad), sin(heading_rad)
    return at[0] + c * corner[0] - s * corner[1], at[1] + s * corner[0] + c * corner[1]
