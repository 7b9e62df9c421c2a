"""A robot's process as data, its model file, and the launch file over both."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from orchestrator.domain.errors import InvalidInputError
from ros_nodes.model_file import ModelFileError, model_from_json, model_to_json
from ros_nodes.processes import (
    FleetFileError,
    RobotProcess,
    StartPoseError,
    namespace_of,
    processes_from_json,
    processes_to_json,
    start_pose_from_text,
    start_pose_text,
)
from tests.support.onboard_robots import MODEL

LAUNCH_FILE = Path(__file__).resolve().parents[3] / "launch" / "fleet.launch.py"


def a_process(**more: Any) -> RobotProcess:
    values: dict[str, Any] = {
        "robot_id": "R1",
        "mqtt_url": "mqtt://127.0.0.1:1883",
        "model_file": Path("models/trolley.json"),
        "state_dir": Path("var/R1"),
        "start_pose": ("L1", -2.0, 3.5, 0.25),
        **more,
    }
    return RobotProcess(**values)


def test_command_names_everything_the_robot_has_to_know() -> None:
    argv = a_process(speed_factor=8.0, serial_number="0001").argv
    assert argv[1:3] == ("-m", "ros_nodes.nodes.robot")
    assert "--id=R1" in argv
    assert "--serial=0001" in argv
    assert "--start-pose=L1,-2.0,3.5,0.25" in argv
    assert "--speed-factor=8.0" in argv
    assert "--managed" not in argv
    assert "--managed" in a_process(is_managed=True).argv


def test_ros_stays_on_this_machine() -> None:
    assert a_process(ros_domain_id=7).env["ROS_DOMAIN_ID"] == "7"
    assert a_process().env["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
    assert "ROS_DOMAIN_ID" not in a_process().env
    with pytest.raises(InvalidInputError, match="0 to 101"):
        _ = a_process(ros_domain_id=232).env


@pytest.mark.parametrize(
    ("robot_id", "namespace"), [("R1", "R1"), ("ward-bot.2", "ward_bot_2"), ("7", "robot_7"), ("", "robot_")]
)
def test_namespace_is_what_ros_allows(robot_id: str, namespace: str) -> None:
    assert namespace_of(robot_id) == namespace


def test_start_pose_survives_the_command_line_even_with_commas_in_the_level() -> None:
    pose = ("Ground, west", -2.125, 1e-9, -3.0)
    assert start_pose_from_text(start_pose_text(pose)) == pose


@pytest.mark.parametrize("text", ["", "L1", "L1,1,2", "L1,a,b,c"])
def test_start_pose_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(StartPoseError, match="LEVEL,x,y,theta"):
        start_pose_from_text(text)


def test_model_survives_its_file() -> None:
    assert model_from_json(model_to_json(MODEL)) == MODEL


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"drawers": ["a"], "wings": 2}', '{"drawers": ["a"]}'])
def test_model_file_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ModelFileError):
        model_from_json(text)


def test_fleet_file_survives() -> None:
    fleet = [a_process(), a_process(robot_id="R2", ros_domain_id=5, is_managed=True)]
    assert processes_from_json(processes_to_json(fleet)) == fleet


@pytest.mark.parametrize("text", ["", "{}x", "[1]", '[{"robot_id": "R1"}]', '[{"start_pose": ["L1", 0, 0, 0]}]'])
def test_fleet_file_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(FleetFileError, match="start_pose"):
        processes_from_json(text)


class _Named:
    """Stands for a launch class: keeps what it was made with."""

    def __init__(self, *positional: Any, **named: Any) -> None:
        self.positional = positional
        self.named = named


class _Configuration(_Named):
    def perform(self, context: dict[str, str]) -> str:
        return context[self.positional[0]]


def _double(name: str, **members: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(members)
    return module


@pytest.fixture
def launch_file(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The launch file, loaded against a double of the few names it uses."""
    doubles = {
        "launch": {"LaunchContext": dict, "LaunchDescription": list},
        "launch.actions": dict.fromkeys(("DeclareLaunchArgument", "ExecuteProcess", "OpaqueFunction"), _Named),
        "launch.substitutions": {"LaunchConfiguration": _Configuration},
    }
    for name, members in doubles.items():
        monkeypatch.setitem(sys.modules, name, _double(name, **members))
    spec = importlib.util.spec_from_file_location("fleet_launch", LAUNCH_FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_launch_file_starts_every_robot_of_the_fleet_file(launch_file: ModuleType, tmp_path: Path) -> None:
    fleet = [a_process(ros_domain_id=3), a_process(robot_id="R2")]
    file = tmp_path / "fleet.json"
    file.write_text(processes_to_json(fleet), encoding="utf-8")
    argument, function = launch_file.generate_launch_description()
    assert argument.positional == ("fleet",)
    actions = function.named["function"]({"fleet": str(file)})
    assert [action.named["cmd"] for action in actions] == [list(robot.argv) for robot in fleet]
    assert actions[0].named["additional_env"]["ROS_DOMAIN_ID"] == "3"
    assert [action.named["name"] for action in actions] == ["R1", "R2"]
    assert json.loads(file.read_text(encoding="utf-8"))[0]["robot_id"] == "R1"
