"""What the ledger takes: the rules that every entry keeps, whichever flow it comes from.

Units neither appear nor vanish; what is on its way is opened once and resolved once and moves in no other way; nothing
is taken from an account that does not hold it; everybody who signs is somebody else. Who has to sign what is decided
before (handling class, roles); here are the least numbers that the ledger itself asks for.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from orchestrator.domain.custody.canonical import LARGEST
from orchestrator.domain.custody.ledger_errors import (
    AlreadyOpenedError,
    CorrectionError,
    DraftMalformedError,
    NotOpenedError,
    OverdrawnError,
    PendingOpenedError,
    PendingResolvedError,
    SignaturesError,
    UnbalancedError,
    UnknownPendingError,
)
from orchestrator.domain.custody.model import (
    Account,
    AccountKind,
    Draft,
    Entry,
    EntryKind,
    PendingId,
    Posting,
    Stock,
)
from orchestrator.domain.custody.pending import PENDING, TO_PLACE, LedgerMode, Pending
from orchestrator.domain.delivery.model import ToteId
from orchestrator.domain.site.model import PlaceId

MEDICINE = "medicine"
BATCH = "batch"
"""The facts in which an entry without postings names its stock."""

FACT = re.compile(r"[a-z][a-z0-9_]{0,63}")
TEXT_MAX = 2_000

LEAST_SIGNATURES: Mapping[EntryKind, int] = {
    EntryKind.OPENING_BALANCE: 2,
    EntryKind.STOCK_CHECK: 2,
    EntryKind.DESTROYED: 2,
    EntryKind.BROKEN: 2,
    EntryKind.CORRECTION: 2,
    EntryKind.DISCREPANCY_RESOLVED: 2,
    EntryKind.CUSTODY: 0,
}
"""How many people sign at least; one where nothing else is said. What a robot or a timer reports, nobody signs."""

REASONED = frozenset(
    {
        EntryKind.RECEIVED_DIFFERENT,
        EntryKind.QUARANTINED,
        EntryKind.DESTROYED,
        EntryKind.BROKEN,
        EntryKind.DISCREPANCY_RESOLVED,
        EntryKind.CORRECTION,
    }
)
STILL = frozenset({EntryKind.CUSTODY})
"""Kinds that move nothing."""

WASTING = frozenset({AccountKind.DESTROYED, AccountKind.BROKEN})
"""Accounts that nobody puts units into alone, in whatever kind of entry."""

SETTLING = frozenset({EntryKind.DISCREPANCY_RESOLVED, EntryKind.CORRECTION})
"""Kinds that may make a discrepancy smaller, and never turn one into its contrary."""

TOLERATING = frozenset({EntryKind.STOCK_CHECK, EntryKind.CORRECTION})
"""Kinds that may call a difference tolerated: a discrepancy that is open is never settled by that."""

HOLDING = frozenset({AccountKind.TRANSIT, AccountKind.QUARANTINE, AccountKind.RETURNED})
"""Accounts whose every movement we see in both modes, so that they are never below zero."""

ARRIVING = frozenset({EntryKind.RECEIVED, EntryKind.RECEIVED_DIFFERENT})
"""What has arrived is recorded even where nobody has entered an opening balance."""


COUNTED_IN = frozenset({EntryKind.RECEIVED_DIFFERENT, EntryKind.RETURNED, EntryKind.QUARANTINED})
"""What may have been counted otherwise than it was sealed."""


class Books(Protocol):
    """What the rules ask of the ledger as it stands."""

    @property
    def mode(self) -> LedgerMode:
        """How much of the stock the ledger sees."""
        ...

    @property
    def size(self) -> int:
        """The number of entries."""
        ...

    def balance(self, account: Account, stock: Stock) -> int:
        """Return the units of a stock in an account; 0 where it never had any."""
        ...

    def find_pending(self, pending: PendingId) -> Pending | None:
        """Return the pending posting, open or resolved."""
        ...

    def is_opened(self, place: PlaceId, medicine: str) -> bool:
        """Whether somebody entered an opening balance of the hospital's medicine, of any batch, at the place."""
        ...

    def is_stock_opened(self, place: PlaceId, stock: Stock) -> bool:
        """Whether somebody entered the opening balance of this very stock at the place."""
        ...

    def entry(self, index: int) -> Entry:
        """Return an entry; raises `UnknownEntryError`."""
        ...


@dataclass(frozen=True, slots=True)
class Changes:
    """What an entry changes beside being there: balances, pending postings, and the stock whose register it opens.

    ``redirected`` are pending postings whose units go to another place from now on.
    """

    balances: Mapping[tuple[Account, Stock], int]
    opened: tuple[Pending, ...] = ()
    resolved: tuple[Pending, ...] = ()
    redirected: tuple[Pending, ...] = ()
    opens_register_of: Stock | None = None


