"""Maps on board: what a robot does when it is told which map to enable and where it stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.fleet.model import MapSwitch
from orchestrator.vda5050.codec import decode_factsheet
from orchestrator.vda5050.messages import Action, ActionParameter, ActionStatus, BlockingType, MapStatus
from ros_nodes.onboard.in_process import in_process_robot
from ros_nodes.onboard.memory import RobotMemory
from ros_nodes.onboard.path_geometry import Pose
from ros_nodes.onboard.robot import OnboardRobot
from tests.support.onboard_robots import (
    ADDRESS,
    EPOCH,
    MODEL,
    a_robot,
    an_order,
    finish,
    send,
    status_of,
)

A, B = ("A", 0.0, 0.0), ("B", 5.0, 0.0)


def told_robot(switch: MapSwitch) -> OnboardRobot:
    return in_process_robot(
        address=ADDRESS,
        model=replace(MODEL, map_switch=switch),
        memory=RobotMemory(pose=Pose("L1", 0.0, 0.0, 0.0)),
        utc=lambda now_s: EPOCH + timedelta(seconds=now_s),
    )


def an_init_position(action_id: str = "init", *, level: str = "L2", x: object = 1.0) -> Action:
    values = {"x": x, "y": 2.0, "theta": 0.5, "mapId": level, "lastNodeId": "cabin-L2"}
    return _action("initPosition", action_id, values)


def an_enable_map(action_id: str = "enable", **values: object) -> Action:
    return _action("enableMap", action_id, values or {"mapId": "L2", "mapVersion": "7"})


def _action(kind: str, action_id: str, values: dict[str, object]) -> Action:
    parameters = tuple(ActionParameter(key=key, value=value) for key, value in values.items())  # type: ignore[arg-type]
    return Action(action_type=kind, action_id=action_id, blocking_type=BlockingType.HARD, action_parameters=parameters)


def test_a_robot_that_is_told_stands_on_the_other_map_with_the_node_it_was_told() -> None:
    robot = told_robot(MapSwitch.INIT_POSITION)
    state = send(robot, an_init_position())
    assert state.agv_position is not None
    assert (state.agv_position.map_id, state.agv_position.x, state.agv_position.y) == ("L2", 1.0, 2.0)
    assert state.last_node_id == "cabin-L2"
    assert status_of(state, "init") is ActionStatus.FINISHED


def test_a_robot_with_maps_to_enable_takes_no_position_on_one_that_is_not() -> None:
    robot = told_robot(MapSwitch.ENABLE_MAP_AND_INIT_POSITION)
    assert status_of(send(robot, an_init_position("early")), "early") is ActionStatus.FAILED

    send(robot, an_enable_map())
    state = send(robot, an_init_position("late"))
    assert status_of(state, "late") is ActionStatus.FINISHED
    assert state.maps is not None
    assert [(m.map_id, m.map_version, m.map_status) for m in state.maps] == [
        ("L1", "1", MapStatus.DISABLED),
        ("L2", "7", MapStatus.ENABLED),
    ]


@pytest.mark.parametrize(
    "action",
    [
        an_init_position(x="one"),
        an_init_position(x=True),
        an_init_position(level=""),
        an_enable_map(mapId="L2"),
        an_enable_map(mapVersion="1"),
    ],
)
def test_what_is_not_whole_fails_and_changes_nothing(action: Action) -> None:
    robot = told_robot(MapSwitch.ENABLE_MAP_AND_INIT_POSITION)
    state = send(robot, action)
    assert status_of(state, action.action_id) is ActionStatus.FAILED
    assert state.agv_position is not None
    assert state.agv_position.map_id == "L1"


def test_a_robot_with_an_order_to_drive_takes_no_other_position() -> None:
    robot = a_robot()
    send(robot, an_order([A, B]))
    assert status_of(send(robot, an_init_position()), "init") is ActionStatus.FAILED
    state = finish(robot)[-1]
    assert state.agv_position is not None
    assert (state.agv_position.map_id, state.agv_position.x) == ("L1", 5.0)


def test_the_factsheet_lists_what_a_robot_may_be_told() -> None:
    robot = a_robot()
    robot.connect(0.0)
    sheet = decode_factsheet(robot.take_messages()[1].payload).message
    offered = {action.action_type for action in sheet.protocol_features.agv_actions}
    assert {"initPosition", "enableMap"} <= offered
