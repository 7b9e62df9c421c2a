"""Acceptance cases on transit, returns, recall, temperature and accountability, each under its number."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from orchestrator.application.accountability import (
    leave_without_person,
    pass_accountability,
    take_over_accountability,
)
from orchestrator.application.follow_up import INCIDENT_CLOSED, follow_up
from orchestrator.application.fridge import confirm_in_fridge, report_excursion
from orchestrator.application.hand_to_runner import TakenOut, hand_to_runner
from orchestrator.application.refuse_delivery import patient_moved, refuse_delivery
from orchestrator.application.register_errors import OccurredAtError
from orchestrator.domain.custody.balances import is_late as is_late_entry
from orchestrator.domain.custody.errors import (
    NoCustodyError,
    NotEligibleError,
    PeopleMissingError,
)
from orchestrator.domain.custody.incident import IncidentId, IncidentKind
from orchestrator.domain.custody.model import AccountKind
from orchestrator.domain.custody.supply import SupplyRequest
from orchestrator.domain.delivery.custody_record import Basis, BasisKind, LineEnd, SupplyKind
from orchestrator.domain.delivery.errors import WrongStateError
from orchestrator.domain.delivery.lifecycle import moved
from orchestrator.domain.delivery.model import Delivery, DeliveryState
from orchestrator.domain.medicine.model import Storage, StorageKind
from orchestrator.domain.people.model import PersonId, Role
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import StationId
from tests.support.custody import HATCH, TEN, WARD_A, WARD_B, House, counted
from tests.support.medicines import MORPHINE

S = DeliveryState


@pytest.fixture
def house() -> House:
    return House()


def runner(house: House, delivery: Delivery, *by: str, **more: object) -> Delivery:
    return house.do(
        hand_to_runner,
        delivery=delivery.id,
        reason="the robot stands",
        is_emptied=True,
        present=house.present(*by),
        premises=house.premises,
        ids=house.ids,
        **more,
    )


def cold(house: House, minutes: int = 30) -> None:
    with house.store.transaction() as uow:
        uow.medicines.save([replace(MORPHINE, storage=Storage(StorageKind.FRIDGE, minutes))])


# -- at the robot ------------------------------------------------------------------------------------------------------


def test_case_23_what_a_stuck_robot_carries_is_taken_out_by_two_who_sign_for_it(house: House) -> None:
    sealed = house.sealed()
    with pytest.raises(PeopleMissingError):
        runner(house, sealed, "pharmacist-2", taken_out=TakenOut("S-1"))
    with pytest.raises(NotEligibleError):
        runner(house, sealed, "pharmacist-2", "porter-1", taken_out=TakenOut("S-1"))
    carried = runner(house, sealed, "pharmacist-2", "nurse-a1", taken_out=TakenOut("S-1"))
    assert (carried.state, carried.custody.accountable) == (S.HANDED_TO_RUNNER, "pharmacist-2")
    assert house.incidents() == []
    assert house.receive(carried).state is S.RECEIVED
    assert house.entries(sealed) == ["accepted", "sealed", "taken_out", "received"]


def test_case_23_a_seal_that_differs_when_it_is_taken_out_is_an_incident(house: House) -> None:
    runner(house, house.sealed(), "pharmacist-2", "nurse-a1", taken_out=TakenOut("S-7"))
    assert house.incidents() == ["seal_differs"]


def test_case_64_the_mechanical_key_takes_two_and_is_an_incident(house: House) -> None:
    sealed = house.sealed()
    by_key = TakenOut("S-1", is_by_key=True, occurred_at=house.at)
    with pytest.raises(PeopleMissingError):
        runner(house, sealed, "manager-1", taken_out=by_key)
    runner(house, sealed, "manager-1", "pharmacist-2", taken_out=by_key)
    assert house.incidents() == ["mechanical_key"]
    assert "mechanical_key" in house.entries(sealed)


# The clocks went forward on 29 March 2026: 00:30 of London's 29 March is 00:30 UTC, of its 30 March 23:30 UTC.
@pytest.mark.parametrize(
    ("happened", "entered", "is_late"),
    [
        ("2026-03-28T12:00:00+00:00", "2026-03-28T12:00:00+00:00", False),
        ("2026-03-28T12:00:00+00:00", "2026-03-29T22:59:59+00:00", False),
        ("2026-03-28T12:00:00+00:00", "2026-03-29T23:00:00+00:00", True),
        ("2026-03-28T23:59:59+00:00", "2026-03-29T23:00:00+00:00", True),
        ("2026-03-29T23:00:00+00:00", "2026-03-31T22:59:59+00:00", False),
    ],
)
def test_case_64_the_entry_says_when_the_key_was_used_and_when_that_was_entered(
    happened: str, entered: str, is_late: bool
) -> None:
    house = House(at=datetime.fromisoformat("2026-03-27T09:00:00+00:00"))
    sealed = house.sealed()
    house.at = datetime.fromisoformat(entered)
    by_key = TakenOut("S-1", is_by_key=True, occurred_at=datetime.fromisoformat(happened))
    carried = runner(house, sealed, "manager-1", "pharmacist-2", taken_out=by_key)
    with house.store.reading() as uow:
        entries = uow.ledger.entries(limit=100, delivery=sealed.id)
        (incident,) = uow.incidents.newest(10)
    found = {entry.draft.facts["event"]: entry for entry in entries if "event" in entry.draft.facts}
    for event in ("mechanical_key", "taken_out"):
        entry = found[event]
        assert (entry.draft.occurred_at, entry.recorded_at) == (by_key.occurred_at, house.at)
        assert is_late_entry(entry) is is_late
    assert ("later than the day after" in incident.sentence) is is_late
    assert carried.history[-1].at == house.at


@pytest.mark.parametrize(
    ("is_by_key", "minutes"),
    [(True, None), (True, 1), (True, -61), (False, -1)],
    ids=["none", "ahead", "early", "no key"],
)
def test_case_64_a_moment_that_is_missing_or_cannot_be_is_refused(
    house: House, is_by_key: bool, minutes: int | None
) -> None:
    sealed = house.sealed()
    house.wait(minutes=60)
    occurred_at = None if minutes is None else house.at + timedelta(minutes=minutes)
    with pytest.raises(OccurredAtError) as refused:
        runner(
            house, sealed, "manager-1", "pharmacist-2", taken_out=TakenOut(is_by_key=is_by_key, occurred_at=occurred_at)
        )
    assert refused.value.detail == {"field": "occurred_at"}
    assert (house.incidents(), house.now(sealed).state) == ([], S.SEALED)


def test_what_a_runner_brings_back_to_the_pharmacy_is_returned_there(house: House) -> None:
    carried = runner(house, house.sealed(), "pharmacist-2", "technician-1", taken_out=TakenOut("S-1"))
    returned = house.receive(carried, "pharmacist-1", "technician-2")
    assert returned.state is S.RETURNED
    assert house.units(AccountKind.RETURNED, HATCH) == TEN


# -- back --------------------------------------------------------------------------------------------------------------


def test_a_refused_delivery_comes_back_unopened_and_is_counted_by_two(house: House) -> None:
    arrived = house.arrived()
    said = {"reason": "not ordered", "premises": house.premises}
    with pytest.raises(NotEligibleError):
        house.do(refuse_delivery, delivery=arrived.id, present=house.present("nurse-b1"), **said)
    back = house.do(refuse_delivery, delivery=arrived.id, present=house.present("nurse-a1"), **said)
    assert back.state is S.RETURNING
    with pytest.raises(PeopleMissingError):
        house.receive(house.brought_back(back), "pharmacist-1")
    with pytest.raises(NotEligibleError):
        house.receive(house.brought_back(back), "nurse-a1", "nurse-a2")
    assert house.receive(back, "pharmacist-1", "technician-1").state is S.RETURNED
    assert house.units(AccountKind.RETURNED, HATCH) == TEN


def test_case_35_what_is_cancelled_on_its_way_comes_back_and_its_seal_is_looked_at(house: House) -> None:
    sealed = house.sealed()
    back = house.cancel(sealed, reason="order stopped")
    assert back.state is S.RETURNING
    house.brought_back(back)
    house.receive(back, "pharmacist-1", "technician-1", seal="S-7")
    taken = house.receive(back, "pharmacist-1", "technician-1", seal="S-7")
    assert taken.state is S.RETURNED
    assert house.units(AccountKind.QUARANTINE, HATCH) == TEN
    assert house.incidents() == ["seal_differs"]


def test_what_is_turned_back_by_staff_has_an_entry_that_says_who_and_why(house: House) -> None:
    sealed = house.sealed()
    house.cancel(sealed, reason="not ordered", by="pharmacist-2")
    assert house.entries(sealed) == ["accepted", "sealed", "cancelled_by_staff"]
    with house.store.reading() as uow:
        (entry,) = uow.ledger.entries(limit=100, delivery=sealed.id)[-1:]
    assert (entry.draft.reason, entry.draft.facts["by"]) == ("not ordered", "pharmacist-2")


def for_a_patient(kind: SupplyKind) -> SupplyRequest:
    basis = BasisKind.PRESCRIPTION if kind is SupplyKind.PATIENT else BasisKind.DISCHARGE_ORDER
    return SupplyRequest(kind, basis=Basis(basis, "RX-1"), patient="999-1")


@pytest.mark.parametrize("kind", [SupplyKind.PATIENT, SupplyKind.DISCHARGE])
def test_case_35_what_is_for_one_patient_comes_back_when_the_order_was_stopped(house: House, kind: SupplyKind) -> None:
    sealed = house.sealed(supply=for_a_patient(kind))
    said = {"reason": "stopped on the ward round", "is_order_stopped": True}
    back = house.cancel(sealed, **said)
    assert (back.state, back.history[-1].reason) == (
        S.RETURNING,
        Reason("order_stopped", "stopped on the ward round"),
    )


def test_case_35_ward_stock_goes_on_when_an_order_was_stopped(house: House) -> None:
    arrived = house.arrived()
    said = {"reason": "stopped on the ward round", "is_order_stopped": True}
    assert house.cancel(arrived, **said) == arrived
    assert house.events()[-1] == "order_stopped"
    assert house.receive(arrived).state is S.RECEIVED
    with pytest.raises(WrongStateError):
        house.cancel(arrived, **said)


def test_a_return_that_is_short_is_counted_again_and_then_investigated(house: House) -> None:
    sealed = house.sealed()
    back = house.brought_back(house.cancel(sealed, reason="stopped"))
    house.receive(back, "pharmacist-1", "technician-1", off_by=-1)
    taken = house.receive(back, "pharmacist-1", "technician-1", off_by=-1)
    assert taken.custody.settled[0].end is LineEnd.RETURNED_DIFFERENT
    assert house.units(AccountKind.RETURNED, HATCH) == TEN - 1
    assert house.units(AccountKind.SHORT, HATCH) == 1
    assert house.incidents() == ["short"]


def test_case_36_a_patient_who_has_moved_is_never_brought_medicines_at_the_old_bed(house: House) -> None:
    sealed = house.sealed()
    present = house.present("pharmacist-1")
    back = house.do(patient_moved, delivery=sealed.id, present=present, premises=house.premises)
    assert back.state is S.RETURNING
    queued = house.queue()
    moved_before = house.do(patient_moved, delivery=queued.id, present=present, premises=house.premises)
    assert moved_before.state is S.CANCELLED


# -- recall ------------------------------------------------------------------------------------------------------------


def test_case_34_a_recall_turns_back_what_is_on_its_way_and_lists_what_was_received(house: House) -> None:
    received = house.receive(house.arrived())
    queued = house.queue()
    house.dispense(queued)
    house.check(queued)
    sealed = house.load(house.fetched(house.accept(queued)), seal="S-2")

    house.recall()

    assert house.now(sealed).state is S.RETURNING
    assert [change.reason.code for change in house.now(sealed).history if change.reason][-1] == "recalled"
    assert house.now(received).state is S.RECEIVED


# -- temperature -------------------------------------------------------------------------------------------------------


def test_case_33_a_silent_logger_counts_as_an_excursion_and_what_was_carried_is_set_apart(house: House) -> None:
    cold(house)
    arrived = house.arrived()
    house.do(
        report_excursion,
        delivery=arrived.id,
        sentence="The logger is silent",
        by="logger-1",
        premises=house.premises,
        ids=house.ids,
    )
    received = house.receive(arrived)
    assert received.custody.settled[0].end is LineEnd.QUARANTINED
    assert house.units(AccountKind.QUARANTINE, WARD_A) == TEN
    assert house.incidents() == ["temperature", "temperature"]


def test_what_people_say_of_an_excursion_is_for_few_and_in_no_event(house: House) -> None:
    cold(house)
    house.do(
        report_excursion,
        delivery=house.arrived().id,
        sentence="The box for bed 4 stood open",
        by="nurse-a1",
        premises=house.premises,
        ids=house.ids,
    )
    with house.store.reading() as uow:
        told = [str(event.data) for event in uow.events.after(0, 1000)]
        (incident,) = uow.incidents.newest(10)
    assert not [data for data in told if "bed 4" in data]
    assert "bed 4" not in incident.sentence
    assert incident.details == "The box for bed 4 stood open"


@pytest.mark.parametrize(("minutes", "end"), [(29, LineEnd.RECEIVED), (31, LineEnd.QUARANTINED)])
def test_a_fridge_item_has_a_budget_out_of_the_fridge(house: House, minutes: int, end: LineEnd) -> None:
    cold(house, 30)
    arrived = house.arrived()
    house.wait(minutes=minutes)
    assert house.receive(arrived).custody.settled[0].end is end


def test_a_fridge_item_is_confirmed_to_be_in_the_fridge_again(house: House) -> None:
    cold(house)
    received = house.receive(house.arrived())
    said = {"delivery": received.id, "premises": house.premises}
    with pytest.raises(NotEligibleError):
        house.do(confirm_in_fridge, present=house.present("nurse-b1"), **said)
    assert house.do(confirm_in_fridge, present=house.present("nurse-a1"), **said).custody.in_fridge is not None


# -- who answers for it ------------------------------------------------------------------------------------------------


def test_accountability_is_passed_on_by_two_signatures_the_giver_first(house: House) -> None:
    sealed = house.sealed()
    said = {"delivery": sealed.id, "premises": house.premises}
    with pytest.raises(NoCustodyError):
        house.do(pass_accountability, present=house.present("pharmacist-2", "pharmacist-1"), **said)
    with pytest.raises(PeopleMissingError):
        house.do(pass_accountability, present=house.present("pharmacist-1"), **said)
    with pytest.raises(NotEligibleError):
        house.do(pass_accountability, present=house.present("pharmacist-1", "nurse-a1"), **said)
    taken = house.do(pass_accountability, present=house.present("pharmacist-1", "pharmacist-2"), **said)
    assert taken.custody.accountable == "pharmacist-2"
    assert house.entries(sealed)[-1] == "accountability_passed"


def test_when_the_person_who_answers_leaves_people_are_told_and_a_pharmacist_takes_over(house: House) -> None:
    sealed = house.sealed()
    left = house.do(
        leave_without_person,
        person=PersonId("pharmacist-1"),
        by="administrator-1",
        premises=house.premises,
        ids=house.ids,
    )
    assert [delivery.id for delivery in left] == [sealed.id]
    assert house.incidents() == ["custody_without_person"]

    said = {"delivery": sealed.id, "premises": house.premises}
    with pytest.raises(NotEligibleError):
        house.do(take_over_accountability, present=house.present("technician-1"), **said)
    taken = house.do(take_over_accountability, present=house.present("pharmacist-2"), **said)
    assert taken.custody.accountable == "pharmacist-2"
    with pytest.raises(NoCustodyError):
        house.do(take_over_accountability, present=house.present("pharmacist-1"), **said)


def test_what_one_ward_sends_to_another_is_taken_over_by_its_own_nurse_in_charge_and_no_other_wards(
    house: House,
) -> None:
    house.hire("charge-b", Role.NURSE_IN_CHARGE, places=(WARD_B,))
    sealed = house.sealed()
    from_ward = replace(house.now(sealed), from_station=StationId(WARD_A), to_station=StationId(WARD_B))
    with house.store.transaction() as uow:
        uow.deliveries.save(from_ward)
    said = {"delivery": sealed.id, "premises": house.premises}
    with pytest.raises(NotEligibleError, match=f"the nurse in charge of {WARD_A}"):
        house.do(pass_accountability, present=house.present("pharmacist-1", "charge-b"), **said)
    taken = house.do(pass_accountability, present=house.present("pharmacist-1", "charge-a"), **said)
    assert taken.custody.accountable == "charge-a"


def test_nobody_who_was_there_closes_the_incident(house: House) -> None:
    arrived = house.arrived()
    house.receive(arrived, off_by=-1)
    house.receive(arrived, off_by=-1)
    with house.store.reading() as uow:
        incident = uow.incidents.newest(1)[0]
    with pytest.raises(NotEligibleError):
        house.do(follow_up, incident=incident.id, sentence="found", closes=True, by="nurse-a1")
    house.do(follow_up, incident=incident.id, sentence="I looked again", closes=False, by="nurse-a1")
    closed = house.do(follow_up, incident=incident.id, sentence="found in the bag", closes=True, by="officer-1")
    assert closed.is_closed
    assert len(closed.follow_ups) == 2


def set_apart_on_the_ward(house: House) -> Delivery:
    """Let the ward read another seal twice on what a runner brought: all of it is set apart there."""
    carried = runner(house, house.arrived(), "pharmacist-2", "nurse-a1", taken_out=TakenOut("S-1"))
    house.receive(carried, seal="S-7")
    apart = house.receive(carried, seal="S-7")
    assert (apart.state, house.units(AccountKind.QUARANTINE, WARD_A)) == (S.INCIDENT, TEN)
    return apart


def test_what_is_set_apart_on_the_ward_is_closed_with_the_last_of_its_incidents(house: House) -> None:
    apart = set_apart_on_the_ward(house)
    with house.store.transaction() as uow:
        (first,) = uow.incidents.of_delivery(apart.id)
        uow.incidents.add(replace(first, id=IncidentId("incident-x"), kind=IncidentKind.OTHER))
    house.do(follow_up, incident=first.id, sentence="fetched by the pharmacy", closes=False, by="pharmacist-1")
    house.do(follow_up, incident=first.id, sentence="the bags were mixed up", closes=True, by="officer-1")
    assert house.now(apart) == apart, "another is open still"
    house.do(follow_up, incident=IncidentId("incident-x"), sentence="the same", closes=True, by="officer-1")
    closed = house.now(apart)
    assert (closed.state, closed.custody) == (S.RECEIVED, apart.custody)
    assert (closed.history[-1].cause, closed.history[-1].reason) == ("officer-1", INCIDENT_CLOSED)
    assert house.units(AccountKind.QUARANTINE, WARD_A) == TEN, "its units stay where they are"


def test_an_incident_that_is_closed_leaves_open_what_has_lines_that_have_not_ended(house: House) -> None:
    carried = runner(house, house.arrived(), "pharmacist-2", "nurse-a1", taken_out=TakenOut("S-7"))
    with house.store.transaction() as uow:
        (incident,) = uow.incidents.of_delivery(carried.id)
        uow.deliveries.save(moved(carried, S.INCIDENT, at=house.at, cause="nurse-a1"))
    house.do(follow_up, incident=incident.id, sentence="read it again", closes=True, by="officer-1")
    assert house.now(carried).state is S.INCIDENT
    again = runner(house, carried, "pharmacist-2", "nurse-a1", taken_out=TakenOut("S-1"))
    assert again.state is S.HANDED_TO_RUNNER


def test_nobody_signs_for_taking_out_what_has_ended_line_by_line(house: House) -> None:
    apart = set_apart_on_the_ward(house)
    written = house.entries(apart)
    with pytest.raises(WrongStateError) as refused:
        runner(house, apart, "pharmacist-2", "nurse-a1")
    assert "have its incident looked into and closed" in refused.value.message
    assert (house.now(apart), house.entries(apart)) == (apart, written)


def test_a_revoked_person_neither_loads_nor_receives(house: House) -> None:
    standing = house.at_hatch()
    house.people["pharmacist-1"] = replace(house.people["pharmacist-1"], revoked_at=house.at)
    with pytest.raises(NotEligibleError):
        house.load(standing)
    house.hire("agency-2", Role.PHARMACIST, places=(HATCH,), expires_at=house.at)
    with pytest.raises(NotEligibleError):
        house.load(standing, "agency-2", "technician-1")
    assert house.load(standing, "pharmacist-2", "technician-1").state is S.SEALED
    assert counted(standing)


def test_who_leaves_is_taken_off_everything_they_answer_for(house: House) -> None:
    sealed = [house.load(house.at_hatch(), seal=seal) for seal in ("S-1", "S-2")]
    said = {"person": PersonId("pharmacist-1"), "by": "administrator-1", "premises": house.premises, "ids": house.ids}
    left = house.do(leave_without_person, **said)
    assert sorted(delivery.id for delivery in left) == sorted(delivery.id for delivery in sealed)
    assert [house.now(delivery).custody.accountable for delivery in sealed] == [None, None]
    assert house.incidents() == ["custody_without_person", "custody_without_person"]


def test_an_agency_account_that_ends_with_its_shift_leaves_nothing_unanswered_for(house: House) -> None:
    from orchestrator.application.accountability import notice_who_left

    house.hire("agency-3", Role.PHARMACIST, places=(HATCH,), is_agency=True, expires_at=house.at.replace(hour=20))
    sealed = house.load(house.at_hatch(), "agency-3", "technician-1")
    said = {"deliveries": [sealed], "premises": house.premises, "ids": house.ids}
    assert house.do(notice_who_left, **said) == []
    house.wait(hours=9)
    assert [left.id for left in house.do(notice_who_left, **said)] == [sealed.id]
    assert house.now(sealed).custody.accountable is None
    assert house.incidents() == ["custody_without_person"]
