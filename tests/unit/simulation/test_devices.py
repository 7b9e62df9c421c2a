"""Simulated machines: how long they take, whom they serve, and how they fail."""

from __future__ import annotations

import pytest

from orchestrator.domain.site.device import DoorPosition, LiftMode
from orchestrator.domain.site.model import LevelId
from simulation.devices import DeviceTimes, DoorDevice, LiftDevice
from simulation.session_book import Asked

GROUND, FIRST, SECOND = LevelId("ground"), LevelId("first"), LevelId("second")
TIMES = DeviceTimes(door_s=3.0, lift_door_s=2.0, lift_speed_m_s=1.0)


def asked(holder: str, *, level: LevelId | None = None, session: str | None = None, epoch: int = 1) -> Asked:
    return Asked(session or f"s-{holder}", holder, "wardporter", epoch, level=level)


def a_lift() -> LiftDevice:
    return LiftDevice({GROUND: 0.0, FIRST: 4.0, SECOND: 12.0}, TIMES)


def test_a_door_opens_in_its_time_and_closes_once_nobody_holds_it() -> None:
    door = DoorDevice(TIMES)
    door.ask(asked("R1"), at_s=10.0)
    door.ask(asked("R2"), at_s=11.0)
    assert door.position(12.9) is DoorPosition.MOVING
    assert door.position(13.0) is DoorPosition.OPEN

    door.release("s-R1", owner="wardporter", epoch=1, at_s=20.0)
    assert door.position(30.0) is DoorPosition.OPEN
    door.release("s-R2", owner="wardporter", epoch=1, at_s=40.0)
    assert door.position(41.0) is DoorPosition.MOVING
    assert door.position(43.0) is DoorPosition.CLOSED


@pytest.mark.parametrize(("level", "open_at_s"), [(GROUND, 2.0), (FIRST, 4.0 + 2.0), (SECOND, 12.0 + 2.0)])
def test_a_lift_travels_by_the_height_of_the_floor(level: LevelId, open_at_s: float) -> None:
    lift = a_lift()
    lift.ask(asked("R1", level=level), at_s=0.0)
    assert lift.doors(open_at_s - 0.1) is DoorPosition.MOVING or lift.level(open_at_s - 0.1) is None
    assert (lift.level(open_at_s), lift.doors(open_at_s)) == (level, DoorPosition.OPEN)


def test_a_lift_serves_one_after_the_other_and_is_between_levels_on_the_way() -> None:
    lift = a_lift()
    lift.ask(asked("R1", level=GROUND), at_s=0.0)
    lift.ask(asked("R2", level=FIRST), at_s=1.0)
    assert lift.served is not None
    assert (lift.served.asked.holder, [held.asked.holder for held in lift.waiting]) == ("R1", ["R2"])

    lift.release("s-R1", owner="wardporter", epoch=1, at_s=10.0)
    assert lift.doors(11.0) is DoorPosition.MOVING
    assert lift.level(13.0) is None
    assert (lift.level(18.0), lift.doors(18.0)) == (FIRST, DoorPosition.OPEN)


def test_a_stuck_lift_stands_between_levels_and_goes_on_from_there() -> None:
    lift = a_lift()
    lift.ask(asked("R1", level=SECOND), at_s=0.0)
    lift.set_mode(LiftMode.STUCK, 5.0)
    assert lift.level(500.0) is None
    lift.set_mode(LiftMode.NORMAL, 500.0)
    assert lift.level(506.9) is None
    assert (lift.level(509.0), lift.doors(509.0)) == (SECOND, DoorPosition.OPEN)


def test_fire_recalls_the_cabin_and_serves_nobody() -> None:
    lift = a_lift()
    lift.ask(asked("R1", level=FIRST), at_s=0.0)
    lift.set_mode(LiftMode.FIRE, 20.0)
    assert lift.served is None
    assert (lift.level(30.0), lift.doors(30.0)) == (GROUND, DoorPosition.OPEN)


def test_people_are_served_before_robots_and_the_robot_gets_its_turn() -> None:
    lift = a_lift()
    lift.set_mode(LiftMode.PEOPLE, 0.0)
    lift.ask(asked("R1", level=FIRST), at_s=1.0)
    assert lift.served is None
    lift.set_mode(LiftMode.NORMAL, 60.0)
    assert lift.served is not None
    assert lift.level(66.0) == FIRST


def test_a_session_that_nobody_renews_lapses_but_never_with_a_load_in_the_cabin() -> None:
    door, lift = DoorDevice(TIMES), a_lift()
    door.ask(asked("R1"), at_s=0.0)
    door.advance(29.0, lapse_s=30.0)
    assert door.book.held
    door.advance(31.0, lapse_s=30.0)
    assert not door.book.held

    lift.ask(asked("R1", level=FIRST), at_s=0.0)
    lift.load_kg = 85.0
    lift.advance(1000.0, lapse_s=30.0)
    assert lift.served is not None
    lift.load_kg = 0.0
    lift.advance(1001.0, lapse_s=30.0)
    assert lift.served is None


def test_a_later_start_of_the_orchestrator_takes_over_and_an_earlier_one_is_not_heard_any_more() -> None:
    door = DoorDevice(TIMES)
    door.ask(asked("R1", session="old", epoch=1), at_s=0.0)
    door.ask(asked("R1", session="new", epoch=2), at_s=5.0)
    assert [held.asked.session for held in door.book.held] == ["new"]
    assert door.position(6.0) is DoorPosition.OPEN

    door.release("new", owner="wardporter", epoch=1, at_s=7.0)
    door.ask(asked("R9", epoch=1), at_s=7.0)
    assert [held.asked.session for held in door.book.held] == ["new"]


def test_a_released_session_never_opens_again() -> None:
    door = DoorDevice(TIMES)
    door.ask(asked("R1"), at_s=0.0)
    door.release("s-R1", owner="wardporter", epoch=1, at_s=5.0)
    door.ask(asked("R1"), at_s=6.0)
    assert not door.book.held


def test_a_leaf_with_something_in_its_way_stands_where_it_is_until_it_is_cleared() -> None:
    door = DoorDevice(TIMES)
    door.ask(asked("R1"), at_s=0.0)
    door.obstruct(1.0)
    assert door.position(100.0) is DoorPosition.MOVING
    door.clear(100.0)
    assert door.position(101.9) is DoorPosition.MOVING
    assert door.position(102.0) is DoorPosition.OPEN
