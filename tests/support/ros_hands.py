"""Hands on a robot's drawers: ``python -m tests.support.ros_hands NAMESPACE DRAWER pull|push|force|repair|see_to``.

Calls the service and ends with 0 when it says that this was done.
"""

from __future__ import annotations

import sys

import rclpy
from std_srvs.srv import SetBool, Trigger

from ros_nodes.nodes.topics import SEE_TO_DRAWERS

LIMIT_S = 20.0


def main() -> int:
    namespace, drawer, act = sys.argv[1:]
    rclpy.init()
    node = rclpy.create_node("hands")
    is_pull = act in ("pull", "push")
    name = SEE_TO_DRAWERS if act == "see_to" else f"drawers/{drawer}/{'pull' if is_pull else act}"
    client = node.create_client(SetBool if is_pull else Trigger, f"/{namespace}/{name}")
    if not client.wait_for_service(timeout_sec=LIMIT_S):
        return 3
    request = SetBool.Request(data=act == "pull") if is_pull else Trigger.Request()
    answer = client.call_async(request)
    rclpy.spin_until_future_complete(node, answer, timeout_sec=LIMIT_S)
    result = answer.result()
    node.destroy_node()
    rclpy.try_shutdown()  # pyright: ignore[reportPrivateImportUsage]  # public in the documentation
    return 0 if result is not None and result.success else 1


if __name__ == "__main__":
    sys.exit(main())
