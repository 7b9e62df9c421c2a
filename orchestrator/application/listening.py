"""What the orchestrator makes of what a robot says: each event of the link, written into the books."""

from __future__ import annotations

import math
from dataclasses import replace

from orchestrator.application.asked_at_once import ACTION_UNANSWERED, LETS_GO, MAP_ACTIONS
from orchestrator.application.drawer_journal import note_journal
from orchestrator.application.drawer_watch import note_drawers, note_left_open, note_opened, note_refused
from orchestrator.application.factsheets import note_factsheet
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.holding import (
    ALARM,
    cancel_order,
    give_up_order,
    hold_up,
    lay_hold,
    lay_reported_holds,
    let_go_on,
    settle,
)
from orchestrator.application.map_switch import tell_position_next
from orchestrator.application.steps import OFF_GRAPH, has_strayed, length_of_lane_m
from orchestrator.application.trips import give_up_assignments, set_off
from orchestrator.application.turn import Turn
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import ActionId, Pose, RobotId, RobotReport
from orchestrator.domain.fleet.order import ActionKind, RobotAction
from orchestrator.domain.fleet.record import OrderPhase
from orchestrator.domain.reason import Reason
from orchestrator.vda5050 import events as link

ROBOT_LOST = "robot_lost"
LOAD_MISSING = "load_missing"
PICK_FAILED = "pick_failed"
ORDER_UNANSWERED = "order_unanswered"
CANCEL_FAILED = "cancel_failed"

_ACTION_WORDS = {
    ActionKind.PICK: "take in what it was given",
    ActionKind.DROP: "give out what it carries",
    ActionKind.START_CHARGING: "dock to its charger",
    ActionKind.STOP_CHARGING: "leave its charger",
    ActionKind.ENABLE_MAP: "enable the map of the level that the lift has brought it to",
    ActionKind.INIT_POSITION: "take up its position on the level that the lift has brought it to",
}

MOVED_M = 0.3
"""Farther from where it stood than this, in metres, a standing robot was moved."""


def hear(turn: Turn, fleet: FleetOnSite, robot: RobotId, event: link.LinkEvent) -> None:
    """Write one event of a robot's link into the books."""
    match event:
        case link.Reported(report=report):
            note_report(turn, fleet, robot, report)
        case link.OrderAcknowledged():
            _acknowledged(turn, robot, event)
        case link.NodePassed():
            _passed(turn, fleet, robot, event)
        case link.OrderRejected():
            _rejected(turn, robot, event)
        case link.OrderUnanswered():
            _unanswered(turn, robot, event)
        case link.OrderForgotten():
            _forgotten(turn, robot, event)
        case _:
            _hear_of_robot(turn, fleet, robot, event)


def _hear_of_robot(turn: Turn, fleet: FleetOnSite, robot: RobotId, event: link.LinkEvent) -> None:
    match event:
        case link.RobotLost(refused=refused):
            _lost(turn, fleet, robot, refused)
        case link.RobotReturned():
            turn.put(replace(turn.record(robot), lost_since=None))
            let_go_on(turn, robot, ROBOT_LOST)
        case link.ActionFinished(action_id=action):
            _note_handling(turn, robot, action)
            note_opened(turn, robot, action)
            _action_finished(turn, robot, action)
        case link.ActionFailed(action_id=action, description=description):
            _action_failed(turn, robot, action, description)
        case link.ActionUnanswered(action_id=action):
            _action_unanswered(turn, robot, action)
        case link.JournalTold():
            note_journal(turn, fleet, robot, event)
        case link.FactsheetReceived(factsheet=factsheet):
            note_factsheet(turn, fleet, robot, factsheet)
        case _:
            pass


def note_report(turn: Turn, fleet: FleetOnSite, robot: RobotId, report: RobotReport) -> None:
    """Keep a robot's report where something in it matters beyond the moment."""
    record = turn.record(robot)
    before = record.report
    if not (is_news(before, report) or has_strayed(fleet, replace(record, report=report))):
        return
    turn.put(replace(record, report=report).with_loads_as_reported())
    if before is None or before.loads != report.loads:
        _note_loads_of_ours(turn, robot)
    note_drawers(turn, fleet, robot, before, report)
    note_left_open(turn, fleet, before, report)
    if before is None or before.loads != report.loads:
        _compare_loads(turn, robot)
    lay_reported_holds(turn, robot, report)


