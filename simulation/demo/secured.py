"""A demonstration over TLS: an authority, a certificate each, and Mosquitto with the generated configuration."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.adapters.pki.authority import Authority
from orchestrator.adapters.pki.deployment import BrokerPlan, keep_plan, write_broker_files
from orchestrator.adapters.pki.identity import BROKER, SERVICE, Identity, IdentityKind
from orchestrator.adapters.pki.mosquitto import CONFIG_FILE
from orchestrator.domain.errors import InvalidInputError, WardporterError
from orchestrator.domain.fleet.model import Robot, RobotId
from simulation.demo.processes import Child, Credentials

HOST = "127.0.0.1"
START_LIMIT_S = 20.0
_SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"  # an ordinary user's PATH leaves them out


class NoMosquittoError(InvalidInputError):
    """Mosquitto was asked for and is not on this machine."""

    code = "no_mosquitto"


class BrokerNotStartedError(WardporterError):
    """Mosquitto was started and does not answer."""

    code = "broker_not_started"


class SecuredBroker:
    """Mosquitto over TLS for one demonstration, and everybody's credential.

    Parameters
    ----------
    folder : Path
        Where authority, certificates and the broker's files are made.
    site : str
        Id of the site.
    robots : iterable of Robot
        Who gets a certificate.
    port : int
        Free TCP port on loopback.
    logs : Path
        Where the broker's log goes.

    Raises
    ------
    NoMosquittoError
        There is no Mosquitto on this machine.
    """

    def __init__(self, folder: Path, *, site: str, robots: Iterable[Robot], port: int, logs: Path) -> None:
        program = _mosquitto()
        self._authority = Authority.create(folder, name="demonstration", now=lambda: datetime.now(UTC))
        # The folder is closed to other accounts, so Mosquitto stays with ours.
        account = pwd.getpwuid(os.geteuid()).pw_name
        self._plan = BrokerPlan((HOST,), site, listen=HOST, port=port, user=account)
        keep_plan(self._authority, self._plan)
        self._authority.issue(BROKER, hosts=self._plan.hosts)
        self._authority.issue(SERVICE)
        self._robots = list(robots)
        for robot in self._robots:
            self._authority.issue(_identity(robot.id))
        write_broker_files(self._authority, self._plan, self._robots)
        configuration = self._authority.broker_folder / CONFIG_FILE
        self._child = Child("mosquitto", [program, "-c", str(configuration)], env={}, logs=logs)

    @property
    def url(self) -> str:
        """The address for service and robots."""
        return self._plan.url

    @property
    def credentials(self) -> Credentials:
        """Everybody's files."""
        robots = {robot.id: self._authority.folder_of(_identity(robot.id)) for robot in self._robots}
        return Credentials(service=self._authority.folder_of(SERVICE), robots=robots)

    def start(self) -> None:
        """Start it and return when it accepts connections.

        Raises
        ------
        BrokerNotStartedError
            It does not within ``START_LIMIT_S``.
        """
        self._child.start()
        deadline_s = time.monotonic() + START_LIMIT_S
        while not _accepts(self._plan.port):
            if time.monotonic() > deadline_s or not self._child.is_running:
                raise BrokerNotStartedError(f"Mosquitto does not answer; it said:\n{self._child.last_words()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it."""
        self._child.end()


def _identity(robot: RobotId) -> Identity:
    return Identity(IdentityKind.ROBOT, robot)


def _mosquitto() -> str:
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), _SYSTEM_FOLDERS])
    program = shutil.which("mosquitto", path=path)
    if program is None:
        raise NoMosquittoError(
            "A demonstration over TLS needs Mosquitto, which is not on this machine. Install it, on Debian with "
            "`apt-get install mosquitto`, or leave out --tls: then the broker of our own is used, on loopback only."
        )
    return program


def _accepts(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1.0):
            return True
    except OSError:
        return False
