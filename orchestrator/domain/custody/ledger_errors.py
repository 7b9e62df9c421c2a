"""Refusals of the ledger. Their sentences name codes, places and ids, never a count of a drug."""

from __future__ import annotations

from orchestrator.domain.errors import ConflictError, InvalidInputError, NotFoundError, WardporterError


class DraftMalformedError(InvalidInputError):
    """An entry lacks what its kind asks for, or has what no entry may have."""

    code = "ledger_entry_malformed"


class UnbalancedError(DraftMalformedError):
    """The postings of an entry do not sum to zero for some stock: units would appear or vanish."""

    code = "ledger_unbalanced"


class SignaturesError(DraftMalformedError):
    """Too few people signed, or one person signed twice."""

    code = "ledger_signatures"


class UnknownPendingError(NotFoundError):
    """No pending posting has this id."""

    code = "ledger_pending_unknown"


class PendingResolvedError(ConflictError):
    """The pending posting was resolved before; it is resolved once."""

    code = "ledger_pending_resolved"


class PendingOpenedError(ConflictError):
    """The pending posting was opened before; it is opened once."""

    code = "ledger_pending_opened"


class OverdrawnError(ConflictError):
    """More would be taken from an account than it holds."""

    code = "ledger_overdrawn"


class NotOpenedError(ConflictError):
    """The place's register of this medicine has no opening balance yet."""

    code = "ledger_not_opened"


class AlreadyOpenedError(ConflictError):
    """The opening balance of this stock was entered before."""

    code = "ledger_already_opened"


class UnknownEntryError(NotFoundError):
    """The ledger has no entry of this index."""

    code = "ledger_entry_unknown"


class CorrectionError(ConflictError):
    """A correction moves what the entry that it corrects did not move."""

    code = "ledger_correction"


class HeadError(WardporterError):
    """A head of the ledger cannot be read, or its signature is not its log's."""

    code = "ledger_head_invalid"
