"""Refusals of what people enter into registers."""

from __future__ import annotations

from orchestrator.domain.errors import ConflictError, InvalidInputError


class TransitRecordError(ConflictError):
    """The ledger keeps what robots carry; the place's own register is elsewhere."""

    code = "ledger_is_transit_record"


class CountsDisagreeError(ConflictError):
    """Two people counted, each for themselves, and came to different numbers."""

    code = "counts_disagree"


class SettlementError(ConflictError):
    """What was short cannot have gone, or what was over cannot have come, where somebody says."""

    code = "settlement_impossible"


class OtherPatientError(ConflictError):
    """A patient's own medicines would go to another patient."""

    code = "patient_contradicted"


class WitnessError(ConflictError):
    """The witness is not one who may witness this."""

    code = "witness_not_independent"


class OccurredAtError(InvalidInputError):
    """A back-entry says a moment that is not in the past."""

    code = "occurred_at_invalid"