def is_news(before: RobotReport | None, report: RobotReport) -> bool:
    """Whether a report says more than where the robot is on its way and how its battery drains.

    That it stands somewhere else than before is news: somebody has moved it.
    """
    if before is None or (not report.is_driving and _is_moved(before.pose, report.pose)):
        return True
    kept = replace(
        report,
        pose=before.pose,
        received_at=before.received_at,
        battery=before.battery,
        sent_at=before.sent_at,
        message_number=before.message_number,
    )
    return kept != before or round(before.battery, 2) != round(report.battery, 2)


def _is_moved(before: Pose | None, pose: Pose | None) -> bool:
    if before is None or pose is None:
        return before is not pose
    return before.level != pose.level or math.hypot(before.x_m - pose.x_m, before.y_m - pose.y_m) > MOVED_M


def _acknowledged(turn: Turn, robot: RobotId, event: link.OrderAcknowledged) -> None:
    record = turn.record(robot)
    order = record.order
    if order is None or (order.id, order.update_id) != (event.order_id, event.update_id):
        return
    settle(turn, robot, outcome="acknowledged")
    if record.phase is OrderPhase.WANTED:
        turn.put(replace(record, phase=OrderPhase.ACKNOWLEDGED))
    _strike(turn, robot, ORDER_UNANSWERED)


def _passed(turn: Turn, fleet: FleetOnSite, robot: RobotId, event: link.NodePassed) -> None:
    record = turn.record(robot)
    order = record.order
    if order is None or order.id != event.order_id:
        return
    index = event.sequence_id // 2
    if not record.passed < index < len(order.steps):
        return
    lanes = [step.lane for step in order.steps[record.passed + 1 : index + 1] if step.lane is not None]
    driven_m = record.driven_m + sum(length_of_lane_m(fleet.graph_of(robot), lane) for lane in lanes)
    turn.put(replace(record, passed=index, driven_m=round(driven_m, 3)))
    if lanes:
        set_off(turn, robot)
        _compare_loads(turn, robot)


def _note_loads_of_ours(turn: Turn, robot: RobotId) -> None:
    """Take as carried what a robot reports by the name of a delivery that is with it, however it came to be aboard."""
    record = turn.record(robot)
    reported = record.report.loads if record.report is not None else None
    if not reported:
        return
    ours = {delivery.load for delivery in turn.deliveries.values() if delivery.robot == robot}
    turn.put(replace(record, carried=record.carried | (ours & set(reported))))


def _compare_loads(turn: Turn, robot: RobotId) -> None:
    """Say of each delivery under way whether its robot has stopped reporting its load; nobody is to learn it late."""
    report = turn.record(robot).report
    if report is None:
        return
    _free_emptied_drawers(turn, robot)
    for delivery in list(turn.deliveries.values()):
        if delivery.robot != robot or delivery.state is not DeliveryState.IN_TRANSIT:
            continue
        others = [reason for reason in delivery.waiting if reason.code != LOAD_MISSING]
        if report.loads is None or delivery.load in turn.record(robot).aboard:
            turn.let_wait(delivery, others)
        elif len(others) == len(delivery.waiting):
            sentence = f"Robot {robot} no longer reports the load of delivery {delivery.id}; go and look for it."
            turn.let_wait(delivery, [*others, Reason(LOAD_MISSING, sentence)])
            turn.tell(ALARM, robot, {"code": LOAD_MISSING, "sentence": sentence})


def _free_emptied_drawers(turn: Turn, robot: RobotId) -> None:
    """Take a drawer as emptied when the robot no longer carries what a person has ended as a delivery."""
    aboard = turn.record(robot).aboard
    for delivery in list(turn.deliveries.values()):
        is_left_there = delivery.robot == robot and delivery.state.is_ended and delivery.is_in_drawer
        if is_left_there and delivery.load not in aboard:
            turn.keep(delivery.out_of_drawer())


