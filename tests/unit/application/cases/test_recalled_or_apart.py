"""What is recalled or looked into stays apart: on a ward, in a person's hands, and in the cupboard's books."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestrator.application.hand_to_runner import hand_to_runner
from orchestrator.application.recalls import end_recall
from orchestrator.application.register_acts import enter_destruction, enter_restocking, enter_supply, entered_later
from orchestrator.application.register_entering import Entering
from orchestrator.application.settling import enter_discrepancy_resolution
from orchestrator.domain.access.acts import Act
from orchestrator.domain.custody.errors import NotEligibleError, RecalledStockError, StockInQuestionError
from orchestrator.domain.custody.model import Account, AccountKind, Entry, Stock
from orchestrator.domain.delivery.custody_record import LineEnd
from orchestrator.domain.delivery.lifecycle import moved
from orchestrator.domain.delivery.model import Delivery, DeliveryState
from orchestrator.domain.people.model import Role
from orchestrator.domain.site.model import PlaceId
from simulation.memory_store import MemoryStore
from tests.support.custody import BATCH, HATCH, TEN, WARD_A, House
from tests.support.ledgers import REGISTER, opening
from tests.support.medicines import MORPHINE

S = DeliveryState
TABLETS = Stock(str(MORPHINE.code), BATCH)
PHARMACY_TWO = ("pharmacist-1", "technician-1")
COUNTERS, OTHERS = ("nurse-a1", "nurse-a2"), ("nurse-a3", "charge-a")


@pytest.fixture
def house() -> House:
    return House()


def carried(house: House, delivery: Delivery, *by: str) -> Delivery:
    said = {"delivery": delivery.id, "reason": "the robot stands", "is_emptied": True}
    return house.do(
        hand_to_runner, present=house.present(*(by or COUNTERS)), premises=house.premises, ids=house.ids, **said
    )


def recalled(house: House, _delivery: Delivery) -> None:
    house.recall()


def cancelled(house: House, delivery: Delivery) -> None:
    house.cancel(delivery, reason="not wanted")


@pytest.mark.parametrize("turned_back", [recalled, cancelled])
def test_case_34_what_was_turned_back_goes_to_no_ward_though_its_robot_failed_and_a_person_carries_it(
    house: House, turned_back: Callable[[House, Delivery], None]
) -> None:
    sealed = house.sealed()
    turned_back(house, sealed)
    with house.store.transaction() as uow:
        uow.deliveries.save(moved(uow.deliveries.get(sealed.id), S.INCIDENT, at=house.at, cause="nurse-a1"))
    carried(house, sealed)
    with pytest.raises(NotEligibleError):
        house.receive(sealed)
    assert house.receive(sealed, *PHARMACY_TWO).state is S.RETURNED
    assert house.units(AccountKind.CUPBOARD, WARD_A) == 0


def test_case_34_what_was_recalled_comes_back_into_quarantine(house: House) -> None:
    sealed = house.sealed()
    house.recall()
    returned = house.receive(house.brought_back(sealed), *PHARMACY_TWO)
    (settled,) = returned.custody.settled
    assert (returned.state, settled.end, settled.reason) == (S.RETURNED, LineEnd.QUARANTINED, "recalled")
    assert house.units(AccountKind.QUARANTINE, HATCH) == TEN


def test_case_34_what_is_recalled_while_a_person_carries_it_is_set_apart_where_it_is_received(house: House) -> None:
    in_hand = carried(house, house.sealed())
    house.recall()
    received = house.receive(in_hand)
    assert (received.state, received.custody.settled[0].end) == (S.RECEIVED, LineEnd.QUARANTINED)
    assert house.units(AccountKind.QUARANTINE, WARD_A) == TEN
    assert house.units(AccountKind.CUPBOARD, WARD_A) == 0


def test_case_34_a_recalled_line_that_is_short_is_set_apart_and_its_difference_is_an_incident(house: House) -> None:
    in_hand = carried(house, house.sealed())
    house.recall()
    house.receive(in_hand, off_by=-1)
    house.receive(in_hand, off_by=-1)
    assert house.units(AccountKind.QUARANTINE, WARD_A) == TEN - 1
    assert house.incidents() == ["short"]


# -- the register ------------------------------------------------------------------------------------------------------


@pytest.fixture
def register() -> House:
    """A ward that keeps its register here, with 20 tablets in its cupboard."""
    house = House(MemoryStore(REGISTER))
    house.hire("charge-a2", Role.NURSE_IN_CHARGE, places=(WARD_A,))
    with house.store.transaction() as uow:
        for place, counted in ((WARD_A, 20), (HATCH, 100)):
            uow.ledger.append(opening(TABLETS, counted=counted, place=PlaceId(place)), house.at)
    return house


def entering(house: House, *by: str, act: Act, place: str = WARD_A) -> Entering:
    people = tuple(house.people[name] for name in by)
    said = {"reason": "as said", "policy": house.policy, "facts": {"patient": "local:1", "authority": "RX-1"}}
    return Entering(PlaceId(place), place == HATCH, people, act, TABLETS, house.at, **said)  # type: ignore[arg-type]


def restocked(house: House, *by: str, out_of: AccountKind = AccountKind.QUARANTINE) -> Entry:
    with house.store.transaction() as uow:
        return enter_restocking(uow, entering(house, *by, act=Act.RESTOCK), quantity=8, out_of=out_of)


def destroyed(house: House, *by: str) -> Entry:
    with house.store.transaction() as uow:
        said = entering(house, *by, act=Act.DESTROY)
        return enter_destruction(uow, said, quantity=8, out_of=AccountKind.QUARANTINE)


def counted_short(house: House) -> Delivery:
    arrived = house.arrived()
    house.receive(arrived, *COUNTERS, off_by=-2)
    return house.receive(arrived, *COUNTERS, off_by=-2)


def settle_as_packed_short(house: House) -> None:
    with house.store.transaction() as uow:
        said = entering(house, "charge-a", "charge-a2", act=Act.RESOLVE_DISCREPANCY)
        enter_discrepancy_resolution(uow, said, difference=2, into=Account(AccountKind.SHORT, HATCH))


def test_case_14_a_recalled_batch_is_neither_given_nor_put_back_until_the_recall_ends(register: House) -> None:
    sealed = register.sealed()
    register.recall()
    register.receive(register.brought_back(sealed), *PHARMACY_TWO)
    giving = entering(register, "nurse-a1", "nurse-a2", act=Act.SUPPLY_PATIENT)
    back = entering(register, *PHARMACY_TWO, act=Act.RESTOCK, place=HATCH)
    with pytest.raises(RecalledStockError), register.store.transaction() as uow:
        enter_supply(uow, giving, quantity=2)
    with pytest.raises(RecalledStockError), register.store.transaction() as uow:
        enter_restocking(uow, back, quantity=TEN, out_of=AccountKind.QUARANTINE)
    with register.store.transaction() as uow:
        end_recall(uow, uow.recalls.newest(1)[0].id, at=register.at, by="pharmacist-1")
        enter_supply(uow, giving, quantity=2)
        enter_restocking(uow, back, quantity=TEN, out_of=AccountKind.QUARANTINE)
    assert register.units(AccountKind.CUPBOARD, HATCH) == 100


def test_case_14_what_was_given_of_a_recalled_batch_during_a_downtime_is_entered_all_the_same(register: House) -> None:
    register.wait(hours=1)
    giving = entering(register, "nurse-a1", "nurse-a2", act=Act.ENTER_AFTER_DOWNTIME)
    register.recall()
    happened_at = register.at.replace(minute=0, hour=12)
    later = entered_later(giving, occurred_at=happened_at, paper="DT-1", enters=Act.SUPPLY_PATIENT)
    with register.store.transaction() as uow:
        enter_supply(uow, later, quantity=2)
    assert register.units(AccountKind.CUPBOARD, WARD_A) == 18


@pytest.mark.parametrize(("leaves", "by"), [(restocked, OTHERS), (destroyed, ("nurse-a3", "pharmacist-1"))])
def test_what_was_counted_short_stays_in_quarantine_until_that_is_settled(
    register: House, leaves: Callable[..., Entry], by: tuple[str, ...]
) -> None:
    counted_short(register)
    with pytest.raises(StockInQuestionError):
        leaves(register, *by)
    assert register.units(AccountKind.QUARANTINE, WARD_A) == 8
    settle_as_packed_short(register)
    leaves(register, *by)
    assert register.units(AccountKind.QUARANTINE, WARD_A) == 0


@pytest.mark.parametrize(
    ("leaves", "by"), [(restocked, ("nurse-a3", "nurse-a2")), (destroyed, ("nurse-a1", "pharmacist-1"))]
)
def test_who_was_there_when_it_was_found_short_takes_nothing_of_it_out_of_quarantine_while_that_is_open(
    register: House, leaves: Callable[..., Entry], by: tuple[str, ...]
) -> None:
    counted_short(register)
    settle_as_packed_short(register)
    with pytest.raises(NotEligibleError, match="was there"):
        leaves(register, *by)
    assert register.units(AccountKind.QUARANTINE, WARD_A) == 8
