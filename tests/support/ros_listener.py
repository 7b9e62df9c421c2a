"""Second process: listen to a robot's odometry, battery and transform; print what comes, end when it has driven.

``python -m tests.support.ros_listener NAMESPACE UNTIL_X_M``
"""

from __future__ import annotations

import json
import sys
import time

import rclpy
from geometry_msgs.msg import TransformStamped
from nav_msgs.msg import Odometry
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import BatteryState

LIMIT_S = 40.0


def main(namespace: str, until_x_m: float) -> int:
    rclpy.init()
    node = rclpy.create_node("listener", namespace=namespace)
    seen: dict[str, object] = {}

    def say(kind: str, **values: object) -> None:
        seen[kind] = values
        sys.stdout.write(json.dumps({"kind": kind, "at_s": time.monotonic(), **values}) + "\n")
        sys.stdout.flush()

    def take_odometry(message: Odometry) -> None:
        position, twist = message.pose.pose.position, message.twist.twist
        say("odom", level=message.header.frame_id, x_m=position.x, y_m=position.y, speed_m_s=twist.linear.x)

    node.create_subscription(Odometry, "odom", take_odometry, 50)

    def take_battery(message: BatteryState) -> None:
        say("battery", charge=message.percentage)

    def take_transform(message: TransformStamped) -> None:
        say("transform", frame=message.child_frame_id)

    node.create_subscription(BatteryState, "battery", take_battery, 10)
    node.create_subscription(TransformStamped, "transform", take_transform, 50)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    deadline_s = time.monotonic() + LIMIT_S
    has_arrived = False
    while time.monotonic() < deadline_s and not (has_arrived and "battery" in seen):
        executor.spin_once(timeout_sec=0.5)
        odom = seen.get("odom")
        has_arrived = isinstance(odom, dict) and odom["x_m"] >= until_x_m
    executor.shutdown()
    node.destroy_node()
    rclpy.try_shutdown()  # pyright: ignore[reportPrivateImportUsage]  # public in the documentation
    return 0 if has_arrived else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2])))