def _rejected(turn: Turn, robot: RobotId, event: link.OrderRejected) -> None:
    record = turn.record(robot)
    order = record.order
    if order is None or (order.id, order.update_id) != (event.order_id, event.update_id):
        return
    settle(turn, robot, outcome="rejected")
    reason = Reason("order_rejected", f"Robot {robot} refused its order ({event.kind}): {event.description}")
    turn.tell(ALARM, robot, {"code": reason.code, "sentence": reason.sentence})
    give_up_assignments(turn, robot, reason)
    if order.update_id == 0:
        turn.put(replace(record, phase=OrderPhase.LOST, waiting=(reason,)))
        return
    cancel_order(turn, robot, reason)


def _unanswered(turn: Turn, robot: RobotId, event: link.OrderUnanswered) -> None:
    record = turn.record(robot)
    if record.order is None or record.order.id != event.order_id or record.phase is not OrderPhase.WANTED:
        return
    says = _faults_in_words(record.report)
    sentence = f"Robot {robot} has not answered its order; it is sent again until it does.{says}"
    reason = Reason(ORDER_UNANSWERED, sentence)
    turn.tell(ALARM, robot, {"code": reason.code, "sentence": reason.sentence})
    give_up_assignments(turn, robot, reason)
    turn.put(replace(record, waiting=(reason,)))


def _faults_in_words(report: RobotReport | None) -> str:
    """Return what a robot complains of: some refuse an order without saying which, which alone refuses nothing."""
    faults = report.faults if report is not None else ()
    told = "; ".join(f"{fault.kind} ({fault.description})" if fault.description else fault.kind for fault in faults)
    return f" It complains of: {told}." if told else ""


def _forgotten(turn: Turn, robot: RobotId, event: link.OrderForgotten) -> None:
    """A robot that restarted has no order any more: it gets a new one from where it stands."""
    record = turn.record(robot)
    if record.order is None or record.order.id != event.order_id or record.phase is OrderPhase.DONE:
        return
    settle(turn, robot, outcome="withdrawn")
    turn.put(replace(record, phase=OrderPhase.LOST))


def _lost(turn: Turn, fleet: FleetOnSite, robot: RobotId, refused: str) -> None:
    record = turn.record(robot)
    if record.lost_since is not None:
        return
    limit_s = fleet.models[robot].lost_after_s
    sentence = (
        f"Robot {robot} has been silent for longer than {limit_s:g} s. What it carries stays on its account; "
        "go to where it was last seen, or wait for it to come back."
    )
    if refused:
        sentence = (
            f"Robot {robot} has sent no state that counts for longer than {limit_s:g} s: {refused.rstrip('.')}. "
            "What it carries stays on its account; go and look, and see `wardporter robot watch` for what it sends."
        )
    reason = Reason(ROBOT_LOST, sentence)
    turn.put(replace(record, lost_since=turn.at))
    turn.tell(ALARM, robot, {"code": reason.code, "sentence": reason.sentence})
    hold_up(turn, robot, reason)


def _strike(turn: Turn, robot: RobotId, code: str) -> None:
    record = turn.record(robot)
    turn.put(replace(record, waiting=tuple(reason for reason in record.waiting if reason.code != code)))


def _note_handling(turn: Turn, robot: RobotId, action: ActionId) -> None:
    """Record what the robot has taken in or given out."""
    record = turn.record(robot)
    done = _asked_action(turn, robot, action)
    if done is None or done.load is None:
        return
    if done.kind is ActionKind.PICK:
        turn.put(replace(record, carried=record.carried | {done.load}))
    elif done.kind is ActionKind.DROP:
        turn.put(replace(record, carried=record.carried - {done.load}))


def _asked_action(turn: Turn, robot: RobotId, action: ActionId) -> RobotAction | None:
    """Return the action of that id in the robot's order or among what it was asked at once."""
    order = turn.record(robot).order
    in_order = (each for step in (order.steps if order else ()) for each in step.actions)
    at_once = (m.action for m in turn.uow.outbox.wanted() if m.robot == robot and m.action is not None)
    return next((each for each in (*in_order, *at_once) if each.id == action), None)


def _action_finished(turn: Turn, robot: RobotId, action: ActionId) -> None:
    record = turn.record(robot)
    asked = _asked_action(turn, robot, action)
    kind = _settle_action(turn, robot, action, outcome="acknowledged")
    if asked is not None and kind is ActionKind.ENABLE_MAP:
        tell_position_next(turn, robot, asked)
    if kind is ActionKind.CANCEL_ORDER and record.phase is OrderPhase.CANCELLING:
        turn.put(replace(record, phase=OrderPhase.LOST, waiting=record.reasons_of_holds))


