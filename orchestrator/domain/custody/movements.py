"""What happens to medicines, each as the entry that the ledger takes: which units go from which account to which.

Quantities are integers of the smallest unit. Every builder is pure and returns a `Draft`; `orchestrator.domain.custody.
rules` decides whether the ledger takes it. Who has to sign is decided before, by handling class and role.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from orchestrator.domain.custody.ledger_errors import CorrectionError, DraftMalformedError
from orchestrator.domain.custody.model import (
    Account,
    AccountKind,
    Draft,
    Entry,
    EntryKind,
    PendingId,
    Posting,
    Signature,
    Signing,
    Stock,
)
from orchestrator.domain.custody.pending import PENDING, TO_PLACE, Pending
from orchestrator.domain.custody.rules import BATCH, MEDICINE, stock_named
from orchestrator.domain.delivery.model import DeliveryId, LineId, ToteId
from orchestrator.domain.people.model import Person, PersonId, Role
from orchestrator.domain.site.model import PlaceId

OWN_OF = "own_of"
COUNTED = "counted"
EXPECTED = "expected"
EVENT = "event"
REROUTED = "rerouted"

COUNTED_WHOLE = frozenset({EntryKind.RECEIVED, EntryKind.RETURNED})
"""What was taken in as it was sealed; that it was so is all that its entry says, and may turn out to be mistyped."""

CUPBOARD_COUNTED = frozenset({EntryKind.OPENING_BALANCE, EntryKind.STOCK_CHECK})
"""What says how many units lie in a cupboard, and moves the difference to what the register said."""


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Occasion:
    """When and where something happened, who signed for it, and what else the register's headings ask for.

    ``place`` is in whose register the entry stands first; ``facts`` are those of `Draft`.
    """

    at: datetime
    place: PlaceId
    signatures: tuple[Signature, ...] = ()
    delivery: DeliveryId | None = None
    line: LineId | None = None
    reason: str = ""
    facts: Mapping[str, str] = field(default_factory=_nothing)


def signed_by(people: Sequence[Person], *, acting_as: Collection[Role] = ()) -> tuple[Signature, ...]:
    """Return the signatures of people, the first of them as the actor, the others as witnesses.

    Each signs in a role of their own out of ``acting_as``, where they have one, else in any of theirs.
    """
    return tuple(
        Signature(
            person=person.id,
            part=Signing.ACTOR if number == 0 else Signing.WITNESS,
            role=_acting_role(person, acting_as),
            registration=person.registration,
        )
        for number, person in enumerate(people)
    )


def _acting_role(person: Person, acting_as: Collection[Role]) -> str:
    own = [role for role in Role if role in person.roles]
    fitting = [role for role in own if role in acting_as] or own
    return fitting[0].value if fitting else ""


# -- what a hospital gets and keeps -----------------------------------------------------------------------------------


def opening_balance(stock: Stock, *, counted: int, on_books: int, occasion: Occasion) -> Draft:
    """Two people counted what a cupboard holds; the account holds ``counted`` units after it.

    ``on_books`` is what the account holds so far: not nothing where the ledger kept a transit record before.
    """
    _require_count(counted)
    here = Account.of_place(AccountKind.CUPBOARD, occasion.place)
    opening = Account.of_place(AccountKind.OPENING, occasion.place)
    return _draft(
        EntryKind.OPENING_BALANCE,
        occasion,
        _move(stock, counted - on_books, opening, here),
        {**_named(stock), COUNTED: str(counted)},
    )


def supplier_receipt(stock: Stock, quantity: int, occasion: Occasion) -> Draft:
    """A supplier delivered units into the cupboard; facts name ``supplier`` with its address."""
    _require_some(quantity)
    supplier = Account.of_place(AccountKind.SUPPLIER, occasion.place)
    here = Account.of_place(AccountKind.CUPBOARD, occasion.place)
    return _draft(EntryKind.SUPPLIER_RECEIPT, occasion, _move(stock, quantity, supplier, here))


def supplied(stock: Stock, quantity: int, occasion: Occasion, *, wasted: int = 0) -> Draft:
    """Units went from the cupboard to a patient, or to a person for one; facts say to whom and by what authority.

    ``wasted`` of the units were drawn and not given.
    """
    _require_some(quantity)
    if not 0 <= wasted <= quantity:
        raise DraftMalformedError(
            "The entry was refused: it wastes more units than it takes; expected at most all of them. Count again."
        )
    here = Account.of_place(AccountKind.CUPBOARD, occasion.place)
    patient = Account.of_place(AccountKind.PATIENT, occasion.place)
    waste = Account.of_place(AccountKind.DESTROYED, occasion.place)
    postings = (*_move(stock, quantity - wasted, here, patient), *_move(stock, wasted, here, waste))
    return _draft(EntryKind.SUPPLIED, occasion, _netted(postings))


def destroyed(stock: Stock, quantity: int, occasion: Occasion, *, out_of: AccountKind = AccountKind.CUPBOARD) -> Draft:
    """Units were destroyed before a witness, out of the cupboard, quarantine or what was returned."""
    _require_some(quantity)
    source = Account.of_place(out_of, occasion.place)
    end = Account.of_place(AccountKind.DESTROYED, occasion.place)
    return _draft(EntryKind.DESTROYED, occasion, _move(stock, quantity, source, end))


def broken(stock: Stock, quantity: int, occasion: Occasion, *, out_of: AccountKind = AccountKind.CUPBOARD) -> Draft:
    """Units broke or were dropped before they were given, out of the cupboard, quarantine or what was returned."""
    _require_some(quantity)
    source = Account.of_place(out_of, occasion.place)
    end = Account.of_place(AccountKind.BROKEN, occasion.place)
    return _draft(EntryKind.BROKEN, occasion, _move(stock, quantity, source, end))


def stock_check(stock: Stock, *, counted: int, expected: int, occasion: Occasion, is_tolerated: bool = False) -> Draft:
    """Two people counted a cupboard blind. The count stands; a difference goes to SHORT or comes from OVER.

    One that ``is_tolerated`` goes to TOLERATED or comes from there, and is investigated by nobody.
    """
    _require_count(counted)
    here = Account.of_place(AccountKind.CUPBOARD, occasion.place)
    tolerated = Account.of_place(AccountKind.TOLERATED, occasion.place)
    found = counted - expected
    postings = _move(stock, found, tolerated, here) if is_tolerated else _difference(stock, found, here, occasion.place)
    return _draft(
        EntryKind.STOCK_CHECK,
        occasion,
        postings,
        {**_named(stock), COUNTED: str(counted), EXPECTED: str(expected)},
    )


# -- what robots carry ------------------------------------------------------------------------------------------------


def sealed(
    stock: Stock, quantity: int, *, pending: PendingId, tote: ToteId, to_place: PlaceId, occasion: Occasion
) -> Draft:
    """A line was sealed into a tote: its units leave the cupboard, and their receipt is pending."""
    _require_some(quantity)
    here = Account.of_place(AccountKind.CUPBOARD, occasion.place)
    return _draft(
        EntryKind.SEALED,
        occasion,
        _move(stock, quantity, here, Account.transit(tote)),
        {TO_PLACE: to_place},
        opens=(pending,),
    )


def resealed(pending: Pending, *, reopened: PendingId, tote: ToteId, to_place: PlaceId, occasion: Occasion) -> Draft:
    """A line was taken out of an opened tote and sealed into another: its receipt is pending again, as ``reopened``."""
    return _draft(
        EntryKind.RESEALED,
        occasion,
        _move(pending.stock, pending.quantity, Account.transit(pending.tote), Account.transit(tote)),
        {TO_PLACE: to_place},
        opens=(reopened,),
        resolves=(pending.id,),
    )


def received(pending: Pending, occasion: Occasion) -> Draft:
    """What was sealed was counted at the place that took it in, all of it."""
    here = Account.of_place(AccountKind.CUPBOARD, occasion.place)
    return _draft(
        EntryKind.RECEIVED,
        occasion,
        _move(pending.stock, pending.quantity, Account.transit(pending.tote), here),
        {COUNTED: str(pending.quantity)},
        resolves=(pending.id,),
    )


def received_different(
    pending: Pending, *, counted: int, occasion: Occasion, into: AccountKind = AccountKind.CUPBOARD
) -> Draft:
    """Another quantity was counted than was sealed. It stands; the difference goes to SHORT or comes from OVER."""
    _require_count(counted)
    here = Account.of_place(into, occasion.place)
    whole = _move(pending.stock, pending.quantity, Account.transit(pending.tote), here)
    difference = _difference(pending.stock, counted - pending.quantity, here, occasion.place)
    if not difference:
        raise DraftMalformedError(
            "The entry was refused: what was counted is what was sealed; expected a difference. Record it as received."
        )
    return _draft(
        EntryKind.RECEIVED_DIFFERENT,
        occasion,
        _netted((*whole, *difference)),
        {COUNTED: str(counted), EXPECTED: str(pending.quantity)},
        resolves=(pending.id,),
    )


def returned(pending: Pending, occasion: Occasion, *, counted: int | None = None) -> Draft:
    """What was sealed came back to a place, unopened or counted; it waits there to be restocked or destroyed."""
    here = Account.of_place(AccountKind.RETURNED, occasion.place)
    return _back(EntryKind.RETURNED, pending, occasion, here, counted=counted)


def quarantined(pending: Pending, occasion: Occasion, *, counted: int | None = None) -> Draft:
    """What was sealed is set apart at a place: unopened, or counted by witnesses after its seal was broken."""
    here = Account.of_place(AccountKind.QUARANTINE, occasion.place)
    return _back(EntryKind.QUARANTINED, pending, occasion, here, counted=counted)


def _back(kind: EntryKind, pending: Pending, occasion: Occasion, here: Account, *, counted: int | None) -> Draft:
    whole = _move(pending.stock, pending.quantity, Account.transit(pending.tote), here)
    facts: dict[str, str] = {}
    if counted is not None:
        _require_count(counted)
        whole = _netted((*whole, *_difference(pending.stock, counted - pending.quantity, here, occasion.place)))
        facts = {COUNTED: str(counted), EXPECTED: str(pending.quantity)}
    return _draft(kind, occasion, whole, facts, resolves=(pending.id,))


def set_apart(stock: Stock, quantity: int, occasion: Occasion) -> Draft:
    """Units of the cupboard are set apart at their place: recalled, expired or in dispute."""
    _require_some(quantity)
    here = Account.of_place(AccountKind.CUPBOARD, occasion.place)
    apart = Account.of_place(AccountKind.QUARANTINE, occasion.place)
    return _draft(EntryKind.QUARANTINED, occasion, _move(stock, quantity, here, apart))


def restocked(stock: Stock, quantity: int, occasion: Occasion, *, out_of: AccountKind = AccountKind.RETURNED) -> Draft:
    """Units that came back, or were set apart, are good and go into the cupboard of their place."""
    _require_some(quantity)
    source = Account.of_place(out_of, occasion.place)
    here = Account.of_place(AccountKind.CUPBOARD, occasion.place)
    return _draft(EntryKind.RESTOCKED, occasion, _move(stock, quantity, source, here))


# -- what went wrong --------------------------------------------------------------------------------------------------


def resolve_discrepancy(stock: Stock, difference: int, occasion: Occasion, *, into: Account) -> Draft:
    """Whoever looked into a discrepancy says what it was.

    Parameters
    ----------
    stock : Stock
        What differed.
    difference : int
        Units: positive for some that were short, negative for some that were over.
    occasion : Occasion
        In the register of the place where the difference was found, with the reason.
    into : Account
        Where the units that were short turned out to be, or where those that were over came from.
    """
    if not difference:
        raise DraftMalformedError(
            "The entry was refused: it settles a difference of nothing; expected one that is open. Look it up."
        )
    kind = AccountKind.SHORT if difference > 0 else AccountKind.OVER
    doubtful = Account.of_place(kind, occasion.place)
    if into == doubtful:
        raise DraftMalformedError(
            "The entry was refused: it settles a difference into itself; expected where the units turned out to be, or "
            "came from. Say that."
        )
    return _draft(EntryKind.DISCREPANCY_RESOLVED, occasion, _move(stock, difference, doubtful, into))


def correction(wrong: Entry, postings: Sequence[Posting], occasion: Occasion) -> Draft:
    """A dated, reasoned, witnessed new entry beside a wrong one; ``postings`` are what makes it right when added.

    A wrong word, not a wrong quantity, is corrected without postings: the facts say what is right.
    """
    return Draft(
        kind=EntryKind.CORRECTION,
        occurred_at=occasion.at,
        place=occasion.place,
        signatures=occasion.signatures,
        postings=tuple(postings),
        corrects=wrong.index,
        delivery=occasion.delivery or wrong.draft.delivery,
        line=occasion.line or wrong.draft.line,
        reason=occasion.reason,
        facts={**_named_of(wrong), **occasion.facts},
    )


def quantity_correction(wrong: Entry, *, right: int, occasion: Occasion, before: Sequence[Entry] = ()) -> Draft:
    """The correction of an entry that moved a stock from one account to another, in a wrong quantity.

    Where somebody counted a cupboard, the right quantity is what they should have said that lies there.
    What was on its way came whole out of transit, once, and no correction puts it back: where it was counted in
    wrongly, what is missing is short at the place that counted, and what is too much over, as at the receipt itself.

    Parameters
    ----------
    wrong : Entry
        The entry that is corrected.
    right : int
        Units that it should have moved, or counted.
    occasion : Occasion
        Of the correction.
    before : sequence of Entry
        What corrected it already, itself or by way of those: the correction adds what is missing after all of them.

    Raises
    ------
    DraftMalformedError
        The entry moved more than one stock between two accounts, or the quantity was right; give the postings then.
    CorrectionError
        The entry put units on their way, or says already that they were counted otherwise than they were sealed.
    """
    if wrong.draft.kind in CUPBOARD_COUNTED:
        return _count_correction(wrong, right=right, occasion=occasion, before=before)
    is_of_transit = any(posting.account.kind is AccountKind.TRANSIT for posting in wrong.draft.postings)
    given = [posting for posting in wrong.draft.postings if posting.quantity > 0]
    taken = [posting for posting in wrong.draft.postings if posting.quantity < 0]
    is_plain = len(given) == len(taken) == 1
    if is_of_transit and not (is_plain and wrong.draft.kind in COUNTED_WHOLE):
        raise CorrectionError(
            f"The correction was refused: entry {wrong.index} put units on their way, or says that they were counted "
            "otherwise than they were sealed; expected what a place took in as it was sealed. What is on its way is "
            "counted at its receipt, and a difference found there is settled: POST "
            "/api/v1/registers/PLACE/discrepancy-resolutions.",
            detail={"corrects": wrong.index},
        )
    if not is_plain or right < 0:
        more = 0
    else:
        moved = given[0].quantity + _moved_by(before, given[0])
        more = right - moved
    if not more:
        raise DraftMalformedError(
            "The correction was refused: the entry did not move one medicine between two accounts in another quantity; "
            "expected such an entry. Say which units go where.",
            detail={"corrects": wrong.index},
        )
    if is_of_transit:
        return correction(wrong, _counted_otherwise(given[0], right=right, before=before), occasion)
    return correction(wrong, _move(given[0].stock, more, taken[0].account, given[0].account), occasion)


def _count_correction(wrong: Entry, *, right: int, occasion: Occasion, before: Sequence[Entry]) -> Draft:
    """Return the correction of a count of a cupboard: the difference that it should have found, in place of its own."""
    stock, facts = stock_named(wrong.draft), wrong.draft.facts
    assert stock is not None, "a count names its stock"
    place = wrong.draft.place
    here = Account.of_place(AccountKind.CUPBOARD, place)
    made = [posting for entry in (wrong, *before) for posting in entry.draft.postings]
    found = sum(posting.quantity for posting in wrong.draft.postings if posting.account == here)
    expected = int(facts[COUNTED]) - found
    if right == expected + sum(posting.quantity for posting in made if posting.account == here):
        raise DraftMalformedError(
            "The correction was refused: that is what the entry, as it stands corrected, says was counted; expected "
            "another count. Nothing is wrong with it.",
            detail={"corrects": wrong.index},
        )
    if wrong.draft.kind is EntryKind.OPENING_BALANCE:
        wanted = _move(stock, right - expected, Account.of_place(AccountKind.OPENING, place), here)
        said = {COUNTED: str(right)}
    else:
        wanted = _difference(stock, right - expected, here, place)
        said = {COUNTED: str(right), EXPECTED: str(expected)}
    undone = (replace(posting, quantity=-posting.quantity) for posting in made)
    counted = replace(occasion, facts={**occasion.facts, **said})
    return correction(wrong, _netted((*wanted, *undone)), counted)


def _counted_otherwise(sealed: Posting, *, right: int, before: Sequence[Entry]) -> tuple[Posting, ...]:
    """Return what makes up the difference of a count to what was sealed, in place of what corrections made of it."""
    here, place = sealed.account, PlaceId(sealed.account.of)
    wanted = _difference(sealed.stock, right - sealed.quantity, here, place)
    undone = _difference(sealed.stock, _moved_by(before, sealed), here, place)
    return _netted((*wanted, *(replace(posting, quantity=-posting.quantity) for posting in undone)))


def _moved_by(corrections: Sequence[Entry], what: Posting) -> int:
    """Return the units that corrections moved of the same stock to or from the same account."""
    return sum(
        posting.quantity
        for entry in corrections
        for posting in entry.draft.postings
        if (posting.account, posting.stock) == (what.account, what.stock)
    )


def custody_event(event: str, occasion: Occasion) -> Draft:
    """Something happened that moves no units: accepted, accountability passed, seal broken, drawer opened, override."""
    return _draft(EntryKind.CUSTODY, occasion, (), {EVENT: event})


def rerouted(pending: Pending, *, to_place: PlaceId, accepted_by: PersonId, occasion: Occasion) -> Draft:
    """What is on its way goes to another place from now on, which has accepted it; its units stay in transit."""
    facts = {
        EVENT: REROUTED,
        PENDING: pending.id,
        TO_PLACE: to_place,
        "instead_of": pending.to_place,
        "accepted_by": accepted_by,
    }
    return _draft(EntryKind.CUSTODY, occasion, (), facts)


# -- pieces -----------------------------------------------------------------------------------------------------------


def _draft(
    kind: EntryKind,
    occasion: Occasion,
    postings: tuple[Posting, ...],
    facts: Mapping[str, str] | None = None,
    *,
    opens: tuple[PendingId, ...] = (),
    resolves: tuple[PendingId, ...] = (),
) -> Draft:
    return Draft(
        kind=kind,
        occurred_at=occasion.at,
        place=occasion.place,
        signatures=occasion.signatures,
        postings=postings,
        opens=opens,
        resolves=resolves,
        delivery=occasion.delivery,
        line=occasion.line,
        reason=occasion.reason,
        facts={**occasion.facts, **(facts or {})},
    )


def _move(stock: Stock, quantity: int, source: Account, end: Account) -> tuple[Posting, ...]:
    if not quantity:
        return ()
    return Posting(source, stock, -quantity), Posting(end, stock, quantity)


def _difference(stock: Stock, found: int, here: Account, place: PlaceId) -> tuple[Posting, ...]:
    """Return the postings for units found beyond those expected (positive), or missing (negative)."""
    kind = AccountKind.OVER if found > 0 else AccountKind.SHORT
    return _move(stock, found, Account.of_place(kind, place), here)


def _netted(postings: Sequence[Posting]) -> tuple[Posting, ...]:
    """Return the postings with one for each account; those that come to nothing are left out."""
    units: dict[tuple[Account, Stock], int] = {}
    for posting in postings:
        key = posting.account, posting.stock
        units[key] = units.get(key, 0) + posting.quantity
    return tuple(Posting(account, stock, total) for (account, stock), total in units.items() if total)


def _named(stock: Stock) -> dict[str, str]:
    """Return the facts that name a stock in an entry that may move nothing."""
    own = {} if stock.own_of is None else {OWN_OF: stock.own_of}
    return {MEDICINE: stock.medicine, BATCH: stock.batch, **own}


def _named_of(entry: Entry) -> dict[str, str]:
    for posting in entry.draft.postings:
        return _named(posting.stock)
    return {fact: text for fact, text in entry.draft.facts.items() if fact in (MEDICINE, BATCH, OWN_OF)}


def _require_some(quantity: int) -> None:
    if quantity <= 0:
        raise DraftMalformedError(
            "The entry was refused: it moves no units; expected a quantity of at least 1. Count again."
        )


def _require_count(counted: int) -> None:
    if counted < 0:
        raise DraftMalformedError("The entry was refused: a count is below zero; expected 0 or more. Count again.")
