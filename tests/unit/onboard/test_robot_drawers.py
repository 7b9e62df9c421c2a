"""A whole robot and its drawers: what it says, when it opens, and that it stands until all is locked."""

from __future__ import annotations

import base64
import random
from collections.abc import Sequence
from datetime import timedelta

import pytest

from orchestrator.domain.custody.grant import Purpose, text_of_grant
from orchestrator.domain.fleet.model import DrawerContent, DrawerState
from orchestrator.vda5050.address import TopicKind
from orchestrator.vda5050.codec import decode_factsheet
from orchestrator.vda5050.dialect import STANDARD
from orchestrator.vda5050.drawers import declares_grants, drawers_of_information, nonce_of_information
from orchestrator.vda5050.messages import Action, ActionStatus, BlockingType, ErrorLevel, State
from ros_nodes.onboard.drawer_lock import OPEN_LONG_S, UNLATCHED_FOR_S, DrawerLock
from ros_nodes.onboard.in_process import in_process_robot
from ros_nodes.onboard.memory import RobotMemory, memory_from_json
from ros_nodes.onboard.path_following import PathFollower
from ros_nodes.onboard.path_geometry import Pose
from ros_nodes.onboard.robot import OnboardRobot
from ros_nodes.onboard.simulated_drawers import SimulatedDrawers
from tests.support.drawers import a_grant, sign, verify
from tests.support.onboard_robots import ADDRESS, EPOCH, MODEL, a_robot, an_action, an_order, finish, last_state, send

A, B, C = ("A", 0.0, 0.0), ("ward-a", 4.0, 0.0), ("C", 4.0, 3.0)


def a_locked_robot(
    hardware: SimulatedDrawers | None = None, *, memory: RobotMemory | None = None, time_s: float = 0.0
) -> tuple[OnboardRobot, SimulatedDrawers]:
    """A robot at the origin with two drawers, which nobody uses but the test."""
    hardware = hardware or SimulatedDrawers(MODEL.drawers, has_hand=False)
    lock = DrawerLock(
        drawers=MODEL.drawers,
        hardware=hardware,
        manufacturer=ADDRESS.manufacturer,
        serial_number=ADDRESS.serial_number,
        verify=verify(),
        chance=random.Random(time_s).randbytes,
    )
    robot = in_process_robot(
        address=ADDRESS,
        model=MODEL,
        memory=memory or RobotMemory(pose=Pose("L1", 0.0, 0.0, 0.0)),
        utc=lambda now_s: EPOCH + timedelta(seconds=now_s),
        time_s=time_s,
        lock=lock,
    )
    return robot, hardware


def at_the_ward() -> tuple[OnboardRobot, SimulatedDrawers, str]:
    """A robot that has driven to ward-a with tote-1 in its top drawer, and the nonce it shows there."""
    robot, hardware = a_locked_robot(
        memory=RobotMemory(pose=Pose("L1", 0.0, 0.0, 0.0), loads={"top": "tote-1"}, last_node="A")
    )
    hardware.force("top")
    hardware.put("top", is_occupied=True)
    hardware.push("top")
    send(robot, an_order([A, B]))
    finish(robot)
    state = live(robot, 2.0)
    assert state.last_node_id == "ward-a"
    return robot, hardware, nonce_of(state)


def live(robot: OnboardRobot, seconds: float) -> State:
    robot.advance(robot.time_s + seconds)
    robot.report(robot.time_s)
    return last_state(robot)


def nonce_of(state: State) -> str:
    nonce = nonce_of_information(state.information)
    assert nonce is not None
    return nonce


def to_open(nonce: str, **changes: object) -> Action:
    text = text_of_grant(a_grant(nonce, **changes))
    signature = base64.b64encode(sign(text)).decode()
    return an_action("openDrawer", blocking=BlockingType.NONE, grant=text, signature=signature)


def outcome(state: State, action: Action) -> tuple[ActionStatus, str]:
    (found,) = [each for each in state.action_states if each.action_id == action.action_id]
    return found.action_status, found.result_description or ""


