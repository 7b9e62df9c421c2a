"""One robot's process as data: what to run, and in which environment.

The demo, the tests and launch/ all start robots from this one description. Nothing here imports ROS.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import cast

from orchestrator.domain.errors import InvalidInputError

MODULE = "ros_nodes.nodes.robot"
DOMAIN_ID_MAX = 101

Place = tuple[str, float, float, float]


class FleetFileError(InvalidInputError):
    """A fleet file does not describe robots' processes."""

    code = "fleet_processes"


class StartPoseError(InvalidInputError):
    """A start pose cannot be read."""

    code = "start_pose"


@dataclass(frozen=True, slots=True)
class RobotProcess:
    """One robot: agent, driver and drawers in one process.

    Parameters
    ----------
    robot_id : str
        Id of the robot; its serial number on the link unless ``serial_number`` says otherwise, and, spelt as ROS
        allows, its namespace.
    mqtt_url : str
        Broker, ``mqtt://host:port`` or ``mqtts://user:password@host:port``.
    model_file : Path
        Robot model as JSON (`ros_nodes.model_file`).
    state_dir : Path
        Where the robot remembers pose, battery and loads; one directory per robot.
    start_pose : tuple
        Level, x and y in metres, heading in radians; used only while nothing is remembered.
    speed_factor : float
        How much faster than the wall's the robot's time runs.
    ros_domain_id : int, optional
        ROS domain; inherited from the environment when left out.
    mqtt_tls : Path, optional
        Folder with the robot's credential for ``mqtts://``: ca.crt, client.crt and client.key.
    is_plain_allowed : bool
        Whether ``mqtt://`` may leave this machine.
    grant_key : Path, optional
        File with the public half of the key that drawer grants are signed with; without it drawers have no locks.
    has_hand : bool
        Whether somebody uses the simulated drawers that are let go.
    is_managed : bool
        Whether somebody else configures and activates the agent (a lifecycle client).
    """

    robot_id: str
    mqtt_url: str
    model_file: Path
    state_dir: Path
    start_pose: Place
    speed_factor: float = 1.0
    interface_name: str = "uagv"
    manufacturer: str = "wardporter"
    serial_number: str = ""
    protocol_version: str = "2.1.0"
    ros_domain_id: int | None = None
    is_managed: bool = False
    mqtt_tls: Path | None = None
    is_plain_allowed: bool = False
    grant_key: Path | None = None
    has_hand: bool = True
    python: str = field(default_factory=lambda: sys.executable)

    @property
    def namespace(self) -> str:
        """The ROS namespace of the robot's nodes and topics."""
        return namespace_of(self.robot_id)

    @property
    def argv(self) -> tuple[str, ...]:
        """The command, program first."""
        options = {
            "--id": self.robot_id,
            "--mqtt": self.mqtt_url,
            "--model": str(self.model_file),
            "--state-dir": str(self.state_dir),
            "--start-pose": start_pose_text(self.start_pose),
            "--speed-factor": repr(self.speed_factor),
            "--interface": self.interface_name,
            "--manufacturer": self.manufacturer,
            "--serial": self.serial_number or self.robot_id,
            "--protocol-version": self.protocol_version,
        }
        # Joined by "=", because a start pose may begin with a minus sign.
        pairs = [f"{name}={value}" for name, value in options.items()]
        if self.mqtt_tls is not None:
            pairs.append(f"--mqtt-tls={self.mqtt_tls}")
        if self.grant_key is not None:
            pairs.append(f"--grant-key={self.grant_key}")
        switches = {
            "--managed": self.is_managed,
            "--mqtt-allow-plain": self.is_plain_allowed,
            "--no-hand": not self.has_hand,
        }
        return (self.python, "-m", MODULE, *pairs, *(name for name, is_on in switches.items() if is_on))

    @property
    def env(self) -> Mapping[str, str]:
        """What to add to the environment: ROS stays on this machine (design §2)."""
        added = {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST", "PYTHONUNBUFFERED": "1"}
        if self.ros_domain_id is not None:
            if not 0 <= self.ros_domain_id <= DOMAIN_ID_MAX:
                raise InvalidInputError(f"ROS domain {self.ros_domain_id} is refused: expected 0 to {DOMAIN_ID_MAX}.")
            added["ROS_DOMAIN_ID"] = str(self.ros_domain_id)
        return added


def namespace_of(robot_id: str) -> str:
    """Return ``robot_id`` as a ROS namespace: letters, digits and underscores, not starting with a digit."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", robot_id)
    return name if name[:1].isalpha() else f"robot_{name}"


def start_pose_text(pose: Place) -> str:
    """Return a start pose as the command line has it: ``LEVEL,x,y,theta``."""
    level, x_m, y_m, theta_rad = pose
    return f"{level},{x_m!r},{y_m!r},{theta_rad!r}"


def start_pose_from_text(text: str) -> Place:
    """Return the pose in ``LEVEL,x,y,theta``; a level's name may hold commas.

    Raises
    ------
    StartPoseError
        The text is not of that form.
    """
    parts = text.rsplit(",", 3)
    try:
        level, x_m, y_m, theta_rad = parts[0], *(float(part) for part in parts[1:])
        return level, x_m, y_m, theta_rad
    except ValueError as error:
        raise StartPoseError(
            f"Start pose {text!r} is refused: expected LEVEL,x,y,theta such as L1,2.0,3.5,0."
        ) from error


def processes_to_json(processes: Sequence[RobotProcess]) -> str:
    """Return the robots' processes as JSON, for `processes_from_json`; the interpreter is the reader's own."""
    names = [field.name for field in fields(RobotProcess) if field.name != "python"]
    rows = [{name: getattr(process, name) for name in names} for process in processes]
    return json.dumps(rows, indent=2, default=str)


def processes_from_json(text: str) -> list[RobotProcess]:
    """Return the robots in a JSON list, each an object with the fields of `RobotProcess`.

    Raises
    ------
    FleetFileError
        Not JSON, or a robot lacks a field or has one we do not know.
    """
    try:
        rows = cast("list[dict[str, object]]", json.loads(text))
        return [_process_of(row) for row in rows]
    except (ValueError, KeyError, TypeError) as error:
        raise FleetFileError(
            f"The fleet file is refused ({error}): expected a JSON list of robots with robot_id, mqtt_url, model_file,"
            " state_dir and start_pose (level, x, y, heading)."
        ) from error


def _process_of(row: Mapping[str, object]) -> RobotProcess:
    level, x_m, y_m, theta_rad = cast("tuple[str, float, float, float]", row["start_pose"])
    typed = {
        **row,
        "model_file": Path(str(row["model_file"])),
        "state_dir": Path(str(row["state_dir"])),
        "mqtt_tls": Path(str(row["mqtt_tls"])) if row.get("mqtt_tls") else None,
        "grant_key": Path(str(row["grant_key"])) if row.get("grant_key") else None,
        "start_pose": (str(level), float(x_m), float(y_m), float(theta_rad)),
    }
    return RobotProcess(**typed)  # pyright: ignore[reportArgumentType]  # names are checked by the call itself
