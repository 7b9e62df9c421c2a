"""How far the clocks of robots are off: kept where it changes, told once it is far (acceptance case 40).

Nothing is decided by a robot's clock: entries are ordered and dated by ours. What it is off by is kept so that a time
which only the robot knows, as in what it wrote down while the link was gone, can be judged.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.holding import ALARM
from orchestrator.application.turn import Turn
from orchestrator.domain.fleet.model import RobotId, RobotReport
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.vda5050.clock_skew import ClockSkew

STEP_S = 1.0
"""What a clock is off by is kept anew once it differs from what is kept by this many seconds, ..."""

STEP_SHARE = 0.1
"""... and by this share of it: neither a busy network nor a clock that drifts costs more than a write now and then."""

CLOCK_WRONG = "robot_clock_wrong"


class RobotClocks:
    """What is remembered of the clocks of a fleet between messages.

    Parameters
    ----------
    fleet : FleetOnSite
        The robots, and how far a clock may be off before people are told.
    """

    def __init__(self, fleet: FleetOnSite) -> None:
        self._limit_s = fleet.policy.clock_skew_max_s
        self._clocks = {robot: ClockSkew() for robot in fleet.robots}

    def hear(self, report: RobotReport, record: RobotRecord) -> float | None:
        """Return by how many seconds the robot's clock is ahead, where that is to be kept anew; else None."""
        if report.sent_at is None:
            return None
        skew_s = self._clocks[report.robot].hear(report.sent_at, received_at=report.received_at)
        kept_s = record.clock_skew_s
        if skew_s is None or (kept_s is not None and abs(skew_s - kept_s) < max(STEP_S, STEP_SHARE * abs(kept_s))):
            return None
        return round(skew_s, 1)

    def note(self, turn: Turn, robot: RobotId, skew_s: float) -> None:
        """Keep what a robot's clock is off by, and tell people when it has come to be farther off than the limit."""
        record = turn.record(robot)
        turn.put(replace(record, clock_skew_s=skew_s))
        was_far = record.clock_skew_s is not None and abs(record.clock_skew_s) > self._limit_s
        if abs(skew_s) > self._limit_s and not was_far:
            where = "ahead of" if skew_s > 0 else "behind"
            sentence = (
                f"The clock of robot {robot} is {abs(skew_s):.0f} s {where} ours; at most {self._limit_s:g} s are "
                "expected. Have it set. Entries stay in order, by our clock; times that only the robot knows are off."
            )
            turn.tell(ALARM, robot, {"code": CLOCK_WRONG, "sentence": sentence})
