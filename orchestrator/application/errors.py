"""Refusals that come from arranging, not from the rules of a topic."""

from __future__ import annotations

from orchestrator.domain.errors import ConflictError, NotFoundError, WardporterError


class UnavailableError(WardporterError):
    """Something we need does not work now; the request may be right and is not done."""

    code = "unavailable"


class IdempotencyKeyReusedError(ConflictError):
    """The key was used before for a request that said something else."""

    code = "idempotency_key_reused"


class AlreadyKeptError(ConflictError):
    """A new thing has the id of one that is kept already."""

    code = "already_kept"


class UnknownApprovalError(NotFoundError):
    """No approval has this id."""

    code = "approval_unknown"


class UnknownIncidentError(NotFoundError):
    """No incident has this id."""

    code = "incident_unknown"
