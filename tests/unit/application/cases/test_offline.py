"""The network is down: what drawers did unheard, and what a ward signed on paper, is entered once (case 54)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from orchestrator.application.confirm_receipt import Reading
from orchestrator.application.drawer_journal import note_journal
from orchestrator.application.paper_receipt import enter_paper_receipt
from orchestrator.application.register_errors import OccurredAtError
from orchestrator.domain.custody.balances import is_late
from orchestrator.domain.custody.errors import NotEligibleError, PeopleMissingError
from orchestrator.domain.custody.grant import Purpose
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.issued_grant import GrantId, GrantOutcome, IssuedGrant
from orchestrator.domain.custody.model import AccountKind, Entry, EntryKind
from orchestrator.domain.custody.people import Present
from orchestrator.domain.delivery.errors import NotOpenedOnPaperError, PaperAfterReturnError
from orchestrator.domain.delivery.lifecycle import moved
from orchestrator.domain.delivery.model import Delivery, DeliveryState, LineCount
from orchestrator.domain.delivery.paper import PaperForm
from orchestrator.domain.fleet.model import ActionId, DrawerContent, DrawerReport, DrawerState, RobotId
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.people.model import PersonId
from orchestrator.domain.site.model import PlaceId, WaypointId
from orchestrator.vda5050.drawer_journal import DrawerEvent, Journal, JournalEntry
from orchestrator.vda5050.events import JournalTold
from tests.support.custody import HATCH, TEN, WARD_A, counted
from tests.support.custody import House as Custody
from tests.support.drawer_house import ALDER, LATER, NONCE, NURSE, SECOND_NURSE, House, a_report

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


# -- a receipt on paper ------------------------------------------------------------------------------------------------

S = DeliveryState
ROBOT = RobotId("robot-1")
WHY = "No network on the ward"


def opened_for(house: Custody, delivery: Delivery, *, purpose: Purpose = Purpose.HAND_OVER) -> None:
    """Let the robot have opened the drawer now; its grants count from here on."""
    with house.store.transaction() as uow:
        uow.robots.save(replace(uow.robots.get(ROBOT), checks_grants=True))
        grant = IssuedGrant(
            id=GrantId(f"grant-{purpose.value}"),
            delivery=delivery.id,
            robot=ROBOT,
            drawer="top",
            purpose=purpose,
            nonce=purpose.value.ljust(32, "0"),
            action=ActionId("action-1"),
            by="nurse-a1",
            people=(PersonId("nurse-a1"), PersonId("nurse-a2")),
            issued_at=house.at,
            place=PlaceId(HATCH if purpose is Purpose.TAKE_BACK else WARD_A),
        )
        uow.grants.add(grant)
        uow.grants.save(grant.opened(house.at))


def arrived_and_opened() -> tuple[Custody, Delivery]:
    house = Custody()
    arrived = house.arrived()
    house.wait(minutes=10)
    opened_for(house, arrived)
    house.wait(minutes=5)
    return house, arrived


def enter(
    house: Custody,
    delivery: Delivery,
    *by: str,
    occurred_at: datetime,
    counts: tuple[LineCount, ...] | None = None,
    reason: str = WHY,
    seal: str = "S-1",
    **read: Any,
) -> Delivery:
    return house.do(
        enter_paper_receipt,
        delivery=delivery.id,
        reading=Reading(seal, counts or counted(delivery), **read),
        paper=PaperForm(occurred_at, "DT-7", reason),
        present=house.present(*(by or ("nurse-a1", "nurse-a2"))),
        premises=house.premises,
        ids=house.ids,
    )


def last_entry(house: Custody, delivery: Delivery) -> Entry:
    with house.store.reading() as uow:
        return list(uow.ledger.entries(limit=100, delivery=delivery.id))[-1]


@pytest.mark.parametrize(("days", "is_flagged"), [(0, False), (3, True)])
def test_case_54_a_receipt_on_paper_is_entered_with_when_it_was_signed_and_that_it_was_not_blind(
    days: int, is_flagged: bool
) -> None:
    house, arrived = arrived_and_opened()
    signed_at = house.at
    house.wait(hours=1, days=days)

    received = enter(house, arrived, occurred_at=signed_at)

    assert received.state is S.RECEIVED
    assert (received.receipt and received.receipt.at) == signed_at
    assert house.units(AccountKind.CUPBOARD, WARD_A) == TEN
    entry = last_entry(house, arrived)
    assert (entry.draft.kind, entry.draft.occurred_at, entry.recorded_at) == (EntryKind.RECEIVED, signed_at, house.at)
    facts = entry.draft.facts
    assert (facts["paper"], facts["counted_blind"], facts["entered_because"]) == ("DT-7", "no", WHY)
    assert [one.person for one in entry.draft.signatures] == ["nurse-a1", "nurse-a2"]
    assert is_late(entry) is is_flagged
    why = received.history[-1].reason
    assert why is not None
    assert ("Entered later than the day after" in why.sentence) is is_flagged


def test_case_54_a_count_on_paper_is_not_counted_again_and_its_difference_is_set_apart() -> None:
    house, arrived = arrived_and_opened()
    received = enter(house, arrived, occurred_at=house.at, counts=counted(arrived, off_by=-1))
    assert received.state is S.RECEIVED
    assert house.units(AccountKind.QUARANTINE, WARD_A) == TEN - 1
    with house.store.reading() as uow:
        assert [one.kind for one in uow.incidents.newest(5)] == [IncidentKind.SHORT]


def test_case_54_paper_alone_is_no_evidence_that_a_drawer_was_opened() -> None:
    house = Custody()
    arrived = house.arrived()
    opened_for(house, arrived, purpose=Purpose.LOAD)
    with pytest.raises(NotOpenedOnPaperError):
        enter(house, arrived, occurred_at=house.at)
    assert house.now(arrived).state is S.ARRIVED

    opened_for(house, arrived)
    assert enter(house, arrived, occurred_at=house.at).state is S.RECEIVED


@pytest.mark.parametrize("minutes", [-60, -16, 1])
def test_a_paper_of_before_the_drawer_opened_or_of_later_than_now_is_refused(minutes: int) -> None:
    house, arrived = arrived_and_opened()
    with pytest.raises(OccurredAtError):
        enter(house, arrived, occurred_at=house.at + timedelta(minutes=minutes))
    assert house.now(arrived).state is S.ARRIVED


@pytest.mark.parametrize("by", [("nurse-a1",), ("nurse-a1", "nurse-b1"), ("nurse-a1", "porter-1")])
def test_a_paper_is_entered_by_two_of_the_ward(by: tuple[str, ...]) -> None:
    house, arrived = arrived_and_opened()
    with pytest.raises((PeopleMissingError, NotEligibleError)):
        enter(house, arrived, *by, occurred_at=house.at)
    assert house.now(arrived).state is S.ARRIVED


def sent_back(house: Custody, delivery: Delivery) -> None:
    with house.store.transaction() as uow:
        uow.deliveries.save(moved(uow.deliveries.get(delivery.id), S.RETURNING, at=house.at, cause="nobody came"))


def report_content(house: Custody, content: DrawerContent) -> None:
    report = replace(
        a_report(ROBOT, WaypointId("w"), "top"), drawers=(DrawerReport("top", DrawerState.LOCKED, content),)
    )
    with house.store.transaction() as uow:
        uow.robots.save(replace(uow.robots.get(ROBOT), report=report))


def test_case_54_a_paper_ends_as_received_what_is_on_its_way_back_with_an_empty_drawer() -> None:
    house, arrived = arrived_and_opened()
    signed_at = house.at
    house.wait(minutes=30)
    sent_back(house, arrived)
    report_content(house, DrawerContent.EMPTY)

    received = enter(house, arrived, occurred_at=signed_at)

    assert (received.state, received.is_in_drawer) == (S.RECEIVED, False)
    assert [change.after for change in received.history][-2:] == [S.HANDED_TO_RUNNER, S.RECEIVED]
    assert house.units(AccountKind.CUPBOARD, WARD_A) == TEN
    with house.store.reading() as uow:
        assert uow.ledger.open_pendings() == []


def test_case_54_a_paper_of_what_still_lies_in_the_drawer_or_came_back_is_refused() -> None:
    house, arrived = arrived_and_opened()
    signed_at = house.at
    sent_back(house, arrived)
    report_content(house, DrawerContent.OCCUPIED)
    with pytest.raises(PaperAfterReturnError, match="still"):
        enter(house, arrived, occurred_at=signed_at)

    opened_for(house, arrived, purpose=Purpose.TAKE_BACK)
    returned = house.receive(house.brought_back(arrived), "pharmacist-1", "technician-1")
    assert returned.state is S.RETURNED
    with pytest.raises(PaperAfterReturnError, match="taken back"):
        enter(house, arrived, occurred_at=signed_at)
    assert house.units(AccountKind.CUPBOARD, WARD_A) == 0


def test_a_paper_of_what_a_person_carries_back_is_refused() -> None:
    house, arrived = arrived_and_opened()
    sent_back(house, arrived)
    with house.store.transaction() as uow:
        uow.deliveries.save(moved(uow.deliveries.get(arrived.id), S.HANDED_TO_RUNNER, at=house.at, cause="porter-1"))
    with pytest.raises(PaperAfterReturnError, match="carries"):
        enter(house, arrived, occurred_at=house.at)


def test_a_seal_that_was_copied_wrongly_from_paper_is_entered_once_more_also_of_what_is_on_its_way_back() -> None:
    house, arrived = arrived_and_opened()
    sent_back(house, arrived)
    mistyped = enter(house, arrived, occurred_at=house.at, seal="S-7")
    assert [reason.code for reason in mistyped.waiting] == ["seal_again"]
    assert (mistyped.state, mistyped.robot, mistyped.drawer) == (S.RETURNING, ROBOT, "top"), "nothing was taken out yet"
    received = enter(house, arrived, occurred_at=house.at)
    assert (received.state, received.robot, received.drawer) == (S.RECEIVED, None, None)


def test_a_paper_whose_seal_was_mistyped_takes_nothing_from_the_pharmacy_where_it_comes_back() -> None:
    house, arrived = arrived_and_opened()
    sent_back(house, arrived)
    enter(house, arrived, occurred_at=house.at, seal="S-7")
    opened_for(house, arrived, purpose=Purpose.TAKE_BACK)
    assert house.receive(house.brought_back(arrived), "pharmacist-1", "technician-1").state is S.RETURNED
