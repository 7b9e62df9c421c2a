"""What custody writes down: entries of the ledger for what people do with a delivery, and incidents.

Entries are kept for every line that is handled more strictly than ordinary medicines are; see
`orchestrator.domain.custody.movements`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.domain.custody import movements
from orchestrator.domain.custody.incident import Incident, IncidentId, IncidentKind
from orchestrator.domain.custody.model import AccountKind, PendingId, Stock
from orchestrator.domain.custody.movements import Occasion, signed_by
from orchestrator.domain.custody.pending import Pending
from orchestrator.domain.custody.people import Present
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.delivery.custody_record import LineEnd, SettledLine
from orchestrator.domain.delivery.errors import WrongStateError
from orchestrator.domain.delivery.model import Delivery, DeliveryId, Line, LineCount, ToteId
from orchestrator.domain.delivery.paper import PaperForm
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.medicine.model import MedicineCode
from orchestrator.domain.medicine.schedule import Schedule
from orchestrator.domain.people.model import PersonId
from orchestrator.domain.site.model import PlaceId

INCIDENT_OPENED = "incident_opened"
UNREAD_BATCH = "unread"
"""The batch of stock whose batch nobody read."""


def is_on_ledger(line: Line) -> bool:
    """Whether a line's units are on the ledger."""
    return line.handling_class is not HandlingClass.ORDINARY


def is_for_officer(line: Line) -> bool:
    """Whether what goes wrong with a line is an incident: it is on the ledger, or a controlled drug of any schedule.

    The quarterly report covers schedules 2 to 5, and most of 4 and 5 are handled as ordinary medicines are.
    """
    return is_on_ledger(line) or (line.schedule is not None and Schedule(line.schedule).number > 0)


def stock_of(delivery: Delivery, line: Line) -> Stock:
    """Return what a line counts: its medicine, the batch that was picked, and whose own it is."""
    picked = delivery.custody.picked(line.id)
    batch = (picked.batch if picked is not None else line.batch) or UNREAD_BATCH
    own_of = delivery.custody.patient if delivery.custody.own_of_patient else None
    return Stock(line.code or line.medicine, batch, own_of)


def facts_of(uow: UnitOfWork, delivery: Delivery, line: Line) -> dict[str, str]:
    """Return what a register's headings ask for about a line."""
    medicine = None if line.code is None else uow.medicines.find(MedicineCode(line.code))
    basis, patient = delivery.custody.basis, delivery.custody.patient
    facts: dict[str, str | None] = {
        "name": medicine.name if medicine else line.medicine,
        "form": medicine.form if medicine else None,
        "strength": medicine.strength if medicine else None,
        "class": medicine.drug_class if medicine else None,
        "unit": line.unit,
        "schedule": line.schedule,
        "handling_class": line.handling_class.value,
        "basis": basis.kind.value if basis else None,
        "requisition": basis.reference if basis else None,
        "requested_by": basis.requested_by if basis else None,
        "patient": patient,
        "seal": delivery.tote_of(line.id).seal_number,
        "robot": delivery.robot,
        "drawer": delivery.drawer,
        "from_station": delivery.from_station,
        "to_station": delivery.to_station,
    }
    return {name: text for name, text in facts.items() if text}


def record_sealing(uow: UnitOfWork, delivery: Delivery, *, at: datetime, present: Present, premises: Premises) -> None:
    """Write that each line left the cupboard, and that its receipt is pending."""
    place, to_place = premises.place(delivery.from_station), premises.place(delivery.to_station)
    for line in (line for line in delivery.lines if is_on_ledger(line)):
        uow.ledger.append(
            movements.sealed(
                stock_of(delivery, line),
                line.quantity,
                pending=PendingId(line.id),
                tote=delivery.tote_of(line.id).id,
                to_place=to_place,
                occasion=_occasion(uow, delivery, line, at=at, place=place, present=present),
            ),
            at,
        )


