"""Orders, reports, stops and reasons as JSON text and back, without loss: `x_to_json` and `x_from_json` in pairs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.adapters.store.columns import moment_of_text, text_of_moment
from orchestrator.domain.delivery.model import DeliveryId, Stop, StopKind
from orchestrator.domain.fleet.hold import Hold, HoldKind
from orchestrator.domain.fleet.model import (
    ActionId,
    ActionStatus,
    DrawerContent,
    DrawerReport,
    DrawerState,
    LoadId,
    OperatingMode,
    OrderId,
    Pose,
    RobotFault,
    RobotId,
    RobotReport,
)
from orchestrator.domain.fleet.order import ActionKind, DriveOrder, OrderStep, RobotAction
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import LaneId, LevelId, StationId, WaypointId

Tree = dict[str, Any]


def written(value: object) -> str:
    """Return compact JSON text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def texts_to_json(values: Iterable[str]) -> str:
    """Return a list of texts in its order."""
    return written(list(values))


def texts_from_json(text: str) -> list[str]:
    """Return the list that `texts_to_json` wrote."""
    return json.loads(text)


def reasons_to_json(reasons: Iterable[Reason]) -> str:
    """Return reasons as pairs of code and sentence."""
    return written([[reason.code, reason.sentence] for reason in reasons])


def reasons_from_json(text: str) -> tuple[Reason, ...]:
    """Return the reasons that `reasons_to_json` wrote."""
    return tuple(Reason(code, sentence) for code, sentence in json.loads(text))


def holds_to_json(holds: Iterable[Hold]) -> str:
    """Return the holds of a robot."""
    return written(
        [
            {"kind": hold.kind.value, "reason": hold.reason, "by": hold.by, "at": text_of_moment(hold.at)}
            for hold in holds
        ]
    )


def holds_from_json(text: str) -> tuple[Hold, ...]:
    """Return the holds that `holds_to_json` wrote."""
    return tuple(
        Hold(HoldKind(hold["kind"]), hold["reason"], hold["by"], moment_of_text(hold["at"]))
        for hold in json.loads(text)
    )


def stops_to_json(stops: Iterable[Stop]) -> str:
    """Return the stops of a trip."""
    return written(
        [{"station": stop.station, "kind": stop.kind.value, "deliveries": list(stop.deliveries)} for stop in stops]
    )


def stops_from_json(text: str) -> tuple[Stop, ...]:
    """Return the stops that `stops_to_json` wrote."""
    return tuple(
        Stop(StationId(tree["station"]), StopKind(tree["kind"]), tuple(DeliveryId(d) for d in tree["deliveries"]))
        for tree in json.loads(text)
    )


def action_to_json(action: RobotAction) -> str:
    """Return an action."""
    return written(_action_to_tree(action))


def action_from_json(text: str) -> RobotAction:
    """Return the action that `action_to_json` wrote."""
    return _action_from_tree(json.loads(text))


def order_to_json(order: DriveOrder) -> str:
    """Return an order with all its steps."""
    return written(
        {
            "id": order.id,
            "robot": order.robot,
            "steps": [_step_to_tree(step) for step in order.steps],
            "released": order.released,
            "update_id": order.update_id,
            "sent_from": order.sent_from,
        }
    )


def order_from_json(text: str) -> DriveOrder:
    """Return the order that `order_to_json` wrote."""
    tree: Tree = json.loads(text)
    return DriveOrder(
        id=OrderId(tree["id"]),
        robot=RobotId(tree["robot"]),
        steps=tuple(_step_from_tree(step) for step in tree["steps"]),
        released=tree["released"],
        update_id=tree["update_id"],
        sent_from=tree["sent_from"],
    )


def report_to_json(report: RobotReport) -> str:
    """Return a robot's report."""
    return written(
        {
            "robot": report.robot,
            "received_at": text_of_moment(report.received_at),
            "order_id": report.order_id,
            "order_update_id": report.order_update_id,
            "last_waypoint": report.last_waypoint,
            "last_sequence": report.last_sequence,
            "sequences_ahead": list(report.sequences_ahead),
            "is_driving": report.is_driving,
            "is_paused": report.is_paused,
            "pose": None if report.pose is None else _pose_to_tree(report.pose),
            "battery": report.battery,
            "is_charging": report.is_charging,
            "mode": report.mode.value,
            "is_emergency_stopped": report.is_emergency_stopped,
            "has_field_violation": report.has_field_violation,
            "faults": [[fault.kind, fault.is_fatal, fault.description] for fault in report.faults],
            "loads": None if report.loads is None else list(report.loads),
            "actions": {action: status.value for action, status in report.actions.items()},
            "sent_at": None if report.sent_at is None else text_of_moment(report.sent_at),
            "message_number": report.message_number,
            "unsaid": sorted(report.unsaid),
            "drawers": [[d.drawer, d.state.value, d.content.value, d.is_tampered] for d in report.drawers],
            "nonce": report.nonce,
            "clock_off_s": report.clock_off_s,
        }
    )


