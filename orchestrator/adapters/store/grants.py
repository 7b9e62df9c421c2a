"""Drawer grants in the database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from orchestrator.adapters.store.fleet_json import texts_from_json, texts_to_json
from orchestrator.adapters.store.remembered import Remembered
from orchestrator.adapters.store.rows import GrantRow
from orchestrator.adapters.store.tables import changed_values, insert_rows, select_rows, table_of, update_row
from orchestrator.application.errors import AlreadyKeptError
from orchestrator.domain.custody.grant import Purpose
from orchestrator.domain.custody.issued_grant import GrantId, GrantOutcome, IssuedGrant, UnknownGrantError
from orchestrator.domain.delivery.model import DeliveryId
from orchestrator.domain.fleet.model import ActionId, RobotId
from orchestrator.domain.people.model import PersonId
from orchestrator.domain.site.model import PlaceId

GRANT = table_of(GrantRow).c

RememberedGrants = Remembered[GrantId, IssuedGrant]


class SqlGrants:
    """Grants; those that still matter are remembered, because every turn asks for them."""

    def __init__(self, connection: Connection, remembered: RememberedGrants) -> None:
        self._connection = connection
        self._remembered = remembered

    def get(self, grant: GrantId) -> IssuedGrant:
        """Return the grant; raises `UnknownGrantError`."""
        known = self._find(grant)
        if known is None:
            raise UnknownGrantError(
                "No drawer grant has this id; expected one that was issued here.", detail={"grant": grant}
            )
        return known

    def _find(self, grant: GrantId) -> IssuedGrant | None:
        known = self._remembered.get(grant)
        if known is not None:
            return known
        rows = select_rows(self._connection, GrantRow, select(table_of(GrantRow)).where(GRANT.id == grant))
        return _grant_from_row(rows[0]) if rows else None

    def add(self, grant: IssuedGrant) -> None:
        """Keep a new grant."""
        if self._find(grant.id) is not None or self.of_nonce(grant.robot, grant.nonce) is not None:
            raise AlreadyKeptError(
                f"The grant was refused: {grant.id} or its nonce is kept already; expected a new one.",
                detail={"id": grant.id},
            )
        insert_rows(self._connection, [_grant_to_row(grant)])
        self._remembered.has_written(grant.id, grant)

    def save(self, grant: IssuedGrant) -> None:
        """Keep the next version."""
        changed = changed_values(_grant_to_row(self.get(grant.id)), _grant_to_row(grant))
        update_row(self._connection, GrantRow, GRANT.id == grant.id, changed)
        self._remembered.has_written(grant.id, grant)

    def of_nonce(self, robot: RobotId, nonce: str) -> IssuedGrant | None:
        """Return the grant that names a robot's nonce."""
        statement = select(table_of(GrantRow)).where(GRANT.robot == robot, GRANT.nonce == nonce)
        rows = select_rows(self._connection, GrantRow, statement)
        return self.get(GrantId(rows[0].id)) if rows else None

    def of_delivery(self, delivery: DeliveryId) -> Sequence[IssuedGrant]:
        """Return every grant for a delivery, by issued_at, id."""
        statement = select(table_of(GrantRow)).where(GRANT.delivery_id == delivery)
        rows = select_rows(self._connection, GrantRow, statement.order_by(GRANT.issued_at, GRANT.id))
        return [_grant_from_row(row) for row in rows]

    def last_opened(self, robot: RobotId, drawer: str) -> IssuedGrant | None:
        """Return the newest grant that a drawer was opened on."""
        statement = select(table_of(GrantRow)).where(
            GRANT.robot == robot, GRANT.drawer == drawer, GRANT.outcome == GrantOutcome.OPENED.value
        )
        newest = statement.order_by(GRANT.issued_at.desc(), GRANT.id.desc()).limit(1)
        rows = select_rows(self._connection, GrantRow, newest)
        return self.get(GrantId(rows[0].id)) if rows else None

    def standing(self) -> Sequence[IssuedGrant]:
        """Return the grants that are not settled, by issued_at, id."""
        if not self._remembered.is_complete:
            statement = select(table_of(GrantRow)).where(GRANT.settled_at.is_(None))
            for row in select_rows(self._connection, GrantRow, statement):
                self._remembered.has_read(GrantId(row.id), _grant_from_row(row))
            self._remembered.is_complete = True
        return sorted(self._remembered.worth_keeping(), key=lambda grant: (grant.issued_at, grant.id))


def _grant_to_row(grant: IssuedGrant) -> GrantRow:
    return GrantRow(
        id=grant.id,
        delivery_id=grant.delivery,
        robot=grant.robot,
        drawer=grant.drawer,
        purpose=grant.purpose.value,
        nonce=grant.nonce,
        action=grant.action,
        by=grant.by,
        people=texts_to_json(grant.people),
        issued_at=grant.issued_at,
        place=grant.place,
        outcome=grant.outcome.value,
        reason=grant.reason,
        answered_at=grant.answered_at,
        closed_at=grant.closed_at,
        settled_at=grant.settled_at,
    )


def _grant_from_row(row: GrantRow) -> IssuedGrant:
    return IssuedGrant(
        id=GrantId(row.id),
        delivery=DeliveryId(row.delivery_id),
        robot=RobotId(row.robot),
        drawer=row.drawer,
        purpose=Purpose(row.purpose),
        nonce=row.nonce,
        action=ActionId(row.action),
        by=row.by,
        people=tuple(PersonId(person) for person in texts_from_json(row.people)),
        issued_at=row.issued_at,
        place=PlaceId(row.place),
        outcome=GrantOutcome(row.outcome),
        reason=row.reason,
        answered_at=row.answered_at,
        closed_at=row.closed_at,
        settled_at=row.settled_at,
    )