def told(state: State) -> dict[str, tuple[DrawerState, DrawerContent]]:
    return {each.drawer: (each.state, each.content) for each in drawers_of_information(state.information)}


def errors(state: State) -> Sequence[tuple[str, ErrorLevel]]:
    return [(error.error_type, error.error_level) for error in state.errors if error.error_type.startswith("drawer")]


def test_a_robot_says_how_each_drawer_stands_and_shows_another_nonce_from_time_to_time() -> None:
    robot, _, nonce = at_the_ward()
    assert told(live(robot, 0.1)) == {
        "top": (DrawerState.LOCKED, DrawerContent.OCCUPIED),
        "bottom": (DrawerState.LOCKED, DrawerContent.EMPTY),
    }
    assert len(nonce) == 32
    assert nonce_of(live(robot, 25.0)) != nonce


def test_a_grant_opens_the_drawer_and_it_locks_again_once_it_is_shut() -> None:
    robot, hardware, nonce = at_the_ward()
    action = to_open(nonce)
    state = send(robot, action)
    assert outcome(state, action) == (ActionStatus.FINISHED, "opened")
    assert told(state)["top"][0] is DrawerState.OPEN
    assert nonce_of_information(state.information) is None
    assert hardware.pull("top")
    live(robot, 10.0)
    hardware.put("top", is_occupied=False)
    hardware.push("top")
    state = live(robot, 1.0)
    assert told(state)["top"] == (DrawerState.LOCKED, DrawerContent.EMPTY)
    assert not hardware.pull("top")
    assert nonce_of(state) != nonce


def test_the_same_message_twice_opens_once() -> None:
    robot, hardware, nonce = at_the_ward()
    action = to_open(nonce)
    send(robot, action)
    send(robot, action)
    assert hardware.unlatched == ["top"]


def test_a_refusal_names_its_reason_and_is_an_error_with_the_actions_id() -> None:
    robot, hardware, nonce = at_the_ward()
    action = to_open(nonce, node="ward-b")
    state = send(robot, action)
    status, result = outcome(state, action)
    assert (status, result.partition(":")[0]) == (ActionStatus.FAILED, "elsewhere")
    assert any(action.action_id in error.referenced("actionId") for error in state.errors)
    assert hardware.unlatched == []


@pytest.mark.parametrize("parameters", [{}, {"grant": "x"}, {"grant": "x", "signature": "%"}, {"signature": "eA=="}])
def test_an_action_without_a_grant_is_refused(parameters: dict[str, str]) -> None:
    robot, hardware, _ = at_the_ward()
    action = an_action("openDrawer", blocking=BlockingType.NONE, **parameters)
    assert outcome(send(robot, action), action)[0] is ActionStatus.FAILED
    assert hardware.unlatched == []


def test_an_order_waits_while_a_drawer_is_open_and_is_driven_once_it_is_locked() -> None:
    robot, hardware, nonce = at_the_ward()
    send(robot, to_open(nonce))
    hardware.pull("top")
    live(robot, 1.0)
    send(robot, an_order([B, C], order_id="order-2"))
    state = live(robot, 60.0)
    assert not state.driving
    assert state.agv_position is not None
    assert state.agv_position.y == 0.0
    assert state.order_id == "order-2"
    assert errors(state) == [("drawerOpen", ErrorLevel.WARNING)]
    hardware.push("top")
    live(robot, 1.0)
    finish(robot)
    state = live(robot, 0.1)
    assert state.last_node_id == "C"
    assert errors(state) == []


def test_a_drawer_that_stays_open_for_long_is_told_of_52() -> None:
    robot, hardware, nonce = at_the_ward()
    send(robot, to_open(nonce))
    hardware.pull("top")
    assert errors(live(robot, OPEN_LONG_S - 10.0)) == []
    assert errors(live(robot, 20.0)) == [("drawerOpen", ErrorLevel.WARNING)]


