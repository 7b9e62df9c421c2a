"""Lanes that a person has closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.domain.site.model import LaneId


@dataclass(frozen=True, slots=True)
class LaneClosure:
    """One closed lane: since when, by whom and why, in their words; ``until`` it opens by itself, None for never."""

    lane: LaneId
    at: datetime
    by: str
    reason: str
    until: datetime | None = None

    def is_over(self, at: datetime) -> bool:
        """Whether it opens by itself at or before ``at``, an aware moment."""
        return self.until is not None and self.until <= at

    def ends_before(self, until: datetime | None) -> bool:
        """Whether it opens by itself while a closure until then, None for one without end, still stands."""
        return self.until is not None and (until is None or self.until < until)