def changes_of(draft: Draft, books: Books, *, at: datetime) -> Changes:
    """Return what a draft changes, if the ledger takes it at this moment as its next entry.

    Raises
    ------
    DraftMalformedError, UnbalancedError, SignaturesError
        The draft is not an entry, whatever the ledger holds.
    UnknownPendingError, PendingResolvedError, PendingOpenedError
        It resolves what is not open, or opens what was opened before.
    OverdrawnError
        It takes more than there is.
    NotOpenedError, AlreadyOpenedError
        In a register of record: the stock has no opening balance, or has one.
    UnknownEntryError, CorrectionError
        It corrects no entry, or moves what the entry did not move.
    """
    _check_form(draft, at=at)
    _check_signatures(draft)
    _check_balanced(draft.postings)
    resolved = tuple(_open_pending(books, pending) for pending in draft.resolves)
    opened = _opened(draft, books, at=at)
    redirected = _redirected(draft, books)
    _check_transit(draft, opened=opened, resolved=resolved)
    if draft.kind is EntryKind.CORRECTION:
        _check_correction(draft, books)
    stock = _check_opening(draft, books) if draft.kind is EntryKind.OPENING_BALANCE else None
    balances = sums(draft.postings)
    _check_holdings(draft, balances, books)
    _check_settled(draft, balances, books)
    if books.mode is LedgerMode.REGISTER_OF_RECORD:
        _check_registers_opened(draft, books, sent=(*opened, *redirected))
    return Changes(balances=balances, opened=opened, resolved=resolved, redirected=redirected, opens_register_of=stock)


def sums(postings: Sequence[Posting]) -> dict[tuple[Account, Stock], int]:
    """Return the change of each account that the postings change."""
    found: defaultdict[tuple[Account, Stock], int] = defaultdict(int)
    for posting in postings:
        found[posting.account, posting.stock] += posting.quantity
    return {key: units for key, units in found.items() if units}


def stock_named(draft: Draft) -> Stock | None:
    """Return the stock that a draft is about: that of its postings, or the one its facts name; None when neither."""
    for posting in draft.postings:
        return posting.stock
    medicine = draft.facts.get(MEDICINE)
    return None if medicine is None else Stock(medicine, draft.facts.get(BATCH, ""), draft.facts.get("own_of"))


# -- the form ---------------------------------------------------------------------------------------------------------


def _check_form(draft: Draft, *, at: datetime) -> None:
    if draft.occurred_at.tzinfo is None or at.tzinfo is None:
        raise ValueError("a datetime without a time zone cannot be kept: make it aware first")
    if draft.occurred_at > at:
        raise _malformed(draft, "it happens later than now", "an act that has happened")
    texts = (
        draft.place,
        draft.reason,
        *draft.facts.values(),
        *draft.opens,
        *draft.resolves,
        *(draft.delivery or "", draft.line or ""),
        *(text for sign in draft.signatures for text in (sign.person, sign.role, sign.registration or "")),
        *(text for posting in draft.postings for text in _texts(posting)),
    )
    if not draft.place or any(not _is_text(text) for text in texts):
        raise _malformed(draft, "a text in it is not usable", f"a place, and texts of at most {TEXT_MAX} characters")
    if any(FACT.fullmatch(fact) is None for fact in draft.facts):
        raise _malformed(draft, "a fact has no proper name", "lower case words joined by underscores")
    if draft.kind in REASONED and not draft.reason.strip():
        raise _malformed(draft, "it gives no reason", "a reason for whoever reads the register")
    if draft.kind in STILL and (draft.postings or draft.opens or draft.resolves):
        raise _malformed(draft, "it moves units", "nothing that moves in an entry of this kind")
    tolerates = any(posting.account.kind is AccountKind.TOLERATED for posting in draft.postings)
    if tolerates and draft.kind not in TOLERATING:
        raise _malformed(draft, "it calls a difference tolerated", "that of a stock check alone")
    if (draft.corrects is not None) != (draft.kind is EntryKind.CORRECTION):
        raise _malformed(draft, "it names no entry that it corrects, or is no correction", "one with the other")
    if len(set(draft.opens)) < len(draft.opens) or len(set(draft.resolves)) < len(draft.resolves):
        raise _malformed(draft, "it names one pending posting twice", "each once")


def _texts(posting: Posting) -> tuple[str, ...]:
    return posting.account.of, posting.stock.medicine, posting.stock.batch, posting.stock.own_of or ""


def _is_text(text: str) -> bool:
    return len(text) <= TEXT_MAX and not any("\ud800" <= letter <= "\udfff" or letter == "\0" for letter in text)


