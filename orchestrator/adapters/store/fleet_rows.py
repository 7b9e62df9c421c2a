"""Trips, robot records, messages, events and answers as rows, and back."""

from __future__ import annotations

import json

from orchestrator.adapters.store.fleet_json import (
    action_from_json,
    action_to_json,
    holds_from_json,
    holds_to_json,
    order_from_json,
    order_to_json,
    reasons_from_json,
    reasons_to_json,
    report_from_json,
    report_to_json,
    stops_from_json,
    stops_to_json,
    texts_from_json,
    texts_to_json,
    written,
)
from orchestrator.adapters.store.rows import AnswerRow, EventRow, OutboxRow, RobotRow, TripRow
from orchestrator.application.ports import Event, OutboxMessage, StoredAnswer
from orchestrator.domain.delivery.model import Trip, TripId
from orchestrator.domain.fleet.model import LoadId, RobotId
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.site.model import LaneId, StationId, WaypointId


def trip_to_row(trip: Trip) -> TripRow:
    """Return the row of a trip."""
    return TripRow(
        id=trip.id,
        robot=trip.robot,
        stops=stops_to_json(trip.stops),
        started_at=trip.started_at,
        has_arrived=trip.has_arrived,
        ended_at=trip.ended_at,
    )


def trip_from_row(row: TripRow) -> Trip:
    """Return the trip of a row."""
    return Trip(
        id=TripId(row.id),
        robot=RobotId(row.robot),
        stops=stops_from_json(row.stops),
        started_at=row.started_at,
        has_arrived=row.has_arrived,
        ended_at=row.ended_at,
    )


def robot_to_row(record: RobotRecord) -> RobotRow:
    """Return the row of a robot record; sets are sorted, so that equal records are equal rows."""
    return RobotRow(
        robot=record.robot,
        trip_id=record.trip,
        target=record.target,
        drive_order=None if record.order is None else order_to_json(record.order),
        phase=record.phase.value,
        passed=record.passed,
        tip=record.tip,
        held=texts_to_json(sorted(record.held)),
        granted=texts_to_json(record.granted),
        route=texts_to_json(record.route),
        report=None if record.report is None else report_to_json(record.report),
        lost_since=record.lost_since,
        waiting=reasons_to_json(record.waiting),
        driven_m=record.driven_m,
        holds=holds_to_json(record.holds),
        carried=texts_to_json(sorted(record.carried)),
        findings=reasons_to_json(record.findings),
        sent_to=record.sent_to,
        checks_grants=record.checks_grants,
        called_for=texts_to_json(sorted(record.called_for)),
        clock_skew_s=record.clock_skew_s,
        journal=record.journal,
        journal_last=record.journal_last,
    )


def robot_from_row(row: RobotRow) -> RobotRecord:
    """Return the robot record of a row."""
    return RobotRecord(
        robot=RobotId(row.robot),
        trip=None if row.trip_id is None else TripId(row.trip_id),
        target=None if row.target is None else StationId(row.target),
        order=None if row.drive_order is None else order_from_json(row.drive_order),
        phase=OrderPhase(row.phase),
        passed=row.passed,
        tip=None if row.tip is None else WaypointId(row.tip),
        held=frozenset(texts_from_json(row.held)),
        granted=tuple(LaneId(lane) for lane in texts_from_json(row.granted)),
        route=tuple(LaneId(lane) for lane in texts_from_json(row.route)),
        report=None if row.report is None else report_from_json(row.report),
        lost_since=row.lost_since,
        waiting=reasons_from_json(row.waiting),
        driven_m=row.driven_m,
        holds=holds_from_json(row.holds),
        carried=frozenset(LoadId(load) for load in texts_from_json(row.carried)),
        findings=reasons_from_json(row.findings),
        sent_to=None if row.sent_to is None else StationId(row.sent_to),
        checks_grants=row.checks_grants,
        called_for=frozenset(texts_from_json(row.called_for)),
        clock_skew_s=row.clock_skew_s,
        journal=row.journal,
        journal_last=row.journal_last,
    )


def message_to_row(message: OutboxMessage) -> OutboxRow:
    """Return the row of an outbox message."""
    return OutboxRow(
        id=message.id,
        robot=message.robot,
        created_at=message.created_at,
        drive_order=None if message.order is None else order_to_json(message.order),
        action=None if message.action is None else action_to_json(message.action),
        settled=message.settled,
    )


def message_from_row(row: OutboxRow) -> OutboxMessage:
    """Return the outbox message of a row."""
    return OutboxMessage(
        id=row.id,
        robot=RobotId(row.robot),
        created_at=row.created_at,
        order=None if row.drive_order is None else order_from_json(row.drive_order),
        action=None if row.action is None else action_from_json(row.action),
        settled=row.settled,
    )


def event_to_row(event: Event) -> EventRow:
    """Return the row of an event; its data has to be what JSON can hold."""
    return EventRow(
        number=event.number, at=event.at, kind=event.kind, subject=event.subject, data=written(dict(event.data))
    )


def event_from_row(row: EventRow) -> Event:
    """Return the event of a row."""
    return Event(number=row.number, at=row.at, kind=row.kind, subject=row.subject, data=json.loads(row.data))


def answer_to_row(answer: StoredAnswer) -> AnswerRow:
    """Return the row of a stored answer."""
    return AnswerRow(
        principal=answer.principal,
        key=answer.key,
        fingerprint=answer.fingerprint,
        status=answer.status,
        body=answer.body,
        at=answer.at,
    )


def answer_from_row(row: AnswerRow) -> StoredAnswer:
    """Return the stored answer of a row."""
    return StoredAnswer(
        key=row.key, principal=row.principal, fingerprint=row.fingerprint, status=row.status, body=row.body, at=row.at
    )
