"""Second process: publish odometry under another robot's name until it is ended.

``python -m tests.support.ros_impostor NAMESPACE``
"""

from __future__ import annotations

import sys

import rclpy
from nav_msgs.msg import Odometry


def main(namespace: str) -> None:
    rclpy.init()
    node = rclpy.create_node("impostor", namespace=namespace)
    publisher = node.create_publisher(Odometry, "odom", 10)

    def publish() -> None:
        message = Odometry()
        message.header.frame_id = "L1"
        message.header.stamp = node.get_clock().now().to_msg()
        message.pose.pose.position.x = -500.0
        publisher.publish(message)

    node.create_timer(0.05, publish)
    rclpy.spin(node)


if __name__ == "__main__":
    main(sys.argv[1])
