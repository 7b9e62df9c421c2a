"""What of a robot's messages is worth reading, and when there is so much amiss that people have to look.

A message that cannot be used changes nothing and costs no transaction; but a robot that sends them again and again is
broken or not who it says it is. It is quarantined then: held until a person lets it go on, and read only now and then,
so that it is still known where it stands.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from orchestrator.domain.fleet.model import RobotId
from orchestrator.vda5050.freshness import REPEATED

REFUSED_AT_ONCE = 120.0
REFUSED_PER_S = 1.0
"""Refused messages that a robot is forgiven: many after a reboot with a wrong clock, few in the long run."""

TRICKLE_S = 2.0
"""A robot in quarantine is read at most this often, in seconds."""


@dataclass(slots=True)
class _Count:
    forgiven: float = REFUSED_AT_ONCE
    at_s: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter[str])


class Intake:
    """Refused messages by robot, and when a robot in quarantine was read last. One thread calls."""

    def __init__(self) -> None:
        self._counts: dict[RobotId, _Count] = {}
        self._read_s: dict[RobotId, float] = {}

    def is_read(self, robot: RobotId, *, at_s: float) -> bool:
        """Whether a message of a robot in quarantine is read: one every `TRICKLE_S`."""
        if at_s - self._read_s.get(robot, float("-inf")) < TRICKLE_S:
            return False
        self._read_s[robot] = at_s
        return True

    def note_refused(self, robot: RobotId, reason: str, *, at_s: float) -> str | None:
        """Count a refused message; return the commonest reason once a robot has used up what it is forgiven.

        A repeated message counts for nothing: networks repeat, and it says nothing about the robot.
        """
        if reason == REPEATED:
            return None
        count = self._counts.setdefault(robot, _Count(at_s=at_s))
        passed_s = max(0.0, at_s - count.at_s)
        count.at_s = at_s
        count.forgiven = min(REFUSED_AT_ONCE, count.forgiven + passed_s * REFUSED_PER_S) - 1.0
        if count.forgiven >= REFUSED_AT_ONCE - 1.0:
            count.reasons.clear()
        if len(count.reasons) < 100 or reason in count.reasons:
            count.reasons[reason] += 1
        if count.forgiven >= 0.0:
            return None
        commonest = count.reasons.most_common(1)[0][0]
        del self._counts[robot]
        return commonest
