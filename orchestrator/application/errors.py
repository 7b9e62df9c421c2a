"""Refusals that come from arranging, not from the rules of a topic."""

from __future__ import annotations

from orchestrator.domain.errors import ConflictError, WardporterError


class UnavailableError(WardporterError):
    """Something we need does not work now; the request may be right and is not done."""

    code = "unavailable"


class IdempotencyKeyReusedError(ConflictError):
    """The key was used before for a request that said something else."""

    code = "idempotency_key_reused"


class AlreadyKeptError(ConflictError):
    """A new thing has the id of one that is kept already."""

    code = "already_kept"
