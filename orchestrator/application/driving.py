"""Driving: from "this robot's target" to lanes granted, gates opened and order updates in the outbox.

The way ahead of a robot has three parts, in this order: the base (released in its order), ``granted`` (traffic has
granted the lanes, but a door, a lift or an unanswered update still holds them back) and ``route`` (not granted
yet). Lanes move from the back to the front and never the other way; only the route may be replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from orchestrator.application.asked_at_once import BEFORE_ORDER, ask_no_more
from orchestrator.application.drawer_watch import settle_openings, what_keeps_standing
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.gates import Gates
from orchestrator.application.map_switch import (
    ask_what_is_still_true,
    drivable_in_one_order,
    is_ride_to_be_told,
    tell_other_level,
)
from orchestrator.application.steps import (
    FREE_FOR_A_NEW_ORDER,
    ask_before_order,
    charging_action,
    forget_what_people_took_out,
    is_crowded,
    is_off_its_way,
    passed_unheard,
    remaining_base,
    standing_place,
    start_actions,
    starting_steps,
    steps_of_lanes,
)
from orchestrator.application.trips import arrive
from orchestrator.application.turn import Turn
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import OrderId, RobotId
from orchestrator.domain.fleet.order import DriveOrder, OrderStep
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import LaneId, WaypointId
from orchestrator.domain.traffic.conflicts import ConflictRelation
from orchestrator.domain.traffic.monitor import Monitor
from orchestrator.vda5050.dialect import OrderUpdates


def lanes_ahead(record: RobotRecord) -> tuple[LaneId, ...]:
    """Return the lanes granted to the robot and not yet traversed, in driving order."""
    return (*remaining_base(record), *record.granted)


def free_what_is_behind(turn: Turn, fleet: FleetOnSite, monitor: Monitor, robot: RobotId) -> None:
    """Free the resources of everything the robot has passed.

    When the robot's centre is on a waypoint, its footprint reaches no further back than the conflict relation of that
    waypoint does, so the waypoint alone stands for it.
    """
    record = turn.record(robot)
    place = standing_place(fleet, record)
    if place is None or record.is_held_for(HoldKind.MOVED) or _is_on_its_way_to_the_lanes(fleet, record):
        return
    freed = record.held - monitor.relation.of_route(fleet.models[robot].id, place, lanes_ahead(record))
    if freed:
        monitor.release(robot, freed)
        turn.put(replace(record, held=record.held - freed))


def _is_on_its_way_to_the_lanes(fleet: FleetOnSite, record: RobotRecord) -> bool:
    """Whether a robot that stood between waypoints drives to the one its order begins with; it holds where it stood."""
    order = record.order
    if order is None or record.phase in FREE_FOR_A_NEW_ORDER or record.passed >= len(order.base) - 1:
        return False
    return order.steps[record.passed].waypoint not in fleet.graph_of(record.robot).waypoints


def complete_order(turn: Turn, fleet: FleetOnSite, robot: RobotId) -> None:
    """Close an order that the robot has driven and acted out to its end, and note the arrival."""
    record = turn.record(robot)
    order, report = record.order, record.report
    if order is None or report is None or record.phase is not OrderPhase.ACKNOWLEDGED:
        return
    is_at_its_end = order.is_fully_released and record.passed == len(order.steps) - 1
    is_echoed = report.order_id == order.id and report.order_update_id == order.update_id
    goes_on = _is_to_be_updated(fleet, order) and bool(
        drivable_in_one_order(fleet, robot, (*record.granted, *record.route))
    )
    if is_at_its_end and is_echoed and report.is_idle and not goes_on:
        turn.put(replace(record, phase=OrderPhase.DONE))


def _is_to_be_updated(fleet: FleetOnSite, order: DriveOrder) -> bool:
    """Whether more of the way is released to the robot by updates of this order, rather than by another order.

    Not to a robot that takes none; and never from a node with actions: makers differ on whether an update repeats
    them there, and a robot that sees an action twice may do it twice, or never be done.
    """
    return not order.decision_point.actions and fleet.dialect_of(order.robot).order_updates is not OrderUpdates.NONE


def catch_up(turn: Turn, fleet: FleetOnSite, robot: RobotId) -> None:
    """Note how far a robot that has nothing of its order left has driven on it unheard, while nobody followed it.

    One that came to the end of its way has nothing left to be told: no other order would ever close this one.
    """
    record = turn.record(robot)
    report = record.report
    if record.phase is not OrderPhase.LOST or report is None or report.is_driving:
        return
    passed = passed_unheard(fleet, record)
    if passed != record.passed:
        record = replace(record, passed=passed)
        turn.put(record)
    if report.is_idle and record.order is not None and not (lanes_ahead(record) or record.route):
        turn.put(replace(record, phase=OrderPhase.DONE))


def note_arrivals(turn: Turn, fleet: FleetOnSite) -> None:
    """Open the stops at which robots have come to stand."""
    for robot in sorted(fleet.robots):
        record = turn.record(robot)
        if record.target is None or record.phase is not OrderPhase.DONE or record.lost_since is not None:
            continue
        if is_off_its_way(fleet, record):
            continue
        if record.report is not None and standing_place(fleet, record) == fleet.waypoint_of(robot, record.target):
            arrive(turn, robot)


def send_what_is_free(turn: Turn, fleet: FleetOnSite, gates: Gates, monitor: Monitor, robot: RobotId) -> None:
    """Release as much of the granted way as is open, in a new order or an update of the present one.

    Doors and lifts have to be open for it, no lane closed and no robot in the way that left its own lanes.

    One update at a time: nothing is sent while the robot has not acknowledged the last one, so never do two contents
    share an update id.
    """
    record = turn.record(robot)
    if record.lost_since is not None or record.report is None or record.is_kept_from_driving:
        return
    if record.phase in FREE_FOR_A_NEW_ORDER:
        _start_order(turn, fleet, gates, monitor, robot)
    elif record.phase is OrderPhase.ACKNOWLEDGED:
        _extend_order(turn, fleet, gates, monitor, robot)


def _passable(
    gates: Gates, monitor: Monitor, record: RobotRecord, lanes: Sequence[LaneId], *, stands_at: WaypointId | None
) -> tuple[int, tuple[Reason, ...]]:
    """Return how many of the lanes ahead may be released now, and what the next one waits for."""
    robot = record.robot
    unhindered, hindrance = monitor.unhindered(robot, lanes)
    count, reasons = gates.passable(robot, lanes[:unhindered], stands_at=stands_at, is_crowded=is_crowded(record))
    return count, reasons if reasons or hindrance is None else (hindrance,)


def _start_order(turn: Turn, fleet: FleetOnSite, gates: Gates, monitor: Monitor, robot: RobotId) -> None:
    record = turn.record(robot)
    report = record.report
    assert report is not None
    if not report.is_idle or not report.may_be_ordered or report.is_paused or is_off_its_way(fleet, record):
        return
    ahead = lanes_ahead(record) if record.phase is OrderPhase.LOST else record.granted
    if ahead and is_ride_to_be_told(fleet, robot, ahead[0]):
        _ride(turn, fleet, gates, robot)
        return
    charging = () if ahead or record.route else charging_action(turn, fleet, robot)
    if not ahead and not charging:
        return
    if (why := what_keeps_standing(turn, robot)) is not None:
        _wait(turn, robot, (why,))
        return
    order_id = OrderId(turn.ids.new("order"))
    beginning = starting_steps(fleet, record, order=order_id)
    if not beginning:
        return
    forget_what_people_took_out(turn, fleet, robot)
    record = turn.record(robot)
    actions = charging or start_actions(turn, fleet, robot)
    dialect = fleet.dialect_of(robot)
    at_once = [action for action in actions if dialect.wants_before_order(action.kind)]
    if at_once:
        ask_before_order(turn, robot, at_once)
        return
    beginning = (replace(beginning[0], actions=actions), *beginning[1:])
    whole = drivable_in_one_order(fleet, robot, (*ahead, *record.route))
    stands_at = standing_place(fleet, record)
    count, reasons = _passable(gates, monitor, record, whole[: len(ahead)], stands_at=stands_at)
    if count == 0 and not actions:
        _wait(turn, robot, reasons)
        return
    base = (*beginning, *steps_of_lanes(fleet, robot, whole[:count]))
    horizon = steps_of_lanes(fleet, robot, whole[count:])
    order = DriveOrder(id=order_id, robot=robot, steps=(*base, *horizon), released=len(base))
    if not _is_to_be_updated(fleet, order):
        order = replace(order, steps=base)
    settle_openings(turn, robot)
    ask_no_more(turn, robot, BEFORE_ORDER)
    turn.put(replace(record, order=order, phase=OrderPhase.WANTED, passed=0, granted=ahead[count:], waiting=reasons))
    turn.want_order(order)


def _ride(turn: Turn, fleet: FleetOnSite, gates: Gates, robot: RobotId) -> None:
    """Tell a robot in a cabin of the level that it has come to, once the cabin stands open there for it."""
    record = turn.record(robot)
    count, reasons = gates.passable(
        robot, record.granted[:1], stands_at=standing_place(fleet, record), is_crowded=is_crowded(record)
    )
    if count == 0:
        ask_what_is_still_true(turn, fleet, robot, is_open_there=False)
    _wait(turn, robot, reasons if count == 0 else (tell_other_level(turn, fleet, robot),))


def _extend_order(turn: Turn, fleet: FleetOnSite, gates: Gates, monitor: Monitor, robot: RobotId) -> None:
    record = turn.record(robot)
    order = record.order
    assert order is not None
    if not _is_to_be_updated(fleet, order):
        return
    if fleet.dialect_of(robot).order_updates is OrderUpdates.STANDING and not _stands_at_its_end(record):
        return
    if record.report is None or not record.report.may_be_ordered:
        return  # whoever released the emergency stop finds a robot that drives no farther than it was allowed before
    stands_at = standing_place(fleet, record) if not remaining_base(record) else None
    ahead = drivable_in_one_order(fleet, robot, (*record.granted, *record.route))
    count, reasons = _passable(gates, monitor, record, ahead[: len(record.granted)], stands_at=stands_at)
    if count == 0 and _lanes_of(order.horizon) == ahead:
        _wait(turn, robot, reasons)
        return
    update = order.extended(released=order.released + count, horizon=steps_of_lanes(fleet, robot, ahead))
    turn.put(replace(record, order=update, phase=OrderPhase.WANTED, granted=record.granted[count:], waiting=reasons))
    turn.want_order(update)


def _stands_at_its_end(record: RobotRecord) -> bool:
    """Whether the robot has come to the end of its base and stands there."""
    return record.report is not None and not record.report.is_driving and not remaining_base(record)


def _lanes_of(steps: Sequence[OrderStep]) -> tuple[LaneId | None, ...]:
    return tuple(step.lane for step in steps)


def _wait(turn: Turn, robot: RobotId, reasons: tuple[Reason, ...]) -> None:
    record = turn.record(robot)
    if reasons and reasons != record.waiting:
        turn.put(replace(record, waiting=reasons))


def take_lanes(
    turn: Turn, fleet: FleetOnSite, relation: ConflictRelation, robot: RobotId, lanes: Sequence[LaneId]
) -> None:
    """Record that traffic has granted the next lanes of the robot's route."""
    record = turn.record(robot)
    assert record.route[: len(lanes)] == tuple(lanes), "lanes are granted in the order of the route"
    graph = fleet.graph_of(robot)
    held = record.held | relation.of_route(fleet.models[robot].id, graph.lanes[lanes[0]].start, lanes)
    turn.put(
        replace(
            record,
            granted=(*record.granted, *lanes),
            route=record.route[len(lanes) :],
            tip=graph.lanes[lanes[-1]].end,
            held=held,
            waiting=(),
        )
    )


def with_known_holdings(fleet: FleetOnSite, relation: ConflictRelation, record: RobotRecord) -> RobotRecord:
    """Return the record with resources that the relation knows.

    Books that were written before the site, a model or the naming of resources changed hold others. Then what the robot
    holds follows from where it stands and the lanes ahead of it.
    """
    if relation.knows(record.held):
        return record
    if record.tip is None:
        return replace(record, held=frozenset())
    model, lanes = fleet.models[record.robot].id, lanes_ahead(record)
    start = standing_place(fleet, record) or (relation.graph(model).lanes[lanes[0]].start if lanes else record.tip)
    held = relation.of_route(model, start, lanes) | relation.of_waypoint(model, record.tip)
    return replace(record, held=held)


def planned_end(fleet: FleetOnSite, record: RobotRecord) -> WaypointId | None:
    """Return where the planned way ends: the end of the route, or the tip when nothing is left to grant."""
    return fleet.graph_of(record.robot).lanes[record.route[-1]].end if record.route else record.tip
