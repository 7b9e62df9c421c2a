"""How far a robot's clock is off, from the timestamps of its states and when they came."""

from __future__ import annotations

from collections import deque
from datetime import datetime

from orchestrator.vda5050.repair import NO_TIMESTAMP

MESSAGES = 8
"""Of how many of the last states the one counts that came fastest."""

_NEVER = datetime.fromisoformat(NO_TIMESTAMP)


class ClockSkew:
    """The clock of one robot beside ours, from its last few states.

    A message comes late, by its way through the network, and never early: so of the last few, that with the largest
    difference is nearest to the truth. A clock that is put forward shows at once, one that is put back after as many
    states as are kept.
    """

    def __init__(self) -> None:
        self._offsets_s: deque[float] = deque(maxlen=MESSAGES)

    def hear(self, sent_at: datetime, *, received_at: datetime) -> float | None:
        """Take in one state that counts; returns by how many seconds the robot's clock is ahead, negative when behind.

        None while too few have come to tell a slow network from a clock, and for a message without a timestamp.
        """
        if sent_at == _NEVER:
            return None
        self._offsets_s.append((sent_at - received_at).total_seconds())
        return max(self._offsets_s) if len(self._offsets_s) == MESSAGES else None
