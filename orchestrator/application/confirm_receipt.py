"""A person on the ward, or back at the pharmacy, takes the medicines out and signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from orchestrator.application.delivery_changes import keep_change
from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.delivery.counting import (
    check_counted_lines,
    check_same_seal,
    check_seal_form,
    lines_that_differ,
)
from orchestrator.domain.delivery.errors import WrongStateError
from orchestrator.domain.delivery.lifecycle import moved, require_state
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState, LineCount, Receipt, StopKind
from orchestrator.domain.reason import Reason

ACT = "The receipt"

RECEIVED_DIFFERENT = Reason(
    "received_different", "What was counted out differs from what was sealed; the pharmacy follows it up."
)


def confirm_receipt(
    uow: UnitOfWork, *, delivery: DeliveryId, seal_number: str, counts: Sequence[LineCount], at: datetime, by: str
) -> Delivery:
    """Record who took the medicines out, the seal they read and what they counted.

    A delivery that arrived, or that a runner brought, becomes ``received``, one that came back ``returned``. Counts may
    differ from what was sealed: the counted quantity stands and the difference is on record.

    Raises
    ------
    UnknownDeliveryError, WrongStateError
        There is no such delivery, or its robot does not stand where it is handed over.
    LinesMismatchError, InvalidInputError
        The counts do not name the lines, each once, or the seal number cannot be one.
    SealMismatchError
        The seal is not the one put on; the message never tells the right one.
    """
    standing = uow.deliveries.get(delivery)
    require_state(
        standing,
        DeliveryState.ARRIVED,
        DeliveryState.RETURNING,
        DeliveryState.HANDED_TO_RUNNER,
        act=ACT,
        next_step="Confirm when its robot stands at the station.",
    )
    if standing.state is DeliveryState.RETURNING:
        _require_back_at_station(uow, standing)
    check_seal_form(seal_number, act=ACT)
    check_counted_lines(standing, counts, act=ACT)
    differs = _differs(standing, seal_number=seal_number, counts=counts)
    receipt = Receipt(at=at, by=by, seal_number=seal_number, counts=tuple(counts), is_short_or_over=differs)
    end = DeliveryState.RETURNED if standing.state is DeliveryState.RETURNING else DeliveryState.RECEIVED
    if standing.state is DeliveryState.HANDED_TO_RUNNER:
        standing = standing.out_of_drawer()
    closed = moved(
        replace(standing, receipt=receipt), end, at=at, cause=by, reason=RECEIVED_DIFFERENT if differs else None
    )
    keep_change(uow, closed, at=at)
    return closed


def _differs(delivery: Delivery, *, seal_number: str, counts: Sequence[LineCount]) -> bool:
    """Whether the counts differ from what was sealed; what a runner took unsealed is compared with what was asked."""
    if delivery.loading is None:
        return bool(lines_that_differ(counts, [LineCount(line.id, line.quantity) for line in delivery.lines]))
    check_same_seal(delivery, seal_number)
    return bool(lines_that_differ(counts, delivery.loading.counts))


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
