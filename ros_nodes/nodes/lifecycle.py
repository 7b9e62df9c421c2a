"""A lifecycle node that survives an invalid transition request."""

from __future__ import annotations

from typing import Any

from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode


class SafeLifecycleNode(LifecycleNode):
    """Answers an invalid transition with success=False.

    In Jazzy (rclpy 7.1) such a request raises out of the executor and ends the spin thread; in Kilted it is answered.
    """

    def _LifecycleNodeMixin__on_change_state(self, request: Any, response: Any) -> Any:  # noqa: N802  # rclpy's own name, mangled on purpose
        try:
            return super()._LifecycleNodeMixin__on_change_state(request, response)  # type: ignore[misc]
        except rclpy_implementation.RCLError as error:
            self.get_logger().warning(f"transition {request.transition.id} refused: {error}")
            response.success = False
            return response
