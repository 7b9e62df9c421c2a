"""The store in an SQLite file: its connections, and the lock that keeps others out."""

from __future__ import annotations

import fcntl
import sqlite3
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import Connection, Engine, create_engine, event

from orchestrator.adapters.store.errors import StoreLockedError

BUSY_TIMEOUT_MS = 5_000
"""How long a statement waits for another program, such as a backup, that holds the database."""


def lock_file(path: Path, *, is_standby: bool = False) -> TextIO:
    """Take the lock of the store beside its file; it is held until the file returned is closed.

    Parameters
    ----------
    path : Path
        Of the store.
    is_standby : bool
        Whether to wait for the lock until it is free, however long that takes.

    Raises
    ------
    StoreLockedError
        Another orchestrator holds it.
    """
    # The kernel gives the lock back however its holder ends, so a kill leaves no stale lock behind.
    lock = path.with_name(path.name + ".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if is_standby else fcntl.LOCK_NB))
    except BlockingIOError:
        lock.close()
        raise StoreLockedError(
            f"The store {path.name} was refused: another orchestrator has it open; expected to be the only one. "
            "Stop the other one, choose another store, or wait as its standby (--standby).",
            detail={"store": path.name},
        ) from None
    return lock


def sqlite_engine(path: Path, *, is_read_only: bool = False) -> Engine:
    """Return an engine whose every connection is durable at each commit and keeps references."""
    engine = create_engine(f"sqlite:///{path}", hide_parameters=True, connect_args={"check_same_thread": False})

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
