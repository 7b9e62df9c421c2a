"""The wheels as the agent sees them over ROS 2 topics: a `Driver` and a `PowerSource`."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Odometry, Path
from rclpy.node import Node
from sensor_msgs.msg import BatteryState
from std_msgs.msg import Bool

from ros_nodes.nodes import topics
from ros_nodes.nodes.conversions import (
    NANOSECONDS,
    battery_from_ros,
    odometry_from_ros,
    path_to_ros,
    pose_to_ros,
    time_from_ros,
)
from ros_nodes.onboard.path_geometry import PathPoint, Pose
from ros_nodes.onboard.path_tracking import PathTracker

JUMP_M = 1.0
"""A pose further away than the robot can have driven, and by more than this (metres), is not its own."""

FRESH_S = 1.0
"""How old a report of motion may be for a drawer to open on it, seconds."""

_STANDING = 1e-3
_QUIET_REPORTS = 2


class TopicDriver:
    """Sends paths on `path` and learns from `odom` where the robot is.

    Progress is judged from poses, so any follower that publishes odometry in the site frame will do. It counts as
    standing only after two reports without motion that came after the last command. Used on the executor's thread.

    Parameters
    ----------
    node : Node
        Whose topics to use.
    pose : Pose
        Where the robot is believed to be until the first report.
    speed_max_m_s : float
        Speed where an order sets no limit.
    speed_factor : float
        How much faster than the wall's the driver's time runs.
    """

    def __init__(self, node: Node, *, pose: Pose, speed_max_m_s: float, speed_factor: float = 1.0) -> None:
        self._speed_max_m_s = speed_max_m_s
        self._speed_factor = speed_factor
        self._has_jumped = False
        self._stamp_ns = 0
        self._pose = pose
        self._speed_m_s = 0.0
        self._turn_speed_rad_s = 0.0
        self._distance_m = 0.0
        self._quiet_reports = 0
        self._reports = 0
        self._heard_s = -math.inf
        self._is_paused = False
        self._identity_ns = 0
        self._tracker = PathTracker()
        self._path = node.create_publisher(Path, topics.PATH, topics.COMMAND_QOS)
        self._hold = node.create_publisher(Bool, topics.HOLD, topics.SETTING_QOS)
        self._initial_pose = node.create_publisher(PoseWithCovarianceStamped, topics.INITIAL_POSE, topics.COMMAND_QOS)
        self._expected: Pose | None = None
        node.create_subscription(Odometry, topics.ODOM, self._take_odometry, topics.REPORT_QOS)

    @property
    def is_ready(self) -> bool:
        """Whether the follower reports and hears."""
        return self._quiet_reports >= _QUIET_REPORTS and self._path.get_subscription_count() > 0

    @property
    def has_jumped(self) -> bool:
        """Whether odometry once named a place the robot cannot have driven to.

        Either it lost its localisation, or two robots share a namespace and a ROS domain.
        """
        return self._has_jumped

    @property
    def pose(self) -> Pose:
        """Where the robot is."""
        return self._pose

    @property
    def speed_m_s(self) -> float:
        """Forward speed in m/s."""
        return self._speed_m_s

    @property
    def turn_speed_rad_s(self) -> float:
        """Turn speed in rad/s."""
        return self._turn_speed_rad_s

    @property
    def distance_m(self) -> float:
        """Metres driven since the node was made."""
        return self._distance_m

    @property
    def points_reached(self) -> int:
        """How many points of the present path have been reached."""
        return self._tracker.points_reached

    @property
    def is_stopped(self) -> bool:
        """Whether the robot stands and has nowhere left to go for now."""
        return self._quiet_reports >= _QUIET_REPORTS and (self._is_paused or self._tracker.is_done)

    @property
    def is_fresh(self) -> bool:
        """Whether the last report is at most a second old, on the wall's clock."""
        return time.monotonic() - self._heard_s <= FRESH_S

    @property
    def next_event_s(self) -> float | None:
        """None: what happens is known when it is reported."""
        return None

    def advance_to(self, time_s: float) -> None:
        """Do nothing; time passes by itself."""

    def follow(self, points: Sequence[PathPoint]) -> None:
        """Send a new path that starts where the robot is."""
        self._tracker.start(self._pose, points)
        self._identity_ns = max(time.time_ns(), self._identity_ns + 1)
        self._send_path()

    def extend(self, points: Sequence[PathPoint]) -> None:
        """Send the same path with more points."""
        self._tracker.extend(points)
        self._send_path()

    def stop(self) -> None:
        """Send an empty path: brake and stand."""
        self._tracker.drop_rest()
        self._path.publish(Path())
        self._quiet_reports = 0

    def pause(self) -> None:
        """Brake and hold."""
        self._is_paused = True
        self._hold.publish(Bool(data=True))
        self._quiet_reports = 0

    def relocate(self, pose: Pose) -> None:
        """Say where the robot stands; odometry shows when it has been taken."""
        message = PoseWithCovarianceStamped()
        message.header.frame_id = pose.level
        message.pose.pose = pose_to_ros(pose, stamp=message.header.stamp).pose
        self._initial_pose.publish(message)
        self._expected = pose

    def resume(self) -> None:
        """Go on after a hold."""
        self._is_paused = False
        self._hold.publish(Bool(data=False))
        self._quiet_reports = 0

    def _send_path(self) -> None:
        self._path.publish(
            path_to_ros(self._tracker.points, identity_ns=self._identity_ns, speed_max_m_s=self._speed_max_m_s)
        )
        self._quiet_reports = 0

    def _take_odometry(self, message: Odometry) -> None:
        self._heard_s = time.monotonic()
        pose, self._speed_m_s, self._turn_speed_rad_s = odometry_from_ros(message)
        is_moving = abs(self._speed_m_s) > _STANDING or abs(self._turn_speed_rad_s) > _STANDING
        self._quiet_reports = 0 if is_moving else self._quiet_reports + 1
        stamp_ns = time_from_ros(message.header.stamp)
        if self._expected is not None and self._expected.level == pose.level:
            self._expected = None
        elif self._reports > 0:
            driven_m = math.hypot(pose.x_m - self._pose.x_m, pose.y_m - self._pose.y_m)
            elapsed_s = abs(stamp_ns - self._stamp_ns) / NANOSECONDS
            possible_m = self._speed_max_m_s * self._speed_factor * elapsed_s
            self._has_jumped = self._has_jumped or driven_m > possible_m + JUMP_M
            self._distance_m += driven_m
        self._stamp_ns = stamp_ns
        self._reports += 1
        self._pose = pose
        self._tracker.observe(pose)


class TopicBattery:
    """The battery as reported on `battery`; asks for charging on `charge`."""

    def __init__(self, node: Node, *, charge: float) -> None:
        self._charge = charge
        self._is_charging = False
        self._ask = node.create_publisher(Bool, topics.CHARGE, topics.SETTING_QOS)
        node.create_subscription(BatteryState, topics.BATTERY, self._take_battery, topics.REPORT_QOS)

    @property
    def charge(self) -> float:
        """Charge from 0 to 1."""
        return self._charge

    @property
    def is_charging(self) -> bool:
        """Whether the charger was asked for."""
        return self._is_charging

    @is_charging.setter
    def is_charging(self, is_charging: bool) -> None:
        if is_charging != self._is_charging:
            self._is_charging = is_charging
            self._ask.publish(Bool(data=is_charging))

    def advance_to(self, time_s: float, *, distance_m: float) -> None:
        """Do nothing; the charge is measured."""

    def _take_battery(self, message: BatteryState) -> None:
        charge, _ = battery_from_ros(message)
        self._charge = self._charge if charge is None else charge
