"""The path a robot is asked to follow, cut into straights and turns in place.

Frame: the site's map frame (z up, metres, radians); levels share it. Heading is the direction of travel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

GENTLE_CORNER_RAD = 0.35
"""Corners up to this angle (radians) are taken while driving; sharper ones are turned in place, standing."""

BLEND_LENGTH_M = 0.6
"""Over this distance (metres) after a gentle corner the heading swings to the new direction."""

SAME_HEADING_RAD = 1e-3
"""A robot this close to a heading (radians) faces it."""

SAME_PLACE_M = 1e-6
"""Points closer than this (metres) are one place."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a robot stands: level, metres and radians in the map frame."""

    level: str
    x_m: float
    y_m: float
    theta_rad: float = 0.0


@dataclass(frozen=True, slots=True)
class PathPoint:
    """A point to drive through.

    The speed limit (m/s) holds on the way into it, None means the robot's own. Where ``heading_rad`` is given the robot
    turns to it, standing, before the point counts as reached.
    """

    x_m: float
    y_m: float
    level: str
    speed_limit_m_s: float | None = None
    heading_rad: float | None = None


@dataclass(frozen=True, slots=True)
class Straight:
    """A straight piece: start, unit direction, length, speed cap, and the heading swing along it.

    ``point`` is the index of the path point at its end, or None inside a segment. A piece of length zero changes
    the level.
    """

    x_m: float
    y_m: float
    direction: tuple[float, float]
    length_m: float
    cap_m_s: float
    heading_rad: float
    swing_rad: float
    level: str
    point: int | None

    def pose_at(self, distance_m: float) -> Pose:
        """Return the pose after ``distance_m`` metres of this piece."""
        share = 1.0 if self.length_m <= 0.0 else distance_m / self.length_m
        return Pose(
            self.level,
            self.x_m + self.direction[0] * distance_m,
            self.y_m + self.direction[1] * distance_m,
            wrapped(self.heading_rad - self.swing_rad * (1.0 - share)),
        )


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn in place by ``angle_rad`` (signed, at most half a turn) that starts at heading ``start_rad``.

    ``point`` is the index of the path point that is reached with it, if any.
    """

    x_m: float
    y_m: float
    level: str
    start_rad: float
    angle_rad: float
    point: int | None = None

    @property
    def end_rad(self) -> float:
        """Heading after the turn."""
        return wrapped(self.start_rad + self.angle_rad)

    def pose_at(self, angle_done_rad: float) -> Pose:
        """Return the pose after turning ``angle_done_rad`` (not negative) of the way."""
        heading = self.start_rad + math.copysign(angle_done_rad, self.angle_rad)
        return Pose(self.level, self.x_m, self.y_m, wrapped(heading))


Piece = Straight | Turn


def wrapped(angle_rad: float) -> float:
    """Return ``angle_rad`` in [-pi, pi), in radians."""
    return (angle_rad + math.pi) % (2.0 * math.pi) - math.pi


def pieces_between(
    start: Pose, points: Sequence[PathPoint], *, first_index: int, speed_max_m_s: float, turn_speed_max_rad_s: float
) -> list[Piece]:
    """Cut the way from ``start`` through ``points`` into straights and turns.

    Parameters
    ----------
    start : Pose
        Where the way begins, and the heading the robot has there.
    points : sequence of PathPoint
        The points to pass, in order.
    first_index : int
        Index of the first of them in the whole path.
    speed_max_m_s, turn_speed_max_rad_s : float
        What the robot can do; on a gentle corner the speed is capped so that the turn speed stays within its limit.

    Returns
    -------
    list of Straight or Turn
        The last piece of each segment names the index of the point it ends at.
    """
    pieces: list[Piece] = []
    here = start
    for index, point in enumerate(points, first_index):
        cap_m_s = min(speed_max_m_s, point.speed_limit_m_s or speed_max_m_s)
        way = _way_to(here, point, cap_m_s, turn_speed_max_rad_s)
        last = way[-1]
        heading = last.end_rad if isinstance(last, Turn) else last.heading_rad
        pieces.extend(way[:-1])
        pieces.append(replace(last, point=index))
        here = Pose(point.level, point.x_m, point.y_m, heading)
    return pieces


def _way_to(here: Pose, point: PathPoint, cap_m_s: float, turn_speed_max_rad_s: float) -> list[Piece]:
    """Return at least one piece: a turn towards the point, the way there, its level, the heading asked for."""
    segment = _segment(here, point, cap_m_s, turn_speed_max_rad_s)
    way: list[Piece] = []
    heading = here.theta_rad
    if segment:
        corner = wrapped(segment[0].heading_rad - heading)
        heading = segment[-1].heading_rad
        if abs(corner) > GENTLE_CORNER_RAD:
            way.append(Turn(here.x_m, here.y_m, here.level, here.theta_rad, corner))
        way.extend(segment)
    if not segment or point.level != here.level:
        # A lift ride: the place stays, the level is taken over at the point itself.
        way.append(Straight(point.x_m, point.y_m, (0.0, 0.0), 0.0, cap_m_s, heading, 0.0, point.level, None))
    if point.heading_rad is not None:
        angle = wrapped(point.heading_rad - heading)
        if abs(angle) > SAME_HEADING_RAD:
            way.append(Turn(point.x_m, point.y_m, point.level, heading, angle))
    return way


def _segment(here: Pose, point: PathPoint, cap_m_s: float, turn_speed_max_rad_s: float) -> list[Straight]:
    """Cut the straight way to ``point`` where a gentle corner makes its beginning slower; empty at the same place."""
    dx, dy = point.x_m - here.x_m, point.y_m - here.y_m
    length = math.hypot(dx, dy)
    if length <= SAME_PLACE_M:
        return []
    heading = math.atan2(dy, dx)
    direction = (dx / length, dy / length)
    corner = abs(wrapped(heading - here.theta_rad))
    blend = min(BLEND_LENGTH_M, length) if SAME_PLACE_M < corner <= GENTLE_CORNER_RAD else 0.0
    segment: list[Straight] = []
    if blend > 0.0:
        slow = min(cap_m_s, turn_speed_max_rad_s * blend / corner)
        swing = wrapped(heading - here.theta_rad)
        segment.append(Straight(here.x_m, here.y_m, direction, blend, slow, heading, swing, here.level, None))
    if length - blend > SAME_PLACE_M:
        x, y = here.x_m + direction[0] * blend, here.y_m + direction[1] * blend
        segment.append(Straight(x, y, direction, length - blend, cap_m_s, heading, 0.0, here.level, None))
    return segment
