"""Second keepers of the ledger's heads: a directory on another disk, or another process."""

from __future__ import annotations

from orchestrator.adapters.witness.directory import DirectoryWitness, kept_heads
from orchestrator.adapters.witness.over_http import HttpWitness

__all__ = ["DirectoryWitness", "HttpWitness", "kept_heads"]
