"""Whether a robot does what it was told, judged by what it reports, one report after the other.

A robot is believed in what it says of itself until that contradicts what it was told or what it can do: it takes an
order and stands, moves though it is paused or has none, is suddenly off its way, where it cannot have driven, refuses
everything. What follows is a hold, because only somebody who looks at it can know.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import Pose, RobotModel, RobotReport
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.site.geometry import distance_to_segment

STALL_S = 30.0
"""How long nothing about a robot may change, beyond what it has to do there, while it has a way to drive."""

PACE = 4.0
"""How many times slower than its model allows a robot may cover a stretch before it counts as standing."""

ANSWERS = 6.0
"""After how many times its limit for an answer a robot that reports, and answers nothing, is looked after."""

REFUSALS = 3
"""How many orders in a row a robot may refuse before somebody is asked to see why."""

JUMP_M = 1.5
"""What a position may be off beyond what the robot can have driven: localisation that puts itself right."""

LATE_S = 3.0
"""How much older than its arrival a report may be."""

CREPT_M = 0.5
"""How far a robot that has to stand may have moved, beyond its stopping distance, before it counts as driving."""

STEP_M = 0.1
STEP_RAD = 0.05
"""What counts as a change of place."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a robot is to be held for, and the sentence for people: what happened and what to do."""

    kind: HoldKind
    sentence: str


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A report that later ones are compared with, and when it was heard (monotonic seconds)."""

    report: RobotReport
    mark: tuple[object, ...]
    since_s: float


class Conduct:
    """What one robot has been seen to do. Not for use from two threads.

    Parameters
    ----------
    model : RobotModel
        What it can do, and its limits.
    pace : float
        How many times faster than our clock a simulated robot lives; 1 for every other.
    """

    def __init__(self, model: RobotModel, *, pace: float = 1.0) -> None:
        self._model = model
        self._pace = pace
        self._last: _Anchor | None = None
        self._standing: _Anchor | None = None
        self._paused: _Anchor | None = None
        self._unanswered: tuple[tuple[object, ...], float] | None = None
        self._refusals = 0

    def note_taken(self) -> None:
        """The robot has taken an order."""
        self._refusals = 0

    def note_refused(self, robot: str, *, why: str = "") -> Finding | None:
        """The robot has refused an order, in its own words; returns what to hold it for after several in a row."""
        self._refusals += 1
        if self._refusals < REFUSALS:
            return None
        self._refusals = 0
        said = f", the last one so: {why.rstrip('.')}. See" if why else "; see"
        sentence = f"Robot {robot} has refused {REFUSALS} orders in a row{said} what keeps it, then resume it here."
        return Finding(HoldKind.UNRESPONSIVE, sentence)

    def forget(self) -> None:
        """Begin anew: what comes next has nothing to do with what was before."""
        self._last = self._standing = self._paused = self._unanswered = None

    def judge(self, record: RobotRecord, report: RobotReport, *, at_s: float) -> Finding | None:
        """Return what to hold the robot for after this report; None while it does as it should.

        Parameters
        ----------
        record : RobotRecord
            What it was told, as on the books before this report.
        report : RobotReport
            What it says now.
        at_s : float
            When it was heard, monotonic seconds.
        """
        if record.is_kept_from_driving or report.needs_person or report.pose is None or record.lost_since is not None:
            # Somebody is asked already, or may do with it what they like.
            self.forget()
            return None
        found = (
            self._jumped(record, report, at_s)
            or self._moved_without_order(record, report)
            or self._moved_while_paused(record, report, at_s)
            or self._stands(record, report, at_s)
            or self._answers_nothing(record, at_s)
        )
        self._last = _Anchor(report, (record.phase,), at_s)
        if found is not None:
            self.forget()
        return found

    def _jumped(self, record: RobotRecord, report: RobotReport, at_s: float) -> Finding | None:
        last = self._last
        if last is None or last.report.pose is None or report.pose is None:
            return None
        if report.pose.level != last.report.pose.level:
            return None  # a lift; whether it leads there is for whoever knows its way
        moved_m = _apart_m(last.report.pose, report.pose)
        driven_m = self._model.speed_max_m_s * self._pace * (at_s - last.since_s + LATE_S)
        if moved_m <= driven_m + JUMP_M or _is_on_released_way(record, report.pose):
            return None
        return Finding(
            HoldKind.MOVED,
            f"Robot {report.robot} says that it is {moved_m:.0f} m from where it was {at_s - last.since_s:.0f} s ago, "
            "farther than it can drive. See where it really is, set its position, then resume it here.",
        )

    def _moved_without_order(self, record: RobotRecord, report: RobotReport) -> Finding | None:
        last = self._last
        is_free = record.phase in (OrderPhase.DONE, OrderPhase.LOST)
        if last is None or not is_free or last.mark != (record.phase,) or not report.is_driving:
            return None
        if last.report.pose is None or report.pose is None or _apart_m(last.report.pose, report.pose) <= CREPT_M:
            return None
        sentence = f"Robot {report.robot} drives without an order; go and stop it, find out why, then resume it here."
        return Finding(HoldKind.MOVED, sentence)

    def _moved_while_paused(self, record: RobotRecord, report: RobotReport, at_s: float) -> Finding | None:
        if not report.is_paused or report.pose is None:
            self._paused = None
            return None
        if self._paused is None:
            self._paused = _Anchor(report, (), at_s)
            return None
        since = self._paused.report.pose
        limit_m = self._model.stopping_distance_m(self._model.speed_max_m_s) + CREPT_M
        if since is None or since.level != report.pose.level or _apart_m(since, report.pose) <= limit_m:
            return None
        sentence = (
            f"Robot {record.robot} says that it is paused and drives on; go and stop it, find out why, then resume it "
            "here."
        )
        return Finding(HoldKind.UNRESPONSIVE, sentence)

    def _stands(self, record: RobotRecord, report: RobotReport, at_s: float) -> Finding | None:
        order = record.order
        has_way = order is not None and record.phase is OrderPhase.ACKNOWLEDGED and record.passed < order.released - 1
        if order is None or not has_way or report.has_field_violation:
            self._standing = None
            return None
        mark = (order.id, order.released, record.passed, *sorted(report.actions.items()))
        standing = self._standing
        if standing is None or standing.mark != mark:
            self._standing = _Anchor(report, mark, at_s)
            return None
        stood_s = at_s - standing.since_s
        if stood_s <= STALL_S + self._model.handling_s:
            return None
        if not _is_at_the_same_place(standing.report.pose, report.pose) and stood_s <= self._slow_s(record):
            return None
        sentence = (
            f"Robot {record.robot} has its order and does not move on for {stood_s:.0f} s; see what keeps it, "
            "then resume it here."
        )
        return Finding(HoldKind.UNRESPONSIVE, sentence)

    def _slow_s(self, record: RobotRecord) -> float:
        """Return how long the next stretch of the base may take at the very slowest, in seconds."""
        assert record.order is not None
        here, there = record.order.steps[record.passed], record.order.steps[record.passed + 1]
        speed_m_s = min(there.speed_limit_m_s or self._model.speed_max_m_s, self._model.speed_max_m_s)
        return STALL_S + self._model.handling_s + PACE * _apart_m(here.pose, there.pose) / speed_m_s

    def _answers_nothing(self, record: RobotRecord, at_s: float) -> Finding | None:
        if record.order is None or record.phase not in (OrderPhase.WANTED, OrderPhase.CANCELLING):
            self._unanswered = None
            return None
        mark = (record.order.id, record.order.update_id, record.phase)
        if self._unanswered is None or self._unanswered[0] != mark:
            self._unanswered = (mark, at_s)
            return None
        waited_s = at_s - self._unanswered[1]
        if waited_s <= ANSWERS * self._model.order_answer_s:
            return None
        sentence = (
            f"Robot {record.robot} reports, but has not answered for {waited_s:.0f} s what it was told; see what is "
            "wrong with it, then resume it here."
        )
        return Finding(HoldKind.UNRESPONSIVE, sentence)


def _is_on_released_way(record: RobotRecord, pose: Pose) -> bool:
    """Whether a pose lies on what the robot was released to drive, where nobody else may be.

    Some robots report only at nodes, or were frozen and catch up: they leap, but to where they were sent.
    """
    order = record.order
    if order is None or record.phase in (OrderPhase.DONE, OrderPhase.LOST):
        return False
    way = [step.pose for step in order.base[record.passed :]]
    pairs = zip(way, way[1:] or way, strict=False)
    return any(
        start.level == end.level == pose.level
        and distance_to_segment((pose.x_m, pose.y_m), (start.x_m, start.y_m), (end.x_m, end.y_m)) <= JUMP_M
        for start, end in pairs
    )


def _apart_m(one: Pose, other: Pose) -> float:
    return math.hypot(one.x_m - other.x_m, one.y_m - other.y_m)


def _is_at_the_same_place(one: Pose | None, other: Pose | None) -> bool:
    if one is None or other is None:
        return one is other
    turned_rad = abs(math.remainder(one.theta_rad - other.theta_rad, 2.0 * math.pi))
    return one.level == other.level and _apart_m(one, other) <= STEP_M and turned_rad <= STEP_RAD
