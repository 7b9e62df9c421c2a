"""Every start asks devices with a larger epoch than the one before, whatever was done to the clock meanwhile."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.building.last_epoch import FILE, LastEpoch
from orchestrator.adapters.building.over_mqtt import MqttBuilding
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.model import DoorId
from simulation.broker import VirtualBroker
from simulation.building import Machines
from simulation.virtual_devices import VirtualDevices
from simulation.virtual_time import Scheduler, VirtualClock
from tests.support.wards import demo_hospital

DOOR, R1 = DoorId("corridor_door"), RobotId("R1")


def test_an_epoch_is_the_moment_of_the_start_or_one_more_than_the_last(tmp_path: Path) -> None:
    assert LastEpoch(tmp_path / "data").begin(5_000) == 5_000
    assert LastEpoch(tmp_path / "data").begin(4_000) == 5_001
    assert LastEpoch(tmp_path / "data").begin(5_001) == 5_002
    assert LastEpoch(tmp_path / "data").begin(9_000) == 9_000


@pytest.mark.parametrize("content", [b"", b"nonsense\n", b"\xff\xfe"])
def test_a_file_that_cannot_be_understood_keeps_nobody_from_starting(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert LastEpoch(tmp_path).begin(7_000) == 7_000
    assert LastEpoch(tmp_path).begin(6_000) == 7_001


def test_doors_open_for_a_start_whose_clock_was_set_back(tmp_path: Path) -> None:
    site, scheduler = demo_hospital(), Scheduler(VirtualClock())
    broker = VirtualBroker(scheduler, chance=random.Random(5))
    VirtualDevices(Machines(site), scheduler=scheduler, broker=broker)

    class SetBack:
        """A clock whose time of day is some hours off."""

        def __init__(self, hours: float) -> None:
            self._hours = hours

        def now(self) -> datetime:
            return scheduler.clock.now() - timedelta(hours=self._hours)

        def monotonic_s(self) -> float:
            return scheduler.clock.monotonic_s()

    def opens(hours: float) -> bool:
        building = MqttBuilding(site, transport=broker, clock=SetBack(hours), begin_epoch=LastEpoch(tmp_path).begin)
        building.start()

        def hear(topic: str, payload: bytes) -> None:
            building.receive(topic, payload, is_retained=False)

        for topic in building.subscriptions():
            broker.subscribe(topic, hear)
        building.hold_door(DOOR, R1, purpose="passage")
        building.advance()
        until_s = scheduler.clock.monotonic_s() + 10.0
        return scheduler.run(until=lambda: building.is_door_open_for(DOOR, R1), limit_s=until_s)

    assert opens(0.0)
    assert opens(3.0)
