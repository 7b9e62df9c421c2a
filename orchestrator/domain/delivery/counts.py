"""Counts of one line."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.delivery.ids import LineId
from orchestrator.domain.site.model import PlaceId


@dataclass(frozen=True, slots=True)
class LineCount:
    """How many of a line somebody counted."""

    line: LineId
    quantity: int


@dataclass(frozen=True, slots=True)
class FirstCount:
    """A count after which the line was to be counted once more, and where; None where nobody wrote that down."""

    line: LineId
    quantity: int
    place: PlaceId | None = None

    def is_of(self, place: PlaceId) -> bool:
        """Whether it was counted at a place, so that a second count there stands."""
        return self.place in (None, place)
