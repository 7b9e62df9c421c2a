"""The robot's agent: VDA 5050 over MQTT on one side, ROS 2 topics on the other, `OnboardRobot` in between."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.service import Service
from rclpy.timer import Timer
from std_srvs.srv import Trigger

from orchestrator.adapters.mqtt.broker_address import BrokerLink
from orchestrator.domain.fleet.model import RobotModel
from orchestrator.vda5050.address import RobotAddress
from ros_nodes.nodes import topics
from ros_nodes.nodes.lifecycle import SafeLifecycleNode
from ros_nodes.nodes.memory_file import MemoryFile
from ros_nodes.nodes.mqtt_link import Heard, LinkEvent, MqttLink
from ros_nodes.nodes.topic_drawers import TopicDrawers
from ros_nodes.nodes.topic_driver import TopicBattery, TopicDriver
from ros_nodes.onboard.drawer_lock import DrawerLock
from ros_nodes.onboard.grant_key import verifier
from ros_nodes.onboard.memory import RobotMemory
from ros_nodes.onboard.robot import OnboardRobot

TICK_S = 0.05
SAVE_EVERY_S = 1.0
"""While driving the pose is saved this often, in seconds on board: what a restart may be behind by."""

DRIVING_STATE_S = 0.5
"""A driving robot reports this often, in seconds of the wall's clock, so that people see it move."""

_OWN_TOPICS = (topics.PATH, topics.HOLD, topics.CHARGE, topics.DRAWER_UNLATCH, topics.DRAWER_LATCH)

_JUMPED = (
    "Odometry jumped to where the robot cannot have driven: localisation is lost, or two robots share a namespace and a"
    " ROS domain. Look where it stands, give each fleet its own ROS_DOMAIN_ID, and start it again."
)


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """What an agent has to know: who it is, what it is, where the broker and its state directory are.

    ``grant_key`` is the public half of the key that drawer grants are signed with; without it there are no locks.
    """

    namespace: str
    address: RobotAddress
    model: RobotModel
    broker: BrokerLink
    state_dir: Path
    start: RobotMemory
    speed_factor: float = 1.0
    grant_key: str | None = None


