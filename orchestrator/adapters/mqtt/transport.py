"""The way to the broker over paho-mqtt.

paho runs its callbacks on a thread of its own; they do nothing but hand bytes over, because an exception in a
callback would end that thread while the client still calls itself connected. Orders go out at QoS 0 and are lost
while the broker is away: paho would queue QoS 1 and deliver a stale order minutes later, so the link resends
instead, while the order is still wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion

from orchestrator.adapters.mqtt.broker_address import BrokerLink
from orchestrator.application.admission import sender_of
from orchestrator.vda5050.address import AddressError, parse_topic

log = structlog.get_logger(__name__)

KEEPALIVE_S = 15
RECONNECT_S = (1, 5)


class PahoTransport:
    """A connection to one broker that comes back by itself.

    Parameters
    ----------
    broker : BrokerLink
        Where the broker is, and who we are to it.
    topics : sequence of str
        What to listen to, subscribed again at every connection.
    on_message : callable
        Gets topic, payload and whether the broker had kept it, **on paho's thread**; must only hand them over.
    on_connection : callable
        Gets True or False when the connection comes or goes, on paho's thread.

    Raises
    ------
    InvalidInputError
        Address or credential cannot be used.
    """

    def __init__(
        self,
        broker: BrokerLink,
        *,
        topics: Sequence[str],
        on_message: Callable[[str, bytes, bool], None],
        on_connection: Callable[[bool], None],
    ) -> None:
        address = broker.address
        self._host, self._port = address.host, address.port
        self._topics = list(topics)
        self._muted: set[str] = set()
        self._on_message = on_message
        self._on_connection = on_connection
        self.is_connected = False
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=broker.client_id, clean_session=True)
        broker.prepare(self._client)
        self._client.reconnect_delay_set(*RECONNECT_S)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._received

    def start(self) -> None:
        """Start connecting; returns at once."""
        self._client.connect_async(self._host, self._port, keepalive=KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect and end paho's thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def mute(self, sender: str) -> None:
        """Stop listening to the topics of one sender, so that the broker drops what it says."""
        topics = [topic for topic in self._topics if sender_of(topic) == sender]
        self._muted |= set(topics)
        if topics and self.is_connected:
            self._client.unsubscribe(topics)

    def unmute(self, sender: str) -> None:
        """Listen to one sender again."""
        topics = [topic for topic in self._topics if sender_of(topic) == sender and topic in self._muted]
        self._muted -= set(topics)
        if topics and self.is_connected:
            self._client.subscribe(_subscriptions(topics))

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> None:
        """Hand a message to the broker, or drop it while there is none."""
        if self.is_connected:
            self._client.publish(topic, payload, qos=qos, retain=retain)

    def _connected(self, client: mqtt.Client, _data: object, _flags: object, reason: object, _props: object) -> None:
        if getattr(reason, "is_failure", False):
            log.warning("broker_refused", host=self._host, port=self._port, reason=str(reason))
            return
        topics = [topic for topic in self._topics if topic not in self._muted]
        if topics:
            client.subscribe(_subscriptions(topics))
        self.is_connected = True
        log.info("broker_connected", host=self._host, port=self._port)
        self._on_connection(True)

    def _disconnected(self, _client: object, _data: object, _flags: object, reason: object, _props: object) -> None:
        self.is_connected = False
        log.warning("broker_disconnected", host=self._host, port=self._port, reason=str(reason))
        self._on_connection(False)

    def _received(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        self._on_message(message.topic, bytes(message.payload), message.retain)


def _subscriptions(topics: Sequence[str]) -> list[tuple[str, int]]:
    """Return each topic with the quality its sender owes it; a flood of states at QoS 1 would fill our queue there."""
    return [(topic, _qos(topic)) for topic in topics]


def _qos(topic: str) -> int:
    try:
        return parse_topic(topic).kind.qos
    except AddressError:
        return 1
