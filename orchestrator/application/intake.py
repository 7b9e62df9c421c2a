"""What of a robot's messages is worth reading, and when there is so much amiss that people have to look.

A message that cannot be used changes nothing and costs no transaction; but a robot that sends them again and again, or
claims to be now here and now there, is broken or not who it says it is. It is quarantined then: held until a person
lets it go on, and read only now and then, so that it is still known that it is there.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from orchestrator.domain.fleet.model import Pose, RobotId
from orchestrator.vda5050.freshness import REPEATED

REFUSED_AT_ONCE = 120.0
REFUSED_PER_S = 1.0
"""Refused messages that a robot is forgiven: many after a reboot with a wrong clock, few in the long run."""

TRICKLE_S = 2.0
"""A robot in quarantine is read at most this often, in seconds."""

BREAKS_AT_ONCE = 6.0
BREAKS_PER_S = 1.0 / 60.0
"""Broken connections that a robot is forgiven: some in a dead spot, few in the long run."""

TELL_AGAIN_S = 600.0

IMPOSSIBLE_M_S = 50.0
"""Nobody drives this fast, in m/s, not even simulated robots at twenty times real speed: the pose has jumped."""

JUMPS_AT_ONCE = 4.0
JUMPS_PER_S = 1.0 / 120.0
"""Jumps of its pose that a robot is forgiven: people put it onto its map again once in a while."""


@dataclass(slots=True)
class _Patience:
    """What is forgiven still; it comes back with time, up to what is forgiven at once."""

    left: float
    at_s: float

    def is_used_up(self, *, at_once: float, per_s: float, at_s: float) -> bool:
        """Take one away and return whether there was none left; is whole again after that."""
        self.left = min(at_once, self.left + max(0.0, at_s - self.at_s) * per_s) - 1.0
        self.at_s = at_s
        if self.left >= 0.0:
            return False
        self.left = at_once
        return True


@dataclass(slots=True)
class _Robot:
    refused: _Patience
    breaks: _Patience
    jumps: _Patience
    reasons: Counter[str] = field(default_factory=Counter[str])
    read_s: float = -math.inf
    told_s: float = -math.inf
    place: tuple[Pose, float] | None = None


class Intake:
    """What each robot has done amiss of late; bounded by the number of robots. One thread calls."""

    def __init__(self) -> None:
        self._robots: defaultdict[RobotId, _Robot] = defaultdict(_new)

    def is_read(self, robot: RobotId, *, at_s: float) -> bool:
        """Whether a message of a robot in quarantine is read: one every `TRICKLE_S`."""
        known = self._robots[robot]
        if at_s - known.read_s < TRICKLE_S:
            return False
        known.read_s = at_s
        return True

    def note_refused(self, robot: RobotId, reason: str, *, at_s: float) -> str | None:
        """Count a refused message; return the commonest reason once a robot has used up what it is forgiven.

        A repeated message counts for nothing: networks repeat, and it says nothing about the robot.
        """
        if reason == REPEATED:
            return None
        known = self._robots[robot]
        if at_s - known.refused.at_s > REFUSED_AT_ONCE / REFUSED_PER_S:
            known.reasons.clear()
        if len(known.reasons) < 100 or reason in known.reasons:
            known.reasons[reason] += 1
        if not known.refused.is_used_up(at_once=REFUSED_AT_ONCE, per_s=REFUSED_PER_S, at_s=at_s):
            return None
        commonest = known.reasons.most_common(1)[0][0]
        known.reasons.clear()
        return commonest

    def note_broken(self, robot: RobotId, *, at_s: float) -> bool:
        """Count a broken connection; return whether it breaks so often that people are to be told, now and then."""
        known = self._robots[robot]
        is_too_often = known.breaks.is_used_up(at_once=BREAKS_AT_ONCE, per_s=BREAKS_PER_S, at_s=at_s)
        if not is_too_often or at_s - known.told_s < TELL_AGAIN_S:
            return False
        known.told_s = at_s
        return True

    def note_place(self, robot: RobotId, pose: Pose | None, *, at_s: float) -> bool:
        """Take note of where a robot says it is; return whether it has jumped about too often."""
        known = self._robots[robot]
        last, known.place = known.place, None if pose is None else (pose, at_s)
        if last is None or pose is None or not _has_jumped(last[0], pose, at_s - last[1]):
            return False
        return known.jumps.is_used_up(at_once=JUMPS_AT_ONCE, per_s=JUMPS_PER_S, at_s=at_s)


def _new() -> _Robot:
    return _Robot(
        refused=_Patience(REFUSED_AT_ONCE, 0.0),
        breaks=_Patience(BREAKS_AT_ONCE, 0.0),
        jumps=_Patience(JUMPS_AT_ONCE, 0.0),
    )


def _has_jumped(before: Pose, pose: Pose, passed_s: float) -> bool:
    """Whether a robot cannot have driven there; on another level it may have come by a lift."""
    if before.level != pose.level:
        return False
    distance_m = math.hypot(pose.x_m - before.x_m, pose.y_m - before.y_m)
    return distance_m > IMPOSSIBLE_M_S * max(passed_s, 0.5)
