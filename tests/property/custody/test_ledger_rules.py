"""Random staff do random things, twice and wrongly too, in both modes: promises 1 and 2 hold at every index.

What the ledger should hold is kept beside it by a model of its own: boxes of units that people move by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orchestrator.application.ledger_keeping import LedgerTerms
from orchestrator.domain.custody.audit import Audit
from orchestrator.domain.custody.balances import balances_after, fold, is_conserved
from orchestrator.domain.custody.canonical import entry_bytes
from orchestrator.domain.custody.ledger_errors import (
    AlreadyOpenedError,
    DraftMalformedError,
    NotOpenedError,
    OverdrawnError,
    PendingOpenedError,
    PendingResolvedError,
    SignaturesError,
    UnknownPendingError,
)
from orchestrator.domain.custody.model import Account, AccountKind, Draft, Entry, EntryKind, PendingId, Posting, Stock
from orchestrator.domain.custody.movements import (
    Occasion,
    broken,
    custody_event,
    destroyed,
    quarantined,
    received,
    received_different,
    resealed,
    resolve_discrepancy,
    restocked,
    returned,
    set_apart,
    signed_by,
    stock_check,
    supplied,
    supplier_receipt,
)
from orchestrator.domain.custody.movements import opening_balance as opening_balance_of
from orchestrator.domain.custody.movements import sealed as sealed_into
from orchestrator.domain.custody.pending import LedgerMode, Pending
from orchestrator.domain.delivery.model import ToteId
from orchestrator.domain.errors import WardporterError
from orchestrator.domain.people.model import Person
from orchestrator.domain.site.model import PlaceId
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON
from tests.support.ledgers import ORIGIN, PHARMACY, WARD, person

K = AccountKind
PLACES = (PHARMACY, WARD, PlaceId("ward-b"))
STOCKS = (Stock("111111", "B-1"), Stock("111111", "B-2"), Stock("222222", "C-1"), Stock("111111", "B-1", "patient-7"))
STAFF = tuple(person(f"person-{number}") for number in range(4))

Spot = tuple[K, str]

places, stocks = st.sampled_from(PLACES), st.sampled_from(STOCKS)
units, picks = st.integers(1, 12), st.integers(0, 30)
holders = st.sampled_from((K.CUPBOARD, K.QUARANTINE, K.RETURNED))
crews = st.lists(st.sampled_from(STAFF), min_size=0, max_size=3)


HOW = ("whole", "count", "back", "apart")


class CrashError(Exception):
    """Ends a transaction in the middle, as a crash would."""


@dataclass
class Boxes:
    """Where every unit lies, moved by hand."""

    lie: Counter[tuple[K, str, Stock]] = field(default_factory=Counter[tuple[K, str, Stock]])

    def move(self, stock: Stock, count: int, start: Spot, end: Spot) -> None:
        self.lie[(*start, stock)] -= count
        self.lie[(*end, stock)] += count


class LedgerRules(RuleBasedStateMachine):
    """One ledger in one of the two modes."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
        self.boxes = Boxes()
        self.mode = LedgerMode.TRANSIT_RECORD
        self.opened: set[tuple[PlaceId, Stock]] = set()
        self.under_way: dict[PendingId, Pending] = {}
        self.ended: list[Pending] = []
        self.is_audited_to = 0
        self.audit = Audit(ORIGIN.first_hash)
        self.seconds = 0

    @initialize(mode=st.sampled_from(LedgerMode))
    def start(self, mode: LedgerMode) -> None:
        self.mode = mode
        self.store = MemoryStore(LedgerTerms(ORIGIN, mode))

    # -- how things are tried -------------------------------------------------------------------------------------

    def occasion(self, place: PlaceId, crew: list[Person]) -> Occasion:
        self.seconds += 1
        at = NOON + timedelta(seconds=self.seconds)
        return Occasion(at=at, place=place, signatures=signed_by(crew), reason="As counted.")

    def attempt(
        self,
        draft: Draft,
        *,
        expected: type[WardporterError] | None,
        then: Callable[[Entry], object],
        crash: bool = False,
    ) -> None:
        """Append; the ledger must refuse exactly what the boxes forbid, and a crash must leave nothing behind."""
        refused: type[WardporterError] | None = None
        entry: Entry | None = None
        try:
            with self.store.transaction() as uow:
                entry = uow.ledger.append(draft, NOON + timedelta(seconds=self.seconds))
                if crash:
                    raise CrashError
        except CrashError:
            assert expected is None
            return
        except WardporterError as error:
            refused = type(error)
        assert refused is expected, (draft.kind, refused, expected)
        if entry is not None:
            then(entry)

    def signing(self, kind: EntryKind, crew: list[Person]) -> type[WardporterError] | None:
        by_two = (EntryKind.OPENING_BALANCE, EntryKind.STOCK_CHECK, EntryKind.DESTROYED, EntryKind.BROKEN)
        least = 2 if kind in (*by_two, EntryKind.DISCREPANCY_RESOLVED) else 1
        distinct = {id(one) for one in crew}
        return None if len(distinct) == len(crew) >= least else SignaturesError

    def has(self, kind: K, place: str, stock: Stock) -> int:
        return self.boxes.lie[kind, place, stock]

    def shut_register(self, place: PlaceId, stock: Stock) -> bool:
        is_open = any(where == place and one.medicine == stock.medicine for where, one in self.opened)
        return self.mode is LedgerMode.REGISTER_OF_RECORD and stock.own_of is None and not is_open

    def too_little(self, kind: K, place: str, stock: Stock, count: int) -> bool:
        is_kept = kind is not K.CUPBOARD or self.mode is LedgerMode.REGISTER_OF_RECORD
        return is_kept and self.has(kind, place, stock) < count

    def moves(
        self,
        draft: Draft,
        crew: list[Person],
        stock: Stock,
        count: int,
        start: Spot,
        end: Spot,
        *,
        crash: bool = False,
    ) -> None:
        expected = self.signing(draft.kind, crew)
        for kind, place in (start, end):
            if expected is None and kind is K.CUPBOARD and self.shut_register(PlaceId(place), stock):
                expected = NotOpenedError
        if (
            self.signing(draft.kind, crew) is None
            and self.too_little(*start, stock, count)
            and start[0]
            in (
                K.CUPBOARD,
                K.QUARANTINE,
                K.RETURNED,
            )
        ):
            expected = OverdrawnError
        self.attempt(draft, expected=expected, then=lambda _: self.boxes.move(stock, count, start, end), crash=crash)

    # -- what is done ---------------------------------------------------------------------------------------------

    # The acts of a register refuse it in a transit record, and the audit knows a register by it.
    @precondition(lambda self: self.mode is LedgerMode.REGISTER_OF_RECORD)
    @rule(place=places, stock=stocks, count=st.integers(0, 30), crew=crews)
    def open_register(self, place: PlaceId, stock: Stock, count: int, crew: list[Person]) -> None:
        now = self.has(K.CUPBOARD, place, stock)
        draft = opening_balance_of(stock, counted=count, on_books=now, occasion=self.occasion(place, crew))
        expected = self.signing(draft.kind, crew)
        if expected is None and (place, stock) in self.opened:
            expected = AlreadyOpenedError

        def then(_entry: Entry) -> None:
            self.opened.add((place, stock))
            self.boxes.move(stock, count - now, (K.OPENING, place), (K.CUPBOARD, place))

        self.attempt(draft, expected=expected, then=then)

    @rule(place=places, stock=stocks, count=units, crew=crews, crash=st.booleans())
    def take_from_supplier(self, place: PlaceId, stock: Stock, count: int, crew: list[Person], crash: bool) -> None:
        draft = supplier_receipt(stock, count, self.occasion(place, crew))
        is_crash = crash and self.signing(draft.kind, crew) is None and not self.shut_register(place, stock)
        self.moves(draft, crew, stock, count, (K.SUPPLIER, place), (K.CUPBOARD, place), crash=is_crash)

    @rule(place=places, stock=stocks, count=units, crew=crews)
    def supply(self, place: PlaceId, stock: Stock, count: int, crew: list[Person]) -> None:
        draft = supplied(stock, count, self.occasion(place, crew))
        self.moves(draft, crew, stock, count, (K.CUPBOARD, place), (K.PATIENT, place))

    @rule(place=places, stock=stocks, count=units, crew=crews)
    def waste_all_that_was_drawn(self, place: PlaceId, stock: Stock, count: int, crew: list[Person]) -> None:
        """Whoever drew it up and gave nothing of it needs somebody who saw it wasted."""
        draft = supplied(stock, count, self.occasion(place, crew), wasted=count)
        if len(crew) == 1:
            self.attempt(draft, expected=SignaturesError, then=lambda _: None)
        else:
            self.moves(draft, crew, stock, count, (K.CUPBOARD, place), (K.DESTROYED, place))

    @rule(place=places, stock=stocks, count=units, crew=crews, out_of=holders)
    def break_some(self, place: PlaceId, stock: Stock, count: int, crew: list[Person], out_of: K) -> None:
        draft = broken(stock, count, self.occasion(place, crew), out_of=out_of)
        self.moves(draft, crew, stock, count, (out_of, place), (K.BROKEN, place))

    @rule(
        place=places,
        stock=stocks,
        count=units,
        crew=crews,
        out_of=st.sampled_from((K.CUPBOARD, K.QUARANTINE, K.RETURNED)),
    )
    def destroy(self, place: PlaceId, stock: Stock, count: int, crew: list[Person], out_of: K) -> None:
        draft = destroyed(stock, count, self.occasion(place, crew), out_of=out_of)
        self.moves(draft, crew, stock, count, (out_of, place), (K.DESTROYED, place))

    @rule(place=places, stock=stocks, count=units, crew=crews, out_of=st.sampled_from((K.QUARANTINE, K.RETURNED)))
    def restock(self, place: PlaceId, stock: Stock, count: int, crew: list[Person], out_of: K) -> None:
        draft = restocked(stock, count, self.occasion(place, crew), out_of=out_of)
        self.moves(draft, crew, stock, count, (out_of, place), (K.CUPBOARD, place))

    @rule(place=places, stock=stocks, count=units, crew=crews)
    def put_aside(self, place: PlaceId, stock: Stock, count: int, crew: list[Person]) -> None:
        draft = set_apart(stock, count, self.occasion(place, crew))
        self.moves(draft, crew, stock, count, (K.CUPBOARD, place), (K.QUARANTINE, place))

    @rule(place=places, stock=stocks, found=st.integers(0, 30), crew=crews, is_tolerated=st.booleans())
    def check(self, place: PlaceId, stock: Stock, found: int, crew: list[Person], is_tolerated: bool) -> None:
        expects = max(self.has(K.CUPBOARD, place, stock), 0)
        occasion = self.occasion(place, crew)
        draft = stock_check(stock, counted=found, expected=expects, occasion=occasion, is_tolerated=is_tolerated)
        more = found - expects
        if more >= 0:
            start, end, count = (K.TOLERATED if is_tolerated else K.OVER, place), (K.CUPBOARD, place), more
        else:
            start, end, count = (K.CUPBOARD, place), (K.TOLERATED if is_tolerated else K.SHORT, place), -more
        if not count:
            self.attempt(draft, expected=self.signing(draft.kind, crew), then=lambda _: None)
        else:
            self.moves(draft, crew, stock, count, start, end)

    @rule(place=places, stock=stocks, crew=crews, into=places)
    def settle_short(self, place: PlaceId, stock: Stock, crew: list[Person], into: PlaceId) -> None:
        short = self.has(K.SHORT, place, stock)
        if not short:
            return
        end = Account.of_place(K.CUPBOARD, into)
        draft = resolve_discrepancy(stock, short, self.occasion(place, crew), into=end)
        self.moves(draft, crew, stock, short, (K.SHORT, place), (K.CUPBOARD, into))

    @rule(start=places, end=places, stock=stocks, count=units, crew=crews, line=picks, crash=st.booleans())
    def seal(
        self, start: PlaceId, end: PlaceId, stock: Stock, count: int, crew: list[Person], line: int, crash: bool
    ) -> None:
        pending, tote = PendingId(f"line-{line}"), ToteId(f"tote-{line % 4}")
        draft = sealed_into(stock, count, pending=pending, tote=tote, to_place=end, occasion=self.occasion(start, crew))
        expected = self.signing(draft.kind, crew)
        is_known = pending in self.under_way or any(one.id == pending for one in self.ended)
        if expected is None and is_known:
            expected = PendingOpenedError
        elif expected is None and self.too_little(K.CUPBOARD, start, stock, count):
            expected = OverdrawnError
        elif expected is None and (self.shut_register(start, stock) or self.shut_register(end, stock)):
            expected = NotOpenedError

        def then(_entry: Entry) -> None:
            with self.store.reading() as uow:
                self.under_way[pending] = uow.ledger.pending(pending)
            self.boxes.move(stock, count, (K.CUPBOARD, start), (K.TRANSIT, tote))

        self.attempt(draft, expected=expected, then=then, crash=crash and expected is None)

    @rule(
        pick=picks,
        place=places,
        crew=crews,
        how=st.sampled_from(("whole", "count", "back", "apart")),
        found=st.integers(0, 15),
    )
    def resolve(self, pick: int, place: PlaceId, crew: list[Person], how: str, found: int) -> None:
        if not self.under_way:
            return
        pending = list(self.under_way.values())[pick % len(self.under_way)]
        if how == "count" and found == pending.quantity:
            return
        occasion = self.occasion(place, crew)
        if how == "count":
            draft = received_different(pending, counted=found, occasion=occasion)
        else:
            draft = {"whole": received, "back": returned, "apart": quarantined}[how](pending, occasion)

        def then(entry: Entry) -> None:
            del self.under_way[pending.id]
            self.ended.append(pending)
            start, end = (
                (K.TRANSIT, pending.tote),
                (
                    {"back": K.RETURNED, "apart": K.QUARANTINE}.get(how, K.CUPBOARD),
                    place,
                ),
            )
            self.boxes.move(pending.stock, pending.quantity, start, end)
            more = found - pending.quantity if how == "count" else 0
            if more > 0:
                self.boxes.move(pending.stock, more, (K.OVER, place), end)
            elif more < 0:
                self.boxes.move(pending.stock, -more, end, (K.SHORT, place))
            with self.store.reading() as uow:
                assert uow.ledger.pending(pending.id).resolved_by == entry.index

        self.attempt(draft, expected=self.signing(draft.kind, crew), then=then)

    @rule(pick=picks, place=places, end=places, crew=crews, tote=st.integers(0, 3))
    def seal_anew(self, pick: int, place: PlaceId, end: PlaceId, crew: list[Person], tote: int) -> None:
        """Take something out of one tote and seal it into another: pending under a new id, the old one resolved."""
        if not self.under_way:
            return
        old = list(self.under_way.values())[pick % len(self.under_way)]
        new, into = PendingId(f"{old.id} again"), ToteId(f"tote-anew-{tote}")
        draft = resealed(old, reopened=new, tote=into, to_place=end, occasion=self.occasion(place, crew))

        def then(entry: Entry) -> None:
            del self.under_way[old.id]
            self.ended.append(old)
            with self.store.reading() as uow:
                self.under_way[new] = uow.ledger.pending(new)
                assert uow.ledger.pending(old.id).resolved_by == entry.index
            assert (self.under_way[new].quantity, self.under_way[new].tote) == (old.quantity, into)
            self.boxes.move(old.stock, old.quantity, (K.TRANSIT, old.tote), (K.TRANSIT, into))

        self.attempt(draft, expected=self.signing(draft.kind, crew), then=then)

    @rule(pick=picks, place=places, crew=crews)
    def resolve_again(self, pick: int, place: PlaceId, crew: list[Person]) -> None:
        """Two events that conflict end one way: the second is refused, whatever it is."""
        if not self.ended:
            return
        pending = self.ended[pick % len(self.ended)]
        draft = (received if pick % 2 else returned)(pending, self.occasion(place, crew))
        self.attempt(draft, expected=self.signing(draft.kind, crew) or PendingResolvedError, then=self.never)

    @rule(place=places, stock=stocks, crew=crews, line=picks)
    def resolve_what_never_left(self, place: PlaceId, stock: Stock, crew: list[Person], line: int) -> None:
        never = Pending(PendingId(f"never-{line}"), stock, 1, ToteId("tote-1"), place, place, 0, NOON)
        draft = received(never, self.occasion(place, crew))
        self.attempt(draft, expected=self.signing(draft.kind, crew) or UnknownPendingError, then=self.never)

    @rule(place=places, stock=stocks, count=units, tote=st.integers(0, 3))
    def reach_into_a_tote(self, place: PlaceId, stock: Stock, count: int, tote: int) -> None:
        """Nobody moves units in transit but by sealing and resolving; nobody makes or loses any."""
        for postings in (
            (
                Posting(Account.transit(ToteId(f"tote-{tote}")), stock, -count),
                Posting(Account.of_place(K.CUPBOARD, place), stock, count),
            ),
            (Posting(Account.of_place(K.CUPBOARD, place), stock, count),),
        ):
            occasion = self.occasion(place, list(STAFF[:2]))
            draft = Draft(EntryKind.RESTOCKED, occasion.at, place, occasion.signatures, postings)
            with pytest.raises(DraftMalformedError), self.store.transaction() as uow:
                uow.ledger.append(draft, occasion.at)

    @rule(place=places, crew=crews)
    def note(self, place: PlaceId, crew: list[Person]) -> None:
        draft = custody_event("drawer_opened", self.occasion(place, crew))
        is_twice = len({id(one) for one in crew}) < len(crew)
        self.attempt(draft, expected=SignaturesError if is_twice else None, then=lambda _: None)

    def never(self, entry: Entry) -> None:
        raise AssertionError(f"entry {entry.index} should have been refused")

    # -- what holds -----------------------------------------------------------------------------------------------

    @invariant()
    def every_unit_is_in_exactly_one_account_at_every_index(self) -> None:
        with self.store.reading() as uow:
            news = uow.ledger.entries(after=self.is_audited_to - 1, limit=1_000)
            kept = {(one.account, one.stock): one.quantity for one in uow.ledger.balances()}
            waiting = {pending.id for pending in uow.ledger.open_pendings()}
        for entry in news:
            body = entry_bytes(
                entry.draft, index=entry.index, recorded_at=entry.recorded_at, previous=entry.previous_hash
            )
            self.audit.take(body, entry.hash)
            assert is_conserved(fold(entry.draft.postings))
        self.is_audited_to += len(news)
        lie = {(Account(kind, of), stock): count for (kind, of, stock), count in self.boxes.lie.items() if count}
        assert kept == lie
        assert is_conserved(kept)
        assert waiting == set(self.under_way) == set(self.audit.open)
        audited = {
            (Account(K(kind), of), Stock(medicine, batch, own_of)): count
            for (kind, of, medicine, batch, own_of), count in self.audit.held.items()
        }
        assert audited == kept

    @invariant()
    def opening_and_received_is_held_in_transit_supplied_and_destroyed(self) -> None:
        for stock in STOCKS:
            total: Counter[K] = Counter()
            for (kind, _of, one), count in self.boxes.lie.items():
                if one == stock:
                    total[kind] += count
            came = -total[K.OPENING] - total[K.SUPPLIER] - total[K.OVER]
            there = total[K.CUPBOARD] + total[K.QUARANTINE] + total[K.RETURNED] + total[K.TRANSIT]
            gone = total[K.PATIENT] + total[K.DESTROYED] + total[K.BROKEN]
            assert came == there + gone + total[K.SHORT] + total[K.TOLERATED]

    def teardown(self) -> None:
        with self.store.reading() as uow:
            entries = uow.ledger.entries(limit=10_000)
        for index in range(len(entries) + 1):
            assert is_conserved(balances_after(entries[:index]))


TestLedgerRules = LedgerRules.TestCase
TestLedgerRules.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
