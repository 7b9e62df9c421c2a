"""Plane geometry of a floor: distances and crossings of points and segments, in metres in the site frame."""

from __future__ import annotations

import math

Point = tuple[float, float]

ON_EDGE_M2 = 1e-9
"""A point counts as on a segment when the triangle with its ends is smaller than this, in m²."""

PARALLEL_DETERMINANT = 1e-9
"""Below this determinant (m²) two segments count as parallel, and parallel segments do not cross."""


def distance_between(a: Point, b: Point) -> float:
    """Distance of two points in metres."""
    return math.hypot(b[0] - a[0], b[1] - a[1])


def distance_to_segment(point: Point, start: Point, end: Point) -> float:
    """Least distance in metres from a point to the segment from ``start`` to ``end``."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length_squared = dx * dx + dy * dy
    if length_squared == 0.0:
        return distance_between(point, start)
    along = ((point[0] - start[0]) * dx + (point[1] - start[1]) * dy) / length_squared
    along = min(1.0, max(0.0, along))
    return math.hypot(point[0] - start[0] - along * dx, point[1] - start[1] - along * dy)


def is_crossing(a: Point, b: Point, c: Point, d: Point, *, parallel_below: float = PARALLEL_DETERMINANT) -> bool:
    """Whether segment ``a b`` meets segment ``c d``; touching end points count, parallel segments never do.

    Parameters
    ----------
    a, b, c, d : (float, float)
        Ends of the two segments, all in one unit.
    parallel_below : float
        The absolute determinant under which the two count as parallel, in that unit squared.
    """
    ab_x, ab_y = b[0] - a[0], b[1] - a[1]
    cd_x, cd_y = d[0] - c[0], d[1] - c[1]
    determinant = ab_x * cd_y - ab_y * cd_x
    if abs(determinant) < parallel_below:
        return False
    ac_x, ac_y = c[0] - a[0], c[1] - a[1]
    along_ab = (ac_x * cd_y - ac_y * cd_x) / determinant
    along_cd = (ac_x * ab_y - ac_y * ab_x) / determinant
    return 0.0 <= along_ab <= 1.0 and 0.0 <= along_cd <= 1.0


def distance_between_segments(a: Point, b: Point, c: Point, d: Point) -> float:
    """Least distance in metres between segments ``a b`` and ``c d``; 0 where they cross."""
    if is_crossing(a, b, c, d):
        return 0.0
    return min(
        distance_to_segment(a, c, d),
        distance_to_segment(b, c, d),
        distance_to_segment(c, a, b),
        distance_to_segment(d, a, b),
    )


def in_frame_of(point: Point, centre: Point, yaw_rad: float) -> Point:
    """Return a point in the frame that lies at ``centre``, turned by ``yaw_rad``."""
    dx, dy = point[0] - centre[0], point[1] - centre[1]
    cos, sin = math.cos(yaw_rad), math.sin(yaw_rad)
    return cos * dx + sin * dy, cos * dy - sin * dx


def is_in_rectangle(point: Point, centre: Point, *, yaw_rad: float, width_m: float, depth_m: float) -> bool:
    """Whether a point lies in a turned rectangle: ``width_m`` along its own x, ``depth_m`` along its own y."""
    x_m, y_m = in_frame_of(point, centre, yaw_rad)
    return abs(x_m) <= width_m / 2 and abs(y_m) <= depth_m / 2


def distance_to_rectangle(point: Point, centre: Point, *, yaw_rad: float, width_m: float, depth_m: float) -> float:
    """Least distance in metres from a point to a turned rectangle; 0 inside it. See `is_in_rectangle`."""
    x_m, y_m = in_frame_of(point, centre, yaw_rad)
    return math.hypot(max(abs(x_m) - width_m / 2, 0.0), max(abs(y_m) - depth_m / 2, 0.0))


def edges_of(outline: tuple[Point, ...]) -> list[tuple[Point, Point]]:
    """Return the edges of a polygon, the last corner joined to the first."""
    return list(zip(outline, (*outline[1:], *outline[:1]), strict=True))


def is_in_polygon(point: Point, outline: tuple[Point, ...]) -> bool:
    """Whether a point is inside a simple polygon, by the crossings of a ray to the east; its edge counts as inside."""
    x, y = point
    is_inside = False
    for (ax, ay), (bx, by) in edges_of(outline):
        if _is_on_segment(point, (ax, ay), (bx, by)):
            return True
        if (ay > y) != (by > y) and x < ax + (y - ay) * (bx - ax) / (by - ay):
            is_inside = not is_inside
    return is_inside


def _is_on_segment(point: Point, a: Point, b: Point) -> bool:
    (x, y), (ax, ay), (bx, by) = point, a, b
    turn = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
    is_between = min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by)
    return abs(turn) <= ON_EDGE_M2 and is_between
