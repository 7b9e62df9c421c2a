"""Refusals of custody."""

from __future__ import annotations

from orchestrator.domain.errors import ConflictError, InvalidInputError, WardporterError


class NotEligibleError(WardporterError):
    """Somebody may not do this, here, with this delivery."""

    code = "not_eligible"


class PeopleMissingError(NotEligibleError):
    """Fewer people are authenticated than the handling class asks for."""

    code = "people_missing"


class SamePersonError(NotEligibleError):
    """One person stands for two."""

    code = "same_person"


class BasisMissingError(InvalidInputError):
    """A basis of supply is missing, or is not one for this kind of supply."""

    code = "basis_missing"


class QuantityWordsError(InvalidInputError):
    """The quantity in words is not the quantity in figures."""

    code = "quantity_words_differ"


class PatientMissingError(InvalidInputError):
    """What is for one patient names none, or what is not names one."""

    code = "patient_missing"


class AboveUsualError(ConflictError):
    """More is asked for than is usual here, and no pharmacist has said why."""

    code = "quantity_above_usual"


class StockInQuestionError(ConflictError):
    """What the place holds of a medicine is under investigation."""

    code = "stock_in_question"


class NeverByRobotError(ConflictError):
    """The medicine is one that never rides on a robot."""

    code = "never_by_robot"


class StricterSinceError(ConflictError):
    """The catalogue, or a pharmacist, asks for more now than when the delivery was queued."""

    code = "stricter_since_queued"


class NotReadyError(ConflictError):
    """Something that has to come first is missing."""

    code = "not_ready"


class ExpiredStockError(ConflictError):
    """What was picked has expired, or does before it is due."""

    code = "expired_stock"


class RecalledStockError(ConflictError):
    """It is of a recalled batch."""

    code = "recalled_stock"


class WrongMedicineError(ConflictError):
    """What was scanned is not what the line asks for."""

    code = "wrong_medicine"


class PackContradictedError(ConflictError):
    """A batch or an expiry was said that is not the one on the pack."""

    code = "pack_contradicted"


class BatchUnknownError(InvalidInputError):
    """Nobody has read the batch, and the handling class asks for it."""

    code = "batch_unknown"


class BatchLooksAlikeError(ConflictError):
    """A batch was typed that differs from a known one by capital and small letters alone."""

    code = "batch_looks_alike"


class BreakGlassOffError(NotEligibleError):
    """One person alone may not open controlled medicines here."""

    code = "break_glass_off"


class AlreadySettledError(ConflictError):
    """The line has ended already; a handover is resolved once."""

    code = "already_settled"


class NoCustodyError(ConflictError):
    """Nobody, or somebody else, answers for this delivery."""

    code = "no_custody"
