"""Both ends of a robot's link on a real broker, pumped by the test itself: no thread but paho's own."""

from __future__ import annotations

import json
import queue
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from orchestrator.adapters.mqtt.broker_address import BrokerLink
from orchestrator.adapters.mqtt.transport import PahoTransport
from orchestrator.vda5050.address import FROM_ROBOT, TO_ROBOT, TopicKind, address_of_robot
from orchestrator.vda5050.events import LinkEvent, Reported
from orchestrator.vda5050.master import RobotLink
from ros_nodes.onboard.in_process import in_process_robot
from ros_nodes.onboard.memory import RobotMemory
from ros_nodes.onboard.path_geometry import Pose
from tests.support.brokers import RealBroker
from tests.support.robot_link import a_model, a_robot

E = TypeVar("E")

LIMIT_S = 20.0
MODEL = a_model(resend_after_s=0.3, order_answer_s=1.0, lost_after_s=3.0, state_interval_s=1.0, handling_s=0.5)
ROBOT = a_robot()
ADDRESS = address_of_robot(ROBOT)
START = Pose("L1", 0.0, 0.5, 0.0)


class FleetEnd:
    """The orchestrator's side: the link over the transport it has in the house."""

    def __init__(self, broker: RealBroker, *, client_id: str = "fleet") -> None:
        self.link = RobotLink(ROBOT, MODEL, at_s=time.monotonic())
        self.events: list[LinkEvent] = []
        self.refused: list[LinkEvent] = []
        self._inbox: queue.SimpleQueue[tuple[str, bytes, bool]] = queue.SimpleQueue()
        self.transport = PahoTransport(
            BrokerLink(broker.url, client_id),
            topics=[ADDRESS.topic(kind) for kind in FROM_ROBOT],
            on_message=lambda *message: self._inbox.put(message),
            on_connection=lambda _is_up: None,
        )
        self.transport.start()

    def close(self) -> None:
        self.transport.stop()

    def turn(self) -> None:
        """Hear everything that came, and send what is due."""
        while not self._inbox.empty():
            topic, payload, is_kept = self._inbox.get()
            kind = topic.rsplit("/", 1)[-1]
            now = datetime.now(UTC)
            heard = self.link.receive(kind, payload, at_s=time.monotonic(), now=now, is_retained=is_kept)
            self.events += [event for event in heard if not isinstance(event, Reported)]
        due = self.link.due(at_s=time.monotonic(), now=datetime.now(UTC))
        self.events += due.events
        for message in due.publishes:
            self.transport.publish(message.topic, message.payload, qos=message.qos, retain=message.retain)

    def told(self, kind: type[E]) -> list[E]:
        """The events of one kind so far, `Reported` left out."""
        return [event for event in self.events if isinstance(event, kind)]


class RobotEnd:
    """A robot's side: what decides on board, wheels in closed form, behind a small paho client."""

    def __init__(self, broker: RealBroker, *, speed_factor: float = 8.0) -> None:
        self._broker = broker
        self._speed_factor = speed_factor
        self._begun_s = time.monotonic()
        self._inbox: queue.SimpleQueue[tuple[str, bytes] | None] = queue.SimpleQueue()
        self._client: mqtt.Client | None = None
        self.robot = in_process_robot(
            address=ADDRESS,
            model=MODEL,
            memory=RobotMemory(pose=START),
            utc=lambda _: datetime.now(UTC),
            driving_interval_s=1.0,
        )

    @property
    def x_m(self) -> float:
        return self.robot.driver.pose.x_m

    @property
    def is_standing(self) -> bool:
        return self.robot.driver.is_stopped

    def connect(self) -> None:
        """Come online, with a last will."""
        self._client = client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="robot")
        will = self.robot.last_will()
        client.will_set(will.topic, will.payload, will.qos, will.retain)
        client.reconnect_delay_set(1, 1)
        client.on_connect = self._subscribe
        client.on_subscribe = lambda *_: self._inbox.put(None)
        client.on_message = lambda _c, _d, message: self._inbox.put((message.topic, bytes(message.payload)))
        client.connect_async(self._broker.host, self._broker.port, keepalive=5)
        client.loop_start()

    def vanish(self) -> None:
        """Lose the socket without a word, as a killed process does; the robot itself lives on."""
        assert self._client is not None
        client, self._client = self._client, None
        client.loop_stop()
        sock = client.socket()
        assert isinstance(sock, socket.socket)
        sock.shutdown(socket.SHUT_RDWR)
        sock.close()

    def close(self) -> None:
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()

    def turn(self) -> None:
        """Take in what came, live on until now, and say what there is to say."""
        now_s = (time.monotonic() - self._begun_s) * self._speed_factor
        while not self._inbox.empty():
            message = self._inbox.get()
            if message is None:
                self.robot.connect(now_s)
            else:
                self.robot.receive(message[0].rsplit("/", 1)[-1], message[1], now_s)
        self.robot.advance(now_s)
        for message in self.robot.take_messages():
            if self._client is not None and self._client.is_connected():
                self._client.publish(message.topic, message.payload, message.qos, message.retain)

    @staticmethod
    def _subscribe(client: mqtt.Client, *_: Any) -> None:
        client.subscribe([(ADDRESS.topic(kind), kind.qos) for kind in TO_ROBOT])


