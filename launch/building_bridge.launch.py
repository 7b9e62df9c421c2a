"""Start the Open-RMF bridge.

``ros2 launch launch/building_bridge.launch.py mqtt:=URL site:=ID doors:=a,b lifts:=c``
"""

from __future__ import annotations

import sys

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction
from launch.substitutions import LaunchConfiguration


def generate_launch_description() -> LaunchDescription:
    """Return the description of one bridge."""
    return LaunchDescription(
        [
            DeclareLaunchArgument("mqtt", description="broker, mqtt://host:port"),
            DeclareLaunchArgument("site", description="id of the site, as in the site file"),
            DeclareLaunchArgument("doors", default_value="", description="names of doors, commas between"),
            DeclareLaunchArgument("lifts", default_value="", description="names of lifts, commas between"),
            OpaqueFunction(function=_bridge),
        ]
    )


def _bridge(context: LaunchContext) -> list[ExecuteProcess]:
    said = {name: LaunchConfiguration(name).perform(context) for name in ("mqtt", "site", "doors", "lifts")}
    command = [sys.executable, "-m", "ros_nodes.nodes.building_bridge", "--mqtt", said["mqtt"], "--site", said["site"]]
    for option, names in (("--door", said["doors"]), ("--lift", said["lifts"])):
        command += [word for name in names.split(",") if name for word in (option, name)]
    return [ExecuteProcess(cmd=command, name="building_bridge", output="screen")]
