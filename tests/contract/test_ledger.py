"""What the ledger of every store promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.adapters.store import SqlStore, open_store
from orchestrator.application.ledger_keeping import LedgerHaltedError, LedgerTerms
from orchestrator.domain.custody.balances import balances_after, is_conserved
from orchestrator.domain.custody.canonical import entry_bytes, entry_from_bytes, entry_hash
from orchestrator.domain.custody.ledger_errors import (
    AlreadyOpenedError,
    CorrectionError,
    DraftMalformedError,
    NotOpenedError,
    OverdrawnError,
    PendingOpenedError,
    PendingResolvedError,
    SignaturesError,
    UnknownEntryError,
    UnknownPendingError,
)
from orchestrator.domain.custody.merkle import consistency_proof, inclusion_proof, is_consistent, is_included
from orchestrator.domain.custody.model import Account, AccountKind, Draft, Entry, EntryKind, PendingId, Posting, Stock
from orchestrator.domain.custody.movements import (
    broken,
    correction,
    custody_event,
    destroyed,
    quantity_correction,
    quarantined,
    received,
    received_different,
    rerouted,
    resolve_discrepancy,
    restocked,
    returned,
    stock_check,
    supplied,
    supplier_receipt,
)
from orchestrator.domain.custody.pending import Pending
from orchestrator.domain.delivery.model import DeliveryId, ToteId
from orchestrator.domain.people.model import PersonId
from orchestrator.domain.site.model import PlaceId
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON
from tests.support.ledgers import (
    MORPHINE,
    ORIGIN,
    PHARMACY,
    RECORD,
    REGISTER,
    WARD,
    occasion,
    opening,
    sealing,
    signs,
)
from tests.support.postgresql import store_url_of

OTHER_WARD = PlaceId("ward-b")
AnyStore = SqlStore | MemoryStore
Opener = Callable[[LedgerTerms], AnyStore]


class PlannedError(Exception):
    """Raised by a test in the middle of a transaction."""


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def opener(request: pytest.FixtureRequest) -> Iterator[Opener]:
    opened: list[SqlStore] = []

    def open_with(terms: LedgerTerms) -> AnyStore:
        if request.param == "memory":
            return MemoryStore(terms)
        opened.append(open_store(store_url_of(request.param, request), ledger=terms))
        return opened[-1]

    yield open_with
    for store in opened:
        store.close()


@pytest.fixture
def store(opener: Opener) -> AnyStore:
    return opener(RECORD)


@pytest.fixture
def register(opener: Opener) -> AnyStore:
    kept = opener(REGISTER)
    keep(kept, opening(), opening(counted=5, place=WARD))
    return kept


def keep(store: AnyStore, *drafts: Draft, after_s: float = 0.0) -> Entry:
    with store.transaction() as uow:
        return [uow.ledger.append(draft, NOON + timedelta(seconds=after_s)) for draft in drafts][-1]


def held(store: AnyStore, kind: AccountKind, of: str, stock: Stock = MORPHINE) -> int:
    with store.reading() as uow:
        return uow.ledger.balance(Account(kind, of), stock)


def check_books(store: AnyStore) -> None:
    """The balances that are kept are those that the entries fold to, and nothing was made or lost."""
    with store.reading() as uow:
        folded = balances_after(uow.ledger.entries(limit=10_000))
        kept = {(balance.account, balance.stock): balance.quantity for balance in uow.ledger.balances()}
    assert kept == folded
    assert is_conserved(kept)


def test_what_is_sealed_is_in_transit_until_it_is_received(store: AnyStore) -> None:
    sent = keep(store, sealing())
    assert held(store, AccountKind.CUPBOARD, PHARMACY) == -10, "a transit record sees only what robots take"
    assert held(store, AccountKind.TRANSIT, "tote-1") == 10
    with store.reading() as uow:
        (pending,) = uow.ledger.open_pendings()
        assert pending == uow.ledger.pending(PendingId("line-1"))
    assert (pending.stock, pending.quantity, pending.tote) == (MORPHINE, 10, ToteId("tote-1"))
    assert (pending.from_place, pending.to_place, pending.opened_by) == (PHARMACY, WARD, sent.index)
    taken = keep(store, received(pending, occasion(WARD, "nurse-1", "nurse-2", line="line-1")))
    assert held(store, AccountKind.TRANSIT, "tote-1") == 0
    assert held(store, AccountKind.CUPBOARD, WARD) == 10
    for open_block in (store.reading, store.transaction):
        with open_block() as uow:
            assert list(uow.ledger.open_pendings()) == []
            assert uow.ledger.pending(PendingId("line-1")).resolved_by == taken.index
    check_books(store)


def test_what_is_on_its_way_goes_elsewhere_by_an_entry_and_is_received_there_36(store: AnyStore) -> None:
    keep(store, sealing())
    pending = pending_of(store)
    by_the_way = occasion(OTHER_WARD, line="line-1")
    keep(store, rerouted(pending, to_place=OTHER_WARD, accepted_by=PersonId("nurse-3"), occasion=by_the_way))
    assert pending_of(store) == replace(pending, to_place=OTHER_WARD)
    assert held(store, AccountKind.TRANSIT, "tote-1") == 10
    again = rerouted(pending, to_place=OTHER_WARD, accepted_by=PersonId("nurse-3"), occasion=by_the_way)
    another_line = occasion(PHARMACY, line="line-2")
    for refused in (
        again,
        replace(again, facts={**again.facts, "to_place": ""}),
        rerouted(pending, to_place=WARD, accepted_by=PersonId("nurse-3"), occasion=another_line),
    ):
        with pytest.raises(DraftMalformedError):
            keep(store, refused)
    with pytest.raises(UnknownPendingError):
        keep(store, replace(again, facts={**again.facts, "pending": "line-9"}))
    keep(store, received(pending_of(store), occasion(OTHER_WARD, "nurse-3", "nurse-4", line="line-1")))
    assert held(store, AccountKind.CUPBOARD, OTHER_WARD) == 10
    with pytest.raises(PendingResolvedError):
        keep(store, rerouted(pending, to_place=WARD, accepted_by=PersonId("nurse-1"), occasion=by_the_way))
    check_books(store)


def test_nothing_goes_on_to_a_place_whose_register_was_not_opened_36(register: AnyStore) -> None:
    keep(register, sealing())
    elsewhere = occasion(OTHER_WARD, line="line-1")
    with pytest.raises(NotOpenedError):
        keep(
            register,
            rerouted(pending_of(register), to_place=OTHER_WARD, accepted_by=PersonId("nurse-3"), occasion=elsewhere),
        )
    assert pending_of(register).to_place == WARD


def pending_of(store: AnyStore) -> Pending:
    with store.reading() as uow:
        return uow.ledger.pending(PendingId("line-1"))


@pytest.mark.parametrize(("counted", "short", "over"), [(7, 3, 0), (0, 10, 0), (12, 0, -2)])
def test_the_count_stands_and_the_difference_is_a_discrepancy(
    store: AnyStore, counted: int, short: int, over: int
) -> None:
    keep(store, sealing())
    with store.reading() as uow:
        pending = uow.ledger.pending(PendingId("line-1"))
    differs = occasion(WARD, "nurse-1", "nurse-2", reason="Counted twice.")
    keep(store, received_different(pending, counted=counted, occasion=differs))
    assert held(store, AccountKind.CUPBOARD, WARD) == counted
    assert held(store, AccountKind.SHORT, WARD) == short
    assert held(store, AccountKind.OVER, WARD) == over
    settled = occasion(WARD, "officer-1", "nurse-1", reason="Found behind the shelf.")
    elsewhere = Account.of_place(AccountKind.CUPBOARD, PHARMACY)
    keep(store, resolve_discrepancy(MORPHINE, short + over, settled, into=elsewhere))
    assert held(store, AccountKind.SHORT, WARD) == held(store, AccountKind.OVER, WARD) == 0
    check_books(store)


def test_what_comes_back_waits_to_be_restocked_or_destroyed(store: AnyStore) -> None:
    keep(store, sealing("line-1"), sealing("line-2", quantity=4))
    with store.reading() as uow:
        back, apart = (uow.ledger.pending(PendingId(line)) for line in ("line-1", "line-2"))
    keep(store, returned(back, occasion()))
    keep(store, quarantined(apart, occasion(reason="Another seal."), counted=3))
    assert held(store, AccountKind.RETURNED, PHARMACY) == 10
    assert held(store, AccountKind.QUARANTINE, PHARMACY) == 3
    keep(store, restocked(MORPHINE, 8, occasion()))
    keep(store, destroyed(MORPHINE, 2, occasion(reason="Wet."), out_of=AccountKind.RETURNED))
    assert held(store, AccountKind.CUPBOARD, PHARMACY) == -6
    assert held(store, AccountKind.DESTROYED, PHARMACY) == 2
    with pytest.raises(OverdrawnError):
        keep(store, restocked(MORPHINE, 1, occasion()))
    with pytest.raises(OverdrawnError):
        keep(store, destroyed(MORPHINE, 4, occasion(reason="Wet."), out_of=AccountKind.QUARANTINE))
    check_books(store)


def test_a_pending_posting_is_resolved_once(store: AnyStore) -> None:
    keep(store, sealing())
    with store.reading() as uow:
        pending = uow.ledger.pending(PendingId("line-1"))
    keep(store, received(pending, occasion(WARD)))
    late = returned(pending, occasion(PHARMACY))
    with pytest.raises(PendingResolvedError):
        keep(store, late)
    with pytest.raises(PendingOpenedError):
        keep(store, sealing(tote="tote-2"))
    with pytest.raises(UnknownPendingError):
        keep(store, received(replace(pending, id=PendingId("line-9")), occasion(WARD)))
    with store.reading() as uow, pytest.raises(UnknownPendingError):
        uow.ledger.pending(PendingId("line-9"))
    check_books(store)


def test_one_person_does_not_sign_twice(store: AnyStore) -> None:
    twice = replace(sealing(), signatures=signs("nurse-1", "nurse-1"))
    with pytest.raises(SignaturesError):
        keep(store, twice)
    with pytest.raises(SignaturesError):
        keep(store, replace(sealing(), signatures=()))
    with pytest.raises(SignaturesError):
        keep(store, replace(opening(), signatures=signs("nurse-1")))
    with store.reading() as uow:
        assert uow.ledger.size == 0


def test_a_register_starts_with_what_two_people_counted(opener: Opener) -> None:
    store = opener(REGISTER)
    delivered = supplier_receipt(MORPHINE, 20, occasion(facts={"supplier": "A wholesaler"}))
    with pytest.raises(NotOpenedError):
        keep(store, delivered)
    keep(store, opening(counted=0))
    keep(store, delivered)
    with pytest.raises(NotOpenedError):
        keep(store, sealing())  # the ward's register has not been opened
    keep(store, opening(counted=0, place=WARD), sealing())
    with pytest.raises(AlreadyOpenedError):
        keep(store, opening())
    assert held(store, AccountKind.CUPBOARD, PHARMACY) == 10
    check_books(store)


def test_what_a_patient_brought_opens_no_register_of_the_hospitals(opener: Opener) -> None:
    store = opener(REGISTER)
    keep(store, opening(replace(MORPHINE, own_of="patient-7"), counted=12))
    delivered = supplier_receipt(MORPHINE, 20, occasion(facts={"supplier": "A wholesaler"}))
    with pytest.raises(NotOpenedError):
        keep(store, delivered)
    keep(store, opening(counted=0), delivered)
    assert held(store, AccountKind.CUPBOARD, PHARMACY) == 20


def test_an_opening_balance_makes_a_transit_record_a_register(opener: Opener) -> None:
    store = opener(RECORD)
    keep(store, sealing())
    keep(store, opening(counted=42, on_books=-10))
    assert held(store, AccountKind.CUPBOARD, PHARMACY) == 42
    check_books(store)


def test_a_cupboard_of_a_register_is_never_overdrawn(register: AnyStore) -> None:
    with pytest.raises(OverdrawnError):
        keep(register, supplied(MORPHINE, 101, occasion()))
    with pytest.raises(OverdrawnError):
        keep(register, sealing(quantity=101))
    keep(register, supplied(MORPHINE, 100, occasion()))
    assert held(register, AccountKind.CUPBOARD, PHARMACY) == 0
    check_books(register)


def test_what_arrives_is_recorded_though_the_ward_has_no_register(register: AnyStore) -> None:
    keep(register, sealing())
    with register.reading() as uow:
        pending = uow.ledger.pending(PendingId("line-1"))
        assert not uow.ledger.is_opened(PlaceId("ward-b"), MORPHINE.medicine)
    keep(register, received(pending, occasion(PlaceId("ward-b"))))
    assert held(register, AccountKind.CUPBOARD, "ward-b") == 10


def test_patients_own_medicines_start_with_nothing_and_are_never_merged(register: AnyStore) -> None:
    own = replace(MORPHINE, own_of="patient-7")
    brought = Draft(
        kind=EntryKind.SUPPLIER_RECEIPT,
        occurred_at=NOON,
        place=WARD,
        signatures=signs("nurse-1", "nurse-2"),
        postings=supplier_receipt(own, 6, occasion(WARD)).postings,
    )
    keep(register, brought)
    assert held(register, AccountKind.CUPBOARD, WARD, own) == 6
    assert held(register, AccountKind.CUPBOARD, WARD) == 5
    with register.reading() as uow:
        stocks = {balance.stock for balance in uow.ledger.balances(of=WARD, medicine=MORPHINE.medicine)}
    assert stocks == {MORPHINE, own}


def test_a_stock_check_is_recorded_whether_it_differs_or_not(register: AnyStore) -> None:
    fits = keep(register, stock_check(MORPHINE, counted=100, expected=100, occasion=occasion()))
    assert not fits.draft.postings
    keep(register, stock_check(MORPHINE, counted=98, expected=100, occasion=occasion()))
    assert held(register, AccountKind.SHORT, PHARMACY) == 2
    keep(register, stock_check(MORPHINE, counted=99, expected=98, occasion=occasion()))
    assert held(register, AccountKind.OVER, PHARMACY) == -1
    assert held(register, AccountKind.CUPBOARD, PHARMACY) == 99
    with register.reading() as uow:
        assert fits in uow.ledger.entries(limit=10, medicine=MORPHINE.medicine)
    check_books(register)


def test_what_was_wasted_and_what_broke_is_signed_by_two_in_whatever_entry_58_59(register: AnyStore) -> None:
    alone = occasion(PHARMACY, "nurse-1")
    for draft in (supplied(MORPHINE, 4, alone, wasted=1), broken(MORPHINE, 3, replace(alone, reason="Fell."))):
        with pytest.raises(SignaturesError):
            keep(register, draft)
    keep(register, supplied(MORPHINE, 4, alone))
    keep(register, supplied(MORPHINE, 4, occasion(), wasted=1))
    keep(register, broken(MORPHINE, 3, occasion(reason="Fell.")))
    with pytest.raises(DraftMalformedError):
        keep(register, broken(MORPHINE, 3, occasion()))
    found = (AccountKind.CUPBOARD, AccountKind.PATIENT, AccountKind.DESTROYED, AccountKind.BROKEN)
    assert [held(register, kind, PHARMACY) for kind in found] == [89, 7, 1, 3]
    check_books(register)


def test_a_tolerated_difference_has_an_account_of_its_own_that_settles_no_discrepancy_60(register: AnyStore) -> None:
    keep(register, stock_check(MORPHINE, counted=98, expected=100, occasion=occasion(), is_tolerated=True))
    keep(register, stock_check(MORPHINE, counted=99, expected=98, occasion=occasion(), is_tolerated=True))
    assert held(register, AccountKind.TOLERATED, PHARMACY) == 1
    keep(register, stock_check(MORPHINE, counted=97, expected=99, occasion=occasion()))
    tolerated = Account.of_place(AccountKind.TOLERATED, PHARMACY)
    with pytest.raises(DraftMalformedError):
        keep(register, resolve_discrepancy(MORPHINE, 2, occasion(reason="Spilled."), into=tolerated))
    assert held(register, AccountKind.SHORT, PHARMACY) == 2
    check_books(register)


def test_a_correction_stands_beside_what_it_corrects(register: AnyStore) -> None:
    wrong = keep(register, supplied(MORPHINE, 10, occasion()))
    reason = occasion(reason="Eight were supplied.")
    right = keep(register, quantity_correction(wrong, right=8, occasion=reason))
    assert right.draft.corrects == wrong.index
    assert held(register, AccountKind.CUPBOARD, PHARMACY) == 92
    word = keep(register, correction(wrong, (), replace(reason, facts={"collected_by": "nurse-3"})))
    assert word.draft.facts["medicine"] == MORPHINE.medicine
    with register.reading() as uow:
        assert uow.ledger.entry(wrong.index) == wrong
    with pytest.raises(UnknownEntryError):
        keep(register, correction(replace(wrong, index=99), (), reason))
    check_books(register)


def test_a_correction_moves_only_what_was_moved(register: AnyStore) -> None:
    wrong = keep(register, supplied(MORPHINE, 10, occasion()))
    destroyed_there = Account.of_place(AccountKind.DESTROYED, PHARMACY)
    here = Account.of_place(AccountKind.CUPBOARD, PHARMACY)
    moves = (Posting(here, MORPHINE, -1), Posting(destroyed_there, MORPHINE, 1))
    with pytest.raises(CorrectionError):
        keep(register, correction(wrong, moves, occasion(reason="Wrong.")))
    with pytest.raises(CorrectionError):
        keep(register, correction(wrong, (), occasion(WARD, reason="Wrong.")))


def test_events_move_nothing_and_need_no_signature(store: AnyStore) -> None:
    event = replace(custody_event("drawer_opened", occasion()), signatures=())
    assert keep(store, event).draft.facts == {"event": "drawer_opened"}
    check_books(store)


def test_entries_are_found_by_place_delivery_and_medicine_in_order(store: AnyStore) -> None:
    other = Stock("other", "B-2")
    first = keep(store, sealing("line-1"), after_s=1)
    second = keep(store, supplier_receipt(other, 3, occasion(WARD)), after_s=2)
    third = keep(store, sealing("line-2", stock=other), after_s=3)
    with store.reading() as uow:
        assert list(uow.ledger.entries(limit=9)) == [first, second, third]
        assert list(uow.ledger.entries(limit=1, after=0)) == [second]
        assert list(uow.ledger.entries(limit=9, after=2)) == []
        assert list(uow.ledger.entries(limit=9, place=PHARMACY)) == [first, third]
        assert list(uow.ledger.entries(limit=9, place=PHARMACY, after=0)) == [third]
        assert list(uow.ledger.entries(limit=9, delivery=DeliveryId("delivery-1"))) == [first, third]
        assert list(uow.ledger.entries(limit=9, medicine="other")) == [second, third]
        assert [balance.quantity for balance in uow.ledger.balances(batch="B-2", of="tote-1")] == [10]
        with pytest.raises(UnknownEntryError):
            uow.ledger.entry(3)


def test_entries_are_linked_and_hashed_over_their_canonical_bytes(store: AnyStore) -> None:
    entries = [keep(store, sealing("line-1")), keep(store, sealing("line-2"))]
    assert entries[0].previous_hash == ORIGIN.first_hash
    assert entries[1].previous_hash == entries[0].hash
    for entry in entries:
        body = entry_bytes(entry.draft, index=entry.index, recorded_at=entry.recorded_at, previous=entry.previous_hash)
        assert entry.hash == entry_hash(body)
        assert entry_from_bytes(body) == entry


def test_a_transaction_that_fails_leaves_no_entry_behind(store: AnyStore) -> None:
    keep(store, sealing("line-1"))

    def fail() -> None:
        with store.transaction() as uow:
            assert uow.ledger.append(sealing("line-2"), NOON).index == 1
            assert uow.ledger.size == 2
            raise PlannedError

    with pytest.raises(PlannedError):
        fail()
    assert held(store, AccountKind.TRANSIT, "tote-1") == 10
    assert keep(store, sealing("line-2")).index == 1
    check_books(store)


def test_heads_and_proofs_are_those_of_the_entries(store: AnyStore) -> None:
    hashes = [bytes.fromhex(keep(store, sealing(f"line-{number}")).hash) for number in range(11)]
    for open_block in (store.reading, store.transaction):
        with open_block() as uow:
            ledger = uow.ledger
            root = ledger.frontier().root()
            for index, hash_ in enumerate(hashes):
                proof = inclusion_proof(index, 11, ledger.nodes)
                assert is_included(hash_, index=index, size=11, proof=proof, root=root)
                old_root = ledger.frontier(index + 1).root()
                between = consistency_proof(index + 1, 11, ledger.nodes)
                assert is_consistent(old=index + 1, new=11, proof=between, old_root=old_root, new_root=root)
            with pytest.raises(KeyError):
                ledger.nodes([(0, 11)])


def test_a_ledger_that_is_shut_takes_no_entry_and_is_still_read(opener: Opener) -> None:
    terms = LedgerTerms(ORIGIN)
    store = opener(terms)
    keep(store, sealing("line-1"))
    terms.gate.shut("the ledger is not the one whose heads were kept")
    with pytest.raises(LedgerHaltedError):
        keep(store, sealing("line-2"))
    with store.reading() as uow:
        assert uow.ledger.size == 1
