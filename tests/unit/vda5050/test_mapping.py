from __future__ import annotations

import json
import math
from dataclasses import replace
from math import pi

import pytest

from orchestrator.domain.fleet.model import ActionStatus as HouseStatus
from orchestrator.domain.fleet.model import LoadId, OperatingMode, RobotId
from orchestrator.domain.fleet.order import ActionKind, DriveOrder
from orchestrator.domain.site.model import LevelId
from orchestrator.vda5050.address import TopicKind, address_of_robot
from orchestrator.vda5050.codec import encode
from orchestrator.vda5050.dialect import STANDARD, ActionRule, Dialect, Headings, InstantKey, LoadReports
from orchestrator.vda5050.frames import MapFrame, MapFrames, wrapped_rad
from orchestrator.vda5050.header import Header, HeaderCounter
from orchestrator.vda5050.mapping import (
    QUESTION,
    UNNAMED_LOAD,
    action_message,
    faults_of_place,
    instant_actions_message,
    order_message,
    report_from_state,
)
from orchestrator.vda5050.messages import (
    ActionStatus,
    AgvPosition,
    BatteryState,
    BlockingType,
    EdgeState,
    ErrorLevel,
    ErrorReport,
    Load,
    State,
)
from tests.support.robot_link import START, a_robot, a_state, a_step, an_action, an_order

REPORTED = {"robot": RobotId("r1"), "received_at": START}


def a_header() -> Header:
    return HeaderCounter().stamp(TopicKind.ORDER, address=address_of_robot(a_robot()), now=START)


def test_a_new_order_carries_every_step_with_alternating_sequence_ids() -> None:
    message = order_message(an_order(steps=4, released=2), header=a_header())
    assert [(node.node_id, node.sequence_id, node.released) for node in message.nodes] == [
        ("w0", 0, True),
        ("w1", 2, True),
        ("w2", 4, False),
        ("w3", 6, False),
    ]
    edges = [(e.edge_id, e.sequence_id, e.released, e.start_node_id, e.end_node_id) for e in message.edges]
    assert edges == [
        ("lane-1", 1, True, "w0", "w1"),
        ("lane-2", 3, False, "w1", "w2"),
        ("lane-3", 5, False, "w2", "w3"),
    ]
    assert message.edges[0].max_speed == 0.8
    assert message.nodes[0].node_position is not None
    assert message.nodes[0].node_position.map_id == "L1"


def test_an_update_starts_at_the_last_node_of_the_base_and_resends_nothing_before_it() -> None:
    update = an_order(steps=4, released=2).extended(released=3)
    message = order_message(update, header=a_header())
    assert (message.order_id, message.order_update_id) == ("order-1", 1)
    assert [(node.node_id, node.sequence_id, node.released) for node in message.nodes] == [
        ("w1", 2, True),
        ("w2", 4, True),
        ("w3", 6, False),
    ]
    assert [(edge.sequence_id, edge.released) for edge in message.edges] == [(3, True), (5, False)]


def test_the_stitch_node_is_resent_as_it_was() -> None:
    first = DriveOrder(
        id=an_order().id,
        robot=RobotId("r1"),
        steps=(a_step(0), a_step(1, actions=[an_action(ActionKind.PICK)]), a_step(2)),
        released=2,
    )
    before = order_message(first, header=a_header())
    after = order_message(first.extended(released=3), header=a_header())
    assert after.nodes[0] == before.nodes[1]


def test_an_order_of_one_step_has_no_edge() -> None:
    message = order_message(an_order(steps=1, released=1), header=a_header())
    assert (len(message.nodes), message.edges) == (1, ())


def thetas(order: DriveOrder, dialect: Dialect) -> list[float | None]:
    nodes = order_message(order, header=a_header(), dialect=dialect).nodes
    return [node.node_position.theta if node.node_position else None for node in nodes]


def test_no_heading_is_sent_unless_the_robot_wants_one() -> None:
    assert thetas(an_order(), STANDARD) == [None] * 4


def test_headings_point_along_the_way_and_keep_the_first_node_free() -> None:
    assert thetas(an_order(), Dialect(headings=Headings.ALONG)) == [None, 0.0, 0.0, 0.0]


def test_a_robot_that_wants_a_heading_everywhere_gets_one_at_the_first_node_too() -> None:
    assert thetas(an_order(), Dialect(headings=Headings.ALL)) == [0.0, 0.0, 0.0, 0.0]
    assert thetas(an_order(steps=1, released=1), Dialect(headings=Headings.ALL)) == [0.0]


def test_a_heading_is_turned_into_the_robots_map() -> None:
    frames = MapFrames({LevelId("L1"): MapFrame("ground", rotation_rad=math.pi / 2)})
    assert thetas(an_order(), Dialect(headings=Headings.ALONG, frames=frames))[1] == pytest.approx(-math.pi / 2)


