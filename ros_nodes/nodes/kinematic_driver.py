"""A ROS 2 node that moves like a robot: follows `path`, publishes `odom`, `battery` and its transform.

It stands in for Nav2 and wheels where there is no hardware; what decides is the same on board either way.
"""

from __future__ import annotations

import importlib
import math
import time
from collections.abc import Callable
from typing import Any

from geometry_msgs.msg import PoseStamped, PoseWithCovarianceStamped, TransformStamped
from nav_msgs.msg import Odometry, Path
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import BatteryState
from std_msgs.msg import Bool

from orchestrator.domain.fleet.model import RobotModel
from ros_nodes.nodes import topics
from ros_nodes.nodes.conversions import (
    battery_to_ros,
    odometry_to_ros,
    path_from_ros,
    pose_from_ros,
    time_from_ros,
    transform_to_ros,
)
from ros_nodes.onboard.equipment import Battery
from ros_nodes.onboard.motion_profile import MotionLimits
from ros_nodes.onboard.path_following import PathFollower
from ros_nodes.onboard.path_geometry import PathPoint, Pose

START_TOLERANCE_M = 0.5
_BATTERY_PERIOD_S = 1.0

_DEFAULTS: dict[str, float | str] = {
    "speed_factor": 1.0,
    "rate_hz": 20.0,
    "speed_max_m_s": 1.0,
    "acceleration_m_s2": 0.5,
    "turn_speed_max_rad_s": 1.0,
    "turn_acceleration_rad_s2": 1.5,
    "battery": 1.0,
    "idle_drain_per_s": 0.000005,
    "drive_drain_per_m": 0.00005,
    "charge_per_s": 0.0005,
    "start_level": "L1",
    "start_x_m": 0.0,
    "start_y_m": 0.0,
    "start_theta_rad": 0.0,
}


def driver_parameters(model: RobotModel, *, pose: Pose, battery: float, speed_factor: float) -> dict[str, float | str]:
    """Return the node's parameters for a robot of ``model`` that stands at ``pose``."""
    return {
        "speed_factor": speed_factor,
        "speed_max_m_s": model.speed_max_m_s,
        "acceleration_m_s2": model.acceleration_m_s2,
        "turn_speed_max_rad_s": model.turn_speed_max_rad_s,
        "turn_acceleration_rad_s2": model.turn_acceleration_rad_s2,
        "battery": battery,
        "idle_drain_per_s": model.idle_drain_per_s,
        "drive_drain_per_m": model.drive_drain_per_m,
        "charge_per_s": model.charge_per_s,
        "start_level": pose.level,
        "start_x_m": pose.x_m,
        "start_y_m": pose.y_m,
        "start_theta_rad": pose.theta_rad,
    }


