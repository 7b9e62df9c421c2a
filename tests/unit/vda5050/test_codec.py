from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.bounded_json import UnreadableJsonError, parse_object
from orchestrator.vda5050.codec import (
    MalformedMessageError,
    UnsupportedVersionError,
    decode_factsheet,
    decode_instant_actions,
    decode_order,
    decode_state,
    decode_visualization,
    encode,
)
from orchestrator.vda5050.guard import DEPTH_MAX, PAYLOAD_BYTES_MAX
from orchestrator.vda5050.messages import (
    Action,
    ActionParameter,
    ActionStatus,
    BlockingType,
    Corridor,
    Edge,
    InstantActions,
    NodePosition,
    OldInstantActions,
    Order,
)
from tests.support.factsheets import a_factsheet_tree
from tests.support.robot_link import START, a_state

HEADER: dict[str, Any] = {
    "headerId": 1,
    "timestamp": "2026-01-05T08:00:00.00Z",
    "version": "2.1.0",
    "manufacturer": "ward",
    "serialNumber": "R1",
}


def state_tree(**changes: object) -> dict[str, Any]:
    """A valid state as JSON types; a field set to ... is left out."""
    tree = json.loads(
        encode(a_state(order="o", last="w0", ahead=(2,), actions={"a": ActionStatus.RUNNING}), version="2.1.0")
    )
    return {key: value for key, value in (tree | changes).items() if value is not ...}


def as_bytes(tree: object) -> bytes:
    return json.dumps(tree).encode()


def test_a_valid_state_is_read_without_faults() -> None:
    assert decode_state(as_bytes(state_tree())).faults == ()


ACTION = "actionStates.0.actionStatus"
NODE = {"nodeId": "w", "sequenceId": 2, "released": True}
POSITION = {"x": 1.0, "y": 2.0, "theta": 0.0, "mapId": "L1", "positionInitialized": True}

# What a robot leaves out or misspells, and how it reads: never freer, safer or emptier than it might be.
TOLERATED: list[tuple[str, dict[str, object], str, object]] = [
    ("a paused action", {"actionStates": [{"actionId": "a", "actionStatus": "PAUSED"}]}, ACTION, "PAUSED"),
    ("an unknown status", {"actionStates": [{"actionId": "a", "actionStatus": "RETRIABLE"}]}, ACTION, "RUNNING"),
    ("no safety state", {"safetyState": ...}, "safetyState.eStop", "MANUAL"),
    ("no protective field", {"safetyState": {"eStop": "NONE"}}, "safetyState.fieldViolation", True),
    ("an unknown stop", {"safetyState": {"eStop": "SOME", "fieldViolation": False}}, "safetyState.eStop", "MANUAL"),
    ("no battery state", {"batteryState": ...}, "batteryState.batteryCharge", 0.0),
    ("a mode in lower case", {"operatingMode": "automatic"}, "operatingMode", "AUTOMATIC"),
    ("a mode of 3.0", {"operatingMode": "TEACH_IN"}, "operatingMode", "TEACHIN"),
    ("an unknown mode", {"operatingMode": "INTERVENED"}, "operatingMode", "SERVICE"),
    ("no driving", {"driving": ...}, "driving", True),
    ("no errors", {"errors": ...}, "errors", []),
    ("null errors", {"errors": None}, "errors", []),
    ("unreadable errors", {"errors": "overheated"}, "errors.0.errorLevel", "FATAL"),
    ("a level of 3.0", {"errors": [{"errorType": "x", "errorLevel": "CRITICAL"}]}, "errors.0.errorLevel", "FATAL"),
    ("an error without type", {"errors": [{"errorLevel": "WARNING"}]}, "errors.0.errorType", "unreadable"),
    ("half a load", {"loads": [{"loadId": "tote-1"}, 7]}, "loads", None),
    ("a negative weight", {"loads": [{"loadId": "tote-1", "weight": -1}]}, "loads.0.loadId", "tote-1"),
    ("a score beyond 1", {"agvPosition": POSITION | {"localizationScore": 7}}, "agvPosition", POSITION),
    ("a position without y", {"agvPosition": {**POSITION, "y": None}}, "agvPosition", None),
    ("two unreadable remarks", {"information": [1, 2]}, "information", None),
    ("a node's position twice wrong", {"nodeStates": [NODE | {"nodePosition": {}}]}, "nodeStates.0", NODE),
    ("an update id as text", {"orderUpdateId": "3"}, "orderUpdateId", 3),
    ("a misspelt key", {"orderUpdateId": ..., "orderUpdateID": 3}, "orderUpdateId", 3),
    ("a numeric node id", {"lastNodeId": 17}, "lastNodeId", "17"),
    ("no header id", {"headerId": ...}, "headerId", 0),
    ("no timestamp", {"timestamp": ...}, "timestamp", "1970-01-01T00:00:00.000Z"),
    ("a local timestamp", {"timestamp": "2026-01-05T08:00:00"}, "timestamp", "1970-01-01T00:00:00.000Z"),
    ("null information", {"information": None}, "information", None),
    ("a node without released", {"nodeStates": [{"nodeId": "w", "sequenceId": 2}]}, "nodeStates.0.released", False),
]


