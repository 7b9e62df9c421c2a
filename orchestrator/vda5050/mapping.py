"""Between the house's words and VDA 5050: orders and actions outwards, states inwards.

A waypoint id is a nodeId, a lane id an edgeId, a level id a mapId. All levels share one frame, as the specification
asks of the maps of one site.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import pi

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
from orchestrator.domain.fleet.order import ActionKind, DriveOrder, OrderStep, RobotAction, sequence_of_step
from orchestrator.domain.site.model import LevelId, WaypointId
from orchestrator.vda5050 import messages as wire
from orchestrator.vda5050.header import Header

UNNAMED_LOAD = LoadId("unnamed")
"""Stands for a load that the robot carries without naming it."""

_TYPES = {
    ActionKind.PICK: wire.ActionType.PICK,
    ActionKind.DROP: wire.ActionType.DROP,
    ActionKind.START_CHARGING: wire.ActionType.START_CHARGING,
    ActionKind.STOP_CHARGING: wire.ActionType.STOP_CHARGING,
    ActionKind.PAUSE: wire.ActionType.START_PAUSE,
    ActionKind.RESUME: wire.ActionType.STOP_PAUSE,
    ActionKind.CANCEL_ORDER: wire.ActionType.CANCEL_ORDER,
    ActionKind.REPORT_STATE: wire.ActionType.STATE_REQUEST,
    ActionKind.REPORT_FACTSHEET: wire.ActionType.FACTSHEET_REQUEST,
}
_HANDLING = frozenset({ActionKind.PICK, ActionKind.DROP})
_AT_ONCE = frozenset(
    {
        ActionKind.PAUSE,
        ActionKind.RESUME,
        ActionKind.CANCEL_ORDER,
        ActionKind.REPORT_STATE,
        ActionKind.REPORT_FACTSHEET,
    }
)

_MODES = {
    wire.OperatingMode.AUTOMATIC: OperatingMode.AUTOMATIC,
    wire.OperatingMode.SEMIAUTOMATIC: OperatingMode.SEMIAUTOMATIC,
    wire.OperatingMode.MANUAL: OperatingMode.MANUAL,
    wire.OperatingMode.SERVICE: OperatingMode.SERVICE,
    wire.OperatingMode.TEACHIN: OperatingMode.TEACH_IN,
}
_STATUSES = {status: ActionStatus(status.value.lower()) for status in wire.ActionStatus}


@dataclass(frozen=True, slots=True)
class OrderStyle:
    """What an order says beyond its steps, per robot model.

    ``deviation_m`` is how far from a node a robot may pass, ``start_deviation_m`` how far from the first node of a new
    order it may stand (the robot is where it is; a narrow circle there only makes it refuse). ``headings`` are the
    waypoints where the robot must face as the step's pose says; elsewhere, and on every first node, no heading is
    sent, because robots in the field compare headings without wrapping. ``station_type`` and ``load_type`` are the
    robot's own words for pick and drop.
    """

    deviation_m: float | None = None
    start_deviation_m: float = 1.0
    heading_deviation_rad: float | None = None
    headings: frozenset[WaypointId] = frozenset()
    station_type: str = "handover"
    load_type: str = "tote"


DEFAULT_STYLE = OrderStyle()


def order_message(order: DriveOrder, *, header: Header, style: OrderStyle = DEFAULT_STYLE) -> wire.Order:
    """Return the message of the order's current update: the stitch node, if any, and all that follows."""
    indices = range(order.sent_from, len(order.steps))
    return wire.Order(
        **header,
        order_id=order.id,
        order_update_id=order.update_id,
        nodes=tuple(_node(order, index, style) for index in indices),
        edges=tuple(_edge(order, index) for index in indices[1:]),
    )


def instant_actions_message(
    action: RobotAction, *, header: Header, style: OrderStyle = DEFAULT_STYLE
) -> wire.InstantActions:
    """Return the message that asks for ``action`` at once."""
    return wire.InstantActions(**header, actions=(action_message(action, style=style),))


