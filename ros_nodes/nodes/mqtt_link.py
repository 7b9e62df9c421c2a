"""The robot's end of the broker connection: paho callbacks only put bytes into a queue."""

from __future__ import annotations

import contextlib
import queue
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from orchestrator.adapters.mqtt.broker_address import BrokerLink
from orchestrator.vda5050.address import TO_ROBOT, RobotAddress, TopicKind
from ros_nodes.onboard.voice import OutgoingMessage

KEEPALIVE_S = 15
RECONNECT_S = (1, 5)
WAITING_MAX = 256
_GOOD_BYE_S = 2.0


class LinkEvent(Enum):
    """What happened to the connection."""

    UP = auto()
    DOWN = auto()


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as it came."""

    kind: TopicKind
    payload: bytes


class MqttLink:
    """A connection that comes back by itself; owned by the agent, fed by paho's thread.

    Messages that find the queue full are dropped: everything a robot listens to is sent again while it is wanted.

    Parameters
    ----------
    broker : BrokerLink
        Where the broker is, and who the robot is to it.
    address : RobotAddress
        Whose topics to listen to.
    will : OutgoingMessage
        What the broker says when the connection breaks.

    Raises
    ------
    InvalidInputError
        Address or credential cannot be used.
    """

    def __init__(self, broker: BrokerLink, *, address: RobotAddress, will: OutgoingMessage) -> None:
        self._host, self._port = broker.address.host, broker.address.port
        self._kinds = {address.topic(kind): kind for kind in TO_ROBOT}
        self._queue: queue.SimpleQueue[Heard | LinkEvent] = queue.SimpleQueue()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=broker.client_id)
        self._client.reconnect_delay_set(*RECONNECT_S)
        self._client.will_set(will.topic, will.payload, will.qos, will.retain)
        broker.prepare(self._client)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    def open(self) -> None:
        """Start connecting, and keep trying."""
        self._client.connect_async(self._host, self._port, keepalive=KEEPALIVE_S)
        self._client.loop_start()

    def close(self) -> None:
        """Disconnect properly, so that the last will is not sent."""
        self._client.disconnect()
        self._client.loop_stop()

    def heard(self) -> list[Heard | LinkEvent]:
        """Return everything that came in since the last call, in order."""
        items: list[Heard | LinkEvent] = []
        with contextlib.suppress(queue.Empty):
            while True:
                items.append(self._queue.get_nowait())
        return items

    def publish(self, message: OutgoingMessage, *, wait: bool = False) -> None:
        """Send a message if the broker is there; nothing waits for a broker that is not."""
        if not self._client.is_connected():
            return
        info = self._client.publish(message.topic, message.payload, message.qos, message.retain)
        if wait and info.rc == mqtt.MQTT_ERR_SUCCESS:
            info.wait_for_publish(_GOOD_BYE_S)

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            return
        client.subscribe([(topic, kind.qos) for topic, kind in self._kinds.items()])
        self._queue.put(LinkEvent.UP)

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, _reason: Any, _properties: Any) -> None:
        self._queue.put(LinkEvent.DOWN)

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        # Orders are never kept by the broker (VDA 5050 §6.3): one that was is of another day, and nobody means it now.
        kind = None if message.retain else self._kinds.get(message.topic)
        if kind is not None and self._queue.qsize() < WAITING_MAX:
            self._queue.put(Heard(kind, bytes(message.payload)))
