"""What people enter into a place's register that no robot carried: each one entry of the ledger.

Every act is signed by the people who have proved themselves for it, the first as the one who acts. At least two sign
what opens, checks, destroys, corrects or settles; else as many as the medicine's handling class asks for. A transit
record takes only what concerns units that robots brought: the hospital's own register is kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from orchestrator.application.medicine_catalogue import medicine_of
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.register_errors import (
    CountsDisagreeError,
    OccurredAtError,
    TransitRecordError,
    WitnessError,
)
from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.decision import Subject, require_allowed
from orchestrator.domain.access.policy import POLICY
from orchestrator.domain.custody import movements
from orchestrator.domain.custody.errors import PeopleMissingError
from orchestrator.domain.custody.incident import Incident, IncidentId, IncidentKind
from orchestrator.domain.custody.ledger_errors import DraftMalformedError
from orchestrator.domain.custody.model import Account, AccountKind, Draft, Entry, Stock
from orchestrator.domain.custody.movements import Occasion, signed_by
from orchestrator.domain.custody.pending import LedgerMode
from orchestrator.domain.custody.policy import SHIPPED, CustodyPolicy
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.medicine.model import Medicine
from orchestrator.domain.people.model import Person
from orchestrator.domain.people.proofs import principal_of_person
from orchestrator.domain.reason import require_said
from orchestrator.domain.site.model import PlaceId

SET_APART = (AccountKind.QUARANTINE, AccountKind.RETURNED)
PAPER = "paper"
"""The fact that names the paper form of a back-entry."""


def _nothing() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Entering:
    """Who enters what, where and when.

    Parameters
    ----------
    place : PlaceId
        In whose register.
    is_pharmacy : bool
        Whether the place is a pharmacy.
    people : tuple of Person
        Who has proved themselves for this act; the first acts, the others witness.
    act : Act
        What they have proved themselves for.
    stock : Stock
        The medicine by its code, its batch, and whose own it is.
    at : datetime
        Now; aware.
    occurred_at : datetime or None
        When it happened, where that is earlier: a back-entry after a downtime.
    reason : str
        In a person's own words.
    facts : mapping of str to str
        What else the register's headings ask for.
    policy : CustodyPolicy
        In force at the place.
    """

    place: PlaceId
    is_pharmacy: bool
    people: tuple[Person, ...]
    act: Act
    stock: Stock
    at: datetime
    occurred_at: datetime | None = None
    reason: str = ""
    facts: Mapping[str, str] = field(default_factory=_nothing)
    policy: CustodyPolicy = SHIPPED

    @property
    def cupboard(self) -> Account:
        """The cupboard of the place."""
        return Account.of_place(AccountKind.CUPBOARD, self.place)


# -- a register of record ---------------------------------------------------------------------------------------------


def enter_opening_balance(uow: UnitOfWork, entering: Entering, *, counted: int) -> Entry:
    """Open the register of a medicine and batch at a place with what two people counted."""
    _require_register(uow, "The opening balance")
    on_books = uow.ledger.balance(entering.cupboard, entering.stock)
    return _entered(
        uow,
        entering,
        lambda occasion: movements.opening_balance(
            entering.stock, counted=counted, on_books=on_books, occasion=occasion
        ),
        least=2,
    )


def enter_supplier_receipt(uow: UnitOfWork, entering: Entering, *, quantity: int) -> Entry:
    """Record what a supplier delivered; the facts name the supplier with its address."""
    _require_register(uow, "The receipt")
    return _entered(uow, entering, lambda occasion: movements.supplier_receipt(entering.stock, quantity, occasion))


def enter_supply(uow: UnitOfWork, entering: Entering, *, quantity: int) -> Entry:
    """Record what a patient, or somebody for one, was given out of the cupboard."""
    _require_register(uow, "The supply")
    return _entered(uow, entering, lambda occasion: movements.supplied(entering.stock, quantity, occasion))


def enter_stock_check(uow: UnitOfWork, entering: Entering, *, counts: tuple[int, int], ids: Ids) -> Entry:
    """Record what two people counted, each for themselves and before the balance is shown; a difference is an incident.

    Raises
    ------
    CountsDisagreeError
        They came to different numbers; nothing is recorded, and the balance is still not shown.
    """
    _require_register(uow, "The stock check")
    if counts[0] != counts[1]:
        raise CountsDisagreeError(
            "The stock check was refused: the two counts are not the same; expected both people to count the same. "
            "Count again, each for yourself."
        )
    expected = uow.ledger.balance(entering.cupboard, entering.stock)
    entry = _entered(
        uow,
        entering,
        lambda occasion: movements.stock_check(entering.stock, counted=counts[0], expected=expected, occasion=occasion),
        least=2,
    )
    if counts[0] != expected:
        kind = IncidentKind.OVER if counts[0] > expected else IncidentKind.SHORT
        _open_incident(uow, entering, kind, ids=ids)
    return entry


# -- both modes -------------------------------------------------------------------------------------------------------


def enter_restocking(
    uow: UnitOfWork, entering: Entering, *, quantity: int, out_of: AccountKind = AccountKind.RETURNED
) -> Entry:
    """Put units that came back, or were set apart, into the cupboard."""
    return _entered(
        uow, entering, lambda occasion: movements.restocked(entering.stock, quantity, occasion, out_of=out_of)
    )


def enter_destruction(
    uow: UnitOfWork, entering: Entering, *, quantity: int, out_of: AccountKind = AccountKind.CUPBOARD
) -> Entry:
    """Record that units were destroyed before a witness.

    On a ward one of the two is of its staff and one of a pharmacy's. A pharmacy's stock is destroyed only before an
    authorised witness, who does not belong to it; the fact ``authority`` names their appointment.

    Raises
    ------
    WitnessError
        The witness is not one for this place.
    """
    require_said(entering.reason, act="The destruction")
    if out_of not in SET_APART:
        _require_register(uow, "The destruction of stock")
    _require_people(entering, least=2)
    _require_destroyers(entering)
    return _entered(
        uow,
        entering,
        lambda occasion: movements.destroyed(entering.stock, quantity, occasion, out_of=out_of),
        least=2,
    )


def enter_discrepancy_resolution(uow: UnitOfWork, entering: Entering, *, difference: int, into: Account) -> Entry:
    """Record what a discrepancy turned out to be: units that were short (positive) or over (negative), and where."""
    require_said(entering.reason, act="The resolution")
    return _entered(
        uow,
        entering,
        lambda occasion: movements.resolve_discrepancy(entering.stock, difference, occasion, into=into),
        least=2,
    )


def enter_correction(uow: UnitOfWork, entering: Entering, *, entry: int, right: int | None = None) -> Entry:
    """Record, beside a wrong entry, what is right: a quantity, or words in the facts. The wrong entry stays."""
    require_said(entering.reason, act="The correction")
    if right is None and not entering.facts:
        raise DraftMalformedError(
            "The correction was refused: it says not what is right; expected the right quantity, or the right words "
            "of a heading. Say it.",
            detail={"field": "quantity"},
        )
    wrong = uow.ledger.entry(entry)
    _require_people(entering, least=2)
    _require_at_place(entering)
    occasion = _occasion(uow, entering, None)
    if right is None:
        draft = movements.correction(wrong, (), occasion)
    else:
        draft = movements.quantity_correction(wrong, right=right, occasion=occasion)
    return _appended(uow, entering, draft)


def entered_later(entering: Entering, *, occurred_at: datetime, paper: str) -> Entering:
    """Return what is entered as a back-entry of what happened during a downtime, by its paper form.

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
    return replace(entering, occurred_at=occurred_at, facts={**entering.facts, PAPER: paper})


