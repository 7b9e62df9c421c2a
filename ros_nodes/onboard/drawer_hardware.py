"""Latches and switches of drawers, as seen by what decides: simulated in process, or over ROS 2 topics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Switches:
    """What the switches of one drawer say; None where there is no such switch, or it says nothing.

    ``heard_s`` is the time on board (seconds) at which they said it.
    """

    is_latched: bool | None
    is_closed: bool | None
    is_occupied: bool | None
    is_tampered: bool | None
    heard_s: float


class DrawerHardware(Protocol):
    """Drawers with latches."""

    @property
    def next_event_s(self) -> float | None:
        """When something will happen on its own (seconds, absolute); None if unknown or never."""
        ...

    def advance_to(self, time_s: float) -> None:
        """Move on to ``time_s``; does nothing where time passes by itself."""
        ...

    def switches(self) -> Mapping[str, Switches]:
        """Return what is known of each drawer, by name; a drawer never heard of is not in it."""
        ...

    def unlatch(self, drawer: str, purpose: str) -> None:
        """Let go of one drawer; ``purpose`` is for its display."""
        ...

    def latch(self, drawer: str) -> None:
        """Let the latch of one drawer catch; only while it is closed."""
        ...
