"""Outbox, events and answers in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.exc import IntegrityError

from orchestrator.adapters.store.fleet_rows import (
    answer_from_row,
    answer_to_row,
    event_from_row,
    event_to_row,
    message_from_row,
    message_to_row,
)
from orchestrator.adapters.store.remembered import Remembered
from orchestrator.adapters.store.rows import AnswerRow, EventRow, OutboxRow
from orchestrator.adapters.store.tables import insert_rows, rows_by, select_rows, table_of, update_row
from orchestrator.application.errors import AlreadyKeptError
from orchestrator.application.ports import Event, OutboxMessage, StoredAnswer
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.order import DriveOrder, RobotAction

OUTBOX = table_of(OutboxRow).c
EVENT = table_of(EventRow).c
ANSWER = table_of(AnswerRow).c

RememberedMessages = Remembered[int, OutboxMessage]
NEWEST = "newest"
RememberedNumbers = Remembered[str, int]
"""Under `NEWEST` the largest number given so far."""


class SqlOutbox:
    """Messages for robots."""

    def __init__(self, connection: Connection, remembered: RememberedMessages, numbers: RememberedNumbers) -> None:
        self._connection = connection
        self._remembered = remembered
        self._numbers = numbers

    def add(
        self, robot: RobotId, *, at: datetime, order: DriveOrder | None = None, action: RobotAction | None = None
    ) -> OutboxMessage:
        """Keep a message and return it with its id."""
        assert (order is None) != (action is None), "a message is an order or an action"
        number = self._numbers.get(NEWEST)
        if number is None:
            number = self._connection.execute(select(func.max(OUTBOX.id))).scalar() or 0
        message = OutboxMessage(id=number + 1, robot=robot, created_at=at, order=order, action=action)
        insert_rows(self._connection, [message_to_row(message)])
        self._numbers.has_written(NEWEST, message.id)
        self._remembered.has_written(message.id, message)
        return message

    def settle(self, message: int, outcome: str) -> None:
        """Record how a message ended; the first outcome stands."""
        wanted = next((kept for kept in self.wanted() if kept.id == message), None)
        if wanted is None:
            return
        update_row(self._connection, OutboxRow, OUTBOX.id == message, {"settled": outcome})
        self._remembered.has_written(message, replace(wanted, settled=outcome))

    def wanted(self) -> Sequence[OutboxMessage]:
        """Return the messages still wanted, by id."""
        if not self._remembered.is_complete:
            statement = select(table_of(OutboxRow)).where(OUTBOX.settled.is_(None))
            for row in select_rows(self._connection, OutboxRow, statement):
                self._remembered.has_read(row.id, message_from_row(row))
            self._remembered.is_complete = True
        return sorted(self._remembered.worth_keeping(), key=lambda message: message.id)


class SqlEvents:
    """The numbered stream of what happened."""

    def __init__(self, connection: Connection, numbers: RememberedNumbers) -> None:
        self._connection = connection
        self._numbers = numbers

    def append(self, *, at: datetime, kind: str, subject: str, data: Mapping[str, object]) -> Event:
        """Keep an event and return it with its number."""
        event = Event(number=self.last_number() + 1, at=at, kind=kind, subject=subject, data=dict(data))
        insert_rows(self._connection, [event_to_row(event)])
        self._numbers.has_written(NEWEST, event.number)
        return event

    def after(self, number: int, limit: int) -> Sequence[Event]:
        """Return up to ``limit`` events with a larger number, in order."""
        statement = select(table_of(EventRow)).where(EVENT.number > number).order_by(EVENT.number).limit(limit)
        return [event_from_row(row) for row in select_rows(self._connection, EventRow, statement)]

    def last_number(self) -> int:
        """Return the number of the newest event, 0 when there is none."""
        newest = self._numbers.get(NEWEST)
        if newest is None:
            newest = self._connection.execute(select(func.max(EVENT.number))).scalar() or 0
            self._numbers.has_read(NEWEST, newest)
        return newest


class SqlAnswers:
    """Answers by principal and idempotency key."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, *, key: str, principal: str) -> StoredAnswer | None:
        """Return the answer that this principal got under this key."""
        rows = rows_by(self._connection, AnswerRow, principal=principal, key=key)
        return answer_from_row(rows[0]) if rows else None

    def add(self, answer: StoredAnswer) -> None:
        """Keep an answer."""
        try:
            insert_rows(self._connection, [answer_to_row(answer)])
        except IntegrityError as error:
            raise AlreadyKeptError("The answer was refused: its key has one already; expected a new key.") from error

    def between(self, start: datetime, end: datetime) -> Sequence[StoredAnswer]:
        """Return the answers given from ``start`` on and before ``end``."""
        statement = select(table_of(AnswerRow)).where(ANSWER.at >= start, ANSWER.at < end)
        return [answer_from_row(row) for row in select_rows(self._connection, AnswerRow, statement)]

    def remove_between(self, start: datetime, end: datetime) -> None:
        """Take those answers out for good."""
        self._connection.execute(delete(table_of(AnswerRow)).where(ANSWER.at >= start, ANSWER.at < end))
