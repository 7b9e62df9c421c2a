"""Refusals about deliveries."""

from __future__ import annotations

from orchestrator.domain.errors import ConflictError, InvalidInputError, NotFoundError


class UnknownDeliveryError(NotFoundError):
    """No delivery has this id."""

    code = "delivery_unknown"


class UnknownToteError(NotFoundError):
    """No tote of the delivery has this id."""

    code = "tote_unknown"


class UnknownStationError(InvalidInputError):
    """The station is not on the site."""

    code = "station_unknown"


class StationNotServedError(InvalidInputError):
    """The station exists, but no robot of the fleet can drive there."""

    code = "station_not_served"


class SameStationError(InvalidInputError):
    """From and to are one station."""

    code = "stations_same"


class DueInPastError(InvalidInputError):
    """The delivery would be late before it starts."""

    code = "due_by_past"


class ControlledDrugsOffError(ConflictError):
    """Controlled drugs ride only where the accountable officer's approval is on record; it is off as shipped."""

    code = "controlled_drugs_off"


class WrongStateError(ConflictError):
    """The delivery is not in a state that allows this act."""

    code = "delivery_state"


class CountUnfinishedError(ConflictError):
    """People opened it and are to count once more; it does not go elsewhere before that."""

    code = "count_unfinished"


class SealMismatchError(ConflictError):
    """The seal that was entered is not the seal that was put on."""

    code = "seal_mismatch"


class LinesMismatchError(InvalidInputError):
    """The counted lines are not the delivery's lines, each once."""

    code = "lines_mismatch"


class LoadedCountDiffersError(ConflictError):
    """What was loaded is not what was asked for."""

    code = "loaded_count_differs"


class SealInUseError(ConflictError):
    """An open delivery carries this seal already."""

    code = "seal_in_use"


class PaperAfterReturnError(ConflictError):
    """A receipt on paper is entered of what came back, or lies in the drawer still."""

    code = "paper_after_return"


class NotOpenedOnPaperError(ConflictError):
    """A receipt on paper is entered of what is controlled, and nothing shows that its drawer was opened."""

    code = "paper_without_opening"
