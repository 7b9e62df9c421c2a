"""Real MQTT brokers for tests: our own child broker and Mosquitto, behind one handle that can hurt them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from orchestrator.adapters.mqtt.broker import ChildBroker
from tests.support.tools import mosquitto_path

START_LIMIT_S = 20.0


class RealBroker(ABC):
    """A broker process on a loopback port that stays the same over restarts."""

    host = "127.0.0.1"

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port

    @property
    def url(self) -> str:
        """Address in the form that ``WARDPORTER_MQTT_URL`` has."""
        return f"mqtt://{self.host}:{self.port}"

    @property
    @abstractmethod
    def pid(self) -> int:
        """Process id of the broker that runs now."""

    @abstractmethod
    def start(self) -> None:
        """Start it and return when it accepts connections."""

    @abstractmethod
    def kill(self) -> None:
        """End it by SIGKILL; everything it remembered is gone."""

    @abstractmethod
    def stop(self) -> None:
        """End it politely, for good; harmless when it does not run."""

    def prepare(self, client: mqtt.Client) -> None:  # noqa: B027  # a broker without accounts asks for nothing
        """Give a client that listens in what the broker asks of it."""

    def restart(self) -> None:
        """Kill it and start it again on the same port."""
        self.kill()
        self.start()

    def pause(self) -> None:
        """Silence it with its sockets open (SIGSTOP)."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after ``pause``."""
        os.kill(self.pid, signal.SIGCONT)


class AmqttBroker(RealBroker):
    """The child broker of the demo, as the orchestrator runs it."""

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder, port)
        self._child = ChildBroker(folder, port=port)

    @property
    def pid(self) -> int:
        place = self._child.running()
        assert place is not None, "the broker does not run"
        return place.pid

    def start(self) -> None:
        self._child.start()

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        wait_until(lambda: self._child.running() is None, "the broker has ended")

    def stop(self) -> None:
        if self._child.running() is not None:
            self.resume()
        self._child.stop()


class MosquittoBroker(RealBroker):
    """Mosquitto with a configuration of its own: one listener, no accounts, nothing kept on disk."""

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder, port)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "the broker does not run"
        return self._process.pid

    def start(self) -> None:
        program = mosquitto_path()
        assert program is not None, "mark the test with `broker`"
        with (self.folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen([program, "-c", str(self.configuration())], stdout=log, stderr=log)
        wait_until(lambda: accepts_connections(self.host, self.port), "Mosquitto accepts connections")

    def configuration(self) -> Path:
        """Write what it is to be run with."""
        path = self.folder / "mosquitto.conf"
        path.write_text(f"listener {self.port} {self.host}\nallow_anonymous true\npersistence false\n")
        return path

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self._reap()

    def stop(self) -> None:
        if self._process is not None:
            self.resume()
            self._process.terminate()
            self._reap()

    def _reap(self) -> None:
        assert self._process is not None
        self._process.wait(timeout=START_LIMIT_S)
        self._process = None


def accepts_connections(host: str, port: int) -> bool:
    """Whether a TCP connection is accepted there."""
    try:
        with socket.create_connection((host, port), timeout=1.0):
            return True
    except OSError:
        return False


def wait_until(is_so: Callable[[], bool], what: str, *, limit_s: float = START_LIMIT_S) -> None:
    """Wait for a condition, looking often; fail with its name when it does not come true in time."""
    deadline_s = time.monotonic() + limit_s
    while not is_so():
        if time.monotonic() > deadline_s:
            pytest.fail(f"waited {limit_s:g} s in vain until {what}")
        time.sleep(0.02)


BROKERS: dict[str, type[RealBroker]] = {"amqtt": AmqttBroker, "mosquitto": MosquittoBroker}


@pytest.fixture(params=["amqtt", pytest.param("mosquitto", marks=pytest.mark.broker)])
def broker(request: pytest.FixtureRequest, tmp_path: Path, free_port: int) -> Iterator[RealBroker]:
    """Running broker, once as amqtt and once as Mosquitto; ended after the test however it was left."""
    folder = tmp_path / "broker"
    folder.mkdir()
    running = BROKERS[request.param](folder, free_port)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def child_broker(tmp_path: Path, free_port: int) -> Iterator[RealBroker]:
    """Running child broker (amqtt) for tests that need just any broker; no Mosquitto needed."""
    running = AmqttBroker(tmp_path / "broker", free_port)
    running.start()
    yield running
    running.stop()
