"""What people enter into a place's register that no robot carried: each one entry of the ledger.

Every act is signed by the people who have proved themselves for it, the first as the one who acts. At least two sign
what opens, checks, destroys, corrects or settles; else as many as the medicine's handling class asks for. A transit
record takes only what concerns units that robots brought: the hospital's own register is kept elsewhere.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from orchestrator.application.medicine_catalogue import medicine_of
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.recorded_acts import open_incident as open_incident_of_delivery
from orchestrator.application.register_entering import (
    Entering,
    appended,
    entered,
    occasion_of,
    of_its_patient,
    open_incident,
    require_at_place,
    require_people,
    require_register,
)
from orchestrator.application.register_errors import CountsDisagreeError, OccurredAtError, WitnessError
from orchestrator.application.set_apart import require_may_leave_quarantine, require_not_recalled
from orchestrator.application.settling import require_settled
from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.decision import NotAllowedError, Why
from orchestrator.domain.custody import movements
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.ledger_errors import AlreadyOpenedError, CorrectionError, DraftMalformedError
from orchestrator.domain.custody.model import AccountKind, Entry, EntryKind
from orchestrator.domain.custody.rules import stock_named
from orchestrator.domain.delivery.ids import DeliveryId
from orchestrator.domain.people.model import PersonId
from orchestrator.domain.reason import require_said

SET_APART = (AccountKind.QUARANTINE, AccountKind.RETURNED)
HAD = frozenset({*SET_APART, AccountKind.CUPBOARD, AccountKind.PATIENT, AccountKind.DESTROYED, AccountKind.BROKEN})
"""The accounts of a place whose units it has, or had and has not sent on."""

NEWLY_FOUND = {(AccountKind.SHORT, True): IncidentKind.SHORT, (AccountKind.OVER, False): IncidentKind.OVER}
"""What a posting to an account, or from it, says that was found."""

PAGE = 500
PAPER = "paper"
"""The fact that names the paper form of a back-entry."""

TOLERANCE = "tolerance"
"""The fact that says within what a stock check differed."""


# -- a register of record ---------------------------------------------------------------------------------------------


def enter_opening_balance(uow: UnitOfWork, entering: Entering, *, counted: int) -> Entry:
    """Open the register of a medicine and batch at a place with what two people counted.

    Raises
    ------
    AlreadyOpenedError
        It is open, or units of it came or went since that of the medicine was.
    """
    require_register(uow, "The opening balance")
    _require_unseen(uow, entering)
    on_books = uow.ledger.balance(entering.cupboard, entering.stock)
    return entered(
        uow,
        entering,
        lambda occasion: movements.opening_balance(
            entering.stock, counted=counted, on_books=on_books, occasion=occasion
        ),
        least=2,
    )


def enter_supplier_receipt(uow: UnitOfWork, entering: Entering, *, quantity: int) -> Entry:
    """Record what a supplier, by name and address in the facts, delivered, or what a patient brought of their own.

    Raises
    ------
    NotAllowedError
        It is the hospital's stock, and one of the people is not of a pharmacy.
    """
    require_register(uow, "The receipt")
    _require_pharmacy_for_stock(entering)
    return entered(uow, entering, lambda occasion: movements.supplier_receipt(entering.stock, quantity, occasion))


def enter_supply(uow: UnitOfWork, entering: Entering, *, quantity: int) -> Entry:
    """Record what a patient, or somebody for one, was given out of the cupboard."""
    require_register(uow, "The supply")
    require_settled(uow, entering)
    require_not_recalled(uow, entering, act="The supply")
    return entered(uow, entering, lambda occasion: movements.supplied(entering.stock, quantity, occasion))


def enter_stock_check(uow: UnitOfWork, entering: Entering, *, counts: tuple[int, int], ids: Ids) -> Entry:
    """Record what two people counted, each for themselves and before the balance is shown; a difference is an incident.

    That of a liquid may be within the tolerance of the policy; then it is entered as such, and nobody looks into it.

    Raises
    ------
    CountsDisagreeError
        They came to different numbers; nothing is recorded, and the balance is still not shown.
    """
    require_register(uow, "The stock check")
    if counts[0] != counts[1]:
        raise CountsDisagreeError(
            "The stock check was refused: the two counts are not the same; expected both people to count the same. "
            "Count again, each for yourself."
        )
    expected = uow.ledger.balance(entering.cupboard, entering.stock)
    difference = counts[0] - expected
    tolerance = _tolerance(uow, entering, difference=difference)
    if tolerance is not None:
        entering = replace(entering, facts={**entering.facts, TOLERANCE: tolerance})
    entry = entered(
        uow,
        entering,
        lambda occasion: movements.stock_check(
            entering.stock,
            counted=counts[0],
            expected=expected,
            occasion=occasion,
            is_tolerated=tolerance is not None,
        ),
        least=2,
    )
    if difference and tolerance is None:
        kind = IncidentKind.OVER if difference > 0 else IncidentKind.SHORT
        sentence = "A stock check by two people did not agree with the register; it is under investigation."
        open_incident(uow, entering, kind, sentence, ids=ids)
    return entry


# -- both modes -------------------------------------------------------------------------------------------------------


def enter_restocking(
    uow: UnitOfWork, entering: Entering, *, quantity: int, out_of: AccountKind = AccountKind.RETURNED
) -> Entry:
    """Put units that came back, or were set apart, into the cupboard; see `orchestrator.application.set_apart`."""
    require_not_recalled(uow, entering, act="The restocking")
    require_may_leave_quarantine(uow, entering, out_of=out_of, act="The restocking")
    return entered(
        uow, entering, lambda occasion: movements.restocked(entering.stock, quantity, occasion, out_of=out_of)
    )


def enter_destruction(
    uow: UnitOfWork, entering: Entering, *, quantity: int, out_of: AccountKind = AccountKind.CUPBOARD
) -> Entry:
    """Record that units were destroyed before a witness.

    On a ward one of the two is of its staff and one of a pharmacy's. A pharmacy's stock is destroyed only before an
    authorised witness, who does not belong to it; the fact ``authority`` names their appointment. What is looked into
    stays in quarantine until that is done (`orchestrator.application.set_apart`).

    Raises
    ------
    WitnessError
        The witness is not one for this place.
    """
    require_said(entering.reason, act="The destruction")
    if out_of not in SET_APART:
        require_register(uow, "The destruction of stock")
    require_people(entering, least=2)
    _require_destroyers(entering)
    require_may_leave_quarantine(uow, entering, out_of=out_of, act="The destruction")
    return entered(
        uow,
        entering,
        lambda occasion: movements.destroyed(entering.stock, quantity, occasion, out_of=out_of),
        least=2,
    )


def enter_correction(uow: UnitOfWork, entering: Entering, *, entry: int, ids: Ids, right: int | None = None) -> Entry:
    """Record, beside a wrong entry, what is right: a quantity, or words in the facts. The wrong entry stays.

    ``right`` is what the entry should have moved, or counted, whatever corrected it before. A receipt, or a cupboard,
    that was counted otherwise than the entry says leaves a difference, and an incident. A count is corrected by naming
    the entry that counted, not one that corrected it.

    Raises
    ------
    UnknownEntryError, CorrectionError, OverdrawnError, DraftMalformedError, OtherPatientError
        There is no such entry, it cannot be corrected so, or nothing of it is wrong.
    """
    require_said(entering.reason, act="The correction")
    if right is None and not entering.facts:
        raise DraftMalformedError(
            "The correction was refused: it says not what is right; expected the right quantity, or the right words "
            "of a heading. Say it.",
            detail={"field": "quantity"},
        )
    wrong = uow.ledger.entry(entry)
    require_people(entering, least=2)
    require_at_place(entering)
    stock = next((posting.stock for posting in wrong.draft.postings), stock_named(wrong.draft))
    entering = entering if stock is None else of_its_patient(entering, stock)
    occasion = occasion_of(entering, None)
    if right is None:
        draft = movements.correction(wrong, (), occasion)
    else:
        _require_no_correction_of_count(uow, wrong)
        before = _corrections_of(uow, wrong)
        draft = movements.quantity_correction(wrong, right=right, occasion=occasion, before=before)
    corrected = appended(uow, entering, draft)
    _tell_difference(uow, entering, wrong, corrected, ids=ids)
    return corrected


def entered_later(entering: Entering, *, occurred_at: datetime, paper: str, enters: Act) -> Entering:
    """Return what is entered as a back-entry of what happened during a downtime, by its paper form.

    ``enters`` is what was done then: whoever may not do it does not enter it afterwards either.

    Raises
    ------
    OccurredAtError
        It has not happened yet.
    """
    if occurred_at >= entering.at:
        raise OccurredAtError(
            "The back-entry was refused: its moment is not in the past; expected when it happened, as the paper says. "
            "Correct the moment.",
            detail={"field": "occurred_at"},
        )
    return replace(entering, occurred_at=occurred_at, enters=enters, facts={**entering.facts, PAPER: paper})


# -- pieces ------------------------------------------------------------------------------------------------------------


def _require_pharmacy_for_stock(entering: Entering) -> None:
    for person in entering.people:
        if entering.stock.own_of is None and not any(role.is_pharmacy for role in person.roles):
            raise NotAllowedError(
                f"The receipt was refused: {person.id} is not of a pharmacy; expected a pharmacist or pharmacy "
                "technician of that place to take in what a supplier delivers. What a patient brought names them in "
                "own_of.",
                who=person.id,
                act=Act.TAKE_FROM_SUPPLIER,
                why=Why.WRONG_ROLE,
            )


def _require_unseen(uow: UnitOfWork, entering: Entering) -> None:
    """Refuse to open what is on the register already: a loss would go into the opening, and nobody would look for it.

    What arrived before anybody had opened the register of the medicine is counted with the rest of the cupboard.

    Raises
    ------
    AlreadyOpenedError
        Units of the batch came or went since the register was opened.
    """
    place, stock = entering.place, entering.stock
    is_begun = stock.own_of is not None or uow.ledger.is_opened(place, stock.medicine)
    known = uow.ledger.balances(of=place, medicine=stock.medicine, batch=stock.batch)
    if is_begun and any(balance.stock == stock for balance in known):
        raise AlreadyOpenedError(
            f"The opening balance was refused: units of this batch are on the register of {place} already; expected a "
            "batch of which nothing has been entered there. Count it in a stock check: a difference is looked into.",
            detail={"place": place},
        )


def _corrections_of(uow: UnitOfWork, wrong: Entry) -> list[Entry]:
    """Return what corrected an entry, or one of its corrections, in order."""
    medicine = next((posting.stock.medicine for posting in wrong.draft.postings), None)
    corrected, found, after = {wrong.index}, list[Entry](), wrong.index
    while page := uow.ledger.entries(after=after, limit=PAGE, place=wrong.draft.place, medicine=medicine):
        for entry in page:
            if entry.draft.corrects in corrected:
                corrected.add(entry.index)
                found.append(entry)
        after = page[-1].index
    return found


def _require_no_correction_of_count(uow: UnitOfWork, wrong: Entry) -> None:
    """Refuse a quantity for what corrected a count: units that were moved would be taken for units that were counted.

    Raises
    ------
    CorrectionError
        It corrects a count, or a correction of one.
    """
    counted = wrong
    while counted.draft.corrects is not None:
        counted = uow.ledger.entry(counted.draft.corrects)
    if counted is wrong or not (counted.draft.resolves or counted.draft.kind in movements.CUPBOARD_COUNTED):
        return
    raise CorrectionError(
        f"The correction was refused: entry {wrong.index} corrects what was counted in entry {counted.index}; expected "
        f"entry {counted.index} itself, with what was counted there. Correct that one.",
        detail={"corrects": wrong.index, "counted_in": counted.index},
    )


def _tell_difference(uow: UnitOfWork, entering: Entering, wrong: Entry, corrected: Entry, *, ids: Ids) -> None:
    """Open the incident of a count that leaves something short or over now; nobody who counted it closes that."""
    delivery = wrong.draft.delivery if wrong.draft.resolves else None
    if delivery is None and wrong.draft.kind is not EntryKind.STOCK_CHECK:
        return
    signed = (PersonId(sign.person) for sign in wrong.draft.signatures)
    caused_by = tuple(dict.fromkeys((*(person.id for person in entering.people), *signed)))
    for posting in corrected.draft.postings:
        kind = NEWLY_FOUND.get((posting.account.kind, posting.quantity > 0))
        if kind is not None and delivery is not None:
            brought = uow.deliveries.get(DeliveryId(delivery))
            open_incident_of_delivery(
                uow,
                brought,
                kind,
                "A receipt was corrected: it was counted otherwise than it was signed; it is under investigation.",
                at=entering.at,
                ids=ids,
                place=entering.place,
                caused_by=caused_by,
                about=[line for line in brought.lines if line.id == wrong.draft.line],
            )
        elif kind is not None:
            sentence = (
                "A stock check was corrected: it was counted otherwise than it was signed; it is under investigation."
            )
            of_check = replace(entering, stock=posting.stock)
            open_incident(uow, of_check, kind, sentence, ids=ids, caused_by=caused_by)


def _require_destroyers(entering: Entering) -> None:
    actor, *witnesses = entering.people
    if not actor.belongs_to(entering.place):
        raise WitnessError(
            f"The destruction was refused: {actor.id} does not belong to {entering.place} and may witness it only; "
            "expected somebody of that place to act. Let them sign first."
        )
    if entering.is_pharmacy:
        if any(person.belongs_to(entering.place) for person in witnesses) or not entering.facts.get("authority"):
            raise WitnessError(
                "The destruction was refused: a pharmacy's stock is destroyed before an authorised witness; expected "
                "one who does not belong to this pharmacy, and the number of their appointment in authority. Ask the "
                "accountable officer who is appointed."
            )
    elif not any(role.is_pharmacy for person in entering.people for role in person.roles):
        raise WitnessError(
            "The destruction was refused: on a ward one of the two is a pharmacist or pharmacy technician; expected "
            "one of them. Ask the pharmacy."
        )


def _tolerance(uow: UnitOfWork, entering: Entering, *, difference: int) -> str | None:
    """Return the tolerance within which a difference lies, as the register says it; None where it is looked into."""
    medicine, stock = medicine_of(uow, entering.stock.medicine), entering.stock
    tolerance = entering.policy.tolerance(entering.place, medicine.unit)
    here = [
        balance
        for balance in uow.ledger.balances(of=entering.place, medicine=stock.medicine, batch=stock.batch)
        if balance.stock == stock
    ]
    had = sum(balance.quantity for balance in here if balance.account.kind in HAD)
    tolerated = sum(balance.quantity for balance in here if balance.account.kind is AccountKind.TOLERATED)
    if not difference or not tolerance.allows(difference, tolerated=tolerated, had=had):
        return None
    return f"{tolerance.units} {medicine.unit}, {tolerance.percent} per cent"
