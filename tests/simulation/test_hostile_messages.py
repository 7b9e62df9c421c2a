"""A robot with a valid certificate that sends whatever hurts: nothing breaks, nothing grows, nobody else is touched."""

from __future__ import annotations

import gc
import time
import tracemalloc
from datetime import datetime, timedelta

import pytest

from orchestrator.application import intake
from orchestrator.domain.fleet.model import RobotId
from orchestrator.vda5050.address import address_of_robot
from orchestrator.vda5050.codec import encode
from orchestrator.vda5050.master import RobotLink
from simulation.ward import SimulatedWard
from tests.support.hostile import MARK, HostileRobot
from tests.support.robot_link import START, a_model, a_robot, a_state
from tests.support.wards import a_demand, a_fleet, demo_hospital

pytestmark = pytest.mark.timeout(170)

BAD = RobotId("robot-1")


def captures() -> list[bytes]:
    return [encode(a_state(i, at_s=float(i), order="order-1", update=i % 3), version="2.1.0") for i in range(50)]


class Victim:
    """One robot's link and whoever has its certificate, on a clock that moves 50 ms with each message."""

    def __init__(self, *, seed: int) -> None:
        robot, other = a_robot(), a_robot(serial_number="R2")
        self.link = RobotLink(robot, a_model(), at_s=0.0)
        self.at_s = 0.0
        self._hostile = HostileRobot(
            address_of_robot(robot),
            others=[address_of_robot(other)],
            captures=captures(),
            seed=seed,
            utc=lambda: self.now,
        )

    @property
    def now(self) -> datetime:
        return START + timedelta(seconds=self.at_s)

    def suffer(self, count: int) -> float:
        """Take in so many messages; return what the costliest took of the processor, in seconds."""
        costliest_s = 0.0
        for said in self._hostile.messages(count):
            self.at_s += 0.05
            kind = said.topic.rpartition("/")[2]
            begun_s = time.thread_time()
            self.link.receive(kind, said.payload, at_s=self.at_s, now=self.now, is_retained=said.retain)
            self.link.due(at_s=self.at_s, now=self.now)
            costliest_s = max(costliest_s, time.thread_time() - begun_s)
        return costliest_s


def test_ten_thousand_hostile_messages_break_nothing_and_none_takes_long() -> None:
    victim = Victim(seed=1)

    costliest_s = victim.suffer(10_000)

    assert victim.link.report is not None
    assert costliest_s < 0.5


def test_hostile_messages_leave_nothing_behind() -> None:
    victim = Victim(seed=2)
    victim.suffer(100)
    tracemalloc.start()
    try:
        victim.suffer(200)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        victim.suffer(700)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()

    # One state of at most 256 kB is kept as it came, one as it was understood; 700 of them are 4 MB.
    assert grown < 2_000_000


@pytest.mark.parametrize("patience", [intake.REFUSED_AT_ONCE, float("inf")], ids=["quarantined", "never quarantined"])
def test_hostile_messages_change_nothing_of_another_robot_and_every_delivery_is_received(
    monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    monkeypatch.setattr(intake, "REFUSED_AT_ONCE", patience)
    site = demo_hospital()
    ward = SimulatedWard(a_fleet(site), asked=a_demand(site, count=4, seed=2), seed=2)
    robots = ward.robots
    hostile = HostileRobot(
        robots[BAD].address,
        others=[robots[each].address for each in robots if each != BAD],
        captures=captures(),
        seed=7,
        utc=ward.clock.now,
    )
    sent = 0

    def attack() -> None:
        nonlocal sent
        for said in hostile.messages(10):
            if said.topic.startswith(robots[BAD].address.prefix):  # the broker takes nothing else from it
                before = others_of(ward)
                ward.control.receive(said.topic, said.payload, is_retained=said.retain)
                assert others_of(ward) == before
                sent += 1
        if sent < 3_000:
            ward.scheduler.after(0.1, attack)

    ward.scheduler.at(2.0, attack)
    outcome = ward.run(limit_s=7200.0)

    assert sent >= 3_000
    assert outcome.is_finished
    touched = [line for line in outcome.log.decode().splitlines() if MARK in line and f'"subject": "{BAD}"' not in line]
    assert touched == []


def others_of(ward: SimulatedWard) -> dict[str, object]:
    """What the books have of every other robot's own words, holds and silence."""
    return {
        picture.id: (picture.report, picture.record.holds, picture.record.lost_since)
        for picture in ward.control.picture().robots
        if picture.id != BAD
    }
