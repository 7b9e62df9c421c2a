"""The orchestrator's transport on both real brokers: it comes back by itself, and never delivers a stale order."""

from __future__ import annotations

import queue
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from orchestrator.adapters.mqtt.broker_address import BrokerLink, TlsFiles
from orchestrator.adapters.mqtt.transport import PahoTransport
from tests.support.brokers import BROKERS, RealBroker, wait_until
from tests.support.link_ends import Eavesdropper
from tests.support.secured_broker import SecuredBroker

HEAR_LIMIT_S = 10.0


class Ear:
    """A transport and what it hands over."""

    def __init__(self, url: str, *topics: str, client_id: str = "house") -> None:
        self.heard: queue.SimpleQueue[tuple[str, bytes, bool]] = queue.SimpleQueue()
        self.connections: list[bool] = []
        self.transport = PahoTransport(
            BrokerLink(url, client_id),
            topics=topics,
            on_message=lambda *message: self.heard.put(message),
            on_connection=self.connections.append,
        )
        self.transport.start()

    def wait_connected(self) -> None:
        wait_until(lambda: self.transport.is_connected, "the transport is connected")

    def next(self) -> tuple[str, bytes, bool]:
        return self.heard.get(timeout=HEAR_LIMIT_S)


Connect = Callable[..., Ear]
Listen = Callable[[str], Eavesdropper]


@pytest.fixture
def connect() -> Iterator[Connect]:
    with ExitStack() as stack:

        def connect_one(url: str, *topics: str, client_id: str = "house") -> Ear:
            ear = Ear(url, *topics, client_id=client_id)
            stack.callback(ear.transport.stop)
            return ear

        yield connect_one


@pytest.fixture
def listen(broker: RealBroker) -> Iterator[Listen]:
    with ExitStack() as stack:

        def listen_one(topic: str) -> Eavesdropper:
            ear = Eavesdropper(broker, topic)
            stack.callback(ear.close)
            wait_until(lambda: ear.is_listening, "somebody listens")
            return ear

        yield listen_one


def _hear_marker(ear: Ear, robot: Eavesdropper, topic: str) -> None:
    """Say markers until one is heard: the subscription follows the connection by a moment."""

    def is_heard() -> bool:
        robot.say(topic, b"marker")
        return not ear.heard.empty()

    wait_until(is_heard, "the transport hears its topic")


def test_transport_started_before_its_broker_connects_when_it_is_there(
    connect: Connect, tmp_path: Path, free_port: int
) -> None:
    late = BROKERS["amqtt"](tmp_path / "late", free_port)
    house = connect(late.url, "state")
    assert not house.transport.is_connected
    late.start()
    try:
        house.wait_connected()
        assert house.connections == [True]
    finally:
        late.stop()


def test_messages_say_whether_the_broker_had_kept_them(connect: Connect, listen: Listen, broker: RealBroker) -> None:
    robot, earlier = connect(broker.url, client_id="robot"), listen("connection")
    robot.wait_connected()
    robot.transport.publish("connection", b"ONLINE", qos=1, retain=True)
    # Whoever subscribes before the broker has it hears it live.
    wait_until(lambda: earlier.heard == [("connection", b"ONLINE", False)], "the broker has it")
    house = connect(broker.url, "connection")
    kept = ("connection", b"ONLINE", True)
    assert house.next() == kept
    robot.transport.publish("connection", b"OFFLINE", qos=1, retain=True)
    # What is kept may come more than once (quality of service 1).
    assert next(heard for heard in iter(house.next, None) if heard != kept) == ("connection", b"OFFLINE", False)


def test_transport_subscribes_again_after_the_broker_restarted(
    connect: Connect, listen: Listen, broker: RealBroker
) -> None:
    house, robot = connect(broker.url, "state"), listen("nothing")
    _hear_marker(house, robot, "state")
    broker.kill()
    wait_until(lambda: house.connections[-1] is False, "the loss is told")
    assert not house.transport.is_connected
    broker.start()
    while not house.heard.empty():
        house.heard.get()
    _hear_marker(house, robot, "state")
    assert house.connections == [True, False, True]


def test_order_published_while_the_broker_is_away_never_arrives(
    connect: Connect, listen: Listen, broker: RealBroker
) -> None:
    house, robot = connect(broker.url), listen("order")
    house.wait_connected()
    broker.kill()
    wait_until(lambda: not house.transport.is_connected, "the transport has noticed")
    robot.is_listening = False
    house.transport.publish("order", b"stale", qos=0, retain=False)
    house.transport.publish("order", b"stale", qos=1, retain=False)
    broker.start()
    wait_until(lambda: house.transport.is_connected and robot.is_listening, "both are back")
    # Messages of one client keep their order: had a stale one waited, it would come before this one.
    house.transport.publish("order", b"fresh", qos=0, retain=False)
    wait_until(lambda: bool(robot.heard), "the fresh order is heard")
    assert [payload for _, payload, _ in robot.heard] == [b"fresh"]


