"""Fire alarm and crash call in a virtual ward: ways are cleared, nobody rides, and a person lets work go on."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

import pytest

from orchestrator.application.steps import remaining_base
from orchestrator.devices.messages import PanelState, encode
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.emergency.alarm import AlarmKind, AlarmState
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.site.alarm_input import PanelStatus
from orchestrator.domain.site.model import (
    DoorId,
    FireScope,
    Panel,
    PanelId,
    PanelKind,
    Site,
    WaypointId,
    ZoneId,
)
from simulation.ward import Outcome, SimulatedWard
from tests.support.alarms import AlarmBell, escape_waypoints, graph_of, robots_on, when
from tests.support.wards import a_demand, a_fleet, demo_hospital

CLEARED_WITHIN_S = 40.0
HELD_S = 120.0
DOOR = DoorId("corridor_door")


def a_ward(*, count: int = 8, seed: int = 4, site: Site | None = None) -> SimulatedWard:
    site = site or demo_hospital()
    return SimulatedWard(a_fleet(site), asked=a_demand(site, count=count, seed=seed), seed=seed)


def assert_all_received_once(outcome: Outcome) -> None:
    assert outcome.is_finished
    for delivery in outcome.deliveries:
        states = [change.after for change in delivery.history]
        assert delivery.state is DeliveryState.RECEIVED
        assert states.count(DeliveryState.SEALED) == states.count(DeliveryState.RECEIVED) == 1


class Drill:
    """One alarm in a ward's day: what is looked at while it stands, and its end."""

    def __init__(self, ward: SimulatedWard, *zones: str, kind: AlarmKind = AlarmKind.FIRE) -> None:
        self.ward, self.bell = ward, AlarmBell(ward)
        self.zones, self.kind = zones, kind
        self.in_the_way: dict = {}
        self.unable: dict = {}
        self.driving: list = []
        self.waiting: list = []
        self.has_sounded = False

    def sound(self) -> None:
        self.has_sounded = True
        self.alarm = self.bell.sound(*self.zones, kind=self.kind)
        self.ward.scheduler.after(CLEARED_WITHIN_S, self._look)
        self.ward.scheduler.after(HELD_S, self._clear)
        self.ward.scheduler.after(HELD_S + 30.0, self._look_again)
        self.ward.scheduler.after(HELD_S + 31.0, self._end)

    def _clear(self) -> None:
        self.bell.clear(self.alarm)

    def _end(self) -> None:
        self.bell.end(self.alarm)

    def _look(self) -> None:
        self.in_the_way = self.bell.in_the_way()
        self.unable = self.bell.unable()
        with self.ward.store.reading() as uow:
            self.waiting = [r.code for d in uow.deliveries.open() for r in d.waiting]

    def _look_again(self) -> None:
        self.driving = [p.id for p in self.ward.control.picture().robots if remaining_base(p.record)]

    def assert_cleared(self) -> None:
        assert self.has_sounded, "the moment for the alarm came"
        assert self.bell.offences == []
        assert self.in_the_way.keys() <= self.unable.keys(), (self.in_the_way, self.unable)


@pytest.mark.slow
@pytest.mark.parametrize("at_s", [20.0, 35.0, 50.0, 65.0, 95.0, 110.0, 140.0, 170.0, 200.0, 230.0])
@pytest.mark.parametrize("scope", FireScope)
def test_whenever_a_fire_alarm_sounds_all_goes_on_when_a_person_says_so(at_s: float, scope: FireScope) -> None:
    ward = a_ward(site=replace(demo_hospital(), fire_scope=scope), seed=int(at_s))
    drill = Drill(ward, "birch")
    ward.scheduler.at(at_s, drill.sound)

    outcome = ward.run(limit_s=7200.0)

    drill.assert_cleared()
    assert_all_received_once(outcome)


@pytest.mark.parametrize("zones", [["alder"], []], ids=["with open fire doors", "with shut fire doors"])
def test_robots_in_the_escape_corridor_leave_it_and_all_goes_on_when_a_person_says_so(zones: list[str]) -> None:
    ward = a_ward()
    drill = Drill(ward, *zones)
    when(ward, lambda: bool(robots_on(ward, ["corridor_1", "corridor_2"])), drill.sound)

    outcome = ward.run(limit_s=7200.0)

    drill.assert_cleared()
    assert drill.in_the_way == {}
    assert drill.driving == [], "the all-clear of the panel alone lets nobody go on"
    assert "fire_alarm" in drill.waiting
    assert_all_received_once(outcome)


@pytest.mark.parametrize("after_s", [0.0, 0.4, 0.8])
def test_a_robot_that_drives_through_doors_that_are_to_shut_does_not_stay_in_the_doorway(after_s: float) -> None:
    ward = a_ward()
    drill = Drill(ward, "hall_ground")
    doors: list[str] = []

    def sound() -> None:
        drill.sound()
        ward.scheduler.after(CLEARED_WITHIN_S, lambda: doors.append(ward.control.picture().doors[DOOR].position.value))

    when(
        ward,
        lambda: bool(robots_on(ward, ["corridor_e"])),
        lambda: ward.scheduler.after(after_s, sound),
        every_s=0.1,
    )

    outcome = ward.run(limit_s=7200.0)

    drill.assert_cleared()
    assert not set(drill.in_the_way.values()) & escape_waypoints(ward)
    assert doors == ["closed"], "nobody holds the fire door open any more"
    assert_all_received_once(outcome)


