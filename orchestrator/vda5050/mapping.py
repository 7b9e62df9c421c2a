"""Between the house's words and VDA 5050: orders and actions outwards, states inwards.

A waypoint id is a nodeId, a lane id an edgeId. What else differs from robot to robot (maps, words for actions, which
headings it wants) its dialect says.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime

from pydantic import JsonValue

from orchestrator.domain.fleet.model import (
    ActionId,
    ActionStatus,
    LoadId,
    OperatingMode,
    OrderId,
    Pose,
    RobotFault,
    RobotId,
    RobotReport,
)
from orchestrator.domain.fleet.order import DriveOrder, RobotAction, sequence_of_step
from orchestrator.vda5050 import messages as wire
from orchestrator.vda5050.bounds import words
from orchestrator.vda5050.dialect import (
    HOLDER,
    STANDARD,
    BatteryReports,
    Dialect,
    Headings,
    InstantKey,
    LoadReports,
    holders_in,
)
from orchestrator.vda5050.drawers import drawers_of_information, nonce_of_information
from orchestrator.vda5050.frames import MapPose
from orchestrator.vda5050.header import Header
from orchestrator.vda5050.repair import SchemaFault

_GUESSED_PARTS = frozenset({"batteryState", "safetyState", "operatingMode"})
"""Parts of a state for which the worst is assumed, so that a robot without them is held."""

UNNAMED_LOAD = LoadId("unnamed")
"""Stands for a load that the robot carries without naming it."""

QUESTION = "question-"
"""Begins the id of an instant action that the link asks of its own accord; nobody waits for its end."""

_MODES = {
    wire.OperatingMode.AUTOMATIC: OperatingMode.AUTOMATIC,
    wire.OperatingMode.SEMIAUTOMATIC: OperatingMode.SEMIAUTOMATIC,
    wire.OperatingMode.MANUAL: OperatingMode.MANUAL,
    wire.OperatingMode.SERVICE: OperatingMode.SERVICE,
    wire.OperatingMode.TEACHIN: OperatingMode.TEACH_IN,
}
_STATUSES = {status: ActionStatus(status.value.lower()) for status in wire.ActionStatus}


def order_message(order: DriveOrder, *, header: Header, dialect: Dialect = STANDARD) -> wire.Order:
    """Return the message of the order's current update: the stitch node, if any, and all that follows."""
    indices = range(order.sent_from, len(order.steps))
    return wire.Order(
        **header,
        order_id=order.id,
        order_update_id=order.update_id,
        nodes=tuple(_node(order, index, dialect) for index in indices),
        edges=tuple(_edge(order, index, dialect) for index in indices[1:]),
    )


def instant_actions_message(
    action: RobotAction, *, header: Header, dialect: Dialect = STANDARD, key: InstantKey | None = None
) -> wire.InstantActions | wire.OldInstantActions:
    """Return the message that asks for ``action`` at once, under the dialect's key or the one named."""
    asked = (action_message(action, dialect=dialect),)
    if (key or dialect.instant_key) is InstantKey.INSTANT_ACTIONS:
        return wire.OldInstantActions(**header, instant_actions=asked)
    return wire.InstantActions(**header, actions=asked)


def action_message(action: RobotAction, *, dialect: Dialect = STANDARD, node: str | None = None) -> wire.Action:
    """Return ``action`` in the robot's own words.

    Raises
    ------
    ValueError
        The robot has no such action; whoever decides what is asked has to leave it out.
    """
    rule = dialect.rule(action.kind)
    if rule is None:
        raise ValueError(f"this robot has no action for {action.kind}")
    drawer = None if action.drawer is None else dialect.drawer_words.get(action.drawer, action.drawer)
    values: dict[str, JsonValue] = {"load": action.load, "drawer": drawer, "node": node, **_place_of(action, dialect)}
    values |= {"grant": action.grant, "signature": action.signature}
    filled = [(key, _filled(value, values)) for key, value in rule.parameters]
    parameters = tuple(wire.ActionParameter(key=key, value=value) for key, value in filled if value is not None)
    return wire.Action(
        action_type=rule.action_type,
        action_id=action.id,
        action_description=rule.description,
        blocking_type=rule.blocking,
        action_parameters=parameters or None,
    )


