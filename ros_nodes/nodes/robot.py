"""One robot's process: agent, kinematic driver and drawers together. ``python -m ros_nodes.nodes.robot --help``."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from orchestrator.adapters.mqtt.broker_address import BrokerLink, TlsFiles
from orchestrator.domain.errors import WardporterError
from orchestrator.vda5050.address import RobotAddress
from ros_nodes.model_file import model_from_json
from ros_nodes.nodes.contents_file import ContentsFile
from ros_nodes.nodes.drawer import DrawerNode
from ros_nodes.nodes.kinematic_driver import KinematicDriver, driver_parameters
from ros_nodes.nodes.memory_file import MemoryFile
from ros_nodes.nodes.robot_agent import AgentSettings, RobotAgent
from ros_nodes.onboard.grant_key import verifier
from ros_nodes.onboard.memory import RobotMemory
from ros_nodes.onboard.path_geometry import Pose
from ros_nodes.processes import namespace_of, start_pose_from_text

_BAD_START = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a robot until SIGTERM or SIGINT; 0 after a proper end, 1 when ROS died, 2 when it could not start."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    options = _parser().parse_args(arguments)
    try:
        settings = _settings(options)
    except (WardporterError, OSError) as error:
        print(f"robot {options.id}: {error}", file=sys.stderr)  # noqa: T201  # there is no logger yet
        return _BAD_START
    return _run(settings, is_managed=options.managed, has_hand=not options.no_hand, stop=stop)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ros_nodes.nodes.robot", description="One robot on ROS 2.")
    parser.add_argument("--id", required=True, help="robot id; becomes the ROS namespace")
    parser.add_argument("--mqtt", required=True, help="broker, mqtt://host:port or mqtts://host:port")
    parser.add_argument("--mqtt-tls", type=Path, help="folder with ca.crt, client.crt and client.key for mqtts://")
    parser.add_argument("--mqtt-allow-plain", action="store_true", help="let mqtt:// leave this machine")
    parser.add_argument("--model", required=True, type=Path, help="robot model, JSON")
    parser.add_argument("--state-dir", required=True, type=Path, help="where the robot remembers pose and loads")
    parser.add_argument("--start-pose", required=True, help="LEVEL,x,y,theta while nothing is remembered")
    parser.add_argument("--speed-factor", type=float, default=1.0, help="how much faster time runs on board")
    parser.add_argument("--interface", default="uagv", help="first level of the MQTT topics")
    parser.add_argument("--manufacturer", default="wardporter")
    parser.add_argument("--serial", default="", help="serial number on the link; the id when left out")
    parser.add_argument("--protocol-version", default="2.1.0", help="VDA 5050 version, 2.0.0 or 2.1.0")
    parser.add_argument("--grant-key", type=Path, help="public key of drawer grants; without it drawers have no locks")
    parser.add_argument("--no-hand", action="store_true", help="let nobody use the simulated drawers")
    parser.add_argument("--managed", action="store_true", help="wait for a lifecycle client to configure and activate")
    # ros2 launch appends its own arguments, which rclpy reads.
    parser.add_argument("--ros-args", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def _settings(options: argparse.Namespace) -> AgentSettings:
    level, x_m, y_m, theta_rad = start_pose_from_text(options.start_pose)
    start = RobotMemory(pose=Pose(level, x_m, y_m, theta_rad))
    address = RobotAddress(
        interface_name=options.interface,
        manufacturer=options.manufacturer,
        serial_number=options.serial or options.id,
        version=options.protocol_version,
    )
    broker = BrokerLink(
        url=options.mqtt,
        client_id=f"robot-{address.manufacturer}-{address.serial_number}",
        tls=TlsFiles.in_folder(options.mqtt_tls) if options.mqtt_tls is not None else None,
        is_plain_allowed=options.mqtt_allow_plain,
    )
    broker.check()
    return AgentSettings(
        namespace=namespace_of(options.id),
        address=address,
        model=model_from_json(options.model.read_text(encoding="utf-8")),
        broker=broker,
        state_dir=options.state_dir,
        start=MemoryFile(options.state_dir).load() or start,
        speed_factor=options.speed_factor,
        grant_key=_grant_key(options.grant_key),
    )


def _grant_key(path: Path | None) -> str | None:
    """Return the public key in a file, once it is known to be one."""
    if path is None:
        return None
    text = path.read_text(encoding="utf-8").strip()
    verifier(text)
    return text


def _run(settings: AgentSettings, *, is_managed: bool, has_hand: bool, stop: threading.Event) -> int:
    # rclpy's own handlers lose signals now and then; ours only set an event.
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    start = settings.start
    parameters = driver_parameters(
        settings.model, pose=start.pose, battery=start.battery, speed_factor=settings.speed_factor
    )
    driver = KinematicDriver(namespace=settings.namespace, parameters=parameters)
    agent = RobotAgent(settings)
    others: list[Node] = [driver]
    if settings.grant_key is not None:
        others.append(
            DrawerNode(
                namespace=settings.namespace,
                names=settings.model.drawers,
                contents=ContentsFile(settings.state_dir),
                occupied=tuple(start.loads),
                speed_factor=settings.speed_factor,
                has_hand=has_hand,
            )
        )
    executor = SingleThreadedExecutor()
    for node in (*others, agent):
        executor.add_node(node)
    if not is_managed:
        agent.trigger_configure()
        agent.trigger_activate()
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    while not stop.wait(0.2) and thread.is_alive():
        pass
    has_died = not stop.is_set()
    # This order matters: a spin thread that is not joined aborts the process at its end.
    executor.shutdown(timeout_sec=2)
    thread.join(5)
    agent.close()
    agent.destroy_node()
    for node in others:
        node.destroy_node()
    rclpy.try_shutdown()  # pyright: ignore[reportPrivateImportUsage]  # public in the documentation
    return 1 if has_died or thread.is_alive() else 0


if __name__ == "__main__":
    sys.exit(main())
