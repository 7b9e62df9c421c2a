"""Refusals of the store."""

from __future__ import annotations

from orchestrator.application.errors import UnavailableError
from orchestrator.domain.errors import InvalidInputError


class StoreBrokenError(UnavailableError):
    """A write or a commit failed; what is on the disk is known again only after a restart."""

    code = "store_broken"


class StoreBusyError(UnavailableError):
    """Another program holds the database; nothing was written."""

    code = "store_busy"


class StoreLockedError(UnavailableError):
    """Another orchestrator has this store open."""

    code = "store_locked"


class StoreUrlError(InvalidInputError):
    """The address names no store that can be opened."""

    code = "store_url"


class StoreVersionError(UnavailableError):
    """The store was written by a version that this one does not know."""

    code = "store_version"
