"""Binding a store to the one ledger that it will ever hold."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from orchestrator.adapters.store.ledger_tables import ENTRY, MODE, ORIGIN
from orchestrator.application.ledger_keeping import LedgerModeError, LedgerOriginError, LedgerTerms
from orchestrator.domain.custody.origin import LedgerOrigin
from orchestrator.domain.custody.pending import LedgerMode


def bound_terms(connection: Connection, wanted: LedgerTerms | None) -> LedgerTerms:
    """Return the terms on which the store keeps its ledger; the first terms that are wanted bind it for good.

    The mode is bound with the first entry: until then it may be another one at each start. The connection is outside
    a transaction.

    Raises
    ------
    LedgerOriginError
        The store is bound to another origin.
    LedgerModeError
        Its ledger has entries of another mode.
    """
    with connection.begin():
        kept = connection.execute(select(ORIGIN.c.line)).scalar()
        if wanted is None:
            return LedgerTerms.unbound() if kept is None else LedgerTerms(LedgerOrigin.parse(kept), _mode(connection))
        if kept is None:
            connection.execute(insert(ORIGIN), {"only": 1, "line": wanted.origin.line})
        elif kept != wanted.origin.line:
            raise LedgerOriginError(
                f"The store was refused: its ledger is {kept}; expected {wanted.origin.line}. A simulated ledger never "
                "becomes a real one, nor one site's another's. Use another data folder.",
                detail={"kept": kept, "wanted": wanted.origin.line},
            )
        _bind_mode(connection, wanted.mode)
    return wanted


def kept_mode(connection: Connection) -> LedgerMode | None:
    """Return the mode that is kept with the books; None before the first start."""
    kept = connection.execute(select(MODE.c.mode)).scalar()
    return None if kept is None else LedgerMode(kept)


def _mode(connection: Connection) -> LedgerMode:
    return kept_mode(connection) or LedgerMode.TRANSIT_RECORD


def _bind_mode(connection: Connection, wanted: LedgerMode) -> None:
    kept = kept_mode(connection)
    if kept is None:
        connection.execute(insert(MODE), {"only": 1, "mode": wanted.value})
        return
    if kept is wanted:
        return
    if connection.execute(select(ENTRY.c.number).limit(1)).scalar() is not None:
        raise LedgerModeError(
            f"The store was refused: its ledger is a {kept.words} and has entries; expected that ledger_mode in the "
            f"policies stays {kept.value}, not {wanted.value}. Start with ledger_mode {kept.value}; to keep a "
            f"{wanted.words} from now on, let everything on its way arrive, and start with another data folder, in "
            "which two people enter what they counted.",
            detail={"kept": kept.value, "wanted": wanted.value},
        )
    connection.execute(update(MODE).values(mode=wanted.value))
