"""The simulated building in the orchestrator's own process: what it tells of the passing of time."""

from __future__ import annotations

import pytest

from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.device import DoorPosition
from orchestrator.domain.site.model import DoorId, LiftId
from simulation.building import DeviceTimes, Machines, SimulatedBuilding
from simulation.virtual_time import VirtualClock
from tests.support.wards import demo_hospital

R1 = RobotId("R1")
SITE = demo_hospital()
DOOR = next(DoorId(door.id) for door in SITE.doors.values() if door.is_motorised)
LIFT = next(LiftId(lift) for lift in SITE.lifts)
TIMES = DeviceTimes(door_s=3.0, lift_door_s=4.0, lift_speed_m_s=1.0)


def a_building(*, pace: float = 1.0) -> tuple[SimulatedBuilding, Machines, VirtualClock]:
    machines, clock = Machines(SITE, times=TIMES), VirtualClock()
    building = SimulatedBuilding(machines, clock=clock, pace=pace)
    building.start()
    building.advance()
    return building, machines, clock


@pytest.mark.parametrize("pace", [1.0, 10.0])
def test_it_is_due_when_a_door_has_opened_and_tells_it_once(pace: float) -> None:
    building, _, clock = a_building(pace=pace)
    assert building.next_due_s() is None

    building.hold_door(DOOR, R1, purpose="passage")
    assert building.next_due_s() == pytest.approx(TIMES.door_s / pace)
    clock.move_to(TIMES.door_s / pace - 0.01)
    assert not building.advance()
    clock.move_to(TIMES.door_s / pace)
    assert building.advance()
    assert building.doors()[DOOR].position is DoorPosition.OPEN

    building.hold_door(DOOR, R1, purpose="passage")
    assert not building.advance(), "asking again is no news"
    assert building.next_due_s() is None


def test_a_lift_that_is_called_is_due_at_each_of_its_steps_until_it_stands_open() -> None:
    building, machines, clock = a_building()
    level = SITE.lifts[LIFT].levels[-1]
    building.hold_lift(LIFT, level, R1, purpose="ride")
    seen: list[DoorPosition] = []
    while (due_s := building.next_due_s()) is not None:
        clock.move_to(due_s)
        assert building.advance()
        seen.append(machines.lifts[LIFT].doors(due_s))

    assert seen[-1] is DoorPosition.OPEN
    assert building.is_lift_open_for(LIFT, level, R1)
    assert clock.monotonic_s() > TIMES.lift_door_s


def test_what_befalls_a_door_on_its_way_is_due_at_once_and_it_goes_on_when_it_is_cleared() -> None:
    building, machines, clock = a_building()
    building.hold_door(DOOR, R1, purpose="passage")
    clock.move_to(1.0)
    machines.doors[DOOR].obstruct(1.0)
    building.note_change()
    assert building.next_due_s() == 1.0
    assert building.advance()
    assert building.next_due_s() is None

    clock.move_to(9.0)
    machines.doors[DOOR].clear(9.0)
    building.note_change()
    assert building.advance()
    assert building.next_due_s() == pytest.approx(11.0)
