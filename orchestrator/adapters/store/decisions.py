"""The access log in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select

from orchestrator.adapters.store.people_rows import DecisionRow
from orchestrator.adapters.store.tables import insert_rows, select_rows, table_of
from orchestrator.application.people_ports import KeptDecision
from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.decision import REFUSED_TO_PEOPLE, Decision, Why
from orchestrator.domain.people.model import PrincipalKind

DECISION = table_of(DecisionRow).c
_NEWEST = select(func.max(DECISION.number))


class SqlDecisions:
    """Every decision, only ever added."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, decision: Decision) -> KeptDecision:
        """Keep a decision and return it with its number."""
        number = (self._connection.execute(_NEWEST).scalar() or 0) + 1
        row = DecisionRow(
            number=number,
            at=decision.at,
            act=decision.act.value,
            is_allowed=decision.is_allowed,
            why=decision.why.value,
            who=decision.who,
            kind=decision.kind.value if decision.kind else None,
            device=decision.device,
            subject=decision.subject,
        )
        insert_rows(self._connection, [row])
        return KeptDecision(number, decision)

    def page(self, *, before: int | None, limit: int, refused_only: bool = False) -> Sequence[KeptDecision]:
        """Return up to ``limit`` decisions, newest first, that are older than number ``before``."""
        statement = select(table_of(DecisionRow)).order_by(DECISION.number.desc()).limit(limit)
        if before is not None:
            statement = statement.where(DECISION.number < before)
        if refused_only:
            statement = statement.where(DECISION.is_allowed.is_(False))
        return [_kept(row) for row in select_rows(self._connection, DecisionRow, statement)]

    def refused_at(self, device: str, *, since: datetime) -> int:
        """Return how many acts were refused to people at a device since a moment."""
        statement = select(func.count()).where(
            DECISION.device == device,
            DECISION.at >= since,
            DECISION.is_allowed.is_(False),
            DECISION.why.in_(sorted(REFUSED_TO_PEOPLE)),
        )
        return self._connection.execute(statement).scalar_one()


def _kept(row: DecisionRow) -> KeptDecision:
    decision = Decision(
        row.at,
        Act(row.act),
        row.is_allowed,
        Why(row.why),
        row.who,
        PrincipalKind(row.kind) if row.kind else None,
        row.device,
        row.subject,
    )
    return KeptDecision(row.number, decision)
