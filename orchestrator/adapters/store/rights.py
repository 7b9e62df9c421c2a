"""Setting up a PostgreSQL database for two roles: one that owns the tables, and one that the service runs as.

The service's role may change what it has to change, and only add to what must never be changed. So whoever breaks into
the service, or makes a mistake in it, cannot rewrite the record with the service's own credential.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, text

from orchestrator.adapters.store import postgresql
from orchestrator.adapters.store.address import PostgresAddress, address_of
from orchestrator.adapters.store.errors import StoreRoleError, StoreUrlError
from orchestrator.adapters.store.ledger_tables import BALANCE, ENTRY, HEAD, MODE, NODE, OPENING, ORIGIN, PENDING
from orchestrator.adapters.store.migrate import VERSION_TABLE, migrate
from orchestrator.adapters.store.rows import Row

ONLY_ADDED_TO = frozenset(
    {"access_decision", "drive", "event", "medicine_classification", "robot_entry", "transition"}
    | {table.name for table in (ENTRY, HEAD, NODE, OPENING, ORIGIN)}
)
"""Tables whose rows stay as they were written."""

NEVER_DELETED_FROM = frozenset({BALANCE.name, MODE.name, PENDING.name})
"""Tables whose rows change and stay."""


def prepare_store(url: str, *, role: str) -> None:
    """Bring the tables up to date as their owner, and give the role of the service its rights.

    Parameters
    ----------
    url : str
        Of a PostgreSQL database, as the role that owns, or shall own, the tables.
    role : str
        That the service will connect as; it exists.

    Raises
    ------
    StoreUrlError
        The address is not that of a PostgreSQL database.
    StoreRoleError
        The role does not exist, or could change everything in any case.
    StoreLockedError
        An orchestrator has the store open.
    """
    address = address_of(url)
    if not isinstance(address, PostgresAddress):
        raise StoreUrlError(
            "The preparation was refused: the address is that of a file; expected that of a PostgreSQL database. "
            "A file needs no preparation."
        )
    engine = postgresql.writing_engine(address)
    with postgresql.connect(engine, address) as connection:
        postgresql.take_lock(connection, address)
        postgresql.require_suitable(connection, address)
        with connection.begin():
            _require_plain_role(connection, role)
        migrate(connection, address.name)
        with connection.begin():
            for statement in _grants(connection, role):
                connection.execute(text(statement))
    engine.dispose()


def _require_plain_role(connection: Connection, role: str) -> None:
    statement = "SELECT rolsuper OR pg_has_role(oid, current_user, 'MEMBER') FROM pg_roles WHERE rolname = :role"
    is_mighty = connection.execute(text(statement), {"role": role}).scalar()
    if is_mighty is None:
        raise StoreRoleError(
            f"The preparation was refused: there is no role {role}; expected one that can log in. Create it first "
            "(docs/postgresql.md).",
            detail={"role": role},
        )
    if is_mighty:
        raise StoreRoleError(
            f"The preparation was refused: the role {role} is a superuser or a member of the owner, so no right can be "
            "kept from it; expected a role apart. Create one (docs/postgresql.md).",
            detail={"role": role},
        )


def _grants(connection: Connection, role: str) -> Iterator[str]:
    quote = connection.dialect.identifier_preparer.quote
    whom = quote(role)
    yield f"GRANT USAGE ON SCHEMA public TO {whom}"
    yield f"GRANT SELECT ON {quote(VERSION_TABLE)} TO {whom}"
    for name in sorted(Row.metadata.tables):
        # Taken from everybody first: what an earlier preparation gave is not left over.
        yield f"REVOKE ALL ON {quote(name)} FROM PUBLIC, {whom}"
        yield f"GRANT {', '.join(_rights_to(name))} ON {quote(name)} TO {whom}"


def _rights_to(table: str) -> tuple[str, ...]:
    if table in ONLY_ADDED_TO:
        return ("SELECT", "INSERT")
    return ("SELECT", "INSERT", "UPDATE") if table in NEVER_DELETED_FROM else ("SELECT", "INSERT", "UPDATE", "DELETE")
