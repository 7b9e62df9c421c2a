"""On what terms a store keeps its ledger: whose it is, how much it sees, who signs its heads, whether it may grow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from orchestrator.application.errors import UnavailableError
from orchestrator.domain.custody.checkpoint import KeyName
from orchestrator.domain.custody.origin import LedgerOrigin
from orchestrator.domain.custody.pending import LedgerMode


class LedgerHaltedError(UnavailableError):
    """The ledger is not the one whose heads were kept, so no custody act is recorded until people have looked."""

    code = "ledger_halted"


class LedgerOriginError(UnavailableError):
    """The store holds the ledger of another site, or a simulated one where a real one is expected, or the reverse."""

    code = "ledger_origin"


class LedgerModeError(UnavailableError):
    """The ledger has entries, and was kept in another mode than the one that is asked for."""

    code = "ledger_mode"


class HeadSigner(Protocol):
    """Signs heads with the key of one ledger."""

    @property
    def key(self) -> KeyName:
        """The public key, under the origin line of the ledger that it signs for."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature, 64 bytes."""
        ...


class LedgerGate:
    """Whether the ledger may grow. Any thread may close it; it opens again with a new start only."""

    def __init__(self) -> None:
        self._why: str | None = None

    @property
    def why_shut(self) -> str | None:
        """Why nothing more is recorded; None while the ledger may grow."""
        return self._why

    def shut(self, why: str) -> None:
        """Let nothing more in; the first reason stands."""
        if self._why is None:
            self._why = why

    def require_open(self) -> None:
        """Raise `LedgerHaltedError` once the gate is shut."""
        if self._why is not None:
            raise LedgerHaltedError(
                f"The custody act was refused: {self._why}; expected the ledger whose heads were kept. Nothing was "
                "written. Work on paper, and have the accountable officer and whoever looks after Wardporter compare "
                "the ledger with its kept heads."
            )


@dataclass(frozen=True, slots=True)
class LedgerTerms:
    """On what terms a ledger is kept. Without a signer it has no heads."""

    origin: LedgerOrigin
    mode: LedgerMode = LedgerMode.TRANSIT_RECORD
    signer: HeadSigner | None = None
    gate: LedgerGate = field(default_factory=LedgerGate)

    @classmethod
    def unbound(cls) -> LedgerTerms:
        """Return the terms of a ledger that nobody has said anything of: a simulated transit record without heads."""
        return cls(LedgerOrigin("unnamed", is_simulation=True))
