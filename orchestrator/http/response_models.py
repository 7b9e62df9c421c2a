"""What answers say about deliveries. Made from domain types by `x_view` functions; apart from the request models."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from pydantic import BaseModel

from orchestrator.application.views import DeliveryPage, DeliveryPicture
from orchestrator.domain.delivery.model import (
    Delivery,
    DeliveryState,
    HandlingClass,
    LineCount,
    Loading,
    Priority,
    Receipt,
    StopKind,
    Transition,
    Trip,
)
from orchestrator.domain.reason import Reason
from orchestrator.http.custody_views import CustodyView, custody_view


class ReasonView(BaseModel):
    """A stable code and a sentence for people."""

    code: str
    sentence: str


class LineView(BaseModel):
    """One line as it was asked for; the quantity is not shown to who counts it blind, until the delivery is closed."""

    id: str
    medicine: str
    quantity: int | None
    unit: str
    batch: str | None
    expiry: date | None
    handling_class: HandlingClass
    code: str | None
    storage: str


class CountView(BaseModel):
    """How many of a line were counted."""

    line: str
    quantity: int


class ToteView(BaseModel):
    """A sealed bag or box and the lines in it; the number of its seal is shown once the delivery is closed.

    ``seal_read`` is the number that people last read off the seal at a handover.
    """

    id: str
    seal_number: str | None
    seal_read: str | None
    lines: list[str]


class LoadingView(BaseModel):
    """Who loaded, when, and into which drawer."""

    at: datetime
    by: str
    drawer: str
    counts: list[CountView]


class ReceiptView(BaseModel):
    """Who took the medicines out, when, and what they counted."""

    at: datetime
    by: str
    counts: list[CountView]
    is_short_or_over: bool


class TransitionView(BaseModel):
    """One change of a delivery."""

    at: datetime
    before: DeliveryState | None
    after: DeliveryState
    cause: str
    reason: ReasonView | None


class StopView(BaseModel):
    """One stop of a trip."""

    station: str
    kind: StopKind
    deliveries: list[str]


class TripView(BaseModel):
    """A robot's round: the first of the stops is where it is going, or standing when it has arrived."""

    id: str
    robot: str
    stops: list[StopView]
    has_arrived: bool
    started_at: datetime
    ended_at: datetime | None


class DeliverySummary(BaseModel):
    """A delivery in a list; ``waiting`` says why it does not move on.

    ``expected_at`` is when a robot is expected where it goes to, as likely earlier as later, and ``expected_latest_at``
    when it is there in 95 of 100 cases; null while nobody can say, and when no robot brings it.
    """

    id: str
    job: str
    from_station: str
    to_station: str
    priority: Priority
    state: DeliveryState
    queued_at: datetime
    due_by: datetime | None
    is_critical: bool
    expected_at: datetime | None
    expected_latest_at: datetime | None
    robot: str | None
    drawer: str | None
    waiting: list[ReasonView]


class DeliveryView(DeliverySummary):
    """Everything about a delivery."""

    totes: list[ToteView]
    lines: list[LineView]
    loading: LoadingView | None
    receipt: ReceiptView | None
    custody: CustodyView
    trip: TripView | None
    history: list[TransitionView]


class DeliveriesView(BaseModel):
    """A page of deliveries, newest first; ``next_after`` is the cursor of the next page, null at the end."""

    deliveries: list[DeliverySummary]
    next_after: str | None


def reason_views(reasons: Sequence[Reason]) -> list[ReasonView]:
    """Return reasons as shown."""
    return [ReasonView(code=reason.code, sentence=reason.sentence) for reason in reasons]


def deliveries_view(page: DeliveryPage) -> DeliveriesView:
    """Return a page as shown."""
    return DeliveriesView(deliveries=[_summary(delivery) for delivery in page.deliveries], next_after=page.next_after)


def delivery_view(picture: DeliveryPicture, *, hides_quantities: bool) -> DeliveryView:
    """Return a delivery as shown.

    The seal numbers put on at loading are kept back until the delivery is closed: whoever receives has to read them
    off the seals. So are, with ``hides_quantities``, the quantities that somebody is to count without knowing them.
    """
    delivery = picture.delivery
    is_hidden = hides_quantities and not delivery.state.is_closed
    return DeliveryView(
        **_summary(delivery).model_dump(),
        totes=[
            ToteView(
                id=tote.id,
                seal_number=tote.seal_number if delivery.state.is_closed else None,
                seal_read=tote.seal_read,
                lines=list(tote.lines),
            )
            for tote in delivery.totes
        ],
        lines=[
            LineView(
                id=line.id,
                medicine=line.medicine,
                quantity=None if is_hidden else line.quantity,
                unit=line.unit,
                batch=line.batch,
                expiry=line.expiry,
                handling_class=line.handling_class,
                code=line.code,
                storage=line.storage,
            )
            for line in delivery.lines
        ],
        loading=_loading(delivery.loading, hides_counts=is_hidden),
        receipt=_receipt(delivery.receipt),
        custody=custody_view(delivery.custody, returns_to=delivery.returns_to),
        trip=_trip(picture.trip),
        history=[_transition(change) for change in delivery.history],
    )


def _summary(delivery: Delivery) -> DeliverySummary:
    return DeliverySummary(
        id=delivery.id,
        job=delivery.job,
        from_station=delivery.from_station,
        to_station=delivery.to_station,
        priority=delivery.priority,
        state=delivery.state,
        queued_at=delivery.queued_at,
        due_by=delivery.due_by,
        is_critical=delivery.counts_as_critical,
        expected_at=delivery.arrival.expected_at,
        expected_latest_at=delivery.arrival.expected_latest_at,
        robot=delivery.robot,
        drawer=delivery.drawer,
        waiting=reason_views(delivery.waiting),
    )


def _counts(counts: Sequence[LineCount]) -> list[CountView]:
    return [CountView(line=count.line, quantity=count.quantity) for count in counts]


def _loading(loading: Loading | None, *, hides_counts: bool) -> LoadingView | None:
    if loading is None:
        return None
    return LoadingView(
        at=loading.at,
        by=loading.by,
        drawer=loading.drawer,
        counts=[] if hides_counts else _counts(loading.counts),
    )


def _receipt(receipt: Receipt | None) -> ReceiptView | None:
    if receipt is None:
        return None
    return ReceiptView(
        at=receipt.at,
        by=receipt.by,
        counts=_counts(receipt.counts),
        is_short_or_over=receipt.is_short_or_over,
    )


def _trip(trip: Trip | None) -> TripView | None:
    if trip is None:
        return None
    return TripView(
        id=trip.id,
        robot=trip.robot,
        stops=[StopView(station=stop.station, kind=stop.kind, deliveries=list(stop.deliveries)) for stop in trip.stops],
        has_arrived=trip.has_arrived,
        started_at=trip.started_at,
        ended_at=trip.ended_at,
    )


def _transition(change: Transition) -> TransitionView:
    return TransitionView(
        at=change.at,
        before=change.before,
        after=change.after,
        cause=change.cause,
        reason=None if change.reason is None else reason_views([change.reason])[0],
    )
