"""Acceptance cases on scanning by hand, failures half way, waste, breakage and stock checks, each under its number."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from orchestrator.application.confirm_receipt import Reading, confirm_receipt
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.prepare_delivery import Picked
from orchestrator.application.register_acts import (
    Entering,
    enter_destruction,
    enter_stock_check,
    enter_supply,
)
from orchestrator.application.register_errors import CountsDisagreeError, WitnessError
from orchestrator.domain.access.acts import Act
from orchestrator.domain.custody.errors import BatchUnknownError, PeopleMissingError, SamePersonError
from orchestrator.domain.custody.model import AccountKind, Entry, Signing, Stock
from orchestrator.domain.delivery.errors import WrongStateError
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.medicine.schedule import Schedule
from orchestrator.domain.site.model import PlaceId
from simulation.memory_store import MemoryStore
from tests.support.custody import BATCH, TEN, WARD_A, House, counted, line_of
from tests.support.ledgers import REGISTER, opening
from tests.support.medicines import MORPHINE, MORPHINE_GTIN, a_medicine

IN_MG = a_medicine("99900000000101", drug_class="morphine", form="ampoule", unit="mg", schedule=Schedule.TWO)
TABLETS, MILLIGRAMS = Stock(str(MORPHINE.code), BATCH), Stock(str(IN_MG.code), "A-1")


@pytest.fixture
def house() -> House:
    """A ward that keeps its register here: 20 tablets and 20 mg in its cupboard."""
    house = House(MemoryStore(REGISTER))
    with house.store.transaction() as uow:
        uow.medicines.save([IN_MG])
        for stock in (TABLETS, MILLIGRAMS):
            uow.ledger.append(opening(stock, counted=20, place=PlaceId(WARD_A)), house.at)
    return house


def entering(house: House, *by: str, act: Act, stock: Stock = TABLETS, reason: str = "", **facts: str) -> Entering:
    people = tuple(house.people[name] for name in by)
    return Entering(PlaceId(WARD_A), False, people, act, stock, house.at, reason=reason, facts=facts)


def held(house: House, stock: Stock) -> dict[AccountKind, int]:
    """Return what the ward's accounts hold of a stock, but for what it was opened with."""
    with house.store.reading() as uow:
        balances = uow.ledger.balances(of=WARD_A)
    return {
        balance.account.kind: balance.quantity
        for balance in balances
        if balance.stock == stock and balance.account.kind is not AccountKind.OPENING and balance.quantity
    }


def signers(entry: Entry) -> list[tuple[str, Signing]]:
    return [(signature.person, signature.part) for signature in entry.draft.signatures]


class ServiceEndedError(Exception):
    """The service ends before what it has written is kept."""


# -- half way ----------------------------------------------------------------------------------------------------------


def test_case_42_a_receipt_that_is_lost_before_it_is_kept_leaves_its_posting_pending_and_is_posted_once_after_it() -> (
    None
):
    house = House()
    arrived = house.arrived()

    def receive_and_end(uow: UnitOfWork, *, at: datetime) -> None:
        confirm_receipt(
            uow,
            at=at,
            delivery=arrived.id,
            reading=Reading("S-1", counted(arrived)),
            present=house.present("nurse-a1", "nurse-a2"),
            premises=house.premises,
            ids=house.ids,
        )
        assert uow.ledger.open_pendings() == []
        raise ServiceEndedError

    with pytest.raises(ServiceEndedError):
        house.do(receive_and_end)
    with house.store.reading() as uow:
        assert [pending.line for pending in uow.ledger.open_pendings()] == [line_of(arrived)]
    assert house.now(arrived).state is DeliveryState.ARRIVED
    assert house.receive(arrived).state is DeliveryState.RECEIVED
    with pytest.raises(WrongStateError):
        house.receive(arrived)
    assert house.units(AccountKind.CUPBOARD, WARD_A) == TEN
    assert house.entries(arrived) == ["accepted", "sealed", "received"]


# -- what nobody can scan ----------------------------------------------------------------------------------------------


