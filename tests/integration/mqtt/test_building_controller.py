"""The controller of simulated devices as a process on a real broker, asked by the building of the service."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from orchestrator.adapters.building.over_mqtt import MqttBuilding
from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.config.built_in import built_in
from orchestrator.adapters.mqtt.broker_address import BrokerLink
from orchestrator.adapters.mqtt.transport import PahoTransport
from orchestrator.devices.dialogue import Timing
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.device import DoorPosition
from orchestrator.domain.site.model import LevelId
from tests.support.brokers import RealBroker, wait_until
from tests.support.wards import demo_hospital

R1 = RobotId("R1")
SITE_FILE = built_in("sites/demo_hospital.site.yaml")
SPEED = 4.0


class House:
    """A building over a real connection; `look` is the control's thread."""

    def __init__(self, url: str, *, client_id: str = "house") -> None:
        self.inbox: queue.SimpleQueue[tuple[str, bytes, bool]] = queue.SimpleQueue()
        site = demo_hospital()
        self.building = MqttBuilding(
            site,
            transport=self,
            clock=SystemClock(),
            timing=Timing(renew_s=0.5, silent_after_s=2.0),
        )
        self.building.start()
        self.transport = PahoTransport(
            BrokerLink(url, client_id),
            topics=self.building.subscriptions(),
            on_message=lambda *message: self.inbox.put(message),
            on_connection=lambda _is_up: None,
        )
        self.transport.start()

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> None:
        self.transport.publish(topic, payload, qos=qos, retain=retain)

    def look(self) -> None:
        while not self.inbox.empty():
            topic, payload, is_retained = self.inbox.get()
            self.building.receive(topic, payload, is_retained=is_retained)
        self.building.advance()

    def wait(self, is_so: Callable[[], bool], what: str) -> None:
        def looked() -> bool:
            self.look()
            return is_so()

        wait_until(looked, what)


@contextmanager
def a_controller(url: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "simulation.building_controller", "--site", str(SITE_FILE), "--mqtt-url", url]
    process = subprocess.Popen([*command, "--speed-factor", str(SPEED)])
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


@pytest.fixture
def house(broker: RealBroker) -> Iterator[House]:
    made = House(broker.url)
    yield made
    made.transport.stop()


def test_doors_and_lifts_on_a_real_broker_open_for_a_robot_and_are_offline_once_their_controller_is_killed(
    broker: RealBroker, house: House
) -> None:
    building = house.building
    door, lift = next(iter(building.doors())), next(iter(building.lifts()))
    level = LevelId("first")
    with a_controller(broker.url) as process:
        building.hold_door(door, R1, purpose="passage")
        building.hold_lift(lift, level, R1, purpose="ride")
        house.wait(lambda: building.is_door_open_for(door, R1), "the door is open for the robot")
        house.wait(lambda: building.is_lift_open_for(lift, level, R1), "the lift is open on the first floor")

        building.release_door(door, R1)
        house.wait(lambda: building.doors()[door].position is DoorPosition.CLOSED, "the door is closed again")

        process.send_signal(signal.SIGKILL)
        house.wait(lambda: building.lifts()[lift].doors is DoorPosition.OFFLINE, "the silent lift is offline")
        assert not building.is_lift_open_for(lift, level, R1)

    with a_controller(broker.url):
        house.wait(lambda: building.is_lift_open_for(lift, level, R1), "another run of the controller serves it again")


def test_controller_refuses_a_site_that_is_none_with_a_sentence() -> None:
    command = [sys.executable, "-m", "simulation.building_controller", "--site", "nowhere.yaml"]
    ended = subprocess.run([*command, "--mqtt-url", "mqtt://127.0.0.1:1"], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "nowhere.yaml" in ended.stderr
