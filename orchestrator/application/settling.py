"""What was counted short or over: nothing of it is supplied until somebody has settled it, and where it may have gone.

A difference is settled at the place that found it, into that place's own accounts. The one exception is where the stock
came from: a line that was counted otherwise than it was sealed may have been packed so.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from orchestrator.application.medicine_catalogue import medicine_of
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.register_entering import Entering, entered
from orchestrator.application.register_errors import SettlementError
from orchestrator.domain.custody import movements
from orchestrator.domain.custody.errors import PatientMissingError, StockInQuestionError
from orchestrator.domain.custody.model import Account, AccountKind, Entry, EntryKind, Stock
from orchestrator.domain.custody.pending import LedgerMode
from orchestrator.domain.custody.rules import COUNTED_IN
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.reason import require_said
from orchestrator.domain.site.model import PlaceId

DOUBTFUL = (AccountKind.SHORT, AccountKind.OVER)
LYING = frozenset({AccountKind.CUPBOARD, AccountKind.QUARANTINE, AccountKind.RETURNED})
GONE = frozenset({AccountKind.DESTROYED, AccountKind.BROKEN})

SETTLED_AS = "settled_as"
FOUND_ADMINISTERED = "found administered"
"""What the fact says of units that were short because a patient had had them."""

PAGE = 500


def is_in_question(uow: UnitOfWork, place: PlaceId, medicine: str, *, stock: Stock | None = None) -> bool:
    """Whether a place counted a medicine, or one stock of it, short or over and nobody has settled that."""
    found = uow.ledger.balances(of=place, medicine=medicine)
    return any(
        balance.account.kind in DOUBTFUL and balance.quantity and stock in (None, balance.stock) for balance in found
    )


def require_settled(uow: UnitOfWork, entering: Entering) -> None:
    """Refuse to supply of a batch that was counted short or over; what happened during a downtime has happened.

    Raises
    ------
    StockInQuestionError
        Nobody has settled the difference yet.
    """
    stock, is_past = entering.stock, entering.occurred_at is not None
    if is_past or medicine_of(uow, stock.medicine).handling_class is HandlingClass.ORDINARY:
        return
    if is_in_question(uow, entering.place, stock.medicine, stock=stock):
        raise StockInQuestionError(
            f"The supply was refused: this batch at {entering.place} was counted short or over and nobody has settled "
            "that; expected a settled balance, or another batch. Look into it, and record what it was.",
            detail={"field": "batch", "place": entering.place},
        )


def enter_discrepancy_resolution(uow: UnitOfWork, entering: Entering, *, difference: int, into: Account) -> Entry:
    """Record what a discrepancy turned out to be: units that were short (positive) or over (negative), and where.

    Raises
    ------
    SettlementError
        The units cannot have gone there, or come from there.
    PatientMissingError
        A patient had them, and neither who nor by whose authority is said.
    """
    require_said(entering.reason, act="The resolution")
    _require_possible(uow, entering, difference=difference, into=into)
    if into.kind is AccountKind.PATIENT:
        _require_patient(entering)
        entering = replace(entering, facts={**entering.facts, SETTLED_AS: FOUND_ADMINISTERED})
    return entered(
        uow,
        entering,
        lambda occasion: movements.resolve_discrepancy(entering.stock, difference, occasion, into=into),
        least=2,
    )


def _require_possible(uow: UnitOfWork, entering: Entering, *, difference: int, into: Account) -> None:
    own = LYING | {*DOUBTFUL} | (GONE | {AccountKind.PATIENT} if difference > 0 else frozenset[AccountKind]())
    if into.of == entering.place:
        possible: Collection[AccountKind] = own
    elif into.of in _senders(uow, entering):
        # A transit record does not see that cupboard's counts; a register does, and has a difference of its own then.
        is_record = uow.ledger.mode is LedgerMode.TRANSIT_RECORD
        possible = {*DOUBTFUL, AccountKind.CUPBOARD} if is_record else DOUBTFUL
    else:
        possible = ()
    if into.kind in possible:
        return
    listed = ", ".join(sorted(kind.value for kind in own))
    raise SettlementError(
        f"The resolution was refused: units that were {'short' if difference > 0 else 'over'} at {entering.place} are "
        f"not settled into {into.kind.value} of {into.of}; expected one of {listed} at {entering.place} itself, or, of "
        "a line that came from elsewhere, the difference that was found there. Say where the units turned out to be; "
        "a wrong entry is corrected by a correction.",
        detail={"field": "into", "place": entering.place, "expected": sorted(kind.value for kind in own)},
    )


def _require_patient(entering: Entering) -> None:
    for fact in ("patient", "authority"):
        if not entering.facts.get(fact):
            raise PatientMissingError(
                f"The resolution was refused: a patient had the units, and no {fact} is named; expected both patient "
                f"and authority, as of a supply. Add {fact}.",
                detail={"field": fact},
            )


def _senders(uow: UnitOfWork, entering: Entering) -> frozenset[str]:
    """Return the places from which this stock came that was counted otherwise here than it was sealed."""
    found, after, whole = set[str](), None, dict[int, Entry]()
    while page := uow.ledger.entries(after=after, limit=PAGE, place=entering.place, medicine=entering.stock.medicine):
        for entry in page:
            is_it = any(posting.stock == entering.stock for posting in entry.draft.postings)
            if is_it and entry.draft.kind is EntryKind.RECEIVED:
                whole[entry.index] = entry
            # A receipt that was corrected was counted otherwise as well.
            corrected = None if entry.draft.corrects is None else whole.get(entry.draft.corrects)
            counted = entry if entry.draft.kind in COUNTED_IN else corrected
            if is_it and counted is not None:
                sent = (uow.ledger.find_pending(pending) for pending in counted.draft.resolves)
                found |= {pending.from_place for pending in sent if pending is not None}
        after = page[-1].index
    return frozenset(found)
