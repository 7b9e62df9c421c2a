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


class StoreFencedError(StoreBrokenError):
    """Another orchestrator has taken over the store; nothing was written, and this one writes no more."""

    code = "store_fenced"


class StoreLockedError(UnavailableError):
    """Another orchestrator has this store open."""

    code = "store_locked"


class StoreRoleError(InvalidInputError):
    """The role is none that a service may run as."""

    code = "store_role"


class StoreUnreachableError(UnavailableError):
    """The database does not answer, or cannot be read."""

    code = "store_unreachable"


class StoreUnsuitableError(UnavailableError):
    """The database is set up in a way that would lose what was acknowledged, or order it wrongly."""

    code = "store_unsuitable"


class StoreUrlError(InvalidInputError):
    """The address names no store that can be opened."""

    code = "store_url"


class StoreValueError(InvalidInputError):
    """A value is one that the database cannot keep; nothing was written."""

    code = "store_value"


class StoreVersionError(UnavailableError):
    """The store was written by a version that this one does not know."""

    code = "store_version"