def _place_of(action: RobotAction, dialect: Dialect) -> dict[str, JsonValue]:
    """Return where a position is to be initialised, on the robot's own map."""
    if action.pose is None:
        return {}
    place = dialect.frames.outward(action.pose)
    return {
        "x": place.x,
        "y": place.y,
        "theta": place.theta,
        "map": place.map_id,
        "map_version": action.map_version,
        "last_node": None if action.waypoint is None else dialect.node_of(action.waypoint),
    }


def _filled(value: JsonValue, values: Mapping[str, JsonValue]) -> JsonValue | None:
    """Return a parameter with its place-holders filled, however deep they lie; None when nothing of it has a value."""
    match value:
        case str():
            return _filled_text(value, values)
        case dict():
            parts = {key: _filled(part, values) for key, part in value.items()}
            kept = {key: part for key, part in parts.items() if part is not None or value[key] is None}
            return kept if kept or not value else None
        case list():
            filled = [(part, _filled(part, values)) for part in value]
            items = [item for part, item in filled if item is not None or part is None]
            return items if items or not value else None
        case _:
            return value


def _filled_text(text: str, values: Mapping[str, JsonValue]) -> JsonValue | None:
    """Return a text with its place-holders filled, in one go: what a load is called is not read for more of them."""
    names = holders_in(text)
    if any(values.get(name) is None for name in names):
        return None
    if len(names) == 1 and text == f"{{{names[0]}}}":
        return values[names[0]]  # a number stays a number
    return HOLDER.sub(lambda found: str(values[found[1]]), text)


def report_from_state(
    state: wire.State,
    *,
    robot: RobotId,
    received_at: datetime,
    dialect: Dialect = STANDARD,
    faults: Iterable[SchemaFault] = (),
) -> RobotReport:
    """Return what ``state`` says, in the house's words.

    An uninitialised position is no position, nor is one on a map that is none of the robot's; an empty order or node
    id is None; a load without an id is `UNNAMED_LOAD`, so that a robot that carries something never looks empty. Loads
    that the robot names itself say nothing about ours: what it carries is then known from its actions alone.
    """
    return RobotReport(
        robot=robot,
        received_at=received_at,
        order_id=OrderId(state.order_id) if state.order_id else None,
        order_update_id=state.order_update_id,
        last_waypoint=dialect.waypoint_of(state.last_node_id) if state.last_node_id else None,
        last_sequence=state.last_node_sequence_id,
        sequences_ahead=_sequences_ahead(state),
        is_driving=state.driving,
        is_paused=bool(state.paused),
        pose=_pose(state.agv_position, dialect),
        battery=_battery(state.battery_state, dialect),
        is_charging=state.battery_state.charging,
        mode=_MODES[state.operating_mode],
        is_emergency_stopped=state.safety_state.e_stop is not wire.EStop.NONE,
        has_field_violation=state.safety_state.field_violation,
        faults=tuple(_fault(error) for error in state.errors),
        loads=_loads(state.loads) if dialect.loads is LoadReports.NAMED else None,
        actions={
            ActionId(item.action_id): _STATUSES[item.action_status]
            for item in state.action_states
            if not item.action_id.startswith(QUESTION)
        },
        sent_at=state.timestamp,
        message_number=state.header_id,
        unsaid=frozenset(part for fault in faults if (part := fault.path.split(".")[0]) in _GUESSED_PARTS),
        drawers=drawers_of_information(state.information),
        nonce=nonce_of_information(state.information),
    )


def faults_of_place(state: wire.State, dialect: Dialect) -> tuple[SchemaFault, ...]:
    """Return what is wrong with the position of a state that its schema cannot know: a map nobody has told us of."""
    place = state.agv_position
    if not _counts(place, dialect) or place is None or _pose(place, dialect) is not None:
        return ()
    known = ", ".join(sorted(frame.map_id for frame in dialect.frames.by_level.values()))
    problem = f"map {place.map_id[:64]!r} is none of the robot's maps ({known}); its position does not count"
    return (SchemaFault("agvPosition.mapId", problem[:200]),)


