"""Another level, another map: what a robot is told in the cabin, between the ride and the way out.

A robot that has to be told gets no order that leads from one map to another: its order ends in the cabin. Once the
cabin stands open at the other level, the robot is told to enable the map there and where it stands (VDA 5050 2.1
§6.8.1, enableMap and initPosition); all maps of a site share one frame, so x, y and heading stay. When the robot itself
reports that it is on the other level, and not before, it gets a new order, from the cabin's waypoint there. Whoever
says it by hand, at the robot, has done the same. What it was told is true of this ride alone: nothing of it is sent
any more once the robot is there, or the cabin is not, or somebody has to see to the robot.

While it takes up its position a robot may say that it knows none (VDA 5050 2.1 §6.8.2); for so long nobody is asked to
go to it.

Why no order with the ride in it: an edge between two maps has no length, and what robots make of one differs from
maker to maker; a fresh order that begins where the robot stands is what each of them knows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from orchestrator.application.asked_at_once import MAP_ACTIONS, ask_no_more, asked_at_once
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.ports import Ids
from orchestrator.application.steps import FREE_FOR_A_NEW_ORDER, OFF_WAY_M, level_not_reported
from orchestrator.application.turn import Turn
from orchestrator.domain.fleet.model import ActionId, ActionStatus, MapSwitch, RobotId, RobotReport
from orchestrator.domain.fleet.order import ActionKind, RobotAction
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import LaneId, Waypoint

_TOLD: dict[MapSwitch, tuple[ActionKind, ...]] = {
    MapSwitch.NONE: (),
    MapSwitch.INIT_POSITION: (ActionKind.INIT_POSITION,),
    MapSwitch.ENABLE_MAP_AND_INIT_POSITION: (ActionKind.ENABLE_MAP, ActionKind.INIT_POSITION),
}


def drivable_in_one_order(fleet: FleetOnSite, robot: RobotId, lanes: Sequence[LaneId]) -> tuple[LaneId, ...]:
    """Return the lanes up to the first that a robot cannot drive in one order with those before: a ride to be told."""
    if fleet.models[robot].map_switch is MapSwitch.NONE:
        return tuple(lanes)
    for count, lane in enumerate(lanes):
        if is_ride_to_be_told(fleet, robot, lane):
            return tuple(lanes[:count])
    return tuple(lanes)


def is_ride_to_be_told(fleet: FleetOnSite, robot: RobotId, lane: LaneId) -> bool:
    """Whether a lane leads to another level and the robot has to be told that it is there."""
    graph = fleet.graph_of(robot)
    start, end = (graph.waypoints[w] for w in (graph.lanes[lane].start, graph.lanes[lane].end))
    return start.level != end.level and fleet.models[robot].map_switch is not MapSwitch.NONE


def note_map_switch(turn: Turn, fleet: FleetOnSite, robot: RobotId) -> None:
    """Take the ride as driven once the robot, without an order, reports itself in the cabin on the other level."""
    record = turn.record(robot)
    if record.phase not in FREE_FOR_A_NEW_ORDER or not record.granted or record.report is None:
        return
    if not is_ride_to_be_told(fleet, robot, record.granted[0]):
        return
    if _stands_at(record.report, _far_end(fleet, record)):
        turn.put(replace(record, order=None, passed=0, granted=record.granted[1:], waiting=()))
        ask_no_more(turn, robot, MAP_ACTIONS)


def tell_other_level(turn: Turn, fleet: FleetOnSite, robot: RobotId) -> Reason:
    """Tell a robot what is next in a cabin that stands open at the other level; return what it waits for."""
    record = turn.record(robot)
    report = record.report
    assert report is not None, "only a robot that reports is told anything"
    there = _far_end(fleet, record)
    ask_what_is_still_true(turn, fleet, robot)
    if asked_at_once(turn, robot, MAP_ACTIONS):
        return Reason("map_switching", f"Robot {robot} is told that it is on level {there.level}.")
    ride = _ride_of(record)
    if report.pose is None:
        return Reason(
            "map_not_switched",
            f"Robot {robot} does not say where it is; initialise its position at the robot, in the lift on level "
            f"{there.level}.",
        )
    for kind in _TOLD[fleet.models[robot].map_switch]:
        tries = [status for action, status in report.actions.items() if action.startswith(_beginning(ride, kind))]
        if ActionStatus.FINISHED in tries:
            continue
        turn.want_action(
            robot,
            RobotAction(
                id=_new_id(ride, kind, turn.ids),
                kind=kind,
                pose=replace(report.pose, level=there.level),
                waypoint=there.id,
                map_version=fleet.models[robot].map_version,
            ),
        )
        return Reason("map_switching", f"Robot {robot} is told that it is on level {there.level}.")
    return Reason(
        "map_not_switched",
        f"Robot {robot} says that it knows of level {there.level} and still reports {report.pose.level}; initialise "
        f"its position at the robot, in the lift on level {there.level}.",
    )


def kept_the_old_map(fleet: FleetOnSite, record: RobotRecord) -> str | None:
    """Return what to tell people of a robot that has kept its map over a ride, None of one that has not."""
    level = level_not_reported(fleet, record)
    if level is None or record.report is None or record.report.pose is None:
        return None
    reported = fleet.dialect_of(record.robot).frames.outward(record.report.pose).map_id
    return (
        f"Robot {record.robot} still reports map {reported}, and its way has it on level {level}: it seems to have "
        f"kept its map over the ride of a lift. Set its position on level {level} at the robot, then resume it here; "
        "so that it is told on every ride, set map_switch in its model, which is "
        f"{fleet.models[record.robot].map_switch.value} now."
    )


def tell_position_next(turn: Turn, robot: RobotId, enabled: RobotAction) -> None:
    """Tell a robot that has enabled a map where it stands on it, even if it knows no position any more meanwhile."""
    ride = enabled.id.partition(f"-{ActionKind.ENABLE_MAP.value}-")[0]
    kind = ActionKind.INIT_POSITION
    turn.want_action(robot, replace(enabled, id=_new_id(ride, kind, turn.ids), kind=kind))


def ask_what_is_still_true(turn: Turn, fleet: FleetOnSite, robot: RobotId, *, is_open_there: bool = True) -> None:
    """Take back what a robot was told of a map, unless it rides to that very waypoint in this very order.

    Parameters
    ----------
    turn, fleet, robot
        The transaction, and who.
    is_open_there : bool
        Whether the cabin stands open at the other level. If not, only what the robot has begun goes on.
    """
    record = turn.record(robot)
    is_riding = record.phase in FREE_FOR_A_NEW_ORDER and bool(record.granted)
    is_riding = is_riding and is_ride_to_be_told(fleet, robot, record.granted[0])
    begun = frozenset(record.report.actions if record.report is not None else ())
    for message in asked_at_once(turn, robot, MAP_ACTIONS):
        action = message.action
        assert action is not None
        is_of_this_ride = is_riding and action.id.startswith(f"{_ride_of(record)}-")
        is_true = is_of_this_ride and action.waypoint == _far_end(fleet, record).id
        if not is_true or not (is_open_there or action.id in begun):
            turn.ask_no_more(message)


def _ride_of(record: RobotRecord) -> str:
    return record.order.id if record.order is not None else record.granted[0]


def _beginning(ride: str, kind: ActionKind) -> str:
    return f"{ride}-{kind.value}-"


def _new_id(ride: str, kind: ActionKind, ids: Ids) -> ActionId:
    # Never one that the robot may have seen: it would take it for said before, and do nothing.
    return ActionId(f"{_beginning(ride, kind)}{ids.new('try')}")


def _far_end(fleet: FleetOnSite, record: RobotRecord) -> Waypoint:
    graph = fleet.graph_of(record.robot)
    return graph.waypoints[graph.lanes[record.granted[0]].end]


def _stands_at(report: RobotReport, there: Waypoint) -> bool:
    pose = report.pose
    if pose is None or pose.level != there.level or not report.is_idle:
        return False
    return math.hypot(pose.x_m - there.x_m, pose.y_m - there.y_m) <= OFF_WAY_M
