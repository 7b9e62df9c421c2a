"""What a witness asks of a head before it keeps it: that it grows from the head it keeps (C2SP tlog-witness)."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.custody.checkpoint import Checkpoint
from orchestrator.domain.custody.merkle import EMPTY_ROOT, is_consistent
from orchestrator.domain.errors import ConflictError, WardporterError


class StaleHeadError(ConflictError):
    """The proof starts at another head than the witness keeps; ``size`` is that of the kept one."""

    code = "witness_stale"

    def __init__(self, kept_size: int) -> None:
        super().__init__(
            f"The head was refused: the witness keeps one of {kept_size} entries; expected a proof from there. "
            "Prove it from that size.",
            detail={"size": kept_size},
        )
        self.kept_size = kept_size


class InconsistentHeadError(WardporterError):
    """The head is not one of the ledger whose head the witness keeps: entries were changed, or taken away."""

    code = "witness_inconsistent"


def require_growth(kept: Checkpoint | None, offered: Checkpoint, *, old: int, proof: Sequence[bytes]) -> None:
    """Raise unless the offered head is the kept one, or grown from it; nothing kept is a ledger without entries.

    Raises
    ------
    StaleHeadError
        ``old`` is not the kept size, or the offered head is smaller than the kept one.
    InconsistentHeadError
        The proof fails, or two heads of one size differ.
    """
    kept_size, kept_root = (0, EMPTY_ROOT) if kept is None else (kept.size, kept.root)
    if kept is not None and kept.origin != offered.origin:
        raise InconsistentHeadError(
            f"The head was refused: it is of {offered.origin.line}; expected one of {kept.origin.line}. Use a witness "
            "of its own for each ledger."
        )
    if old != kept_size or offered.size < kept_size:
        raise StaleHeadError(kept_size)
    if not is_consistent(old=kept_size, new=offered.size, proof=proof, old_root=kept_root, new_root=offered.root):
        raise InconsistentHeadError(
            f"The head was refused: its {offered.size} entries do not begin with the {kept_size} whose head is kept; "
            "expected a ledger that only grew. Compare the ledger with its kept heads: wardporter ledger verify.",
            detail={"kept": kept_size, "offered": offered.size},
        )