def action_message(action: RobotAction, *, style: OrderStyle = DEFAULT_STYLE) -> wire.Action:
    """Return ``action`` as VDA 5050 has it.

    What moves a load or the current is HARD: the robot stands and does nothing else. What must not wait behind
    another action (a cancel, a pause, a question) is NONE, as 3.0 fixes it for instant actions.
    """
    parameters: list[wire.ActionParameter] = []
    if action.kind in _HANDLING:
        if action.drawer is not None:
            parameters.append(wire.ActionParameter(key=wire.ParameterKey.DRAWER, value=action.drawer))
        parameters.append(wire.ActionParameter(key=wire.ParameterKey.STATION_TYPE, value=style.station_type))
        parameters.append(wire.ActionParameter(key=wire.ParameterKey.LOAD_TYPE, value=style.load_type))
        if action.load is not None:
            parameters.append(wire.ActionParameter(key=wire.ParameterKey.LOAD_ID, value=action.load))
    return wire.Action(
        action_type=_TYPES[action.kind].value,
        action_id=action.id,
        blocking_type=wire.BlockingType.NONE if action.kind in _AT_ONCE else wire.BlockingType.HARD,
        action_parameters=tuple(parameters) if parameters else None,
    )


def report_from_state(state: wire.State, *, robot: RobotId, received_at: datetime) -> RobotReport:
    """Return what ``state`` says, in the house's words.

    An uninitialised position is no position; an empty order or node id is None; a load without an id is
    `UNNAMED_LOAD`, so that a robot that carries something never looks empty.
    """
    return RobotReport(
        robot=robot,
        received_at=received_at,
        order_id=OrderId(state.order_id) if state.order_id else None,
        order_update_id=state.order_update_id,
        last_waypoint=WaypointId(state.last_node_id) if state.last_node_id else None,
        last_sequence=state.last_node_sequence_id,
        sequences_ahead=_sequences_ahead(state),
        is_driving=state.driving,
        is_paused=bool(state.paused),
        pose=_pose(state.agv_position),
        battery=min(max(state.battery_state.battery_charge / 100.0, 0.0), 1.0),
        is_charging=state.battery_state.charging,
        mode=_MODES[state.operating_mode],
        is_emergency_stopped=state.safety_state.e_stop is not wire.EStop.NONE,
        has_field_violation=state.safety_state.field_violation,
        faults=tuple(_fault(error) for error in state.errors),
        loads=_loads(state.loads),
        actions={ActionId(item.action_id): _STATUSES[item.action_status] for item in state.action_states},
    )


def _node(order: DriveOrder, index: int, style: OrderStyle) -> wire.Node:
    step = order.steps[index]
    return wire.Node(
        node_id=step.waypoint,
        sequence_id=sequence_of_step(index),
        released=index < order.released,
        node_position=_position(step, style, is_start=index == 0),
        actions=tuple(action_message(action, style=style) for action in step.actions),
    )


def _position(step: OrderStep, style: OrderStyle, *, is_start: bool) -> wire.NodePosition:
    faces = not is_start and step.waypoint in style.headings
    return wire.NodePosition(
        x=step.pose.x_m,
        y=step.pose.y_m,
        theta=wrapped_rad(step.pose.theta_rad) if faces else None,
        allowed_deviation_xy=style.start_deviation_m if is_start else style.deviation_m,
        allowed_deviation_theta=style.heading_deviation_rad if faces else None,
        map_id=step.pose.level,
    )


def _edge(order: DriveOrder, index: int) -> wire.Edge:
    start, step = order.steps[index - 1], order.steps[index]
    return wire.Edge(
        edge_id=step.lane if step.lane is not None else f"{start.waypoint}>{step.waypoint}",
        sequence_id=sequence_of_step(index) - 1,
        released=index < order.released,
        start_node_id=start.waypoint,
        end_node_id=step.waypoint,
        max_speed=step.speed_limit_m_s,
    )


def wrapped_rad(angle_rad: float) -> float:
    """Return ``angle_rad`` in [-pi, pi)."""
    return (angle_rad + pi) % (2 * pi) - pi


def _sequences_ahead(state: wire.State) -> tuple[int, ...]:
    nodes = {node.sequence_id for node in state.node_states}
    # Some robots list an edge without the node behind it; a robot on an edge is not idle.
    return tuple(sorted(nodes or {edge.sequence_id + 1 for edge in state.edge_states}))


def _pose(position: wire.AgvPosition | None) -> Pose | None:
    if position is None or not position.position_initialized:
        return None
    return Pose(level=LevelId(position.map_id), x_m=position.x, y_m=position.y, theta_rad=wrapped_rad(position.theta))


def _fault(error: wire.ErrorReport) -> RobotFault:
    return RobotFault(
        kind=error.error_type,
        is_fatal=error.error_level is wire.ErrorLevel.FATAL,
        description=error.error_description or "",
    )


def _loads(loads: tuple[wire.Load, ...] | None) -> tuple[LoadId, ...] | None:
    return None if loads is None else tuple(LoadId(load.load_id) if load.load_id else UNNAMED_LOAD for load in loads)
