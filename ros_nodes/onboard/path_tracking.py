"""How far along its path a robot is, judged from where it says it is.

Navigation on hardware reports a pose, not an index. Progress only grows, and only a few segments ahead of the last
one are looked at, so that a path crossing itself is not mistaken for its later part.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ros_nodes.onboard.path_geometry import PathPoint, Pose

REACHED_M = 0.05
"""This close to a point (metres) it counts as reached."""

_SEGMENTS_AHEAD = 3


class PathTracker:
    """Counts the points of a path that a robot has reached, from observed poses.

    A point is reached when a pose comes within `REACHED_M` of it on its level, or lies nearer to a later segment than
    to the one that leads into it.
    """

    def __init__(self) -> None:
        self._points: list[PathPoint] = []
        self._reached = 0

    @property
    def points_reached(self) -> int:
        """Points reached since `start`, without the start itself."""
        return self._reached

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to reach."""
        return self._reached >= len(self._points) - 1

    @property
    def points(self) -> Sequence[PathPoint]:
        """The start and every point since."""
        return tuple(self._points)

    def start(self, pose: Pose, points: Sequence[PathPoint]) -> None:
        """Begin a new path at ``pose``."""
        self._points = [PathPoint(pose.x_m, pose.y_m, pose.level, heading_rad=pose.theta_rad), *points]
        self._reached = 0

    def extend(self, points: Sequence[PathPoint]) -> None:
        """Append points to the path."""
        self._points.extend(points)

    def drop_rest(self) -> None:
        """Forget the points not reached yet."""
        del self._points[self._reached + 1 :]

    def observe(self, pose: Pose) -> None:
        """Take in where the robot is now."""
        nearest = self._nearest_segment(pose)
        if nearest is not None:
            self._reached = max(self._reached, nearest)
        while not self.is_done and _is_at(pose, self._points[self._reached + 1]):
            self._reached += 1

    def _nearest_segment(self, pose: Pose) -> int | None:
        """Return the index of the segment the pose lies on; the earliest of equally near ones."""
        best, best_m = None, math.inf
        last = min(self._reached + _SEGMENTS_AHEAD, len(self._points) - 1)
        for index in range(self._reached, last):
            start, end = self._points[index], self._points[index + 1]
            if pose.level not in (start.level, end.level):
                continue
            away_m = _distance_to_segment(pose, start, end)
            if away_m < best_m - REACHED_M:
                best, best_m = index, away_m
        return best


def _is_at(pose: Pose, point: PathPoint) -> bool:
    return pose.level == point.level and math.hypot(pose.x_m - point.x_m, pose.y_m - point.y_m) <= REACHED_M


def _distance_to_segment(pose: Pose, start: PathPoint, end: PathPoint) -> float:
    """Distance in metres from ``pose`` to the segment, in the plane."""
    dx, dy = end.x_m - start.x_m, end.y_m - start.y_m
    length_squared = dx * dx + dy * dy
    share = 0.0
    if length_squared > 0.0:
        share = ((pose.x_m - start.x_m) * dx + (pose.y_m - start.y_m) * dy) / length_squared
    share = min(1.0, max(0.0, share))
    return math.hypot(pose.x_m - start.x_m - share * dx, pose.y_m - start.y_m - share * dy)
