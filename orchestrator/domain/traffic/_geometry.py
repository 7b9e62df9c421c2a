"""Distances between points and segments in the plane, in metres."""

from __future__ import annotations

from math import hypot

Point = tuple[float, float]
Segment = tuple[Point, Point]


def point_segment_m(point: Point, segment: Segment) -> float:
    """Return the distance from ``point`` to the nearest point of ``segment``."""
    (ax, ay), (bx, by) = segment
    dx, dy = bx - ax, by - ay
    length2 = dx * dx + dy * dy
    along = 0.0 if length2 == 0.0 else ((point[0] - ax) * dx + (point[1] - ay) * dy) / length2
    along = min(1.0, max(0.0, along))
    return hypot(point[0] - ax - along * dx, point[1] - ay - along * dy)


def segments_m(first: Segment, second: Segment) -> float:
    """Return the distance between two segments; 0 when they cross or touch."""
    if _cross(first, second):
        return 0.0
    return min(
        point_segment_m(first[0], second),
        point_segment_m(first[1], second),
        point_segment_m(second[0], first),
        point_segment_m(second[1], first),
    )


def shortened(segment: Segment, *, start_m: float, end_m: float) -> Segment | None:
    """Return the segment without its first ``start_m`` and last ``end_m`` metres; None when nothing is left."""
    (ax, ay), (bx, by) = segment
    length = hypot(bx - ax, by - ay)
    if start_m + end_m >= length:
        return None
    ux, uy = (bx - ax) / length, (by - ay) / length
    return (ax + ux * start_m, ay + uy * start_m), (bx - ux * end_m, by - uy * end_m)


def _cross(first: Segment, second: Segment) -> bool:
    a, b = first
    c, d = second
    return _turn(a, b, c) * _turn(a, b, d) < 0.0 and _turn(c, d, a) * _turn(c, d, b) < 0.0


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
