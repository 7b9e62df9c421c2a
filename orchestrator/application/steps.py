"""Turning lanes into the steps of an order, and finding where an order for this robot may start."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.ports import Ids
from orchestrator.application.turn import Turn
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.fleet.model import ActionId, LoadId, Pose, RobotId
from orchestrator.domain.fleet.order import ActionKind, OrderStep, RobotAction
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.site.geometry import distance_to_segment
from orchestrator.domain.site.model import LaneGraph, LaneId, LevelId, WaypointId

OFF_GRAPH = "pose:"
"""Prefix of the node ids that stand for a robot's own pose and are on no lane graph."""

FREE_FOR_A_NEW_ORDER = (OrderPhase.DONE, OrderPhase.LOST)
"""The phases in which a robot has nothing of an order left to drive."""

OFF_WAY_M = 1.0
"""A robot that stands farther than this from its way, in metres, was moved by somebody."""

STRAYED_M = 1.5
"""A robot under way farther than this from its released way, in metres, is not on it; robots cut corners by less."""

FULL = 0.98
"""A battery at or above this ratio is not sent to charge."""


def steps_of_lanes(fleet: FleetOnSite, robot: RobotId, lanes: Iterable[LaneId]) -> tuple[OrderStep, ...]:
    """Return the step at the end of each lane, in order."""
    graph = fleet.graph_of(robot)
    steps: list[OrderStep] = []
    for lane_id in lanes:
        lane = graph.lanes[lane_id]
        steps.append(
            OrderStep(
                waypoint=lane.end,
                pose=fleet.pose_of(robot, lane.end),
                lane=lane_id,
                speed_limit_m_s=lane.speed_limit_m_s,
            )
        )
    return tuple(steps)


def length_of_lane_m(graph: LaneGraph, lane_id: LaneId) -> float:
    """Return the length of a lane in metres, 0 for the ride of a lift."""
    lane = graph.lanes[lane_id]
    start, end = graph.waypoints[lane.start], graph.waypoints[lane.end]
    return math.hypot(end.x_m - start.x_m, end.y_m - start.y_m)


def remaining_base(record: RobotRecord) -> tuple[LaneId, ...]:
    """Return the released lanes that the robot has not traversed yet."""
    if record.order is None:
        return ()
    return tuple(step.lane for step in record.order.base[record.passed + 1 :] if step.lane is not None)


def is_crowded(record: RobotRecord) -> bool:
    """Whether the robot says that something is within its protective field."""
    return record.report is not None and record.report.has_field_violation


def standing_place(fleet: FleetOnSite, record: RobotRecord) -> WaypointId | None:
    """Return the waypoint the robot passed last, or stands at when it has no order; None when nobody knows.

    What is granted beyond the base leads on from there: until it is released the robot stands where that begins.
    """
    graph = fleet.graph_of(record.robot)
    if record.order is not None:
        waypoint = record.order.steps[record.passed].waypoint
        if waypoint in graph.waypoints:
            return waypoint
        if remaining_base(record):
            return None
    return graph.lanes[record.granted[0]].start if record.granted else record.tip


def is_off_its_way(fleet: FleetOnSite, record: RobotRecord) -> bool:
    """Whether a robot that has nothing to drive stands neither where the books have it nor on the way from there.

    Somebody has pushed, driven or carried it. While it drives or has an order it is where its order leads; see
    `has_strayed`.
    """
    report = record.report
    if report is None or report.pose is None or record.tip is None or record.phase not in FREE_FOR_A_NEW_ORDER:
        return False
    return not report.is_driving and report.is_idle and not stands_on_its_way(fleet, record)


def has_strayed(fleet: FleetOnSite, record: RobotRecord) -> bool:
    """Whether a robot with an order reports a place that its released way does not lead through.

    It was pushed aside, it has left its lane, or it is mistaken about where it is.
    """
    order, report = record.order, record.report
    if order is None or report is None or report.pose is None or record.phase in FREE_FOR_A_NEW_ORDER:
        return False
    way = [step.pose for step in order.base[max(record.passed - 1, 0) :]]
    return _is_away_from(way, report.pose, farther_than_m=STRAYED_M)