# -- pieces -----------------------------------------------------------------------------------------------------------


def _entered(
    uow: UnitOfWork,
    entering: Entering,
    draft: Callable[[Occasion], Draft],
    *,
    least: int = 1,
) -> Entry:
    medicine = medicine_of(uow, entering.stock.medicine)
    strict = entering.policy.rule(medicine.handling_class).receivers
    _require_people(entering, least=max(least, strict))
    _require_at_place(entering)
    return _appended(uow, entering, draft(_occasion(uow, entering, medicine)))


def _appended(uow: UnitOfWork, entering: Entering, draft: Draft) -> Entry:
    entry = uow.ledger.append(draft, entering.at)
    uow.events.append(
        at=entering.at,
        kind="register_entered",
        subject=entering.place,
        data={"entry": entry.index, "what": draft.kind.value},
    )
    return entry


def _occasion(uow: UnitOfWork, entering: Entering, medicine: Medicine | None) -> Occasion:
    said = {} if medicine is None else _facts_of(medicine)
    return Occasion(
        at=entering.occurred_at or entering.at,
        place=entering.place,
        signatures=signed_by(entering.people, acting_as=POLICY[entering.act].roles),
        reason=entering.reason,
        facts={**said, **{fact: text for fact, text in entering.facts.items() if text}},
    )


def _facts_of(medicine: Medicine) -> dict[str, str]:
    facts = {
        "name": medicine.name,
        "form": medicine.form,
        "strength": medicine.strength,
        "class": medicine.drug_class,
        "unit": medicine.unit,
        "schedule": "" if medicine.schedule is None else medicine.schedule.value,
        "handling_class": medicine.handling_class.value,
    }
    return {fact: text for fact, text in facts.items() if text}


def _require_register(uow: UnitOfWork, act: str) -> None:
    if uow.ledger.mode is LedgerMode.TRANSIT_RECORD:
        raise TransitRecordError(
            f"{act} was refused: this ledger is a transit record and keeps what robots carry; expected a register of "
            "record. Enter it into the place's own register, or have ledger_mode changed in the policies."
        )


def _require_people(entering: Entering, *, least: int) -> None:
    if len(entering.people) < least:
        raise PeopleMissingError(
            f"The act “{entering.act.words}” was refused: {len(entering.people)} people have proved themselves for it; "
            f"expected {least} different ones. Have the others enter badge and PIN too.",
            detail={"needed": least, "present": len(entering.people)},
        )


def _require_at_place(entering: Entering) -> None:
    """The policy decides for each of the people, at this place."""
    subject = Subject(entering.place, places=frozenset({entering.place}))
    for person in entering.people:
        require_allowed(principal_of_person(person, None), entering.act, subject)


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


def _open_incident(uow: UnitOfWork, entering: Entering, kind: IncidentKind, *, ids: Ids) -> None:
    medicine = medicine_of(uow, entering.stock.medicine)
    incident = Incident(
        id=IncidentId(ids.new("incident")),
        kind=kind,
        at=entering.at,
        place=entering.place,
        is_controlled=medicine.handling_class is not HandlingClass.ORDINARY,
        sentence="A stock check by two people did not agree with the register; it is under investigation.",
        schedule=None if medicine.schedule is None else medicine.schedule.value,
        caused_by=tuple(person.id for person in entering.people),
    )
    uow.incidents.add(incident)
    uow.events.append(
        at=entering.at,
        kind="incident_opened",
        subject=incident.id,
        data={
            "kind": kind.value,
            "delivery": None,
            "place": entering.place,
            "is_controlled": incident.is_controlled,
            "sentence": incident.sentence,
        },
    )
