"""Medicines that are kept cold: how long they were out of the fridge, and whether they are in one again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.application.delivery_changes import keep_change
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.recorded_acts import open_incident, record_event
from orchestrator.domain.custody.errors import NotReadyError
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.people import Present, require_people
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.delivery.custody_record import Act
from orchestrator.domain.delivery.lifecycle import require_state
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState, Line, LineId
from orchestrator.domain.medicine.model import MedicineCode, StorageKind
from orchestrator.domain.reason import require_said

WARM = "It left its temperature, or its logger is silent, which counts as the same; what is kept cold is set apart."
"""What everybody is told; who reported it may have named a patient, so their words are for few."""

BUDGET_UNKNOWN_MIN = 60
"""Minutes out of the fridge where the catalogue does not say how many a medicine bears."""


def is_cold(line: Line) -> bool:
    """Whether a line is kept in a fridge."""
    return line.storage == StorageKind.FRIDGE.value


def warm_by(uow: UnitOfWork, delivery: Delivery, line: Line) -> datetime | None:
    """Return when a line will have been out of the fridge for too long; None while it is in one."""
    out_at = delivery.custody.out_of_fridge_at
    if out_at is None or not is_cold(line):
        return None
    medicine = None if line.code is None else uow.medicines.find(MedicineCode(line.code))
    budget_min = medicine.storage.out_of_fridge_min if medicine is not None else None
    return out_at + timedelta(minutes=BUDGET_UNKNOWN_MIN if budget_min is None else budget_min)


def is_spoilt(uow: UnitOfWork, delivery: Delivery, *, at: datetime) -> tuple[LineId, ...]:
    """Return the cold lines that were out of the fridge for too long, or left their temperature on the way."""
    spoilt: list[LineId] = []
    for line in (line for line in delivery.lines if is_cold(line)):
        by = warm_by(uow, delivery, line)
        if delivery.custody.excursion is not None or (by is not None and at > by):
            spoilt.append(line.id)
    return tuple(spoilt)


def confirm_in_fridge(
    uow: UnitOfWork, *, delivery: DeliveryId, at: datetime, present: Present, premises: Premises
) -> Delivery:
    """Record that what was received cold is in a fridge again; again changes nothing.

    Raises
    ------
    UnknownDeliveryError, WrongStateError, NotReadyError
        There is no such delivery, it was not received, or nothing of it is kept cold.
    NotEligibleError
        Who says so does not belong there.
    """
    act = "The confirmation"
    received = uow.deliveries.get(delivery)
    require_state(
        received,
        DeliveryState.RECEIVED,
        DeliveryState.RETURNED,
        act=act,
        next_step="Confirm once it was received.",
    )
    if not any(is_cold(line) for line in received.lines):
        raise NotReadyError(
            f"{act} was refused: nothing of delivery {delivery} is kept in a fridge; expected a fridge item. Nothing "
            "is to be done.",
            detail={"delivery": delivery},
        )
    if received.custody.in_fridge is not None:
        return received
    is_back = received.state is DeliveryState.RETURNED
    place = premises.place(received.returns_to if is_back else received.to_station)
    fits, who = premises.staff_of(place, received.handling_class)
    require_people(present, wanted=1, fits=fits, who=who, act=act, handling_class=received.handling_class, at=at)
    custody = replace(received.custody, in_fridge=Act(present.actor, at), out_of_fridge_at=None)
    cold = replace(received, custody=custody)
    keep_change(uow, cold, at=at)
    return cold


def report_excursion(
    uow: UnitOfWork, *, delivery: DeliveryId, sentence: str, at: datetime, by: str, premises: Premises, ids: Ids
) -> Delivery:
    """Record that a delivery left its temperature, or that its logger has gone silent, which counts as the same.

    Raises
    ------
    UnknownDeliveryError, WrongStateError, InvalidInputError
        There is no such delivery, it is not on its way, or the sentence says nothing.
    """
    act = "The report"
    require_said(sentence, act=act)
    carried = uow.deliveries.get(delivery)
    require_state(
        carried,
        DeliveryState.SEALED,
        DeliveryState.IN_TRANSIT,
        DeliveryState.ARRIVED,
        DeliveryState.RETURNING,
        DeliveryState.HANDED_TO_RUNNER,
        act=act,
        next_step="Set apart what is in question, and tell the pharmacy.",
    )
    if carried.custody.excursion is not None:
        return carried
    warm = replace(carried, custody=replace(carried.custody, excursion=sentence))
    place = premises.place(carried.to_station)
    record_event(uow, carried, "temperature", at=at, place=place, present=Present(by), reason=sentence)
    open_incident(uow, carried, IncidentKind.TEMPERATURE, WARM, at=at, ids=ids, place=place, details=sentence)
    keep_change(uow, warm, at=at)
    return warm
