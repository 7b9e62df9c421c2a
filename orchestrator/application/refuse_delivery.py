"""Deliveries that turn back: refused on the ward, the patient has moved, a batch recalled, nobody there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from orchestrator.application.delivery_changes import keep_change
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.recorded_acts import record_event
from orchestrator.domain.custody.people import Present, require_people
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.delivery.counting import is_being_counted, require_count_finished
from orchestrator.domain.delivery.lifecycle import moved, require_state
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState
from orchestrator.domain.reason import Reason, require_said
from orchestrator.domain.site.model import PlaceId

REFUSED = "refused_by_ward"
NOBODY_ANSWERED = Reason("nobody_answered", "Nobody received it in time; it goes back to a staffed place.")
RECALLED = Reason("recalled", "A batch in it is recalled; it comes back unopened and is set apart.")
PATIENT_MOVED = Reason("patient_moved", "The patient is no longer there; it comes back and is queued anew.")
NOT_ELSEWHERE = Reason("reroute_ended", "It goes to no other ward; it comes back to a staffed place.")

BEFORE_SEALING = (DeliveryState.QUEUED, DeliveryState.VERIFIED, DeliveryState.ASSIGNED, DeliveryState.LOADING)
ABOARD = (DeliveryState.SEALED, DeliveryState.IN_TRANSIT, DeliveryState.ARRIVED)


def refuse_delivery(
    uow: UnitOfWork, *, delivery: DeliveryId, reason: str, at: datetime, present: Present, premises: Premises
) -> Delivery:
    """Record that the ward does not take a delivery that stands before it; it goes back unopened.

    Raises
    ------
    UnknownDeliveryError, WrongStateError, InvalidInputError
        There is no such delivery, it has not arrived, or the reason says nothing.
    CountUnfinishedError
        It was opened, and is to be counted once more.
    NotEligibleError
        Who refuses is not of that ward.
    """
    act = "The refusal"
    require_said(reason, act=act)
    standing = uow.deliveries.get(delivery)
    require_state(standing, DeliveryState.ARRIVED, act=act, next_step="Refuse it when it stands there, or cancel it.")
    place = premises.place(standing.to_station)
    fits, who = premises.staff_of(place, standing.handling_class)
    require_people(present, wanted=1, fits=fits, who=who, act=act, handling_class=standing.handling_class, at=at)
    require_count_finished(standing, act=act)
    record_event(uow, standing, "refused", at=at, place=place, present=present, reason=reason)
    refused = moved(standing, DeliveryState.RETURNING, at=at, cause=present.actor, reason=Reason(REFUSED, reason))
    keep_change(uow, refused, at=at)
    return refused


def turn_back(
    uow: UnitOfWork, delivery: Delivery, reason: Reason, *, at: datetime, by: str, place: PlaceId
) -> Delivery:
    """Return a delivery that goes no further: cancelled while nothing is sealed, else on its way back unopened.

    What is closed, on its way back for good, in a person's hands, or opened and being counted stays as it is.
    """
    if is_being_counted(delivery):
        return delivery
    if delivery.state in BEFORE_SEALING:
        after = moved(delivery, DeliveryState.CANCELLED, at=at, cause=by, reason=reason)
    elif delivery.state in ABOARD:
        record_event(uow, delivery, reason.code, at=at, place=place, present=Present(by), reason=reason.sentence)
        after = moved(delivery, DeliveryState.RETURNING, at=at, cause=by, reason=reason)
    elif delivery.custody.reroute is not None:
        after = not_elsewhere(uow, delivery, reason, at=at, present=Present(by), place=place)
    else:
        return delivery
    keep_change(uow, after, at=at)
    return after


def not_elsewhere(
    uow: UnitOfWork, delivery: Delivery, reason: Reason, *, at: datetime, present: Present, place: PlaceId
) -> Delivery:
    """Return a delivery on its way back that was to go to another ward, and goes there no longer."""
    record_event(uow, delivery, NOT_ELSEWHERE.code, at=at, place=place, present=present, reason=reason.sentence)
    custody = replace(delivery.custody, reroute=None, acceptance=None)
    return replace(delivery, custody=custody, waiting=(NOT_ELSEWHERE, reason))


def patient_moved(
    uow: UnitOfWork, *, delivery: DeliveryId, at: datetime, present: Present, premises: Premises
) -> Delivery:
    """Record that the patient is no longer where a delivery goes: it is never brought to the old bed.

    Raises
    ------
    UnknownDeliveryError, WrongStateError
        There is no such delivery, or it is closed, on its way back for good, or in a person's hands.
    CountUnfinishedError
        It was opened, and is to be counted once more.
    """
    act = "The change"
    wanted = uow.deliveries.get(delivery)
    may_go_on = () if wanted.custody.reroute is None else (DeliveryState.RETURNING,)
    require_state(wanted, *BEFORE_SEALING, *ABOARD, *may_go_on, act=act, next_step="Nothing is left to turn back.")
    require_count_finished(wanted, act=act)
    return turn_back(uow, wanted, PATIENT_MOVED, at=at, by=present.actor, place=premises.place(wanted.to_station))
