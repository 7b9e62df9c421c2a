"""Alarms on the books: who may raise, clear and end them, and that saying a thing twice changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from orchestrator.application.alarms import clear_alarm, end_alarm, raise_alarm
from orchestrator.domain.emergency.alarm import (
    Alarm,
    AlarmId,
    AlarmKind,
    AlarmState,
    AlarmStateError,
    NotAuthorisedError,
    UnknownAlarmError,
)
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.site.model import Panel, PanelId, PanelKind, ZoneId
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON, CountingIds
from tests.support.wards import demo_hospital

PANEL = Panel(PanelId("fire_panel"), PanelKind.FIRE, (ZoneId("alder"), ZoneId("birch")))
SITE = replace(demo_hospital(), panels={PANEL.id: PANEL})
AUTHORISED = {AlarmKind.FIRE: ("fire-officer",), AlarmKind.CRASH_CALL: ("nurse-in-charge",)}


class Books:
    """A store, and the use cases with defaults."""

    def __init__(self) -> None:
        self.store, self.ids = MemoryStore(), CountingIds()

    def sound(
        self,
        *zones: str,
        kind: AlarmKind = AlarmKind.FIRE,
        source: str = "api",
        reason: str = "Smoke.",
    ) -> Alarm:
        with self.store.transaction() as uow:
            return raise_alarm(
                uow,
                site=SITE,
                kind=kind,
                zones=[ZoneId(zone) for zone in zones],
                reason=reason,
                at=NOON,
                by="porter",
                ids=self.ids,
                source=source,
            )

    def clear(self, alarm: AlarmId, *, source: str = "api") -> Alarm:
        with self.store.transaction() as uow:
            return clear_alarm(uow, site=SITE, alarm=alarm, at=NOON, by="porter", source=source)

    def end(self, alarm: AlarmId, *, by: str = "fire-officer", reason: str = "Checked.") -> Alarm:
        with self.store.transaction() as uow:
            return end_alarm(uow, site=SITE, alarm=alarm, reason=reason, at=NOON, by=by, authorised=AUTHORISED)

    def standing(self) -> Sequence[Alarm]:
        with self.store.reading() as uow:
            return uow.alarms.standing()

    def events(self) -> list[tuple[str, object]]:
        with self.store.reading() as uow:
            return [(event.subject, event.data["state"]) for event in uow.events.after(0, 100)]


def test_an_alarm_stands_when_it_is_over_and_until_an_authorised_person_ends_it() -> None:
    books = Books()
    alarm = books.sound("alder")

    assert books.clear(alarm.id).state is AlarmState.CLEARED
    assert [a.id for a in books.standing()] == [alarm.id]
    ended = books.end(alarm.id)

    assert (ended.ended_by, ended.ended_because) == ("fire-officer", "Checked.")
    assert list(books.standing()) == []
    assert [state for _, state in books.events()] == ["sounding", "cleared", "ended"]


def test_saying_a_thing_twice_changes_nothing_and_tells_nothing() -> None:
    books = Books()
    alarm = books.sound("alder")
    assert books.sound("alder") == alarm
    books.clear(alarm.id)
    books.clear(alarm.id)
    books.end(alarm.id)
    books.end(alarm.id)

    assert len(books.events()) == 3


def test_nobody_but_those_named_for_its_kind_ends_an_alarm() -> None:
    books = Books()
    fire, call = books.sound("alder"), books.sound("birch_crash", kind=AlarmKind.CRASH_CALL)
    books.clear(fire.id)
    books.clear(call.id)

    for alarm, by in [(fire, "porter"), (fire, "nurse-in-charge"), (call, "fire-officer")]:
        with pytest.raises(NotAuthorisedError, match=by):
            books.end(alarm.id, by=by)
    assert len(books.standing()) == 2
    with books.store.transaction() as uow, pytest.raises(NotAuthorisedError):
        end_alarm(uow, site=SITE, alarm=fire.id, reason="Checked.", at=NOON, by="fire-officer", authorised={})


def test_robots_are_not_let_go_on_while_the_alarm_sounds() -> None:
    books = Books()
    alarm = books.sound("alder")

    with pytest.raises(AlarmStateError, match="sounds still"):
        books.end(alarm.id)
    assert [a.state for a in books.standing()] == [AlarmState.SOUNDING]


def test_only_the_panel_says_that_its_alarm_is_over() -> None:
    books = Books()
    alarm = books.sound("alder", source="panel:fire_panel")

    with pytest.raises(AlarmStateError, match="panel:fire_panel"):
        books.clear(alarm.id)
    assert books.clear(alarm.id, source="panel:fire_panel").state is AlarmState.CLEARED


def test_an_alarm_of_a_panel_that_was_taken_out_of_the_site_is_cleared_by_a_person_and_ended() -> None:
    books = Books()
    alarm = books.sound("alder", source="panel:broken_panel")

    with pytest.raises(AlarmStateError, match="Reset it here"):
        books.end(alarm.id)
    assert books.clear(alarm.id).cleared_by == "porter"
    assert books.end(alarm.id).state is AlarmState.ENDED


def test_a_panel_that_sounds_again_or_for_more_zones_makes_its_alarm_sound_again_and_spread() -> None:
    books = Books()
    alarm = books.sound("alder", source="panel:fire_panel")
    books.clear(alarm.id, source="panel:fire_panel")
    again = books.sound("birch", source="panel:fire_panel")

    assert (again.id, again.state, again.zones) == (alarm.id, AlarmState.SOUNDING, ("alder", "birch"))


def test_an_alarm_for_the_whole_site_does_not_shrink_to_the_zones_named_later() -> None:
    books = Books()
    books.sound(source="panel:fire_panel")

    assert books.sound("alder", source="panel:fire_panel").zones == ()


@pytest.mark.parametrize(
    ("kind", "zones"),
    [
        (AlarmKind.FIRE, ["nowhere"]),
        (AlarmKind.FIRE, ["alder_crash"]),
        (AlarmKind.CRASH_CALL, ["alder"]),
        (AlarmKind.CRASH_CALL, []),
    ],
)
def test_an_alarm_for_zones_that_are_none_of_its_kind_is_refused_and_nothing_kept(
    kind: AlarmKind, zones: list[str]
) -> None:
    books = Books()

    with pytest.raises(InvalidInputError, match="zone"):
        books.sound(*zones, kind=kind)
    assert list(books.standing()) == []


def test_an_act_without_a_reason_is_refused() -> None:
    books = Books()
    with pytest.raises(InvalidInputError):
        books.sound("alder", reason=" ")
    alarm = books.sound("alder")
    books.clear(alarm.id)
    with pytest.raises(InvalidInputError):
        books.end(alarm.id, reason="")


def test_why_somebody_says_that_an_alarm_is_over_and_ends_it_is_on_record() -> None:
    books = Books()
    alarm = books.sound("alder")
    with books.store.transaction() as uow, pytest.raises(InvalidInputError, match="all-clear"):
        clear_alarm(uow, site=SITE, alarm=alarm.id, at=NOON, by="porter", reason=" ")
    with books.store.transaction() as uow:
        clear_alarm(uow, site=SITE, alarm=alarm.id, at=NOON, by="porter", reason="Burnt toast.")
    books.end(alarm.id)

    with books.store.reading() as uow:
        said = [event.data.get("because") for event in uow.events.after(0, 100)]
    assert said == [None, "Burnt toast.", "Checked."]


def test_an_alarm_that_nobody_raised_is_unknown() -> None:
    with pytest.raises(UnknownAlarmError):
        Books().clear(AlarmId("alarm-9"))
