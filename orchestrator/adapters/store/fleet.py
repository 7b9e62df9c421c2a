"""Trips and robot records in the database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from orchestrator.adapters.store.fleet_rows import robot_from_row, robot_to_row, trip_from_row, trip_to_row
from orchestrator.adapters.store.remembered import Remembered
from orchestrator.adapters.store.rows import RobotRow, TripRow
from orchestrator.adapters.store.tables import changed_values, insert_rows, select_rows, table_of, update_row
from orchestrator.application.errors import AlreadyKeptError
from orchestrator.domain.delivery.model import Trip, TripId
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.record import RobotRecord

TRIP = table_of(TripRow).c
ROBOT = table_of(RobotRow).c

RememberedTrips = Remembered[TripId, Trip]
RememberedRobots = Remembered[RobotId, tuple[RobotRecord, RobotRow]]


class SqlTrips:
    """Trips."""

    def __init__(self, connection: Connection, remembered: RememberedTrips) -> None:
        self._connection = connection
        self._remembered = remembered

    def get(self, trip: TripId) -> Trip:
        """Return the trip; raises KeyError when the id was never ours."""
        known = self._find(trip)
        if known is None:
            raise KeyError(trip)
        return known

    def _find(self, trip: TripId) -> Trip | None:
        known = self._remembered.get(trip)
        if known is not None:
            return known
        for row in select_rows(self._connection, TripRow, select(table_of(TripRow)).where(TRIP.id == trip)):
            known = trip_from_row(row)
            self._remembered.has_read(trip, known)
        return known

    def add(self, trip: Trip) -> None:
        """Keep a new trip."""
        if self._find(trip.id) is not None:
            raise AlreadyKeptError(
                f"The trip was refused: {trip.id} is kept already; expected a new id.", detail={"id": trip.id}
            )
        insert_rows(self._connection, [trip_to_row(trip)])
        self._remembered.has_written(trip.id, trip)

    def save(self, trip: Trip) -> None:
        """Keep the next version."""
        before = self.get(trip.id)
        if trip == before:
            return
        update_row(
            self._connection, TripRow, TRIP.id == trip.id, changed_values(trip_to_row(before), trip_to_row(trip))
        )
        self._remembered.has_written(trip.id, trip)

    def open(self) -> Sequence[Trip]:
        """Return the trips that have not ended, by started_at, id."""
        if not self._remembered.is_complete:
            statement = select(table_of(TripRow)).where(TRIP.ended_at.is_(None))
            for row in select_rows(self._connection, TripRow, statement):
                self._remembered.has_read(TripId(row.id), trip_from_row(row))
            self._remembered.is_complete = True
        return sorted(self._remembered.worth_keeping(), key=lambda trip: (trip.started_at, trip.id))


class SqlRobots:
    """What is on our books about each robot."""

    def __init__(self, connection: Connection, remembered: RememberedRobots) -> None:
        self._connection = connection
        self._remembered = remembered

    def get(self, robot: RobotId) -> RobotRecord:
        """Return the record, an empty one for a robot that was never saved."""
        known = self._find(robot)
        return RobotRecord(robot) if known is None else known[0]

    def _find(self, robot: RobotId) -> tuple[RobotRecord, RobotRow] | None:
        known = self._remembered.get(robot)
        if known is not None:
            return known
        for row in select_rows(self._connection, RobotRow, select(table_of(RobotRow)).where(ROBOT.robot == robot)):
            record = robot_from_row(row)
            known = (record, robot_to_row(record))
            self._remembered.has_read(robot, known)
        return known

    def save(self, record: RobotRecord) -> None:
        """Keep the record; only the columns that changed are written."""
        known = self._find(record.robot)
        if known is None:
            row = robot_to_row(record)
            insert_rows(self._connection, [row])
        else:
            before, old = known
            if record is before or record == before:
                return
            row = robot_to_row(record)
            update_row(self._connection, RobotRow, ROBOT.robot == record.robot, changed_values(old, row))
        self._remembered.has_written(record.robot, (record, row))
