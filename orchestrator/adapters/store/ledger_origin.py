"""Binding a store to the one ledger that it will ever hold."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from orchestrator.adapters.store.ledger_tables import ORIGIN
from orchestrator.application.ledger_keeping import LedgerOriginError, LedgerTerms
from orchestrator.domain.custody.origin import LedgerOrigin


def bound_terms(connection: Connection, wanted: LedgerTerms | None) -> LedgerTerms:
    """Return the terms on which the store keeps its ledger; the first terms that are wanted bind it for good.

    The connection is outside a transaction.

    Raises
    ------
    LedgerOriginError
        The store is bound to another origin.
    """
    with connection.begin():
        kept = connection.execute(select(ORIGIN.c.line)).scalar()
        if wanted is None:
            return LedgerTerms.unbound() if kept is None else LedgerTerms(LedgerOrigin.parse(kept))
        if kept is None:
            connection.execute(insert(ORIGIN), {"only": 1, "line": wanted.origin.line})
        elif kept != wanted.origin.line:
            raise LedgerOriginError(
                f"The store was refused: its ledger is {kept}; expected {wanted.origin.line}. A simulated ledger never "
                "becomes a real one, nor one site's another's. Use another data folder.",
                detail={"kept": kept, "wanted": wanted.origin.line},
            )
    return wanted
