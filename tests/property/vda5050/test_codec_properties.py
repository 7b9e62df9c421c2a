"""What holds for every message: round trips, unknown fields kept, and no payload that hurts."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.vda5050.codec import (
    MalformedMessageError,
    decode_connection,
    decode_factsheet,
    decode_instant_actions,
    decode_order,
    decode_state,
    decode_visualization,
    encode,
)
from orchestrator.vda5050.messages import (
    Action,
    ActionParameter,
    ActionState,
    ActionStatus,
    AgvPosition,
    BatteryState,
    BlockingType,
    Edge,
    EdgeState,
    ErrorLevel,
    ErrorReference,
    ErrorReport,
    EStop,
    InstantActions,
    Load,
    Node,
    NodePosition,
    NodeState,
    OperatingMode,
    Order,
    SafetyState,
    State,
)
from tests.support.robot_link import START, a_state

DECODERS = (
    decode_state,
    decode_connection,
    decode_order,
    decode_instant_actions,
    decode_factsheet,
    decode_visualization,
)

texts = st.text(st.characters(codec="utf-8"), max_size=12)
numbers = st.floats(-1e6, 1e6, allow_nan=False)
counts = st.integers(0, 2**31)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
moments = st.datetimes(timezones=st.just(START.tzinfo))
HEADER: dict[str, st.SearchStrategy[Any]] = {
    "header_id": st.integers(0, 2**32 - 1),
    "timestamp": moments,
    "version": st.just("2.1.0"),
    "manufacturer": st.just("ward"),
    "serial_number": st.just("R1"),
}


def built(model: Any, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(fields).map(lambda drawn: model(**drawn))


def some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(strategy, max_size=3).map(tuple)


values = json_values.filter(lambda value: value is not None)
actions = built(
    Action,
    action_type=texts,
    action_id=texts,
    blocking_type=st.sampled_from(BlockingType),
    action_parameters=st.none()
    | some(built(ActionParameter, key=texts, value=json_values.filter(lambda v: v is not None))),
)
positions = built(
    NodePosition,
    x=numbers,
    y=numbers,
    theta=st.none() | st.floats(-3.1, 3.1),
    allowed_deviation_xy=st.none() | st.floats(0, 9),
    map_id=texts,
)
nodes = built(
    Node,
    node_id=texts,
    sequence_id=counts,
    released=st.booleans(),
    node_position=st.none() | positions,
    actions=some(actions),
)
edges = built(
    Edge,
    edge_id=texts,
    sequence_id=counts,
    released=st.booleans(),
    start_node_id=texts,
    end_node_id=texts,
    max_speed=st.none() | numbers,
    actions=some(actions),
)
orders = built(Order, **HEADER, order_id=texts, order_update_id=counts, nodes=some(nodes), edges=some(edges))
instants = built(InstantActions, **HEADER, actions=some(actions))
errors = built(
    ErrorReport,
    error_type=texts,
    error_level=st.sampled_from(ErrorLevel),
    error_description=st.none() | texts,
    error_hint=st.none() | texts,
    error_references=st.none() | some(built(ErrorReference, reference_key=texts, reference_value=texts)),
)
states = built(
    State,
    **HEADER,
    order_id=texts,
    order_update_id=counts,
    last_node_id=texts,
    last_node_sequence_id=counts,
    driving=st.booleans(),
    operating_mode=st.sampled_from(OperatingMode),
    node_states=some(built(NodeState, node_id=texts, sequence_id=counts, released=st.booleans())),
    edge_states=some(built(EdgeState, edge_id=texts, sequence_id=counts, released=st.booleans())),
    agv_position=st.none()
    | built(AgvPosition, x=numbers, y=numbers, theta=numbers, map_id=texts, position_initialized=st.booleans()),
    loads=st.none() | some(built(Load, load_id=st.none() | texts)),
    action_states=some(built(ActionState, action_id=texts, action_status=st.sampled_from(ActionStatus))),
    battery_state=built(BatteryState, battery_charge=numbers, charging=st.booleans()),
    errors=some(errors),
    safety_state=built(SafetyState, e_stop=st.sampled_from(EStop), field_violation=st.booleans()),
)


@given(order=orders)
def test_an_order_comes_back_as_it_went(order: Order) -> None:
    decoded = decode_order(encode(order, version="2.1.0"))
    assert (decoded.message, decoded.faults) == (order, ())


@given(message=instants)
def test_instant_actions_come_back_as_they_went(message: InstantActions) -> None:
    decoded = decode_instant_actions(encode(message, version="2.1.0"))
    assert (decoded.message, decoded.faults) == (message, ())


@given(state=states)
def test_a_state_comes_back_as_it_went(state: State) -> None:
    decoded = decode_state(encode(state, version="2.1.0"))
    assert (decoded.message, decoded.faults) == (state, ())


@given(
    unknown=st.dictionaries(texts.map(lambda key: "x-" + key), json_values, max_size=3),
    where=st.sampled_from(["", "batteryState", "safetyState", "actionStates", "nodeStates"]),
)
def test_unknown_fields_survive_at_every_depth(unknown: dict[str, Any], where: str) -> None:
    tree = json.loads(encode(a_state(order="o", ahead=(2,), actions={"a": ActionStatus.RUNNING}), version="2.1.0"))
    place = tree[where] if where else tree
    (place[0] if isinstance(place, list) else place).update(unknown)
    decoded = decode_state(json.dumps(tree).encode())
    assert decoded.faults == ()
    assert json.loads(encode(decoded.message, version="2.1.0")) == tree


def read_or_refuse(payload: bytes) -> None:
    for decode in DECODERS:
        try:
            message = decode(payload).message
        except MalformedMessageError:
            continue
        encode(message.model_copy(update={"version": "2.1.0"}), version="2.1.0")


@given(payload=st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_arbitrary_bytes_are_refused_and_nothing_worse(payload: bytes) -> None:
    read_or_refuse(payload)


@given(tree=json_values)
def test_arbitrary_json_is_read_or_refused_and_nothing_worse(tree: Any) -> None:
    read_or_refuse(json.dumps(tree).encode())


KEYS = sorted(json.loads(encode(a_state(), version="2.1.0")))


@given(
    damage=st.dictionaries(st.sampled_from(KEYS), json_values, min_size=1, max_size=4),
    missing=st.sets(st.sampled_from(KEYS), max_size=3),
)
def test_a_damaged_state_is_read_or_refused_and_nothing_worse(damage: dict[str, Any], missing: set[str]) -> None:
    tree = json.loads(encode(a_state(order="o", ahead=(2,), actions={"a": ActionStatus.RUNNING}), version="2.1.0"))
    damaged = {key: value for key, value in (tree | damage).items() if key not in missing}
    read_or_refuse(json.dumps(damaged).encode())


@given(data=st.data())
def test_a_state_with_any_byte_changed_is_read_or_refused_and_nothing_worse(data: st.DataObject) -> None:
    payload = bytearray(encode(a_state(order="o", ahead=(2,), errors=[]), version="2.1.0"))
    for _ in range(data.draw(st.integers(1, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    read_or_refuse(bytes(payload))
