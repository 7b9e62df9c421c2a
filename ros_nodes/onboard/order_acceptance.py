"""May this order be taken? The acceptance rules of VDA 5050 2.1 (figure 8), in their order.

1. The order is well formed, and asks only for what this robot can do.
2. A new orderId is taken only by an idle robot that stands at the first node.
3. An update is discarded when it is the one in force, rejected when it is older, and otherwise has to start where
   the base ends (or, when the order is done, where the robot last was).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.vda5050.messages import Action, ActionType, Edge, Node, Order
from ros_nodes.onboard.path_geometry import Pose

NODE_REACH_M = 0.3
"""A robot this close to a node (metres) stands at it, unless the node allows more."""

NODE_ACTIONS = frozenset({ActionType.PICK, ActionType.DROP, ActionType.START_CHARGING, ActionType.STOP_CHARGING})
"""What may be asked for at a node."""


class Acceptance(StrEnum):
    """What becomes of an order message."""

    NEW = "new"
    UPDATE = "update"
    DISCARDED = "discarded"
    REJECTED = "rejected"


class Rejection(StrEnum):
    """Error types of 2.1 for an order that is not taken."""

    VALIDATION = "validationError"
    ORDER = "orderError"
    NO_ROUTE = "noRouteError"
    ORDER_UPDATE = "orderUpdateError"
    NO_ORDER_TO_CANCEL = "noOrderToCancel"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided, and for a rejection the error type, the sentence and what it refers to."""

    acceptance: Acceptance
    error_type: Rejection = Rejection.ORDER
    description: str = ""
    hint: str = ""
    references: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """What the rules need to know of the robot.

    ``decision_node`` and ``decision_sequence`` are the last released node of the order in force; ``last_node`` and
    ``last_sequence`` the node last traversed. ``known_actions`` are the ids of its actions so far, without those of
    the horizon; ``closed_orders`` were carried out or cancelled and do not come back.
    """

    order_id: str
    order_update_id: int
    is_busy: bool
    is_cancelling: bool
    takes_orders: bool
    pose: Pose
    last_node: str
    last_sequence: int
    decision_node: str
    decision_sequence: int
    known_actions: Collection[str] = ()
    closed_orders: Collection[str] = ()


def judge_order(order: Order, situation: Situation) -> Verdict:
    """Return whether ``order`` is taken as new, as an update, silently dropped, or rejected and why."""
    is_same = order.order_id == situation.order_id and situation.order_id != ""
    if is_same and order.order_update_id == situation.order_update_id:
        return Verdict(Acceptance.DISCARDED)
    fault = _fault_of_shape(order) or _fault_of_content(order)
    if fault is not None:
        return fault
    if not situation.takes_orders:
        return _rejected(
            order,
            Rejection.ORDER,
            "The robot does not take orders now: it is not in automatic mode, or stopped by hand.",
            hint="Ask somebody at the robot to release it and to put it in automatic mode.",
        )
    return _judge_update(order, situation) if is_same else _judge_new(order, situation)


def _judge_new(order: Order, situation: Situation) -> Verdict:
    if order.order_id in situation.closed_orders:
        return _rejected(
            order,
            Rejection.ORDER,
            "This order was already carried out or cancelled.",
            hint="Send a new orderId.",
        )
    if situation.is_busy:
        return _rejected(
            order,
            Rejection.ORDER,
            f"Order {situation.order_id} is still active.",
            hint="Wait until it is done, or cancel it first.",
        )
    if order.order_update_id != 0:
        return _rejected(
            order,
            Rejection.ORDER_UPDATE,
            f"Order {order.order_id} is not known here, so it cannot be updated.",
            hint="Send a new order; after a restart the robot knows none.",
        )
    if not _stands_at(order.nodes[0], situation):
        return _rejected(
            order,
            Rejection.NO_ROUTE,
            f"The first node {order.nodes[0].node_id} is out of reach of where the robot stands.",
            hint="Start at the last node, or at a temporary node where the robot is.",
            extra={"nodeId": order.nodes[0].node_id},
        )
    return Verdict(Acceptance.NEW)


