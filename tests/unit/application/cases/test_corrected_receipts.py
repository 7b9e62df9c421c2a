"""Case 50, after signing: a receipt that was mistyped is corrected beside the entry, and the difference is told."""

from __future__ import annotations

import pytest

from orchestrator.application.register_acts import enter_correction
from orchestrator.application.register_entering import Entering
from orchestrator.application.registers import register_of
from orchestrator.application.settling import enter_discrepancy_resolution, is_in_question
from orchestrator.domain.access.acts import Act
from orchestrator.domain.custody.incident import Incident
from orchestrator.domain.custody.ledger_errors import CorrectionError, DraftMalformedError, OverdrawnError
from orchestrator.domain.custody.model import Account, AccountKind, Entry, EntryKind, Stock
from orchestrator.domain.delivery.model import Delivery
from orchestrator.domain.people.model import Role
from orchestrator.domain.site.model import PlaceId
from simulation.memory_store import MemoryStore
from tests.support.custody import BATCH, HATCH, TEN, WARD_A, House
from tests.support.ledgers import RECORD, REGISTER, opening
from tests.support.medicines import MORPHINE

TABLETS = Stock(str(MORPHINE.code), BATCH)
TWO = ("nurse-a1", "nurse-a2")
CUPBOARD, SHORT, OVER = AccountKind.CUPBOARD, AccountKind.SHORT, AccountKind.OVER


@pytest.fixture(params=[RECORD, REGISTER], ids=["transit record", "register"])
def house(request: pytest.FixtureRequest) -> House:
    made = House(MemoryStore(request.param))
    if request.param is REGISTER:
        with made.store.transaction() as uow:
            for place, counted in ((HATCH, 100), (WARD_A, 0)):
                uow.ledger.append(opening(TABLETS, counted=counted, place=PlaceId(place)), made.at)
    return made


def entry_of(house: House, delivery: Delivery, kind: EntryKind) -> Entry:
    with house.store.reading() as uow:
        return next(one for one in uow.ledger.entries(limit=100, delivery=delivery.id) if one.draft.kind is kind)


def entering(house: House, *by: str, act: Act, place: str = WARD_A) -> Entering:
    people = tuple(house.people[name] for name in by)
    return Entering(
        PlaceId(place), place == HATCH, people, act, TABLETS, house.at, reason="Mistyped", policy=house.policy
    )


def correct(house: House, entry: Entry, right: int, *by: str, place: str = WARD_A) -> Entry:
    signing = entering(house, *(by or TWO), act=Act.CORRECT_ENTRY, place=place)
    with house.store.transaction() as uow:
        return enter_correction(uow, signing, entry=entry.index, right=right, ids=house.ids)


def resolve(house: House, difference: int, into: Account) -> None:
    house.hire("charge-a2", Role.NURSE_IN_CHARGE, places=(WARD_A,))
    signing = entering(house, "charge-a", "charge-a2", act=Act.RESOLVE_DISCREPANCY)
    with house.store.transaction() as uow:
        enter_discrepancy_resolution(uow, signing, difference=difference, into=into)


def held(house: House) -> tuple[int, int, int]:
    """Return what the ward's cupboard holds, and what is short and over there."""
    return house.units(CUPBOARD, WARD_A), house.units(SHORT, WARD_A), house.units(OVER, WARD_A)


def opened(house: House) -> list[Incident]:
    with house.store.reading() as uow:
        return list(reversed(uow.incidents.newest(10)))


