"""The wheels over topics, with a node that only keeps what it was asked to publish."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ros_nodes.onboard.path_geometry import PathPoint, Pose

pytestmark = pytest.mark.ros
conversions = pytest.importorskip("ros_nodes.nodes.conversions", exc_type=ImportError)
topic_driver = pytest.importorskip("ros_nodes.nodes.topic_driver", exc_type=ImportError)


class Publisher:
    def __init__(self) -> None:
        self.sent: list[Any] = []

    def publish(self, message: Any) -> None:
        self.sent.append(message)

    def get_subscription_count(self) -> int:
        return 1


class Wheels:
    """Stands for the node and for the driver behind its topics."""

    def __init__(self) -> None:
        self.topics: dict[str, Publisher] = {}
        self.hear: dict[str, Callable[[Any], None]] = {}
        self.time_s = 0.0
        self.subject = topic_driver.TopicDriver(self, pose=Pose("L1", 0.0, 0.0), speed_max_m_s=1.0)

    def create_publisher(self, _type: Any, topic: str, _qos: Any) -> Publisher:
        return self.topics.setdefault(topic, Publisher())

    def create_subscription(self, _type: Any, topic: str, callback: Callable[[Any], None], _qos: Any) -> None:
        self.hear[topic] = callback

    def report(self, x_m: float, *, speed_m_s: float = 0.0, times: int = 1, level: str = "L1") -> None:
        for _ in range(times):
            self.time_s += 0.05
            self.hear["odom"](
                conversions.odometry_to_ros(
                    Pose(level, x_m, 0.0),
                    speed_m_s=speed_m_s,
                    turn_speed_rad_s=0.0,
                    child_frame="R1/base_link",
                    stamp=conversions.time_to_ros(round(self.time_s * conversions.NANOSECONDS)),
                )
            )


def test_robot_counts_as_stopped_only_after_two_quiet_reports_since_the_last_command() -> None:
    wheels = Wheels()
    wheels.report(0.0, times=5)
    assert wheels.subject.is_stopped
    wheels.subject.stop()
    assert not wheels.subject.is_stopped
    wheels.report(0.0)
    assert not wheels.subject.is_stopped
    wheels.report(0.0)
    assert wheels.subject.is_stopped


def test_robot_with_a_path_ahead_is_not_stopped_however_quiet_it_is() -> None:
    wheels = Wheels()
    wheels.subject.follow([PathPoint(2.0, 0.0, "L1")])
    wheels.report(0.0, times=10)
    assert not wheels.subject.is_stopped
    wheels.subject.pause()
    wheels.report(0.0, times=2)
    assert wheels.subject.is_stopped


def test_extension_is_the_same_path_with_more_poses_and_stop_is_an_empty_one() -> None:
    wheels = Wheels()
    wheels.subject.follow([PathPoint(2.0, 0.0, "L1")])
    wheels.subject.extend([PathPoint(5.0, 0.0, "L1")])
    wheels.subject.stop()
    first, second, empty = wheels.topics["path"].sent
    assert first.header.stamp == second.header.stamp
    assert (len(first.poses), len(second.poses), len(empty.poses)) == (2, 3, 0)
    assert list(second.poses[:2]) == list(first.poses)


def test_progress_and_distance_come_from_odometry() -> None:
    wheels = Wheels()
    wheels.report(0.0)
    wheels.subject.follow([PathPoint(0.1, 0.0, "L1"), PathPoint(0.3, 0.0, "L1")])
    for x_m in (0.05, 0.1, 0.2, 0.3):
        wheels.report(x_m, speed_m_s=1.0)
    assert wheels.subject.points_reached == 2
    assert wheels.subject.distance_m == pytest.approx(0.3)
    assert not wheels.subject.has_jumped


def test_place_the_robot_cannot_have_driven_to_is_noticed() -> None:
    wheels = Wheels()
    wheels.report(0.0, times=3)
    wheels.report(10.0)
    wheels.report(0.0)
    assert wheels.subject.has_jumped


def test_long_silence_of_a_driving_robot_is_no_jump() -> None:
    wheels = Wheels()
    wheels.report(0.0, speed_m_s=1.0)
    wheels.time_s += 10.0
    wheels.report(9.0, speed_m_s=1.0)
    assert not wheels.subject.has_jumped


def test_a_robot_that_a_lift_has_brought_elsewhere_is_there_once_its_odometry_says_so_and_has_not_jumped() -> None:
    wheels = Wheels()
    wheels.report(0.0, times=5)

    wheels.subject.relocate(Pose("L2", 3.0, 0.0))
    (told,) = wheels.topics["initialpose"].sent
    assert (told.header.frame_id, told.pose.pose.position.x) == ("L2", 3.0)
    wheels.report(0.0)
    assert wheels.subject.pose.level == "L1"

    wheels.report(3.0, times=3, level="L2")
    assert wheels.subject.pose == Pose("L2", 3.0, 0.0, 0.0)
    assert not wheels.subject.has_jumped
    assert wheels.subject.is_stopped


def test_what_was_heard_of_motion_is_fresh_for_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [100.0]
    monkeypatch.setattr(topic_driver.time, "monotonic", lambda: now_s[0])
    wheels = Wheels()
    assert not wheels.subject.is_fresh
    wheels.report(0.0)
    assert wheels.subject.is_fresh
    now_s[0] += 1.0
    assert wheels.subject.is_fresh
    now_s[0] += 0.01
    assert not wheels.subject.is_fresh