class RobotAgent(SafeLifecycleNode):
    """Lifecycle: configure makes the robot and its topics, activate opens the link, deactivate closes it.

    Everything runs on the executor's thread; paho's thread only fills a queue. What the robot remembers is on disk
    before what it says of it leaves the house (record, then act).
    """

    def __init__(self, settings: AgentSettings) -> None:
        super().__init__("robot_agent", namespace=settings.namespace)
        self._settings = settings
        self._memory_file = MemoryFile(settings.state_dir)
        self._started_s = time.monotonic()
        self._robot: OnboardRobot | None = None
        self._driver: TopicDriver | None = None
        self._drawers: TopicDrawers | None = None
        self._seeing_to: Service | None = None
        self._link: MqttLink | None = None
        self._timer: Timer | None = None
        self._is_link_up = False
        self._is_announced = False
        self._is_lost = False
        self._saved: RobotMemory | None = None
        self._saved_at_s = 0.0

    # -- lifecycle -------------------------------------------------------------------------------------------------

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Make the robot as it is remembered, and its topics."""
        settings = self._settings
        self._is_lost = False
        memory = self._memory_file.load() or settings.start
        self._driver = TopicDriver(
            self,
            pose=memory.pose,
            speed_max_m_s=settings.model.speed_max_m_s,
            speed_factor=settings.speed_factor,
        )
        lock = None if settings.grant_key is None else self._new_lock(settings.grant_key)
        self._robot = OnboardRobot(
            address=settings.address,
            model=settings.model,
            driver=self._driver,
            memory=memory,
            utc=lambda _: datetime.now(UTC),
            time_s=self._now_s(),
            battery=TopicBattery(self, charge=memory.battery),
            # The orchestrator waits on the wall's clock, however fast time runs on board.
            state_interval_s=settings.model.state_interval_s * settings.speed_factor,
            driving_interval_s=DRIVING_STATE_S * settings.speed_factor,
            lock=lock,
        )
        self._save(memory)
        pose = memory.pose
        self.get_logger().info(
            f"configured at {pose.level} {pose.x_m:.2f} {pose.y_m:.2f}, {len(memory.loads)} loads aboard"
        )
        return TransitionCallbackReturn.SUCCESS

    def _new_lock(self, grant_key: str) -> DrawerLock:
        self._drawers = TopicDrawers(self, now_s=self._now_s)
        if self._seeing_to is None:
            self._seeing_to = self.create_service(Trigger, topics.SEE_TO_DRAWERS, self._see_to_drawers)
        return DrawerLock(
            drawers=self._settings.model.drawers,
            hardware=self._drawers,
            manufacturer=self._settings.address.manufacturer,
            serial_number=self._settings.address.serial_number,
            verify=verifier(grant_key),
            chance=secrets.token_bytes,
        )

    def _see_to_drawers(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        if self._robot is not None:
            self._robot.see_to_drawers(self._now_s())
        response.success = self._robot is not None
        return response

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Open the link; the robot announces itself once the wheels report."""
        if self._robot is None:
            return TransitionCallbackReturn.FAILURE
        self._is_link_up = self._is_announced = False
        self._link = MqttLink(self._settings.broker, address=self._settings.address, will=self._robot.last_will())
        self._link.open()
        self._timer = self.create_timer(TICK_S, self._tick)
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Brake, say good-bye, close the link."""
        self.close()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Forget the robot; what it remembers is on disk."""
        self._drop_topics()
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Close the link, from whatever state."""
        self.close()
        return TransitionCallbackReturn.SUCCESS

    def close(self) -> None:
        """Brake, save, say OFFLINE and disconnect; a second call does nothing."""
        if self._timer is not None:
            self.destroy_timer(self._timer)
            self._timer = None
        if self._link is None or self._robot is None:
            return
        link, self._link = self._link, None
        self._robot.shut_down(self._now_s())
        self._save(self._robot.memory)
        for message in self._robot.take_messages():
            link.publish(message, wait=message.qos > 0)
        link.close()

    def _drop_topics(self) -> None:
        self._robot = self._driver = self._drawers = None
        for subscription in list(self.subscriptions):
            if not subscription.topic_name.startswith("/parameter"):
                self.destroy_subscription(subscription)
        for publisher in list(self.publishers):
            if publisher.topic_name.rsplit("/", 1)[-1] in _OWN_TOPICS:
                self.destroy_publisher(publisher)

    # -- living on -------------------------------------------------------------------------------------------------

    def _now_s(self) -> float:
        """Time on board in seconds; it runs ``speed_factor`` times as fast as the wall's."""
        return (time.monotonic() - self._started_s) * self._settings.speed_factor

    def _tick(self) -> None:
        robot, driver, link = self._robot, self._driver, self._link
        if robot is None or driver is None or link is None:
            return
        is_ready = driver.is_ready and (self._drawers is None or self._drawers.is_ready)
        heard = link.heard() if is_ready or self._is_announced else []
        for item in heard:
            if isinstance(item, Heard):
                robot.receive(item.kind, item.payload, self._now_s())
            else:
                self._take_link_event(item, robot)
        if not self._is_announced:
            return  # nobody was told that this robot is there, so it has no order to live through
        if driver.has_jumped and not self._is_lost:
            self._is_lost = True
            self.get_logger().error(_JUMPED)
            robot.raise_fault("poseJumped", _JUMPED, is_fatal=True, now_s=self._now_s())
        robot.advance(self._now_s())
        self._save_if_due(robot)
        for message in robot.take_messages():
            link.publish(message)

    def _take_link_event(self, event: LinkEvent, robot: OnboardRobot) -> None:
        self._is_link_up = event is LinkEvent.UP
        self.get_logger().info("link up" if self._is_link_up else "link lost, driving on to the end of the base")
        if self._is_link_up:
            self._is_announced = True
            robot.connect(self._now_s())

    def _save_if_due(self, robot: OnboardRobot) -> None:
        memory, saved = robot.memory, self._saved
        if saved is not None:
            is_event = _milestones(memory) != _milestones(saved)
            has_moved = memory.pose != saved.pose
            if not is_event and not (has_moved and self._now_s() >= self._saved_at_s + SAVE_EVERY_S):
                return
        self._save(memory)

    def _save(self, memory: RobotMemory) -> None:
        self._memory_file.save(memory)
        self._saved, self._saved_at_s = memory, self._now_s()


def _milestones(memory: RobotMemory) -> tuple[object, ...]:
    """What is written down at once when it changes."""
    return memory.orders, memory.last_node, memory.last_sequence, memory.loads, memory.journal.last
