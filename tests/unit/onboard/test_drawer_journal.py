"""What a robot writes down of its drawers, and what it tells of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.vda5050.drawer_journal import ENTRIES_MAX, DrawerEvent, JournalEar, information_of_journal
from ros_nodes.onboard.drawer_journal import KEPT_MAX, TOLD_FOR_S, DrawerJournal, KeptJournal
from ros_nodes.onboard.memory import RobotMemory, memory_from_json
from ros_nodes.onboard.path_geometry import Pose

EPOCH = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def a_journal(kept: KeptJournal | None = None) -> DrawerJournal:
    return DrawerJournal(
        kept or KeptJournal(), chance=lambda n: b"\x0a" * n, utc=lambda s: EPOCH + timedelta(seconds=s)
    )


def numbers(journal: DrawerJournal, now_s: float) -> list[int]:
    told = journal.told(now_s)
    return [] if told is None else [entry.number for entry in told.entries]


def test_what_was_written_down_outlives_a_restart_and_goes_on_in_number_54() -> None:
    journal = a_journal()
    journal.note(DrawerEvent.LET_GO, "A", now_s=100.0, nonce="ab")
    saved = RobotMemory(pose=Pose("L1", 0.0, 0.0, 0.0), journal=journal.kept).to_json()

    again = a_journal(memory_from_json(saved).journal)
    again.note(DrawerEvent.CLOSED, "A", now_s=3.0)

    first, second = again.kept.entries
    assert (first.number, first.event, first.nonce, first.at, first.up_s, first.boot) == (
        1, DrawerEvent.LET_GO, "ab", EPOCH + timedelta(seconds=100), 100.0, 1,
    )  # fmt: skip
    assert (second.number, second.event, second.up_s, second.boot) == (2, DrawerEvent.CLOSED, 3.0, 2)
    assert again.kept.id == journal.kept.id


def test_a_memory_of_before_there_were_journals_begins_one() -> None:
    old = RobotMemory(pose=Pose("L1", 0.0, 0.0, 0.0)).to_json().replace(b'"journal"', b'"other"')
    assert memory_from_json(old).journal == KeptJournal()


def test_no_more_is_kept_than_is_told_and_read() -> None:
    journal = a_journal()
    for _ in range(KEPT_MAX + 5):
        journal.note(DrawerEvent.FILLED, "A", now_s=1.0)
    assert KEPT_MAX <= ENTRIES_MAX
    assert numbers(journal, 2.0) == list(range(6, KEPT_MAX + 6))


def test_an_entry_is_told_for_a_while_and_all_of_them_again_once_the_link_has_come_back_54() -> None:
    journal = a_journal()
    assert journal.told(0.0) is None
    journal.note(DrawerEvent.LET_GO, "A", now_s=10.0)
    journal.note(DrawerEvent.OPENED, "A", now_s=500.0)
    assert numbers(journal, 500.0) == [1, 2]
    assert numbers(journal, 10.0 + TOLD_FOR_S + 1.0) == [2]
    assert numbers(journal, 5000.0) == []

    journal.note_link(5000.0)
    assert numbers(journal, 5000.0 + TOLD_FOR_S) == [1, 2]
    assert numbers(journal, 5001.0 + TOLD_FOR_S) == []


def test_what_is_told_is_what_is_heard_and_the_same_again_is_nothing() -> None:
    journal, ear = a_journal(), JournalEar()
    journal.note(DrawerEvent.LET_GO, "left, below", now_s=12.345, nonce="ab" * 16)
    told = journal.told(13.0)
    assert told is not None

    assert ear.hear((information_of_journal(told),)) == told
    assert ear.hear((information_of_journal(told),)) is None
    assert ear.hear(()) is None

    journal.note(DrawerEvent.CLOSED, "left, below", now_s=14.0)
    more = journal.told(15.0)
    assert more is not None
    assert ear.hear((information_of_journal(more),)) == more


GOOD = '{"at":"2026-01-05T08:00:00+00:00","boot":1,"drawer":"A","event":"opened","nonce":"","up_s":1}'


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "7", "{}", GOOD[:-1]),
        GOOD.replace("+00:00", ""),
        GOOD.replace('"A"', '""'),
        GOOD.replace("opened", "eaten"),
        GOOD.replace('"nonce":"', '"nonce":"' + 200 * "a"),
    ],
)
def test_an_entry_that_cannot_be_read_is_passed_over(text: str) -> None:
    journal = a_journal()
    journal.note(DrawerEvent.OPENED, "A", now_s=1.0)
    told = journal.told(1.0)
    assert told is not None
    said = information_of_journal(told)
    assert said.info_references is not None
    name, entry = said.info_references
    bad = entry.model_copy(update={"reference_key": "2", "reference_value": text})
    heard = JournalEar().hear((said.model_copy(update={"info_references": (name, entry, bad)}),))
    assert heard == told

    good = bad.model_copy(update={"reference_value": GOOD})
    heard = JournalEar().hear((said.model_copy(update={"info_references": (name, entry, good)}),))
    assert heard is not None
    assert len(heard.entries) == 2


def test_a_journal_without_a_name_is_none() -> None:
    journal = a_journal()
    journal.note(DrawerEvent.OPENED, "A", now_s=1.0)
    told = journal.told(1.0)
    assert told is not None
    said = information_of_journal(told)
    assert said.info_references is not None
    assert JournalEar().hear((said.model_copy(update={"info_references": said.info_references[1:]}),)) is None
