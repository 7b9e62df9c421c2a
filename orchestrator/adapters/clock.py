"""The machine's own time, and ids from its randomness."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime

ID_BYTES = 6


class SystemClock:
    """UTC and the monotonic clock of this machine; implements `orchestrator.application.ports.Clock`.

    Parameters
    ----------
    speed_factor : float
        How much faster than the wall the monotonic seconds run; other than 1 only for simulated devices.
    """

    def __init__(self, *, speed_factor: float = 1.0) -> None:
        self._speed_factor = speed_factor

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Return seconds that never step back."""
        return time.monotonic() * self._speed_factor


class RandomIds:
    """Ids nobody can guess or repeat: a kind and 48 random bits; implements `orchestrator.application.ports.Ids`."""

    def new(self, kind: str) -> str:
        """Return a new id of a kind."""
        return f"{kind}-{secrets.token_hex(ID_BYTES)}"
