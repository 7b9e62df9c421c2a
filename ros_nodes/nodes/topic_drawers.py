"""Latches and switches as the agent sees them over ROS 2 topics: a `DrawerHardware`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from rclpy.node import Node
from std_msgs.msg import String, UInt8MultiArray

from ros_nodes.nodes import topics
from ros_nodes.nodes.conversions import switches_from_ros, unlatch_to_ros
from ros_nodes.onboard.drawer_hardware import Switches


class TopicDrawers:
    """Sends commands to the latches, and keeps what the switches said last. Used on the executor's thread.

    How old that is is counted in seconds of the wall's clock, however fast time runs on board.

    Parameters
    ----------
    node : Node
        Whose topics to use.
    now_s : callable
        Time on board, in seconds.
    """

    def __init__(self, node: Node, *, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._heard: dict[str, Switches] = {}
        self._heard_at_s = time.monotonic()
        self._unlatch = node.create_publisher(String, topics.DRAWER_UNLATCH, topics.COMMAND_QOS)
        self._latch = node.create_publisher(String, topics.DRAWER_LATCH, topics.COMMAND_QOS)
        node.create_subscription(UInt8MultiArray, topics.DRAWER_SWITCHES, self._take, topics.REPORT_QOS)

    @property
    def is_ready(self) -> bool:
        """Whether the drawers report and hear."""
        return bool(self._heard) and self._unlatch.get_subscription_count() > 0

    @property
    def next_event_s(self) -> float | None:
        """None: what happens is known when it is reported."""
        return None

    def advance_to(self, time_s: float) -> None:
        """Do nothing; time passes by itself."""

    def switches(self) -> Mapping[str, Switches]:
        """Return what is known of each drawer."""
        heard_s = self._now_s() - (time.monotonic() - self._heard_at_s)
        return {drawer: replace(switches, heard_s=heard_s) for drawer, switches in self._heard.items()}

    def unlatch(self, drawer: str, purpose: str) -> None:
        """Let go of a drawer."""
        self._unlatch.publish(unlatch_to_ros(drawer, purpose))

    def latch(self, drawer: str) -> None:
        """Let the latch of a drawer catch."""
        self._latch.publish(String(data=drawer))

    def _take(self, message: UInt8MultiArray) -> None:
        self._heard_at_s = time.monotonic()
        self._heard = switches_from_ros(message, heard_s=self._now_s())
