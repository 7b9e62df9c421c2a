"""The processes of a demonstration: the service and one process a robot, started, watched, and ended again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.errors import WardporterError
from orchestrator.domain.fleet.model import RobotId
from simulation.demo.stage import Stage

END_LIMIT_S = 10.0
RESTARTS_MAX = 5
# The wheels of ROS 2 set these once per virtual environment; a child has to find its own.
_OF_THE_PARENT_ONLY = ("_ROS_WHEELS_BOOTSTRAP_COMPLETE", "LD_LIBRARY_PATH")


class ProcessEndedError(WardporterError):
    """A process of the demonstration has ended by itself."""

    code = "process_ended"


class Child:
    """One child process in a session of its own, its output in a log file.

    Parameters
    ----------
    name : str
        For people and for the log's file name.
    argv : sequence of str
        The command.
    env : mapping
        What to add to the environment.
    logs : Path
        Folder of the log.
    """

    def __init__(self, name: str, argv: Sequence[str], *, env: Mapping[str, str], logs: Path) -> None:
        self.name = name
        self._argv = list(argv)
        self._env = {k: v for k, v in os.environ.items() if k not in _OF_THE_PARENT_ONLY} | dict(env)
        logs.mkdir(parents=True, exist_ok=True)
        self.log = logs / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or start it again after it ended."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._argv, env=self._env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    @property
    def pid(self) -> int:
        """Process id of the running child."""
        assert self._process is not None, "a child that was not started has no pid"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End it as a power cut would: SIGKILL, no farewell."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(END_LIMIT_S)

    def end(self) -> None:
        """Ask it to end, and see that it does."""
        self.ask_to_end()
        self.see_end()

    def ask_to_end(self) -> None:
        """Ask it to end; it may take its time."""
        self._signal(signal.SIGTERM)

    def see_end(self) -> None:
        """Wait until it has ended; killed when that takes longer than ``END_LIMIT_S``."""
        if self._process is None:
            return
        try:
            self._process.wait(END_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def last_words(self, lines: int = 12) -> str:
        """Return the end of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, number)


def end_all(children: Sequence[Child]) -> None:
    """End several children together; nobody is left behind, whatever interrupts the waiting.

    All are asked before one is waited for: on a busy machine each may need seconds, and people who pressed Ctrl-C
    wait for the slowest, not for the sum. Pressed once more, it ends the waiting, not the ending.
    """
    try:
        for child in children:
            child.ask_to_end()
        for child in children:
            child.see_end()
    finally:
        for child in children:
            child.kill()


@dataclass(frozen=True, slots=True)
class Credentials:
    """Folders with the three files of each party, for a broker that asks for them."""

    service: Path
    robots: Mapping[RobotId, Path]


class Company:
    """The service and the robots of one stage.

    Parameters
    ----------
    stage : Stage
        The files they read.
    mqtt_url : str
        Broker of robots and service.
    is_broker_ours : bool
        Whether the service keeps its own child broker (then it finds the broker by its folder) or is told the url.
    ros_domain_id : int, optional
        ROS domain of the robots.
    credentials : Credentials, optional
        Everybody's files, for a broker over TLS.
    """

    def __init__(
        self,
        stage: Stage,
        *,
        mqtt_url: str,
        is_broker_ours: bool,
        ros_domain_id: int | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        logs = stage.folder / "logs"
        env = dict(stage.service_env)
        if not is_broker_ours:
            env["WARDPORTER_MQTT_URL"] = mqtt_url
        if credentials is not None:
            env["WARDPORTER_MQTT_TLS"] = str(credentials.service)
        self.service = Child("service", [sys.executable, "-m", "orchestrator.cli", "serve"], env=env, logs=logs)
        self.robots: dict[RobotId, Child] = {}
        self._restarts: dict[str, int] = {}
        for robot in stage.cast.robots:
            tls = credentials.robots[robot.id] if credentials is not None else None
            process = stage.robot_process(robot, mqtt_url=mqtt_url, ros_domain_id=ros_domain_id, mqtt_tls=tls)
            self.robots[robot.id] = Child(robot.id, process.argv, env=process.env, logs=logs)

    @property
    def children(self) -> tuple[Child, ...]:
        """Everybody."""
        return (self.service, *self.robots.values())

    def start(self) -> None:
        """Start everybody."""
        for child in self.children:
            child.start()

    def end(self) -> None:
        """End everybody."""
        end_all(self.children)

    def keep_up(self) -> None:
        """Start again whoever has ended, as a supervisor of services would, but not for ever.

        Raises
        ------
        ProcessEndedError
            A process has ended for the ``RESTARTS_MAX``-th time.
        """
        for child in self.children:
            if not child.is_running:
                self._restarts[child.name] = self._restarts.get(child.name, 0) + 1
                if self._restarts[child.name] > RESTARTS_MAX:
                    self.check()
                child.start()

    def check(self) -> None:
        """Refuse to go on when somebody has ended.

        Raises
        ------
        ProcessEndedError
            Names the process and quotes the end of its log.
        """
        for child in self.children:
            if not child.is_running:
                raise ProcessEndedError(f"{child.name} has ended; its log {child.log} says:\n{child.last_words()}")