def test_only_the_first_node_of_a_new_order_allows_a_wide_start() -> None:
    dialect = Dialect(deviation_m=0.2, start_deviation_m=1.5)
    order = an_order(released=2)
    new = order_message(order, header=a_header(), dialect=dialect)
    update = order_message(order.extended(released=3), header=a_header(), dialect=dialect)
    assert [node.node_position and node.node_position.allowed_deviation_xy for node in new.nodes] == [
        1.5,
        0.2,
        0.2,
        0.2,
    ]
    assert [node.node_position and node.node_position.allowed_deviation_xy for node in update.nodes] == [0.2, 0.2, 0.2]


def test_pick_names_load_and_drawer() -> None:
    action = action_message(an_action(ActionKind.PICK, "p"))
    assert (action.action_type, action.action_id, action.blocking_type) == ("pick", "p", BlockingType.HARD)
    assert {item.key: item.value for item in action.action_parameters or ()} == {
        "lhd": "a",
        "stationType": "handover",
        "loadType": "tote",
        "loadId": "tote-1",
    }


def test_an_action_goes_out_in_the_robots_own_words() -> None:
    rule = ActionRule(
        "openCompartment",
        blocking=BlockingType.SOFT,
        parameters=(("compartment", "{drawer}"), ("label", "tote {load} at {node}"), ("height", 0.4), ("flags", [1])),
        description="take it in",
    )
    dialect = Dialect(actions={ActionKind.PICK: rule}, drawer_words={"a": 3})
    action = action_message(an_action(ActionKind.PICK, "p"), dialect=dialect, node="w7")
    assert (action.action_type, action.blocking_type, action.action_description) == (
        "openCompartment",
        BlockingType.SOFT,
        "take it in",
    )
    assert {item.key: item.value for item in action.action_parameters or ()} == {
        "compartment": 3,
        "label": "tote tote-1 at w7",
        "height": 0.4,
        "flags": [1],
    }


def test_a_parameter_whose_place_holder_has_no_value_is_left_out() -> None:
    rule = ActionRule("startCharging", parameters=(("for", "drawer {drawer}"), ("load", "{load}"), ("mode", "slow")))
    action = action_message(an_action(ActionKind.START_CHARGING), dialect=Dialect({ActionKind.START_CHARGING: rule}))
    assert [item.key for item in action.action_parameters or ()] == ["mode"]


def test_place_holders_are_filled_however_deep_they_lie_and_in_one_go() -> None:
    rule = ActionRule(
        "takeBox",
        parameters=(
            ("box", {"id": "{load}", "bays": ["{drawer}", "{grant}", None], "grant": {"is": "{grant}"}, "tare": None}),
            ("grants", ["{grant}"]),
            ("both", "{load} in {drawer}"),
            ("empty", {}),
        ),
    )
    action = replace(an_action(ActionKind.PICK, "p"), load=LoadId("{drawer}"))
    made = action_message(action, dialect=Dialect({ActionKind.PICK: rule}, drawer_words={"a": 3}))
    assert {item.key: item.value for item in made.action_parameters or ()} == {
        "box": {"id": "{drawer}", "bays": [3, None], "tare": None},
        "both": "{drawer} in 3",
        "empty": {},
    }


def test_an_action_that_the_robot_does_not_have_is_never_put_into_words() -> None:
    with pytest.raises(ValueError, match="no action"):
        action_message(an_action(ActionKind.PICK), dialect=Dialect({ActionKind.PICK: None}))


def test_a_robot_that_reads_the_old_key_gets_it() -> None:
    dialect = Dialect(instant_key=InstantKey.INSTANT_ACTIONS)
    tree = json.loads(encode(instant_actions_message(an_action(), header=a_header(), dialect=dialect), version="2.1.0"))
    assert [action["actionType"] for action in tree["instantActions"]] == ["cancelOrder"]
    assert "actions" not in tree


def test_loads_that_a_robot_names_itself_say_nothing_about_ours() -> None:
    state = a_state(loads=(Load(load_id="RFID-77"),))
    for loads, expected in (
        (LoadReports.NAMED, (LoadId("RFID-77"),)),
        (LoadReports.OWN, None),
        (LoadReports.NONE, None),
    ):
        report = report_from_state(state, robot=RobotId("r1"), received_at=START, dialect=Dialect(loads=loads))
        assert report.loads == expected


def test_a_pose_on_a_map_nobody_knows_is_no_pose_but_a_complaint() -> None:
    dialect = Dialect(frames=MapFrames({LevelId("L1"): MapFrame("ground", x_m=5.0, rotation_rad=math.pi)}))
    place = AgvPosition(x=1, y=2, theta=0.5, map_id="ground", position_initialized=True)
    known = a_state(agv_position=place)
    report = report_from_state(known, robot=RobotId("r1"), received_at=START, dialect=dialect)
    assert report.pose is not None
    assert (report.pose.level, report.pose.x_m, report.pose.y_m) == ("L1", pytest.approx(4.0), pytest.approx(-2.0))
    assert faults_of_place(known, dialect) == ()
    lost = a_state(agv_position=place.model_copy(update={"map_id": "attic"}))
    assert report_from_state(lost, robot=RobotId("r1"), received_at=START, dialect=dialect).pose is None
    (fault,) = faults_of_place(lost, dialect)
    assert (fault.path, "'attic'" in fault.problem, "ground" in fault.problem) == ("agvPosition.mapId", True, True)


