"""Robots, orders and instant actions for tests of what decides on board."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from orchestrator.domain.fleet.model import ModelId, RobotModel
from orchestrator.domain.site.model import GraphId
from orchestrator.vda5050.address import RobotAddress, TopicKind
from orchestrator.vda5050.codec import decode_state, encode
from orchestrator.vda5050.messages import (
    Action,
    ActionParameter,
    ActionStatus,
    BlockingType,
    Edge,
    InstantActions,
    Node,
    NodePosition,
    Order,
    State,
)
from ros_nodes.onboard.in_process import in_process_robot
from ros_nodes.onboard.memory import RobotMemory
from ros_nodes.onboard.path_geometry import Pose
from ros_nodes.onboard.robot import OnboardRobot

EPOCH = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
ADDRESS = RobotAddress(interface_name="uagv", manufacturer="wardporter", serial_number="R1", version="2.1.0")
MODEL = RobotModel(
    id=ModelId("trolley"),
    graph=GraphId("main"),
    radius_m=0.3,
    speed_max_m_s=1.0,
    acceleration_m_s2=0.5,
    turn_speed_max_rad_s=1.0,
    turn_acceleration_rad_s2=2.0,
    drawers=("top", "bottom"),
)

Place = tuple[str, float, float] | tuple[str, float, float, str]
_counter = itertools.count()


def a_robot(memory: RobotMemory | None = None, *, driving_interval_s: float | None = None) -> OnboardRobot:
    """Return a robot at the origin of level L1, looking along x, over the in-process follower."""
    return in_process_robot(
        address=ADDRESS,
        model=MODEL,
        memory=memory or RobotMemory(pose=Pose("L1", 0.0, 0.0, 0.0)),
        utc=lambda now_s: EPOCH + timedelta(seconds=now_s),
        driving_interval_s=driving_interval_s,
    )


def an_action(
    kind: str, *, blocking: BlockingType = BlockingType.HARD, action_id: str = "", **parameters: str
) -> Action:
    """Return an action with an id of its own."""
    return Action(
        action_type=kind,
        action_id=action_id or f"{kind}-{next(_counter)}",
        blocking_type=blocking,
        action_parameters=tuple(ActionParameter(key=key, value=value) for key, value in parameters.items()),
    )


def an_order(
    places: Sequence[Place],
    *,
    released: int | None = None,
    order_id: str = "order-1",
    update_id: int = 0,
    first_sequence: int = 0,
    actions: Mapping[str, Sequence[Action]] | None = None,
    header_id: int = 0,
    max_speed: float | None = None,
) -> Order:
    """Return an order through ``places`` (name, x, y and level), of which the first ``released`` are the base."""
    base = len(places) if released is None else released
    nodes = tuple(
        Node(
            node_id=place[0],
            sequence_id=first_sequence + 2 * index,
            released=index < base,
            node_position=NodePosition(x=place[1], y=place[2], map_id=place[3] if len(place) > 3 else "L1"),
            actions=tuple((actions or {}).get(place[0], ())),
        )
        for index, place in enumerate(places)
    )
    edges = tuple(
        Edge(
            edge_id=f"{before.node_id}-{after.node_id}",
            sequence_id=before.sequence_id + 1,
            released=after.released,
            start_node_id=before.node_id,
            end_node_id=after.node_id,
            max_speed=max_speed,
        )
        for before, after in itertools.pairwise(nodes)
    )
    return Order(
        header_id=header_id,
        timestamp=EPOCH,
        version=ADDRESS.version,
        manufacturer=ADDRESS.manufacturer,
        serial_number=ADDRESS.serial_number,
        order_id=order_id,
        order_update_id=update_id,
        nodes=nodes,
        edges=edges,
    )


def instant_actions(*actions: Action) -> InstantActions:
    """Return a message that asks for ``actions`` at once."""
    return InstantActions(
        header_id=0,
        timestamp=EPOCH,
        version=ADDRESS.version,
        manufacturer=ADDRESS.manufacturer,
        serial_number=ADDRESS.serial_number,
        actions=actions,
    )


def send(robot: OnboardRobot, message: Order | Action, now_s: float | None = None) -> State:
    """Give the robot an order or an instant action and return the state it answers with."""
    now_s = robot.time_s if now_s is None else now_s
    if isinstance(message, Order):
        robot.receive(TopicKind.ORDER, encode(message, version=message.version), now_s)
    else:
        wrapped = instant_actions(message)
        robot.receive(TopicKind.INSTANT_ACTIONS, encode(wrapped, version=wrapped.version), now_s)
    return last_state(robot)


def states(robot: OnboardRobot) -> list[State]:
    """Return the states the robot has said since the last time anybody asked."""
    return [decode_state(m.payload).message for m in robot.take_messages() if m.kind is TopicKind.STATE]


def last_state(robot: OnboardRobot) -> State:
    """Return the newest of them."""
    return states(robot)[-1]


def finish(robot: OnboardRobot, *, at_most_s: float = 600.0) -> list[State]:
    """Let the robot live until nothing moves and nothing runs, and return every state on the way."""
    end_s = robot.time_s + at_most_s
    while robot.time_s < end_s and not (robot.is_idle and robot.driver.is_stopped):
        robot.advance(robot.next_event_s)
    return states(robot)


def status_of(state: State, action_id: str) -> ActionStatus | None:
    """Return how far an action has come, or None when the state does not name it."""
    found = [item.action_status for item in state.action_states if item.action_id == action_id]
    return found[0] if found else None
