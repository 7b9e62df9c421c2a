"""How anything is entered into a place's register: who signs, what the headings ask for, and what an incident says.

Every act is signed by the people who have proved themselves for it, the first as the one who acts, each let in by the
policy at this place; as many as the medicine's handling class asks for, or as the act does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from orchestrator.application.batches import require_no_lookalike
from orchestrator.application.medicine_catalogue import medicine_of
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.register_errors import OccurredAtError, OtherPatientError, TransitRecordError
from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.decision import Subject, require_allowed
from orchestrator.domain.access.policy import POLICY
from orchestrator.domain.custody.errors import PeopleMissingError
from orchestrator.domain.custody.incident import Incident, IncidentId, IncidentKind
from orchestrator.domain.custody.model import Account, AccountKind, Draft, Entry, EntryKind, Stock
from orchestrator.domain.custody.movements import Occasion, signed_by
from orchestrator.domain.custody.pending import LedgerMode
from orchestrator.domain.custody.policy import SHIPPED, CustodyPolicy
from orchestrator.domain.custody.rules import stock_named
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.medicine.model import Medicine
from orchestrator.domain.people.model import Person, PersonId
from orchestrator.domain.people.patient import LOCAL
from orchestrator.domain.people.proofs import principal_of_person
from orchestrator.domain.reason import require_said, require_told
from orchestrator.domain.site.model import PlaceId

PAGE = 500
"""Entries read at a time."""


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
    enters : Act or None
        What a back-entry enters, where that is another act; who may do it is judged by both.
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
    enters: Act | None = None

    @property
    def done(self) -> Act:
        """What was done, whenever it is entered."""
        return self.enters or self.act

    @property
    def cupboard(self) -> Account:
        """The cupboard of the place."""
        return Account.of_place(AccountKind.CUPBOARD, self.place)


def entered(
    uow: UnitOfWork,
    entering: Entering,
    draft: Callable[[Occasion], Draft],
    *,
    least: int = 1,
) -> Entry:
    """Enter a draft into the place's register, signed by as many as the medicine's class asks for, ``least`` at least.

    Raises
    ------
    PeopleMissingError
        They are too few.
    NotAllowedError
        The policy does not let one of them do this at the place.
    BatchLooksAlikeError
        The batch differs from a known one by capital and small letters alone.
    OtherPatientError
        It is one patient's own, and another is named.
    """
    medicine = medicine_of(uow, entering.stock.medicine)
    strict = entering.policy.rule(medicine.handling_class).receivers
    entering = of_its_patient(entering, entering.stock)
    require_people(entering, least=max(least, strict))
    require_at_place(entering)
    _require_after_opening(uow, entering)
    require_no_lookalike(uow, entering.stock.medicine, entering.stock.batch, act="The entry")
    return appended(uow, entering, draft(occasion_of(entering, medicine)))


def of_its_patient(entering: Entering, stock: Stock) -> Entering:
    """Return it with the patient as the stock names them, where that is somebody's own.

    Raises
    ------
    OtherPatientError
        It names another patient than the one whose own it is.
    """
    patient, own_of = entering.facts.get("patient"), stock.own_of
    if own_of is None or not patient:
        return entering
    if own_of not in (patient, f"{LOCAL}{patient}"):
        raise OtherPatientError(
            "The entry was refused: it is one patient's own, and patient names somebody else, or names them otherwise; "
            "expected the number that own_of says. Nobody is given what another brought; if own_of is wrong, correct "
            "that.",
            detail={"field": "patient"},
        )
    return replace(entering, facts={**entering.facts, "patient": own_of})


def _require_after_opening(uow: UnitOfWork, entering: Entering) -> None:
    """Refuse a back-entry of what happened before the register was opened: it is in what was counted then.

    Raises
    ------
    OccurredAtError
        It did.
    """
    if entering.occurred_at is None:
        return
    opened_at = _opened_at(uow, entering)
    if opened_at is not None and entering.occurred_at < opened_at:
        raise OccurredAtError(
            f"The back-entry was refused: it happened before the register of {entering.place} was opened with a count; "
            "expected something later, since that count has it in it. If it was counted wrongly then, correct the "
            "opening balance.",
            detail={"field": "occurred_at", "opened_at": opened_at.isoformat()},
        )


def _opened_at(uow: UnitOfWork, entering: Entering) -> datetime | None:
    """Return when the stock was counted first, or else any of its medicine; None where it began with nothing."""
    first, after, stock = None, None, entering.stock
    while page := uow.ledger.entries(after=after, limit=PAGE, place=entering.place, medicine=stock.medicine):
        for entry in page:
            if entry.draft.kind is EntryKind.OPENING_BALANCE:
                opened = stock_named(entry.draft)
                if opened == stock:
                    return entry.draft.occurred_at
                is_of_hospital = stock.own_of is None and opened is not None and opened.own_of is None
                first = entry.draft.occurred_at if first is None and is_of_hospital else first
        after = page[-1].index
    return first


def appended(uow: UnitOfWork, entering: Entering, draft: Draft) -> Entry:
    """Put a draft into the ledger and tell that something was entered; the event says neither quantity nor patient."""
    entry = uow.ledger.append(draft, entering.at)
    uow.events.append(
        at=entering.at,
        kind="register_entered",
        subject=entering.place,
        data={"entry": entry.index, "what": draft.kind.value},
    )
    return entry


def occasion_of(entering: Entering, medicine: Medicine | None) -> Occasion:
    """Return when and where it happened and who signed, with what the headings ask for about the medicine.

    Raises
    ------
    InvalidInputError
        What was said, such as a supplier or an authority, says nothing or cannot be shown.
    """
    for name, text in entering.facts.items():
        if text:
            require_told(text, act="The entry", field=name)
    if entering.reason:
        require_said(entering.reason, act="The entry")
    said = {} if medicine is None else _facts_of(medicine)
    return Occasion(
        at=entering.occurred_at or entering.at,
        place=entering.place,
        signatures=signed_by(entering.people, acting_as=POLICY[entering.done].roles),
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


def require_register(uow: UnitOfWork, act: str) -> None:
    """Refuse an act that only a register of record takes; raises `TransitRecordError`."""
    if uow.ledger.mode is LedgerMode.TRANSIT_RECORD:
        raise TransitRecordError(
            f"{act} was refused: this ledger is a transit record and keeps what robots carry; expected a register of "
            "record. Enter it into the place's own register; a register of record starts in books without entries."
        )


def require_people(entering: Entering, *, least: int) -> None:
    """Refuse an act for which too few have proved themselves; raises `PeopleMissingError`."""
    if len(entering.people) < least:
        raise PeopleMissingError(
            f"The act “{entering.act.words}” was refused: {len(entering.people)} people have proved themselves for it; "
            f"expected {least} different ones. Have the others enter badge and PIN too.",
            detail={"needed": least, "present": len(entering.people)},
        )


def require_at_place(entering: Entering) -> None:
    """The policy decides for each of the people, at this place: about a back-entry, and about what it enters."""
    subject = Subject(entering.place, places=frozenset({entering.place}))
    for person in entering.people:
        for act in dict.fromkeys((entering.act, entering.done)):
            require_allowed(principal_of_person(person, None), act, subject)


def open_incident(
    uow: UnitOfWork,
    entering: Entering,
    kind: IncidentKind,
    sentence: str,
    *,
    ids: Ids,
    caused_by: tuple[PersonId, ...] | None = None,
) -> None:
    """Keep an incident of a register, with who was there (who signs, where nothing is said), and tell people of it."""
    medicine = medicine_of(uow, entering.stock.medicine)
    incident = Incident(
        id=IncidentId(ids.new("incident")),
        kind=kind,
        at=entering.at,
        place=entering.place,
        is_controlled=medicine.handling_class is not HandlingClass.ORDINARY,
        sentence=sentence,
        schedule=None if medicine.schedule is None else medicine.schedule.value,
        caused_by=tuple(person.id for person in entering.people) if caused_by is None else caused_by,
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
