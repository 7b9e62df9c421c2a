"""What we send is valid by the schemas that the VDA publishes; each of their defects we meet is named here."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from orchestrator.domain.fleet.order import ActionKind, DriveOrder
from orchestrator.domain.site.model import LevelId
from orchestrator.vda5050.address import TopicKind, address_of_robot
from orchestrator.vda5050.codec import SUPPORTED_VERSIONS, decode_state, encode
from orchestrator.vda5050.dialect import ActionRule, Dialect, Headings
from orchestrator.vda5050.frames import MapFrame, MapFrames
from orchestrator.vda5050.header import HeaderCounter
from orchestrator.vda5050.mapping import instant_actions_message, order_message
from orchestrator.vda5050.messages import (
    ActionStatus,
    AgvPosition,
    BatteryState,
    Connection,
    ConnectionState,
    EdgeState,
    Load,
    NodeState,
    NodeStatePosition,
    Velocity,
    Visualization,
)
from tests.support.robot_link import START, LinkOnClock, a_robot, a_state, a_step, an_action, an_error, an_order
from tests.support.shared_data import shared_data

# (version, topic, JSON path of the objection, what the schema says): the text of the specification says otherwise.
DEFECTS = {
    ("2.0.0", "state", "nodeStates.*.nodePosition", "'theta' is a required property"),
    ("2.0.0", "state", "actionStates.*.actionStatus", "'PAUSED' is not one of"),
    ("2.1.0", "state", "actionStates.*.actionStatus", "'PAUSED' is not one of"),
}


@cache
def validator(version: str, topic: str) -> Draft202012Validator:
    path = shared_data() / "vda5050-schemas" / version / "json_schemas" / f"{topic}.schema"
    return Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


def objections(payload: bytes, *, version: str, topic: str) -> Iterator[tuple[str, str, str, str]]:
    for error in validator(version, topic).iter_errors(json.loads(payload)):
        path = ".".join("*" if isinstance(part, int) else str(part) for part in error.absolute_path)
        yield version, topic, path, error.message


def unexplained(payload: bytes, *, version: str, topic: str) -> list[tuple[str, str, str, str]]:
    """Objections of the schema that are not its own known defects."""
    return [
        found
        for found in objections(payload, version=version, topic=topic)
        if not any(found[:3] == known[:3] and known[3] in found[3] for known in DEFECTS)
    ]


DIALECTS = [
    Dialect(),
    Dialect(
        deviation_m=0.3,
        headings=Headings.ALL,
        heading_deviation_rad=math.pi,
        frames=MapFrames({LevelId("L1"): MapFrame("ground", x_m=-3.0, y_m=0.1, rotation_rad=math.pi)}),
        drawer_words={"a": 1},
        actions={
            ActionKind.PICK: ActionRule("load", parameters=(("bay", "{drawer}"), ("where", "{node}"), ("n", 0.5)))
        },
    ),
]
KINDS = list(ActionKind)


@st.composite
def drive_orders(draw: st.DrawFn) -> DriveOrder:
    count = draw(st.integers(1, 6))
    kinds = draw(st.lists(st.sampled_from(KINDS), max_size=3))
    actions = [an_action(kind, f"action-{number}") for number, kind in enumerate(kinds)]
    steps = (*(a_step(index) for index in range(count - 1)), a_step(count - 1, actions=actions))
    order = DriveOrder(id=an_order().id, robot=a_robot().id, steps=steps, released=draw(st.integers(1, count)))
    while order.released < count and draw(st.booleans()):
        order = order.extended(released=draw(st.integers(order.released, count)))
    return order


@pytest.mark.parametrize("version", SUPPORTED_VERSIONS)
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(order=drive_orders(), dialect=st.sampled_from(DIALECTS))
def test_every_order_and_update_is_valid(version: str, order: DriveOrder, dialect: Dialect) -> None:
    header = HeaderCounter().stamp(TopicKind.ORDER, address=address_of_robot(a_robot(version=version)), now=START)
    payload = encode(order_message(order, header=header, dialect=dialect), version=version)
    assert unexplained(payload, version=version, topic="order") == []


@pytest.mark.parametrize("version", SUPPORTED_VERSIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_instant_action_is_valid(version: str, kind: ActionKind) -> None:
    address = address_of_robot(a_robot(version=version))
    header = HeaderCounter().stamp(TopicKind.INSTANT_ACTIONS, address=address, now=START)
    payload = encode(instant_actions_message(an_action(kind), header=header), version=version)
    assert unexplained(payload, version=version, topic="instantActions") == []


@pytest.mark.parametrize("version", SUPPORTED_VERSIONS)
def test_a_whole_number_with_a_point_is_no_departure_as_the_schema_has_it(version: str) -> None:
    node = NodeState(node_id="w1", sequence_id=2, released=True)
    tree = json.loads(encode(a_state(7, version=version, node_states=(node,)), version=version))
    tree |= {"headerId": 7.0, "orderUpdateId": 0.0, "lastNodeSequenceId": 0.0}
    tree["nodeStates"][0]["sequenceId"] = 2.0
    payload = json.dumps(tree).encode()
    assert unexplained(payload, version=version, topic="state") == []
    assert decode_state(payload).faults == ()


@pytest.mark.parametrize("version", SUPPORTED_VERSIONS)
def test_what_a_link_sends_is_valid(version: str) -> None:
    bench = LinkOnClock(version=version)
    bench.link.want_order(an_order(), at_s=0)
    bench.link.want_action(an_action(), at_s=0)
    bench.link.withdraw_action(an_action().id)
    bench.link.want_action(an_action(ActionKind.PAUSE, "pause-1"), at_s=0)
    sent = bench.due().publishes
    assert len(sent) == 2
    for message in sent:
        topic = message.topic.rsplit("/", 1)[1]
        assert unexplained(message.payload, version=version, topic=topic) == []


@pytest.mark.parametrize("version", SUPPORTED_VERSIONS)
def test_a_state_is_valid_but_for_the_named_defects(version: str) -> None:
    place = NodeStatePosition(x=1, y=2, map_id="L1")
    state = a_state(
        order="o",
        last="w0",
        version=version,
        node_states=(NodeState(node_id="w1", sequence_id=2, released=True, node_position=place),),
        edge_states=(EdgeState(edge_id="lane-1", sequence_id=1, released=True),),
        actions={"a": ActionStatus.PAUSED, "b": ActionStatus.FINISHED},
        errors=[an_error(orderId="o", orderUpdateId=0)],
        loads=(Load(load_id="tote-1", load_position="a"),),
        agv_position=AgvPosition(x=1, y=2, theta=0.5, map_id="L1", position_initialized=True, localization_score=0.9),
        velocity=Velocity(vx=0.5, omega=0.1),
        battery_state=BatteryState(battery_charge=80, charging=False, battery_health=97.4, reach=1200.5),
        paused=False,
        new_base_request=False,
        distance_since_last_node=0.4,
    )
    payload = encode(state, version=version)
    assert unexplained(payload, version=version, topic="state") == []
    assert [found[2] for found in objections(payload, version=version, topic="state")], (
        "a defect was mended: shorten the list"
    )


@pytest.mark.parametrize("version", SUPPORTED_VERSIONS)
def test_connection_and_visualization_are_valid(version: str) -> None:
    header = HeaderCounter().stamp(TopicKind.CONNECTION, address=address_of_robot(a_robot(version=version)), now=START)
    connection: Any = Connection(**header, connection_state=ConnectionState.CONNECTIONBROKEN)
    assert unexplained(encode(connection, version=version), version=version, topic="connection") == []
    view: Any = Visualization(**header, velocity=Velocity(vx=0.1))
    assert unexplained(encode(view, version=version), version=version, topic="visualization") == []


def test_the_schemas_object_to_what_is_wrong() -> None:
    payload = encode(a_state(), version="2.1.0").replace(b'"driving":false', b'"driving":"no"')
    assert unexplained(payload, version="2.1.0", topic="state")