def _node(order: DriveOrder, index: int, dialect: Dialect) -> wire.Node:
    step = order.steps[index]
    return wire.Node(
        node_id=dialect.node_of(step.waypoint),
        sequence_id=sequence_of_step(index),
        released=index < order.released,
        node_position=_position(order, index, dialect),
        actions=tuple(
            action_message(action, dialect=dialect, node=dialect.node_of(step.waypoint)) for action in step.actions
        ),
    )


def _position(order: DriveOrder, index: int, dialect: Dialect) -> wire.NodePosition:
    is_start = index == 0
    heading_rad = _heading_rad(order, index, dialect.headings)
    there = order.steps[index].pose
    place = dialect.frames.outward(
        there if heading_rad is None else Pose(there.level, there.x_m, there.y_m, heading_rad)
    )
    return wire.NodePosition(
        x=place.x,
        y=place.y,
        theta=None if heading_rad is None else place.theta,
        allowed_deviation_xy=dialect.start_deviation_m if is_start else dialect.deviation_m,
        allowed_deviation_theta=None if heading_rad is None else dialect.heading_deviation_rad,
        map_id=place.map_id,
    )


def _heading_rad(order: DriveOrder, index: int, headings: Headings) -> float | None:
    """Return the direction of travel at a step, None where no heading is sent."""
    if headings is Headings.NONE or (index == 0 and headings is not Headings.ALL):
        return None
    start, end = (order.steps[max(index - 1, 0)].pose, order.steps[min(max(index, 1), len(order.steps) - 1)].pose)
    if (start.level, start.x_m, start.y_m) == (end.level, end.x_m, end.y_m) or start.level != end.level:
        return order.steps[index].pose.theta_rad
    return math.atan2(end.y_m - start.y_m, end.x_m - start.x_m)


def _edge(order: DriveOrder, index: int, dialect: Dialect) -> wire.Edge:
    before, step = order.steps[index - 1], order.steps[index]
    start, end = dialect.node_of(before.waypoint), dialect.node_of(step.waypoint)
    return wire.Edge(
        edge_id=step.lane if step.lane is not None else f"{start}>{end}",
        sequence_id=sequence_of_step(index) - 1,
        released=index < order.released,
        start_node_id=start,
        end_node_id=end,
        max_speed=step.speed_limit_m_s,
    )


def _sequences_ahead(state: wire.State) -> tuple[int, ...]:
    nodes = {node.sequence_id for node in state.node_states}
    # Some robots list an edge without the node behind it; a robot on an edge is not idle.
    return tuple(sorted(nodes or {edge.sequence_id + 1 for edge in state.edge_states}))


def _counts(position: wire.AgvPosition | None, dialect: Dialect) -> bool:
    return position is not None and (position.position_initialized or dialect.uses_uninitialised_position)


def _pose(position: wire.AgvPosition | None, dialect: Dialect) -> Pose | None:
    if position is None or not _counts(position, dialect):
        return None
    return dialect.frames.inward(MapPose(position.map_id, position.x, position.y, position.theta))


def _battery(battery: wire.BatteryState, dialect: Dialect) -> float:
    if dialect.battery is BatteryReports.NONE:
        return 1.0
    return min(max(battery.battery_charge / 100.0, 0.0), 1.0)


def _fault(error: wire.ErrorReport) -> RobotFault:
    return RobotFault(
        kind=error.error_type,
        is_fatal=error.error_level is wire.ErrorLevel.FATAL,
        description=words(error.error_description or ""),
    )


def _loads(loads: tuple[wire.Load, ...] | None) -> tuple[LoadId, ...] | None:
    return None if loads is None else tuple(LoadId(load.load_id) if load.load_id else UNNAMED_LOAD for load in loads)
