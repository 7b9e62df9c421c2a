"""A ROS 2 node that has drawers: latches on `drawer_unlatch` and `drawer_latch`, switches on `drawer_switches`.

It stands in for latches, limit switches and load sensors where there is no hardware; what decides whether a drawer
opens is on board either way, and knows this node by its topics alone.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from rclpy.node import Node
from std_msgs.msg import String, UInt8MultiArray
from std_srvs.srv import SetBool, Trigger

from ros_nodes.nodes import topics
from ros_nodes.nodes.contents_file import ContentsFile
from ros_nodes.nodes.conversions import switches_to_ros, unlatch_from_ros
from ros_nodes.onboard.simulated_drawers import SimulatedDrawers

RATE_HZ = 10.0


class DrawerNode(Node):
    """Simulated drawers in time that runs ``speed_factor`` times as fast as the wall's.

    Somebody uses every drawer that is let go, unless ``has_hand`` is false; then, and to see what a robot makes of it,
    services do: ``drawers/NAME/pull`` (std_srvs/SetBool, false pushes it shut), ``drawers/NAME/force`` and
    ``drawers/NAME/repair`` (std_srvs/Trigger). All callbacks run on the executor's thread, one at a time.

    Parameters
    ----------
    namespace : str
        The robot's.
    names : tuple of str
        Its drawers.
    contents : ContentsFile
        Where it is kept what lies in them. People go on with what they do at a drawer when the robot's computer stops.
    occupied : collection of str
        Those that something lies in at the start, when nothing was ever kept.
    speed_factor : float
        How much faster than the wall's time runs.
    has_hand : bool
        Whether somebody uses what is let go.
    """

    def __init__(
        self,
        *,
        namespace: str,
        names: tuple[str, ...],
        contents: ContentsFile,
        occupied: tuple[str, ...] = (),
        speed_factor: float = 1.0,
        has_hand: bool = True,
    ) -> None:
        super().__init__("drawer", namespace=namespace)
        self._speed_factor = speed_factor
        self._started_s = time.monotonic()
        self._contents = contents
        kept = contents.load()
        self._kept = occupied if kept is None else kept
        self._drawers = SimulatedDrawers(names, has_hand=has_hand, occupied=self._kept)
        self._switches = self.create_publisher(UInt8MultiArray, topics.DRAWER_SWITCHES, topics.REPORT_QOS)
        self.create_subscription(String, topics.DRAWER_UNLATCH, self._take_unlatch, topics.COMMAND_QOS)
        self.create_subscription(String, topics.DRAWER_LATCH, self._take_latch, topics.COMMAND_QOS)
        for name in names:
            self._offer_hands(name)
        self.create_timer(1.0 / RATE_HZ, self._tick)

    def _offer_hands(self, name: str) -> None:
        place = f"drawers/{re.sub(r'[^A-Za-z0-9_]', '_', name)}"

        def pull(request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
            if request.data:
                response.success = self._drawers.pull(name)
            else:
                self._drawers.push(name)
                response.success = True
            self._tick()
            return response

        self.create_service(SetBool, f"{place}/pull", pull)
        self.create_service(Trigger, f"{place}/force", self._trigger(lambda: self._drawers.force(name)))
        self.create_service(Trigger, f"{place}/repair", self._trigger(self._drawers.repair))

    def _trigger(self, act: Callable[[], None]) -> Callable[[Trigger.Request, Trigger.Response], Trigger.Response]:
        def answer(_request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            act()
            self._tick()
            response.success = True
            return response

        return answer

    def _take_unlatch(self, message: String) -> None:
        drawer, purpose = unlatch_from_ros(message)
        if drawer not in self._drawers.switches():
            self.get_logger().error(f"drawer {drawer!r} was not let go: there is none of that name")
            return
        self._drawers.unlatch(drawer, purpose)
        self._tick()

    def _take_latch(self, message: String) -> None:
        if message.data in self._drawers.switches():
            self._drawers.latch(message.data)
            self._tick()

    def _tick(self) -> None:
        self._drawers.advance_to((time.monotonic() - self._started_s) * self._speed_factor)
        if (occupied := self._drawers.to_be_occupied) != self._kept:
            self._contents.save(occupied)
            self._kept = occupied
        self._switches.publish(switches_to_ros(self._drawers.switches()))
