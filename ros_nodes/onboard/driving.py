"""What moves the robot, as seen by what decides: in process, over ROS 2 topics, or another make's navigation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ros_nodes.onboard.path_geometry import PathPoint, Pose


class Driver(Protocol):
    """Follows points and says where it is. `PathFollower` is one; a ROS node is another.

    A driver never goes beyond the last point it was given. ``points_reached`` counts the points of the present path
    that were reached, from the last `follow`.
    """

    @property
    def pose(self) -> Pose:
        """Where the robot is."""
        ...

    @property
    def speed_m_s(self) -> float:
        """Forward speed in m/s."""
        ...

    @property
    def turn_speed_rad_s(self) -> float:
        """Turn speed in rad/s, counter-clockwise positive."""
        ...

    @property
    def distance_m(self) -> float:
        """Metres driven so far."""
        ...

    @property
    def points_reached(self) -> int:
        """How many points of the present path have been reached."""
        ...

    @property
    def is_stopped(self) -> bool:
        """Whether the robot stands and has nowhere left to go for now."""
        ...

    @property
    def is_fresh(self) -> bool:
        """Whether what it says of motion is at most a second old."""
        ...

    @property
    def next_event_s(self) -> float | None:
        """When something will happen on its own (seconds, absolute); None if unknown or never."""
        ...

    def advance_to(self, time_s: float) -> None:
        """Move on to ``time_s``; does nothing where time passes by itself."""
        ...

    def follow(self, points: Sequence[PathPoint]) -> None:
        """Start on a new path; only while stopped."""
        ...

    def extend(self, points: Sequence[PathPoint]) -> None:
        """Append points to the present path."""
        ...

    def stop(self) -> None:
        """Brake and drop the rest of the path."""
        ...

    def pause(self) -> None:
        """Brake and hold, keeping the path."""
        ...

    def relocate(self, pose: Pose) -> None:
        """Take another pose for true, as where a lift has brought it; only while stopped. ``pose`` says when it has."""
        ...

    def resume(self) -> None:
        """Drive on after `pause`."""
        ...
