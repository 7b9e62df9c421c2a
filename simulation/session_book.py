"""The sessions of a simulated door or lift: who asked, since when, heard last when, and who may ask no more."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace

RELEASED_KEPT = 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """One holding as it is asked for; see `orchestrator.domain.site.device.Session`. ``level`` is only a lift's."""

    session: str
    holder: str
    owner: str
    epoch: int
    purpose: str = ""
    level: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """One holding as the device keeps it; moments are seconds on the device's own monotonic clock."""

    asked: Asked
    since_s: float
    heard_s: float


class SessionBook:
    """Sessions in the order in which they were first asked for, one for each owner and holder."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], Held] = {}
        self._epochs: dict[str, int] = {}
        self._released: deque[str] = deque(maxlen=RELEASED_KEPT)

    @property
    def held(self) -> tuple[Held, ...]:
        """Every session, the one asked for first in front."""
        return tuple(self._held.values())

    @property
    def is_empty(self) -> bool:
        """Whether nobody holds anything."""
        return not self._held

    def of(self, owner: str, holder: str) -> Held | None:
        """Return the session of an owner for a holder, None when there is none."""
        return self._held.get((owner, holder))

    def ask(self, asked: Asked, *, at_s: float) -> bool:
        """Keep or renew a session; one of an earlier epoch of the same owner for the same holder is taken over.

        Returns
        -------
        bool
            False when it changes nothing: a start of the orchestrator that has ended asks, or the session is released.
        """
        if not self._is_current(asked.owner, asked.epoch) or asked.session in self._released:
            return False
        key = (asked.owner, asked.holder)
        before = self._held.get(key)
        since_s = before.since_s if before is not None else at_s
        self._held[key] = Held(asked, since_s=since_s, heard_s=at_s)
        return True

    def release(self, session: str, *, owner: str, epoch: int) -> bool:
        """Drop a session of this owner, of this epoch or an earlier one; return whether there was one."""
        if not self._is_current(owner, epoch):
            return False
        self._released.append(session)
        for key, held in self._held.items():
            if held.asked.session == session and held.asked.owner == owner:
                del self._held[key]
                return True
        return False

    def lapse(self, *, before_s: float) -> tuple[Held, ...]:
        """Drop the sessions that were heard last before a moment and return them."""
        if not self._held or before_s == -math.inf:
            return ()
        gone = {key: held for key, held in self._held.items() if held.heard_s < before_s}
        for key in gone:
            del self._held[key]
        return tuple(gone.values())

    def renew_all(self, *, at_s: float) -> None:
        """Take every session as heard now, where asking and holding are one."""
        self._held = {key: replace(held, heard_s=at_s) for key, held in self._held.items()}

    def clear(self) -> None:
        """Drop every session."""
        self._held.clear()

    def _is_current(self, owner: str, epoch: int) -> bool:
        if epoch < self._epochs.get(owner, 0):
            return False
        self._epochs[owner] = epoch
        return True
