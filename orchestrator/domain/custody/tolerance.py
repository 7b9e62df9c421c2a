"""How far the count of a liquid may be from the register without anybody having to look into it.

What is poured leaves a little behind and what is filled holds a little more, so that a bottle rarely ends on the
register's last millilitre. Two bounds hold together: units, and a share of all that the place had of the batch. They
hold for everything that was ever tolerated of the batch as for the last count, so that many small losses do not add up
unseen. Only what is measured in volume has a tolerance; what is counted in pieces has none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestrator.domain.errors import InvalidInputError

PERCENT_MAX = 5
"""The share that nobody may go beyond, in per cent of what the place had. An assumption: no regulation names one."""

_VOLUME = re.compile(r"([0-9]+(\.[0-9]+)? ?)?(ml|millilitres?|microlitres?|l|litres?)", re.ASCII)


class ToleranceError(InvalidInputError):
    """A tolerance is outside what a place may decide."""

    code = "custody_tolerance"


def is_volume(unit: str) -> bool:
    """Whether a medicine's smallest unit is a volume, such as ``ml`` or ``0.1 ml``."""
    return _VOLUME.fullmatch(unit.strip().lower()) is not None


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The bounds: smallest units, and a share in per cent of all that the place had of the batch; both hold."""

    units: int = 0
    percent: int = PERCENT_MAX

    def allows(self, difference: int, *, tolerated: int, had: int) -> bool:
        """Whether a difference may go without being looked into.

        Parameters
        ----------
        difference : int
            Units counted less units expected; not 0.
        tolerated : int
            What was tolerated of this batch before: units that were missing, less those that were too many.
        had : int
            Units of the batch that the place had and has not sent on.
        """
        most = min(self.units, max(had, 0) * self.percent // 100)
        return abs(difference) <= most and abs(tolerated - difference) <= most

    def is_at_most(self, other: Tolerance) -> bool:
        """Whether it is as tight as another one, or tighter."""
        return self.units <= other.units and self.percent <= other.percent


NONE = Tolerance()


def check_tolerance(unit: str, tolerance: Tolerance) -> None:
    """Refuse a tolerance of what is no volume, or one beyond what anybody may decide.

    Raises
    ------
    ToleranceError
        It is.
    """
    if not is_volume(unit):
        raise ToleranceError(
            f"The custody policy was refused: it tolerates differences of what is counted by {unit}; expected a volume "
            "such as ml. What is counted in pieces is investigated, every piece. Leave it out.",
            detail={"field": "tolerances", "unit": unit},
        )
    if tolerance.units < 0 or not 0 <= tolerance.percent <= PERCENT_MAX:
        raise ToleranceError(
            f"The custody policy was refused: its tolerance for {unit} is out of bounds; expected units of at least 0 "
            f"and 0 to {PERCENT_MAX} per cent. Lower it.",
            detail={"field": "tolerances", "unit": unit},
        )
