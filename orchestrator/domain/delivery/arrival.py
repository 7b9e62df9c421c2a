"""When a delivery is expected, and what was done because that is too late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.reason import Reason


class LateStep(StrEnum):
    """What was done for a delivery that will be late; a later one includes those before it."""

    TOLD = "told"
    RUNNER_NEEDED = "runner_needed"
    ESCALATED = "escalated"


REASONS = {
    LateStep.RUNNER_NEEDED: Reason(
        "runner_needed",
        "A robot may bring it too late; a runner is asked for. Take it out and hand it to a runner, or see to the "
        "robot.",
    ),
    LateStep.ESCALATED: Reason(
        "nurse_in_charge_needed",
        "A robot may bring it too late and nobody has it in hand; the nurse in charge is told. Have it fetched, or "
        "decide what else is to be given.",
    ),
}
"""Why a delivery of these steps waits; what is only told waits for nobody."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a robot is expected at the place a delivery goes to, as last worked out.

    Parameters
    ----------
    expected_at : datetime or None
        As likely earlier as later; None while nobody can say.
    expected_latest_at : datetime or None
        Later than this in 5 of 100 cases (p95).
    told_at : datetime or None
        The ``expected_at`` that people were told last.
    is_told_unknown : bool
        Whether people were told last that nobody can say.
    late : LateStep or None
        The last thing that was done because it will be late.
    """

    expected_at: datetime | None = None
    expected_latest_at: datetime | None = None
    told_at: datetime | None = None
    is_told_unknown: bool = False
    late: LateStep | None = None


NOT_FORECAST = Arrival()
"""A delivery of which nobody has said yet when it arrives."""
