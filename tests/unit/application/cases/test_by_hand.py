"""Controlled medicines that people carry: counted and sealed before they leave, and signed for by whoever has them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.application.hand_to_runner import NOT_LOOKED_AT, TakenOut, hand_to_runner
from orchestrator.application.report_incident import IncidentCode, report_incident
from orchestrator.application.reports import quarterly_report
from orchestrator.application.trips import progress_trips
from orchestrator.application.turn import Turn
from orchestrator.domain.custody.errors import NotEligibleError, NotReadyError, PeopleMissingError
from orchestrator.domain.custody.incident import Incident, IncidentKind
from orchestrator.domain.custody.model import AccountKind
from orchestrator.domain.custody.occurrence import Quarter
from orchestrator.domain.custody.people import Present
from orchestrator.domain.custody.supply import SupplyRequest
from orchestrator.domain.delivery.custody_record import Basis, BasisKind, Carrier, SupplyKind
from orchestrator.domain.delivery.errors import WrongStateError
from orchestrator.domain.delivery.lifecycle import moved
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.people.model import Role
from tests.support.custody import TEN, WARD_A, WARD_B, House, morphine
from tests.support.deliveries import a_request
from tests.support.medicines import MORPHINE

S = DeliveryState
ROBOT = RobotId("robot-1")


@pytest.fixture
def house() -> House:
    return House()


def carry(
    house: House, delivery: Delivery, *by: str, looked: TakenOut = NOT_LOOKED_AT, is_emptied: bool = True
) -> Delivery:
    return house.do(
        hand_to_runner,
        delivery=delivery.id,
        reason="wanted now",
        is_emptied=is_emptied,
        present=house.present(*by),
        premises=house.premises,
        ids=house.ids,
        taken_out=looked,
    )


# -- before it is sealed -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("people", [("nurse-a1",), ("nurse-a1", "nurse-a2"), ("pharmacist-1", "technician-1")])
def test_what_is_on_the_ledger_is_handed_to_nobody_before_it_is_sealed(house: House, people: tuple[str, ...]) -> None:
    ready = house.ready()
    at_hatch = house.fetched(house.ready())
    for unsealed in (ready, at_hatch):
        with pytest.raises(NotReadyError, match="is_by_hand"):
            carry(house, unsealed, *people)
        assert house.now(unsealed) == unsealed


@pytest.mark.parametrize("stands_at_hatch", [False, True])
def test_what_a_robot_was_to_fetch_is_counted_and_sealed_by_hand_and_a_messenger_goes(
    house: House, stands_at_hatch: bool
) -> None:
    ready = house.ready()
    if stands_at_hatch:
        ready = house.fetched(ready)
    with pytest.raises(PeopleMissingError):
        house.load(ready, "pharmacist-1", is_by_hand=True)
    with pytest.raises(NotEligibleError):
        house.load(ready, "nurse-a1", "nurse-a2", is_by_hand=True)
    carried = house.load(ready, is_by_hand=True)
    assert (carried.state, carried.robot, carried.drawer, carried.trip) == (S.HANDED_TO_RUNNER, None, None, None)
    assert (carried.custody.carrier, carried.custody.accountable) == (Carrier.MESSENGER, "pharmacist-1")
    assert house.units(AccountKind.TRANSIT, carried.totes[0].id) == TEN
    assert house.receive(carried).state is S.RECEIVED
    assert house.units(AccountKind.CUPBOARD, WARD_A) == TEN


def test_the_robot_that_stands_for_it_is_let_go(house: House) -> None:
    standing = house.at_hatch()
    assert standing.trip is not None
    house.load(standing, is_by_hand=True)
    with house.store.transaction() as uow:
        progress_trips(Turn(uow, at=house.at, at_s=0.0, ids=house.ids, records={ROBOT: RobotRecord(ROBOT)}))
    with house.store.reading() as uow:
        assert uow.trips.get(standing.trip).ended_at is not None


def test_by_hand_goes_nothing_that_is_not_ready_or_sealed_already(house: House) -> None:
    house.approve()
    queued = house.queue()
    with pytest.raises(WrongStateError):
        house.load(queued, is_by_hand=True)
    sealed = house.sealed()
    with pytest.raises(WrongStateError):
        house.load(sealed, seal="S-2", is_by_hand=True)


@pytest.mark.parametrize("state", [S.HANDED_TO_RUNNER, S.INCIDENT])
def test_what_nobody_sealed_is_cancelled_also_where_people_have_it(house: House, state: DeliveryState) -> None:
    ready = house.ready()
    with house.store.transaction() as uow:
        uow.deliveries.save(moved(ready, state, at=house.at, cause="test"))
    if state is S.INCIDENT:
        with pytest.raises(NotReadyError, match="Cancel it"):
            carry(house, ready, "pharmacist-1", "technician-1")
    assert house.cancel(ready, reason="stuck").state is S.CANCELLED


def test_what_is_sealed_is_not_cancelled_while_people_have_it(house: House) -> None:
    carried = carry(house, house.sealed(), "pharmacist-2", "nurse-a1")
    with pytest.raises(WrongStateError):
        house.cancel(carried, reason="stuck")


# -- what people report ------------------------------------------------------------------------------------------------


def report(
    house: House,
    delivery: Delivery,
    *by: str,
    code: IncidentCode = IncidentCode.LOST,
    words: str = "Not there at bed 4",
    is_emptied: bool = False,
) -> Delivery:
    """Report as somebody who is signed in, with those who proved themselves."""
    proved = house.present(*by).people if is_emptied else ()
    return house.do(
        report_incident,
        delivery=delivery.id,
        code=code,
        sentence=words,
        is_emptied=is_emptied,
        present=Present(by[0], proved),
        premises=house.premises,
        ids=house.ids,
    )


def told_incidents(house: House) -> tuple[Incident, ...]:
    with house.store.reading() as uow:
        return tuple(reversed(uow.incidents.newest(10)))


KINDS = {IncidentCode.DAMAGED: IncidentKind.OTHER, IncidentCode.ROBOT_FAILED: IncidentKind.OTHER}


@pytest.mark.parametrize("code", list(IncidentCode))
def test_what_a_person_reports_of_something_controlled_is_an_incident_an_entry_and_in_the_officers_report(
    house: House, code: IncidentCode
) -> None:
    arrived = house.arrived()
    assert report(house, arrived, "porter-1", code=code).state is S.INCIDENT
    (incident,) = told_incidents(house)
    assert (incident.kind, incident.is_controlled) == (KINDS.get(code) or IncidentKind(code.value), True)
    assert set(incident.caused_by) == {"porter-1", "pharmacist-1"}
    assert house.entries(arrived)[-1] == "incident_reported"
    with house.store.reading() as uow:
        now = quarterly_report(uow, Quarter(house.at.year, (house.at.month + 2) // 3), at=house.at, is_simulation=True)
    assert not now.is_nil


@pytest.mark.parametrize("code", [IncidentCode.LOST, IncidentCode.DRAWER_FORCED])
def test_case_26_for_what_a_person_reports_lost_or_forced_people_are_called_and_the_words_are_for_few(
    house: House, code: IncidentCode
) -> None:
    report(house, house.arrived(), "porter-1", code=code)
    (incident,) = told_incidents(house)
    assert "Tell the police" in incident.sentence
    assert incident.details.startswith("Not there at bed 4")
    assert f"({MORPHINE.drug_class}), schedule 2, 10 tablet" in incident.details
    with house.store.reading() as uow:
        told = uow.events.after(0, 1000)
    (alarm,) = [event.data for event in told if event.kind == "alarm"]
    assert alarm["audience"] == ["security", "pharmacy", "accountable_officer"]
    assert not [event for event in told if "bed 4" in str(event.data) or "10 tablet" in str(event.data)]


def test_more_of_the_same_is_kept_with_the_incident_and_something_else_is_another(house: House) -> None:
    arrived = house.arrived()
    for code, words in (
        (IncidentCode.ROBOT_FAILED, "It stands dead"),
        (IncidentCode.ROBOT_FAILED, "It stands dead"),
        (IncidentCode.OTHER, "It smells burnt"),
        (IncidentCode.LOST, "And there is nothing in it"),
    ):
        report(house, arrived, "porter-1", code=code, words=words)
    first, lost = told_incidents(house)
    assert first.details.count("It stands dead") == 1
    assert "porter-1: It smells burnt" in first.details
    assert lost.kind is IncidentKind.LOST
    assert len(house.now(arrived).history) == len(arrived.history) + 1


def test_of_what_is_ordinary_a_report_opens_no_incident(house: House) -> None:
    ordinary = replace(house.arrived().lines[0], handling_class=HandlingClass.ORDINARY, schedule=None)
    arrived = house.now_of(DeliveryId("delivery-0001"))
    with house.store.transaction() as uow:
        uow.deliveries.save(replace(arrived, lines=(ordinary,)))
    out = house.do(
        report_incident,
        delivery=arrived.id,
        code=IncidentCode.LOST,
        sentence="Not there",
        is_emptied=True,
        present=house.present("porter-1"),
        premises=house.premises,
        ids=house.ids,
    )
    assert (out.state, out.drawer, house.incidents()) == (S.INCIDENT, None, [])


@pytest.mark.parametrize("is_incident", [False, True])
def test_nobody_alone_says_that_something_controlled_is_out_of_its_drawer(house: House, is_incident: bool) -> None:
    arrived = house.arrived()
    if is_incident:
        arrived = report(house, arrived, "porter-1", code=IncidentCode.OTHER)
    for people in (("nurse-a1",), ("porter-1",), ("nurse-a1", "porter-1"), ("nurse-a1", "officer-1")):
        with pytest.raises(NotEligibleError):
            report(house, arrived, *people, code=IncidentCode.OTHER, is_emptied=True)
    assert house.now(arrived) == arrived
    taken = report(house, arrived, "nurse-a1", "nurse-a2", code=IncidentCode.OTHER, is_emptied=True)
    assert (taken.robot, taken.drawer, taken.custody.accountable) == (None, None, "nurse-a1")
    assert "taken_out" in house.entries(arrived)


def test_what_two_people_found_gone_is_in_nobodys_hands(house: House) -> None:
    arrived = house.arrived()
    gone = report(house, arrived, "nurse-a1", "nurse-a2", is_emptied=True)
    assert (gone.drawer, gone.custody.accountable) == (None, "pharmacist-1")
    assert house.entries(arrived)[-2:] == ["found_empty", "incident_reported"]
    assert house.units(AccountKind.TRANSIT, gone.totes[0].id) == TEN


# -- from hand to hand -------------------------------------------------------------------------------------------------


def a_messenger_has(house: House) -> Delivery:
    return house.load(house.ready(), is_by_hand=True)


def test_a_messenger_signs_for_what_they_carry_by_its_seal(house: House) -> None:
    loaded = a_messenger_has(house)
    assert loaded.custody.accountable == "pharmacist-1"
    for people in (("charge-a",), ("charge-a", "porter-1"), ("charge-a", "officer-1")):
        with pytest.raises(NotEligibleError):
            carry(house, loaded, *people, looked=TakenOut("S-1"))
    with pytest.raises(InvalidInputError):
        carry(house, loaded, "charge-a", "nurse-a1")
    assert house.now(loaded) == loaded
    carried = carry(house, loaded, "charge-a", "nurse-a1", looked=TakenOut("S-1"))
    assert (carried.state, carried.custody.accountable) == (S.HANDED_TO_RUNNER, "charge-a")
    assert house.entries(loaded)[-1] == "taken_over"
    with house.store.reading() as uow:
        facts = uow.ledger.entries(limit=100, delivery=loaded.id)[-1].draft.facts
    assert (facts["from_person"], facts["to_person"]) == ("pharmacist-1", "charge-a")
    assert house.incidents() == []
    assert house.receive(carried).state is S.RECEIVED


def test_a_seal_that_differs_when_another_takes_over_is_an_incident(house: House) -> None:
    first = carry(house, house.sealed(), "nurse-a1", "nurse-a2", looked=TakenOut("S-1"))
    second = carry(house, first, "pharmacist-1", "pharmacist-2", looked=TakenOut("S-7"))
    assert second.custody.accountable == "pharmacist-1"
    assert house.incidents() == ["seal_differs"]


def test_for_who_carries_it_already_nothing_changes_but_the_drawer(house: House) -> None:
    first = carry(house, house.arrived(), "nurse-a1", "nurse-a2", is_emptied=False)
    assert carry(house, first, "nurse-a1", "nurse-a2", is_emptied=False) == first
    with pytest.raises(NotEligibleError):
        carry(house, first, "porter-1")
    with pytest.raises(PeopleMissingError):
        carry(house, first, "nurse-a1")
    out = carry(house, first, "nurse-a1", "nurse-a2")
    assert (out.drawer, out.custody.accountable) == (None, "nurse-a1")
    assert carry(house, out, "nurse-a1", "nurse-a2") == out
    assert house.entries(first).count("taken_out") == 2


# -- where it is received ----------------------------------------------------------------------------------------------


def a_runner_has(house: House) -> Delivery:
    """What ward B sent to ward A, carried by two bank nurses of both."""
    for name in ("bank-1", "bank-2"):
        house.hire(name, Role.NURSE, places=(WARD_A, WARD_B))
    house.approve(from_place=WARD_B, to_place=WARD_A)
    queued = house.queue(
        request=a_request(WARD_B, WARD_A, morphine()),
        supply=SupplyRequest(SupplyKind.TRANSFER, basis=Basis(BasisKind.TRANSFER_FORM, "T-1")),
    )
    house.dispense(queued, by="nurse-b1")
    house.check(queued, by="nurse-b2")
    ready = house.accept(queued, by="nurse-a1")
    arrived = house.drive(house.load(house.fetched(ready), "nurse-b1", "nurse-b2"))
    return carry(house, arrived, "bank-1", "bank-2")


@pytest.mark.parametrize(
    ("is_return", "state", "kind", "place"),
    [
        (False, S.RECEIVED, AccountKind.CUPBOARD, WARD_A),
        (True, S.RETURNED, AccountKind.RETURNED, WARD_B),
    ],
)
def test_those_of_both_places_say_where_they_receive_what_a_person_brought(
    house: House, is_return: bool, state: DeliveryState, kind: AccountKind, place: str
) -> None:
    carried = a_runner_has(house)
    with pytest.raises(InvalidInputError, match="is_return"):
        house.receive(carried, "bank-1", "bank-2")
    assert house.now(carried) == carried
    assert house.receive(carried, "bank-1", "bank-2", is_return=is_return).state is state
    assert house.units(kind, place) == TEN


@pytest.mark.parametrize(
    ("people", "state"), [(("nurse-a1", "bank-2"), S.RECEIVED), (("nurse-b1", "bank-2"), S.RETURNED)]
)
def test_where_one_of_two_may_only_here_it_is_received_here(
    house: House, people: tuple[str, str], state: DeliveryState
) -> None:
    assert house.receive(a_runner_has(house), *people).state is state


def test_a_receipt_that_says_another_place_than_where_it_stands_is_refused(house: House) -> None:
    arrived = house.arrived()
    with pytest.raises(InvalidInputError, match="at the place it goes to"):
        house.receive(arrived, is_return=True)
    back = house.brought_back(house.cancel(arrived, reason="not ordered"))
    with pytest.raises(InvalidInputError, match="where it comes back to"):
        house.receive(back, "pharmacist-1", "technician-1", is_return=False)
    with pytest.raises(NotEligibleError):
        house.receive(carry(house, back, "pharmacist-1", "technician-1"), is_return=True)
