"""Sessions, tokens, step-ups and counted guesses in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, update

from orchestrator.adapters.store.columns import moment_of_text, text_of_moment
from orchestrator.adapters.store.fleet_json import texts_from_json, texts_to_json
from orchestrator.adapters.store.people_rows import PinCountRow, SessionRow, StepUpRow, TokenRow
from orchestrator.adapters.store.tables import (
    insert_rows,
    rows_by,
    select_rows,
    table_of,
    update_row,
    update_row_by,
    values_of,
)
from orchestrator.application.errors import AlreadyKeptError
from orchestrator.domain.access.acts import Act
from orchestrator.domain.people.model import PersonId, Role
from orchestrator.domain.people.proofs import AccessToken, PinCount, Session, SessionEnd, StepUp
from orchestrator.domain.site.model import PlaceId

SESSION, TOKEN, STEP_UP = table_of(SessionRow).c, table_of(TokenRow).c, table_of(StepUpRow).c
COUNT = table_of(PinCountRow).c


class SqlProofs:
    """What proves who acts. Nothing is remembered between transactions: what ended has ended for the next reader."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def session(self, digest: str) -> Session | None:
        """Return the session whose token has this digest."""
        rows = rows_by(self._connection, SessionRow, digest=digest)
        return _session_from_row(rows[0]) if rows else None

    def sessions(self, *, person: PersonId | None = None, device: str | None = None) -> Sequence[Session]:
        """Return the sessions that nobody has ended, of a person or at a device, oldest first."""
        asked = or_(SESSION.person == person, SESSION.device == device)
        return self._sessions(and_(SESSION.ended_at.is_(None), asked))

    def newest_start(self, device: str) -> datetime | None:
        """Return when somebody last signed in at a device."""
        return self._connection.execute(select(func.max(SESSION.started_at)).where(SESSION.device == device)).scalar()

    def add_session(self, session: Session) -> None:
        """Keep a new session."""
        insert_rows(self._connection, [_session_to_row(session)])

    def save_session(self, session: Session) -> None:
        """Keep the next version."""
        update_row_by(self._connection, SessionRow, "id", session.id, values_of(_session_to_row(session)))

    def token(self, digest: str) -> AccessToken | None:
        """Return the token that has this digest."""
        found = self._tokens(TOKEN.digest == digest)
        return found[0] if found else None

    def tokens(self) -> Sequence[AccessToken]:
        """Return all tokens, by id."""
        return self._tokens(None)

    def add_token(self, token: AccessToken) -> None:
        """Keep a new token."""
        if self._tokens(TOKEN.id == token.id):
            raise AlreadyKeptError(
                f"The token was refused: {token.id} is kept already; expected a new name.", detail={"id": token.id}
            )
        insert_rows(self._connection, [_token_to_row(token)])

    def save_token(self, token: AccessToken) -> None:
        """Keep the next version."""
        update_row(self._connection, TokenRow, TOKEN.id == token.id, values_of(_token_to_row(token)))

    def step_up(self, digest: str) -> StepUp | None:
        """Return the step-up whose token has this digest."""
        rows = rows_by(self._connection, StepUpRow, digest=digest)
        return _step_up_from_row(rows[0]) if rows else None

    def add_step_up(self, step_up: StepUp) -> None:
        """Keep a new step-up."""
        row = StepUpRow(
            digest=step_up.digest,
            person=step_up.person,
            act=step_up.act.value,
            delivery=step_up.delivery,
            device=step_up.device,
            made_at=step_up.made_at,
            expires_at=step_up.expires_at,
            used_at=step_up.used_at,
        )
        insert_rows(self._connection, [row])

    def use_step_up(self, digest: str, at: datetime) -> None:
        """Record that a step-up was used."""
        update_row_by(self._connection, StepUpRow, "digest", digest, {"used_at": at})

    def forget_step_ups(self, person: PersonId) -> None:
        """Forget every step-up of a person that was not used."""
        unused = and_(STEP_UP.person == person, STEP_UP.used_at.is_(None))
        self._connection.execute(delete(table_of(StepUpRow)).where(unused))

    def pin_count(self, badge: str, device: str) -> PinCount:
        """Return the guesses counted of a badge at a device."""
        found = self._counts(and_(COUNT.badge == badge, COUNT.device == device))
        return found[0] if found else PinCount(badge, device)

    def pin_counts(self, badge: str) -> Sequence[PinCount]:
        """Return the guesses counted of a badge at all devices, by device."""
        return self._counts(COUNT.badge == badge)

    def save_pin_count(self, count: PinCount) -> None:
        """Keep the count."""
        said = {
            "in_a_row": count.in_a_row,
            "wrong_at": texts_to_json(text_of_moment(one) for one in count.wrong_at),
            "newest_at": count.newest_at,
            "is_of_nobody": count.is_of_nobody,
        }
        where = and_(COUNT.badge == count.badge, COUNT.device == count.device)
        table = table_of(PinCountRow)
        if not self._connection.execute(update(table).where(where).values(said)).rowcount:
            self._connection.execute(insert(table).values(badge=count.badge, device=count.device, **said))

    def forget_pin_counts(self, badge: str) -> None:
        """Count a badge's guesses anew."""
        self._connection.execute(delete(table_of(PinCountRow)).where(COUNT.badge == badge))

    def forget_counts_of_nobody(self, *, before: datetime, keep: int) -> None:
        """Forget counts of badges that nobody has: those whose newest guess is older, and all but the newest."""
        table = table_of(PinCountRow)
        self._connection.execute(delete(table).where(and_(COUNT.is_of_nobody, COUNT.newest_at < before)))
        # In the order of the index, so that nothing is sorted and no row is read but those that go.
        newest_first = (COUNT.newest_at.desc(), COUNT.badge.desc(), COUNT.device.desc())
        beyond = select(COUNT.badge, COUNT.device).where(COUNT.is_of_nobody).order_by(*newest_first).offset(keep)
        for badge, device in self._connection.execute(beyond).all():
            self._connection.execute(delete(table).where(and_(COUNT.badge == badge, COUNT.device == device)))

    def _sessions(self, where: ColumnElement[bool]) -> list[Session]:
        statement = select(table_of(SessionRow)).where(where).order_by(SESSION.started_at, SESSION.id)
        return [_session_from_row(row) for row in select_rows(self._connection, SessionRow, statement)]

    def _tokens(self, where: ColumnElement[bool] | None) -> list[AccessToken]:
        statement = select(table_of(TokenRow)).order_by(TOKEN.id)
        if where is not None:
            statement = statement.where(where)
        return [_token_from_row(row) for row in select_rows(self._connection, TokenRow, statement)]

    def _counts(self, where: ColumnElement[bool]) -> list[PinCount]:
        statement = select(table_of(PinCountRow)).where(where).order_by(COUNT.device)
        return [
            PinCount(
                row.badge,
                row.device,
                row.in_a_row,
                tuple(moment_of_text(m) for m in texts_from_json(row.wrong_at)),
                row.is_of_nobody,
            )
            for row in select_rows(self._connection, PinCountRow, statement)
        ]


