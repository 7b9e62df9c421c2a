"""Alarms in the database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, desc, select

from orchestrator.adapters.store.fleet_json import texts_from_json, texts_to_json
from orchestrator.adapters.store.remembered import Remembered
from orchestrator.adapters.store.rows import AlarmRow
from orchestrator.adapters.store.tables import changed_values, insert_rows, select_rows, table_of, update_row
from orchestrator.application.errors import AlreadyKeptError
from orchestrator.domain.emergency.alarm import Alarm, AlarmId, AlarmKind, UnknownAlarmError
from orchestrator.domain.site.model import ZoneId

ALARM = table_of(AlarmRow).c

RememberedAlarms = Remembered[AlarmId, Alarm]


class SqlAlarms:
    """Alarms; those that stand are remembered, because every turn asks for them."""

    def __init__(self, connection: Connection, remembered: RememberedAlarms) -> None:
        self._connection = connection
        self._remembered = remembered

    def get(self, alarm: AlarmId) -> Alarm:
        """Return the alarm; raises `UnknownAlarmError`."""
        known = self._find(alarm)
        if known is None:
            raise UnknownAlarmError(
                "No alarm has this id; expected one of those that GET /api/v1/alarms lists.", detail={"alarm": alarm}
            )
        return known

    def _find(self, alarm: AlarmId) -> Alarm | None:
        known = self._remembered.get(alarm)
        if known is not None:
            return known
        rows = select_rows(self._connection, AlarmRow, select(table_of(AlarmRow)).where(ALARM.id == alarm))
        return _alarm_from_row(rows[0]) if rows else None

    def add(self, alarm: Alarm) -> None:
        """Keep a new alarm."""
        if self._find(alarm.id) is not None:
            raise AlreadyKeptError(
                f"The alarm was refused: {alarm.id} is kept already; expected a new id.", detail={"id": alarm.id}
            )
        insert_rows(self._connection, [_alarm_to_row(alarm)])
        self._remembered.has_written(alarm.id, alarm)

    def save(self, alarm: Alarm) -> None:
        """Keep the next version."""
        changed = changed_values(_alarm_to_row(self.get(alarm.id)), _alarm_to_row(alarm))
        update_row(self._connection, AlarmRow, ALARM.id == alarm.id, changed)
        self._remembered.has_written(alarm.id, alarm)

    def standing(self) -> Sequence[Alarm]:
        """Return the alarms that robots are held by, by raised_at, id."""
        if not self._remembered.is_complete:
            statement = select(table_of(AlarmRow)).where(ALARM.ended_at.is_(None))
            for row in select_rows(self._connection, AlarmRow, statement):
                self._remembered.has_read(AlarmId(row.id), _alarm_from_row(row))
            self._remembered.is_complete = True
        return sorted(self._remembered.worth_keeping(), key=lambda alarm: (alarm.raised_at, alarm.id))

    def newest(self, limit: int) -> Sequence[Alarm]:
        """Return up to ``limit`` alarms, standing or not, newest first."""
        statement = select(table_of(AlarmRow)).order_by(desc(ALARM.raised_at), desc(ALARM.id)).limit(limit)
        return [_alarm_from_row(row) for row in select_rows(self._connection, AlarmRow, statement)]


def _alarm_to_row(alarm: Alarm) -> AlarmRow:
    return AlarmRow(
        id=alarm.id,
        kind=alarm.kind.value,
        zones=texts_to_json(alarm.zones),
        source=alarm.source,
        raised_at=alarm.raised_at,
        raised_by=alarm.raised_by,
        reason=alarm.reason,
        cleared_at=alarm.cleared_at,
        cleared_by=alarm.cleared_by,
        ended_at=alarm.ended_at,
        ended_by=alarm.ended_by,
        ended_because=alarm.ended_because,
    )


def _alarm_from_row(row: AlarmRow) -> Alarm:
    return Alarm(
        id=AlarmId(row.id),
        kind=AlarmKind(row.kind),
        zones=tuple(ZoneId(zone) for zone in texts_from_json(row.zones)),
        source=row.source,
        raised_at=row.raised_at,
        raised_by=row.raised_by,
        reason=row.reason,
        cleared_at=row.cleared_at,
        cleared_by=row.cleared_by,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
        ended_because=row.ended_because,
    )
