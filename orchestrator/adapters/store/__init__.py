"""Where everything is kept: SQLite or PostgreSQL, one writer, every commit on the disk before anyone is told."""

from __future__ import annotations

from orchestrator.adapters.store.address import name_of_store
from orchestrator.adapters.store.errors import (
    StoreBrokenError,
    StoreBusyError,
    StoreFencedError,
    StoreLockedError,
    StoreRoleError,
    StoreUnreachableError,
    StoreUnsuitableError,
    StoreUrlError,
    StoreValueError,
    StoreVersionError,
)
from orchestrator.adapters.store.rights import prepare_store
from orchestrator.adapters.store.store import SqlStore, open_store

__all__ = [
    "SqlStore",
    "StoreBrokenError",
    "StoreBusyError",
    "StoreFencedError",
    "StoreLockedError",
    "StoreRoleError",
    "StoreUnreachableError",
    "StoreUnsuitableError",
    "StoreUrlError",
    "StoreValueError",
    "StoreVersionError",
    "name_of_store",
    "open_store",
    "prepare_store",
]
