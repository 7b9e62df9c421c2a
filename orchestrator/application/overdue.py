"""What was asked of robots at once and has not come about in time: looked at as time passes, not when they speak."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.application.asked_at_once import ACTION_UNANSWERED, LETS_GO, MAP_ACTIONS, ask_no_more, asked_at_once
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.holding import lay_hold, lay_reported_holds, let_go_on
from orchestrator.application.map_switch import ask_what_is_still_true
from orchestrator.application.turn import Turn
from orchestrator.domain.fleet.conduct import ANSWERS
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.order import ActionKind


def look_at_what_was_asked(turn: Turn, fleet: FleetOnSite) -> None:
    """Take back what is no longer meant, and hold robots of which somebody has to see why they do not do it."""
    asked = {
        message.robot
        for message in turn.uow.outbox.wanted()
        if message.action is not None and message.action.kind in LETS_GO | MAP_ACTIONS
    }
    for robot in sorted(fleet.robots):
        if robot in asked and turn.record(robot).is_kept_from_driving:
            ask_no_more(turn, robot, LETS_GO | MAP_ACTIONS)
        elif robot in asked:
            ask_what_is_still_true(turn, fleet, robot)
            _hold_who_does_not_go_on(turn, fleet, robot)
        _hold_who_has_no_position(turn, robot)
    for robot in sorted(_unanswered(turn) & fleet.robots.keys() - asked):
        let_go_on(turn, robot, ACTION_UNANSWERED)


def _hold_who_does_not_go_on(turn: Turn, fleet: FleetOnSite, robot: RobotId) -> None:
    """Do not ask for ever: whoever resumed the robot looked then, and it would drive off long after they have left."""
    limit = timedelta(seconds=ANSWERS * fleet.models[robot].order_answer_s)
    resumed = asked_at_once(turn, robot, {ActionKind.RESUME})
    if not any(turn.at - message.created_at > limit for message in resumed):
        return
    sentence = (
        f"Robot {robot} has not gone on for {limit.total_seconds():.0f} s though it was resumed; it is asked no more. "
        "See what keeps it, then resume it here."
    )
    lay_hold(turn, robot, HoldKind.UNRESPONSIVE, sentence)


def _unanswered(turn: Turn) -> set[RobotId]:
    """Return the robots whose deliveries say still that they do not do what they were asked."""
    told = (d for d in turn.deliveries.values() if any(reason.code == ACTION_UNANSWERED for reason in d.waiting))
    return {delivery.robot for delivery in told if delivery.robot is not None}


def _hold_who_has_no_position(turn: Turn, robot: RobotId) -> None:
    """Hold a robot that was told where it is, had its time to take that up and still knows no position."""
    record = turn.record(robot)
    if record.report is not None and record.report.pose is None and not record.is_kept_from_driving:
        lay_reported_holds(turn, robot, record.report)