def test_case_53_what_no_scanner_reads_is_entered_with_batch_expiry_and_reason_and_seen_by_another() -> None:
    house = House()
    house.approve()
    queued = house.queue()
    line = line_of(queued)
    expiry = date(2027, 5, 31)
    for unexplained in (
        Picked(line, TEN, batch=BATCH, expiry=expiry),
        Picked(line, TEN, batch=BATCH, unread_because="torn label"),
        Picked(line, TEN, expiry=expiry, unread_because="torn label"),
        Picked(line, TEN, gtin=MORPHINE_GTIN, batch=BATCH, expiry=expiry, is_typed=True),
    ):
        with pytest.raises(BatchUnknownError):
            house.dispense(queued, unexplained)
    by_hand = house.dispense(queued, Picked(line, TEN, batch=BATCH, expiry=expiry, unread_because="torn label"))
    assert by_hand.custody.dispensed[0].unread_because == "torn label"
    assert "check_missing" in [reason.code for reason in by_hand.waiting]
    with pytest.raises(SamePersonError):
        house.check(queued, by="technician-1")
    assert house.check(queued).custody.checked is not None


# -- what is not given -------------------------------------------------------------------------------------------------


def test_case_58_what_is_left_of_an_ampoule_is_destroyed_before_a_witness_and_given_and_wasted_are_the_whole(
    house: House,
) -> None:
    given = entering(house, "nurse-a1", "nurse-a2", act=Act.SUPPLY_PATIENT, stock=MILLIGRAMS, patient="local-7")
    wasted = ("nurse-a1", "pharmacist-1")
    rest = entering(house, *wasted, act=Act.DESTROY, stock=MILLIGRAMS, reason="rest of the ampoule")
    with house.store.transaction() as uow:
        enter_supply(uow, given, quantity=5)
        entry = enter_destruction(uow, rest, quantity=5)
    assert signers(entry) == [("nurse-a1", Signing.ACTOR), ("pharmacist-1", Signing.WITNESS)]
    assert held(house, MILLIGRAMS) == {AccountKind.CUPBOARD: 10, AccountKind.PATIENT: 5, AccountKind.DESTROYED: 5}


def test_case_59_what_broke_is_destroyed_with_its_reason_by_two_and_never_by_one(house: House) -> None:
    said = {"act": Act.DESTROY, "reason": "fell and broke"}
    with house.store.transaction() as uow:
        with pytest.raises(PeopleMissingError):
            enter_destruction(uow, entering(house, "nurse-a1", **said), quantity=1)  # type: ignore[arg-type]
        with pytest.raises(WitnessError):
            enter_destruction(uow, entering(house, "nurse-a1", "nurse-a2", **said), quantity=1)  # type: ignore[arg-type]
        broken = entering(house, "nurse-a1", "technician-1", **said)  # type: ignore[arg-type]
        entry = enter_destruction(uow, broken, quantity=1)
    assert entry.draft.reason == "fell and broke"
    assert held(house, TABLETS) == {AccountKind.CUPBOARD: 19, AccountKind.DESTROYED: 1}


# -- what is counted ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "differs"),
    [(21, {AccountKind.OVER: -1}), (18, {AccountKind.SHORT: 2})],
)
def test_case_60_a_remainder_that_differs_stands_as_it_was_counted_and_is_investigated(
    house: House, found: int, differs: dict[AccountKind, int]
) -> None:
    checking = entering(house, "nurse-a1", "nurse-a2", act=Act.CHECK_STOCK, stock=MILLIGRAMS)
    with house.store.transaction() as uow:
        entry = enter_stock_check(uow, checking, counts=(found, found), ids=house.ids)
    assert len(signers(entry)) == 2
    assert held(house, MILLIGRAMS) == {AccountKind.CUPBOARD: found, **differs}
    assert len(house.incidents()) == 1


def test_case_68_a_daily_check_that_disagrees_with_the_register_is_an_incident_that_names_who_counted(
    house: House,
) -> None:
    checking = entering(house, "nurse-a1", "nurse-a2", act=Act.CHECK_STOCK)
    with house.store.transaction() as uow:
        with pytest.raises(CountsDisagreeError):
            enter_stock_check(uow, checking, counts=(20, 19), ids=house.ids)
        enter_stock_check(uow, checking, counts=(20, 20), ids=house.ids)
    assert house.incidents() == []
    with house.store.transaction() as uow:
        enter_stock_check(uow, checking, counts=(19, 19), ids=house.ids)
        incident = uow.incidents.newest(1)[0]
    assert house.incidents() == ["short"]
    assert (incident.caused_by, incident.is_controlled) == (("nurse-a1", "nurse-a2"), True)
    assert held(house, TABLETS) == {AccountKind.CUPBOARD: 19, AccountKind.SHORT: 1}
