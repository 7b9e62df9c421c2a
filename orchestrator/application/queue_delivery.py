"""Pharmacy staff queue a delivery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from orchestrator.application.delivery_changes import tell_change
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.settling import is_in_question
from orchestrator.domain.custody.approval import approved_models
from orchestrator.domain.custody.errors import ExpiredStockError, NotEligibleError, StockInQuestionError
from orchestrator.domain.custody.people import Present
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.custody.supply import WARD_STOCK, SupplyRequest, check_supply, require_may_ride
from orchestrator.domain.delivery.custody_record import Act, Carrier, CustodyRecord
from orchestrator.domain.delivery.errors import ControlledDrugsOffError
from orchestrator.domain.delivery.lifecycle import moved
from orchestrator.domain.delivery.model import (
    Delivery,
    DeliveryId,
    DeliveryState,
    Job,
    JobId,
    Line,
    LineId,
    Tote,
    ToteId,
    Transition,
)
from orchestrator.domain.delivery.readiness import missing_before_carriage
from orchestrator.domain.delivery.request import DeliveryRequest, LineRequest, check_request, check_station
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.fleet.model import LoadId, ModelId
from orchestrator.domain.medicine.expiry import is_in_date
from orchestrator.domain.medicine.handling import HandlingClass, strictest
from orchestrator.domain.medicine.model import MedicineCode, StorageKind, require_code, unknown_medicine
from orchestrator.domain.people.model import PersonId, Role
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import PlaceId, Station, StationId

VERIFIED_AT_QUEUEING = Reason(
    "verified_at_queueing", "The policy of this site takes the person who queues a delivery as the one who verified it."
)


def queue_delivery(
    uow: UnitOfWork,
    *,
    request: DeliveryRequest,
    supply: SupplyRequest = WARD_STOCK,
    at: datetime,
    ids: Ids,
    present: Present,
    premises: Premises,
    is_served: Callable[[Station], bool],
    return_to: StationId | None = None,
) -> Delivery:
    """Keep a new job with one delivery in one tote.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    request : DeliveryRequest
        What is asked for.
    supply : SupplyRequest
        For what.
    at : datetime
        Now; aware.
    ids : Ids
        Where new ids come from.
    present : Present
        Who asks.
    premises : Premises
        Stations, places and policy.
    is_served : callable
        Whether some robot of the fleet can drive to a station.
    return_to : StationId, optional
        The staffed place it comes back to; where it starts if left out.

    Returns
    -------
    Delivery
        ``verified`` when it may be carried; else ``queued``, with what it waits for.

    Raises
    ------
    WardporterError
        As `check_request` and `check_supply`; a line has expired, a robot is asked for what it may not carry, or
        whoever is named as having signed may not; then nothing is kept.
    """
    asked = replace(request, lines=tuple(_resolved(uow, line, number) for number, line in enumerate(request.lines)))
    check_request(asked, at=at, stations=premises.stations, is_served=is_served)
    _check_in_date(asked, at=at)
    _check_return(return_to, asked, premises, is_served)
    handling_class = strictest(*(line.handling_class for line in asked.lines))
    require_may_ride(_never_riding(uow, asked.lines), supply.carrier)
    models = _models(uow, asked, supply, handling_class=handling_class, premises=premises, at=at)
    is_pharmacist = Role.PHARMACIST in present.roles
    check_supply(
        supply,
        asked.lines,
        handling_class=handling_class,
        policy=premises.policy,
        is_asked_by_pharmacist=is_pharmacist,
    )
    _check_stock(uow, asked, place=premises.place(request.from_station))
    _check_signatory(uow, asked, supply, handling_class=handling_class, premises=premises, at=at)
    may_verify = premises.policy.is_verified_by_queueing and (is_pharmacist or handling_class is HandlingClass.ORDINARY)
    custody = CustodyRecord(
        supply=supply.kind,
        basis=supply.basis,
        patient=supply.patient,
        own_of_patient=supply.is_own_of_patient,
        carrier=supply.carrier,
        return_to=return_to,
        models=models,
        verified=Act(present.actor, at) if may_verify else None,
    )
    job = Job(id=JobId(ids.new("job")), requested_by=present.by, requested_at=at)
    queued = replace(_queued(asked, job=job, at=at, ids=ids, by=present.by), custody=custody)
    kept = settle_readiness(queued, premises, at=at, cause=present.by, reason=VERIFIED_AT_QUEUEING)
    uow.jobs.add(job)
    uow.deliveries.add(kept)
    tell_change(uow, kept, at=at)
    return kept


def settle_readiness(
    delivery: Delivery, premises: Premises, *, at: datetime, cause: str, reason: Reason | None = None
) -> Delivery:
    """Return a queued delivery as ``verified`` once nothing is missing, else with what it waits for."""
    missing = missing_before_carriage(delivery, premises)
    if delivery.state is not DeliveryState.QUEUED or missing:
        return replace(delivery, waiting=missing) if delivery.state is DeliveryState.QUEUED else delivery
    return moved(delivery, DeliveryState.VERIFIED, at=at, cause=cause, reason=reason)


def _resolved(uow: UnitOfWork, line: LineRequest, number: int) -> LineRequest:
    """Return a line with what the catalogue says of its code; nothing is handled less strictly than asked for.

    Whoever counts reads the words, and the pack and the ledger go by the code: so they say one thing.
    """
    if line.code is None:
        return line
    code = require_code(line.code)
    known = uow.medicines.find(code)
    if known is not None and not known.is_counted_in(line.unit):
        raise InvalidInputError(
            f"The delivery was refused: lines[{number}] counts in another unit than the catalogue; expected "
            f"{known.unit}, the smallest one. Say how many of these.",
            detail={"field": f"lines[{number}].unit", "expected": known.unit},
        )
    medicine = known or unknown_medicine(code)
    return replace(
        line,
        medicine=line.medicine if known is None else known.title,
        unit=line.unit if known is None else known.unit,
        handling_class=strictest(line.handling_class, medicine.handling_class),
        schedule=None if medicine.schedule is None else medicine.schedule.value,
        storage=medicine.storage.kind.value,
    )


def _never_riding(uow: UnitOfWork, lines: Sequence[LineRequest]) -> list[str]:
    found = (uow.medicines.get(MedicineCode(line.code)) for line in lines if line.code is not None)
    return [medicine.code for medicine in found if medicine.is_never_by_robot]


def _check_stock(uow: UnitOfWork, request: DeliveryRequest, *, place: PlaceId) -> None:
    """Refuse to supply what the place counted short or over, until somebody has settled the discrepancy."""
    for number, line in enumerate(request.lines):
        if line.code is None or line.handling_class is HandlingClass.ORDINARY:
            continue
        if is_in_question(uow, place, line.code):
            raise StockInQuestionError(
                f"The delivery was refused: the stock of lines[{number}] at {place} was counted short or over and "
                "nobody has settled that; expected a settled balance. Look into it, and record what it was.",
                detail={"field": f"lines[{number}]", "place": place},
            )


def _check_in_date(request: DeliveryRequest, *, at: datetime) -> None:
    """Refuse a line that says of itself that it will have expired: ordinary medicines are loaded as they were asked."""
    for number, line in enumerate(request.lines):
        if not is_in_date(line.expiry, None, at=max(at, request.due_by or at)):
            raise ExpiredStockError(
                f"The delivery was refused: lines[{number}] has expired, or does before it is due; expected stock that "
                "is in date. Set it apart and pick another pack.",
                detail={"field": f"lines[{number}].expiry", "expiry": str(line.expiry)},
            )


def _check_return(
    return_to: StationId | None, request: DeliveryRequest, premises: Premises, is_served: Callable[[Station], bool]
) -> None:
    """Refuse a return to where no robot can bring it, or to the very people who turned it away."""
    if return_to is None:
        return
    check_station(return_to, field="return_to", stations=premises.stations, is_served=is_served)
    place = premises.place(return_to)
    if place == premises.place(request.to_station):
        raise InvalidInputError(
            f"The delivery was refused: return_to {return_to} is a station of {place}, where it goes to; expected a "
            "staffed place elsewhere, for what that place does not take. Name another, or leave return_to out to have "
            "it brought back to where it starts.",
            detail={"field": "return_to", "station": return_to, "place": place},
        )


def _check_signatory(
    uow: UnitOfWork,
    request: DeliveryRequest,
    supply: SupplyRequest,
    *,
    handling_class: HandlingClass,
    premises: Premises,
    at: datetime,
) -> None:
    """Refuse a basis that somebody signed who may not ask for medicines of this class for that place."""
    if supply.basis is None or supply.basis.requested_by is None:
        return
    place = premises.place(request.to_station)
    fits, who = premises.staff_of(place, handling_class)
    signatory = uow.people.get(PersonId(supply.basis.requested_by))
    if not signatory.is_active(at) or signatory.has(Role.ACCOUNTABLE_OFFICER) or not fits(signatory):
        raise NotEligibleError(
            f"The delivery was refused: {signatory.id} is not on the list of those who may ask for it; expected {who}. "
            "Have it signed by one of them.",
            detail={"person": signatory.id, "place": place},
        )


def _models(
    uow: UnitOfWork,
    request: DeliveryRequest,
    supply: SupplyRequest,
    *,
    handling_class: HandlingClass,
    premises: Premises,
    at: datetime,
) -> tuple[ModelId, ...]:
    """Return the robot models that may carry it; none means any. Refuse a robot where an approval is missing."""
    if supply.carrier is Carrier.MESSENGER or not premises.rule(handling_class).needs_carriage_approval:
        return ()
    models = approved_models(
        uow.approvals.all(),
        handling_class=handling_class,
        from_place=premises.place(request.from_station),
        to_place=premises.place(request.to_station),
        at=at,
    )
    if not models:
        raise controlled_drugs_off(premises.place(request.from_station), premises.place(request.to_station))
    return models


def controlled_drugs_off(from_place: PlaceId, to_place: PlaceId) -> ControlledDrugsOffError:
    """Return the refusal of a robot for controlled medicines on a route without a standing approval."""
    return ControlledDrugsOffError(
        f"The delivery was refused: it holds a controlled medicine, and robots carry none from {from_place} to "
        f"{to_place}: no approval of the accountable officer is on record for it. Send a messenger: queue it with "
        "supply.carrier messenger.",
        detail={"field": "lines", "offered": Carrier.MESSENGER.value, "from": from_place, "to": to_place},
    )


def _queued(request: DeliveryRequest, *, job: Job, at: datetime, ids: Ids, by: str) -> Delivery:
    delivery = DeliveryId(ids.new("delivery"))
    lines = tuple(_line(line, ids) for line in request.lines)
    tote = Tote(ToteId(ids.new("tote")), tuple(line.id for line in lines))
    return Delivery(
        id=delivery,
        job=job.id,
        from_station=request.from_station,
        to_station=request.to_station,
        priority=request.priority,
        lines=lines,
        load=LoadId(tote.id),
        totes=(tote,),
        state=DeliveryState.QUEUED,
        queued_at=at,
        due_by=None if request.due_by is None else request.due_by.astimezone(UTC),
        is_critical=request.is_critical,
        history=(Transition(at=at, before=None, after=DeliveryState.QUEUED, cause=by),),
    )


def _line(asked: LineRequest, ids: Ids) -> Line:
    return Line(
        id=LineId(ids.new("line")),
        medicine=asked.medicine,
        quantity=asked.quantity,
        unit=asked.unit,
        batch=asked.batch,
        expiry=asked.expiry,
        handling_class=asked.handling_class,
        code=asked.code,
        schedule=asked.schedule,
        storage=StorageKind(asked.storage).value,
    )
