"""People on the ward, or back at the pharmacy, take the medicines out, count and sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from orchestrator.application.delivery_changes import keep_change
from orchestrator.application.first_reading import (
    counted_first,
    counted_otherwise,
    found_kept,
    is_to_be_counted_again,
)
from orchestrator.application.fridge import is_spoilt
from orchestrator.application.grants import require_opened_if_controlled
from orchestrator.application.handover_place import check_said_place, place_by_hand
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.reading import Reading
from orchestrator.application.recalls import recalled_lines
from orchestrator.application.receiving import (
    SEAL_AGAIN,
    SEAL_DIFFERS,
    Received,
    entered_late,
    seals_noted,
    settled_lines,
    unopened_set_apart,
)
from orchestrator.application.recorded_acts import is_on_ledger, open_lines, record_event, record_resealing
from orchestrator.application.seals_in_use import check_seal_is_new
from orchestrator.domain.custody.errors import BreakGlassOffError
from orchestrator.domain.custody.grant import Purpose
from orchestrator.domain.custody.people import Present, require_people
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.delivery.counting import check_counted_lines, check_seal_form
from orchestrator.domain.delivery.errors import WrongStateError
from orchestrator.domain.delivery.lifecycle import moved, require_state
from orchestrator.domain.delivery.model import (
    Delivery,
    DeliveryId,
    DeliveryState,
    Line,
    LineCount,
    LineId,
    Receipt,
    StopKind,
    ToteId,
)
from orchestrator.domain.delivery.packing import repacked
from orchestrator.domain.delivery.seals import Seals, judged, left_unopened, seals_named
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.people.model import PersonId
from orchestrator.domain.reason import Reason, require_said
from orchestrator.domain.site.model import PlaceId

ACT = "The receipt"

RECEIVED_DIFFERENT = Reason(
    "received_different", "What was counted out differs from what was sealed; the pharmacy follows it up."
)
PARTLY_REFUSED = Reason("partly_refused", "Some lines were refused; they return under a new seal.")


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
    """Record who took the medicines out, the seals they read and what they counted.

    A delivery that arrived, or that a runner brought, becomes ``received``, one that came back ``returned``. The
    counted quantity stands and a difference is on record. What is counted blind is counted once more before that: then
    the delivery stays as it is and says so in ``waiting``, as it does when a seal is to be read once more. A tote whose
    seal differs again stays unopened and goes back, or is set apart; the others are received.

    Raises
    ------
    UnknownDeliveryError, WrongStateError
        There is no such delivery, or it does not stand where it is handed over.
    NotEligibleError, PeopleMissingError, SamePersonError, BreakGlassOffError
        The people may not receive it here, are too few, or one alone may not open it.
    LinesMismatchError, InvalidInputError
        The counts do not name the lines of the opened totes, each once; the seals do not name the totes, each once, or
        cannot be seals.
    SealMismatchError
        A seal of ordinary medicines is not the one put on; the message never tells the right one.
    SealInUseError
        The new seal was used before.
    """
    standing = uow.deliveries.get(delivery)
    place = _place_of_handover(uow, standing, present, premises, is_return=reading.is_return)
    require_receivers(standing, reading, present, premises, place=place, at=at)
    if standing.state is DeliveryState.ARRIVED:
        require_opened_if_controlled(uow, standing, Purpose.HAND_OVER, Purpose.RECOUNT, place=place, act=ACT)
    elif standing.state is DeliveryState.RETURNING:
        require_opened_if_controlled(uow, standing, Purpose.TAKE_BACK, place=place, act=ACT)
    is_return = standing.state is DeliveryState.RETURNING or place != premises.place(standing.to_station)
    handover = Received(standing, at=at, place=place, present=present, ids=ids, is_return=is_return)
    return receive(uow, handover, reading, premises)


def receive(uow: UnitOfWork, handover: Received, reading: Reading, premises: Premises) -> Delivery:
    """Return what becomes of a delivery, kept, that those who are there may receive where it stands.

    Raises
    ------
    LinesMismatchError, InvalidInputError, SealMismatchError, SealInUseError
        As `confirm_receipt`.
    """
    standing, at, place, present = handover.delivery, handover.at, handover.place, handover.present
    is_return = handover.is_return
    seals = _seals(standing, reading, is_return=is_return)
    lines = tuple(line for line in open_lines(standing) if line.id in seals.opened_lines)
    counts = _counts_of(standing, reading, seals, lines)
    _check_named(uow, reading, standing, lines)
    noted = found_kept(uow, replace(handover, delivery=seals_noted(uow, handover, seals)), reading, seals)
    if seals.again:
        waiting = replace(handover.before or noted, totes=noted.totes, custody=noted.custody, waiting=(SEAL_AGAIN,))
        keep_change(uow, waiting, at=at)
        return waiting
    if handover.before is not None:
        keep_change(uow, standing, at=at)
    stays_here = is_return or standing.state is DeliveryState.HANDED_TO_RUNNER
    if stays_here:
        noted = unopened_set_apart(uow, replace(handover, delivery=noted), seals.unopened)
    if handover.paper is None and is_to_be_counted_again(standing, counts, premises, place=place):
        counted = counted_first(noted, counts, place=place)
        record_event(uow, standing, "counted_first", at=at, place=place, present=present)
        keep_change(uow, counted, at=at)
        return counted
    reading = replace(reading, refused=_still_refused(noted, reading, counts))
    settled = _settled(uow, replace(handover, delivery=noted), reading, seals, lines=lines, counts=counts)
    after = _ended(uow, replace(handover, delivery=settled), reading, premises, counts=counts)
    keep_change(uow, after, at=at)
    return after


def _seals(delivery: Delivery, reading: Reading, *, is_return: bool) -> Seals:
    reads = seals_named(
        delivery,
        seal_number=reading.seal_number,
        totes=reading.totes,
        is_broken=reading.is_seal_broken,
        may_leave_out=left_unopened(delivery, is_return=is_return),
        act=ACT,
    )
    return judged(delivery, reads, is_return=is_return)


def _counts_of(delivery: Delivery, reading: Reading, seals: Seals, lines: Sequence[Line]) -> tuple[LineCount, ...]:
    """Return the counts of what was opened. Who did not know yet that a seal differs may have counted what is in it."""
    shut = {line for tote in (*seals.again, *seals.unopened) for line in tote.lines}
    counts = tuple(count for count in reading.counts if count.line not in shut)
    check_counted_lines(delivery, counts, act=ACT, lines=lines)
    return counts


def _still_refused(delivery: Delivery, reading: Reading, counts: Sequence[LineCount]) -> tuple[LineId, ...]:
    """Return the refused lines that go back as they came; what differs, or is something else, is set apart here."""
    controlled = {line.id for line in delivery.lines if is_on_ledger(line)}
    apart = {*delivery.custody.found_wrong, *(controlled.intersection(counted_otherwise(delivery, counts)))}
    return tuple(line for line in reading.refused if line not in apart)


def _settled(
    uow: UnitOfWork,
    handover: Received,
    reading: Reading,
    seals: Seals,
    *,
    lines: Sequence[Line],
    counts: tuple[LineCount, ...],
) -> Delivery:
    """Return the delivery with the lines of the opened totes ended, and who received them on record."""
    at, present, before = handover.at, handover.present, handover.delivery
    if not seals.opened:
        return before
    spoilt = is_spoilt(uow, before, at=at)
    wrong = before.custody.found_wrong
    recalled = recalled_lines(uow, before)
    settled = settled_lines(
        uow, handover, lines, counts, refused=reading.refused, wrong=wrong, spoilt=spoilt, recalled=recalled
    )
    custody = replace(settled.custody, receivers=present.ids)
    receipt = before.receipt or Receipt(
        at=at if handover.paper is None else handover.paper.occurred_at,
        by=present.actor,
        counts=counts,
        is_short_or_over=bool(counted_otherwise(before, counts)),
    )
    return replace(settled, receipt=receipt, custody=custody)


def _ended(
    uow: UnitOfWork, handover: Received, reading: Reading, premises: Premises, *, counts: Sequence[LineCount]
) -> Delivery:
    """Return the delivery on its way back with what was refused or left unopened, or ended where it is."""
    counted, at, by = handover.delivery, handover.at, handover.present.actor
    if open_lines(counted):
        after = moved(counted, DeliveryState.RETURNING, at=at, cause=by, reason=_why_back(counted, reading))
        return _resealed(uow, handover, after, reading, premises)
    is_set_apart = any(settled.reason == SEAL_DIFFERS.code for settled in counted.custody.settled)
    custody = replace(counted.custody, accountable=None, receivers=handover.present.ids)
    released = replace(counted, custody=custody)
    if handover.is_return:
        end = DeliveryState.RETURNED
    else:
        end = DeliveryState.INCIDENT if is_set_apart else DeliveryState.RECEIVED
    if counted.state is DeliveryState.HANDED_TO_RUNNER:
        released = released.out_of_drawer()
    differs = RECEIVED_DIFFERENT if counted_otherwise(counted, counts) else entered_late(handover)
    return moved(released, end, at=at, cause=by, reason=SEAL_DIFFERS if is_set_apart else differs)


def _why_back(delivery: Delivery, reading: Reading) -> Reason:
    shut = any(line.id not in reading.refused for line in open_lines(delivery))
    return SEAL_DIFFERS if shut else PARTLY_REFUSED


def _resealed(
    uow: UnitOfWork, handover: Received, delivery: Delivery, reading: Reading, premises: Premises
) -> Delivery:
    """Return the delivery with the refused lines in a tote of their own, under the new seal."""
    if not reading.refused:
        return delivery
    assert reading.new_seal is not None, "refused lines go back under a new seal"
    tote = ToteId(handover.ids.new("tote"))
    after = repacked(delivery, reading.refused, tote, seal_number=reading.new_seal)
    record_resealing(
        uow,
        delivery,
        after,
        at=handover.at,
        place=handover.place,
        to_place=premises.place(delivery.returns_to),
        present=handover.present,
    )
    return after


def _place_of_handover(
    uow: UnitOfWork, delivery: Delivery, present: Present, premises: Premises, *, is_return: bool | None
) -> PlaceId:
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
        check_said_place(delivery, is_return, comes_back=True)
        _require_back_at_station(uow, delivery)
        return back
    is_by_runner = delivery.state is DeliveryState.HANDED_TO_RUNNER
    if is_by_runner and not was_turned_back(delivery):
        return place_by_hand(delivery, present, premises, is_return=is_return)
    check_said_place(delivery, is_return, comes_back=is_by_runner)
    return back if is_by_runner else premises.place(delivery.to_station)


def was_turned_back(delivery: Delivery) -> bool:
    """Whether it was on its way back last, whatever happened to it since: the ward does not get it any more."""
    sent = (DeliveryState.SEALED, DeliveryState.IN_TRANSIT)
    last = next((c.after for c in reversed(delivery.history) if c.after in (*sent, DeliveryState.RETURNING)), None)
    return last is DeliveryState.RETURNING


def require_receivers(
    delivery: Delivery, reading: Reading, present: Present, premises: Premises, *, place: PlaceId, at: datetime
) -> None:
    """Refuse people who may not receive a delivery at a place, or too few of them.

    Raises
    ------
    NotEligibleError, PeopleMissingError, SamePersonError, BreakGlassOffError
        They may not, are too few, or one alone may not open it.
    """
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
        if premises.is_pharmacy(place):
            raise BreakGlassOffError(
                f"{ACT} was refused: no patient waits at a pharmacy, so nobody alone opens there what takes {wanted} "
                f"people; expected {wanted}. Leave it locked until the other is there.",
                detail={"delivery": delivery.id},
            )
        wanted = 1
    fits, who = premises.staff_of(place, handling_class)
    require_people(present, wanted=wanted, fits=fits, who=who, act=ACT, handling_class=handling_class, at=at)


def _check_named(uow: UnitOfWork, reading: Reading, delivery: Delivery, opened: Sequence[Line]) -> None:
    """Refuse lines that were not opened, or are named as refused and as wrong, and refused ones without a new seal."""
    named = {*reading.refused, *reading.wrong}
    check_counted_lines(
        delivery,
        [LineCount(line, 0) for line in sorted(named)],
        act=ACT,
        lines=[line for line in opened if line.id in named],
    )
    if both := sorted({*reading.refused} & {*reading.wrong}):
        raise InvalidInputError(
            f"{ACT} was refused: it names a line of delivery {delivery.id} as refused and as wrong; expected one of "
            "them. Something else than it should hold is set apart where it is found: leave it out of refused.",
            detail={"delivery": delivery.id, "field": "refused", "lines": both},
        )
    if not reading.refused:
        if reading.new_seal is not None:
            raise InvalidInputError(
                f"{ACT} was refused: it gives a new_seal and names no line in refused; expected both or neither. Name "
                "the lines that go back under the new seal, or leave it out.",
                detail={"delivery": delivery.id, "field": "new_seal"},
            )
        return
    require_state(
        delivery, DeliveryState.ARRIVED, act="The refusal of lines", next_step="Take in all of it, and return the rest."
    )
    check_seal_form(reading.new_seal or "", act=ACT)
    check_seal_is_new(uow, reading.new_seal or "", delivery, act=ACT)


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