def record_resealing(
    uow: UnitOfWork,
    before: Delivery,
    after: Delivery,
    *,
    at: datetime,
    place: PlaceId,
    to_place: PlaceId,
    present: Present,
) -> None:
    """Write which lines lie in another tote than before; they are on their way to ``to_place``."""
    for line in after.lines:
        tote = after.tote_of(line.id).id
        if not is_on_ledger(line) or before.tote_of(line.id).id == tote:
            continue
        draft = movements.resealed(
            _pending_of(uow, before, line),
            reopened=_id_in(line, tote),
            tote=tote,
            to_place=to_place,
            occasion=_occasion(uow, after, line, at=at, place=place, present=present),
        )
        uow.ledger.append(draft, at)


def record_rerouting(
    uow: UnitOfWork, delivery: Delivery, *, to_place: PlaceId, accepted_by: PersonId, at: datetime
) -> None:
    """Write of each line on its way that it goes to another place from now on; its receipt stays pending.

    It stands in the register of that place, where somebody has signed the acceptance.
    """
    for line in (line for line in open_lines(delivery) if is_on_ledger(line)):
        pending = _pending_of(uow, delivery, line)
        if pending.to_place != to_place:
            occasion = _occasion(uow, delivery, line, at=at, place=to_place, present=Present("dispatch"))
            moved_on = movements.rerouted(pending, to_place=to_place, accepted_by=accepted_by, occasion=occasion)
            uow.ledger.append(moved_on, at)


def record_line_end(
    uow: UnitOfWork,
    delivery: Delivery,
    settled: SettledLine,
    *,
    at: datetime,
    place: PlaceId,
    present: Present,
    is_counted: bool = True,
    paper: PaperForm | None = None,
) -> None:
    """Write how a line ended, by ``paper`` where that was signed before; its pending posting is resolved once."""
    line = next(line for line in delivery.lines if line.id == settled.line)
    if not is_on_ledger(line):
        return
    pending = _pending_of(uow, delivery, line)
    reason = settled.reason or ""
    occasion = _occasion(uow, delivery, line, at=at, place=place, present=present, reason=reason)
    if paper is not None:
        occasion = replace(occasion, at=paper.occurred_at, facts={**occasion.facts, **paper.facts})
    counted = settled.quantity if is_counted else None
    if settled.end is LineEnd.RECEIVED:
        draft = movements.received(pending, occasion)
    elif settled.end is LineEnd.RECEIVED_DIFFERENT:
        # Set apart until somebody has looked into it; the cupboard gets what is beyond doubt only.
        draft = movements.received_different(
            pending, counted=settled.quantity, occasion=occasion, into=AccountKind.QUARANTINE
        )
    elif settled.end is LineEnd.QUARANTINED:
        draft = movements.quarantined(pending, occasion, counted=counted)
    else:
        draft = movements.returned(pending, occasion, counted=counted)
    uow.ledger.append(draft, at)


def record_event(
    uow: UnitOfWork,
    delivery: Delivery,
    event: str,
    *,
    at: datetime,
    place: PlaceId,
    present: Present,
    reason: str = "",
    facts: Mapping[str, str] | None = None,
    occurred_at: datetime | None = None,
) -> None:
    """Write something that moves no units, where a line of the delivery is on the ledger.

    ``occurred_at`` is when it happened, where that was earlier than it is recorded.
    """
    if not any(is_on_ledger(line) for line in delivery.lines):
        return
    occasion = Occasion(
        at=occurred_at or at,
        place=place,
        signatures=signed_by(present.people),
        delivery=delivery.id,
        reason=reason,
        facts=dict(facts or {}),
    )
    uow.ledger.append(movements.custody_event(event, occasion), at)


