"""A robot on its in-process wheels: what it does with orders, and what it says."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from orchestrator.vda5050.address import TopicKind
from orchestrator.vda5050.codec import decode_connection, decode_factsheet, encode
from orchestrator.vda5050.messages import (
    ActionStatus,
    BlockingType,
    ConnectionState,
    EStop,
    OperatingMode,
    State,
)
from ros_nodes.onboard.memory import MemoryUnreadableError, RobotMemory, memory_from_json
from ros_nodes.onboard.path_geometry import Pose
from ros_nodes.onboard.robot import BATTERY_EMPTY, OnboardRobot
from tests.support.onboard_robots import (
    EPOCH,
    MODEL,
    a_robot,
    an_action,
    an_order,
    finish,
    instant_actions,
    last_state,
    send,
    states,
    status_of,
)

A, B, C, D = ("A", 0.0, 0.0), ("B", 5.0, 0.0), ("C", 10.0, 0.0), ("D", 15.0, 0.0)


def error_types(state: State) -> list[str]:
    return [error.error_type for error in state.errors]


def drive_until(robot: OnboardRobot, x_m: float) -> None:
    while robot.driver.pose.x_m < x_m:
        robot.advance(robot.time_s + 0.1)


def test_robot_announces_itself_when_the_link_comes_up() -> None:
    robot = a_robot()
    robot.connect(0.0)
    connection, factsheet, state = robot.take_messages()
    assert decode_connection(connection.payload).message.connection_state is ConnectionState.ONLINE
    assert (connection.kind, connection.qos, connection.retain) == (TopicKind.CONNECTION, 1, True)
    assert decode_factsheet(factsheet.payload).message.load_specification.load_positions == ("top", "bottom")
    assert factsheet.retain
    assert (state.kind, state.qos, state.retain) == (TopicKind.STATE, 0, False)
    assert state.topic == "uagv/v2/wardporter/R1/state"


def test_last_will_says_the_connection_broke() -> None:
    will = a_robot().last_will()
    assert decode_connection(will.payload).message.connection_state is ConnectionState.CONNECTIONBROKEN
    assert (will.qos, will.retain) == (1, True)


def test_shut_down_brakes_and_says_offline() -> None:
    robot = a_robot()
    send(robot, an_order([A, B]))
    robot.advance(3.0)
    robot.take_messages()
    robot.shut_down(3.0)
    assert decode_connection(robot.take_messages()[-1].payload).message.connection_state is ConnectionState.OFFLINE
    robot.advance(60.0)
    assert robot.driver.pose.x_m < 5.0
    assert robot.is_idle


def test_order_is_echoed_driven_and_done() -> None:
    robot = a_robot()
    state = send(robot, an_order([A, B, C]))
    assert (state.order_id, state.last_node_id, state.driving) == ("order-1", "A", True)
    assert [node.node_id for node in state.node_states] == ["B", "C"]
    last = finish(robot)[-1]
    assert (last.last_node_id, last.last_node_sequence_id, last.driving) == ("C", 4, False)
    assert last.node_states == ()
    assert last.edge_states == ()
    assert last.agv_position is not None
    assert (last.agv_position.x, last.agv_position.map_id) == (10.0, "L1")


def test_every_node_on_the_way_is_reported_once_in_order() -> None:
    robot = a_robot()
    send(robot, an_order([A, B, C, D]))
    seen = [state.last_node_id for state in finish(robot)]
    assert list(dict.fromkeys(seen)) == ["A", "B", "C", "D"]
    assert seen == sorted(seen)


def test_robot_stops_at_the_end_of_its_base_and_asks_for_more() -> None:
    robot = a_robot()
    send(robot, an_order([A, B, C], released=2))
    robot.advance(300.0)
    state = last_state(robot)
    assert state.agv_position is not None
    assert state.agv_position.x == 5.0
    assert not state.driving
    assert state.new_base_request
    assert [(node.node_id, node.released) for node in state.node_states] == [("C", False)]


def test_base_extended_in_time_is_driven_through_without_a_halt() -> None:
    robot = a_robot()
    send(robot, an_order([A, B, C], released=2))
    drive_until(robot, 2.0)
    send(robot, an_order([B, C], update_id=1, first_sequence=2))
    drive_until(robot, 5.0)
    assert robot.driver.speed_m_s == pytest.approx(1.0)
    assert finish(robot)[-1].last_node_id == "C"


def test_update_replaces_the_horizon() -> None:
    robot = a_robot()
    send(robot, an_order([A, B, C], released=2, actions={"C": [an_action("pick", action_id="old", loadId="L1")]}))
    state = send(robot, an_order([B, ("E", 5.0, 5.0)], update_id=1, first_sequence=2, released=1))
    assert [node.node_id for node in state.node_states] == ["B", "E"]
    assert status_of(state, "old") is None


def test_horizon_action_may_be_sent_again_with_the_next_update() -> None:
    robot = a_robot()
    pick = an_action("pick", action_id="pick", loadId="L1")
    send(robot, an_order([A, B, C], released=2, actions={"C": [pick]}))
    state = send(robot, an_order([B, C], update_id=1, first_sequence=2, actions={"C": [pick]}))
    assert state.errors == ()
    assert status_of(finish(robot)[-1], "pick") is ActionStatus.FINISHED


def test_order_sent_again_changes_nothing_and_is_answered() -> None:
    robot = a_robot()
    order = an_order([A, B])
    send(robot, order)
    robot.advance(2.0)
    before = robot.driver.speed_m_s
    robot.take_messages()
    state = send(robot, order)
    assert (state.order_id, state.errors) == ("order-1", ())
    assert robot.driver.speed_m_s == before


def test_new_order_while_busy_is_rejected_and_the_old_one_goes_on() -> None:
    robot = a_robot()
    send(robot, an_order([A, B]))
    state = send(robot, an_order([A, C], order_id="order-2"))
    assert state.order_id == "order-1"
    assert state.errors[0].referenced("orderId") == {"order-2"}
    assert finish(robot)[-1].last_node_id == "B"


def test_a_rejection_is_said_at_once_and_not_only_with_the_next_regular_state() -> None:
    robot = a_robot()
    robot.connect(0.0)
    robot.take_messages()
    robot.receive(TopicKind.ORDER, encode(an_order([C, D]), version="2.1.0"), 0.5)
    assert [error_types(state) for state in states(robot)] == [["noRouteError"]]
    assert robot.time_s == 0.5


def test_rejection_is_forgotten_when_an_order_is_accepted() -> None:
    robot = a_robot()
    assert error_types(send(robot, an_order([C, D]))) == ["noRouteError"]
    assert send(robot, an_order([A, B], order_id="order-2")).errors == ()


def test_same_rejection_is_reported_once() -> None:
    robot = a_robot()
    answers = [send(robot, an_order([C, D])) for _ in range(3)]
    assert error_types(answers[-1]) == ["noRouteError"]


@pytest.mark.parametrize(
    "payload",
    [b"", b"no json", b"[]", b'{"orderId": "x"}', b"\xff\xfe", b'{"orderId":1,"orderId":2}'],
    ids=["empty", "text", "list", "no nodes", "not utf-8", "twice"],
)
def test_malformed_order_moves_nothing_and_is_reported(payload: bytes) -> None:
    robot = a_robot()
    robot.receive(TopicKind.ORDER, payload, 1.0)
    state = last_state(robot)
    assert error_types(state) == ["validationError"]
    assert (state.order_id, state.driving) == ("", False)


def test_order_with_a_missing_header_is_not_driven_on_a_guess() -> None:
    tree = json.loads(encode(an_order([A, B]), version="2.1.0"))
    del tree["timestamp"]
    robot = a_robot()
    robot.receive(TopicKind.ORDER, json.dumps(tree).encode(), 0.0)
    state = last_state(robot)
    assert error_types(state) == ["validationError"]
    assert not state.driving


@pytest.mark.parametrize("field", ["serialNumber", "manufacturer"])
def test_order_for_another_robot_leaves_no_trace(field: str) -> None:
    tree = json.loads(encode(an_order([A, B]), version="2.1.0"))
    tree[field] = "R2"
    robot = a_robot()
    robot.receive(TopicKind.ORDER, json.dumps(tree).encode(), 0.0)
    assert robot.take_messages() == ()
    assert robot.order_id == ""


def test_old_order_replayed_after_it_was_done_is_rejected() -> None:
    robot = a_robot()
    there, back = an_order([A, B]), an_order([B, A], order_id="order-2")
    send(robot, there)
    finish(robot)
    send(robot, back)
    finish(robot)
    state = send(robot, there)
    assert error_types(state) == ["orderError"]
    assert state.order_id == "order-2"


def test_pick_puts_the_load_into_its_drawer_and_drop_takes_it_out() -> None:
    robot = a_robot()
    pick = an_action("pick", loadId="L7", lhd="bottom")
    drop = an_action("drop", loadId="L7")
    send(robot, an_order([A, B, C], actions={"B": [pick], "C": [drop]}))
    seen = finish(robot)
    carried = [[(load.load_id, load.load_position) for load in state.loads or ()] for state in seen]
    assert [("L7", "bottom")] in carried
    assert carried[-1] == []
    assert status_of(seen[-1], drop.action_id) is ActionStatus.FINISHED


def test_handling_takes_its_time_and_the_robot_stands_meanwhile() -> None:
    robot = a_robot()
    pick = an_action("pick", loadId="L7")
    state = send(robot, an_order([A, B], actions={"A": [pick]}))
    assert status_of(state, pick.action_id) is ActionStatus.RUNNING
    robot.advance(MODEL.handling_s - 0.01)
    assert robot.driver.pose.x_m == 0.0
    robot.advance(MODEL.handling_s + 1.0)
    assert robot.driver.pose.x_m > 0.0


def test_robot_halts_at_a_node_with_a_blocking_action_and_passes_one_without() -> None:
    robot = a_robot()
    quick = an_action("startCharging", blocking=BlockingType.NONE)
    pick = an_action("pick", loadId="L7")
    send(robot, an_order([A, B, C, D], actions={"B": [quick], "C": [pick]}))
    drive_until(robot, 5.0)
    assert robot.driver.speed_m_s == pytest.approx(1.0)
    drive_until(robot, 10.0)
    robot.advance(robot.time_s + 0.5)
    assert robot.driver.pose.x_m == 10.0
    assert finish(robot)[-1].last_node_id == "D"


@pytest.mark.parametrize(
    ("action", "loads"),
    [
        (an_action("pick", loadId="L1"), {"top": "L1"}),
        (an_action("pick", loadId="L9"), {"top": "L1", "bottom": "L2"}),
        (an_action("pick", loadId="L9", lhd="top"), {"top": "L1"}),
        (an_action("pick", loadId="L9", lhd="roof"), {}),
        (an_action("pick"), {}),
        (an_action("drop", loadId="L9"), {"top": "L1"}),
        (an_action("drop", loadId="L1", lhd="bottom"), {"top": "L1"}),
        (an_action("drop"), {}),
    ],
    ids=["aboard already", "full", "drawer full", "no such drawer", "no load", "not aboard", "other drawer", "no id"],
)
def test_handling_that_cannot_be_done_fails_with_a_reason_and_moves_no_load(action, loads) -> None:
    robot = a_robot(RobotMemory(pose=Pose("L1", 0.0, 0.0), loads=loads))
    send(robot, an_order([A, B], actions={"A": [action]}))
    last = finish(robot)[-1]
    assert status_of(last, action.action_id) is ActionStatus.FAILED
    assert last.errors[0].referenced("actionId") == {action.action_id}
    assert robot.memory.loads == loads
    assert last.last_node_id == "B", "a failed action does not end the order in 2.x"


def test_cancel_is_finished_only_when_the_robot_stands() -> None:
    robot = a_robot()
    pick = an_action("pick", loadId="L7")
    send(robot, an_order([A, B, C], actions={"C": [pick]}))
    drive_until(robot, 2.0)
    cancel = an_action("cancelOrder")
    state = send(robot, cancel)
    assert status_of(state, cancel.action_id) is ActionStatus.RUNNING
    assert status_of(state, pick.action_id) is ActionStatus.FAILED
    assert (state.node_states, state.edge_states, state.driving) == ((), (), True)
    last = finish(robot)[-1]
    assert status_of(last, cancel.action_id) is ActionStatus.FINISHED
    assert (last.order_id, last.driving) == ("order-1", False)
    assert robot.driver.pose.x_m < 5.0


def test_cancel_waits_for_the_drawer_that_is_being_filled() -> None:
    robot = a_robot()
    pick, cancel = an_action("pick", loadId="L7"), an_action("cancelOrder")
    send(robot, an_order([A, B], actions={"A": [pick]}))
    robot.advance(1.0)
    assert status_of(send(robot, cancel), cancel.action_id) is ActionStatus.RUNNING
    last = finish(robot)[-1]
    assert status_of(last, pick.action_id) is ActionStatus.FINISHED
    assert status_of(last, cancel.action_id) is ActionStatus.FINISHED
    assert robot.driver.pose.x_m == 0.0


def test_cancel_without_an_order_fails_with_its_own_error() -> None:
    robot = a_robot()
    cancel = an_action("cancelOrder")
    state = send(robot, cancel)
    assert status_of(state, cancel.action_id) is ActionStatus.FAILED
    assert error_types(state) == ["noOrderToCancel"]
    assert state.errors[0].referenced("actionId") == {cancel.action_id}


def test_update_after_a_cancel_is_rejected() -> None:
    robot = a_robot()
    send(robot, an_order([A, B, C], released=2))
    drive_until(robot, 1.0)
    send(robot, an_action("cancelOrder"))
    update = an_order([B, C], update_id=1, first_sequence=2)
    assert error_types(send(robot, update)) == ["orderUpdateError"]
    finish(robot)
    assert error_types(send(robot, an_order([B, C], update_id=2, first_sequence=2))) == ["orderUpdateError"] * 2
    assert robot.driver.pose.x_m < 5.0


def test_next_order_starts_where_the_cancelled_one_left_the_robot() -> None:
    robot = a_robot()
    send(robot, an_order([A, B]))
    drive_until(robot, 2.0)
    send(robot, an_action("cancelOrder"))
    finish(robot)
    here = ("here", robot.driver.pose.x_m, 0.0)
    state = send(robot, an_order([here, A], order_id="order-2"))
    assert (state.order_id, state.last_node_id) == ("order-2", "here")
    assert finish(robot)[-1].last_node_id == "A"
    assert robot.driver.pose.x_m == pytest.approx(0.0)


def test_pause_holds_and_resume_goes_on_with_the_same_order() -> None:
    robot = a_robot()
    send(robot, an_order([A, B, C]))
    drive_until(robot, 2.0)
    pause = an_action("startPause")
    assert status_of(send(robot, pause), pause.action_id) is ActionStatus.RUNNING
    robot.advance(robot.time_s + 60.0)
    state = last_state(robot)
    assert (state.paused, state.driving) == (True, False)
    assert status_of(state, pause.action_id) is ActionStatus.FINISHED
    held_m = robot.driver.pose.x_m
    assert held_m < 5.0
    resume = an_action("stopPause")
    state = send(robot, resume)
    assert status_of(state, resume.action_id) is ActionStatus.FINISHED
    assert not state.paused
    assert finish(robot)[-1].last_node_id == "C"


def test_same_instant_action_sent_twice_acts_once() -> None:
    robot = a_robot()
    pause = an_action("startPause")
    send(robot, pause)
    send(robot, an_action("stopPause"))
    state = send(robot, pause)
    assert not state.paused


def test_order_and_cancel_while_paused_leave_a_robot_that_can_be_used() -> None:
    robot = a_robot()
    send(robot, an_action("startPause"))
    send(robot, an_order([A, B]))
    robot.advance(30.0)
    assert robot.driver.pose.x_m == 0.0
    send(robot, an_action("cancelOrder"))
    finish(robot)
    send(robot, an_order([A, B], order_id="order-2"))
    send(robot, an_action("stopPause"))
    assert finish(robot)[-1].last_node_id == "B"


def test_factsheet_request_is_answered_by_the_factsheet() -> None:
    robot = a_robot()
    robot.connect(0.0)
    robot.take_messages()
    request = an_action("factsheetRequest")
    robot.receive(TopicKind.INSTANT_ACTIONS, encode(instant_actions(request), version="2.1.0"), 1.0)
    assert [message.kind for message in robot.take_messages()] == [TopicKind.FACTSHEET, TopicKind.STATE]


def test_unknown_instant_action_fails_with_an_error_that_names_it() -> None:
    dance = an_action("dance")
    state = send(a_robot(), dance)
    assert status_of(state, dance.action_id) is ActionStatus.FAILED
    assert state.errors[0].referenced("actionId") == {dance.action_id}


def test_silence_never_lasts_longer_than_the_interval() -> None:
    robot = a_robot()
    robot.connect(0.0)
    states(robot)
    robot.advance(60.0)
    times = [state.timestamp for state in states(robot)]
    assert times[0] == EPOCH + timedelta(seconds=MODEL.state_interval_s)
    assert len(times) == 12


def test_driving_robot_reports_more_often_when_asked_to() -> None:
    robot = a_robot(driving_interval_s=0.5)
    send(robot, an_order([A, ("far", 100.0, 0.0)]))
    robot.advance(10.0)
    times = [state.timestamp for state in states(robot)]
    assert len(times) == 20
    finish(robot)
    standing = robot.time_s
    robot.advance(standing + 30.0)
    assert len(states(robot)) == 30.0 / MODEL.state_interval_s


def test_how_the_time_is_cut_changes_nothing() -> None:
    ends: list[RobotMemory] = []
    for step_s in (0.05, 0.7, 500.0):
        robot = a_robot()
        pick = an_action("pick", action_id="pick", loadId="L7")
        robot.receive(TopicKind.ORDER, encode(an_order([A, B, C, D], actions={"B": [pick]}), version="2.1.0"), 0.0)
        while robot.time_s < 500.0:
            robot.advance(min(500.0, robot.time_s + step_s))
        ends.append(robot.memory)
    for end in ends[1:]:
        assert end.battery == pytest.approx(ends[0].battery, abs=1e-9)
        assert (end.pose, end.loads, end.header_ids) == (ends[0].pose, ends[0].loads, ends[0].header_ids)


def test_header_ids_count_per_topic() -> None:
    robot = a_robot()
    robot.connect(0.0)
    robot.advance(20.0)
    messages = robot.take_messages()
    numbers = [json.loads(m.payload)["headerId"] for m in messages if m.kind is TopicKind.STATE]
    assert numbers == list(range(len(numbers)))
    assert json.loads(messages[0].payload)["headerId"] == 0


def test_emergency_stop_holds_until_a_person_releases_it_and_refuses_orders_meanwhile() -> None:
    robot = a_robot()
    send(robot, an_order([A, B]))
    drive_until(robot, 2.0)
    robot.press_emergency_stop(robot.time_s)
    robot.advance(robot.time_s + 30.0)
    state = last_state(robot)
    assert (state.safety_state.e_stop, state.driving) == (EStop.MANUAL, False)
    assert error_types(send(robot, an_order([A], order_id="order-2"))) == ["orderError"]
    robot.release_emergency_stop(robot.time_s)
    assert finish(robot)[-1].last_node_id == "B"


def test_stop_pause_does_not_undo_an_emergency_stop() -> None:
    robot = a_robot()
    send(robot, an_order([A, B]))
    drive_until(robot, 2.0)
    robot.press_emergency_stop(robot.time_s)
    send(robot, an_action("stopPause"))
    robot.advance(robot.time_s + 30.0)
    assert robot.driver.pose.x_m < 5.0


def test_turning_the_key_to_manual_clears_the_order() -> None:
    robot = a_robot()
    send(robot, an_order([A, B], actions={"B": [an_action("pick", action_id="pick", loadId="L1")]}))
    robot.set_operating_mode(OperatingMode.MANUAL, 1.0)
    robot.advance(30.0)
    state = last_state(robot)
    assert (state.node_states, state.driving, state.operating_mode) == ((), False, OperatingMode.MANUAL)
    assert status_of(state, "pick") is ActionStatus.FAILED
    robot.set_operating_mode(OperatingMode.AUTOMATIC, 31.0)
    assert robot.is_idle


def test_fatal_fault_holds_and_its_end_lets_go() -> None:
    robot = a_robot()
    send(robot, an_order([A, B]))
    robot.raise_fault("scannerDirty", "The front scanner sees nothing.", is_fatal=True, now_s=1.0)
    robot.advance(30.0)
    assert robot.driver.pose.x_m < 5.0
    assert error_types(last_state(robot)) == ["scannerDirty"]
    robot.clear_fault("scannerDirty", 31.0)
    last = finish(robot)[-1]
    assert (last.last_node_id, last.errors) == ("B", ())


def test_battery_drains_by_time_and_distance_and_fills_while_charging() -> None:
    robot = a_robot(RobotMemory(pose=Pose("L1", 0.0, 0.0), battery=0.5))
    send(robot, an_order([A, B]))
    finish(robot)
    spent = 5.0 * MODEL.drive_drain_per_m + robot.time_s * MODEL.idle_drain_per_s
    assert robot.memory.battery == pytest.approx(0.5 - spent)
    send(robot, an_order([B], order_id="order-2", actions={"B": [an_action("startCharging")]}))
    assert finish(robot)[-1].battery_state.charging
    before = robot.memory.battery
    robot.advance(robot.time_s + 100.0)
    assert robot.memory.battery == pytest.approx(before + 100.0 * MODEL.charge_per_s)


def test_driving_off_ends_charging() -> None:
    robot = a_robot()
    send(robot, an_order([A], actions={"A": [an_action("startCharging")]}))
    assert finish(robot)[-1].battery_state.charging
    send(robot, an_order([A, B], order_id="order-2"))
    assert not finish(robot)[-1].battery_state.charging


def test_empty_battery_is_a_fatal_fault() -> None:
    robot = a_robot(RobotMemory(pose=Pose("L1", 0.0, 0.0), battery=1e-5))
    send(robot, an_order([A, D]))
    robot.advance(60.0)
    assert error_types(last_state(robot)) == [BATTERY_EMPTY]
    assert robot.driver.pose.x_m < 15.0


def test_robot_takes_over_the_level_in_the_lift() -> None:
    robot = a_robot()
    lift_down, lift_up = ("lift@L1", 5.0, 0.0, "L1"), ("lift@L2", 5.0, 0.0, "L2")
    send(robot, an_order([A, lift_down, lift_up, ("D", 9.0, 0.0, "L2")]))
    seen = finish(robot)
    maps = [(state.last_node_id, state.agv_position.map_id) for state in seen if state.agv_position]
    assert ("lift@L2", "L2") in maps
    assert all(level == "L1" for node, level in maps if node == "A")
    assert seen[-1].last_node_id == "D"


def test_restarted_robot_keeps_place_battery_loads_and_numbers_and_forgets_its_order() -> None:
    robot = a_robot()
    robot.connect(0.0)
    send(robot, an_order([A, B, C], actions={"A": [an_action("pick", loadId="L7")]}))
    drive_until(robot, 6.0)
    robot.take_messages()
    woken = a_robot(memory_from_json(robot.memory.to_json()))
    woken.connect(0.0)
    state = last_state(woken)
    assert (state.order_id, state.order_update_id, state.node_states) == ("", 0, ())
    assert state.last_node_id == "B"
    assert state.agv_position is not None
    assert state.agv_position.x == robot.driver.pose.x_m
    assert [load.load_id for load in state.loads or ()] == ["L7"]
    assert state.header_id == robot.memory.header_ids["state"]
    woken.advance(600.0)
    assert woken.driver.pose == robot.driver.pose


@pytest.mark.parametrize("update_id", [0, 1])
def test_restarted_robot_does_not_take_up_its_old_order_when_it_is_sent_again(update_id: int) -> None:
    robot = a_robot()
    send(robot, an_order([A, B]))
    woken = a_robot(memory_from_json(robot.memory.to_json()))
    state = send(woken, an_order([A, B], update_id=update_id))
    assert state.errors[0].referenced("orderId") == {"order-1"}
    woken.advance(60.0)
    assert woken.driver.pose.x_m == 0.0


@pytest.mark.parametrize("payload", [b"", b"{}", b"[1]", b'{"pose": [1]}', b"\xff"])
def test_memory_that_cannot_be_read_is_refused_with_advice(payload: bytes) -> None:
    with pytest.raises(MemoryUnreadableError, match="drawers"):
        memory_from_json(payload)


def test_losing_the_link_lets_the_robot_finish_its_base_and_stand() -> None:
    robot = a_robot()
    send(robot, an_order([A, B, C], released=2))
    # Nobody takes its messages and nothing arrives for a quarter of an hour.
    robot.advance(900.0)
    assert robot.driver.pose.x_m == 5.0
    assert robot.driver.is_stopped
    robot.connect(900.0)
    assert last_state(robot).last_node_id == "B"
    send(robot, an_order([B, C], update_id=1, first_sequence=2))
    assert finish(robot)[-1].last_node_id == "C"
