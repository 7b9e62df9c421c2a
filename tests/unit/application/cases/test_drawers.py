"""What happens at a drawer becomes evidence, and the right people are called."""

from __future__ import annotations

import json

import pytest

from orchestrator.application.drawer_watch import note_opened, note_refused
from orchestrator.application.openings import void_grants_of
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.issued_grant import IssuedGrant
from orchestrator.domain.custody.model import EntryKind, Signing
from orchestrator.domain.custody.people import Present
from orchestrator.domain.custody.policy import CustodyPolicy
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.fleet.model import DrawerState
from orchestrator.domain.medicine.handling import HandlingClass
from tests.support.drawer_house import ALDER, LATER, NURSE, SECOND_NURSE, House

CONTROLLED = HandlingClass.CONTROLLED
BOTH = Present("nurse-1", (NURSE, SECOND_NURSE))
ALONE = Present("nurse-1", (NURSE,))


def controlled(**more: object) -> House:
    return House(handling_class=CONTROLLED, **more)  # pyright: ignore[reportArgumentType]  # names are checked by the call


def opened(house: House, present: Present = BOTH) -> IssuedGrant:
    issued = house.grant(present)
    house.turn(lambda turn: note_opened(turn, house.robot, issued.action))
    return issued


# -- the ledger --------------------------------------------------------------------------------------------------------


def test_each_step_of_an_opening_is_an_entry_of_the_ledger() -> None:
    house = controlled()
    issued = opened(house)
    house.report_drawer(DrawerState.OPEN)
    house.report_drawer(DrawerState.LOCKED)
    entries = house.entries()
    assert [entry.draft.facts["event"] for entry in entries] == ["drawer_granted", "drawer_opened", "drawer_closed"]
    for entry in entries:
        facts = entry.draft.facts
        assert (entry.draft.kind, entry.draft.place, entry.draft.postings) == (EntryKind.CUSTODY, ALDER, ())
        assert (facts["robot"], facts["drawer"], facts["purpose"]) == (house.robot, house.drawer, "hand_over")
        assert (facts["grant"], facts["opened_for"]) == (issued.id, "nurse-1, nurse-2")


def test_whoever_had_a_drawer_granted_signs_that_and_nobody_signs_what_a_robot_reports() -> None:
    house = controlled()
    opened(house)
    house.report_drawer(DrawerState.LOCKED)
    granted, *reported = house.entries()
    signed = [(one.person, one.part, one.role, one.registration) for one in granted.draft.signatures]
    assert signed == [
        ("nurse-1", Signing.ACTOR, "nurse", "12A3456B"),
        ("nurse-2", Signing.WITNESS, "nurse", "12A3456B"),
    ]
    assert (granted.draft.facts["device"], granted.draft.facts["stands_at"] != "") == ("phone-1", True)
    assert [entry.draft.facts["event"] for entry in reported] == ["drawer_opened", "drawer_closed"]
    assert all(entry.draft.signatures == () and entry.draft.facts["reported_by"] == house.robot for entry in reported)


def test_a_refusal_of_the_robot_is_an_entry_with_its_reason() -> None:
    house = controlled()
    issued = house.grant(BOTH)
    house.turn(lambda turn: note_refused(turn, house.robot, issued.action, "moving: it has not stood still"))
    refused = house.entries()[-1].draft
    assert (refused.facts["event"], refused.reason, refused.signatures) == ("drawer_refused", "moving", ())


def test_a_grant_that_was_taken_back_is_an_entry_that_no_robot_reported() -> None:
    house = controlled()
    house.grant(BOTH)
    with house.store.transaction() as uow:
        void_grants_of(uow, NURSE.id, at=LATER)
    void = house.entries()[-1].draft
    assert (void.facts["event"], void.reason, "reported_by" in void.facts) == ("drawer_grant_void", "revoked", False)


def test_an_opening_for_what_is_ordinary_is_told_and_not_in_the_ledger() -> None:
    house = House()
    opened(house, ALONE)
    assert (house.entries(), house.told()) == ([], ["drawer_granted", "drawer_opened"])


# -- an emergency ------------------------------------------------------------------------------------------------------


def test_case_63_a_drawer_granted_to_one_person_alone_is_an_incident_at_once_and_others_are_called() -> None:
    house = controlled(policy=CustodyPolicy(may_break_glass=True))
    house.grant(ALONE, is_break_glass=True, reason="arrest in bay 4, Mrs Example")
    (incident,) = house.incidents()
    assert (incident.kind, incident.delivery, incident.caused_by) == (
        IncidentKind.BREAK_GLASS,
        house.delivery,
        ("nurse-1",),
    )
    assert incident.is_controlled
    assert "arrest in bay 4" in incident.details
    (alarm,) = house.alarms("break_glass")
    assert alarm["audience"] == ["nurse_in_charge", "site_manager", "accountable_officer"]
    assert alarm["where"]["station"] == "ward_alder_handover"
    (entry,) = house.entries()
    assert (entry.draft.facts["break_glass"], entry.draft.facts["why"]) == ("yes", "arrest in bay 4, Mrs Example")
    with house.store.reading() as uow:
        told = json.dumps([dict(event.data) for event in uow.events.after(0, 1000)])
    assert "Mrs Example" not in told


def test_case_63_of_what_is_ordinary_the_accountable_officer_is_not_called() -> None:
    house = House(policy=CustodyPolicy(may_break_glass=True))
    house.grant(ALONE, is_break_glass=True, reason="arrest")
    assert [incident.kind for incident in house.incidents()] == [IncidentKind.BREAK_GLASS]
    assert house.alarms("break_glass")[0]["audience"] == ["nurse_in_charge", "site_manager"]


def test_case_63_whoever_opens_alone_says_why() -> None:
    house = controlled(policy=CustodyPolicy(may_break_glass=True))
    with pytest.raises(InvalidInputError):
        house.grant(ALONE, is_break_glass=True, reason=" ")
    assert (house.incidents(), house.entries(), house.told()) == ([], [], [])