class Eavesdropper:
    """A third client that keeps what passes, in order, with whether the broker had kept it."""

    def __init__(self, broker: RealBroker, topic: str = "#") -> None:
        self.heard: list[tuple[str, bytes, bool]] = []
        self.is_listening = False
        self._topic = topic
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._subscribe
        self._client.on_subscribe = self._subscribed
        self._client.on_message = lambda _c, _d, m: self.heard.append((m.topic, bytes(m.payload), m.retain))
        self._client.connect(broker.host, broker.port, keepalive=5)
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, topic: str, payload: bytes) -> None:
        """Publish something of our own."""
        self._client.publish(topic, payload, qos=0)

    def raw(self, kind: TopicKind) -> list[tuple[str, bytes]]:
        """The messages of one kind so far, as they came."""
        return [(topic, payload) for topic, payload, _ in list(self.heard) if topic == ADDRESS.topic(kind)]

    def messages(self, kind: TopicKind) -> list[dict[str, Any]]:
        """The messages of one kind so far, as trees."""
        return [json.loads(payload) for _, payload in self.raw(kind)]

    def orders(self, order_id: str) -> list[dict[str, Any]]:
        """Every sending of an order, header taken off."""
        return [
            {key: value for key, value in tree.items() if key not in ("headerId", "timestamp")}
            for tree in self.messages(TopicKind.ORDER)
            if tree["orderId"] == order_id
        ]

    def _subscribe(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe(self._topic, 1)

    def _subscribed(self, *_: Any) -> None:
        self.is_listening = True


class Bench:
    """Both ends and an eavesdropper on one broker, moved on by `until`."""

    def __init__(self, broker: RealBroker) -> None:
        self.broker = broker
        self.fleet = FleetEnd(broker)
        self.robot = RobotEnd(broker)
        self.ear = Eavesdropper(broker)
        self.until(lambda: self.fleet.transport.is_connected and self.ear.is_listening, "the fleet is connected")

    def close(self) -> None:
        for end in (self.robot, self.fleet, self.ear):
            end.close()

    def online(self) -> Bench:
        """Connect the robot and wait until the fleet has its first state."""
        self.robot.connect()
        self.until(lambda: self.fleet.link.report is not None, "the robot has reported")
        return self

    def replace_fleet(self) -> None:
        """Let the fleet's end die and another begin, which knows nothing yet."""
        self.fleet.close()
        self.fleet = FleetEnd(self.broker, client_id="next-fleet")

    def until(self, is_so: Callable[[], object], what: str, *, limit_s: float = LIMIT_S) -> None:
        """Let both ends live until a condition holds; fail with its name when it does not come true in time."""
        deadline_s = time.monotonic() + limit_s
        while not is_so():
            if time.monotonic() > deadline_s:
                pytest.fail(f"waited {limit_s:g} s in vain until {what}; told so far: {self.fleet.events}")
            self.fleet.turn()
            self.robot.turn()
            time.sleep(0.01)
