"""Deliveries, jobs and their parts as rows, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orchestrator.adapters.store.arrival_json import arrival_from_json, arrival_to_json
from orchestrator.adapters.store.custody_json import record_from_json, record_to_json
from orchestrator.adapters.store.fleet_json import reasons_from_json, reasons_to_json
from orchestrator.adapters.store.rows import CountRow, DeliveryRow, HandoverRow, JobRow, LineRow, ToteRow, TransitionRow
from orchestrator.domain.delivery.model import (
    Delivery,
    DeliveryId,
    DeliveryState,
    HandlingClass,
    Job,
    JobId,
    Line,
    LineCount,
    LineId,
    Loading,
    Priority,
    Receipt,
    Tote,
    ToteId,
    Transition,
    TripId,
)
from orchestrator.domain.fleet.model import LoadId, RobotId
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import StationId

LOADING = "loading"
RECEIPT = "receipt"


def job_to_row(job: Job) -> JobRow:
    """Return the row of a job."""
    return JobRow(id=job.id, requested_by=job.requested_by, requested_at=job.requested_at)


def job_from_row(row: JobRow) -> Job:
    """Return the job of a row."""
    return Job(id=JobId(row.id), requested_by=row.requested_by, requested_at=row.requested_at)


@dataclass(frozen=True, slots=True)
class DeliveryRows:
    """All rows of one delivery, each kind in its order."""

    delivery: DeliveryRow
    lines: list[LineRow]
    totes: list[ToteRow]
    handovers: list[HandoverRow]
    counts: list[CountRow]
    transitions: list[TransitionRow]


def delivery_to_rows(delivery: Delivery) -> DeliveryRows:
    """Return all rows of a delivery."""
    return DeliveryRows(
        delivery=delivery_to_row(delivery),
        lines=[_line_to_row(line, delivery.id, position) for position, line in enumerate(delivery.lines)],
        totes=list(totes_to_rows(delivery)),
        handovers=list(handovers_to_rows(delivery)),
        counts=list(counts_to_rows(delivery)),
        transitions=list(transitions_to_rows(delivery, first=0)),
    )


def delivery_to_row(delivery: Delivery) -> DeliveryRow:
    """Return the row of a delivery itself."""
    return DeliveryRow(
        id=delivery.id,
        job_id=delivery.job,
        from_station=delivery.from_station,
        to_station=delivery.to_station,
        priority=delivery.priority.value,
        load_id=delivery.load,
        state=delivery.state.value,
        queued_at=delivery.queued_at,
        due_by=delivery.due_by,
        trip_id=delivery.trip,
        robot=delivery.robot,
        drawer=delivery.drawer,
        waiting=reasons_to_json(delivery.waiting),
        custody=record_to_json(delivery.custody),
        is_critical=delivery.is_critical,
        arrival=arrival_to_json(delivery.arrival),
    )


def delivery_from_rows(rows: DeliveryRows) -> Delivery:
    """Return the delivery of its rows."""
    row = rows.delivery
    return Delivery(
        id=DeliveryId(row.id),
        job=JobId(row.job_id),
        from_station=StationId(row.from_station),
        to_station=StationId(row.to_station),
        priority=Priority(row.priority),
        lines=tuple(_line_from_row(line) for line in rows.lines),
        load=LoadId(row.load_id),
        totes=tuple(_tote_from_row(tote) for tote in rows.totes),
        state=DeliveryState(row.state),
        queued_at=row.queued_at,
        due_by=row.due_by,
        trip=None if row.trip_id is None else TripId(row.trip_id),
        robot=None if row.robot is None else RobotId(row.robot),
        drawer=row.drawer,
        loading=_loading_from_rows(rows),
        receipt=_receipt_from_rows(rows),
        waiting=reasons_from_json(row.waiting),
        history=tuple(_transition_from_row(transition) for transition in rows.transitions),
        custody=record_from_json(row.custody),
        is_critical=row.is_critical,
        arrival=arrival_from_json(row.arrival),
    )


def totes_to_rows(delivery: Delivery) -> Iterator[ToteRow]:
    """Return the rows of the totes."""
    for position, tote in enumerate(delivery.totes):
        yield ToteRow(
            id=tote.id,
            delivery_id=delivery.id,
            position=position,
            lines=json.dumps(tote.lines),
            seal_number=tote.seal_number,
            seal_read=tote.seal_read,
            seal_differed=tote.seal_differed,
        )


def _tote_from_row(row: ToteRow) -> Tote:
    return Tote(
        id=ToteId(row.id),
        lines=tuple(LineId(line) for line in json.loads(row.lines)),
        seal_number=row.seal_number,
        seal_read=row.seal_read,
        seal_differed=row.seal_differed,
    )


def handovers_to_rows(delivery: Delivery) -> Iterator[HandoverRow]:
    """Return the rows of the loading and the receipt, as far as there are any."""
    loading, receipt = delivery.loading, delivery.receipt
    if loading is not None:
        yield HandoverRow(
            delivery_id=delivery.id,
            kind=LOADING,
            at=loading.at,
            by=loading.by,
            drawer=loading.drawer,
        )
    if receipt is not None:
        yield HandoverRow(
            delivery_id=delivery.id,
            kind=RECEIPT,
            at=receipt.at,
            by=receipt.by,
            is_short_or_over=receipt.is_short_or_over,
        )


def counts_to_rows(delivery: Delivery) -> Iterator[CountRow]:
    """Return the rows of what was counted at the loading and the receipt."""
    for kind, handover in ((LOADING, delivery.loading), (RECEIPT, delivery.receipt)):
        for position, count in enumerate(() if handover is None else handover.counts):
            yield CountRow(
                delivery_id=delivery.id, kind=kind, position=position, line_id=count.line, quantity=count.quantity
            )


def transitions_to_rows(delivery: Delivery, *, first: int) -> Iterator[TransitionRow]:
    """Return the rows of the history from index ``first`` on."""
    for position, change in enumerate(delivery.history[first:], start=first):
        yield TransitionRow(
            delivery_id=delivery.id,
            position=position,
            at=change.at,
            before=None if change.before is None else change.before.value,
            after=change.after.value,
            cause=change.cause,
            reason_code=None if change.reason is None else change.reason.code,
            reason_sentence=None if change.reason is None else change.reason.sentence,
        )


def _transition_from_row(row: TransitionRow) -> Transition:
    return Transition(
        at=row.at,
        before=None if row.before is None else DeliveryState(row.before),
        after=DeliveryState(row.after),
        cause=row.cause,
        reason=None if row.reason_code is None else Reason(row.reason_code, row.reason_sentence or ""),
    )


def _line_to_row(line: Line, delivery: DeliveryId, position: int) -> LineRow:
    return LineRow(
        id=line.id,
        delivery_id=delivery,
        position=position,
        medicine=line.medicine,
        quantity=line.quantity,
        unit=line.unit,
        batch=line.batch,
        expiry=line.expiry,
        handling_class=line.handling_class.value,
        code=line.code,
        schedule=line.schedule,
        storage=line.storage,
    )


def _line_from_row(row: LineRow) -> Line:
    return Line(
        id=LineId(row.id),
        medicine=row.medicine,
        quantity=row.quantity,
        unit=row.unit,
        batch=row.batch,
        expiry=row.expiry,
        handling_class=HandlingClass(row.handling_class),
        code=row.code,
        schedule=row.schedule,
        storage=row.storage,
    )


def _loading_from_rows(rows: DeliveryRows) -> Loading | None:
    row = next((handover for handover in rows.handovers if handover.kind == LOADING), None)
    if row is None:
        return None
    assert row.drawer is not None, "a loading names its drawer"
    return Loading(at=row.at, by=row.by, drawer=row.drawer, counts=_counts(rows.counts, LOADING))


def _receipt_from_rows(rows: DeliveryRows) -> Receipt | None:
    row = next((handover for handover in rows.handovers if handover.kind == RECEIPT), None)
    if row is None:
        return None
    return Receipt(
        at=row.at,
        by=row.by,
        counts=_counts(rows.counts, RECEIPT),
        is_short_or_over=row.is_short_or_over,
    )


def _counts(rows: Iterable[CountRow], kind: str) -> tuple[LineCount, ...]:
    return tuple(LineCount(LineId(row.line_id), row.quantity) for row in rows if row.kind == kind)
