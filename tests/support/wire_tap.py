"""An ear on the broker from before the first order: what was ordered, and what robots said they carry."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.brokers import RealBroker, wait_until

_HEADER = ("headerId", "timestamp")


@dataclass(frozen=True, slots=True)
class Tapped:
    """One message as it passed: whose, what, whether the broker had kept it, and our monotonic seconds."""

    serial_number: str
    tree: dict[str, Any]
    was_kept: bool
    at_s: float


class WireTap:
    """Keeps every order and state that passes the broker; comes back by itself when the broker does."""

    def __init__(self, broker: RealBroker) -> None:
        self.orders: list[Tapped] = []
        self.states: dict[str, list[Tapped]] = defaultdict(list)
        self.connections: list[Tapped] = []
        self._listens = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="wire-tap")
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._listen
        self._client.on_subscribe = lambda *_: self._listens.set()
        self._client.on_disconnect = lambda *_: self._listens.clear()
        self._client.on_message = self._hear
        broker.prepare(self._client)
        self._client.connect(broker.host, broker.port, keepalive=5)
        self._client.loop_start()
        wait_until(self._listens.is_set, "the wire tap listens")

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def last_state(self, serial_number: str) -> Tapped:
        """The newest state of a robot that has said one."""
        return self.states[serial_number][-1]

    # -- what must never be on the wire ----------------------------------------------------------------------------

    def changed_orders(self) -> list[tuple[str, int]]:
        """Order and update ids under which more than one content went out, header aside."""
        contents: dict[tuple[str, int], set[str]] = defaultdict(set)
        for order in self.orders:
            tree = {key: value for key, value in order.tree.items() if key not in _HEADER}
            contents[tree["orderId"], tree["orderUpdateId"]].add(json.dumps(tree, sort_keys=True))
        return sorted(key for key, seen in contents.items() if len(seen) > 1)

    def shared_orders(self) -> list[str]:
        """Order ids that went to more than one robot."""
        robots: dict[str, set[str]] = defaultdict(set)
        for order in self.orders:
            robots[order.tree["orderId"]].add(order.serial_number)
        return sorted(order for order, served in robots.items() if len(served) > 1)

    def order_ids(self, serial_number: str) -> set[str]:
        """Ids of the orders that went to a robot so far."""
        return {order.tree["orderId"] for order in self.orders if order.serial_number == serial_number}

    def handled(self, load: str) -> Counter[str]:
        """How often a load came aboard (``on``) and left (``off``), by what robots report."""
        moves: Counter[str] = Counter()
        for states in self.states.values():
            was_aboard = False
            for state in list(states):
                is_aboard = load in loads_of(state.tree)
                if is_aboard != was_aboard:
                    moves["on" if is_aboard else "off"] += 1
                was_aboard = is_aboard
        return moves

    @staticmethod
    def _listen(client: mqtt.Client, *_: Any) -> None:
        client.subscribe([(f"+/+/+/+/{kind}", 0) for kind in ("order", "state", "connection")])

    def _hear(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        _, _, _, serial_number, kind = message.topic.rsplit("/", 4)
        tapped = Tapped(serial_number, json.loads(message.payload), message.retain, time.monotonic())
        if kind == "order":
            self.orders.append(tapped)
        elif kind == "state":
            self.states[serial_number].append(tapped)
        else:
            self.connections.append(tapped)


def loads_of(state: dict[str, Any]) -> set[str]:
    """Ids of the loads in a state."""
    return {load["loadId"] for load in state.get("loads", ())}