def _session_to_row(session: Session) -> SessionRow:
    return SessionRow(
        id=session.id,
        digest=session.digest,
        person=session.person,
        device=session.device,
        is_shared=session.is_shared,
        started_at=session.started_at,
        used_at=session.used_at,
        ended_at=session.ended_at,
        ended_because=session.ended_because.value if session.ended_because else None,
    )


def _session_from_row(row: SessionRow) -> Session:
    return Session(
        row.id,
        row.digest,
        PersonId(row.person),
        row.device,
        row.is_shared,
        row.started_at,
        row.used_at,
        row.ended_at,
        SessionEnd(row.ended_because) if row.ended_because else None,
    )


def _token_to_row(token: AccessToken) -> TokenRow:
    return TokenRow(
        id=token.id,
        digest=token.digest,
        roles=texts_to_json(sorted(token.roles)),
        places=texts_to_json(sorted(token.places)),
        made_at=token.made_at,
        made_by=token.made_by,
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
        revoked_by=token.revoked_by,
    )


def _token_from_row(row: TokenRow) -> AccessToken:
    return AccessToken(
        row.id,
        row.digest,
        frozenset(Role(role) for role in texts_from_json(row.roles)),
        frozenset(PlaceId(place) for place in texts_from_json(row.places)),
        row.made_at,
        row.made_by,
        row.expires_at,
        row.revoked_at,
        row.revoked_by,
    )


def _step_up_from_row(row: StepUpRow) -> StepUp:
    return StepUp(
        row.digest,
        PersonId(row.person),
        Act(row.act),
        row.delivery,
        row.device,
        row.made_at,
        row.expires_at,
        row.used_at,
    )