@pytest.mark.parametrize(("name", "changes", "path", "expected"), TOLERATED, ids=[row[0] for row in TOLERATED])
def test_a_faulty_state_reads_cautiously(name: str, changes: dict[str, object], path: str, expected: object) -> None:
    decoded = decode_state(as_bytes(state_tree(**changes)))
    read: Any = json.loads(encode(decoded.message, version="2.1.0"))
    for part in path.split("."):
        read = read[int(part)] if part.isdigit() else read.get(part)
    assert read == expected
    is_legal = name in ("a paused action", "null information")
    assert bool(decoded.faults) is not is_legal


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("errors", {}, "Input should be a valid array"),
        ("loads", 5, "Input should be a valid array"),
        ("batteryState", [], "Input should be an object"),
    ],
)
def test_one_fault_is_one_complaint_in_words_of_json(key: str, value: object, problem: str) -> None:
    found = decode_state(as_bytes(state_tree(**{key: value}))).faults
    assert [(fault.path, fault.problem) for fault in found] == [(key, problem)]


@pytest.mark.parametrize(
    "changes",
    [
        {"orderId": ...},
        {"orderUpdateId": None},
        {"lastNodeSequenceId": "six"},
        {"nodeStates": ...},
        {"nodeStates": [{"nodeId": "w1", "released": True}]},
        {"actionStates": [{"actionStatus": "RUNNING"}]},
        {"serialNumber": ...},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_decides_over_traffic_is_not_guessed(changes: dict[str, object]) -> None:
    with pytest.raises(MalformedMessageError, match=next(iter(changes))):
        decode_state(as_bytes(state_tree(**changes)))


HOSTILE = {
    "empty": b"",
    "not json": b"{orderId}",
    "not an object": b"[1]",
    "not utf-8": b'{"a":"\xff"}',
    "half a surrogate": b'{"a":"\\ud800"}',
    "NaN": b'{"a":NaN}',
    "minus infinity": b'{"a":-Infinity}',
    "infinite by exponent": b'{"a":1e999}',
    "infinite by a padded exponent": b'{"a":1E+0400}',
    "infinite by digits": b'{"a":' + b"1" * 400 + b".0}",
    "minus an integer beyond 64 bits": b'{"a":-9223372036854775809}',
    "a huge integer": b'{"a":' + b"9" * 5000 + b"}",
    "an integer beyond 64 bits": b'{"a":9223372036854775808}',
    "a key twice": b'{"a":1,"a":1}',
    "a key twice inside": b'{"a":[{"b":1,"b":2}]}',
    "deep": b'{"a":' * (DEPTH_MAX + 1) + b"1" + b"}" * (DEPTH_MAX + 1),
    "bottomless": b"[" * 100_000,
    "too long": b'{"a":"' + b"x" * PAYLOAD_BYTES_MAX + b'"}',
}


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_json_is_refused_with_a_sentence(payload: bytes) -> None:
    with pytest.raises(MalformedMessageError, match=r"A robot message was dropped: ."):
        decode_state(payload)
    with pytest.raises(UnreadableJsonError):
        parse_object(payload)


def test_the_largest_numbers_that_fit_are_read_as_they_are() -> None:
    text = b'{"a":9223372036854775807,"b":-9223372036854775807,"c":1e99,"d":1.7976931348623157e308,"e":0.1}'
    assert parse_object(text) == {"a": 2**63 - 1, "b": 1 - 2**63, "c": 1e99, "d": 1.7976931348623157e308, "e": 0.1}


def test_a_whole_number_with_a_point_is_read_as_the_integer_it_is_without_complaint() -> None:
    node = {"nodeId": "w1", "sequenceId": 4.0, "released": True}
    changes: dict[str, object] = {"headerId": 5.0, "orderUpdateId": 2.0, "lastNodeSequenceId": 2.0}
    decoded = decode_state(as_bytes(state_tree(**changes, nodeStates=[node] * 900)))
    state = decoded.message
    assert decoded.faults == ()
    assert (state.header_id, state.order_update_id, state.last_node_sequence_id) == (5, 2, 2)
    assert [each.sequence_id for each in state.node_states] == [4] * 900


def test_another_number_than_a_whole_one_is_still_a_departure() -> None:
    assert [fault.path for fault in decode_state(as_bytes(state_tree(headerId="2"))).faults] == ["headerId"]
    with pytest.raises(MalformedMessageError, match="orderUpdateId"):
        decode_state(as_bytes(state_tree(orderUpdateId=2.5)))
    decoded = decode_state(as_bytes(state_tree(headerId=7.0, timestamp="never")))
    assert {fault.path for fault in decoded.faults} == {"timestamp"}


def test_a_message_built_of_faults_is_refused_at_once() -> None:
    with pytest.raises(MalformedMessageError, match="more than 200 places"):
        decode_state(as_bytes(state_tree(errors=[{}] * 60_000)))


def test_a_faulty_value_under_an_old_spelling_is_dropped_too() -> None:
    position = {"x": 0, "y": 0, "mapId": "L1", "allowedDeviationXy": -1}
    node = {"nodeId": "w", "sequenceId": 0, "released": True, "actions": [], "nodePosition": position}
    decoded = decode_order(as_bytes(HEADER | {"orderId": "o", "orderUpdateId": 0, "nodes": [node], "edges": []}))
    assert decoded.faults
    assert decoded.message.nodes[0].node_position is not None
    assert decoded.message.nodes[0].node_position.allowed_deviation_xy is None


def test_instant_actions_are_read_under_the_key_of_1_1_and_written_under_the_new_one() -> None:
    action = {"actionName": "cancelOrder", "actionId": "a", "blockingType": "NONE"}
    message = decode_instant_actions(as_bytes(HEADER | {"instantActions": [action]})).message
    written = json.loads(encode(message, version="2.1.0"))
    assert written["actions"][0]["actionType"] == "cancelOrder"
    assert "instantActions" not in written


@pytest.mark.parametrize(("version", "names"), [("2.0.0", {"actionType", "actionName"}), ("2.1.0", {"actionType"})])
@pytest.mark.parametrize(("made", "field"), [(InstantActions, "actions"), (OldInstantActions, "instant_actions")])
def test_an_instant_action_has_both_names_of_its_type_in_2_0_and_is_read_as_one(
    version: str, names: set[str], made: type[InstantActions | OldInstantActions], field: str
) -> None:
    action = Action(action_type="startPause", action_id="a", blocking_type=BlockingType.NONE)
    payload = encode(made.model_validate(HEADER | {"version": version, field: (action,)}), version=version)
    (written,) = next(value for key, value in json.loads(payload).items() if key in ("actions", "instantActions"))
    assert {key for key, value in written.items() if value == "startPause"} == names
    decoded = decode_instant_actions(payload)
    assert [(read.action_type, read.action_id) for read in decoded.message.actions] == [("startPause", "a")]
    assert decoded.faults == ()


@pytest.mark.parametrize(("version", "key"), [("2.0.0", "allowedDeviationXy"), ("2.1.0", "allowedDeviationXY")])
def test_the_allowed_deviation_is_spelt_as_the_version_spells_it(version: str, key: str) -> None:
    written = json.loads(encode(NodePosition(x=0, y=0, map_id="L1", allowed_deviation_xy=0.5), version=version))
    assert written == {"x": 0.0, "y": 0.0, "mapId": "L1", key: 0.5}
    assert NodePosition.model_validate(written).allowed_deviation_xy == 0.5


def test_what_came_with_2_1_is_left_out_for_2_0() -> None:
    edge = Edge(
        edge_id="e",
        sequence_id=1,
        released=True,
        start_node_id="a",
        end_node_id="b",
        corridor=Corridor(left_width=0.5, right_width=0.5),
        orientation_type="TANGENTIAL",
    )
    assert {"corridor", "orientationType"} <= set(json.loads(encode(edge, version="2.1.0")))
    assert not {"corridor", "orientationType"} & set(json.loads(encode(edge, version="2.0.0")))


def test_an_error_hint_is_written_for_2_1_only() -> None:
    state = decode_state(
        as_bytes(state_tree(errors=[{"errorType": "x", "errorLevel": "WARNING", "errorHint": "h"}]))
    ).message
    older = state.model_copy(update={"version": "2.0.0"})
    assert json.loads(encode(state, version="2.1.0"))["errors"][0]["errorHint"] == "h"
    assert "errorHint" not in json.loads(encode(older, version="2.0.0"))["errors"][0]


def test_a_parameter_that_is_an_object_is_refused_for_2_0() -> None:
    with pytest.raises(UnsupportedVersionError, match="'place'"):
        encode(ActionParameter(key="place", value={"x": 1}), version="2.0.0")


@pytest.mark.parametrize("version", ["1.1.0", "3.0.0", "2.1", ""])
def test_a_version_we_do_not_speak_is_refused(version: str) -> None:
    with pytest.raises(UnsupportedVersionError, match="expected one of"):
        encode(a_state(), version=version)


def test_a_message_is_not_written_in_another_version_than_its_header_names() -> None:
    with pytest.raises(UnsupportedVersionError, match=r"names 2\.1\.0"):
        encode(a_state(), version="2.0.0")


def test_an_order_too_long_for_a_robot_to_read_is_not_sent() -> None:
    with pytest.raises(Exception, match="Release fewer steps"):
        encode(a_state(zone_set_id="x" * PAYLOAD_BYTES_MAX), version="2.1.0")


def test_an_order_of_one_node_and_no_edge_is_read() -> None:
    node = {"nodeId": "w", "sequenceId": 0, "released": True, "actions": []}
    order = decode_order(as_bytes(HEADER | {"orderId": "o", "orderUpdateId": 0, "nodes": [node], "edges": []}))
    assert isinstance(order.message, Order)
    assert (len(order.message.nodes), order.message.edges, order.faults) == (1, (), ())


def test_an_object_as_parameter_value_is_read() -> None:
    action = {
        "actionType": "x",
        "actionId": "a",
        "blockingType": "NONE",
        "actionParameters": [{"key": "k", "value": {"n": [1]}}],
    }
    message = decode_instant_actions(as_bytes(HEADER | {"actions": [action]})).message
    assert isinstance(message, InstantActions)
    assert message.actions[0].parameter("k") == {"n": [1]}
    assert message.actions[0].parameter("none") is None


def test_a_visualization_needs_no_header() -> None:
    assert decode_visualization(b'{"velocity":{"vx":0.5}}').message.velocity is not None


def test_a_factsheet_keeps_what_we_do_not_know() -> None:
    tree: dict[str, Any] = {
        "version": "2.1.0",
        "manufacturer": "ward",
        "serialNumber": "R1",
        "typeSpecification": {
            "seriesName": "Porter",
            "agvKinematic": "DIFF",
            "agvClass": "CARRIER",
            "maxLoadMass": 30,
            "localizationTypes": ["NATURAL"],
            "navigationTypes": ["AUTONOMOUS"],
            "colour": "white",
        },
        "physicalParameters": {
            "speedMin": 0.05, "speedMax": 1.2, "accelerationMax": 0.5, "decelerationMax": 0.5,
            "heightMax": 1.4, "width": 0.5, "length": 0.7,
        },
        "protocolLimits": {
            "maxStringLens": {"idLen": 36},
            "maxArrayLens": {"order.nodes": 100},
            "timing": {"minOrderInterval": 1, "minStateInterval": 0.5},
        },
        "protocolFeatures": {
            "optionalParameters": [{"parameter": "order.nodes.nodePosition.theta", "support": "SUPPORTED"}],
            "agvActions": [{"actionType": "pick", "actionScopes": ["NODE"]}],
        },
        "agvGeometry": {"envelopes3d": [{"set": "a", "format": "DXF"}]},
        "loadSpecification": {"loadPositions": ["a", "b"]},
    }  # fmt: skip
    factsheet = decode_factsheet(as_bytes(tree))
    assert factsheet.faults == ()
    assert factsheet.message.protocol_limits.max_array_lens["order.nodes"] == 100
    assert json.loads(encode(factsheet.message, version="2.1.0")) == tree


@pytest.mark.parametrize(
    "left_out", ["agvGeometry", "loadSpecification", "protocolFeatures", "protocolLimits", "typeSpecification"]
)
def test_a_factsheet_without_one_part_is_read_for_the_others(left_out: str) -> None:
    tree = a_factsheet_tree()
    del tree[left_out]
    factsheet = decode_factsheet(as_bytes(tree))
    assert [fault.path for fault in factsheet.faults] == [left_out]
    assert factsheet.message.physical_parameters.width == 0.4


def test_a_factsheet_is_read_without_what_only_its_limits_need() -> None:
    tree = a_factsheet_tree()
    tree["protocolLimits"] = {"maxArrayLens": {"order.nodes": 7}}
    tree["typeSpecification"] = {"seriesName": "s"}
    message = decode_factsheet(as_bytes(tree)).message
    assert message.protocol_limits.max_array_lens == {"order.nodes": 7}


def test_a_factsheet_without_sizes_is_refused() -> None:
    tree = a_factsheet_tree()
    del tree["physicalParameters"]
    with pytest.raises(MalformedMessageError, match="physicalParameters"):
        decode_factsheet(as_bytes(tree))


def test_timestamps_are_written_in_utc_with_z() -> None:
    assert json.loads(encode(a_state(), version="2.1.0"))["timestamp"] == "2026-01-05T08:00:00.000Z"
    micros = START.replace(microsecond=123456)
    assert json.loads(encode(a_state(timestamp=micros), version="2.1.0"))["timestamp"] == "2026-01-05T08:00:00.123456Z"
