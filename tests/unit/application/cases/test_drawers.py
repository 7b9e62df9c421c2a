"""What happens at a drawer becomes evidence, and the right people are called."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.application.drawer_watch import (
    LEFT_OPEN_FAULT,
    note_drawers,
    note_left_open,
    note_opened,
    note_refused,
)
from orchestrator.application.ledger_keeping import LedgerHaltedError
from orchestrator.application.openings import void_grants_of
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.model import EntryKind, Signing
from orchestrator.domain.custody.policy import CustodyPolicy
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.fleet.model import DrawerContent, DrawerReport, DrawerState, RobotFault
from tests.support.drawer_cases import ALONE, BOTH, controlled, opened
from tests.support.drawer_house import (
    ALDER,
    LATER,
    NURSE,
    WARD,
    House,
)

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
        ("nurse-1", Signing.ACTOR, "nurse", "R-nurse-1"),
        ("nurse-2", Signing.WITNESS, "nurse", "R-nurse-2"),
    ]
    assert (granted.draft.facts["device"], granted.draft.facts["stands_at"] != "") == ("phone-1", True)
    assert [entry.draft.facts["event"] for entry in reported] == ["drawer_opened", "drawer_closed"]
    assert all(entry.draft.signatures == () and entry.draft.facts["reported_by"] == house.robot for entry in reported)


def test_case_40_what_a_robot_reports_is_entered_with_what_its_clock_is_off_by_and_stays_in_order() -> None:
    house = controlled()
    house.put(replace(house.record, clock_skew_s=-340.06))
    opened(house)
    granted, reported = house.entries()
    assert "robot_clock_skew_s" not in granted.draft.facts
    assert reported.draft.facts["robot_clock_skew_s"] == "-340.1"
    assert (reported.index, reported.recorded_at) == (granted.index + 1, granted.recorded_at)


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


def test_while_the_ledger_is_halted_nothing_is_granted_and_robots_are_heard_still() -> None:
    house = controlled()
    issued = opened(house)
    house.ledger.gate.shut("the kept head differs")
    house.report_drawer(DrawerState.OPEN)
    house.report_drawer(DrawerState.LOCKED)
    assert house.kept(issued).closed_at == LATER
    assert house.told() == ["drawer_granted", "drawer_opened", "drawer_closed"]
    assert [entry.draft.facts["event"] for entry in house.entries()] == ["drawer_granted", "drawer_opened"]
    with house.store.reading() as uow:
        (missed,) = (event for event in uow.events.after(0, 1000) if event.kind == "ledger_entry_missed")
    assert (missed.subject, missed.data["event"]) == (house.delivery, "drawer_closed")
    house.stand_at(WARD, nonce="cd" * 16)
    with pytest.raises(LedgerHaltedError):
        house.grant(BOTH)


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


# -- a drawer that is left open ----------------------------------------------------------------------------------------


def say_open(house: House, *, is_open: bool = True) -> None:
    """Let the robot say, or say no more, that its drawer has stood open for long."""
    before = house.record.report
    assert before is not None
    state = DrawerState.OPEN if is_open else DrawerState.LOCKED
    faults = (RobotFault(LEFT_OPEN_FAULT, is_fatal=False),) if is_open else ()
    drawers = (DrawerReport(house.drawer, state, DrawerContent.UNKNOWN),)
    report = replace(before, drawers=drawers, faults=faults)
    house.put(replace(house.record, report=report))
    house.turn(lambda turn: note_drawers(turn, house.fleet, house.robot, before, report))
    house.turn(lambda turn: note_left_open(turn, house.fleet, before, report))


def test_case_52_a_drawer_left_open_is_an_incident_of_those_it_was_opened_for_once_for_each_opening() -> None:
    house = controlled()
    opened(house)
    say_open(house)
    say_open(house)
    (incident,) = house.incidents()
    assert (incident.kind, incident.delivery) == (IncidentKind.DRAWER_LEFT_OPEN, house.delivery)
    assert incident.caused_by == ("nurse-1", "nurse-2")
    assert "nurse-1, nurse-2, who answer for what lies in it until it is signed for" in incident.sentence
    (alarm,) = house.alarms("drawer_left_open")
    assert alarm["audience"] == ["ward", "nurse_in_charge"]
    assert house.entries()[-1].draft.facts["event"] == "drawer_left_open"
    assert house.entries()[-1].draft.signatures == ()
    # The fault comes and goes while it stands open: told again, and still the same incident.
    house.put(replace(house.record, report=replace(house.record.report, faults=())))  # pyright: ignore[reportArgumentType]
    say_open(house)
    assert (len(house.alarms("drawer_left_open")), len(house.incidents())) == (2, 1)


def test_case_52_a_second_opening_that_is_left_is_a_second_incident() -> None:
    house = controlled()
    opened(house)
    say_open(house)
    say_open(house, is_open=False)
    house.stand_at(WARD, nonce="cd" * 16)
    issued = house.grant(BOTH)
    house.turn(lambda turn: note_opened(turn, house.robot, issued.action), at=LATER + timedelta(minutes=5))
    say_open(house)
    assert [incident.kind for incident in house.incidents()] == [IncidentKind.DRAWER_LEFT_OPEN] * 2
