"""Past drives in the database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from orchestrator.adapters.store.rows import DriveRow
from orchestrator.adapters.store.tables import insert_rows, select_rows, table_of
from orchestrator.application.errors import AlreadyKeptError
from orchestrator.domain.delivery.model import TripId
from orchestrator.domain.dispatch.forecast import Drive
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.model import StationId

DRIVE = table_of(DriveRow)


class SqlDrives:
    """Past drives; only ever added."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, drive: Drive) -> None:
        """Keep a drive."""
        if select_rows(self._connection, DriveRow, select(DRIVE).where(DRIVE.c.trip_id == drive.trip)):
            raise AlreadyKeptError(
                f"The drive was refused: that of trip {drive.trip} is kept already; expected one for each trip.",
                detail={"id": drive.trip},
            )
        insert_rows(
            self._connection,
            [
                DriveRow(
                    trip_id=drive.trip,
                    robot=drive.robot,
                    from_station=drive.from_station,
                    to_station=drive.to_station,
                    planned_s=drive.planned_s,
                    actual_s=drive.actual_s,
                    arrived_at=drive.arrived_at,
                )
            ],
        )

    def newest(self, limit: int) -> Sequence[Drive]:
        """Return up to ``limit`` drives, newest first."""
        newest = select(DRIVE).order_by(DRIVE.c.arrived_at.desc(), DRIVE.c.trip_id.desc()).limit(limit)
        return [_drive_from_row(row) for row in select_rows(self._connection, DriveRow, newest)]


def _drive_from_row(row: DriveRow) -> Drive:
    return Drive(
        trip=TripId(row.trip_id),
        robot=RobotId(row.robot),
        from_station=StationId(row.from_station),
        to_station=StationId(row.to_station),
        planned_s=row.planned_s,
        actual_s=row.actual_s,
        arrived_at=row.arrived_at,
    )