def _judge_update(order: Order, situation: Situation) -> Verdict:
    if order.order_update_id < situation.order_update_id:
        return _rejected(
            order,
            Rejection.ORDER_UPDATE,
            f"Update {order.order_update_id} is older than update {situation.order_update_id} in force.",
            hint="Send a higher orderUpdateId.",
        )
    if situation.is_cancelling or order.order_id in situation.closed_orders:
        return _rejected(order, Rejection.ORDER_UPDATE, "The order was cancelled.", hint="Send a new orderId.")
    first = order.nodes[0]
    expected = (
        (situation.decision_node, situation.decision_sequence)
        if situation.is_busy
        else (situation.last_node, situation.last_sequence)
    )
    if (first.node_id, first.sequence_id) != expected:
        return _rejected(
            order,
            Rejection.ORDER_UPDATE,
            f"The update starts at {first.node_id} (sequence {first.sequence_id}), but the base ends at"
            f" {expected[0]} (sequence {expected[1]}).",
            hint="Start the update at the last released node, with its sequenceId.",
            extra={"nodeId": first.node_id},
        )
    repeated = _repeated_action(order.nodes[1:], situation.known_actions)
    if repeated is not None:
        return _rejected(
            order,
            Rejection.VALIDATION,
            f"Action {repeated} is already part of the base.",
            hint="Give every action its own actionId.",
            extra={"actionId": repeated},
        )
    return Verdict(Acceptance.UPDATE)


def _fault_of_shape(order: Order) -> Verdict | None:
    """Find what makes the order malformed: counts, sequence ids, ends of edges, released after unreleased."""
    nodes, edges = order.nodes, order.edges
    sentence = ""
    if not nodes or len(edges) != len(nodes) - 1:
        sentence = f"An order has one edge fewer than nodes; this one has {len(nodes)} nodes and {len(edges)} edges."
    elif not nodes[0].released:
        sentence = "The first node is not released."
    else:
        sentence = _fault_of_sequence(nodes, edges)
    if not sentence and _repeated_action(nodes, ()) is not None:
        sentence = "An actionId is used twice."
    return _rejected(order, Rejection.VALIDATION, sentence, hint="Correct the order.") if sentence else None


def _fault_of_sequence(nodes: tuple[Node, ...], edges: tuple[Edge, ...]) -> str:
    sequence = nodes[0].sequence_id
    released = True
    for before, edge, after in zip(nodes, edges, nodes[1:], strict=False):
        if (edge.sequence_id, after.sequence_id) != (sequence + 1, sequence + 2):
            return f"Sequence ids do not run on after {sequence}."
        if (edge.start_node_id, edge.end_node_id) != (before.node_id, after.node_id):
            return f"Edge {edge.edge_id} does not join {before.node_id} and {after.node_id}."
        if edge.released != after.released:
            return f"Edge {edge.edge_id} and its end node {after.node_id} are not released together."
        if after.released and not released:
            return f"Node {after.node_id} is released behind one that is not."
        released, sequence = after.released, after.sequence_id
    return ""


def _fault_of_content(order: Order) -> Verdict | None:
    """Find what this robot cannot do: unknown actions, actions on edges, trajectories, nodes without a position."""
    for edge in order.edges:
        if edge.actions:
            return _impossible(order, edge.actions[0], "on an edge")
        if edge.trajectory is not None:
            return _rejected(
                order,
                Rejection.ORDER,
                f"Edge {edge.edge_id} has a trajectory; this robot drives straight from node to node.",
                hint="Leave the trajectory out.",
                extra={"edgeId": edge.edge_id},
            )
    for node in order.nodes:
        for action in node.actions:
            if action.action_type not in NODE_ACTIONS:
                return _impossible(order, action, "at a node")
    for node in order.nodes[1:]:
        if node.node_position is None:
            return _rejected(
                order,
                Rejection.NO_ROUTE,
                f"Node {node.node_id} has no position, and this robot keeps no map of nodes.",
                hint="Send nodePosition with every node.",
                extra={"nodeId": node.node_id},
            )
    return None


def _impossible(order: Order, action: Action, where: str) -> Verdict:
    return _rejected(
        order,
        Rejection.ORDER,
        f"This robot cannot do {action.action_type!r} {where}.",
        hint="See the factsheet for its actions.",
        extra={"actionId": action.action_id},
    )


def _repeated_action(nodes: tuple[Node, ...], known: Collection[str]) -> str | None:
    seen = set(known)
    for node in nodes:
        for action in node.actions:
            if action.action_id in seen:
                return action.action_id
            seen.add(action.action_id)
    return None


def _stands_at(node: Node, situation: Situation) -> bool:
    position = node.node_position
    if position is None:
        return node.node_id == situation.last_node
    if position.map_id != situation.pose.level:
        return False
    reach_m = max(NODE_REACH_M, position.allowed_deviation_xy or 0.0)
    return math.hypot(position.x - situation.pose.x_m, position.y - situation.pose.y_m) <= reach_m


def _rejected(
    order: Order, error_type: Rejection, description: str, *, hint: str, extra: Mapping[str, str] | None = None
) -> Verdict:
    references = {
        "orderId": order.order_id,
        "orderUpdateId": str(order.order_update_id),
        "headerId": str(order.header_id),
        **(extra or {}),
    }
    return Verdict(Acceptance.REJECTED, error_type, description, hint, references)