def test_a_drawer_that_nobody_pulls_locks_again() -> None:
    robot, hardware, nonce = at_the_ward()
    send(robot, to_open(nonce))
    assert told(live(robot, UNLATCHED_FOR_S - 1.0))["top"][0] is DrawerState.OPEN
    assert told(live(robot, 3.0))["top"][0] is DrawerState.LOCKED
    assert not hardware.pull("top")


def test_a_drawer_that_is_open_never_latches() -> None:
    robot, hardware, nonce = at_the_ward()
    send(robot, to_open(nonce))
    hardware.pull("top")
    assert told(live(robot, 10 * UNLATCHED_FOR_S))["top"][0] is DrawerState.OPEN
    assert hardware.switches()["top"].is_latched is False


def test_one_drawer_at_a_time_22() -> None:
    robot, hardware, nonce = at_the_ward()
    live(robot, 25.0)  # two nonces are good now
    later = nonce_of(live(robot, 0.1))
    assert later != nonce
    send(robot, to_open(later))
    second = to_open(nonce, drawer="bottom", purpose=Purpose.LOAD, load="tote-2")
    assert outcome(send(robot, second), second)[0] is ActionStatus.FAILED
    assert hardware.unlatched == ["top"]


def test_a_latch_that_does_not_let_go_fails_the_action() -> None:
    robot, hardware, nonce = at_the_ward()
    hardware.is_latch_stuck.add("top")
    action = to_open(nonce)
    assert outcome(send(robot, action), action)[0] is ActionStatus.RUNNING
    status, result = outcome(live(robot, 5.0), action)
    assert (status, result.partition(":")[0]) == (ActionStatus.FAILED, "latch")


def test_a_reboot_voids_the_nonce_and_remembers_the_place() -> None:
    robot, hardware, nonce = at_the_ward()
    memory = memory_from_json(robot.memory.to_json())
    again, _ = a_locked_robot(hardware, memory=memory, time_s=robot.time_s)
    again.connect(robot.time_s)
    state = live(again, 2.0)
    old = to_open(nonce)
    assert outcome(send(again, old), old)[1].startswith("nonce:")
    new = to_open(nonce_of(state))
    assert outcome(send(again, new), new) == (ActionStatus.FINISHED, "opened")


def test_a_drawer_that_was_open_when_the_robot_was_switched_on_is_locked_once_it_is_shut() -> None:
    robot, hardware, nonce = at_the_ward()
    send(robot, to_open(nonce))
    hardware.pull("top")
    live(robot, 1.0)
    again, _ = a_locked_robot(hardware, memory=memory_from_json(robot.memory.to_json()), time_s=robot.time_s)
    again.connect(robot.time_s)
    state = live(again, 5.0)
    assert told(state)["top"][0] is DrawerState.OPEN
    assert errors(state) == []
    hardware.push("top")
    live(again, 0.0)
    assert told(live(again, 1.0))["top"][0] is DrawerState.LOCKED


def test_a_robot_that_does_not_know_lately_that_it_stands_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    robot, hardware, nonce = at_the_ward()
    monkeypatch.setattr(PathFollower, "is_fresh", property(lambda _: False))
    live(robot, 0.1)
    action = to_open(nonce)
    assert outcome(send(robot, action), action)[0] is ActionStatus.FAILED
    assert hardware.unlatched == []


def test_a_robot_that_was_carried_elsewhere_opens_only_to_retrieve() -> None:
    robot, hardware, _ = at_the_ward()
    memory = memory_from_json(robot.memory.to_json())
    carried = RobotMemory(
        pose=Pose("L1", 9.0, 9.0, 0.0), loads=memory.loads, last_node=memory.last_node, last_place=memory.last_place
    )
    again, _ = a_locked_robot(hardware, memory=carried)
    again.connect(0.0)
    here = to_open(nonce_of(live(again, 2.0)))
    assert outcome(send(again, here), here)[1].startswith("elsewhere:")
    retrieve = to_open(nonce_of(live(again, 2.0)), purpose=Purpose.RETRIEVE, node="")
    assert outcome(send(again, retrieve), retrieve) == (ActionStatus.FINISHED, "opened")