def report_from_json(text: str) -> RobotReport:
    """Return the report that `report_to_json` wrote."""
    tree: Tree = json.loads(text)
    return RobotReport(
        robot=RobotId(tree["robot"]),
        received_at=moment_of_text(tree["received_at"]),
        order_id=None if tree["order_id"] is None else OrderId(tree["order_id"]),
        order_update_id=tree["order_update_id"],
        last_waypoint=None if tree["last_waypoint"] is None else WaypointId(tree["last_waypoint"]),
        last_sequence=tree["last_sequence"],
        sequences_ahead=tuple(tree["sequences_ahead"]),
        is_driving=tree["is_driving"],
        is_paused=tree["is_paused"],
        pose=None if tree["pose"] is None else _pose_from_tree(tree["pose"]),
        battery=tree["battery"],
        is_charging=tree["is_charging"],
        mode=OperatingMode(tree["mode"]),
        is_emergency_stopped=tree["is_emergency_stopped"],
        has_field_violation=tree["has_field_violation"],
        faults=tuple(RobotFault(kind, is_fatal, description) for kind, is_fatal, description in tree["faults"]),
        loads=None if tree["loads"] is None else tuple(LoadId(load) for load in tree["loads"]),
        actions={ActionId(action): ActionStatus(status) for action, status in tree["actions"].items()},
        # Books of before there were these go on without them.
        sent_at=moment_of_text(sent_at) if (sent_at := tree.get("sent_at")) is not None else None,
        message_number=tree.get("message_number", 0),
        unsaid=frozenset(tree.get("unsaid", ())),
        drawers=tuple(
            DrawerReport(drawer, DrawerState(state), DrawerContent(content), is_tampered)
            for drawer, state, content, is_tampered in tree.get("drawers", ())
        ),
        nonce=tree.get("nonce"),
        clock_off_s=tree.get("clock_off_s"),
    )


def _pose_to_tree(pose: Pose) -> list[Any]:
    return [pose.level, pose.x_m, pose.y_m, pose.theta_rad]


def _pose_from_tree(tree: list[Any]) -> Pose:
    level, x_m, y_m, theta_rad = tree
    return Pose(LevelId(level), x_m, y_m, theta_rad)


def _action_to_tree(action: RobotAction) -> Tree:
    tree: Tree = {"id": action.id, "kind": action.kind.value, "load": action.load, "drawer": action.drawer}
    if action.pose is not None:
        tree |= {"pose": _pose_to_tree(action.pose), "waypoint": action.waypoint, "map_version": action.map_version}
    if action.grant is not None:
        tree |= {"grant": action.grant, "signature": action.signature}
    return tree


def _action_from_tree(tree: Mapping[str, Any]) -> RobotAction:
    return RobotAction(
        id=ActionId(tree["id"]),
        kind=ActionKind(tree["kind"]),
        load=None if tree["load"] is None else LoadId(tree["load"]),
        drawer=tree["drawer"],
        pose=None if tree.get("pose") is None else _pose_from_tree(tree["pose"]),
        waypoint=None if tree.get("waypoint") is None else WaypointId(tree["waypoint"]),
        map_version=tree.get("map_version"),
        grant=tree.get("grant"),
        signature=tree.get("signature"),
    )


def _step_to_tree(step: OrderStep) -> Tree:
    return {
        "waypoint": step.waypoint,
        "pose": _pose_to_tree(step.pose),
        "lane": step.lane,
        "speed_limit_m_s": step.speed_limit_m_s,
        "actions": [_action_to_tree(action) for action in step.actions],
    }


def _step_from_tree(tree: Mapping[str, Any]) -> OrderStep:
    return OrderStep(
        waypoint=WaypointId(tree["waypoint"]),
        pose=_pose_from_tree(tree["pose"]),
        lane=None if tree["lane"] is None else LaneId(tree["lane"]),
        speed_limit_m_s=tree["speed_limit_m_s"],
        actions=tuple(_action_from_tree(action) for action in tree["actions"]),
    )
