"""The store on a PostgreSQL server: its connections, the lock of the one that writes, and what the server has to be.

The lock is an advisory lock of the session that also does all the writing. Who loses the session loses the lock, and
can commit nothing any more; so whoever gets the lock next is alone.
"""

from __future__ import annotations

import time

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from orchestrator.adapters.store.address import PostgresAddress
from orchestrator.adapters.store.errors import StoreLockedError, StoreUnreachableError, StoreUnsuitableError

LOCK_KEY = int.from_bytes(b"wardport", "big")
"""Of the advisory lock; such locks are apart by database."""

LOCK_PATIENCE_S = 2.0
"""How long to wait for the lock of one that was killed; its server session ends a moment after it."""

LOCK_EVERY_S = 0.1
"""How often to ask for the lock."""

LOCK_TIMEOUT_MS = 5_000
"""How long a statement waits for another program that holds a table."""

OLDEST_SERVER = 15

CONNECT_ARGS = {
    "application_name": "wardporter",
    "connect_timeout": 10,
    # A machine that vanished is noticed by both ends within about 15 s: its lock is free then, and we know of it.
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
SERVER_SETTINGS = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "3",
    "tcp_keepalives_count": "3",
    "lock_timeout": str(LOCK_TIMEOUT_MS),
    "search_path": "public",
    "timezone": "UTC",
}

UNSUITABLE = {
    "fsync": ("on", "what it acknowledged may be lost in a power cut"),
    "full_page_writes": ("on", "a page torn by a power cut could not be put right"),
    "synchronous_commit": ("on", "what it acknowledged may be lost in a crash"),
    "server_encoding": ("UTF8", "it cannot keep every text"),
}
"""What a setting has to be, and what follows when it is not."""

OF_THE_SYSTEM, BUILT_IN = "c", "b"
"""Who orders texts; the built-in orders are all those of code points."""

STABLE_COLLATIONS = {"C", "POSIX", "C.UTF-8", "C.utf8", "C.UTF8"}


def writing_engine(address: PostgresAddress) -> Engine:
    """Return the engine of the one connection that writes."""
    return create_engine(
        address.url,
        poolclass=NullPool,
        isolation_level="READ COMMITTED",
        hide_parameters=True,
        connect_args={**CONNECT_ARGS, "options": _options({**SERVER_SETTINGS, "synchronous_commit": "on"})},
    )


def reading_engine(address: PostgresAddress) -> Engine:
    """Return the engine of those that read: each block sees one committed state, and can write nothing."""
    return create_engine(
        address.url,
        pool_pre_ping=True,
        isolation_level="REPEATABLE READ",
        hide_parameters=True,
        connect_args={**CONNECT_ARGS, "options": _options({**SERVER_SETTINGS, "default_transaction_read_only": "on"})},
    )


def _options(settings: dict[str, str]) -> str:
    return " ".join(f"-c {name}={value}" for name, value in settings.items())


def connect(engine: Engine, address: PostgresAddress) -> Connection:
    """Return a connection.

    Raises
    ------
    StoreUnreachableError
        The server does not answer, or does not let us in.
    """
    try:
        return engine.connect()
    except OperationalError as error:
        raise StoreUnreachableError(
            f"The store {address.name} was refused: its server does not let us in "
            f"({' '.join(str(error.orig).split())}); expected a PostgreSQL server that answers. Start it, or correct "
            "WARDPORTER_STORE.",
            detail={"store": address.name},
        ) from None


def take_lock(connection: Connection, address: PostgresAddress, *, is_standby: bool = False) -> None:
    """Take the lock of the one that writes; it is held as long as the session lives.

    Parameters
    ----------
    connection : Connection
        Of that session, outside a transaction.
    address : PostgresAddress
        Of the store.
    is_standby : bool
        Whether to wait for the lock until it is free, however long that takes.

    Raises
    ------
    StoreLockedError
        Another orchestrator holds it.
    """
    give_up_s = time.monotonic() + LOCK_PATIENCE_S
    # Not one statement that waits: it would keep the server from clearing away old rows for as long as it does.
    while not _is_locked_by_us(connection):
        if not is_standby and time.monotonic() > give_up_s:
            raise StoreLockedError(
                f"The store {address.name} was refused: another orchestrator has it open; expected to be the only one. "
                "Stop the other one, choose another store, or wait as its standby (--standby).",
                detail={"store": address.name},
            )
        time.sleep(LOCK_EVERY_S)


def _is_locked_by_us(connection: Connection) -> bool:
    with connection.begin():
        return bool(connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK_KEY}).scalar())


def require_suitable(connection: Connection, address: PostgresAddress) -> None:
    """Refuse a server that would lose what was acknowledged, or whose order of texts is not ours.

    Raises
    ------
    StoreUnsuitableError
        A setting is not as it has to be; the sentence names it.
    """
    with connection.begin():
        found = [_wrong_version(connection), *_wrong_settings(connection), _wrong_collation(connection)]
    wrong = [sentence for sentence in found if sentence is not None]
    if wrong:
        raise StoreUnsuitableError(
            f"The store {address.name} was refused: {'; '.join(wrong)}. docs/postgresql.md says how to set it up.",
            detail={"store": address.name},
        )


def _wrong_version(connection: Connection) -> str | None:
    number = int(str(connection.execute(text("SHOW server_version_num")).scalar()))
    if number // 10_000 >= OLDEST_SERVER:
        return None
    return f"its server is PostgreSQL {number // 10_000}, expected {OLDEST_SERVER} or newer"


def _wrong_settings(connection: Connection) -> list[str]:
    values = {name: connection.execute(text(f"SHOW {name}")).scalar() for name in UNSUITABLE}
    return [
        f"{name} is {values[name]}, expected {expected}, else {danger}"
        for name, (expected, danger) in UNSUITABLE.items()
        if values[name] != expected
    ]


def _wrong_collation(connection: Connection) -> str | None:
    statement = "SELECT datlocprovider::text, datcollate FROM pg_database WHERE datname = current_database()"
    provider, collation = connection.execute(text(statement)).one()
    if provider == BUILT_IN or (provider == OF_THE_SYSTEM and collation in STABLE_COLLATIONS):
        return None
    # Such an order changes with a library of the operating system, and indexes over it are wrong from then on.
    return f"its collation is {collation if provider == OF_THE_SYSTEM else 'of ICU'}, expected C, which never changes"
