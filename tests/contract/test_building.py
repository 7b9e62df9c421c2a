"""Every building behaves alike: the simulated one that is asked directly, and the one behind the device protocol."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from orchestrator.adapters.building.over_mqtt import MqttBuilding
from orchestrator.application.ports import Building
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.device import DoorPosition, LiftMode
from orchestrator.domain.site.model import DoorId, Level, LevelId, Lift, LiftId, Site
from simulation.broker import VirtualBroker
from simulation.building import DeviceTimes, Machines, SimulatedBuilding
from simulation.virtual_devices import VirtualDevices
from simulation.virtual_time import Scheduler, VirtualClock
from tests.support.desk import a_site

R1, R2 = RobotId("R1"), RobotId("R2")
DOOR, LIFT = DoorId("door-1"), LiftId("lift-1")
GROUND, FIRST = LevelId("ground"), LevelId("first")
TIMES = DeviceTimes(door_s=3.0, lift_door_s=2.0, lift_speed_m_s=1.0)
STEP_S = 0.25


def two_floors() -> Site:
    site = a_site()
    levels = {GROUND: Level(GROUND), FIRST: Level(FIRST, elevation_m=4.0)}
    lifts = {LIFT: Lift(LIFT, 5.0, 5.0, 0.0, 2.0, 2.0, (GROUND, FIRST))}
    return Site(
        id=site.id,
        name=site.name,
        revision=site.revision,
        levels={**site.levels, **levels},
        graphs=site.graphs,
        doors=site.doors,
        lifts=lifts,
        stations=site.stations,
    )


@dataclass
class Rig:
    """A building in front of machines, and the time that passes for both."""

    machines: Machines
    scheduler: Scheduler
    make: Callable[[], Building]

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.building = self.make()
        self.building.start()

    def wait(self, seconds: float) -> None:
        until_s = self.scheduler.clock.monotonic_s() + seconds
        while self.scheduler.clock.monotonic_s() < until_s:
            self.building.advance()
            step_s = self.scheduler.clock.monotonic_s() + STEP_S
            self.scheduler.at(step_s, lambda: None)
            self.scheduler.run(until=lambda at_s=step_s: self.scheduler.clock.monotonic_s() >= at_s, limit_s=1e9)
        self.building.advance()

    @property
    def now_s(self) -> float:
        return self.scheduler.clock.monotonic_s()


def a_direct_rig() -> Rig:
    machines, scheduler = Machines(two_floors(), times=TIMES), Scheduler(VirtualClock())
    return Rig(machines, scheduler, lambda: SimulatedBuilding(machines, clock=scheduler.clock))


def a_rig_over_the_broker() -> Rig:
    machines, scheduler = Machines(two_floors(), times=TIMES), Scheduler(VirtualClock())
    broker = VirtualBroker(scheduler, chance=random.Random(5))
    VirtualDevices(machines, scheduler=scheduler, broker=broker)
    heard: list[MqttBuilding] = []

    def make() -> Building:
        building = MqttBuilding(machines.site, transport=broker, clock=scheduler.clock)
        heard.append(building)
        return building

    def hand_on(topic: str, payload: bytes) -> None:
        heard[-1].receive(topic, payload, is_retained=False)

    rig = Rig(machines, scheduler, make)
    for topic in heard[-1].subscriptions():
        broker.subscribe(topic, hand_on)
    return rig


@pytest.fixture(params=[a_direct_rig, a_rig_over_the_broker], ids=["direct", "over the broker"])
def rig(request: pytest.FixtureRequest) -> Rig:
    return request.param()


def test_a_door_opens_for_whom_it_is_held_and_closes_when_the_last_one_lets_go(rig: Rig) -> None:
    rig.building.hold_door(DOOR, R1, purpose="passage")
    assert not rig.building.is_door_open_for(DOOR, R1)
    rig.wait(4.0)
    assert rig.building.is_door_open_for(DOOR, R1)
    assert not rig.building.is_door_open_for(DOOR, R2)
    (session,) = rig.building.doors()[DOOR].sessions
    assert (session.holder, session.owner, session.purpose) == ("R1", "wardporter", "passage")

    rig.building.hold_door(DOOR, R2, purpose="passage")
    rig.building.release_door(DOOR, R1)
    rig.wait(4.0)
    assert rig.building.is_door_open_for(DOOR, R2)
    assert not rig.building.is_door_open_for(DOOR, R1)

    rig.building.release_door(DOOR, R2)
    rig.wait(5.0)
    assert rig.building.doors()[DOOR].position is DoorPosition.CLOSED
    assert rig.building.doors()[DOOR].sessions == ()


def test_a_session_stays_for_as_long_as_it_is_wanted(rig: Rig) -> None:
    rig.building.hold_door(DOOR, R1, purpose="passage")
    for _ in range(10):
        rig.wait(12.0)
        rig.building.hold_door(DOOR, R1, purpose="passage")
        assert rig.building.is_door_open_for(DOOR, R1)


def test_a_lift_comes_for_one_and_then_for_the_other(rig: Rig) -> None:
    rig.building.hold_lift(LIFT, FIRST, R1, purpose="ride")
    rig.wait(1.0)
    rig.building.hold_lift(LIFT, GROUND, R2, purpose="ride")
    rig.wait(7.0)
    assert rig.building.is_lift_open_for(LIFT, FIRST, R1)
    assert not rig.building.is_lift_open_for(LIFT, GROUND, R1)
    assert not rig.building.is_lift_open_for(LIFT, FIRST, R2)

    rig.building.hold_lift(LIFT, GROUND, R1, purpose="ride")
    rig.wait(9.0)
    assert rig.building.is_lift_open_for(LIFT, GROUND, R1)

    rig.building.release_lift(LIFT, R1)
    rig.wait(1.0)
    assert rig.building.is_lift_open_for(LIFT, GROUND, R2)


@pytest.mark.parametrize("mode", [mode for mode in LiftMode if mode is not LiftMode.NORMAL])
def test_a_lift_that_is_not_in_service_for_robots_is_open_for_none(rig: Rig, mode: LiftMode) -> None:
    rig.building.hold_lift(LIFT, GROUND, R1, purpose="ride")
    rig.wait(3.0)
    assert rig.building.is_lift_open_for(LIFT, GROUND, R1)
    rig.machines.lifts[LIFT].set_mode(mode, rig.now_s)
    rig.wait(3.0)
    assert not rig.building.is_lift_open_for(LIFT, GROUND, R1)
    assert rig.building.lifts()[LIFT].mode is mode


def test_a_device_that_went_silent_is_offline_until_it_speaks_again(rig: Rig) -> None:
    rig.building.hold_door(DOOR, R1, purpose="passage")
    rig.wait(4.0)
    rig.machines.offline |= {DOOR, LIFT}
    rig.wait(7.0)
    assert not rig.building.is_door_open_for(DOOR, R1)
    assert rig.building.doors()[DOOR].position is DoorPosition.OFFLINE
    assert rig.building.lifts()[LIFT].doors is DoorPosition.OFFLINE

    rig.machines.offline.clear()
    rig.building.hold_door(DOOR, R1, purpose="passage")
    rig.wait(4.0)
    assert rig.building.is_door_open_for(DOOR, R1)


def test_what_is_in_the_way_of_a_door_is_told_and_the_door_is_not_open(rig: Rig) -> None:
    rig.building.hold_door(DOOR, R1, purpose="passage")
    rig.wait(1.5)
    rig.machines.doors[DOOR].obstruct(rig.now_s)
    rig.wait(10.0)
    assert rig.building.doors()[DOOR].is_obstructed
    assert not rig.building.is_door_open_for(DOOR, R1)
    rig.machines.doors[DOOR].clear(rig.now_s)
    rig.wait(5.0)
    assert rig.building.is_door_open_for(DOOR, R1)


def test_what_an_orchestrator_that_died_held_is_taken_over_without_closing_or_is_released(rig: Rig) -> None:
    rig.building.hold_door(DOOR, R1, purpose="passage")
    rig.building.hold_lift(LIFT, GROUND, R2, purpose="ride")
    rig.wait(6.0)

    rig.restart()
    rig.wait(3.0)
    assert sorted(rig.building.left_behind()) == [(DOOR, R1), (LIFT, R2)]
    assert not rig.building.is_door_open_for(DOOR, R1), "what another start held proves nothing"

    rig.building.hold_door(DOOR, R1, purpose="passage")
    rig.building.release_lift(LIFT, R2)
    rig.wait(1.0)
    assert rig.building.is_door_open_for(DOOR, R1), "taken over in the moment it is asked for: the leaf never moved"
    rig.wait(4.0)
    assert rig.building.lifts()[LIFT].session is None
    assert list(rig.building.left_behind()) == []
