"""Approvals to carry and incidents, in the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, desc, select

from orchestrator.adapters.store.custody_json import follow_ups_from_json, follow_ups_to_json
from orchestrator.adapters.store.fleet_json import texts_from_json, texts_to_json
from orchestrator.adapters.store.rows import ApprovalRow, IncidentRow
from orchestrator.adapters.store.tables import changed_values, insert_rows, select_rows, table_of, update_row
from orchestrator.application.errors import UnknownApprovalError, UnknownIncidentError
from orchestrator.domain.custody.approval import ApprovalId, CarriageApproval
from orchestrator.domain.custody.incident import Incident, IncidentId, IncidentKind
from orchestrator.domain.delivery.ids import DeliveryId
from orchestrator.domain.fleet.model import ModelId
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.people.model import PersonId
from orchestrator.domain.site.model import PlaceId

APPROVAL = table_of(ApprovalRow).c
INCIDENT = table_of(IncidentRow).c


class SqlApprovals:
    """Approvals of the accountable officer."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, approval: ApprovalId) -> CarriageApproval:
        """Return the approval; raises `UnknownApprovalError`."""
        found = select_rows(self._connection, ApprovalRow, select(table_of(ApprovalRow)).where(APPROVAL.id == approval))
        if not found:
            raise UnknownApprovalError(
                "No approval has this id; expected one of those that GET /api/v1/carriage-approvals lists.",
                detail={"approval": approval},
            )
        return _approval_from_row(found[0])

    def add(self, approval: CarriageApproval) -> None:
        """Keep a new approval."""
        insert_rows(self._connection, [_approval_to_row(approval)])

    def save(self, approval: CarriageApproval) -> None:
        """Keep the next version."""
        changed = changed_values(_approval_to_row(self.get(approval.id)), _approval_to_row(approval))
        update_row(self._connection, ApprovalRow, APPROVAL.id == approval.id, changed)

    def all(self) -> Sequence[CarriageApproval]:
        """Return every approval, oldest first."""
        statement = select(table_of(ApprovalRow)).order_by(APPROVAL.approved_at, APPROVAL.id)
        return [_approval_from_row(row) for row in select_rows(self._connection, ApprovalRow, statement)]


class SqlIncidents:
    """Incidents; what is known of them only grows."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, incident: IncidentId) -> Incident:
        """Return the incident; raises `UnknownIncidentError`."""
        found = select_rows(self._connection, IncidentRow, select(table_of(IncidentRow)).where(INCIDENT.id == incident))
        if not found:
            raise UnknownIncidentError(
                "No incident has this id; expected one of those that GET /api/v1/incidents lists.",
                detail={"incident": incident},
            )
        return _incident_from_row(found[0])

    def add(self, incident: Incident) -> None:
        """Keep a new incident."""
        insert_rows(self._connection, [_incident_to_row(incident)])

    def save(self, incident: Incident) -> None:
        """Keep the next version; follow-ups only grow."""
        before = self.get(incident.id)
        assert incident.follow_ups[: len(before.follow_ups)] == before.follow_ups, "follow-ups only grow"
        changed = changed_values(_incident_to_row(before), _incident_to_row(incident))
        update_row(self._connection, IncidentRow, INCIDENT.id == incident.id, changed)

    def of_delivery(self, delivery: DeliveryId) -> Sequence[Incident]:
        """Return every incident of a delivery, oldest first."""
        statement = select(table_of(IncidentRow)).where(INCIDENT.delivery == delivery)
        rows = select_rows(self._connection, IncidentRow, statement.order_by(INCIDENT.at, INCIDENT.id))
        return [_incident_from_row(row) for row in rows]

    def standing(self) -> Sequence[Incident]:
        """Return every incident that nobody has closed, oldest first."""
        statement = select(table_of(IncidentRow)).order_by(INCIDENT.at, INCIDENT.id)
        return [incident for incident in self._read(statement) if not incident.is_closed]

    def closed_between(self, start: datetime, end: datetime) -> Sequence[Incident]:
        """Return the incidents that were closed from ``start`` on and before ``end``, by id."""
        # Nothing is closed before it happened; when it was closed is text that nobody searches.
        statement = select(table_of(IncidentRow)).where(INCIDENT.at < end).order_by(INCIDENT.id)
        return [one for one in self._read(statement) if one.closed_at is not None and start <= one.closed_at < end]

    def remove(self, incidents: Collection[IncidentId]) -> None:
        """Take incidents out for good."""
        gone = [{"gone": incident} for incident in incidents]
        if gone:
            self._connection.execute(delete(table_of(IncidentRow)).where(INCIDENT.id == bindparam("gone")), gone)

    def _read(self, statement: Select[Any]) -> list[Incident]:
        return [_incident_from_row(row) for row in select_rows(self._connection, IncidentRow, statement)]

    def newest(self, limit: int) -> Sequence[Incident]:
        """Return up to ``limit`` incidents, newest first."""
        statement = select(table_of(IncidentRow)).order_by(desc(INCIDENT.at), desc(INCIDENT.id)).limit(limit)
        return [_incident_from_row(row) for row in select_rows(self._connection, IncidentRow, statement)]


def _approval_to_row(approval: CarriageApproval) -> ApprovalRow:
    return ApprovalRow(
        id=approval.id,
        handling_class=approval.handling_class.value,
        from_place=approval.from_place,
        to_place=approval.to_place,
        model=approval.model,
        approved_by=approval.approved_by,
        approved_at=approval.approved_at,
        reference=approval.reference,
        ends_at=approval.ends_at,
        revoked_at=approval.revoked_at,
        revoked_by=approval.revoked_by,
    )


def _approval_from_row(row: ApprovalRow) -> CarriageApproval:
    return CarriageApproval(
        id=ApprovalId(row.id),
        handling_class=HandlingClass(row.handling_class),
        from_place=PlaceId(row.from_place),
        to_place=PlaceId(row.to_place),
        model=ModelId(row.model),
        approved_by=PersonId(row.approved_by),
        approved_at=row.approved_at,
        reference=row.reference,
        ends_at=row.ends_at,
        revoked_at=row.revoked_at,
        revoked_by=None if row.revoked_by is None else PersonId(row.revoked_by),
    )


def _incident_to_row(incident: Incident) -> IncidentRow:
    return IncidentRow(
        id=incident.id,
        kind=incident.kind.value,
        at=incident.at,
        place=incident.place,
        is_controlled=incident.is_controlled,
        sentence=incident.sentence,
        details=incident.details,
        delivery=incident.delivery,
        schedule=incident.schedule,
        caused_by=texts_to_json(incident.caused_by),
        follow_ups=follow_ups_to_json(incident.follow_ups),
    )


def _incident_from_row(row: IncidentRow) -> Incident:
    return Incident(
        id=IncidentId(row.id),
        kind=IncidentKind(row.kind),
        at=row.at,
        place=PlaceId(row.place),
        is_controlled=row.is_controlled,
        sentence=row.sentence,
        details=row.details,
        delivery=None if row.delivery is None else DeliveryId(row.delivery),
        schedule=row.schedule,
        caused_by=tuple(PersonId(person) for person in texts_from_json(row.caused_by)),
        follow_ups=follow_ups_from_json(row.follow_ups),
    )