def _malformed(draft: Draft, found: str, expected: str) -> DraftMalformedError:
    return DraftMalformedError(
        f"The ledger refused the entry ({draft.kind.value}): {found}; expected {expected}. Nothing was written.",
        detail={"kind": draft.kind.value},
    )


def _check_signatures(draft: Draft) -> None:
    people = [sign.person for sign in draft.signatures]
    least = LEAST_SIGNATURES.get(draft.kind, 1)
    if any(posting.account.kind in WASTING and posting.quantity > 0 for posting in draft.postings):
        least = max(least, 2)
    if len(set(people)) == len(people) >= least and all(people):
        return
    raise SignaturesError(
        f"The ledger refused the entry ({draft.kind.value}): it is signed by {len(set(people))} different people in "
        f"{len(people)} signatures; expected at least {least}, each by somebody else. Let another person sign.",
        detail={"kind": draft.kind.value, "needed": least},
    )


def _check_balanced(postings: Sequence[Posting]) -> None:
    totals: defaultdict[Stock, int] = defaultdict(int)
    for posting in postings:
        totals[posting.stock] += posting.quantity
    usable = all(
        posting.quantity
        and abs(posting.quantity) <= LARGEST
        and posting.account.of
        and posting.stock.medicine
        and posting.stock.own_of != ""
        for posting in postings
    )
    if not usable or any(totals.values()):
        raise UnbalancedError(
            "The ledger refused the entry: its postings do not sum to zero for each medicine and batch, or one of them "
            "moves nothing; expected units to go from one account to another. Nothing was written."
        )


# -- what is on its way -----------------------------------------------------------------------------------------------


def _open_pending(books: Books, pending: PendingId) -> Pending:
    found = books.find_pending(pending)
    if found is None:
        raise UnknownPendingError(
            f"The ledger refused the entry: nothing is on its way under {pending}; expected the id of a line that was "
            "sealed. Nothing was written.",
            detail={"pending": pending},
        )
    if not found.is_open:
        raise PendingResolvedError(
            f"The ledger refused the entry: {pending} was resolved before, by entry {found.resolved_by}; expected one "
            "that is open. What was recorded first stands; correct it by a correction.",
            detail={"pending": pending, "resolved_by": found.resolved_by},
        )
    return found


def _opened(draft: Draft, books: Books, *, at: datetime) -> tuple[Pending, ...]:
    if not draft.opens:
        return ()
    sent = [p for p in draft.postings if p.account.kind is AccountKind.TRANSIT and p.quantity > 0]
    to_place = draft.facts.get(TO_PLACE, "")
    if len(sent) != len(draft.opens) or not to_place:
        raise _malformed(
            draft, "what it opens is not what it puts in transit", f"one posting each, and the fact {TO_PLACE}"
        )
    for pending in draft.opens:
        if not pending or books.find_pending(pending) is not None:
            raise PendingOpenedError(
                f"The ledger refused the entry: {pending} was opened before; expected a line that was never sealed. "
                "Nothing was written.",
                detail={"pending": pending},
            )
    return tuple(
        Pending(
            id=pending,
            stock=posting.stock,
            quantity=posting.quantity,
            tote=ToteId(posting.account.of),
            from_place=draft.place,
            to_place=PlaceId(to_place),
            opened_by=books.size,
            opened_at=at,
            delivery=draft.delivery,
            line=draft.line,
        )
        for pending, posting in zip(draft.opens, sent, strict=True)
    )


def _redirected(draft: Draft, books: Books) -> tuple[Pending, ...]:
    """Return the pending posting that a custody entry sends elsewhere: only by such an entry its place changes."""
    if draft.kind is not EntryKind.CUSTODY or PENDING not in draft.facts:
        return ()
    pending, to_place = _open_pending(books, PendingId(draft.facts[PENDING])), draft.facts.get(TO_PLACE, "")
    is_its_own = (draft.delivery, draft.line) == (pending.delivery, pending.line)
    if not is_its_own or not to_place or to_place == pending.to_place:
        raise _malformed(
            draft, "it sends nothing of its own line elsewhere", f"its line, and another place in the fact {TO_PLACE}"
        )
    return (replace(pending, to_place=PlaceId(to_place)),)


def _check_transit(draft: Draft, *, opened: Sequence[Pending], resolved: Sequence[Pending]) -> None:
    """Units in transit move by opening and resolving, the whole quantity at once, and in no other way."""
    expected: defaultdict[tuple[Account, Stock], int] = defaultdict(int)
    for pending in opened:
        expected[Account.transit(pending.tote), pending.stock] += pending.quantity
    for pending in resolved:
        expected[Account.transit(pending.tote), pending.stock] -= pending.quantity
    moved = {key: units for key, units in sums(draft.postings).items() if key[0].kind is AccountKind.TRANSIT}
    if moved != {key: units for key, units in expected.items() if units}:
        raise _malformed(
            draft,
            "what it moves in transit is not what it opens and resolves",
            "the whole of each pending posting, from or to its own tote",
        )


