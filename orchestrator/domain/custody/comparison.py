"""Comparing a ledger that was read with heads that were kept elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.custody.audit import Audit, BadLedgerError
from orchestrator.domain.custody.checkpoint import IsSigned, KeyName, SignedHead
from orchestrator.domain.custody.ledger_errors import HeadError


def require_kept_heads(audit: Audit, heads: Sequence[SignedHead], *, key: KeyName, is_signed: IsSigned) -> None:
    """Raise unless the ledger has every kept head among its own.

    The audit must have been told the sizes of the heads.

    Raises
    ------
    HeadError
        A head is of another ledger.
    BadLedgerError
        A head was not signed with the ledger's key, is over more entries than there are, or over other entries; the
        sentence says between which heads the ledger was changed.
    """
    matching = 0
    for head in sorted(heads, key=lambda head: head.checkpoint.size):
        kept = head.checkpoint
        if kept.origin.line != key.name:
            head.require_signed(key, is_signed)
        try:
            head.require_signed(key, is_signed)
        except HeadError as error:
            raise BadLedgerError(
                f"The kept head of {kept.size} entries was not signed with the key that this ledger names: the ledger "
                f"was written anew under another key, or the head is not one. {error.message}"
            ) from error
        if kept.size > audit.size:
            raise BadLedgerError(
                f"The ledger is bad: a kept head is over {kept.size} entries, and it has {audit.size}; entries from "
                f"{audit.size} on were taken away.",
                entry=audit.size,
            )
        if audit.roots[kept.size] != kept.root:
            raise BadLedgerError(
                f"The ledger is bad: it has the kept head of {matching} entries and not that of {kept.size}; one of "
                f"the entries {matching} to {kept.size - 1} was changed, added or taken away, and the chain hashed "
                "anew.",
                entry=matching,
            )
        matching = kept.size
