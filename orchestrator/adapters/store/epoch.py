"""The fencing epoch: one larger with each orchestrator that opens the store to write.

It stands in the database, so that one which was thought dead and comes back finds that it is no longer the writer; and
what it hands out can carry the number, so that others refuse what is older.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, literal_column, select, update

from orchestrator.adapters.store.rows import WriterEpochRow
from orchestrator.adapters.store.tables import table_of

EPOCH = table_of(WriterEpochRow)
ONLY = 1
"""The id of the one row."""


def next_epoch(connection: Connection) -> int:
    """Begin an epoch, in a transaction of its own, and return its number."""
    with connection.begin():
        statement = update(EPOCH).where(EPOCH.c.id == ONLY).values(number=EPOCH.c.number + 1)
        connection.execute(statement)
        return int(connection.execute(select(EPOCH.c.number).where(EPOCH.c.id == ONLY)).scalar_one())


def is_fenced(connection: Connection, epoch: int) -> bool:
    """Whether a later epoch has begun; asked before a commit on PostgreSQL.

    While the transaction that asked is open no later epoch can begin: the row is locked against it. A transaction that
    has written nothing locks nothing, because a lock would make its commit a write.
    """
    has_written = func.pg_current_xact_id_if_assigned().is_not(None)
    statement = select(EPOCH.c.number).where(EPOCH.c.id == literal_column(str(ONLY)), has_written)
    found = connection.execute(statement.with_for_update(read=True)).scalar()
    return found is not None and found != epoch