def test_a_position_that_is_not_initialised_counts_only_for_a_robot_that_never_says_so() -> None:
    state = a_state(agv_position=AgvPosition(x=1, y=2, theta=0, map_id="L1", position_initialized=False))
    for dialect, is_known in ((STANDARD, False), (Dialect(uses_uninitialised_position=True), True)):
        report = report_from_state(state, robot=RobotId("r1"), received_at=START, dialect=dialect)
        assert (report.pose is not None) is is_known


def test_the_answer_to_a_question_of_the_link_itself_keeps_no_robot_busy() -> None:
    state = a_state(actions={f"{QUESTION}1": ActionStatus.RUNNING})
    assert report_from_state(state, robot=RobotId("r1"), received_at=START).is_idle


@pytest.mark.parametrize(
    ("kind", "action_type", "blocking"),
    [
        (ActionKind.DROP, "drop", "HARD"),
        (ActionKind.START_CHARGING, "startCharging", "HARD"),
        (ActionKind.STOP_CHARGING, "stopCharging", "HARD"),
        (ActionKind.PAUSE, "startPause", "NONE"),
        (ActionKind.RESUME, "stopPause", "NONE"),
        (ActionKind.CANCEL_ORDER, "cancelOrder", "NONE"),
        (ActionKind.REPORT_STATE, "stateRequest", "NONE"),
        (ActionKind.REPORT_FACTSHEET, "factsheetRequest", "NONE"),
    ],
)
def test_every_action_has_its_type_and_what_must_not_wait_blocks_nothing(
    kind: ActionKind, action_type: str, blocking: str
) -> None:
    action = action_message(an_action(kind))
    assert (action.action_type, action.blocking_type.value) == (action_type, blocking)


def test_a_robot_without_order_or_node_reports_none() -> None:
    report = report_from_state(a_state(), **REPORTED)
    assert (report.order_id, report.last_waypoint, report.pose, report.loads) == (None, None, None, None)
    assert report.is_idle


def test_a_report_says_what_the_state_says() -> None:
    state = a_state(
        order="o",
        update=2,
        last="w1",
        last_sequence=2,
        ahead=(6, 4),
        actions={"a": ActionStatus.PAUSED},
        driving=True,
        paused=True,
        agv_position=AgvPosition(x=1, y=2, theta=3 * pi, map_id="L1", position_initialized=True),
        battery_state=BatteryState(battery_charge=125, charging=True),
        loads=(Load(load_id="tote-1"), Load()),
        errors=(ErrorReport(error_type="x", error_level=ErrorLevel.FATAL, error_description="hot"),),
    )
    report = report_from_state(state, **REPORTED)
    assert (report.order_id, report.order_update_id, report.last_waypoint, report.last_sequence) == ("o", 2, "w1", 2)
    assert report.sequences_ahead == (4, 6)
    assert report.actions == {"a": HouseStatus.PAUSED}
    assert (report.is_driving, report.is_paused, report.is_charging, report.battery) == (True, True, True, 1.0)
    assert report.pose is not None
    assert report.pose.theta_rad == pytest.approx(-pi)
    assert report.mode is OperatingMode.AUTOMATIC
    assert report.loads == (LoadId("tote-1"), UNNAMED_LOAD)
    assert [(fault.kind, fault.is_fatal, fault.description) for fault in report.faults] == [("x", True, "hot")]
    assert not report.may_be_ordered


def test_knowing_to_carry_nothing_differs_from_not_knowing() -> None:
    assert report_from_state(a_state(loads=()), **REPORTED).loads == ()
    assert report_from_state(a_state(loads=None), **REPORTED).loads is None


def test_a_robot_that_is_not_localised_has_no_pose() -> None:
    position = AgvPosition(x=1, y=2, theta=0, map_id="L1", position_initialized=False)
    assert report_from_state(a_state(agv_position=position), **REPORTED).pose is None


def test_a_robot_with_only_an_edge_left_is_not_idle() -> None:
    state: State = a_state(order="o", edge_states=(EdgeState(edge_id="e", sequence_id=3, released=True),))
    report = report_from_state(state, **REPORTED)
    assert report.sequences_ahead == (4,)
    assert not report.is_idle


@pytest.mark.parametrize(
    ("angle", "wrapped"), [(0.0, 0.0), (pi, -pi), (-pi, -pi), (2 * pi, 0.0), (-3 * pi / 2, pi / 2)]
)
def test_headings_are_wrapped_to_one_turn(angle: float, wrapped: float) -> None:
    assert wrapped_rad(angle) == pytest.approx(wrapped)