def level_not_reported(fleet: FleetOnSite, record: RobotRecord) -> LevelId | None:
    """Return the level a robot would be on its way on, if it did not report another one that its order came through.

    Then nobody has moved it: after the ride of a lift it has kept the map of the floor it came from.
    """
    order, report = record.order, record.report
    if order is None or report is None or report.pose is None:
        return None
    levels = list(dict.fromkeys(step.pose.level for step in order.base))
    way = [step.pose for step in order.base[max(record.passed - 1, 0) :]]
    for level in levels if report.pose.level in levels else ():
        there = replace(report.pose, level=level)
        if level != report.pose.level and not _is_away_from(way, there, farther_than_m=STRAYED_M):
            return level
    return None


def stands_on_its_way(fleet: FleetOnSite, record: RobotRecord) -> bool:
    """Whether the robot is where the books have it, or on the released way from there; not so without a pose."""
    if record.report is None or record.report.pose is None or record.tip is None:
        return False
    if record.order is None:
        place = fleet.pose_of(record.robot, standing_place(fleet, record) or record.tip)
        return _metres_from(record.report.pose, place, place) <= OFF_WAY_M
    last = record.order.steps[record.passed].pose
    if _metres_from(record.report.pose, last, last) <= OFF_WAY_M:
        return True  # where nearly every robot stands that stands
    way = [step.pose for step in record.order.base[record.passed :]]
    return not _is_away_from(way, record.report.pose, farther_than_m=OFF_WAY_M)


def passed_unheard(fleet: FleetOnSite, record: RobotRecord) -> int:
    """Return the index of the last step of its base that a robot has passed, by where it stands.

    A robot whose order was cancelled, or that has forgotten it, may have driven on unheard before. Where its way leads
    twice past the same place, it counts as standing there for the first time.
    """
    order, report = record.order, record.report
    if order is None or report is None or report.pose is None:
        return record.passed
    stretches = range(record.passed, order.released - 1)
    away_m = {k: _metres_from(report.pose, order.steps[k].pose, order.steps[k + 1].pose) for k in stretches}
    nearest = min(away_m, key=lambda k: (round(away_m[k], 1), k), default=record.passed)
    if not away_m or away_m[nearest] > OFF_WAY_M:
        return record.passed
    end = order.steps[nearest + 1].pose
    is_at_end = _metres_from(report.pose, end, end) <= fleet.policy.place_tolerance_m
    return nearest + 1 if is_at_end else nearest


def _is_away_from(way: Sequence[Pose], pose: Pose, *, farther_than_m: float) -> bool:
    pairs = zip(way, way[1:] or way, strict=False)
    return all(_metres_from(pose, start, end) > farther_than_m for start, end in pairs)


def _metres_from(pose: Pose, start: Pose, end: Pose) -> float:
    ends = [(place.x_m, place.y_m) for place in (start, end) if place.level == pose.level]
    if not ends:
        return math.inf
    return distance_to_segment((pose.x_m, pose.y_m), ends[0], ends[-1])


def entered_at(record: RobotRecord, tip: WaypointId | None) -> RobotRecord:
    """Return the record of a robot that stands at a waypoint, or on no lane, without an order or any other grant.

    What it holds there is entered by whoever steers. While an order of it is being cancelled it gets no other.
    """
    return replace(
        record,
        order=None,
        phase=record.phase if record.phase is OrderPhase.CANCELLING else OrderPhase.DONE,
        passed=0,
        tip=tip,
        held=frozenset(),
        granted=(),
        route=(),
        waiting=(),
    )


def starting_steps(fleet: FleetOnSite, record: RobotRecord, *, order: str) -> tuple[OrderStep, ...]:
    """Return how a new order begins for a robot that is idle.

    It begins at the waypoint the robot last passed; or, when the robot stands away from it, with a temporary node
    at the robot's own pose (VDA 5050 2.1 §6.10.1: a new order starts at the last node or within reach of the
    robot) and, unless a lane goes on from there, the waypoint that its route starts from.

    Returns
    -------
    tuple of OrderStep
        Empty while the robot has not said where it is.
    """
    pose = record.report.pose if record.report else None
    if pose is None:
        return ()
    place = standing_place(fleet, record)
    if place is not None and is_at(fleet, record.robot, place, pose):
        return (OrderStep(waypoint=place, pose=fleet.pose_of(record.robot, place)),)
    here = OrderStep(waypoint=WaypointId(f"{OFF_GRAPH}{order}"), pose=pose)
    if remaining_base(record) or place is None:
        return (here,)
    return (here, OrderStep(waypoint=place, pose=fleet.pose_of(record.robot, place)))