def open_incident(
    uow: UnitOfWork,
    delivery: Delivery,
    kind: IncidentKind,
    sentence: str,
    *,
    at: datetime,
    ids: Ids,
    place: PlaceId,
    caused_by: tuple[PersonId, ...] = (),
    details: str = "",
    about: Collection[Line] | None = None,
) -> Incident:
    """Keep an incident and tell people of it; of a controlled drug it is told to the accountable officer too.

    The ``sentence`` goes into the event stream; ``details`` are for pharmacists and the accountable officer alone.
    ``about`` are the lines that it is about, all of the delivery's where nobody knows better.
    """
    lines = delivery.lines if about is None else about
    incident = Incident(
        id=IncidentId(ids.new("incident")),
        kind=kind,
        at=at,
        place=place,
        is_controlled=any(is_for_officer(line) for line in lines),
        sentence=sentence,
        details=details,
        delivery=delivery.id,
        schedule=_strictest_schedule(lines),
        caused_by=caused_by,
    )
    keep_incident(uow, incident)
    return incident


def _strictest_schedule(lines: Collection[Line]) -> str | None:
    """Return the strictest legal schedule among lines; that of what is no controlled drug is looser than any."""
    schedules = [Schedule(line.schedule) for line in lines if line.schedule is not None]
    controlled = [schedule for schedule in schedules if schedule.number]
    found = min(controlled or schedules, key=lambda schedule: (schedule.number, schedule.value), default=None)
    return None if found is None else found.value


def keep_incident(uow: UnitOfWork, incident: Incident) -> None:
    """Keep an incident and tell people of it, but not its details."""
    uow.incidents.add(incident)
    uow.events.append(
        at=incident.at,
        kind=INCIDENT_OPENED,
        subject=incident.id,
        data={
            "kind": incident.kind.value,
            "delivery": incident.delivery,
            "place": incident.place,
            "is_controlled": incident.is_controlled,
            "sentence": incident.sentence,
        },
    )


def is_standing(uow: UnitOfWork, delivery: DeliveryId, kind: IncidentKind) -> bool:
    """Whether an incident of a kind is open for a delivery."""
    return any(known.kind is kind and not known.is_closed for known in uow.incidents.of_delivery(delivery))


def settle(
    uow: UnitOfWork,
    delivery: Delivery,
    settled: SettledLine,
    *,
    place: PlaceId,
    present: Present,
    is_counted: bool = True,
    paper: PaperForm | None = None,
) -> Delivery:
    """Return the delivery with one more line ended, the end written into the ledger; a line ends once.

    Raises
    ------
    WrongStateError
        The line has ended already.
    """
    if delivery.custody.ended(settled.line) is not None:
        raise WrongStateError(
            f"The act was refused: line {settled.line} of delivery {delivery.id} has ended already; a line ends once. "
            "Look at its history.",
            detail={"delivery": delivery.id, "line": settled.line},
        )
    record_line_end(
        uow, delivery, settled, at=settled.at, place=place, present=present, is_counted=is_counted, paper=paper
    )
    custody = replace(delivery.custody, settled=(*delivery.custody.settled, settled))
    return replace(delivery, custody=custody)


def open_lines(delivery: Delivery) -> tuple[Line, ...]:
    """Return the lines that have not ended."""
    return tuple(line for line in delivery.lines if delivery.custody.ended(line.id) is None)


def quantity_in(counts: tuple[LineCount, ...], line: Line) -> int:
    """Return the count of a line."""
    return next(count.quantity for count in counts if count.line == line.id)


def _id_in(line: Line, tote: ToteId) -> PendingId:
    """Return under which id a line is pending that was sealed into a tote after it had left."""
    return PendingId(f"{line.id} in {tote}")


def _pending_of(uow: UnitOfWork, delivery: Delivery, line: Line) -> Pending:
    anew = uow.ledger.find_pending(_id_in(line, delivery.tote_of(line.id).id))
    return uow.ledger.pending(PendingId(line.id)) if anew is None else anew


def _occasion(
    uow: UnitOfWork,
    delivery: Delivery,
    line: Line,
    *,
    at: datetime,
    place: PlaceId,
    present: Present,
    reason: str = "",
) -> Occasion:
    return Occasion(
        at=at,
        place=place,
        signatures=signed_by(present.people),
        delivery=delivery.id,
        line=line.id,
        reason=reason,
        facts=facts_of(uow, delivery, line),
    )
