"""Our types to ROS messages and back, with the message classes that are installed."""

from __future__ import annotations

import math

import pytest

from ros_nodes.onboard.path_geometry import PathPoint, Pose

pytestmark = pytest.mark.ros
conversions = pytest.importorskip("ros_nodes.nodes.conversions", exc_type=ImportError)


@pytest.mark.parametrize("theta_rad", [0.0, 1.0, -1.0, 3.1, -3.1, math.pi / 2])
def test_pose_survives_the_round_trip_with_its_level(theta_rad: float) -> None:
    pose = Pose("Level 2", 12.5, -3.25, theta_rad)
    message = conversions.pose_to_ros(pose, stamp=conversions.time_to_ros(0))
    back = conversions.pose_from_ros(message)
    assert (back.level, back.x_m, back.y_m) == ("Level 2", 12.5, -3.25)
    assert back.theta_rad == pytest.approx(theta_rad)


def test_path_carries_points_levels_and_speed_limits() -> None:
    points = [
        PathPoint(0.0, 0.0, "L1"),
        PathPoint(3.0, 4.0, "L1", 0.25),
        PathPoint(3.0, 4.0, "L2"),
        PathPoint(9.0, 4.0, "L2"),
    ]
    message = conversions.path_to_ros(points, identity_ns=1_795_423_908_618_715_418, speed_max_m_s=1.5)
    assert conversions.time_from_ros(message.header.stamp) == 1_795_423_908_618_715_418
    back = conversions.path_from_ros(message)
    assert [(point.x_m, point.y_m, point.level) for point in back] == [(p.x_m, p.y_m, p.level) for p in points]
    limits = [point.speed_limit_m_s for point in back]
    assert limits[1] == pytest.approx(0.25)
    assert limits[2] is None, "a level is changed at one place"
    assert limits[3] == pytest.approx(1.5)


def test_path_carries_the_heading_asked_for_and_else_the_way_it_is_driven() -> None:
    points = [
        PathPoint(0.0, 0.0, "L1", heading_rad=0.5),
        PathPoint(0.0, 3.0, "L1"),
        PathPoint(0.0, 3.0, "L2"),
        PathPoint(4.0, 3.0, "L2", heading_rad=-1.0),
    ]
    back = conversions.path_from_ros(conversions.path_to_ros(points, identity_ns=1, speed_max_m_s=1.0))
    assert [point.heading_rad for point in back] == pytest.approx([0.5, math.pi / 2, math.pi / 2, -1.0])


def test_longer_path_begins_with_the_same_poses() -> None:
    points = [PathPoint(float(x_m), 0.0, "L1", 0.7) for x_m in range(5)]
    short = conversions.path_to_ros(points[:3], identity_ns=1, speed_max_m_s=1.0)
    long = conversions.path_to_ros(points, identity_ns=1, speed_max_m_s=1.0)
    assert list(long.poses[:3]) == list(short.poses)


def test_odometry_survives_the_round_trip() -> None:
    message = conversions.odometry_to_ros(
        Pose("L1", 1.0, 2.0, 0.5),
        speed_m_s=0.8,
        turn_speed_rad_s=-0.2,
        child_frame="R1/base_link",
        stamp=conversions.time_to_ros(5),
    )
    pose, speed_m_s, turn_speed_rad_s = conversions.odometry_from_ros(message)
    assert (pose.level, pose.x_m, pose.y_m) == ("L1", 1.0, 2.0)
    assert (pose.theta_rad, speed_m_s, turn_speed_rad_s) == pytest.approx((0.5, 0.8, -0.2))
    assert message.child_frame_id == "R1/base_link"


@pytest.mark.parametrize("is_charging", [True, False])
def test_battery_survives_the_round_trip(is_charging: bool) -> None:
    message = conversions.battery_to_ros(0.625, is_charging=is_charging, stamp=conversions.time_to_ros(0))
    assert conversions.battery_from_ros(message) == (0.625, is_charging)


def test_charge_that_is_not_measured_is_none() -> None:
    message = conversions.battery_to_ros(0.5, is_charging=False, stamp=conversions.time_to_ros(0))
    message.percentage = float("nan")
    assert conversions.battery_from_ros(message)[0] is None
