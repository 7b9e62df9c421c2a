"""Opening the store, and its transactions."""

from __future__ import annotations

import fcntl
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError

from orchestrator.adapters.store.errors import StoreBrokenError, StoreBusyError, StoreLockedError, StoreUrlError
from orchestrator.adapters.store.ledger_origin import bound_terms
from orchestrator.adapters.store.migrate import migrate
from orchestrator.adapters.store.unit_of_work import Memory, SqlUnitOfWork
from orchestrator.application.ledger_keeping import LedgerTerms

BUSY_TIMEOUT_MS = 5_000
"""How long a statement waits for another program, such as a backup, that holds the database."""


def open_store(url: str, *, ledger: LedgerTerms | None = None) -> SqlStore:
    """Open, and bring up to date, the store at an address such as ``sqlite:////var/lib/wardporter/store.sqlite``.

    Its ledger is bound to the origin in ``ledger`` for good. Without terms, as in tests, it stays what it is and gets
    no heads.

    Raises
    ------
    StoreUrlError
        The address is not that of an SQLite file.
    StoreLockedError
        Another orchestrator has the store open.
    StoreVersionError
        A newer version of the program wrote the store.
    LedgerOriginError
        The store has another ledger: another site's, or a simulated one for a real one or the reverse.
    """
    path = _path_of(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = _locked(path)
    try:
        engine = _engine(path)
        migrate(engine, path)
        terms = bound_terms(engine, ledger)
        return SqlStore(engine=engine, readers=_engine(path, is_read_only=True), lock=lock, ledger=terms)
    except BaseException:
        lock.close()
        raise


class SqlStore:
    """Everything in one SQLite file, durable at every commit.

    One thread at a time owns `transaction` (it may change between transactions); any thread may use `reading`. After a
    failed commit nothing more is written: what is on the disk is known again only when the store is opened anew.
    """

    def __init__(self, *, engine: Engine, readers: Engine, lock: TextIO, ledger: LedgerTerms) -> None:
        self._engine = engine
        self._readers = readers
        self._lock = lock
        self._ledger = ledger
        self._memory = Memory()
        self._connection: Connection | None = None
        self._turn = threading.Lock()
        self._broken: str | None = None

    @property
    def is_writable(self) -> bool:
        """Whether the store takes writes."""
        return self._broken is None

    @contextmanager
    def transaction(self) -> Iterator[SqlUnitOfWork]:
        """Open a transaction; it commits durably when the block ends without an error.

        Raises
        ------
        StoreBrokenError
            A write failed, now or before.
        StoreBusyError
            Another program holds the database; nothing was written.
        """
        assert self._turn.acquire(blocking=False), "one transaction at a time"
        try:
            connection = self._begin()
            try:
                uow = SqlUnitOfWork(connection, self._memory, self._ledger)
                yield uow
                uow.ledger.sign_head()
                connection.commit()
                self._memory.commit()
            except IntegrityError:
                self._roll_back(connection)
                raise
            except DatabaseError as error:
                raise self._break(connection, error) from error
            except BaseException:
                self._roll_back(connection)
                raise
        finally:
            self._turn.release()

    @contextmanager
    def reading(self) -> Iterator[SqlUnitOfWork]:
        """Open a block that sees one committed state and only reads; any thread may."""
        with self._readers.connect() as connection, connection.begin():
            yield SqlUnitOfWork(connection, Memory(), self._ledger)

    def close(self) -> None:
        """Close the file and let another orchestrator open it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._engine.dispose()
        self._readers.dispose()
        self._lock.close()

    def _begin(self) -> Connection:
        if self._broken is not None:
            raise _broken_error(self._broken)
        if self._connection is None:
            self._connection = self._engine.connect()
        try:
            self._connection.begin()
        except DatabaseError as error:
            raise StoreBusyError(
                "The write was refused: another program holds the database; expected to be alone with it. "
                "Nothing was written; end the other program, or try again."
            ) from error
        return self._connection

    def _roll_back(self, connection: Connection) -> None:
        self._memory.roll_back()
        try:
            connection.rollback()
        except DatabaseError as error:
            raise self._break(connection, error) from error

    def _break(self, connection: Connection, error: DatabaseError) -> StoreBrokenError:
        self._broken = str(error.orig)
        self._memory.roll_back()
        connection.invalidate()
        return _broken_error(self._broken)


def _broken_error(cause: str) -> StoreBrokenError:
    return StoreBrokenError(
        f"The write was refused: an earlier or this write to the disk failed ({cause}); expected a disk that keeps "
        "what it is given. See to the disk and its free space, then restart the orchestrator.",
        detail={"cause": cause},
    )


def _path_of(url: str) -> Path:
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        raise StoreUrlError(
            "The store was refused: its address is not that of an SQLite file; expected one such as "
            "sqlite:////var/lib/wardporter/store.sqlite. Correct the setting."
        )
    return Path(str(parsed.database)).resolve()


def _locked(path: Path) -> TextIO:
    # The kernel gives the lock back however its holder ends, so a kill leaves no stale lock behind.
    lock = path.with_name(path.name + ".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise StoreLockedError(
            f"The store {path.name} was refused: another orchestrator has it open; expected to be the only one. "
            "Stop the other one, or choose another store.",
            detail={"store": path.name},
        ) from None
    return lock


def _engine(path: Path, *, is_read_only: bool = False) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _record: Any) -> None:
        # The driver's own transactions begin too late (at the first write); BEGIN is ours, below.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            *(("query_only=ON",) if is_read_only else ()),
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if is_read_only else "BEGIN IMMEDIATE")

    return engine
