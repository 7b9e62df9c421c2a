"""The nonces that a robot shows: random, each good for one grant, and none older than a grant may live.

They are in memory only: whoever switches the robot off voids them all.
"""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.domain.custody.grant import LIFETIME_MAX_S, NONCE_BYTES

Chance = Callable[[int], bytes]
"""Returns so many random bytes."""

SHOWN_FOR_S = 20.0
"""How long one nonce is shown, seconds on board: whoever asks finds one with at least two thirds of its life left."""


class Nonces:
    """What is shown now, and what was shown and may still come back in a grant.

    Parameters
    ----------
    chance : callable
        Source of chance fit for secrets; handed in, so that a simulation can repeat itself.
    """

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._shown_at_s: dict[str, float] = {}
        self._current: str | None = None

    @property
    def current(self) -> str | None:
        """What is shown now; None while no grant would open anything."""
        return self._current

    @property
    def next_change_s(self) -> float | None:
        """When another one is due (seconds, absolute); None while nothing is shown."""
        return None if self._current is None else self._shown_at_s[self._current] + SHOWN_FOR_S

    def show(self, now_s: float) -> bool:
        """Show a nonce, another one when the present one has been shown for long enough; return whether it is new."""
        due_s = self.next_change_s
        if due_s is not None and now_s < due_s:
            return False
        self._shown_at_s = {n: at_s for n, at_s in self._shown_at_s.items() if now_s - at_s <= 2 * LIFETIME_MAX_S}
        self._current = self._chance(NONCE_BYTES).hex()
        self._shown_at_s[self._current] = now_s
        return True

    def use(self, nonce: str, now_s: float) -> float | None:
        """Use up a nonce; return for how many seconds it has been shown, None when it cannot be used."""
        at_s = self._shown_at_s.pop(nonce, None)
        if nonce == self._current:
            self._current = None
        return None if at_s is None else now_s - at_s

    def withdraw(self) -> bool:
        """Void everything that was ever shown; return whether something is shown no more."""
        had_current = self._current is not None
        self._current = None
        self._shown_at_s.clear()
        return had_current