def test_transport_that_was_stopped_says_nothing_more(connect: Connect, listen: Listen, broker: RealBroker) -> None:
    house, robot = connect(broker.url), listen("order")
    house.wait_connected()
    house.transport.stop()
    assert not house.transport.is_connected
    house.transport.publish("order", b"after the end", qos=0, retain=False)
    robot.say("order", b"marker")
    wait_until(lambda: bool(robot.heard), "the marker is heard")
    assert [payload for _, payload, _ in robot.heard] == [b"marker"]


def test_broker_that_hangs_is_noticed_by_its_silence(
    connect: Connect, broker: RealBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.adapters.mqtt.transport.KEEPALIVE_S", 1)
    house = connect(broker.url, "state")
    house.wait_connected()
    broker.pause()
    wait_until(lambda: not house.transport.is_connected, "the silence is noticed")
    broker.resume()
    house.wait_connected()


def test_a_muted_sender_is_not_heard_until_it_is_unmuted_and_the_others_are(
    connect: Connect, listen: Listen, broker: RealBroker
) -> None:
    loud, calm = "ward/v2/w/LOUD/state", "ward/v2/w/CALM/state"
    house, robots = connect(broker.url, loud, calm), listen("nothing")
    _hear_marker(house, robots, loud)
    house.transport.mute("ward/v2/w/LOUD")
    robots.say(calm, b"the mute went out before this")
    _wait_silent(house, robots, loud, calm)
    broker.restart()
    wait_until(lambda: house.connections[-2:] == [False, True], "the connection is back")
    _wait_silent(house, robots, loud, calm)

    house.transport.unmute("ward/v2/w/LOUD")

    _hear_marker(house, robots, loud)


def _wait_silent(ear: Ear, robots: Eavesdropper, loud: str, calm: str) -> None:
    """Say something on both topics in turns until only the calm one is heard, three times in a row."""
    in_a_row = 0

    def only_calm_is_heard() -> bool:
        nonlocal in_a_row
        while not ear.heard.empty():
            ear.next()
        robots.say(loud, b"loud")
        robots.say(calm, b"calm")
        heard = [ear.next()[0]]
        while heard[-1] != calm:
            heard.append(ear.next()[0])
        in_a_row = in_a_row + 1 if heard == [calm] else 0
        return in_a_row >= 3

    wait_until(only_calm_is_heard, "only the calm sender is heard")


class PasswordBroker(SecuredBroker):
    """Mosquitto over TLS as some hospitals have it: it shows a certificate, and knows clients by their passwords."""

    def configuration(self) -> Path:
        folder = self.authority.broker_folder
        passwords = self.folder / "passwords"
        subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "house", "secret"], check=True)
        path = self.folder / "mosquitto.conf"
        path.write_text(
            f"user {self.plan.user}\nlistener {self.port} {self.host}\nallow_anonymous false\n"
            f"password_file {passwords}\ncafile {folder / 'ca.crt'}\ncertfile {folder / 'server.crt'}\n"
            f"keyfile {folder / 'server.key'}\n"
        )
        return path


@pytest.mark.broker
def test_a_broker_over_tls_that_asks_for_a_password_and_no_certificate_lets_the_service_in(
    tmp_path: Path, claim_port: Callable[[], int]
) -> None:
    broker = PasswordBroker(tmp_path, claim_port(), [])
    broker.start()
    with ExitStack() as ending:
        ending.callback(broker.stop)
        ups: dict[str, list[bool]] = {"secret": [], "wrong": []}
        for password, up in ups.items():
            url = f"mqtts://house:{password}@{broker.host}:{broker.port}"
            link = BrokerLink(url, f"house-{password}", tls=TlsFiles(broker.authority.broker_folder / "ca.crt"))
            link.check()
            transport = PahoTransport(link, topics=["a"], on_message=lambda *_: None, on_connection=up.append)
            ending.callback(transport.stop)
            transport.start()
            if password == "secret":
                wait_until(lambda transport=transport: transport.is_connected, "the transport is connected")
        wait_until(lambda: "not authorised" in broker.log_text(), "the wrong password is refused")
        assert True not in ups["wrong"]