def test_a_robot_that_drives_shows_no_nonce_and_opens_nothing() -> None:
    robot, hardware, nonce = at_the_ward()
    send(robot, an_order([B, C], order_id="order-2"))
    state = live(robot, 2.0)
    assert state.driving
    assert nonce_of_information(state.information) is None
    action = to_open(nonce)
    assert outcome(send(robot, action), action)[0] is ActionStatus.FAILED
    assert hardware.unlatched == []


@pytest.mark.parametrize("is_driving", [True, False])
def test_a_forced_drawer_stops_the_robot_until_somebody_has_seen_to_it_26(is_driving: bool) -> None:
    robot, hardware, _ = at_the_ward()
    if is_driving:
        send(robot, an_order([B, C], order_id="order-2"))
        assert live(robot, 2.0).driving
    hardware.force("bottom")
    live(robot, 0.0)
    state = live(robot, 5.0)
    assert not state.driving
    assert errors(state) == [("drawerForced", ErrorLevel.FATAL)]
    hardware.repair()
    state = live(robot, 5.0)
    assert told(state)["bottom"][0] is DrawerState.LOCKED
    assert errors(state) == [("drawerForced", ErrorLevel.FATAL)]
    assert nonce_of_information(state.information) is None
    robot.see_to_drawers(robot.time_s)
    assert errors(live(robot, 2.0)) == []


def test_a_limit_switch_that_contradicts_the_lock_counts_as_force_19() -> None:
    robot, hardware, _ = at_the_ward()
    hardware.is_switch_stuck.add("top")
    live(robot, 0.0)
    state = live(robot, 2.0)
    assert told(state)["top"][0] is DrawerState.UNKNOWN
    assert errors(state) == [("drawerForced", ErrorLevel.FATAL)]


def test_tampering_is_fatal_even_if_it_lasts_a_moment_25() -> None:
    robot, hardware, _ = at_the_ward()
    hardware.tamper("top")
    live(robot, 0.1)
    hardware.tamper("top", is_tampered=False)
    assert errors(live(robot, 5.0)) == [("drawerTampered", ErrorLevel.FATAL)]


def test_something_in_a_drawer_that_was_handed_over_fails_the_drop() -> None:
    robot, hardware, nonce = at_the_ward()
    send(robot, to_open(nonce))
    hardware.pull("top")
    live(robot, 0.1)
    hardware.push("top")
    live(robot, 1.0)
    drop = an_action("drop", loadId="tote-1", lhd="top")
    send(robot, an_order([B], order_id="order-2", actions={"ward-a": [drop]}))
    state = live(robot, 5.0)
    assert outcome(state, drop)[0] is ActionStatus.FAILED
    assert state.loads is not None
    assert [load.load_id for load in state.loads] == ["tote-1"]


def test_nothing_in_a_drawer_that_was_loaded_fails_the_pick() -> None:
    robot, hardware, nonce = at_the_ward()
    send(robot, to_open(nonce, drawer="bottom", purpose=Purpose.LOAD, load="tote-2"))
    hardware.pull("bottom")
    live(robot, 0.1)
    hardware.push("bottom")
    live(robot, 1.0)
    pick = an_action("pick", loadId="tote-2", lhd="bottom")
    send(robot, an_order([B], order_id="order-2", actions={"ward-a": [pick]}))
    assert outcome(live(robot, 5.0), pick)[0] is ActionStatus.FAILED


def test_only_a_robot_with_locks_declares_that_it_checks_grants() -> None:
    for robot, has_locks in ((a_locked_robot()[0], True), (a_robot(), False)):
        robot.connect(0.0)
        (sheet,) = [m.payload for m in robot.take_messages() if m.kind is TopicKind.FACTSHEET]
        assert declares_grants(decode_factsheet(sheet).message, STANDARD) is has_locks


def test_a_robot_without_locks_opens_nothing_and_says_nothing_of_drawers() -> None:
    robot = a_robot()
    action = to_open("00" * 16)
    state = send(robot, action)
    assert outcome(state, action)[0] is ActionStatus.FAILED
    assert state.information is None
