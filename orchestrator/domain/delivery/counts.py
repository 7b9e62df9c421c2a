"""A count of one line."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.delivery.ids import LineId


@dataclass(frozen=True, slots=True)
class LineCount:
    """How many of a line somebody counted."""

    line: LineId
    quantity: int