# -- registers --------------------------------------------------------------------------------------------------------


def _check_correction(draft: Draft, books: Books) -> None:
    assert draft.corrects is not None, "the form was checked"
    wrong = books.entry(draft.corrects).draft
    touched = {(posting.account, posting.stock) for posting in wrong.postings}
    accounts = {account for account, _ in touched}
    if wrong.kind is EntryKind.STOCK_CHECK:
        # One that agreed moved nothing, and may turn out to have been mistyped.
        accounts.add(Account.of_place(AccountKind.CUPBOARD, wrong.place))
    doubtful = (AccountKind.OVER, AccountKind.SHORT)
    if draft.place != wrong.place or any(
        posting.account.kind is AccountKind.TRANSIT
        or (posting.account not in accounts and posting.account.kind not in doubtful)
        for posting in draft.postings
    ):
        raise CorrectionError(
            f"The correction was refused: it moves what entry {draft.corrects} did not move, or stands in another "
            "place's register; expected the accounts of that entry, and discrepancies. Enter what happened besides as "
            "an entry of its own.",
            detail={"corrects": draft.corrects},
        )


def _check_opening(draft: Draft, books: Books) -> Stock:
    stock = stock_named(draft)
    kinds = (AccountKind.OPENING, AccountKind.CUPBOARD)
    if stock is None or any(
        posting.account.kind not in kinds or posting.account.of != draft.place or posting.stock != stock
        for posting in draft.postings
    ):
        raise _malformed(draft, "it does not name one stock at its own place", "one medicine and batch in its cupboard")
    if books.is_stock_opened(draft.place, stock):
        raise AlreadyOpenedError(
            f"The opening balance was refused: this medicine and batch at {draft.place} has one; expected the first. "
            "Count it in a stock check instead.",
            detail={"place": draft.place},
        )
    return stock


def _check_holdings(draft: Draft, balances: Mapping[tuple[Account, Stock], int], books: Books) -> None:
    never_below = HOLDING | (
        frozenset({AccountKind.CUPBOARD}) if books.mode is LedgerMode.REGISTER_OF_RECORD else frozenset[AccountKind]()
    )
    for (account, stock), units in balances.items():
        # What is in transit is checked against the pending posting itself.
        if units >= 0 or account.kind not in never_below or account.kind is AccountKind.TRANSIT:
            continue
        if books.balance(account, stock) + units < 0:
            raise OverdrawnError(
                f"The ledger refused the entry ({draft.kind.value}): it takes more than the account "
                f"{account.kind.value} of {account.of} holds of this medicine and batch; expected at most what is "
                "there. Count again; if the register is wrong, correct it first.",
                detail={"account": account.kind.value, "of": account.of},
            )


def _check_settled(draft: Draft, balances: Mapping[tuple[Account, Stock], int], books: Books) -> None:
    """Nobody settles more than was found short or over: a register would gain or lose units by it."""
    if draft.kind not in SETTLING:
        return
    signs = {AccountKind.SHORT: 1, AccountKind.OVER: -1}
    for (account, stock), units in balances.items():
        if (books.balance(account, stock) + units) * signs.get(account.kind, 0) < 0:
            raise OverdrawnError(
                f"The ledger refused the entry ({draft.kind.value}): it settles more than is {account.kind.value} at "
                f"{account.of} of this medicine and batch; expected at most what is open. Look up the discrepancy.",
                detail={"account": account.kind.value, "of": account.of},
            )


def _check_registers_opened(draft: Draft, books: Books, *, sent: Sequence[Pending]) -> None:
    """A register of record begins with a counted balance; also the one something is sent to, unless it goes back."""
    if draft.kind in (EntryKind.OPENING_BALANCE, EntryKind.RESEALED) or draft.kind in ARRIVING:
        return
    needed = [
        (PlaceId(posting.account.of), posting.stock)
        for posting in draft.postings
        if posting.account.kind is AccountKind.CUPBOARD
    ]
    needed += [(pending.to_place, pending.stock) for pending in sent]
    for place, stock in needed:
        # A patient's own medicines begin with nothing.
        if stock.own_of is None and not books.is_opened(place, stock.medicine):
            raise NotOpenedError(
                f"The ledger refused the entry ({draft.kind.value}): the register of {place} has no opening balance of "
                "this medicine; expected two people to have counted it first. Enter the opening balance.",
                detail={"place": place},
            )
