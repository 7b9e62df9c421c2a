"""Keys of ledgers and witnesses: Ed25519, made at first start, in files that only we read."""

from __future__ import annotations

from orchestrator.adapters.ledger_key.keys import KeyFileError, LedgerKey, ledger_key, witness_key
from orchestrator.adapters.ledger_key.signatures import is_signed

__all__ = ["KeyFileError", "LedgerKey", "is_signed", "ledger_key", "witness_key"]