@pytest.mark.parametrize(
    ("right", "after", "kind"), [(TEN - 1, (TEN - 1, 1, 0), "short"), (TEN + 2, (TEN + 2, 0, -2), "over")]
)
def test_case_50_a_signed_receipt_is_corrected_to_what_was_counted_and_the_difference_is_an_incident(
    house: House, right: int, after: tuple[int, int, int], kind: str
) -> None:
    received = house.receive(house.arrived(), "nurse-a3", "nurse-a1")
    wrong = entry_of(house, received, EntryKind.RECEIVED)
    corrected = correct(house, wrong, right)
    assert (corrected.draft.corrects, corrected.draft.resolves) == (wrong.index, ())
    assert held(house) == after
    assert house.now(received) == received, "what was signed stays as it was signed"
    (incident,) = opened(house)
    assert (incident.kind.value, incident.delivery, incident.is_controlled) == (kind, received.id, True)
    assert incident.caused_by == ("nurse-a1", "nurse-a2", "nurse-a3"), "who counted and who corrects"
    assert not any(letter.isdigit() for letter in incident.sentence)
    with house.store.reading() as uow:
        assert is_in_question(uow, PlaceId(WARD_A), TABLETS.medicine)


def test_case_50_a_second_correction_of_a_receipt_says_what_is_right_whatever_the_first_one_said(house: House) -> None:
    wrong = entry_of(house, house.receive(house.arrived()), EntryKind.RECEIVED)
    for right, after in ((8, (8, 2, 0)), (11, (11, 0, -1)), (9, (9, 1, 0)), (7, (7, 3, 0)), (10, (10, 0, 0))):
        correct(house, wrong, right)
        assert held(house) == after, right
    assert [one.kind.value for one in opened(house)] == ["short", "over", "short", "short"]
    with pytest.raises(DraftMalformedError):
        correct(house, wrong, 10)


def test_case_50_no_correction_takes_back_what_was_settled_meanwhile(house: House) -> None:
    wrong = entry_of(house, house.receive(house.arrived()), EntryKind.RECEIVED)
    correct(house, wrong, 9)
    resolve(house, 1, Account(CUPBOARD, WARD_A))
    with pytest.raises(OverdrawnError):
        correct(house, wrong, 10)
    assert held(house) == (10, 0, 0)


def test_what_a_corrected_receipt_lacks_may_be_settled_with_where_it_was_packed(house: House) -> None:
    correct(house, entry_of(house, house.receive(house.arrived()), EntryKind.RECEIVED), 9)
    resolve(house, 1, Account(SHORT, HATCH))
    assert held(house) == (9, 0, 0)


def test_a_register_shows_it_as_a_count_that_differs_and_not_as_a_supply(house: House) -> None:
    correct(house, entry_of(house, house.receive(house.arrived()), EntryKind.RECEIVED), 9)
    with house.store.reading() as uow:
        register = register_of(uow, PlaceId(WARD_A), at=house.at, is_simulation=True, is_pharmacy=False)
    line = register.pages[0].lines[-1]
    assert (line.obtained, line.supplied, line.counted_off, line.balance) == (0, 0, -1, 9)


def test_what_came_back_is_corrected_where_it_was_counted(house: House) -> None:
    turned = house.cancel(house.arrived(), reason="wrong patient")
    returned = house.receive(house.brought_back(turned), "pharmacist-1", "technician-1")
    wrong = entry_of(house, returned, EntryKind.RETURNED)
    correct(house, wrong, 9, "pharmacist-2", "technician-1", place=HATCH)
    assert (house.units(AccountKind.RETURNED, HATCH), house.units(SHORT, HATCH)) == (9, 1)
    assert opened(house)[0].caused_by == ("pharmacist-2", "technician-1", "pharmacist-1")


def test_a_difference_that_was_found_at_the_receipt_and_what_is_on_its_way_are_not_corrected_away(house: House) -> None:
    arrived = house.arrived()
    sealed = entry_of(house, arrived, EntryKind.SEALED)
    with pytest.raises(CorrectionError):
        correct(house, sealed, 9, "pharmacist-1", "technician-1", place=HATCH)
    house.receive(arrived, off_by=-1)
    house.receive(arrived, off_by=-1)
    before = held(house)
    with pytest.raises(CorrectionError) as refused:
        correct(house, entry_of(house, arrived, EntryKind.RECEIVED_DIFFERENT), TEN)
    assert "discrepancy-resolutions" in refused.value.message
    assert held(house) == before
