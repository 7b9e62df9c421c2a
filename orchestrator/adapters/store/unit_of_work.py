"""One transaction's repositories, and what outlives it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from orchestrator.adapters.store.alarms import RememberedAlarms, SqlAlarms
from orchestrator.adapters.store.custody import SqlApprovals, SqlIncidents
from orchestrator.adapters.store.decisions import SqlDecisions
from orchestrator.adapters.store.deliveries import RememberedDeliveries, SqlDeliveries, SqlJobs
from orchestrator.adapters.store.drives import SqlDrives
from orchestrator.adapters.store.fleet import RememberedRobots, RememberedTrips, SqlRobots, SqlTrips
from orchestrator.adapters.store.grants import RememberedGrants, SqlGrants
from orchestrator.adapters.store.ledger import RememberedEdge, SqlLedger
from orchestrator.adapters.store.medicines import SqlMedicines
from orchestrator.adapters.store.messages import (
    RememberedMessages,
    RememberedNumbers,
    SqlAnswers,
    SqlEvents,
    SqlOutbox,
)
from orchestrator.adapters.store.operations import RememberedClosures, SqlClosures, SqlHistory
from orchestrator.adapters.store.people import SqlPeople
from orchestrator.adapters.store.proofs import SqlProofs
from orchestrator.adapters.store.recalls import SqlRecalls
from orchestrator.adapters.store.remembered import Remembered
from orchestrator.application.ledger_keeping import LedgerTerms


class Memory:
    """Everything the writing connection remembers between transactions."""

    def __init__(self) -> None:
        self.deliveries = RememberedDeliveries(lambda delivery: not delivery.state.is_closed)
        self.trips = RememberedTrips(lambda trip: trip.ended_at is None)
        self.robots = RememberedRobots(lambda _record: True)
        self.messages = RememberedMessages(lambda message: message.settled is None)
        self.message_numbers = RememberedNumbers(lambda _number: True)
        self.event_numbers = RememberedNumbers(lambda _number: True)
        self.closures = RememberedClosures(lambda kept: kept.is_standing)
        self.alarms = RememberedAlarms(lambda alarm: alarm.is_standing)
        self.ledger = RememberedEdge()
        self.grants = RememberedGrants(lambda grant: grant.settled_at is None)

    def commit(self) -> None:
        """Take what the transaction wrote as committed."""
        for remembered in self._all():
            remembered.commit()

    def roll_back(self) -> None:
        """Forget what the transaction wrote."""
        for remembered in self._all():
            remembered.roll_back()

    def _all(self) -> tuple[Remembered[Any, Any] | RememberedEdge, ...]:
        return (
            self.deliveries,
            self.trips,
            self.robots,
            self.messages,
            self.message_numbers,
            self.event_numbers,
            self.closures,
            self.alarms,
            self.ledger,
            self.grants,
        )


class SqlUnitOfWork:
    """The repositories over one open transaction."""

    def __init__(self, connection: Connection, memory: Memory, ledger: LedgerTerms) -> None:
        self.deliveries = SqlDeliveries(connection, memory.deliveries)
        self.jobs = SqlJobs(connection)
        self.trips = SqlTrips(connection, memory.trips)
        self.drives = SqlDrives(connection)
        self.robots = SqlRobots(connection, memory.robots)
        self.outbox = SqlOutbox(connection, memory.messages, memory.message_numbers)
        self.events = SqlEvents(connection, memory.event_numbers)
        self.answers = SqlAnswers(connection)
        self.history = SqlHistory(connection)
        self.closures = SqlClosures(connection, memory.closures)
        self.alarms = SqlAlarms(connection, memory.alarms)
        self.approvals = SqlApprovals(connection)
        self.incidents = SqlIncidents(connection)
        self.ledger = SqlLedger(connection, memory.ledger, ledger)
        self.medicines = SqlMedicines(connection)
        self.recalls = SqlRecalls(connection)
        self.grants = SqlGrants(connection, memory.grants)
        self.people = SqlPeople(connection)
        self.proofs = SqlProofs(connection)
        self.decisions = SqlDecisions(connection)
