"""What panels say becomes alarms, their silence is told, and nobody else's words count."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from orchestrator.application.panels import Panels
from orchestrator.application.turn import Turn
from orchestrator.devices.messages import CallState, PanelState, encode
from orchestrator.domain.emergency.alarm import AlarmState
from orchestrator.domain.site.alarm_input import PanelStatus
from orchestrator.domain.site.model import Panel, PanelId, PanelKind, ZoneId
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON, CountingIds
from tests.support.wards import demo_hospital

FIRE = Panel(PanelId("fire_panel"), PanelKind.FIRE, (ZoneId("alder"), ZoneId("cedar")), silent_after_s=60.0)
CALL = Panel(PanelId("birch_call"), PanelKind.CRASH_CALL, (ZoneId("birch_crash"),), silent_after_s=60.0)
HOUSE_CALL = Panel(PanelId("house_call"), PanelKind.CRASH_CALL, (ZoneId("birch_crash"), ZoneId("cedar_crash")))
SITE = replace(demo_hospital(), panels={FIRE.id: FIRE, CALL.id: CALL, HOUSE_CALL.id: HOUSE_CALL})


class Listening:
    """Panels over a store in memory, with messages numbered as a device numbers them."""

    def __init__(self, *, silent_panel_holds: bool = False) -> None:
        self.panels = Panels(SITE, silent_panel_holds=silent_panel_holds)
        self.panels.start(at_s=0.0)
        self.store, self.ids, self.number, self.at_s = MemoryStore(), CountingIds(), 0, 0.0

    def say(self, status: PanelStatus, *levels: str, panel: str = "fire_panel", site: str = SITE.id) -> object:
        self.number += 1
        message = PanelState(
            boot="boot-1", number=self.number, sent_at=datetime(2026, 1, 1, tzinfo=UTC), status=status, levels=levels
        )
        return self._take(f"wardporter/v1/{site}/panel/{panel}/state", encode(message))

    def call(
        self, *, is_active: bool, place: str = "Bay 2", level: str | None = None, call: str = "birch_call"
    ) -> object:
        self.number += 1
        message = CallState(
            boot="boot-1",
            number=self.number,
            sent_at=datetime(2026, 1, 1, tzinfo=UTC),
            active=is_active,
            place=place,
            level=level,
        )
        return self._take(f"wardporter/v1/{SITE.id}/call/{call}/state", encode(message))

    def wait(self, seconds: float) -> None:
        self.at_s += seconds
        self._heed(self.panels.due(at_s=self.at_s))

    def _take(self, topic: str, payload: bytes) -> object:
        events = self.panels.receive(topic, payload, at_s=self.at_s, is_retained=False)
        self._heed(events or [])
        return events

    def _heed(self, events: list) -> None:
        with self.store.transaction() as uow:
            turn = Turn(uow, at=NOON, at_s=self.at_s, ids=self.ids, records={})
            for event in events:
                self.panels.hear(turn, event)

    def standing(self) -> list[tuple[tuple[str, ...], AlarmState]]:
        with self.store.reading() as uow:
            return [(alarm.zones, alarm.state) for alarm in uow.alarms.standing()]

    def told(self) -> list[object]:
        with self.store.reading() as uow:
            return [event.data.get("code") or event.data["state"] for event in uow.events.after(0, 100)]


def test_a_panel_in_alarm_raises_one_alarm_however_often_it_says_so_and_clears_it_when_normal() -> None:
    here = Listening()
    for _ in range(3):
        here.say(PanelStatus.ALARM, "ground")
    assert here.standing() == [(("alder",), AlarmState.SOUNDING)]

    for _ in range(3):
        here.say(PanelStatus.NORMAL)
    assert here.standing() == [(("alder",), AlarmState.CLEARED)]
    assert here.told() == ["sounding", "cleared"]


def test_a_fire_on_a_level_that_the_panel_has_no_zone_on_counts_for_all_its_zones() -> None:
    here = Listening()
    here.say(PanelStatus.ALARM, "ground", "basement")

    assert here.standing() == [(("alder", "cedar"), AlarmState.SOUNDING)]


@pytest.mark.parametrize(
    ("level", "zones"),
    [("first", ("cedar_crash",)), (None, ("birch_crash", "cedar_crash")), ("roof", ("birch_crash", "cedar_crash"))],
)
def test_a_crash_call_of_a_system_for_several_levels_is_for_the_level_that_it_names(
    level: str | None, zones: tuple[str, ...]
) -> None:
    here = Listening()
    here.call(is_active=True, level=level, call="house_call")

    assert here.standing() == [(zones, AlarmState.SOUNDING)]


def test_a_call_that_comes_again_elsewhere_says_where_it_is_now() -> None:
    here = Listening()
    here.call(is_active=True, place="Bay 2")
    here.call(is_active=False)
    here.call(is_active=True, place="Bay 7")

    with here.store.reading() as uow:
        assert [alarm.reason for alarm in uow.alarms.standing()] == ["Bay 7"]


def test_a_panel_that_names_no_level_alarms_all_its_zones() -> None:
    here = Listening()
    here.say(PanelStatus.ALARM)

    assert here.standing() == [(("alder", "cedar"), AlarmState.SOUNDING)]


def test_a_crash_call_is_raised_and_cleared_by_its_own_word() -> None:
    here = Listening()
    here.call(is_active=True)
    assert here.standing() == [(("birch_crash",), AlarmState.SOUNDING)]
    here.call(is_active=False)
    assert here.standing() == [(("birch_crash",), AlarmState.CLEARED)]


@pytest.mark.parametrize("place", ["Bay 2\n", "Bay\t2", "\x00", "   ", "Bay 2\u2028left", ""])
def test_a_crash_call_counts_whatever_its_system_calls_the_place(place: str) -> None:
    here = Listening()
    here.call(is_active=True, place=place)

    assert here.standing() == [(("birch_crash",), AlarmState.SOUNDING)]


@pytest.mark.parametrize("status", [PanelStatus.TEST, PanelStatus.FAULT])
def test_a_panel_under_test_or_at_fault_is_told_and_is_neither_alarm_nor_all_clear(status: PanelStatus) -> None:
    here = Listening()
    here.say(PanelStatus.ALARM, "ground")
    here.say(status)

    assert here.standing() == [(("alder",), AlarmState.SOUNDING)]
    assert f"panel_{status.value}" in here.told()


def test_silence_is_told_once_and_is_neither_alarm_nor_all_clear() -> None:
    here = Listening()
    here.say(PanelStatus.ALARM, "ground")
    for _ in range(5):
        here.wait(30.0)

    assert here.standing() == [(("alder",), AlarmState.SOUNDING)]
    assert here.told().count("panel_silent") == 3, "once for each panel, also the one that was never heard"


def test_people_are_told_of_a_panel_whose_words_cannot_be_read_for_it_may_be_an_alarm() -> None:
    here = Listening()
    here.say(PanelStatus.NORMAL)
    garbled = b'{"boot":"boot-1","number":2,"sent_at":"2026-01-01T00:00:00Z","status":"ALARM"}'
    for _ in range(3):
        here._take(f"wardporter/v1/{SITE.id}/panel/fire_panel/state", garbled)

    assert here.told() == ["panel_garbled"]
    assert here.standing() == []


def test_where_the_place_has_decided_so_a_silent_fire_panel_holds_robots_until_it_is_normal_again() -> None:
    here = Listening(silent_panel_holds=True)
    here.wait(61.0)
    assert here.standing() == [(("alder", "cedar"), AlarmState.SOUNDING)]

    here.say(PanelStatus.NORMAL)
    assert here.standing() == [(("alder", "cedar"), AlarmState.CLEARED)]


@pytest.mark.parametrize(("panel", "site"), [("other", SITE.id), ("fire_panel", "elsewhere"), ("birch_call", SITE.id)])
def test_what_is_no_panel_of_this_site_changes_nothing(panel: str, site: str) -> None:
    here = Listening()

    assert here.say(PanelStatus.ALARM, panel=panel, site=site) is None
    assert here.standing() == []
