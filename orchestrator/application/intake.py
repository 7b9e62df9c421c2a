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


BREAKS_AT_ONCE = 6.0
BREAKS_PER_S = 1.0 / 60.0
"""Broken connections that a robot is forgiven: some in a dead spot, few in the long run."""


@dataclass(slots=True)
class _Breaks:
    forgiven: float = BREAKS_AT_ONCE
    at_s: float = 0.0
    is_told: bool = False


@dataclass(slots=True)
class _Count:
    forgiven: float = REFUSED_AT_ONCE
    at_s: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter[str])


class Intake:
    """Refused messages and broken connections by robot, and when one in quarantine was read. One thread calls."""

    def __init__(self) -> None:
        self._counts: dict[RobotId, _Count] = {}
        self._read_s: dict[RobotId, float] = {}
        self._breaks: dict[RobotId, _Breaks] = {}

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

    def note_broken(self, robot: RobotId, *, at_s: float) -> bool:
        """Count a broken connection; return whether people are to be told, once until the robot is calm again."""
        breaks = self._breaks.setdefault(robot, _Breaks(at_s=at_s))
        passed_s = max(0.0, at_s - breaks.at_s)
        breaks.at_s = at_s
        breaks.forgiven = min(BREAKS_AT_ONCE, breaks.forgiven + passed_s * BREAKS_PER_S)
        if breaks.forgiven >= BREAKS_AT_ONCE:
            breaks.is_told = False
        breaks.forgiven = max(0.0, breaks.forgiven - 1.0)
        if breaks.forgiven > 0.0 or breaks.is_told:
            return False
        breaks.is_told = True
        return True
