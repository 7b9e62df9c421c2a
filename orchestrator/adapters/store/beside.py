"""Reading a store beside a service that runs; nothing is ever written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.adapters.store.ledger_origin import kept_mode
from orchestrator.adapters.store.ledger_reading import stored_ledger
from orchestrator.adapters.store.unit_of_work import Memory, SqlUnitOfWork
from orchestrator.application.ledger_keeping import LedgerTerms
from orchestrator.domain.custody.origin import LedgerOrigin
from orchestrator.domain.custody.pending import LedgerMode


@contextmanager
def books_beside(url: str, mode: LedgerMode) -> Iterator[tuple[SqlUnitOfWork, LedgerOrigin]]:
    """Open the books of a store for reading until the block ends, with whose ledger they hold.

    Parameters
    ----------
    url : str
        The address of the store.
    mode : LedgerMode
        How much of the stock its ledger sees, by the policy of the place, where no start has said so to the books.

    Raises
    ------
    StoreUrlError
        There is no store, or it has no ledger yet.
    StoreBrokenError
        It cannot be read.
    """
    with stored_ledger(url) as ledger:
        terms = LedgerTerms(ledger.origin, kept_mode(ledger.connection) or mode)
        yield SqlUnitOfWork(ledger.connection, Memory(), terms), ledger.origin
