"""Holding a robot: laid by what it reports or by a rule, and what follows for its order and for those who wait for it.

A robot that is held gets no new base, and the order it has is cancelled: whoever releases an emergency stop finds a
robot that has nothing to drive, whatever it had before (promise 14). What it was asked before and would let it go is
sent no more. Only `orchestrator.application.resume_robot`
lifts a hold.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from orchestrator.application.asked_at_once import LETS_GO, MAP_ACTIONS, ask_no_more, asked_at_once
from orchestrator.application.trips import free_the_hatch, give_up_assignments
from orchestrator.application.turn import Turn
from orchestrator.domain.fleet.causes import causes_of_hold
from orchestrator.domain.fleet.history import RobotAct
from orchestrator.domain.fleet.hold import Hold, HoldKind
from orchestrator.domain.fleet.model import ActionId, RobotId, RobotReport
from orchestrator.domain.fleet.order import ActionKind, RobotAction
from orchestrator.domain.fleet.record import OrderPhase
from orchestrator.domain.reason import Reason
from orchestrator.vda5050.action_dialogue import FINISH_WITHIN_S

ALARM = "alarm"
STANDS = "Nothing new is granted to it until a person resumes it."


def lay_hold(turn: Turn, robot: RobotId, kind: HoldKind, sentence: str, *, keeps_hatch: bool = False) -> None:
    """Keep a robot from driving until a person lets it go on; one that is held for this already stays as it is.

    Parameters
    ----------
    turn : Turn
        The transaction.
    robot : RobotId
        Who.
    kind : HoldKind
        Why; at most one hold of each kind is on a robot.
    sentence : str
        What happened and what to do before it goes on, for people.
    keeps_hatch : bool
        Whether people go on loading it; otherwise what is not sealed yet waits for a robot again.
    """
    record = turn.record(robot)
    if record.is_held_for(kind):
        return
    hold = Hold(kind, sentence, robot, turn.at)
    turn.put(record.held_for(hold))
    _take_back_what_lets_go(turn, robot)
    turn.tell(ALARM, robot, {"code": kind.code, "sentence": sentence})
    turn.uow.history.add(robot, at=turn.at, act=RobotAct.HELD, by=robot, reason=sentence, outcome=STANDS)
    hold_up(turn, robot, hold.as_reason, keeps_hatch=keeps_hatch)
    give_up_order(turn, robot, hold.as_reason)


def hold_by_person(turn: Turn, robot: RobotId, kind: HoldKind, *, by: str, sentence: str) -> None:
    """Lay a hold because a person says so, and tell who waits for the robot; one of its kind stays as it is."""
    record = turn.record(robot)
    held = record.held_for(Hold(kind, sentence, by, turn.at))
    turn.put(replace(held, waiting=held.reasons_of_holds))
    _take_back_what_lets_go(turn, robot)
    for delivery in list(turn.deliveries.values()):
        if delivery.robot == robot:
            turn.let_wait(delivery, held.reasons_of_holds)


def _take_back_what_lets_go(turn: Turn, robot: RobotId) -> None:
    """Send no more what would let the robot go, or would tell it of a place that people may move it from now.

    Some robots do again what they are sent again: one that was paused anew would drive off on the word of before.
    """
    ask_no_more(turn, robot, LETS_GO | MAP_ACTIONS)


def lay_reported_holds(turn: Turn, robot: RobotId, report: RobotReport) -> None:
    """Lay what the robot's own report asks for."""
    has_place = turn.record(robot).tip is not None
    for kind, sentence in causes_of_hold(report, has_place=has_place).items():
        if kind is HoldKind.UNLOCALISED and _takes_up_its_position(turn, robot):
            continue
        # Whoever loads it may have stopped it for that; one that is at fault or taken away is loaded no further.
        keeps_hatch = kind is HoldKind.STOPPED and report.is_emergency_stopped
        lay_hold(turn, robot, kind, sentence, keeps_hatch=keeps_hatch)


def _takes_up_its_position(turn: Turn, robot: RobotId) -> bool:
    """Whether a robot that says no position was told one just now, in the cabin of a lift."""
    told = asked_at_once(turn, robot, MAP_ACTIONS)
    return any(turn.at - message.created_at < timedelta(seconds=FINISH_WITHIN_S) for message in told)


def hold_up(turn: Turn, robot: RobotId, reason: Reason, *, keeps_hatch: bool = False) -> None:
    """Say of a robot that cannot go on, and of what it carries, why; let others fetch what it was to fetch."""
    turn.put(replace(turn.record(robot), waiting=(reason,)))
    give_up_assignments(turn, robot, reason)
    if not keeps_hatch:
        free_the_hatch(turn, robot, reason)
    for delivery in list(turn.deliveries.values()):
        if delivery.robot == robot:
            turn.let_wait(delivery, (reason,))


def tell_who_waits_for_held(turn: Turn) -> None:
    """Say why it waits of each delivery whose robot is held and of which nothing is said, as it has come further since.

    It may be sealed, called back or turned round while its robot stands, and each change takes back what was said.
    """
    for delivery in list(turn.deliveries.values()):
        if delivery.robot is not None and set(delivery.waiting) <= set(delivery.reasons_of_lateness):
            turn.let_wait(delivery, turn.record(delivery.robot).reasons_of_holds)


def let_go_on(turn: Turn, robot: RobotId, code: str) -> None:
    """Take back a reason that is no longer true, from the robot and from what it carries; a hold on it stays told."""
    holds = turn.record(robot).reasons_of_holds
    record = turn.record(robot)
    turn.put(replace(record, waiting=_without(record.waiting, code, holds)))
    for delivery in list(turn.deliveries.values()):
        if delivery.robot == robot:
            turn.let_wait(delivery, _without(delivery.waiting, code, holds))


def _without(waiting: tuple[Reason, ...], code: str, holds: tuple[Reason, ...]) -> tuple[Reason, ...]:
    others = tuple(reason for reason in waiting if reason.code != code)
    return others or holds


def give_up_order(turn: Turn, robot: RobotId, reason: Reason) -> None:
    """Take back what a robot has of an order still; it stands, and gets another one when it may go on."""
    if turn.record(robot).phase in (OrderPhase.WANTED, OrderPhase.ACKNOWLEDGED):
        settle(turn, robot, outcome="withdrawn")
        cancel_order(turn, robot, reason)


def cancel_order(turn: Turn, robot: RobotId, reason: Reason) -> None:
    """Tell a robot to give up its order at once."""
    cancel = RobotAction(id=ActionId(turn.ids.new("action")), kind=ActionKind.CANCEL_ORDER)
    turn.want_action(robot, cancel)
    turn.put(replace(turn.record(robot), phase=OrderPhase.CANCELLING, waiting=(reason,)))


def settle(turn: Turn, robot: RobotId, *, outcome: str) -> None:
    """Settle the robot's outstanding order message, if there is one."""
    for message in turn.uow.outbox.wanted():
        if message.robot == robot and message.order is not None:
            turn.uow.outbox.settle(message.id, outcome)
