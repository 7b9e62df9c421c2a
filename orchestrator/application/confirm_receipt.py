"""People on the ward, or back at the pharmacy, take the medicines out, count and sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.application.delivery_changes import keep_change
from orchestrator.application.fridge import is_spoilt
from orchestrator.application.grants import require_opened_if_controlled
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.receiving import Received, kept_apart, seal_read, settled_lines
from orchestrator.application.recorded_acts import is_standing, open_incident, open_lines, record_event
from orchestrator.domain.custody.errors import BreakGlassOffError
from orchestrator.domain.custody.grant import Purpose
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.people import Present, require_people
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.delivery.counting import check_counted_lines, check_seal_form, lines_that_differ
from orchestrator.domain.delivery.errors import WrongStateError
from orchestrator.domain.delivery.lifecycle import moved, require_state
from orchestrator.domain.delivery.model import (
    Delivery,
    DeliveryId,
    DeliveryState,
    LineCount,
    LineId,
    Receipt,
    StopKind,
)
from orchestrator.domain.people.model import PersonId
from orchestrator.domain.reason import Reason, require_said
from orchestrator.domain.site.model import PlaceId

ACT = "The receipt"

RECEIVED_DIFFERENT = Reason(
    "received_different", "What was counted out differs from what was sealed; the pharmacy follows it up."
)
PARTLY_REFUSED = Reason("partly_refused", "Some lines were refused; they return under a new seal.")
COUNT_AGAIN = Reason("count_again", "Count each line once more, together; both counts are kept.")


@dataclass(frozen=True, slots=True)
class Reading:
    """What people found: the seal as read, whether it was broken, and a count of each line.

    ``refused`` are lines that they do not take and that go back under ``new_seal``; ``wrong`` are lines that hold
    something else than they should. ``emergency`` is why one person opens alone what takes two.
    """

    seal_number: str
    counts: tuple[LineCount, ...]
    is_seal_broken: bool = False
    refused: tuple[LineId, ...] = ()
    wrong: tuple[LineId, ...] = ()
    new_seal: str | None = None
    emergency: str | None = None


def confirm_receipt(
    uow: UnitOfWork,
    *,
    delivery: DeliveryId,
    reading: Reading,
    at: datetime,
    present: Present,
    premises: Premises,
    ids: Ids,
) -> Delivery:
    """Record who took the medicines out, the seal they read and what they counted.

    A delivery that arrived, or that a runner brought, becomes ``received``, one that came back ``returned``. The
    counted quantity stands and a difference is on record. What is counted blind is counted once more before that: then
    the delivery stays as it is and says so in ``waiting``, as it does when a seal is to be read once more.

    Raises
    ------
    UnknownDeliveryError, WrongStateError
        There is no such delivery, or it does not stand where it is handed over.
    NotEligibleError, PeopleMissingError, SamePersonError, BreakGlassOffError
        The people may not receive it here, are too few, or one alone may not open it.
    LinesMismatchError, InvalidInputError
        The counts do not name the lines, each once, or the seal number cannot be one.
    SealMismatchError
        The seal of ordinary medicines is not the one put on; the message never tells the right one.
    """
    standing = uow.deliveries.get(delivery)
    place = _place_of_handover(uow, standing, present, premises)
    _require_receivers(standing, reading, present, premises, place=place, at=at)
    if standing.state is DeliveryState.ARRIVED:
        require_opened_if_controlled(uow, standing, Purpose.HAND_OVER, Purpose.RECOUNT, act=ACT)
    elif standing.state is DeliveryState.RETURNING:
        require_opened_if_controlled(uow, standing, Purpose.TAKE_BACK, act=ACT)
    check_seal_form(reading.seal_number, act=ACT)
    lines = open_lines(standing)
    check_counted_lines(standing, reading.counts, act=ACT, lines=lines)
    _check_named(reading, standing)
    is_return = place != premises.place(standing.to_station)
    handover = Received(standing, at=at, place=place, present=present, ids=ids, is_return=is_return)
    sealed = seal_read(uow, handover, reading.seal_number, is_broken=reading.is_seal_broken)
    if sealed is not None:
        keep_change(uow, sealed, at=at)
        return sealed
    if _is_to_be_counted_again(standing, reading, premises):
        custody = replace(standing.custody, first_counts=reading.counts)
        counted = replace(standing, custody=custody, waiting=(COUNT_AGAIN,))
        record_event(uow, standing, "counted_first", at=at, place=place, present=present)
        keep_change(uow, counted, at=at)
        return counted
    return _settled(uow, handover, reading, premises)


def _settled(uow: UnitOfWork, handover: Received, reading: Reading, premises: Premises) -> Delivery:
    at, place, present, ids = handover.at, handover.place, handover.present, handover.ids
    before = handover.delivery
    if reading.emergency is not None:
        sentence = "Opened by one person alone in an emergency; a second person was not there."
        # Where its drawer was granted to one person alone, that was the incident already.
        if not is_standing(uow, before.id, IncidentKind.BREAK_GLASS):
            open_incident(
                uow, before, IncidentKind.BREAK_GLASS, sentence, at=at, ids=ids, place=place, caused_by=present.ids
            )
    if reading.is_seal_broken:
        kept_apart(uow, handover, IncidentKind.SEAL_BROKEN, "The seal was broken; the contents were counted.")
    spoilt = is_spoilt(uow, before, at=at)
    settled = settled_lines(uow, handover, reading.counts, refused=reading.refused, wrong=reading.wrong, spoilt=spoilt)
    differs = _differs(before, reading.counts)
    receipt = before.receipt or Receipt(
        at=at,
        by=present.actor,
        counts=reading.counts,
        is_short_or_over=differs,
    )
    custody = replace(
        settled.custody,
        receivers=present.ids,
        opened_by_emergency=reading.emergency or settled.custody.opened_by_emergency,
    )
    totes = tuple(replace(tote, seal_read=reading.seal_number) for tote in settled.totes)
    counted = replace(settled, receipt=receipt, custody=custody, totes=totes)
    if open_lines(counted):
        assert reading.new_seal is not None, "refused lines go back under a new seal"
        resealed = replace(counted, totes=tuple(replace(tote, seal_number=reading.new_seal) for tote in counted.totes))
        after = moved(resealed, DeliveryState.RETURNING, at=at, cause=present.actor, reason=PARTLY_REFUSED)
    else:
        end = DeliveryState.RETURNED if handover.is_return else DeliveryState.RECEIVED
        released = replace(counted, custody=replace(custody, accountable=None))
        if before.state is DeliveryState.HANDED_TO_RUNNER:
            released = released.out_of_drawer()
        after = moved(released, end, at=at, cause=present.actor, reason=RECEIVED_DIFFERENT if differs else None)
    keep_change(uow, after, at=at)
    return after


def _place_of_handover(uow: UnitOfWork, delivery: Delivery, present: Present, premises: Premises) -> PlaceId:
    """Return the place where it is handed over; refuse a delivery that stands nowhere for it."""
    require_state(
        delivery,
        DeliveryState.ARRIVED,
        DeliveryState.RETURNING,
        DeliveryState.HANDED_TO_RUNNER,
        act=ACT,
        next_step="Confirm when its robot stands at the station.",
    )
    back = premises.place(delivery.returns_to)
    if delivery.state is DeliveryState.RETURNING:
        _require_back_at_station(uow, delivery)
        return back
    is_brought_back = delivery.state is DeliveryState.HANDED_TO_RUNNER and any(
        person.belongs_to(back) for person in present.people
    )
    return back if is_brought_back else premises.place(delivery.to_station)


def _require_receivers(
    delivery: Delivery, reading: Reading, present: Present, premises: Premises, *, place: PlaceId, at: datetime
) -> None:
    handling_class = delivery.handling_class
    wanted = premises.rule(handling_class).receivers
    if reading.emergency is not None:
        require_said(reading.emergency, act=ACT)
        if not premises.policy.may_break_glass:
            raise BreakGlassOffError(
                f"{ACT} was refused: one person alone may not open this here; expected {wanted} people. Call the nurse "
                "in charge or the site manager to be the second.",
                detail={"delivery": delivery.id},
            )
        wanted = 1
    fits, who = premises.staff_of(place, handling_class)
    require_people(present, wanted=wanted, fits=fits, who=who, act=ACT, handling_class=handling_class, at=at)


def _check_named(reading: Reading, delivery: Delivery) -> None:
    """Refuse lines named as refused or wrong that are not there, and refused ones without a new seal."""
    check_counted_lines(
        delivery,
        [count for count in reading.counts if count.line in (*reading.refused, *reading.wrong)],
        act=ACT,
        lines=[line for line in open_lines(delivery) if line.id in (*reading.refused, *reading.wrong)],
    )
    check_seal_form(reading.new_seal or ("" if reading.refused else "none"), act=ACT)


def _is_to_be_counted_again(delivery: Delivery, reading: Reading, premises: Premises) -> bool:
    is_blind = premises.rule(delivery.handling_class).is_count_blind
    return is_blind and not delivery.custody.first_counts and _differs(delivery, reading.counts)


def _differs(delivery: Delivery, counts: Sequence[LineCount]) -> bool:
    """Whether the counts differ from what was sealed; what a runner took unsealed is compared with what was asked."""
    sent = [LineCount(line.id, line.quantity) for line in open_lines(delivery)]
    return bool(lines_that_differ(counts, sent if delivery.loading is None else delivery.loading.counts))


def _require_back_at_station(uow: UnitOfWork, delivery: Delivery) -> None:
    trip = None if delivery.trip is None else uow.trips.get(delivery.trip)
    if trip is not None and trip.has_arrived and trip.stops:
        stop = trip.stops[0]
        if stop.kind is StopKind.TAKE_BACK and delivery.id in stop.deliveries:
            return
    raise WrongStateError(
        f"{ACT} was refused: delivery {delivery.id} is on its way back; expected its robot to stand at the station "
        "that takes it back. Confirm when it is there.",
        detail={"delivery": delivery.id, "state": delivery.state.value},
    )


def named_people(people: Sequence[str]) -> tuple[PersonId, ...]:
    """Return ids of people as the domain has them."""
    return tuple(PersonId(person) for person in people)
