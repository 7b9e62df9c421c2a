"""People in the database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from orchestrator.adapters.store.fleet_json import texts_from_json, texts_to_json
from orchestrator.adapters.store.people_rows import PersonRow
from orchestrator.adapters.store.tables import changed_values, insert_rows, rows_by, select_rows, table_of, update_row
from orchestrator.application.errors import AlreadyKeptError
from orchestrator.domain.people.errors import UnknownPersonError
from orchestrator.domain.people.model import Person, PersonId, Role
from orchestrator.domain.people.proofs import Credentials
from orchestrator.domain.site.model import PlaceId

PERSON = table_of(PersonRow).c


class SqlPeople:
    """Members of staff. Nothing is remembered between transactions: whoever is revoked is so for the next reader."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, person: PersonId) -> Person:
        """Return the person; raises `UnknownPersonError`."""
        return _person_from_row(self._row(person))

    def all(self) -> Sequence[Person]:
        """Return everybody, by id."""
        statement = select(table_of(PersonRow)).order_by(PERSON.id)
        return [_person_from_row(row) for row in select_rows(self._connection, PersonRow, statement)]

    def add(self, person: Person, credentials: Credentials) -> None:
        """Keep a new person."""
        if self._rows(or_(PERSON.id == person.id, PERSON.badge == credentials.badge)):
            raise AlreadyKeptError(
                f"The person was refused: {person.id}, or the badge, is kept already; expected new ones.",
                detail={"id": person.id},
            )
        insert_rows(self._connection, [_person_to_row(person, credentials)])

    def save(self, person: Person) -> None:
        """Keep the next version."""
        before = self._row(person.id)
        credentials = Credentials(before.badge, before.pin)
        changed = changed_values(
            _person_to_row(_person_from_row(before), credentials), _person_to_row(person, credentials)
        )
        update_row(self._connection, PersonRow, PERSON.id == person.id, changed)

    def credentials(self, person: PersonId) -> Credentials:
        """Return what a person is known by; raises `UnknownPersonError`."""
        row = self._row(person)
        return Credentials(row.badge, row.pin)

    def save_credentials(self, person: PersonId, credentials: Credentials) -> None:
        """Keep what a person is known by from now on, and forget what it was."""
        self._row(person)
        if self._rows(and_(PERSON.badge == credentials.badge, PERSON.id != person)):
            raise AlreadyKeptError(
                "The badge was refused: it is kept already; expected a new one.", detail={"id": person}
            )
        said = {"badge": credentials.badge, "pin": credentials.pin}
        update_row(self._connection, PersonRow, PERSON.id == person, said)

    def by_badge(self, digest: str) -> tuple[Person, Credentials] | None:
        """Return whose badge has this digest."""
        rows = self._rows(PERSON.badge == digest)
        return (_person_from_row(rows[0]), Credentials(rows[0].badge, rows[0].pin)) if rows else None

    def _row(self, person: PersonId) -> PersonRow:
        rows = rows_by(self._connection, PersonRow, id=person)
        if not rows:
            raise unknown_person(person)
        return rows[0]

    def _rows(self, where: ColumnElement[bool]) -> Sequence[PersonRow]:
        return select_rows(self._connection, PersonRow, select(table_of(PersonRow)).where(where))


def unknown_person(person: PersonId) -> UnknownPersonError:
    """Return the error of an id that nobody has."""
    return UnknownPersonError(
        "Nobody has this id; expected one of those that wardporter staff list shows.", detail={"person": person}
    )


def _person_to_row(person: Person, credentials: Credentials) -> PersonRow:
    return PersonRow(
        id=person.id,
        roles=texts_to_json(sorted(person.roles)),
        places=texts_to_json(sorted(person.places)),
        registration=person.registration,
        is_agency=person.is_agency,
        expires_at=person.expires_at,
        revoked_at=person.revoked_at,
        badge=credentials.badge,
        pin=credentials.pin,
    )


def _person_from_row(row: PersonRow) -> Person:
    return Person(
        PersonId(row.id),
        frozenset(Role(role) for role in texts_from_json(row.roles)),
        frozenset(PlaceId(place) for place in texts_from_json(row.places)),
        row.registration,
        row.is_agency,
        row.expires_at,
        row.revoked_at,
    )
