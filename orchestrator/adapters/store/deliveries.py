"""Deliveries and jobs in the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, Select, and_, func, or_, select

from orchestrator.adapters.store.delivery_rows import (
    DeliveryRows,
    counts_to_rows,
    delivery_from_rows,
    delivery_to_row,
    delivery_to_rows,
    handovers_to_rows,
    job_to_row,
    totes_to_rows,
    transitions_to_rows,
)
from orchestrator.adapters.store.remembered import Remembered
from orchestrator.adapters.store.rows import CountRow, DeliveryRow, HandoverRow, JobRow, LineRow, ToteRow, TransitionRow
from orchestrator.adapters.store.tables import changed_values, insert_rows, select_rows, table_of, update_row
from orchestrator.application.errors import AlreadyKeptError
from orchestrator.domain.delivery.errors import UnknownDeliveryError
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState, Job

DELIVERY = table_of(DeliveryRow).c
CLOSED = [state.value for state in DeliveryState if state.is_closed]

RememberedDeliveries = Remembered[DeliveryId, Delivery]
R = TypeVar("R", LineRow, ToteRow, HandoverRow, CountRow, TransitionRow)


class SqlDeliveries:
    """Deliveries with their lines, loading, receipt and history."""

    def __init__(self, connection: Connection, remembered: RememberedDeliveries) -> None:
        self._connection = connection
        self._remembered = remembered

    def get(self, delivery: DeliveryId) -> Delivery:
        """Return the delivery; raises `UnknownDeliveryError`."""
        known = self._remembered.get(delivery) or self._read(delivery)
        if known is None:
            raise UnknownDeliveryError(
                "No delivery has this id; expected one that was queued here. GET /api/v1/deliveries lists them.",
                detail={"delivery": delivery},
            )
        return known

    def _read(self, delivery: DeliveryId) -> Delivery | None:
        found = self._select(select(table_of(DeliveryRow)).where(DELIVERY.id == delivery))
        for known in found:
            self._remembered.has_read(known.id, known)
        return found[0] if found else None

    def add(self, delivery: Delivery) -> None:
        """Keep a new delivery."""
        if (self._remembered.get(delivery.id) or self._read(delivery.id)) is not None:
            raise AlreadyKeptError(
                f"The delivery was refused: {delivery.id} is kept already; expected a new id.",
                detail={"id": delivery.id},
            )
        rows = delivery_to_rows(delivery)
        insert_rows(self._connection, [rows.delivery])
        for parts in (rows.lines, rows.totes, rows.handovers, rows.counts, rows.transitions):
            insert_rows(self._connection, parts)
        self._remembered.has_written(delivery.id, delivery)

    def save(self, delivery: Delivery) -> None:
        """Keep the next version; history only grows and lines stay."""
        before = self.get(delivery.id)
        if delivery == before:
            return
        assert delivery.lines == before.lines, "lines stay as they were asked for"
        assert delivery.history[: len(before.history)] == before.history, "history only grows"
        update_row(
            self._connection,
            DeliveryRow,
            DELIVERY.id == delivery.id,
            changed_values(delivery_to_row(before), delivery_to_row(delivery)),
        )
        self._save_totes(before, delivery)
        self._add_handovers(before, delivery)
        insert_rows(self._connection, transitions_to_rows(delivery, first=len(before.history)))
        self._remembered.has_written(delivery.id, delivery)

    def _save_totes(self, before: Delivery, after: Delivery) -> None:
        old = {row.id: row for row in totes_to_rows(before)}
        new = {row.id: row for row in totes_to_rows(after)}
        assert old.keys() <= new.keys(), "a tote that was there stays on record"
        for tote in old:
            changed = changed_values(old[tote], new[tote])
            if changed:
                update_row(self._connection, ToteRow, table_of(ToteRow).c.id == tote, changed)
        insert_rows(self._connection, [row for tote, row in new.items() if tote not in old])

    def _add_handovers(self, before: Delivery, after: Delivery) -> None:
        assert before.loading in (None, after.loading), "a loading stays as it was recorded"
        assert before.receipt in (None, after.receipt), "a receipt stays as it was recorded"
        old = {row.kind for row in handovers_to_rows(before)}
        insert_rows(self._connection, [row for row in handovers_to_rows(after) if row.kind not in old])
        insert_rows(self._connection, [row for row in counts_to_rows(after) if row.kind not in old])

    def open(self) -> Sequence[Delivery]:
        """Return every delivery that is not closed, oldest first."""
        if not self._remembered.is_complete:
            for known in self._select(select(table_of(DeliveryRow)).where(DELIVERY.state.not_in(CLOSED))):
                self._remembered.has_read(known.id, known)
            self._remembered.is_complete = True
        return sorted(self._remembered.worth_keeping(), key=lambda delivery: (delivery.queued_at, delivery.id))

    def sealed_with(self, seal_number: str) -> Delivery | None:
        """Return the newest delivery that carries, or carried, a seal."""
        carrying = select(table_of(ToteRow).c.delivery_id).where(table_of(ToteRow).c.seal_number == seal_number)
        statement = select(table_of(DeliveryRow)).where(DELIVERY.id.in_(carrying))
        found = self._select(statement.order_by(DELIVERY.queued_at.desc(), DELIVERY.id.desc()).limit(1))
        return found[0] if found else None

    def page(
        self, *, after: DeliveryId | None, limit: int, states: frozenset[DeliveryState] | None
    ) -> Sequence[Delivery]:
        """Return up to ``limit`` deliveries, newest first, that come after ``after``."""
        statement = select(table_of(DeliveryRow))
        if states is not None:
            statement = statement.where(DELIVERY.state.in_(sorted(state.value for state in states)))
        if after is not None:
            bound = self.get(after)
            statement = statement.where(
                or_(
                    DELIVERY.queued_at < bound.queued_at,
                    and_(DELIVERY.queued_at == bound.queued_at, DELIVERY.id < bound.id),
                )
            )
        return self._select(statement.order_by(DELIVERY.queued_at.desc(), DELIVERY.id.desc()).limit(limit))

    def with_medicine(self, code: str) -> Sequence[Delivery]:
        """Return every delivery with a line of a medicine by its code, newest first."""
        holding = select(table_of(LineRow).c.delivery_id).where(table_of(LineRow).c.code == code)
        statement = select(table_of(DeliveryRow)).where(DELIVERY.id.in_(holding))
        return self._select(statement.order_by(DELIVERY.queued_at.desc(), DELIVERY.id.desc()))

    def ended_between(self, start: datetime, end: datetime) -> Iterator[Delivery]:
        """Yield each closed delivery that ended from ``start`` on and before ``end``, by id."""
        changed = table_of(TransitionRow).c
        last = select(changed.delivery_id).group_by(changed.delivery_id)
        last = last.having(and_(func.max(changed.at) >= start, func.max(changed.at) < end))
        ids = select(DELIVERY.id).where(DELIVERY.state.in_(CLOSED), DELIVERY.id.in_(last)).order_by(DELIVERY.id)
        for some in _chunks(list(self._connection.execute(ids).scalars())):
            statement = select(table_of(DeliveryRow)).where(DELIVERY.id.in_(some))
            for delivery in self._select(statement.order_by(DELIVERY.id)):
                # Whoever saves it next finds it without reading it again.
                self._remembered.has_read(delivery.id, delivery)
                yield delivery

    def picked_between(self, start: datetime, end: datetime) -> Iterator[Delivery]:
        """Yield each delivery that was picked, last, from ``start`` on and before ``end``, oldest first."""
        # What was picked is text that nobody searches. Nothing is picked once it is on its way, so that whatever was
        # queued too late, or was closed and last changed too early, is left out without being read.
        changed = table_of(TransitionRow).c
        since = select(changed.delivery_id).where(changed.at >= start)
        may_be = and_(DELIVERY.queued_at < end, or_(DELIVERY.state.not_in(CLOSED), DELIVERY.id.in_(since)))
        ids = select(DELIVERY.id).where(may_be).order_by(DELIVERY.queued_at, DELIVERY.id)
        for some in _chunks(list(self._connection.execute(ids).scalars())):
            statement = select(table_of(DeliveryRow)).where(DELIVERY.id.in_(some))
            for delivery in self._select(statement.order_by(DELIVERY.queued_at, DELIVERY.id)):
                by = delivery.custody.dispensed_by
                if by is not None and start <= by.at < end:
                    yield delivery

    def _select(self, statement: Select[tuple[object, ...]]) -> list[Delivery]:
        deliveries = select_rows(self._connection, DeliveryRow, statement)
        ids = [row.id for row in deliveries]
        lines = self._parts(LineRow, ids)
        totes = self._parts(ToteRow, ids)
        handovers = self._parts(HandoverRow, ids)
        counts = self._parts(CountRow, ids)
        transitions = self._parts(TransitionRow, ids)
        return [
            delivery_from_rows(
                DeliveryRows(row, lines[row.id], totes[row.id], handovers[row.id], counts[row.id], transitions[row.id])
            )
            for row in deliveries
        ]

    def _parts(self, kind: type[R], deliveries: Sequence[str]) -> defaultdict[str, list[R]]:
        parts: defaultdict[str, list[R]] = defaultdict(list)
        columns = table_of(kind).c
        order = columns.kind if kind is HandoverRow else columns.position
        for some in _chunks(deliveries):
            statement = select(table_of(kind)).where(columns.delivery_id.in_(some)).order_by(order)
            for row in select_rows(self._connection, kind, statement):
                parts[row.delivery_id].append(row)
        return parts


def _chunks(ids: Sequence[str], size: int = 500) -> Iterable[Sequence[str]]:
    # SQLite bounds how many values one statement may bind.
    return (ids[start : start + size] for start in range(0, len(ids), size))


class SqlJobs:
    """Jobs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, job: Job) -> None:
        """Keep a new job."""
        columns = table_of(JobRow).c
        if self._connection.execute(select(columns.id).where(columns.id == job.id)).first() is not None:
            raise AlreadyKeptError(
                f"The job was refused: {job.id} is kept already; expected a new id.", detail={"id": job.id}
            )
        insert_rows(self._connection, [job_to_row(job)])
