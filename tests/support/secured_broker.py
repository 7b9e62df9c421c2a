"""Mosquitto as `wardporter pki` sets it up, and parties that connect to it with certificates good and bad."""

from __future__ import annotations

import os
import pwd
import socket
import ssl
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from orchestrator.adapters.pki.authority import Authority
from orchestrator.adapters.pki.deployment import BrokerPlan, keep_plan, write_broker_files
from orchestrator.adapters.pki.identity import BROKER, SERVICE, Identity, IdentityKind
from orchestrator.domain.fleet.model import Robot
from tests.support.authorities import robot_identity
from tests.support.brokers import MosquittoBroker, RealBroker, wait_until

SITE = "ward-1"
OBSERVER = Identity(IdentityKind.OBSERVER, "tap")


def this_account() -> str:
    """The account that runs the tests: its folders are closed to others, so Mosquitto has to stay with it."""
    return pwd.getpwuid(os.geteuid()).pw_name


class SecuredBroker(MosquittoBroker):
    """Mosquitto with the generated configuration, its authority, and every robot's certificate."""

    def __init__(
        self,
        folder: Path,
        port: int,
        robots: Iterable[Robot],
        *,
        site: str = SITE,
        devices: Iterable[Identity] = (),
    ) -> None:
        super().__init__(folder, port)
        self.robots = list(robots)
        self.authority = Authority.create(folder, name="test", now=lambda: datetime.now(UTC))
        self.plan = BrokerPlan((self.host, "localhost"), site, listen=self.host, port=port, user=this_account())
        keep_plan(self.authority, self.plan)
        self.authority.issue(BROKER, hosts=self.plan.hosts)
        for identity in (SERVICE, OBSERVER, *(robot_identity(robot.id) for robot in self.robots), *devices):
            self.authority.issue(identity)
        self.write_files()

    @property
    def url(self) -> str:
        return f"mqtts://{self.host}:{self.port}"

    @property
    def service_files(self) -> Path:
        return self.authority.folder_of(SERVICE)

    def robot_files(self, robot: str) -> Path:
        return self.authority.folder_of(robot_identity(robot))

    def write_files(self) -> None:
        write_broker_files(self.authority, self.plan, self.robots)

    def configuration(self) -> Path:
        return self.authority.broker_folder / "mosquitto.conf"

    def prepare(self, client: mqtt.Client) -> None:
        client.tls_set_context(_context(self.authority.folder_of(OBSERVER), None))

    def log_text(self) -> str:
        return (self.folder / "mosquitto.log").read_text(errors="replace")


class Party:
    """A client that connects once, with the files it is given, and keeps what it hears and what became of it.

    Parameters
    ----------
    broker : RealBroker
        Running, with TLS.
    files : Path or None
        Folder with ``ca.crt``, ``client.crt`` and ``client.key``; None for somebody without a certificate.
    trust : Path, optional
        The authority to trust when there are no files.
    client_id : str, optional
        The id it asks for.
    will : tuple, optional
        Topic, payload, QoS and whether it is retained.
    """

    def __init__(
        self,
        broker: RealBroker,
        files: Path | None,
        *,
        trust: Path | None = None,
        client_id: str = "party",
        will: tuple[str, bytes, int, bool] | None = None,
    ) -> None:
        self.heard: list[tuple[str, bytes, bool]] = []
        self._up, self._down, self._granted = threading.Event(), threading.Event(), threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, reconnect_on_failure=False)
        self._client.tls_set_context(_context(files, trust))
        self._client.on_connect = self._connected
        self._client.on_connect_fail = lambda *_: self._down.set()
        self._client.on_disconnect = lambda *_: self._down.set()
        self._client.on_subscribe = lambda *_: self._granted.set()
        self._client.on_message = lambda _c, _d, message: self.heard.append(
            (message.topic, bytes(message.payload), message.retain)
        )
        if will is not None:
            self._client.will_set(*will)
        self._client.connect_async(broker.host, broker.port, keepalive=10)
        self._client.loop_start()

    @property
    def is_refused(self) -> bool:
        return self._down.is_set() and not self._up.is_set()

    @property
    def is_ended(self) -> bool:
        return self._up.is_set() and self._down.is_set()

    @property
    def is_connected(self) -> bool:
        return self._up.is_set() and not self._down.is_set()

    def wait_connected(self) -> Party:
        wait_until(lambda: self._up.is_set() or self._down.is_set(), "the broker answers")
        assert self._up.is_set(), "the broker refused the connection"
        return self

    def wait_refused(self) -> Party:
        wait_until(lambda: self._up.is_set() or self._down.is_set(), "the broker answers")
        assert self.is_refused, "the broker accepted the connection"
        return self

    def listen(self, *topics: str) -> Party:
        self._granted.clear()
        self._client.subscribe([(topic, 1) for topic in topics])
        wait_until(self._granted.is_set, f"the broker answers the subscription to {topics}")
        return self

    def say(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> mqtt.MQTTMessageInfo:
        return self._client.publish(topic, payload, qos, retain)

    def break_off(self) -> None:
        """End the connection without a farewell, so that the broker sends the last will."""
        wire = self._client.socket()
        assert isinstance(wire, socket.socket)
        wire.shutdown(socket.SHUT_RDWR)
        wait_until(self._down.is_set, "the connection is broken")
        self._client.loop_stop()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        (self._down if reason.is_failure else self._up).set()


def _context(files: Path | None, trust: Path | None) -> ssl.SSLContext:
    where = trust or (files / "ca.crt" if files is not None else None)
    context = ssl.create_default_context(cafile=str(where) if where is not None else None)
    if files is not None:
        context.load_cert_chain(files / "client.crt", files / "client.key")
    return context
