"""What happens at a drawer becomes evidence, and the right people are called."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

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
from orchestrator.application.residue import require_empty
from orchestrator.application.robot_calls import call_to_robots
from orchestrator.application.turn import Turn
from orchestrator.domain.custody.contacts import Function
from orchestrator.domain.custody.errors import PeopleMissingError
from orchestrator.domain.custody.grant import Purpose
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.issued_grant import DrawerNotEmptyError, GrantId, IssuedGrant
from orchestrator.domain.custody.model import EntryKind, Signing
from orchestrator.domain.custody.people import Present
from orchestrator.domain.custody.policy import CustodyPolicy
from orchestrator.domain.delivery.errors import WrongStateError
from orchestrator.domain.delivery.model import DeliveryId, DeliveryState
from orchestrator.domain.emergency.alarm import Alarm, AlarmId, AlarmKind
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.fleet.hold import Hold, HoldKind
from orchestrator.domain.fleet.model import ActionId, DrawerContent, DrawerReport, DrawerState, RobotFault
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.medicine.schedule import Schedule
from tests.support.deliveries import NOON, queue
from tests.support.drawer_house import (
    ALDER,
    HATCH,
    LATER,
    NURSE,
    PHARMACIST,
    PHARMACY,
    SECOND_NURSE,
    TECHNICIAN,
    WARD,
    House,
    S,
)
from tests.support.medicines import MORPHINE

CONTROLLED = HandlingClass.CONTROLLED
BOTH = Present("nurse-1", (NURSE, SECOND_NURSE))
ALONE = Present("nurse-1", (NURSE,))


def controlled(*, state: DeliveryState = S.ARRIVED, policy: CustodyPolicy | None = None) -> House:
    return House(state, handling_class=CONTROLLED, policy=policy)


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


# -- what is left in a drawer ------------------------------------------------------------------------------------------


def called(house: House, at: datetime = LATER) -> None:
    """Let people be called to the robot, as every turn of the control does."""
    with house.store.transaction() as uow:
        turn = Turn(uow, at=at, at_s=0.0, ids=house.ids, records={house.robot: uow.robots.get(house.robot)})
        call_to_robots(turn, house.fleet, {})


def test_case_18_what_is_left_in_a_drawer_is_an_incident_of_the_delivery_it_came_with_once() -> None:
    house = controlled()
    opened(house)
    house.report_drawer(DrawerState.OPEN, DrawerContent.OCCUPIED)
    house.deliver()
    called(house)
    assert house.incidents() == []
    house.report_drawer(DrawerState.LOCKED, DrawerContent.OCCUPIED)
    called(house)
    called(house)
    (incident,) = house.incidents()
    assert (incident.kind, incident.delivery) == (IncidentKind.DRAWER_NOT_EMPTY, house.delivery)
    assert (incident.caused_by, incident.is_controlled) == (("nurse-1", "nurse-2"), True)
    (alarm,) = house.alarms("drawer_not_empty")
    assert alarm["audience"] == ["pharmacy", "accountable_officer"]
    assert house.why_it_stands() == "drawer_not_empty"
    with house.store.reading() as uow:
        assert uow.deliveries.get(house.delivery).state is S.RECEIVED
    house.report_drawer(DrawerState.LOCKED, DrawerContent.EMPTY)
    called(house)
    assert (house.why_it_stands(), house.record.called_for) == (None, frozenset())


def test_case_18_what_people_say_they_took_out_is_looked_for_in_the_robots_next_report() -> None:
    house = controlled()
    opened(house)
    house.report_drawer(DrawerState.LOCKED, DrawerContent.OCCUPIED, at=NOON)
    house.deliver()
    called(house)
    assert house.incidents() == []
    house.report_drawer(DrawerState.LOCKED, DrawerContent.OCCUPIED)
    called(house)
    assert [incident.kind for incident in house.incidents()] == [IncidentKind.DRAWER_NOT_EMPTY]


def test_case_18_two_people_retrieve_what_was_left_though_the_delivery_is_closed() -> None:
    house = controlled()
    opened(house)
    house.report_drawer(DrawerState.OPEN, DrawerContent.OCCUPIED)
    house.deliver()
    house.stand_at(HATCH, nonce="cd" * 16)
    two = Present("nurse-1", (NURSE, PHARMACIST))
    with pytest.raises(WrongStateError):
        house.grant(two, purpose=Purpose.RETRIEVE)
    house.stand_at(HATCH, nonce="cd" * 16, drawers=(occupied(house),))
    with pytest.raises(PeopleMissingError):
        house.grant(ALONE, purpose=Purpose.RETRIEVE)
    assert house.grant(two, purpose=Purpose.RETRIEVE).delivery == house.delivery


def test_case_18_what_was_left_is_not_retrieved_with_another_delivery() -> None:
    house = controlled()
    opened(house)
    house.deliver()
    left_from_before(house, at=LATER)
    house.stand_at(HATCH, nonce="cd" * 16, drawers=(occupied(house),))
    with pytest.raises(WrongStateError):
        house.grant(BOTH, purpose=Purpose.RETRIEVE)


def occupied(house: House) -> DrawerReport:
    return DrawerReport(house.drawer, DrawerState.LOCKED, DrawerContent.OCCUPIED)


def left_from_before(house: House, *, at: datetime = NOON) -> DeliveryId:
    """Let another delivery have been in the drawer, whose grant matters no more."""
    with house.store.transaction() as uow:
        earlier = queue(uow, ids=house.ids)
        grant = IssuedGrant(
            id=GrantId("grant-before"),
            delivery=earlier.id,
            robot=house.robot,
            drawer=house.drawer,
            purpose=Purpose.HAND_OVER,
            nonce="00" * 16,
            action=ActionId("action-before"),
            by="nurse-1",
            people=(NURSE.id,),
            issued_at=at + timedelta(seconds=1),
            place=ALDER,
        )
        uow.grants.add(replace(grant.opened(at), closed_at=at, settled_at=at))
    return earlier.id


def test_case_18_into_a_drawer_with_something_in_it_nothing_is_loaded_and_the_earlier_delivery_is_looked_into() -> None:
    house = controlled(state=S.LOADING)
    earlier = left_from_before(house)
    house.stand_at(HATCH, drawers=(occupied(house),))
    loaders = Present("pharmacist-1", (PHARMACIST, TECHNICIAN))
    with pytest.raises(DrawerNotEmptyError):
        house.grant(loaders)
    called(house)
    (incident,) = house.incidents()
    assert (incident.kind, incident.delivery, incident.caused_by) == (
        IncidentKind.DRAWER_NOT_EMPTY,
        earlier,
        (NURSE.id,),
    )
    assert house.why_it_stands() == "drawer_not_empty"
    house.stand_at(HATCH)
    assert house.grant(loaders).purpose is Purpose.LOAD


def test_case_18_where_nobody_knows_what_it_came_with_it_counts_as_controlled() -> None:
    house = House(S.LOADING)
    house.stand_at(HATCH, drawers=(occupied(house),))
    called(house)
    called(house)
    (incident,) = house.incidents()
    assert (incident.kind, incident.delivery, incident.place) == (IncidentKind.DRAWER_NOT_EMPTY, None, PHARMACY)
    assert incident.is_controlled


@pytest.mark.parametrize("handling_class", [HandlingClass.ORDINARY, CONTROLLED])
def test_case_18_the_loading_itself_is_refused_too(handling_class: HandlingClass) -> None:
    house = House(S.LOADING, handling_class=handling_class)
    house.stand_at(HATCH, drawers=(occupied(house),))
    with house.store.reading() as uow, pytest.raises(DrawerNotEmptyError):
        require_empty(uow, uow.deliveries.get(house.delivery), act="The loading")


def test_what_is_being_loaded_is_not_left_from_before() -> None:
    house = controlled(state=S.LOADING)
    opened(house, Present("pharmacist-1", (PHARMACIST, TECHNICIAN)))
    house.report_drawer(DrawerState.OPEN, DrawerContent.OCCUPIED)
    house.report_drawer(DrawerState.LOCKED, DrawerContent.OCCUPIED)
    called(house)
    assert (house.incidents(), house.why_it_stands()) == ([], None)
    with house.store.reading() as uow:
        require_empty(uow, uow.deliveries.get(house.delivery), act="The loading")


def test_what_was_put_in_on_an_opening_whose_answer_was_lost_is_not_left_from_before() -> None:
    house = controlled(state=S.LOADING)
    issued = house.grant(Present("pharmacist-1", (PHARMACIST, TECHNICIAN)))
    house.turn(lambda turn: note_refused(turn, house.robot, issued.action, "nonce: used"))
    house.report_drawer(DrawerState.LOCKED, DrawerContent.OCCUPIED)
    called(house)
    assert house.incidents() == []
    with house.store.reading() as uow:
        require_empty(uow, uow.deliveries.get(house.delivery), act="The loading")


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


# -- on the way --------------------------------------------------------------------------------------------------------


def test_case_23_to_a_robot_that_is_stuck_with_something_controlled_pharmacy_ward_and_security_are_called_once() -> (
    None
):
    house = controlled(state=S.IN_TRANSIT, policy=CustodyPolicy(contacts={Function.SECURITY: "Security desk, ext. 1"}))
    called(house)
    stuck = Hold(HoldKind.UNRESPONSIVE, "It does not move on.", house.robot, NOON)
    house.put(house.record.held_for(stuck))
    called(house)
    called(house)
    (alarm,) = house.alarms("controlled_stands")
    assert alarm["audience"] == ["pharmacy", "ward", "security"]
    assert alarm["contacts"] == {"security": "Security desk, ext. 1"}
    assert "security (Security desk, ext. 1)" in alarm["sentence"]
    assert alarm["where"]["station"] == WARD
    assert f"at station {WARD}" in alarm["sentence"]
    house.put(house.record.released_from(HoldKind.UNRESPONSIVE))
    called(house)
    house.put(house.record.held_for(stuck))
    called(house)
    assert len(house.alarms("controlled_stands")) == 2


def test_case_23_nobody_is_called_for_what_is_ordinary_or_for_what_a_person_holds() -> None:
    ordinary = House(S.IN_TRANSIT)
    ordinary.put(ordinary.record.held_for(Hold(HoldKind.UNRESPONSIVE, "It stands.", ordinary.robot, NOON)))
    called(ordinary)
    held = controlled(state=S.IN_TRANSIT)
    held.put(held.record.held_for(Hold(HoldKind.PAUSED, "Let a bed pass.", "porter-1", NOON)))
    called(held)
    assert (ordinary.alarms("controlled_stands"), held.alarms("controlled_stands")) == ([], [])


def test_case_24_after_the_limit_nobody_knows_where_a_silent_robot_is_and_security_is_called_once() -> None:
    house = controlled(state=S.IN_TRANSIT)
    house.put(replace(house.record, lost_since=NOON))
    called(house, NOON + timedelta(seconds=299))
    assert house.alarms("place_unknown") == []
    called(house, NOON + timedelta(seconds=300))
    called(house, NOON + timedelta(seconds=900))
    (alarm,) = house.alarms("place_unknown")
    assert alarm["audience"] == ["security", "pharmacy", "ward"]
    assert (alarm["contacts"], alarm["where"]["station"]) == ({}, WARD)
    assert "last heard of at station" in alarm["sentence"]
    house.put(replace(house.record, lost_since=None))
    called(house, NOON + timedelta(seconds=901))
    assert house.record.called_for == frozenset()


def test_case_24_for_an_empty_robot_security_and_the_site_manager_are_called() -> None:
    house = House()
    house.deliver()
    house.put(replace(house.record, lost_since=NOON))
    called(house, NOON + timedelta(hours=1))
    assert house.alarms("place_unknown")[0]["audience"] == ["security", "site_manager"]


def test_case_25_for_a_drawer_that_was_tampered_with_security_and_the_accountable_officer_are_called_once() -> None:
    house = controlled(state=S.IN_TRANSIT)
    for is_tampered in (True, False, True):
        house.report_drawer(DrawerState.LOCKED, DrawerContent.OCCUPIED, is_tampered=is_tampered)
    (alarm,) = house.alarms("drawer_tampered")
    assert alarm["audience"] == ["security", "pharmacy", "accountable_officer"]
    assert alarm["where"]["station"] == WARD
    (incident,) = house.incidents()
    assert (incident.kind, incident.details) == (IncidentKind.DRAWER_FORCED, "")


def test_case_26_a_forced_drawer_prompts_for_the_police_with_drug_and_quantity_that_only_few_read() -> None:
    house = controlled(state=S.IN_TRANSIT)
    with house.store.transaction() as uow:
        uow.medicines.save([MORPHINE])
        delivery = uow.deliveries.get(house.delivery)
        line = replace(
            delivery.lines[0], code=MORPHINE.code, quantity=7193, unit="ampoule", schedule=Schedule.TWO.value
        )
        uow.deliveries.save(replace(delivery, lines=(line, *delivery.lines[1:])))
    house.report_drawer(DrawerState.OPEN, DrawerContent.OCCUPIED)
    house.report_drawer(DrawerState.UNKNOWN, DrawerContent.OCCUPIED)
    house.report_drawer(DrawerState.OPEN, DrawerContent.OCCUPIED)
    (incident,) = house.incidents()
    assert "Tell the police and the controlled drugs liaison officer" in incident.sentence
    assert f"({MORPHINE.drug_class}), schedule 2, 7193 ampoule" in incident.details
    (alarm,) = house.alarms("drawer_opened_unasked")
    assert alarm["audience"] == ["security", "pharmacy", "accountable_officer"]
    with house.store.reading() as uow:
        told = json.dumps([dict(event.data) for event in uow.events.after(0, 1000)])
    assert "7193" not in told


def test_case_26_for_what_is_ordinary_nobody_is_sent_to_the_police() -> None:
    house = House()
    house.report_drawer(DrawerState.OPEN)
    (incident,) = house.incidents()
    assert ("police" in incident.sentence, incident.details) == (False, "")
    assert house.alarms("drawer_opened_unasked")[0]["audience"] == ["security", "pharmacy"]


def in_a_fire(house: House) -> None:
    with house.store.transaction() as uow:
        kind, source = AlarmKind.FIRE, "panel:fire-1"
        uow.alarms.add(Alarm(AlarmId("alarm-1"), kind, (), source, raised_at=NOON, raised_by=source, reason="smoke"))


def test_case_65_in_a_fire_security_is_told_once_where_a_robot_with_something_controlled_stands() -> None:
    house = controlled(state=S.IN_TRANSIT)
    in_a_fire(house)
    standing = house.record.report
    assert standing is not None
    house.put(replace(house.record, report=replace(standing, is_driving=True)))
    called(house, NOON + timedelta(seconds=59))
    assert house.alarms("controlled_in_fire") == []
    house.put(replace(house.record, report=standing))
    for seconds in (59, 61, 3600):
        called(house, NOON + timedelta(seconds=seconds))
    (alarm,) = house.alarms("controlled_in_fire")
    assert alarm["audience"] == ["security", "pharmacy"]
    assert f"stands at station {WARD}" in alarm["sentence"]
    assert "drawers stay locked" in alarm["sentence"]


def test_case_65_a_robot_that_drives_still_is_told_of_after_a_minute_and_an_ordinary_load_never() -> None:
    house, ordinary = controlled(state=S.IN_TRANSIT), House(S.IN_TRANSIT)
    for one in (house, ordinary):
        in_a_fire(one)
        assert one.record.report is not None
        one.put(replace(one.record, report=replace(one.record.report, is_driving=True)))
        called(one, NOON + timedelta(seconds=60))
    assert "is driving" in house.alarms("controlled_in_fire")[0]["sentence"]
    assert ordinary.alarms("controlled_in_fire") == []