def _settle_action(turn: Turn, robot: RobotId, action: ActionId, *, outcome: str) -> ActionKind | None:
    """Settle what the robot was asked at once, and return what that was; None when it was not asked at once."""
    for message in turn.uow.outbox.wanted():
        if message.robot == robot and message.action is not None and message.action.id == action:
            turn.uow.outbox.settle(message.id, outcome)
            return message.action.kind
    return None


def _action_failed(turn: Turn, robot: RobotId, action: ActionId, description: str) -> None:
    failed = _asked_action(turn, robot, action)
    if _settle_action(turn, robot, action, outcome="rejected") is ActionKind.CANCEL_ORDER:
        _cancel_failed(turn, robot, description)
        return
    if note_refused(turn, robot, action, description):
        return
    sentence = f"Robot {robot} could not do what it was asked: {description}"
    turn.tell(ALARM, robot, {"code": "action_failed", "sentence": sentence})
    if failed is None or failed.kind not in _ACTION_WORDS or _was_broken_off(turn, robot):
        return
    if failed.kind is ActionKind.PICK:
        _send_back(turn, robot, failed)
    sentence = f"Robot {robot} could not {_ACTION_WORDS[failed.kind]}; have a look at it, then resume it here."
    lay_hold(turn, robot, HoldKind.FAILED_ACTION, sentence)


def _cancel_failed(turn: Turn, robot: RobotId, description: str) -> None:
    """Tell people once. The robot has its order still; `orchestrator.application.cancelling` asks it again."""
    record = turn.record(robot)
    sentence = (
        f"Robot {robot} has not given up its order ({description or 'it says no more'}) and may drive on to the end of "
        "what was released to it; it is asked again. See to it, and stop it by hand if it must not."
    )
    if all(reason.code != CANCEL_FAILED for reason in record.waiting):
        turn.tell(ALARM, robot, {"code": CANCEL_FAILED, "sentence": sentence})
    turn.put(replace(record, waiting=(Reason(CANCEL_FAILED, sentence), *record.reasons_of_holds)))


def _was_broken_off(turn: Turn, robot: RobotId) -> bool:
    """Whether an action failed only because the order was taken from the robot, by us or by whoever drives it."""
    record = turn.record(robot)
    return record.phase is OrderPhase.CANCELLING or bool(record.report and record.report.needs_person)


def _send_back(turn: Turn, robot: RobotId, pick: RobotAction) -> None:
    """Send back what a robot has not taken in: a failed action fails no order (VDA 5050 2.1 §6.10)."""
    sentence = f"Robot {robot} could not take the tote into drawer {pick.drawer}; the pharmacy takes it out again."
    reason = Reason(PICK_FAILED, sentence)
    for delivery in list(turn.deliveries.values()):
        is_meant = delivery.robot == robot and delivery.load == pick.load
        if is_meant and delivery.state in (DeliveryState.SEALED, DeliveryState.IN_TRANSIT):
            turn.move(delivery, DeliveryState.RETURNING, cause=robot, reason=reason)
    give_up_order(turn, robot, reason)


def _action_unanswered(turn: Turn, robot: RobotId, action: ActionId) -> None:
    wanted = (m.action for m in turn.uow.outbox.wanted() if m.robot == robot)
    kind = next((each.kind for each in wanted if each is not None and each.id == action), None)
    what = "an action" if kind is None else kind.value
    sentence = f"Robot {robot} does not do what it was asked at once ({what}); it is asked again. Go and see to it."
    reason = Reason(ACTION_UNANSWERED, sentence)
    turn.put(replace(turn.record(robot), waiting=(reason,)))
    turn.tell(ALARM, robot, {"code": ACTION_UNANSWERED, "sentence": sentence})
    if kind not in LETS_GO | MAP_ACTIONS:
        return
    for delivery in list(turn.deliveries.values()):
        if delivery.robot == robot:
            others = (each for each in delivery.waiting if each.code != ACTION_UNANSWERED)
            turn.let_wait(delivery, (*others, reason))


def is_off_graph(waypoint: str) -> bool:
    """Whether a node id stands for a robot's own pose rather than for a waypoint."""
    return waypoint.startswith(OFF_GRAPH)
