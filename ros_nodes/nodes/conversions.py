"""Between our types and ROS messages, in pairs.

A pose's frame_id is its level: all levels share the site frame, so the level is all that distinguishes them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped, Quaternion, TransformStamped
from nav_msgs.msg import Odometry, Path
from sensor_msgs.msg import BatteryState
from std_msgs.msg import MultiArrayDimension, String, UInt8MultiArray

from ros_nodes.onboard.drawer_hardware import Switches
from ros_nodes.onboard.path_geometry import PathPoint, Pose

NANOSECONDS = 1_000_000_000

SWITCHES_OF_DRAWER = 4
"""Latched, closed, occupied, tampered with: one row of the switches message."""

_NO, _YES, _NOT_KNOWN = 0, 1, 2


def time_to_ros(time_ns: int) -> Time:
    """Return ``time_ns`` (nanoseconds) as a ROS time."""
    return Time(sec=time_ns // NANOSECONDS, nanosec=time_ns % NANOSECONDS)


def time_from_ros(stamp: Time) -> int:
    """Return a ROS time in nanoseconds."""
    return stamp.sec * NANOSECONDS + stamp.nanosec


def heading_to_ros(theta_rad: float) -> Quaternion:
    """Return a rotation about z by ``theta_rad``."""
    return Quaternion(x=0.0, y=0.0, z=math.sin(theta_rad / 2.0), w=math.cos(theta_rad / 2.0))


def heading_from_ros(rotation: Quaternion) -> float:
    """Return the rotation about z in radians; roll and pitch are taken to be nothing."""
    return math.atan2(
        2.0 * (rotation.w * rotation.z + rotation.x * rotation.y),
        1.0 - 2.0 * (rotation.y * rotation.y + rotation.z * rotation.z),
    )


def pose_to_ros(pose: Pose, *, stamp: Time) -> PoseStamped:
    """Return ``pose`` as a stamped pose in the frame of its level."""
    message = PoseStamped()
    message.header.frame_id, message.header.stamp = pose.level, stamp
    message.pose.position.x, message.pose.position.y = pose.x_m, pose.y_m
    message.pose.orientation = heading_to_ros(pose.theta_rad)
    return message


def pose_from_ros(message: PoseStamped) -> Pose:
    """Return a stamped pose as ours; its frame is the level."""
    position = message.pose.position
    return Pose(message.header.frame_id, position.x, position.y, heading_from_ros(message.pose.orientation))


def path_to_ros(points: Sequence[PathPoint], *, identity_ns: int, speed_max_m_s: float) -> Path:
    """Return ``points`` as a path.

    Each pose faces the way the robot drives into it, or as its point asks. Its stamp is the earliest time at which the
    robot may be there, counted from the start of the path: so a path carries speed limits in a message that every
    ROS 2 installation has.

    Parameters
    ----------
    points : sequence of PathPoint
        The start and every point to pass.
    identity_ns : int
        Stamp of the path's header. A longer path with the same stamp goes on where the shorter one ended.
    speed_max_m_s : float
        Speed where a point sets no limit.
    """
    message = Path()
    message.header.stamp = time_to_ros(identity_ns)
    message.header.frame_id = points[0].level if points else ""
    earliest_s = theta_rad = 0.0
    before: PathPoint | None = None
    poses: list[PoseStamped] = []
    for point in points:
        theta_rad = point.heading_rad if point.heading_rad is not None else _heading_into(point, before, theta_rad)
        if before is not None:
            limit = min(speed_max_m_s, point.speed_limit_m_s or speed_max_m_s)
            earliest_s += math.hypot(point.x_m - before.x_m, point.y_m - before.y_m) / limit
        stamp = time_to_ros(round(earliest_s * NANOSECONDS))
        poses.append(pose_to_ros(Pose(point.level, point.x_m, point.y_m, theta_rad), stamp=stamp))
        before = point
    message.poses = poses
    return message


def _heading_into(point: PathPoint, before: PathPoint | None, theta_rad: float) -> float:
    if before is None or (point.x_m, point.y_m) == (before.x_m, before.y_m):
        return theta_rad
    return math.atan2(point.y_m - before.y_m, point.x_m - before.x_m)


def path_from_ros(message: Path) -> list[PathPoint]:
    """Return the points of a path, the start included; see `path_to_ros` for headings and speed limits."""
    points: list[PathPoint] = []
    before_s = 0.0
    for stamped in message.poses:
        pose = pose_from_ros(stamped)
        time_s = time_from_ros(stamped.header.stamp) / NANOSECONDS
        limit: float | None = None
        if points and time_s > before_s:
            limit = math.hypot(pose.x_m - points[-1].x_m, pose.y_m - points[-1].y_m) / (time_s - before_s)
        points.append(PathPoint(pose.x_m, pose.y_m, pose.level, limit, pose.theta_rad))
        before_s = time_s
    return points


def odometry_to_ros(
    pose: Pose, *, speed_m_s: float, turn_speed_rad_s: float, child_frame: str, stamp: Time
) -> Odometry:
    """Return where the robot is and how it moves, in its own frame."""
    message = Odometry()
    message.header.frame_id, message.header.stamp = pose.level, stamp
    message.child_frame_id = child_frame
    message.pose.pose = pose_to_ros(pose, stamp=stamp).pose
    message.twist.twist.linear.x = speed_m_s
    message.twist.twist.angular.z = turn_speed_rad_s
    return message


def odometry_from_ros(message: Odometry) -> tuple[Pose, float, float]:
    """Return pose, forward speed in m/s and turn speed in rad/s."""
    position, twist = message.pose.pose.position, message.twist.twist
    theta_rad = heading_from_ros(message.pose.pose.orientation)
    return Pose(message.header.frame_id, position.x, position.y, theta_rad), twist.linear.x, twist.angular.z


def transform_to_ros(pose: Pose, *, child_frame: str, stamp: Time) -> TransformStamped:
    """Return the transform from the level's frame to the robot's."""
    message = TransformStamped()
    message.header.frame_id, message.header.stamp = pose.level, stamp
    message.child_frame_id = child_frame
    message.transform.translation.x, message.transform.translation.y = pose.x_m, pose.y_m
    message.transform.rotation = heading_to_ros(pose.theta_rad)
    return message


def battery_to_ros(charge: float, *, is_charging: bool, stamp: Time) -> BatteryState:
    """Return a charge from 0 to 1 as a battery state."""
    message = BatteryState()
    message.header.stamp = stamp
    message.percentage = charge
    message.present = True
    charging, discharging = BatteryState.POWER_SUPPLY_STATUS_CHARGING, BatteryState.POWER_SUPPLY_STATUS_DISCHARGING
    message.power_supply_status = charging if is_charging else discharging
    return message


def battery_from_ros(message: BatteryState) -> tuple[float | None, bool]:
    """Return the charge from 0 to 1, None where it is not measured, and whether it is charging."""
    is_charging = message.power_supply_status == BatteryState.POWER_SUPPLY_STATUS_CHARGING
    charge = None if math.isnan(message.percentage) else min(1.0, max(0.0, message.percentage))
    return charge, is_charging


def switches_to_ros(switches: Mapping[str, Switches]) -> UInt8MultiArray:
    """Return what the switches of all drawers say; when they said it is when the message comes."""
    message = UInt8MultiArray()
    message.layout.dim = [
        MultiArrayDimension(label=drawer, size=SWITCHES_OF_DRAWER, stride=SWITCHES_OF_DRAWER) for drawer in switches
    ]
    message.data = [
        _NOT_KNOWN if value is None else _YES if value else _NO
        for each in switches.values()
        for value in (each.is_latched, each.is_closed, each.is_occupied, each.is_tampered)
    ]
    return message


def switches_from_ros(message: UInt8MultiArray, *, heard_s: float) -> dict[str, Switches]:
    """Return what each drawer's switches said at ``heard_s``; a drawer whose row is not whole is not in it."""
    values = [{_NO: False, _YES: True}.get(value) for value in message.data]
    rows: dict[str, Switches] = {}
    for number, dimension in enumerate(message.layout.dim):
        row = values[number * SWITCHES_OF_DRAWER : (number + 1) * SWITCHES_OF_DRAWER]
        if len(row) == SWITCHES_OF_DRAWER:
            rows[str(dimension.label)] = Switches(*row, heard_s=heard_s)
    return rows


def unlatch_to_ros(drawer: str, purpose: str) -> String:
    """Return the command to let go of a drawer; a purpose is one word."""
    return String(data=f"{purpose} {drawer}")


def unlatch_from_ros(message: String) -> tuple[str, str]:
    """Return drawer and purpose of a command to let go."""
    purpose, _, drawer = message.data.partition(" ")
    return drawer, purpose
