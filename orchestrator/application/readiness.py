"""Robots that report and take no order: paused by somebody else, or busy with what they were not asked for here.

No message tells that one is refused, since none is sent (a new order goes only to an idle robot, VDA 5050 2.1 §6.6.4).
So people are told within the time in which an order has to be answered, what it was to fetch waits for another robot,
and what it carries says why it stands. It is no hold: whoever lets the robot go on where it stands has seen it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.holding import ALARM, hold_up, let_go_on
from orchestrator.application.steps import FREE_FOR_A_NEW_ORDER, remaining_base
from orchestrator.application.trips import waits_for_robot
from orchestrator.application.turn import Turn
from orchestrator.domain.fleet.model import RobotId, RobotReport
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.reason import Reason

PAUSED_ITSELF = "robot_paused_itself"
HAS_OTHER_ORDER = "robot_has_other_order"
CODES = frozenset({PAUSED_ITSELF, HAS_OTHER_ORDER})

NAME_LENGTH_MAX = 60


def why_not_ready(turn: Turn, robot: RobotId) -> Reason | None:
    """Return why a robot that has nothing of an order of ours left takes no other; None when nothing is in the way.

    What keeps it in another way has its own words: a hold, silence, an order of ours that it is to give up first.
    """
    record = turn.record(robot)
    report = record.report
    if report is None or record.phase not in FREE_FOR_A_NEW_ORDER:
        return None
    if record.is_kept_from_driving or record.lost_since is not None:
        return None
    if not report.is_idle or not report.is_paused:
        return _other_order(turn, robot)
    sentence = f"{robot} says that it is paused and takes no order; let it go on at the robot, or resume it here."
    return Reason(PAUSED_ITSELF, sentence)


def is_told_of(record: RobotRecord) -> bool:
    """Whether people know that it takes no order: it goes nowhere until somebody has seen to it."""
    return any(reason.code in CODES for reason in record.waiting)


def has_other_order(turn: Turn, robot: RobotId) -> bool:
    """Whether the robot is busy with something that it was not asked for here, or that is over here; also if held."""
    return _other_order(turn, robot) is not None


def _other_order(turn: Turn, robot: RobotId) -> Reason | None:
    record = turn.record(robot)
    if record.report is None or record.phase not in FREE_FOR_A_NEW_ORDER or record.report.is_idle:
        return None
    return _busy_otherwise(turn, record.report)


def _busy_otherwise(turn: Turn, report: RobotReport) -> Reason | None:
    """Return what keeps a robot busy besides what it was asked for at once; that it is to finish first."""
    what_next = "see what it is; have it ended where it is from, or abort it here and resume the robot."
    if report.sequences_ahead:
        sentence = (
            f"{report.robot} still has an order ({_name(report.order_id)}) that is not from here, or is over here, "
            f"and takes no other; {what_next}"
        )
        return Reason(HAS_OTHER_ORDER, sentence)
    asked = {m.action.id for m in turn.uow.outbox.wanted() if m.robot == report.robot and m.action is not None}
    others = sorted(action for action, how in report.actions.items() if not how.is_over and action not in asked)
    if not others:
        return None
    sentence = (
        f"{report.robot} still does something ({_name(others[0])}) that is not from here, or is over here, and takes "
        f"no order; {what_next}"
    )
    return Reason(HAS_OTHER_ORDER, sentence)


def _name(word: str | None) -> str:
    """Return a robot's word as people may read it: short, and nothing in it that is no letter."""
    return repr((word or "")[:NAME_LENGTH_MAX])


@dataclass(slots=True)
class _Spell:
    """Since when a robot has not been ready, under which code, and whether people know."""

    code: str
    since_s: float
    is_told: bool = False


class Readiness:
    """Tells of robots that are wanted and take no order. What is remembered begins anew at a restart.

    Parameters
    ----------
    fleet : FleetOnSite
        How long each robot may take to answer an order.
    """

    def __init__(self, fleet: FleetOnSite) -> None:
        self._fleet = fleet
        self._spells: dict[RobotId, _Spell] = {}

    def look(self, turn: Turn, *, reported: Collection[RobotId]) -> None:
        """Tell of those that have not been ready for too long, and let go on who is ready again.

        Parameters
        ----------
        turn : Turn
            The transaction.
        reported : collection of RobotId
            Robots that have reported since the orchestrator started; what others said before counts no more.
        """
        for robot in sorted(self._fleet.robots):
            why = why_not_ready(turn, robot) if robot in reported else None
            if why is None:
                self._end(turn, robot)
            else:
                self._note(turn, robot, why)

    def _note(self, turn: Turn, robot: RobotId, why: Reason) -> None:
        spell = self._spells.get(robot)
        if spell is None or spell.code != why.code:
            self._end(turn, robot)
            spell = self._spells[robot] = _Spell(why.code, turn.at_s)
        is_late = turn.at_s >= spell.since_s + self._fleet.models[robot].order_answer_s
        if not spell.is_told and is_late and _is_wanted(turn, robot):
            spell.is_told = True
            turn.tell(ALARM, robot, {"code": why.code, "sentence": why.sentence})
            hold_up(turn, robot, why)
        elif spell.is_told and not is_told_of(turn.record(robot)):
            turn.put(replace(turn.record(robot), waiting=(why,)))  # another word took the place of this one

    def _end(self, turn: Turn, robot: RobotId) -> None:
        spell = self._spells.pop(robot, None)
        told = {reason.code for reason in turn.record(robot).waiting} & CODES
        if spell is not None and spell.is_told:
            told.add(spell.code)
        for code in sorted(told):
            let_go_on(turn, robot, code)

    def next_s(self, at_s: float) -> float:
        """Return when the next robot has not been ready for too long, infinity if none is waited for."""
        late = (
            spell.since_s + self._fleet.models[robot].order_answer_s
            for robot, spell in self._spells.items()
            if not spell.is_told
        )
        return min((late_s for late_s in late if late_s > at_s), default=float("inf"))


def _is_wanted(turn: Turn, robot: RobotId) -> bool:
    """Whether a robot has a way to drive, or might be given one: then somebody waits for it."""
    record = turn.record(robot)
    if record.granted or record.route or remaining_base(record):
        return True
    is_free = record.trip is None and record.sent_to is None and not record.holds
    return is_free and any(waits_for_robot(delivery) for delivery in turn.deliveries.values())
