"""What the link relies on, held by both brokers it is run with."""

from __future__ import annotations

import queue
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from tests.support.brokers import RealBroker

ANSWER_LIMIT_S = 10.0


class Listener:
    """A paho client whose callbacks only fill queues."""

    def __init__(self, broker: RealBroker, name: str) -> None:
        self._broker = broker
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name)
        self.connected: queue.SimpleQueue[ReasonCode] = queue.SimpleQueue()
        self.subscribed: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.heard: queue.SimpleQueue[mqtt.MQTTMessage] = queue.SimpleQueue()
        self.client.on_connect = lambda _c, _u, _f, reason, _p: self.connected.put(reason)
        self.client.on_subscribe = lambda _c, _u, mid, _r, _p: self.subscribed.put(mid)
        self.client.on_message = lambda _c, _u, message: self.heard.put(message)

    def __enter__(self) -> Listener:
        self.client.connect(self._broker.host, self._broker.port, keepalive=5)
        self.client.loop_start()
        self.connected.get(timeout=ANSWER_LIMIT_S)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def subscribe(self, topic: str, qos: int = 1) -> None:
        self.client.subscribe(topic, qos)
        self.subscribed.get(timeout=ANSWER_LIMIT_S)

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        self.client.publish(topic, payload, qos=qos, retain=retain).wait_for_publish(ANSWER_LIMIT_S)

    def next(self) -> tuple[str, bytes]:
        message = self.heard.get(timeout=ANSWER_LIMIT_S)
        return message.topic, bytes(message.payload)


Connect = Callable[[str], Listener]


@pytest.fixture
def connect(broker: RealBroker) -> Iterator[Connect]:
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(Listener(broker, name))


@contextmanager
def _with_will(broker: RealBroker, topic: str, payload: bytes) -> Iterator[Listener]:
    robot = Listener(broker, "robot")
    robot.client.will_set(topic, payload, qos=1, retain=True)
    with robot:
        yield robot


@pytest.mark.parametrize("qos", [0, 1])
def test_subscriber_hears_what_is_published(connect: Connect, qos: int) -> None:
    robot, house = connect("robot"), connect("house")
    house.subscribe("uagv/v2/+/+/state", qos)
    robot.publish("uagv/v2/acme/R1/state", b"{}", qos=qos)
    assert house.next() == ("uagv/v2/acme/R1/state", b"{}")


def test_messages_of_one_publisher_arrive_in_order(connect: Connect) -> None:
    robot, house = connect("robot"), connect("house")
    house.subscribe("state", 0)
    sent = [str(number).encode() for number in range(300)]
    for payload in sent:
        robot.client.publish("state", payload, qos=0)
    assert [house.next()[1] for _ in sent] == sent


def test_late_subscriber_hears_the_retained_message(connect: Connect) -> None:
    connect("robot").publish("connection", b"ONLINE", retain=True)
    house = connect("house")
    house.subscribe("connection")
    assert house.next() == ("connection", b"ONLINE")


def test_last_will_is_sent_and_retained_when_the_socket_dies(connect: Connect, broker: RealBroker) -> None:
    house = connect("house")
    house.subscribe("connection")
    with _with_will(broker, "connection", b"CONNECTIONBROKEN") as robot:
        robot.client.loop_stop()
        sock = robot.client.socket()
        assert isinstance(sock, socket.socket)
        sock.shutdown(socket.SHUT_RDWR)  # as when the kernel closes for a killed process: no DISCONNECT is sent
        assert house.next() == ("connection", b"CONNECTIONBROKEN")
    late = connect("late")
    late.subscribe("connection")
    assert late.next() == ("connection", b"CONNECTIONBROKEN")


def test_polite_disconnect_sends_no_last_will(connect: Connect, broker: RealBroker) -> None:
    house = connect("house")
    house.subscribe("#")
    with _with_will(broker, "connection", b"CONNECTIONBROKEN"):
        pass
    connect("marker").publish("after", b"the robot left")
    assert house.next() == ("after", b"the robot left")


def test_client_comes_back_by_itself_after_the_broker_restarted(connect: Connect, broker: RealBroker) -> None:
    house = Listener(broker, "house")
    house.client.reconnect_delay_set(1, 1)
    with house:
        broker.restart()
        house.connected.get(timeout=ANSWER_LIMIT_S)
        house.subscribe("state")
        connect("robot").publish("state", b"again")
        assert house.next() == ("state", b"again")


def test_broker_on_pause_is_silent_and_then_goes_on(connect: Connect, broker: RealBroker) -> None:
    robot, house = connect("robot"), connect("house")
    house.subscribe("state")
    broker.pause()
    robot.client.publish("state", b"waits", qos=0)
    with pytest.raises(queue.Empty):
        house.heard.get(timeout=0.3)
    broker.resume()
    assert house.next() == ("state", b"waits")
