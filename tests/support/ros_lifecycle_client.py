"""Second process: ask a robot's agent for transitions and print each answer and the state after it.

``python -m tests.support.ros_lifecycle_client NAMESPACE TRANSITION...``
"""

from __future__ import annotations

import json
import sys
from typing import Any

import rclpy
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState

LIMIT_S = 20.0
IDS = {
    "configure": Transition.TRANSITION_CONFIGURE,
    "activate": Transition.TRANSITION_ACTIVATE,
    "deactivate": Transition.TRANSITION_DEACTIVATE,
    "cleanup": Transition.TRANSITION_CLEANUP,
}


def main(namespace: str, names: list[str]) -> int:
    rclpy.init()
    node = rclpy.create_node("lifecycle_client", namespace=namespace)
    change = node.create_client(ChangeState, "robot_agent/change_state")
    get = node.create_client(GetState, "robot_agent/get_state")

    def ask(client: Any, request: Any) -> Any:
        if not client.wait_for_service(timeout_sec=LIMIT_S):
            raise TimeoutError(client.srv_name)
        future = client.call_async(request)
        rclpy.spin_until_future_complete(node, future, timeout_sec=LIMIT_S)
        return future.result()

    for name in names:
        answer = ask(change, ChangeState.Request(transition=Transition(id=IDS[name])))
        state = ask(get, GetState.Request())
        line = {"asked": name, "success": answer.success, "state": state.current_state.label}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
    node.destroy_node()
    rclpy.try_shutdown()  # pyright: ignore[reportPrivateImportUsage]  # public in the documentation
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
