"""Where everything is kept: SQLite through SQLModel, one writer, every commit on the disk before anyone is told."""

from __future__ import annotations

from orchestrator.adapters.store.errors import (
    StoreBrokenError,
    StoreBusyError,
    StoreLockedError,
    StoreUrlError,
    StoreVersionError,
)
from orchestrator.adapters.store.store import SqlStore, open_store

__all__ = [
    "SqlStore",
    "StoreBrokenError",
    "StoreBusyError",
    "StoreLockedError",
    "StoreUrlError",
    "StoreVersionError",
    "open_store",
]