def test_nobody_is_left_to_ride_when_the_fire_alarm_sounds_with_a_robot_in_the_cabin_29() -> None:
    ward = a_ward()
    drill = Drill(ward, "alder")

    def is_in_cabin() -> bool:
        lifts = {w.id for w in graph_of(ward).waypoints.values() if w.lift is not None}
        return any(record.tip in lifts or lifts & robots_at(record) for record in drill.bell.records().values())

    when(ward, is_in_cabin, drill.sound)

    outcome = ward.run(limit_s=7200.0)

    drill.assert_cleared()
    assert_all_received_once(outcome)


def test_a_robot_that_is_being_unloaded_stays_with_its_people_and_is_named_in_a_crash_call() -> None:
    ward = a_ward()
    drill = Drill(ward, "alder_crash", "birch_crash", "cedar_crash", "damson_crash", kind=AlarmKind.CRASH_CALL)

    def is_unloaded() -> bool:
        with ward.store.reading() as uow:
            return any(d.state is DeliveryState.ARRIVED for d in uow.deliveries.open())

    named: list[str] = []

    def sound() -> None:
        drill.sound()
        ward.scheduler.after(2.0, lambda: named.extend(drill.bell.unable().values()))

    when(ward, is_unloaded, sound)

    outcome = ward.run(limit_s=7200.0)

    assert any("people are at it" in sentence for sentence in named)
    drill.assert_cleared()
    assert_all_received_once(outcome)


def test_a_crash_call_clears_its_ward_and_lets_the_others_be_served() -> None:
    ward = a_ward()
    drill = Drill(ward, "birch_crash", kind=AlarmKind.CRASH_CALL)
    when(ward, lambda: bool(robots_on(ward, ["birch_in", "birch_1", "birch_2"])), drill.sound)

    outcome = ward.run(limit_s=7200.0)

    drill.assert_cleared()
    assert drill.bell.released_in_alarm > 10, "elsewhere work went on"
    assert "crash_call" in drill.waiting
    assert_all_received_once(outcome)


def test_a_fire_and_a_crash_call_at_once_each_hold_until_each_is_ended() -> None:
    ward = a_ward()
    fire = Drill(ward, "alder")
    call = Drill(ward, "birch_crash", kind=AlarmKind.CRASH_CALL)
    ward.scheduler.at(75.0, fire.sound)
    ward.scheduler.at(135.0, call.sound)

    outcome = ward.run(limit_s=7200.0)

    fire.assert_cleared()
    call.assert_cleared()
    assert_all_received_once(outcome)


def test_an_orchestrator_that_comes_back_during_an_alarm_grants_nothing_and_goes_on_when_it_is_ended() -> None:
    ward = a_ward()
    drill = Drill(ward, "alder")
    moved: list = []

    def tips() -> dict:
        return {robot: record.tip for robot, record in drill.bell.records().items()}

    ward.scheduler.at(80.0, drill.sound)
    ward.scheduler.at(125.0, lambda: moved.append(tips()))
    ward.scheduler.at(126.0, lambda: ward.kill_orchestrator(away_s=4.0))
    ward.scheduler.at(130.5, drill.bell.watch)
    ward.scheduler.at(170.0, lambda: moved.append(tips()))

    outcome = ward.run(limit_s=7200.0)

    drill.assert_cleared()
    assert moved[0] == moved[1]
    assert_all_received_once(outcome)


def test_an_alarm_that_could_not_be_written_down_counts_when_the_panel_says_so_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    panel = Panel(PanelId("fire_panel"), PanelKind.FIRE, (ZoneId("alder"),))
    ward = a_ward(site=replace(demo_hospital(), panels={panel.id: panel}))
    ward.run(limit_s=1.0)

    def say(number: int) -> None:
        said = PanelState(boot="boot-1", number=number, sent_at=ward.clock.now(), status=PanelStatus.ALARM)
        ward.control.receive("wardporter/v1/demo_hospital/panel/fire_panel/state", encode(said))

    def broken() -> NoReturn:
        raise OSError("the disk is full")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(ward.store, "transaction", broken)
        with pytest.raises(OSError, match="the disk is full"):
            say(1)
    say(2)

    with ward.store.reading() as uow:
        assert [alarm.state for alarm in uow.alarms.standing()] == [AlarmState.SOUNDING]


def test_no_release_leaves_after_the_very_turn_in_which_the_alarm_is_raised() -> None:
    ward = a_ward()
    bell = AlarmBell(ward)
    seen: list = []

    def sound() -> None:
        before = {robot: (record.order, record.granted) for robot, record in bell.records().items()}
        bell.sound()
        seen.append((before, {robot: (record.order, record.granted) for robot, record in bell.records().items()}))

    when(ward, lambda: bool(robots_on(ward, ["lobby", "lobby_n", "lobby_s"])), sound)
    ward.run(limit_s=200.0)

    before, after = seen[0]
    for robot, (order, granted) in after.items():
        was, _ = before[robot]
        released = order.released if order else 0
        assert released == (was.released if was and order and was.id == order.id else released)
        assert granted == ()
    assert bell.offences == []


def robots_at(record: RobotRecord) -> set[WaypointId]:
    """Where the robot stands by the step it passed last."""
    return {record.order.steps[record.passed].waypoint} if record.order else set()
