"""The maps that a robot drives by, and the site frame: poses outwards and inwards, and fitting one to the other.

A robot of another maker was taught its own maps: other ids, another origin, another direction for x. One frame per
level says how they lie; only here is a position in a robot's map, everything further in is in the site frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import atan2, cos, degrees, hypot, pi, sin, sqrt

from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.fleet.model import Pose
from orchestrator.domain.site.model import LevelId

Point = tuple[float, float]

SPREAD_MIN_M = 1.0
"""Pairs of points nearer together than this, in metres, say nothing about a rotation."""

SCALE_TOLERANCE = 0.02
"""How far from 1 the ratio of distances may be: a map at another scale is no map of the same house."""


class MapFrameError(InvalidInputError):
    """A map cannot be laid over the site."""

    code = "map_frame"


@dataclass(frozen=True, slots=True)
class MapFrame:
    """Where a robot's map lies in the site: its origin in metres, its x axis turned counter-clockwise in radians."""

    map_id: str
    x_m: float = 0.0
    y_m: float = 0.0
    rotation_rad: float = 0.0

    def outward(self, point: Point) -> Point:
        """Return a point of the site in the robot's map."""
        dx, dy = point[0] - self.x_m, point[1] - self.y_m
        c, s = cos(self.rotation_rad), sin(self.rotation_rad)
        return c * dx + s * dy, -s * dx + c * dy

    def in_words(self) -> str:
        """Return where the map lies, for people."""
        if (self.x_m, self.y_m, self.rotation_rad) == (0.0, 0.0, 0.0):
            return "in the site's own frame, nothing moved or turned"
        return f"its origin at ({self.x_m:.2f}, {self.y_m:.2f}) m in the site, turned {degrees(self.rotation_rad):.1f}°"

    def inward(self, point: Point) -> Point:
        """Return a point of the robot's map in the site."""
        c, s = cos(self.rotation_rad), sin(self.rotation_rad)
        return self.x_m + c * point[0] - s * point[1], self.y_m + s * point[0] + c * point[1]


@dataclass(frozen=True, slots=True)
class MapPose:
    """A pose in a robot's own map: metres, radians in [-pi, pi)."""

    map_id: str
    x: float
    y: float
    theta: float


@dataclass(frozen=True)
class MapFrames:
    """A robot's maps by level. Without any, map ids are level ids and all lie in the site frame as they are.

    Raises
    ------
    MapFrameError
        Two levels have the same map.
    """

    by_level: Mapping[LevelId, MapFrame] = field(default_factory=dict[LevelId, MapFrame])

    def __post_init__(self) -> None:
        if len({frame.map_id for frame in self.by_level.values()}) != len(self.by_level):
            raise MapFrameError("Two levels have one robot map; expected a map of its own for each level.")

    def outward(self, pose: Pose) -> MapPose:
        """Return a pose of the site as the robot has it; a level without a map goes out as it is."""
        frame = self.by_level.get(pose.level)
        if frame is None:
            return MapPose(pose.level, pose.x_m, pose.y_m, wrapped_rad(pose.theta_rad))
        x, y = frame.outward((pose.x_m, pose.y_m))
        return MapPose(frame.map_id, x, y, wrapped_rad(pose.theta_rad - frame.rotation_rad))

    def inward(self, pose: MapPose) -> Pose | None:
        """Return the pose in the site, None when the map is none of the robot's."""
        if not self.by_level:
            return Pose(level=LevelId(pose.map_id), x_m=pose.x, y_m=pose.y, theta_rad=wrapped_rad(pose.theta))
        found = next(((level, f) for level, f in self.by_level.items() if f.map_id == pose.map_id), None)
        if found is None:
            return None
        level, frame = found
        x_m, y_m = frame.inward((pose.x, pose.y))
        return Pose(level=level, x_m=x_m, y_m=y_m, theta_rad=wrapped_rad(pose.theta + frame.rotation_rad))

    def in_words(self) -> list[str]:
        """Return how each map lies in the site, a line each, for people; nothing of a robot without maps of its own."""
        return [f"Map {each.map_id} is level {level}: {each.in_words()}." for level, each in self.by_level.items()]

    def completed(self, levels: Iterable[LevelId]) -> MapFrames:
        """Return the frames with every level that has none as it is, so that a map nobody knows is noticed.

        Raises
        ------
        MapFrameError
            A level's map has the name of a level that has none: the robot would be sent to both on one map.
        """
        plain = {level: MapFrame(level) for level in levels if level not in self.by_level}
        for level, frame in self.by_level.items():
            if frame.map_id in plain:
                raise MapFrameError(
                    f"The map of level {level!r} is called {frame.map_id!r}, and so would be that of the level "
                    f"{frame.map_id!r}, which has no map of its own here; expected one map for each level."
                )
        return MapFrames({**self.by_level, **plain})


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted frame and how far, in metres, the worst pair is from it; ``scale`` is 1 for maps of one house."""

    frame: MapFrame
    residual_m: float
    scale: float


def fit_frame(map_id: str, pairs: Sequence[tuple[Point, Point]]) -> Fit:
    """Return the frame that brings points of the robot's map best onto those of the site, by least squares.

    Parameters
    ----------
    map_id : str
        The robot's name for the map.
    pairs : sequence
        Pairs of the same place: (x, y) in the site, (x, y) in the robot's map, in metres; at least two.

    Raises
    ------
    MapFrameError
        Fewer than two pairs, or all of them at nearly one place.

    Notes
    -----
    Rigid motion in the plane without scale: the rotation is the argument of the sum of products of the centred points,
    taken as complex numbers (the two-dimensional case of the orthogonal Procrustes problem).
    """
    if len(pairs) < 2:
        raise MapFrameError(f"Map {map_id!r} has {len(pairs)} pairs of points; expected two or more, far apart.")
    site = [complex(*pair[0]) for pair in pairs]
    robot = [complex(*pair[1]) for pair in pairs]
    site_mean, robot_mean = sum(site) / len(site), sum(robot) / len(robot)
    site_spread = sqrt(sum(abs(p - site_mean) ** 2 for p in site))
    robot_spread = sqrt(sum(abs(p - robot_mean) ** 2 for p in robot))
    if min(site_spread, robot_spread) < SPREAD_MIN_M:
        raise MapFrameError(f"The points of map {map_id!r} lie at nearly one place; name places metres apart.")
    turned = sum((p - site_mean) * (q - robot_mean).conjugate() for p, q in zip(site, robot, strict=True))
    rotation_rad = atan2(turned.imag, turned.real)
    origin = site_mean - complex(cos(rotation_rad), sin(rotation_rad)) * robot_mean
    frame = MapFrame(map_id, x_m=origin.real, y_m=origin.imag, rotation_rad=rotation_rad)
    residual_m = max(hypot(*(a - b for a, b in zip(frame.inward(q), p, strict=True))) for p, q in pairs)
    return Fit(frame, residual_m=residual_m, scale=site_spread / robot_spread)


def wrapped_rad(angle_rad: float) -> float:
    """Return ``angle_rad`` in [-pi, pi)."""
    return (angle_rad + pi) % (2 * pi) - pi
