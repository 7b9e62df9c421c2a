"""Registers as views of the ledger: headings, balance, corrections, late entries, patients' own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.application.registers import NoRegisterError, Register, register_of
from orchestrator.domain.custody import movements
from orchestrator.domain.custody.model import Account, AccountKind, Draft, PendingId, Signing, Stock
from orchestrator.domain.custody.register import RegisterLine
from orchestrator.domain.site.model import PlaceId
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON
from tests.support.ledgers import MORPHINE, PHARMACY, REGISTER, WARD, occasion, opening, sealing
from tests.support.medicines import MORPHINE as MORPHINE_TABLETS
from tests.support.medicines import a_medicine

LATER = NOON + timedelta(hours=1)
AMPOULES = "99900000000101"


def books() -> MemoryStore:
    store = MemoryStore(REGISTER)
    with store.transaction() as uow:
        uow.medicines.save(
            [MORPHINE_TABLETS, a_medicine(AMPOULES, drug_class="morphine", form="ampoule", strength="10 mg")]
        )
    return store


@pytest.fixture
def store() -> MemoryStore:
    return books()


def write(store: MemoryStore, *drafts: Draft, at: datetime = LATER) -> None:
    for draft in drafts:
        with store.transaction() as uow:
            uow.ledger.append(draft, at)


def register(store: MemoryStore, place: str = PHARMACY, medicine: str | None = None) -> Register:
    with store.reading() as uow:
        return register_of(
            uow,
            PlaceId(place),
            at=LATER,
            is_simulation=True,
            is_pharmacy=place == PHARMACY,
            medicine=medicine,
        )


def lines(store: MemoryStore, place: str = PHARMACY) -> Sequence[RegisterLine]:
    (page,) = register(store, place).pages
    return page.lines


def receive(store: MemoryStore, line: str, *, counted: int | None = None) -> None:
    with store.transaction() as uow:
        pending = uow.ledger.pending(PendingId(line))
        at_ward = occasion(WARD, "nurse-1", "nurse-2", reason="Counted twice.")
        draft = (
            movements.received(pending, at_ward)
            if counted is None
            else movements.received_different(pending, counted=counted, occasion=at_ward)
        )
        uow.ledger.append(draft, LATER)


def test_a_page_is_headed_by_class_strength_and_form_71(store: MemoryStore) -> None:
    write(store, opening(), opening(Stock(AMPOULES, "A-1"), counted=5))
    pages = register(store).pages
    heads = [(p.heading.key.drug_class, p.heading.key.strength, p.heading.key.form, p.balance) for p in pages]
    assert heads == [
        ("morphine", "10 mg", "ampoule", 5),
        ("morphine", "10 mg", "modified-release tablet", 100),
    ]
    assert [page.heading.is_required_by_law for page in pages] == [False, True]
    assert pages[1].heading.schedule == "schedule 2"


def test_units_are_obtained_and_supplied_with_a_running_balance(store: MemoryStore) -> None:
    supplier = occasion(facts={"supplier": "Example Wholesale, 1 Example Road"})
    to_patient = occasion(facts={"patient": "local-7", "authority": "prescription 12", "collected_by": "nurse-9"})
    write(
        store,
        opening(),
        movements.supplier_receipt(MORPHINE, 60, supplier),
        movements.supplied(MORPHINE, 2, to_patient),
        movements.destroyed(MORPHINE, 8, occasion(reason="Expired.")),
    )
    found = lines(store)
    assert [(line.obtained, line.supplied, line.balance) for line in found] == [
        (100, 0, 100),
        (60, 0, 160),
        (0, 2, 158),
        (0, 8, 150),
    ]
    assert [line.obtained_from for line in found] == ["opening balance", "Example Wholesale, 1 Example Road", "", ""]
    assert [line.supplied_to for line in found] == ["", "", "local-7", "destroyed"]
    assert (found[2].authority, found[2].collected_by) == ("prescription 12", "nurse-9")
    assert found[0].signed(Signing.ACTOR) == "pharmacist-1 (nurse, REG-pharmacist-1)"
    assert found[0].signed(Signing.WITNESS) == "technician-1 (nurse, REG-technician-1)"


def test_what_a_robot_carries_leaves_one_register_and_enters_the_other(store: MemoryStore) -> None:
    write(store, opening(), opening(counted=0, place=WARD), sealing(quantity=10))
    receive(store, "line-1")
    sent, taken = lines(store)[-1], lines(store, WARD)[-1]
    assert (sent.supplied, sent.supplied_to, sent.balance) == (10, WARD, 90)
    assert (taken.obtained, taken.obtained_from, taken.balance) == (10, PHARMACY, 10)


def test_a_short_count_stands_and_says_so_in_the_wards_register(store: MemoryStore) -> None:
    write(store, opening(), opening(counted=0, place=WARD), sealing(quantity=10))
    receive(store, "line-1", counted=9)
    taken = lines(store, WARD)[-1]
    assert (taken.obtained, taken.balance) == (9, 9)
    assert "counted 9, expected 10: under investigation" in taken.note


def test_what_is_set_apart_stays_in_the_balance_until_it_is_destroyed(store: MemoryStore) -> None:
    write(
        store,
        opening(),
        movements.set_apart(MORPHINE, 8, occasion(reason="Expired.")),
        movements.destroyed(MORPHINE, 8, occasion(reason="Expired."), out_of=AccountKind.QUARANTINE),
    )
    _, apart, gone = lines(store)
    assert (apart.obtained, apart.supplied, apart.balance, apart.set_apart) == (0, 0, 100, 8)
    assert "8 set apart" in apart.note
    assert (gone.supplied, gone.balance, gone.set_apart) == (8, 92, 0)


def test_a_correction_stands_beside_the_original_which_stays_66(store: MemoryStore) -> None:
    write(store, opening(), movements.supplied(MORPHINE, 2, occasion(facts={"patient": "local-7"})))
    with store.reading() as uow:
        wrong = uow.ledger.entry(1)
    correcting = occasion(reason="Three were given.", at=LATER)
    write(store, movements.quantity_correction(wrong, right=3, occasion=correcting), at=LATER + timedelta(minutes=1))
    _, original, correction = lines(store)
    assert (original.supplied, original.corrected_by) == (2, (2,))
    assert (correction.supplied, correction.corrects, correction.balance) == (1, 1, 97)
    assert "corrects entry 1; Three were given." in correction.note
    assert correction.signed(Signing.WITNESS)


def test_a_correction_in_words_moves_nothing_and_is_seen_66(store: MemoryStore) -> None:
    write(store, opening(), movements.supplied(MORPHINE, 2, occasion()))
    with store.reading() as uow:
        wrong = uow.ledger.entry(1)
    write(store, movements.correction(wrong, (), occasion(reason="For local-8.", facts={"patient": "local-8"})))
    _, original, correction = lines(store)
    assert original.corrected_by == (2,)
    assert (correction.obtained, correction.supplied, correction.balance) == (0, 0, 98)


@pytest.mark.parametrize(
    ("happened", "recorded", "is_late"),
    [
        (datetime(2026, 1, 31, 12, tzinfo=UTC), datetime(2026, 2, 1, 23, 59, tzinfo=UTC), False),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), datetime(2026, 2, 2, 0, 0, tzinfo=UTC), True),
        # In summer the hospital's day begins an hour before the one of UTC.
        (datetime(2026, 6, 30, 12, tzinfo=UTC), datetime(2026, 7, 1, 22, 59, tzinfo=UTC), False),
        (datetime(2026, 6, 30, 12, tzinfo=UTC), datetime(2026, 7, 1, 23, 0, tzinfo=UTC), True),
    ],
)
def test_an_entry_later_than_the_next_day_is_flagged_40(
    store: MemoryStore, happened: datetime, recorded: datetime, is_late: bool
) -> None:
    counted = movements.opening_balance(MORPHINE, counted=5, on_books=0, occasion=occasion(at=happened))
    write(store, counted, at=recorded)
    assert [line.is_late for line in lines(store)] == [is_late]


def test_patients_own_stand_in_registers_of_their_own(store: MemoryStore) -> None:
    own = replace(MORPHINE, own_of="local-7")
    write(store, opening(), opening(own, counted=12))
    pages = register(store).pages
    assert [(page.heading.key.own_of, page.balance) for page in pages] == [("", 100), ("local-7", 12)]


def test_a_stock_check_is_in_the_register_whatever_it_found(store: MemoryStore) -> None:
    write(
        store,
        opening(),
        movements.stock_check(MORPHINE, counted=100, expected=100, occasion=occasion()),
        movements.stock_check(MORPHINE, counted=98, expected=100, occasion=occasion(reason="Two are missing.")),
    )
    _, agrees, differs = lines(store)
    assert "agrees" in agrees.note
    assert (differs.obtained, differs.supplied, differs.counted_off, differs.balance) == (0, 0, -2, 98)


def test_what_a_count_found_is_no_supply_nor_is_its_settlement_or_correction(store: MemoryStore) -> None:
    write(
        store,
        opening(),
        movements.stock_check(MORPHINE, counted=98, expected=100, occasion=occasion(reason="Two are missing.")),
    )
    with store.reading() as uow:
        check = uow.ledger.entry(1)
    in_cupboard = Account.of_place(AccountKind.CUPBOARD, PHARMACY)
    to_patient = Account.of_place(AccountKind.PATIENT, PHARMACY)
    given = occasion(reason="Asked on the ward.", facts={"patient": "local-7", "settled_as": "found administered"})
    write(
        store,
        movements.quantity_correction(check, right=97, occasion=occasion(reason="Three were missing.")),
        movements.resolve_discrepancy(MORPHINE, 1, occasion(reason="Found."), into=in_cupboard),
        movements.resolve_discrepancy(MORPHINE, 2, given, into=to_patient),
    )
    _, *counted = lines(store)
    assert [line.counted_off for line in counted] == [-2, -1, 1, 0]
    assert {(line.obtained, line.supplied) for line in counted} == {(0, 0)}
    assert [line.balance for line in counted] == [98, 97, 98, 98]
    assert "found administered, local-7" in counted[-1].note


def test_an_entry_made_from_paper_after_a_downtime_says_from_which(store: MemoryStore) -> None:
    write(store, opening(), movements.supplied(MORPHINE, 2, occasion(facts={"paper": "sheet 4"})))
    assert "entered from paper sheet 4" in lines(store)[-1].note


def test_what_moves_no_units_is_in_the_ledger_and_in_no_register(store: MemoryStore) -> None:
    write(store, opening(), movements.custody_event("accepted", occasion(facts={"medicine": MORPHINE.medicine})))
    assert len(lines(store)) == 1


def test_pages_are_asked_for_by_code_or_class(store: MemoryStore) -> None:
    write(store, opening(), opening(Stock(AMPOULES, "A-1")), opening(Stock("99900000000909", "X-1")))
    assert len(register(store).pages) == 3
    assert len(register(store, medicine="morphine").pages) == 2
    assert len(register(store, medicine="Morphine").pages) == 2
    assert len(register(store, medicine=AMPOULES).pages) == 1
    with pytest.raises(NoRegisterError):
        register(store, medicine="oxycodone")
    with pytest.raises(NoRegisterError):
        register(store, WARD)


def test_a_medicine_that_no_catalogue_has_is_headed_by_what_entries_say_of_it(store: MemoryStore) -> None:
    unknown = Stock("99900000000909", "X-1")
    facts = {"name": "Newopioid", "class": "newopioid", "form": "tablet", "strength": "1 mg", "unit": "tablet"}
    write(store, opening(unknown), movements.supplied(unknown, 1, occasion(facts=facts)))
    (page,) = register(store).pages
    assert (page.heading.key.drug_class, page.heading.key.strength, len(page.lines)) == ("newopioid", "1 mg", 2)
    assert page.heading.is_required_by_law


def test_the_balance_of_a_register_is_what_the_ledger_holds_at_the_place(store: MemoryStore) -> None:
    write(store, opening(), opening(counted=0, place=WARD))
    for number in range(5):
        write(store, sealing(f"line-{number}", quantity=10, tote=f"tote-{number}"))
    receive(store, "line-0")
    receive(store, "line-1", counted=12)
    with store.transaction() as uow:
        pending = uow.ledger.pending(PendingId("line-2"))
        uow.ledger.append(movements.returned(pending, occasion(), counted=9), LATER)
    for place in (PHARMACY, WARD):
        with store.reading() as uow:
            held = sum(
                balance.quantity
                for balance in uow.ledger.balances(of=place)
                if balance.account.kind in (AccountKind.CUPBOARD, AccountKind.QUARANTINE, AccountKind.RETURNED)
            )
        assert lines(store, place)[-1].balance == held
