"""The network is down: what drawers did unheard is entered once, with its own times (case 54)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from orchestrator.application.drawer_journal import note_journal
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.issued_grant import GrantOutcome
from orchestrator.domain.custody.model import EntryKind
from orchestrator.domain.custody.people import Present
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.vda5050.drawer_journal import DrawerEvent, Journal, JournalEntry
from orchestrator.vda5050.events import JournalTold
from tests.support.drawer_house import ALDER, LATER, NONCE, NURSE, SECOND_NURSE, House

BOTH = Present("nurse-1", (NURSE, SECOND_NURSE))
BACK = LATER + timedelta(minutes=40)
"""When the link is back."""

E = DrawerEvent


def a_house() -> House:
    return House(handling_class=HandlingClass.CONTROLLED)


def an_entry(
    number: int, event: DrawerEvent, *, after_s: float, nonce: str = NONCE, off_s: float = 0.0
) -> JournalEntry:
    """An entry of so long after the grant, by a clock that is off."""
    at = LATER + timedelta(seconds=after_s + off_s)
    return JournalEntry(number, event, "A", at, after_s, 1, nonce)


OPENING = (an_entry(1, E.LET_GO, after_s=2), an_entry(2, E.OPENED, after_s=4), an_entry(3, E.EMPTIED, after_s=20),
           an_entry(4, E.CLOSED, after_s=30))  # fmt: skip


def tell(house: House, *entries: JournalEntry, at: datetime = BACK, journal: str = "one", off_s: float = 0.0) -> None:
    named = tuple(replace(entry, drawer=house.drawer) for entry in entries)
    told = JournalTold(Journal(journal, named), at + timedelta(seconds=off_s))
    house.turn(lambda turn: note_journal(turn, house.fleet, house.robot, told), at=at)


def late(house: House) -> list[tuple[str, datetime]]:
    """What stands in the ledger as having come late: what happened, and when."""
    drafts = [entry.draft for entry in house.entries()]
    return [(d.facts["what"], d.occurred_at) for d in drafts if d.facts["event"] == "drawer_journal"]


def test_case_54_an_opening_that_nobody_heard_is_entered_once_with_its_own_times_and_settles_its_grant() -> None:
    house = a_house()
    issued = house.grant(BOTH)

    tell(house, *OPENING)
    tell(house, *OPENING)
    tell(house, *OPENING[1:])

    assert late(house) == [
        ("let_go", LATER + timedelta(seconds=2)),
        ("opened", LATER + timedelta(seconds=4)),
        ("emptied", LATER + timedelta(seconds=20)),
        ("closed", LATER + timedelta(seconds=30)),
    ]
    first = next(entry for entry in house.entries() if entry.draft.facts["event"] == "drawer_journal")
    assert (first.draft.kind, first.draft.place, first.draft.postings) == (EntryKind.CUSTODY, ALDER, ())
    assert first.recorded_at == BACK
    facts = first.draft.facts
    assert (facts["reported_by"], facts["number"], facts["grant"]) == (house.robot, "1", issued.id)
    kept = house.kept(issued)
    assert (kept.outcome, kept.answered_at, kept.closed_at) == (
        GrantOutcome.OPENED, LATER + timedelta(seconds=2), LATER + timedelta(seconds=30),
    )  # fmt: skip
    with house.store.reading() as uow:
        assert list(uow.outbox.wanted()) == [], "the grant is sent no more"
    assert house.incidents() == []


def test_case_54_what_comes_in_parts_is_entered_in_order_and_nothing_twice() -> None:
    house = a_house()
    house.grant(BOTH)
    tell(house, *OPENING[:2])
    tell(house, *OPENING[1:])
    assert [what for what, _ in late(house)] == ["let_go", "opened", "emptied", "closed"]


@pytest.mark.parametrize("off_s", [-3600.0, 3600.0])
def test_case_54_a_robots_wrong_clock_does_not_move_what_it_wrote_down(off_s: float) -> None:
    house = a_house()
    house.grant(BOTH)
    tell(house, *(an_entry(e.number, e.event, after_s=e.up_s, off_s=off_s) for e in OPENING), off_s=off_s)
    assert late(house)[0] == ("let_go", LATER + timedelta(seconds=2))


def test_what_was_heard_as_it_happened_is_not_entered_again() -> None:
    house = a_house()
    house.grant(BOTH)
    before = len(house.entries())
    tell(house, OPENING[0], at=LATER + timedelta(seconds=3))
    assert late(house) == []
    assert [entry.draft.facts["event"] for entry in house.entries()[before:]] == ["drawer_opened"]

    tell(house, *OPENING[:2])
    assert [what for what, _ in late(house)] == ["opened"]


def test_case_54_force_that_nobody_heard_is_an_incident_once_the_link_is_back() -> None:
    house = a_house()
    tell(house, an_entry(1, E.FORCED, after_s=2, nonce=""))
    tell(house, an_entry(1, E.FORCED, after_s=2, nonce=""))
    assert [one.kind for one in house.incidents()] == [IncidentKind.DRAWER_FORCED]
    assert [what for what, _ in late(house)] == ["forced"]


def test_entries_that_are_missing_are_told() -> None:
    house = a_house()
    tell(house, an_entry(40, E.FILLED, after_s=2, nonce=""))
    assert house.alarms("drawer_journal_gap") == [], "what was before it was first heard is none of ours"
    tell(house, an_entry(45, E.EMPTIED, after_s=9, nonce=""))
    (told,) = house.alarms("drawer_journal_gap")
    assert "lacks entries 41 to 44" in told["sentence"]

    tell(house, an_entry(1, E.FILLED, after_s=12, nonce=""), journal="another")
    assert "begins anew" in house.alarms("drawer_journal_gap")[1]["sentence"]
    assert [what for what, _ in late(house)] == ["filled", "emptied", "filled"]


def test_a_robot_that_checks_no_grants_has_no_journal() -> None:
    house = a_house()
    house.put(replace(house.record, checks_grants=False))
    tell(house, *OPENING)
    assert late(house) == []
    assert house.record.journal == ""
