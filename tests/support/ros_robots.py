"""A real robot process between a real broker and a second process on its ROS topics."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from orchestrator.domain.fleet.model import RobotModel
from orchestrator.vda5050.address import RobotAddress, TopicKind
from orchestrator.vda5050.codec import encode
from orchestrator.vda5050.messages import Action, Order
from ros_nodes.model_file import model_to_json
from ros_nodes.processes import Place, RobotProcess
from tests.support.brokers import RealBroker, wait_until
from tests.support.onboard_robots import ADDRESS, MODEL, instant_actions

REPOSITORY = Path(__file__).resolve().parents[2]


class FleetEar:
    """Sends orders to one robot as the fleet would, and keeps what the robot says."""

    def __init__(self, broker: RealBroker, address: RobotAddress = ADDRESS) -> None:
        self.address = address
        self.states: list[dict[str, Any]] = []
        self.connections: list[str] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._subscribe
        self._client.on_message = self._hear
        self._client.connect(broker.host, broker.port, keepalive=15)
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def state(self) -> dict[str, Any]:
        """The newest state; empty before the first."""
        return self.states[-1] if self.states else {}

    def send(self, message: Order | Action) -> None:
        """Publish an order or an instant action."""
        kind = TopicKind.ORDER if isinstance(message, Order) else TopicKind.INSTANT_ACTIONS
        wrapped = message if isinstance(message, Order) else instant_actions(message)
        self._client.publish(self.address.topic(kind), encode(wrapped, version=self.address.version), kind.qos)

    def wait_for(self, what: str, limit_s: float = 30.0, **fields: object) -> dict[str, Any]:
        """Wait for a state whose newest fields are ``fields`` and return it."""
        wait_until(
            lambda: bool(self.states) and all(self.state.get(key) == value for key, value in fields.items()),
            what,
            limit_s=limit_s,
        )
        return self.state

    def wait_online(self) -> None:
        """Wait until the robot has announced itself."""
        wait_until(lambda: bool(self.connections) and self.connections[-1] == "ONLINE", "the robot is online")

    def _subscribe(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe([(self.address.topic(kind), 1) for kind in (TopicKind.STATE, TopicKind.CONNECTION)])

    def _hear(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        tree = json.loads(message.payload)
        if message.topic.endswith("/connection"):
            self.connections.append(tree["connectionState"])
        else:
            self.states.append(tree)


class RobotRun:
    """A robot's process; started, hurt and ended by a test."""

    def __init__(
        self, folder: Path, broker: RealBroker, *, domain_id: int, model: RobotModel = MODEL, **more: Any
    ) -> None:
        model_file = folder / "model.json"
        model_file.write_text(model_to_json(model), encoding="utf-8")
        start_pose: Place = ("L1", 0.0, 0.0, 0.0)
        self.process = RobotProcess(
            robot_id=ADDRESS.serial_number,
            mqtt_url=broker.url,
            model_file=model_file,
            state_dir=folder / "state",
            start_pose=start_pose,
            ros_domain_id=domain_id,
            **more,
        )
        self._log = folder / "robot.log"
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(
                self.process.argv, env={**os.environ, **self.process.env}, stdout=log, stderr=log, cwd=REPOSITORY
            )

    @property
    def is_running(self) -> bool:
        return self._running is not None and self._running.poll() is None

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        assert self._running is not None
        self._running.send_signal(number)
        return self._running.wait(timeout=15)

    def clean_up(self) -> None:
        if self.is_running:
            self.end(signal.SIGKILL)


class Companion:
    """A second Python process on the same ROS domain that prints JSON lines."""

    def __init__(self, module: str, arguments: Sequence[str], *, domain_id: int) -> None:
        env = {**os.environ, "ROS_DOMAIN_ID": str(domain_id), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
        self.lines: list[dict[str, Any]] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments], env=env, stdout=subprocess.PIPE, cwd=REPOSITORY, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait(self, limit_s: float = 45.0) -> int:
        """Wait for its end and return its exit code."""
        code = self._process.wait(limit_s)
        self._reader.join(5)
        return code

    def clean_up(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(10)
        self._reader.join(5)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(json.loads(line))
