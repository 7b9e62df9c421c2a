"""Virtual time: a clock that stands still until the scheduler moves it, and a queue of what happens when.

Everything in a simulated ward happens on one thread, in the order of (moment, order of scheduling), so one seed
gives one history.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

EPOCH = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
"""When a simulated day begins, unless told otherwise."""


class VirtualClock:
    """A clock that only the scheduler moves; implements `orchestrator.application.ports.Clock`."""

    def __init__(self, start: datetime = EPOCH) -> None:
        self._start = start
        self._elapsed_s = 0.0
        self._now = start

    def now(self) -> datetime:
        """Return the virtual moment."""
        return self._now

    def moment(self, elapsed_s: float) -> datetime:
        """Return the virtual moment ``elapsed_s`` seconds after the start."""
        return self._start + timedelta(microseconds=round(elapsed_s * 1e6))

    def monotonic_s(self) -> float:
        """Return the virtual seconds since the start."""
        return self._elapsed_s

    def move_to(self, elapsed_s: float) -> None:
        """Move on; never back."""
        assert elapsed_s >= self._elapsed_s, "virtual time does not run backwards"
        self._elapsed_s = elapsed_s
        self._now = self.moment(elapsed_s)


class Scheduler:
    """What happens when, on one virtual clock."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def at(self, moment_s: float, act: Callable[[], None]) -> None:
        """Let ``act`` happen at a moment, or now if that is past."""
        self._count += 1
        heapq.heappush(self._queue, (max(moment_s, self.clock.monotonic_s()), self._count, act))

    def after(self, delay_s: float, act: Callable[[], None]) -> None:
        """Let ``act`` happen ``delay_s`` seconds from now."""
        self.at(self.clock.monotonic_s() + delay_s, act)

    def run(self, *, until: Callable[[], bool], limit_s: float) -> bool:
        """Let things happen until ``until`` holds; returns False when the limit (virtual seconds) came first."""
        while not until():
            if not self._queue or self._queue[0][0] > limit_s:
                return False
            moment_s, _, act = heapq.heappop(self._queue)
            self.clock.move_to(moment_s)
            act()
        return True
