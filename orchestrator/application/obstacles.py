"""Robots in the way of others: those that cannot move or stand on no lane, and whom they cut off.

A robot that cannot move stays where it is and is planned around: it holds what it holds. It may be somewhere else than
where its lanes have it, so it keeps from others what it covers there as well, whoever drives on whatever graph
(design §8). One that was moved or has strayed is held, and so it cannot move until a person has seen to it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.listening import ORDER_UNANSWERED
from orchestrator.application.readiness import is_told_of
from orchestrator.application.turn import Turn
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import Pose, RobotId, RobotReport
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.traffic.conflicts import ConflictRelation
from orchestrator.domain.traffic.monitor import Monitor

CUT_OFF = "robots_cut_off"

SHIFTED_M = 0.1
"""An obstacle that has shifted by more than this, in metres, is looked at again."""


class Obstacles:
    """Which robots stand in the way, and who was last told to be cut off by them.

    Parameters
    ----------
    fleet : FleetOnSite
        Site, robots, models.
    relation : ConflictRelation
        What a robot covers at a pose.
    """

    def __init__(self, fleet: FleetOnSite, relation: ConflictRelation) -> None:
        self._fleet = fleet
        self._relation = relation
        self._covered: dict[RobotId, tuple[Pose, frozenset[str]]] = {}
        self._cut_off: frozenset[RobotId] = frozenset()

    def forget(self) -> None:
        """Begin anew, for a monitor that was read back from the books."""
        self._covered.clear()
        self._cut_off = frozenset()

    def has_shifted(self, record: RobotRecord, report: RobotReport) -> bool:
        """Whether a robot that is an obstacle now covers other ground than was known."""
        known = self._covered.get(record.robot)
        return known is not None and report.pose is not None and _shift_m(known[0], report.pose) > SHIFTED_M

    def note(self, turn: Turn, monitor: Monitor, live: Mapping[RobotId, RobotReport]) -> None:
        """Tell the monitor who cannot move and what they cover, and people who is cut off by that."""
        placed = frozenset(monitor.robots)
        self._tell(turn, monitor, cause="Where robots stand now cuts off {}; see who is in the way.")
        for robot in sorted(self._fleet.robots):
            record = turn.record(robot)
            is_stuck = cannot_move(record)
            monitor.obstruct(robot, self._covered_by(record, live.get(robot) or record.report, is_stuck=is_stuck))
            if robot in placed and is_stuck != monitor.is_frozen(robot):
                if is_stuck:
                    monitor.freeze(robot)
                else:
                    monitor.thaw(robot)
            sentence = f"Robot {robot} cannot move and cuts off {{}}; move it aside or fence it off."
            self._tell(turn, monitor, cause=sentence, subject=robot)

    def note_closed(self, turn: Turn, monitor: Monitor) -> None:
        """Tell people who is cut off by lanes that were closed."""
        self._tell(turn, monitor, cause="Closed lanes cut off {}; open them, or take these robots home by hand.")

    def _covered_by(self, record: RobotRecord, report: RobotReport | None, *, is_stuck: bool) -> frozenset[str]:
        robot, pose = record.robot, report.pose if report else None
        # One that can move is where it holds: what it is off by, it drives off, and others wait for what it holds.
        is_in_the_way = is_stuck or record.tip is None
        if pose is None or not is_in_the_way or record.is_held_for(HoldKind.REMOVED):
            self._covered.pop(robot, None)
            return frozenset()
        known = self._covered.get(robot)
        if known is None or known[0] != pose:
            known = (pose, self._relation.occupied_by(self._fleet.models[robot].id, pose))
            self._covered[robot] = known
        return known[1]

    def _tell(self, turn: Turn, monitor: Monitor, *, cause: str, subject: str = "") -> None:
        """Name those who are cut off now and were not before; each once for as long as it is."""
        cut_off = frozenset(monitor.cut_off())
        new = ", ".join(sorted(cut_off - self._cut_off))
        self._cut_off = cut_off
        if new:
            turn.tell("alarm", subject or new, {"code": CUT_OFF, "sentence": cause.format(new)})


def cannot_move(record: RobotRecord) -> bool:
    """Whether a robot stays where it is until something changes that waiting in line does not bring about.

    It is silent, held for a person (also one that was moved off its way), stopped, or it takes no order or
    leaves one unanswered.
    """
    report = record.report
    if record.lost_since is not None or record.is_kept_from_driving or _is_unanswered(record) or is_told_of(record):
        return True
    return report is not None and not report.may_be_ordered


def _is_unanswered(record: RobotRecord) -> bool:
    return record.phase is OrderPhase.WANTED and any(reason.code == ORDER_UNANSWERED for reason in record.waiting)


def _shift_m(before: Pose, now: Pose) -> float:
    if before.level != now.level:
        return math.inf
    return math.hypot(before.x_m - now.x_m, before.y_m - now.y_m)
