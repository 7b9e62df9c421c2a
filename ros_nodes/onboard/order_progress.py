"""Where a robot is in its order: what lies behind, the base ahead, and the horizon.

A node leaves the list when it is traversed; the edge into it leaves with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from orchestrator.vda5050.messages import (
    BlockingType,
    Edge,
    EdgeState,
    Node,
    NodeState,
    NodeStatePosition,
    Order,
)
from ros_nodes.onboard.path_geometry import PathPoint


@dataclass(slots=True)
class OrderProgress:
    """The order in force and how far it has been driven; an empty ``order_id`` means none since the start.

    ``last_place`` is where the node traversed last is, None when nobody has said.
    """

    order_id: str = ""
    order_update_id: int = 0
    last_node: str = ""
    last_sequence: int = 0
    last_place: PathPoint | None = None
    nodes: list[Node] = field(default_factory=list[Node])
    edges: list[Edge] = field(default_factory=list[Edge])
    decision_node: str = ""
    decision_sequence: int = 0
    _said: tuple[NodeState, ...] | None = field(default=None, repr=False, compare=False)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to traverse, horizon included."""
        return not self.nodes and not self.edges

    @property
    def base_ahead(self) -> Sequence[Node]:
        """Released nodes still to be traversed."""
        return [node for node in self.nodes if node.released]

    @property
    def wants_base(self) -> bool:
        """Whether the robot stands at its decision point and the order goes on behind it."""
        return bool(self.nodes) and not self.nodes[0].released

    def start(self, order: Order) -> None:
        """Take over a new order; its first node still has to be reported as traversed."""
        self.order_id = order.order_id
        self.nodes, self.edges = list(order.nodes), list(order.edges)
        self._take_over(order)

    def update(self, order: Order) -> None:
        """Keep the base, replace the horizon by what follows the stitching node."""
        self.nodes = [*self.base_ahead, *order.nodes[1:]]
        self.edges = [*(edge for edge in self.edges if edge.released), *order.edges]
        self._take_over(order)

    def pass_node(self) -> Node:
        """Take the next node off the list as traversed, with the edge into it, and return it."""
        node = self.nodes.pop(0)
        self._said = None
        self.edges = [edge for edge in self.edges if edge.sequence_id > node.sequence_id]
        self.last_node, self.last_sequence = node.node_id, node.sequence_id
        self.last_place = _place_of(node)
        return node

    def drop_rest(self) -> None:
        """Forget what is left to traverse, as after a cancel; the order's id stays."""
        self.nodes, self.edges, self._said = [], [], None

    def stretch(self) -> list[PathPoint]:
        """Return the points that may be driven without a halt: the base up to the first node that holds the robot.

        A node with a SOFT or HARD action holds it until the action is over.
        """
        limits = {edge.sequence_id: edge.max_speed for edge in self.edges}
        points: list[PathPoint] = []
        for node in self.base_ahead:
            position = node.node_position
            if position is None:
                break
            limit = limits.get(node.sequence_id - 1)
            points.append(PathPoint(position.x, position.y, position.map_id, limit, position.theta))
            if any(action.blocking_type is not BlockingType.NONE for action in node.actions):
                break
        return points

    def node_states(self) -> tuple[NodeState, ...]:
        """Return the nodes still to be traversed, as reported."""
        if self._said is None:
            self._said = tuple(_node_state(node) for node in self.nodes)
        return self._said

    def edge_states(self) -> tuple[EdgeState, ...]:
        """Return the edges still to be traversed, as reported."""
        return tuple(
            EdgeState(edge_id=edge.edge_id, sequence_id=edge.sequence_id, released=edge.released) for edge in self.edges
        )

    def _take_over(self, order: Order) -> None:
        self._said = None
        self.order_update_id = order.order_update_id
        decision = [node for node in order.nodes if node.released][-1]
        self.decision_node, self.decision_sequence = decision.node_id, decision.sequence_id


def _place_of(node: Node) -> PathPoint | None:
    position = node.node_position
    return None if position is None else PathPoint(position.x, position.y, position.map_id)


def _node_state(node: Node) -> NodeState:
    position = node.node_position
    return NodeState(
        node_id=node.node_id,
        sequence_id=node.sequence_id,
        released=node.released,
        node_position=None
        if position is None
        else NodeStatePosition(x=position.x, y=position.y, theta=position.theta, map_id=position.map_id),
    )
