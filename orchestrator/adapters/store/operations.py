"""Robot history and lane closures in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, func, select

from orchestrator.adapters.store.remembered import Remembered
from orchestrator.adapters.store.rows import ClosureRow, RobotEntryRow
from orchestrator.adapters.store.tables import insert_rows, select_rows, table_of, update_row
from orchestrator.application.errors import AlreadyKeptError
from orchestrator.domain.fleet.history import RobotAct, RobotEntry
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.closure import LaneClosure
from orchestrator.domain.site.model import LaneId

ENTRY = table_of(RobotEntryRow).c
CLOSURE = table_of(ClosureRow).c


@dataclass(frozen=True, slots=True)
class KeptClosure:
    """A closure with its number, and whether nobody has opened it yet."""

    number: int
    closure: LaneClosure
    is_standing: bool = True


RememberedClosures = Remembered[int, KeptClosure]


class SqlHistory:
    """What people did with robots, and what kept these."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, robot: RobotId, *, at: datetime, act: RobotAct, by: str, reason: str, outcome: str) -> RobotEntry:
        """Keep an entry and return it with its number."""
        newest = self._connection.execute(select(func.max(ENTRY.number))).scalar() or 0
        entry = RobotEntry(newest + 1, robot, at, act, by, reason, outcome)
        row = RobotEntryRow(
            number=entry.number, robot=robot, at=at, act=act.value, by=by, reason=reason, outcome=outcome
        )
        insert_rows(self._connection, [row])
        return entry

    def page(self, robot: RobotId, *, before: int | None, limit: int) -> Sequence[RobotEntry]:
        """Return up to ``limit`` entries of a robot, newest first, that are older than ``before``."""
        statement = select(table_of(RobotEntryRow)).where(ENTRY.robot == robot)
        if before is not None:
            statement = statement.where(ENTRY.number < before)
        rows = select_rows(self._connection, RobotEntryRow, statement.order_by(ENTRY.number.desc()).limit(limit))
        return [
            RobotEntry(row.number, RobotId(row.robot), row.at, RobotAct(row.act), row.by, row.reason, row.outcome)
            for row in rows
        ]


class SqlClosures:
    """Lanes that people have closed."""

    def __init__(self, connection: Connection, remembered: RememberedClosures) -> None:
        self._connection = connection
        self._remembered = remembered

    def close(self, closure: LaneClosure) -> None:
        """Keep a new closure."""
        if self._standing(closure.lane) is not None:
            raise AlreadyKeptError(
                f"The closure was refused: {closure.lane} is closed already; expected a lane that is open.",
                detail={"id": closure.lane},
            )
        number = (self._connection.execute(select(func.max(CLOSURE.number))).scalar() or 0) + 1
        row = ClosureRow(
            number=number,
            lane=closure.lane,
            at=closure.at,
            by=closure.by,
            reason=closure.reason,
            until=closure.until,
        )
        insert_rows(self._connection, [row])
        self._remembered.has_written(number, KeptClosure(number, closure))

    def open(self, lane: LaneId, *, at: datetime, by: str, reason: str) -> None:
        """Record that the lane is open again; one that is not closed stays so."""
        kept = self._standing(lane)
        if kept is None:
            return
        opened = {"opened_at": at, "opened_by": by, "opened_reason": reason}
        update_row(self._connection, ClosureRow, CLOSURE.number == kept.number, opened)
        self._remembered.has_written(kept.number, replace(kept, is_standing=False))

    def standing(self) -> Sequence[LaneClosure]:
        """Return the closures that stand, by lane."""
        return [kept.closure for kept in self._all_standing()]

    def _standing(self, lane: LaneId) -> KeptClosure | None:
        return next((kept for kept in self._all_standing() if kept.closure.lane == lane), None)

    def _all_standing(self) -> Sequence[KeptClosure]:
        if not self._remembered.is_complete:
            statement = select(table_of(ClosureRow)).where(CLOSURE.opened_at.is_(None))
            for row in select_rows(self._connection, ClosureRow, statement):
                closure = LaneClosure(LaneId(row.lane), row.at, row.by, row.reason, row.until)
                self._remembered.has_read(row.number, KeptClosure(row.number, closure))
            self._remembered.is_complete = True
        return sorted(self._remembered.worth_keeping(), key=lambda kept: kept.closure.lane)
