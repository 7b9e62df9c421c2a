"""Opening the store, and its transactions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, OperationalError

from orchestrator.adapters.store import postgresql
from orchestrator.adapters.store.address import PostgresAddress, SqliteAddress, address_of
from orchestrator.adapters.store.epoch import is_fenced, next_epoch
from orchestrator.adapters.store.errors import (
    StoreBrokenError,
    StoreBusyError,
    StoreFencedError,
    StoreUnreachableError,
    StoreValueError,
)
from orchestrator.adapters.store.ledger_origin import bound_terms
from orchestrator.adapters.store.migrate import migrate
from orchestrator.adapters.store.sqlite import lock_file, sqlite_engine
from orchestrator.adapters.store.unit_of_work import Memory, SqlUnitOfWork
from orchestrator.application.ledger_keeping import LedgerTerms
from orchestrator.durable_folders import make_folder

LOCK_NOT_AVAILABLE = "55P03"
"""The SQLSTATE of PostgreSQL when a statement waited too long for a lock."""


def open_store(url: str, *, ledger: LedgerTerms | None = None, is_standby: bool = False) -> SqlStore:
    """Open, and bring up to date, the store at an address: an SQLite file, or a PostgreSQL database.

    Its ledger is bound to the origin in ``ledger`` for good. Without terms, as in tests, it stays what it is and gets
    no heads.

    Parameters
    ----------
    url : str
        Such as ``sqlite:////var/lib/wardporter/store.sqlite`` or ``postgresql+psycopg://wardporter@db/wardporter``.
    ledger : LedgerTerms, optional
        On what terms the store keeps its ledger.
    is_standby : bool
        Whether to wait until no other orchestrator has the store open, instead of being refused.

    Raises
    ------
    StoreUrlError
        The address is neither.
    StoreLockedError
        Another orchestrator has the store open.
    StoreUnreachableError
        The server of the database does not let us in.
    StoreUnsuitableError
        The database is set up in a way that would lose what was acknowledged.
    StoreVersionError
        A newer version of the program wrote the store, or we may not bring its tables up to date.
    LedgerOriginError
        The store has another ledger: another site's, or a simulated one for a real one or the reverse.
    LedgerModeError
        Its ledger has entries of another mode.
    """
    address = address_of(url)
    try:
        return _open(address, ledger, is_standby=is_standby)
    except DatabaseError as error:
        raise StoreUnreachableError(
            f"The store {address.name} could not be opened ({_cause(error)}); expected a database that answers and can "
            "be written. See to its disk or its server, and that no other program holds it.",
            detail={"store": address.name},
        ) from error


def _open(address: SqliteAddress | PostgresAddress, ledger: LedgerTerms | None, *, is_standby: bool) -> SqlStore:
    with ExitStack() as opened:
        if isinstance(address, SqliteAddress):
            writers, readers = _open_file(address, opened, is_standby=is_standby)
            connection = opened.enter_context(writers.connect())
        else:
            writers, readers = postgresql.writing_engine(address), postgresql.reading_engine(address)
            _dispose_at_end(opened, writers, readers)
            connection = opened.enter_context(postgresql.connect(writers, address))
            postgresql.take_lock(connection, address, is_standby=is_standby)
            postgresql.require_suitable(connection, address)
        migrate(connection, address.name)
        terms = bound_terms(connection, ledger)
        return SqlStore(
            name=address.name,
            connection=connection,
            readers=readers,
            ledger=terms,
            epoch=next_epoch(connection),
            is_fencing=isinstance(address, PostgresAddress),
            opened=opened.pop_all(),
        )


def _open_file(address: SqliteAddress, opened: ExitStack, *, is_standby: bool) -> tuple[Engine, Engine]:
    make_folder(address.path.parent)
    opened.enter_context(lock_file(address.path, is_standby=is_standby))
    engines = sqlite_engine(address.path), sqlite_engine(address.path, is_read_only=True)
    _dispose_at_end(opened, *engines)
    return engines


def _dispose_at_end(opened: ExitStack, *engines: Engine) -> None:
    for engine in engines:
        opened.callback(engine.dispose)


class SqlStore:
    """Everything in one database, durable at every commit.

    One thread at a time owns `transaction` (it may change between transactions); any thread may use `reading`. After a
    failed commit nothing more is written: what is on the disk is known again only when the store is opened anew.

    Parameters
    ----------
    name : str
        What people call the store; holds no secret.
    connection : Connection
        The one that writes.
    readers : Engine
        Of the connections that read.
    ledger : LedgerTerms
        On what terms the ledger is kept.
    epoch : int
        The fencing epoch that began when the store was opened.
    is_fencing : bool
        Whether each commit asks if a later epoch has begun; an SQLite file is locked instead.
    opened : ExitStack
        What ends with the store.
    """

    def __init__(
        self,
        *,
        name: str,
        connection: Connection,
        readers: Engine,
        ledger: LedgerTerms,
        epoch: int,
        is_fencing: bool,
        opened: ExitStack,
    ) -> None:
        self.name = name
        self.epoch = epoch
        self._connection = connection
        self._readers = readers
        self._ledger = ledger
        self._is_fencing = is_fencing
        self._opened = opened
        self._memory = Memory()
        self._turn = threading.Lock()
        self._broken: StoreBrokenError | None = None

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
        StoreFencedError
            Another orchestrator has taken over; nothing was written.
        StoreValueError
            The database cannot keep a value; nothing was written.
        """
        assert self._turn.acquire(blocking=False), "one transaction at a time"
        try:
            connection = self._begin()
            try:
                uow = SqlUnitOfWork(connection, self._memory, self._ledger)
                yield uow
                uow.ledger.sign_head()
                self._commit(connection)
            except IntegrityError as error:
                self._roll_back(connection)
                raise _without_values(error) from None
            except DataError as error:
                self._roll_back(connection)
                raise _value_error(self.name) from error
            except DatabaseError as error:
                raise self._refusal(connection, error) from error
            except BaseException:
                self._roll_back(connection)
                raise
        finally:
            self._turn.release()

    @contextmanager
    def reading(self) -> Iterator[SqlUnitOfWork]:
        """Open a block that sees one committed state and only reads; any thread may.

        Raises
        ------
        StoreUnreachableError
            The database cannot be read now.
        StoreValueError
            It is asked for what it cannot keep, such as an id with the character NUL in it.
        """
        try:
            with self._readers.connect() as connection, connection.begin():
                yield SqlUnitOfWork(connection, Memory(), self._ledger)
        except DataError as error:
            raise _value_error(self.name, act="The request") from error
        except OperationalError as error:
            raise StoreUnreachableError(
                f"The store {self.name} could not be read ({_cause(error)}); expected a database that answers. "
                "See to its disk or its server, then try again.",
                detail={"store": self.name},
            ) from error

    def close(self) -> None:
        """Close the database and let another orchestrator open it."""
        self._opened.close()

    def _begin(self) -> Connection:
        if self._broken is not None:
            raise _again(self._broken)
        try:
            self._connection.begin()
        except DatabaseError as error:
            raise _busy_error() from error
        return self._connection

    def _commit(self, connection: Connection) -> None:
        if self._is_fencing and is_fenced(connection, self.epoch):
            self._roll_back(connection)
            self._broken = StoreFencedError(
                f"The write was refused: another orchestrator has taken over the store {self.name}; expected to be "
                "the only one. Nothing was written. Stop this one, and find out why there were two.",
                detail={"store": self.name, "epoch": self.epoch},
            )
            raise self._broken
        connection.commit()
        self._memory.commit()

    def _roll_back(self, connection: Connection) -> None:
        self._memory.roll_back()
        try:
            connection.rollback()
        except DatabaseError as error:
            raise self._break(connection, error) from error

    def _refusal(self, connection: Connection, error: DatabaseError) -> StoreBrokenError | StoreBusyError:
        if getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE:
            self._roll_back(connection)
            return _busy_error()
        return self._break(connection, error)

    def _break(self, connection: Connection, error: DatabaseError) -> StoreBrokenError:
        cause = _cause(error)
        self._broken = StoreBrokenError(
            f"The write was refused: an earlier or this write to the disk failed ({cause}); expected a disk that keeps "
            "what it is given. See to the disk and its free space, then restart the orchestrator.",
            detail={"cause": cause},
        )
        self._memory.roll_back()
        connection.invalidate()
        return self._broken


def _cause(error: DatabaseError) -> str:
    # What PostgreSQL adds to its first sentence quotes values of the row, which no log may hold.
    primary = getattr(getattr(error.orig, "diag", None), "message_primary", None)
    return " ".join(str(primary or error.orig).split())


def _without_values(error: IntegrityError) -> IntegrityError:
    assert error.orig is not None, "the database said what was wrong"
    return IntegrityError(error.statement, None, type(error.orig)(_cause(error)), hide_parameters=True)


def _again(broken: StoreBrokenError) -> StoreBrokenError:
    # A new one, because one error has one traceback.
    return type(broken)(broken.message, detail=broken.detail)


def _busy_error() -> StoreBusyError:
    return StoreBusyError(
        "The write was refused: another program holds the database; expected to be alone with it. "
        "Nothing was written; end the other program, or try again."
    )


def _value_error(name: str, *, act: str = "The write") -> StoreValueError:
    return StoreValueError(
        f"{act} was refused: the store {name} cannot keep one of its values; expected text without the character "
        "NUL and numbers of at most 64 bits. Nothing was written; correct the value.",
        detail={"store": name},
    )