def is_at(fleet: FleetOnSite, robot: RobotId, waypoint: WaypointId, pose: Pose) -> bool:
    """Whether a pose is as near a waypoint as counts as standing on it."""
    place = fleet.pose_of(robot, waypoint)
    distance_m = math.hypot(place.x_m - pose.x_m, place.y_m - pose.y_m)
    return place.level == pose.level and distance_m <= fleet.policy.place_tolerance_m


def start_actions(turn: Turn, fleet: FleetOnSite, robot: RobotId) -> tuple[RobotAction, ...]:
    """Return what the robot does before it leaves where it stands: take in what was sealed, give out what was taken.

    What it carries already decides what is left to do, so an action that went through is not asked for again. What the
    robot has no action for is people's work and is not asked for. What it carries that our books do not know is not
    ours to give out.
    """
    record = turn.record(robot)
    aboard = record.aboard
    actions: list[RobotAction] = []
    if record.report is not None and record.report.is_charging:
        actions.append(_action(turn.ids, ActionKind.STOP_CHARGING))
    mine = [d for d in turn.deliveries.values() if d.robot == robot]
    aboard_by_books = {d.load for d in mine if d.is_in_drawer}
    to_pick = {d.load: d.drawer for d in mine if d.state is DeliveryState.SEALED}
    to_drop = (aboard & record.carried) - aboard_by_books
    actions.extend(_action(turn.ids, ActionKind.DROP, load=load) for load in sorted(to_drop))
    actions.extend(
        _action(turn.ids, ActionKind.PICK, load=load, drawer=to_pick[load]) for load in sorted(to_pick.keys() - aboard)
    )
    dialect = fleet.dialect_of(robot)
    return tuple(action for action in actions if dialect.knows(action.kind))


def forget_what_people_took_out(turn: Turn, fleet: FleetOnSite, robot: RobotId) -> None:
    """Let go of loads that are no longer on their way with a robot that gives nothing out itself: people took them."""
    record = turn.record(robot)
    if record.carried and not fleet.dialect_of(robot).knows(ActionKind.DROP):
        on_their_way = {d.load for d in turn.deliveries.values() if d.robot == robot}
        turn.put(replace(record, carried=record.carried & on_their_way))


def ask_before_order(turn: Turn, robot: RobotId, actions: Iterable[RobotAction]) -> None:
    """Ask at once for what the robot does only at once; what was asked for and is not over is not asked again.

    Its next order waits until it has done it, which its report and the books show.
    """
    wanted = {(m.action.kind, m.action.load) for m in turn.uow.outbox.wanted() if m.robot == robot and m.action}
    for action in actions:
        if (action.kind, action.load) not in wanted:
            turn.want_action(robot, action)


def charging_action(turn: Turn, fleet: FleetOnSite, robot: RobotId) -> tuple[RobotAction, ...]:
    """Return the action that starts charging, for a robot that stands at its charger and does not charge; else nothing.

    Asked for once per stay: a charger that does not work is shown by the battery, not by endless orders.
    """
    record = turn.record(robot)
    if record.report is None or record.report.is_charging or not fleet.charges_at_home(robot):
        return ()
    if not fleet.dialect_of(robot).knows(ActionKind.START_CHARGING):
        return ()
    if standing_place(fleet, record) != fleet.home_waypoint_of(robot) or record.report.battery >= FULL:
        return ()
    last = record.order.steps if record.order else ()
    if any(action.kind is ActionKind.START_CHARGING for step in last for action in step.actions):
        return ()
    return (_action(turn.ids, ActionKind.START_CHARGING),)


def _action(ids: Ids, kind: ActionKind, *, load: LoadId | None = None, drawer: str | None = None) -> RobotAction:
    return RobotAction(id=ActionId(ids.new("action")), kind=kind, load=load, drawer=drawer)