class KinematicDriver(Node):
    """Follows paths in simulated time that runs ``speed_factor`` times as fast as the wall's.

    All callbacks run on the executor's thread, one at a time. Parameters are read once, at the start.
    """

    def __init__(self, *, namespace: str, parameters: dict[str, float | str] | None = None) -> None:
        overrides = [
            Parameter(name, value=float(value) if isinstance(value, int) else value)
            for name, value in (parameters or {}).items()
        ]
        super().__init__("kinematic_driver", namespace=namespace, parameter_overrides=overrides)
        fixed = ParameterDescriptor(read_only=True)
        for name, value in _DEFAULTS.items():
            self.declare_parameter(name, value, fixed)
        self._speed_factor = self._number("speed_factor")
        self._child_frame = f"{namespace}/base_link"
        self._started_s = time.monotonic()
        self._follower = PathFollower(
            MotionLimits(
                speed_max_m_s=self._number("speed_max_m_s"),
                acceleration_m_s2=self._number("acceleration_m_s2"),
                turn_speed_max_rad_s=self._number("turn_speed_max_rad_s"),
                turn_acceleration_rad_s2=self._number("turn_acceleration_rad_s2"),
            ),
            Pose(
                str(self.get_parameter("start_level").value),
                self._number("start_x_m"),
                self._number("start_y_m"),
                self._number("start_theta_rad"),
            ),
        )
        self._battery = Battery(
            charge=self._number("battery"),
            idle_drain_per_s=self._number("idle_drain_per_s"),
            drive_drain_per_m=self._number("drive_drain_per_m"),
            charge_per_s=self._number("charge_per_s"),
        )
        self._path_id: int | None = None
        self._path_length = 0
        self._waiting: Path | None = None
        self._odom = self.create_publisher(Odometry, topics.ODOM, topics.REPORT_QOS)
        self._battery_state = self.create_publisher(BatteryState, topics.BATTERY, topics.REPORT_QOS)
        self._publish_transform = self._transform_publisher()
        self.create_subscription(Path, topics.PATH, self._take_path, topics.COMMAND_QOS)
        self.create_subscription(Bool, topics.HOLD, self._take_hold, topics.SETTING_QOS)
        self.create_subscription(
            PoseWithCovarianceStamped, topics.INITIAL_POSE, self._take_initial_pose, topics.COMMAND_QOS
        )
        self.create_subscription(Bool, topics.CHARGE, self._take_charge, topics.SETTING_QOS)
        self.create_timer(1.0 / self._number("rate_hz"), self._tick)
        self.create_timer(_BATTERY_PERIOD_S, self._say_battery)
        self._say_battery()

    def _number(self, name: str) -> float:
        return float(self.get_parameter(name).value or 0.0)

    def _transform_publisher(self) -> Callable[[TransformStamped], None]:
        """Publish on /tf where tf2_msgs is installed (a system ROS has it, the wheels do not), else on `transform`."""
        try:
            message_type: Any = importlib.import_module("tf2_msgs.msg").TFMessage
        except ModuleNotFoundError:
            return self.create_publisher(TransformStamped, topics.TRANSFORM, topics.REPORT_QOS).publish
        publisher = self.create_publisher(message_type, "/tf", topics.REPORT_QOS)
        return lambda transform: publisher.publish(message_type(transforms=[transform]))

    def _advance(self) -> None:
        time_s = (time.monotonic() - self._started_s) * self._speed_factor
        self._follower.advance_to(time_s)
        self._battery.advance_to(time_s, distance_m=self._follower.distance_m)

    def _tick(self) -> None:
        self._advance()
        if self._waiting is not None and self._follower.is_stopped:
            waiting, self._waiting = self._waiting, None
            self._start(waiting)
        stamp = self.get_clock().now().to_msg()
        follower = self._follower
        self._odom.publish(
            odometry_to_ros(
                follower.pose,
                speed_m_s=follower.speed_m_s,
                turn_speed_rad_s=follower.turn_speed_rad_s,
                child_frame=self._child_frame,
                stamp=stamp,
            )
        )
        self._publish_transform(transform_to_ros(follower.pose, child_frame=self._child_frame, stamp=stamp))

    def _say_battery(self) -> None:
        stamp = self.get_clock().now().to_msg()
        self._battery_state.publish(
            battery_to_ros(self._battery.charge, is_charging=self._battery.is_charging, stamp=stamp)
        )

    def _take_path(self, path: Path) -> None:
        self._advance()
        if not path.poses:
            self._path_id, self._waiting = None, None
            self._follower.stop()
        elif time_from_ros(path.header.stamp) == self._path_id:
            if self._waiting is not None:
                self._waiting = path
                return
            self._follower.extend(path_from_ros(path)[self._path_length :])
            self._path_length = max(self._path_length, len(path.poses))
        elif self._follower.is_stopped:
            self._start(path)
        else:
            self._path_id, self._waiting = time_from_ros(path.header.stamp), path
            self._follower.stop()

    def _start(self, path: Path) -> None:
        points = path_from_ros(path)
        away_m = self._distance_to(points[0])
        if away_m > START_TOLERANCE_M:
            self.get_logger().error(
                f"a path was refused that starts {away_m:.2f} m away: expected at most {START_TOLERANCE_M} m;"
                " whoever sent it believes the robot elsewhere"
            )
            return
        self._path_id, self._path_length = time_from_ros(path.header.stamp), len(points)
        self._follower.follow(points[1:])

    def _distance_to(self, point: PathPoint) -> float:
        pose = self._follower.pose
        return math.inf if pose.level != point.level else math.hypot(pose.x_m - point.x_m, pose.y_m - point.y_m)

    def _take_hold(self, hold: Bool) -> None:
        self._advance()
        if hold.data:
            self._follower.pause()
        else:
            self._follower.resume()

    def _take_initial_pose(self, message: PoseWithCovarianceStamped) -> None:
        self._advance()
        if not self._follower.is_stopped:
            self.get_logger().error("an initial pose was refused: the robot is driving; stop it first")
            return
        self._follower.relocate(pose_from_ros(PoseStamped(header=message.header, pose=message.pose.pose)))

    def _take_charge(self, charge: Bool) -> None:
        self._advance()
        self._battery.is_charging = charge.data
        self._say_battery()
