"""Start robots on a machine with full ROS 2: ``ros2 launch launch/fleet.launch.py fleet:=FILE``.

The file is a JSON list of robots, each with the fields of `ros_nodes.processes.RobotProcess`. Composition and
parameters only: what a robot's process is stands there.
"""

from __future__ import annotations

from pathlib import Path

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from ros_nodes.processes import RobotProcess, processes_from_json


def generate_launch_description() -> LaunchDescription:
    """Return the description of all robots in the fleet file."""
    return LaunchDescription(
        [
            DeclareLaunchArgument("fleet", description="JSON file with one entry per robot"),
            OpaqueFunction(function=_robots),
        ]
    )


def _robots(context: LaunchContext) -> list[ExecuteProcess]:
    fleet = Path(LaunchConfiguration("fleet").perform(context))
    return [_action_of(process) for process in processes_from_json(fleet.read_text(encoding="utf-8"))]


def _action_of(process: RobotProcess) -> ExecuteProcess:
    return ExecuteProcess(
        cmd=list(process.argv), additional_env=dict(process.env), name=process.namespace, output="screen"
    )
