"""The broker that is used when nobody names another: a child process that outlives its parent.

``ChildBroker`` finds, starts and ends it; ``keep_running`` watches over it. The child is in a session of its own, so
neither Ctrl-C in a terminal nor a kill -9 of the orchestrator takes it along, and robots stay connected while the
orchestrator restarts. A restarted orchestrator finds the broker by the lock and the place file in its folder.

Run alone: ``python -m orchestrator.adapters.mqtt.broker --port 1883 --bind 127.0.0.1 --folder var/broker``.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import structlog

from orchestrator.adapters.mqtt.broker_place import (
    LOCK_FILE,
    LOG_FILE,
    PLACE_FILE,
    PORT_TAKEN_EXIT,
    BrokerPlace,
    refuse_beyond_loopback,
)
from orchestrator.adapters.mqtt.errors import (
    BrokerElsewhereError,
    BrokerError,
    BrokerPortTakenError,
)

_log = structlog.get_logger(__name__)

START_LIMIT_S = 30.0
STOP_LIMIT_S = 5.0
ANSWER_LIMIT_S = 2.0

LOOK_EVERY_S = 0.2
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 10.0
STEADY_AFTER_S = 30.0

_ERRORS_FILE = "broker.err"
_CONNECT = b"\x10\x15\x00\x04MQTT\x04\x02\x00\x0a\x00\x09is-it-up?"
_CONNACK_ACCEPTED = b"\x20\x02\x00\x00"
_DISCONNECT = b"\xe0\x00"


class ChildBroker:
    """One broker process per folder, found or started, ended only when told to.

    Thread-safe: ``start`` and ``stop`` block (seconds at most) and exclude each other; call them from a thread when an
    event loop is running. Calling either twice is harmless. The folder must be on a local disk.

    Parameters
    ----------
    folder : Path
        Where the broker keeps its lock, place and log; made when missing. Two folders are two brokers.
    host : str
        Loopback address to listen on; the broker knows no passwords and refuses any other.
    port : int
        TCP port; 0 takes the one it last had in this folder, else a free one.

    Raises
    ------
    BrokerNotLoopbackError
        ``host`` is not a loopback address.
    """

    def __init__(self, folder: Path, *, host: str = "127.0.0.1", port: int = 0) -> None:
        refuse_beyond_loopback(host)
        self._folder = folder.absolute()
        self._host = host
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._one_at_a_time = threading.Lock()

    def running(self) -> BrokerPlace | None:
        """Place of the broker that lives in this folder now, whoever started it; None when there is none."""
        if self._process is not None:
            self._process.poll()  # reaps it, if it ended
        return self._last_place() if self._is_alive() else None

    def start(self) -> BrokerPlace:
        """Find the broker or start it, and return when it answers.

        Raises
        ------
        BrokerPortTakenError
            Something else listens on the port.
        BrokerElsewhereError
            A broker runs from this folder on another port than the one asked for.
        BrokerError
            It did not come up in time.
        """
        with self._one_at_a_time:
            place = self._found() or self._started()
            deadline_s = time.monotonic() + START_LIMIT_S
            while not _answers(place):
                if time.monotonic() > deadline_s or not self._is_alive():
                    raise self._failure(f"The broker at {place.url} was started but does not answer")
                time.sleep(0.02)
            return place

    def stop(self) -> None:
        """End the broker of this folder, whoever started it; nothing happens when there is none.

        Raises
        ------
        BrokerError
            It lives on, also after SIGKILL.
        """
        with self._one_at_a_time:
            for number in (signal.SIGTERM, signal.SIGKILL):
                place = self.running()
                if place is not None:
                    with suppress(ProcessLookupError):
                        os.kill(place.pid, number)
                    _wait_until(lambda: self.running() is None, limit_s=STOP_LIMIT_S)
            if self.running() is not None:
                raise self._failure("The broker does not end, not even by SIGKILL")
            self._reap()

    def _reap(self) -> None:
        """Take leave of our own child, which holds its lock until its very end."""
        if self._process is not None:
            self._process.wait(STOP_LIMIT_S)
            self._process = None

    def _is_alive(self) -> bool:
        try:
            with (self._folder / LOCK_FILE).open("r") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def _last_place(self) -> BrokerPlace | None:
        try:
            return BrokerPlace.from_json((self._folder / PLACE_FILE).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None

    def _found(self) -> BrokerPlace | None:
        """Broker that lives already; one that somebody else is just starting is waited for."""
        _wait_until(lambda: not self._is_alive() or self._last_place() is not None, limit_s=START_LIMIT_S)
        place = self.running()
        if place is not None and self._port not in (0, place.port):
            raise BrokerElsewhereError(
                f"Port {self._port} was asked for, but the broker of {self._folder} already runs on port {place.port}. "
                f"Ask for port {place.port}, end that broker (process {place.pid}), or use another folder.",
                detail={"asked": self._port, "found": place.port},
            )
        return place

    def _started(self) -> BrokerPlace:
        if self._port:
            return self._spawned(self._port)
        last = self._last_place()
        if last is not None:
            # Robots that outlived the last broker know this port.
            with suppress(BrokerPortTakenError):
                return self._spawned(last.port)
        return self._spawned(0)

    def _spawned(self, port: int) -> BrokerPlace:
        self._reap()
        self._folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "orchestrator.adapters.mqtt.broker_process"]
        command += ["--bind", self._host, "--port", str(port), "--folder", str(self._folder)]
        with (self._folder / _ERRORS_FILE).open("wb") as errors:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
            )
        try:
            line = _first_line(process, limit_s=START_LIMIT_S)
        except BaseException:
            # Ctrl-C while it comes up: it holds no lock yet, so ``stop`` would not find it and it would live on.
            process.kill()
            process.wait()
            raise
        if line:
            self._process = process
            return BrokerPlace.from_json(line.decode())
        process.kill()
        if process.wait() == PORT_TAKEN_EXIT:
            raise BrokerPortTakenError(
                f"Port {port} on {self._host} is taken or not allowed ({self._errors()}), so the broker cannot listen "
                "there. End what listens on it, choose another port, or name a running broker in WARDPORTER_MQTT_URL.",
                detail={"host": self._host, "port": port},
            )
        raise self._failure("The broker did not come up")

    def _errors(self) -> str:
        lines = (self._folder / _ERRORS_FILE).read_text(encoding="utf-8", errors="replace").split("\n")
        return " ".join(line.strip() for line in lines[-4:]).strip()

    def _failure(self, what: str) -> BrokerError:
        return BrokerError(
            f"{what}. Look into {self._folder / LOG_FILE}, or name another broker in WARDPORTER_MQTT_URL. "
            f"It said: {self._errors() or 'nothing'}",
            detail={"folder": str(self._folder)},
        )


async def keep_running(broker: ChildBroker, *, told: Callable[[BrokerPlace], None] = lambda _place: None) -> NoReturn:
    """Start the broker again whenever it dies, waiting longer each time it dies soon; ends by cancellation only.

    Parameters
    ----------
    broker : ChildBroker
        The one to watch; started first when it does not run.
    told : callable
        Called with the place after each start, in the event loop.
    """
    wait_s = FIRST_WAIT_S
    up_since_s = time.monotonic()
    while True:
        if broker.running() is not None:
            if time.monotonic() - up_since_s > STEADY_AFTER_S:
                wait_s = FIRST_WAIT_S
            await asyncio.sleep(LOOK_EVERY_S)
            continue
        try:
            place = await asyncio.to_thread(broker.start)
        except BrokerError as error:
            _log.error("broker_not_started", code=error.code, reason=error.message, next_try_s=wait_s)
        else:
            _log.info("broker_started", url=place.url, pid=place.pid)
            up_since_s = time.monotonic()
            told(place)
        await asyncio.sleep(wait_s)
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)


def _answers(place: BrokerPlace) -> bool:
    """Whether an MQTT connection is accepted there."""
    try:
        with socket.create_connection((place.host, place.port), timeout=ANSWER_LIMIT_S) as probe:
            probe.sendall(_CONNECT)
            answer = probe.recv(len(_CONNACK_ACCEPTED))
            if answer == _CONNACK_ACCEPTED:
                probe.sendall(_DISCONNECT)
            return answer == _CONNACK_ACCEPTED
    except OSError:
        return False


def _first_line(process: subprocess.Popen[bytes], *, limit_s: float) -> bytes:
    """First line the process prints; empty when it ends or is silent for too long."""
    if process.stdout is None:
        return b""
    with process.stdout as printed:
        is_ready, _, _ = select.select([printed], [], [], limit_s)
        return printed.readline() if is_ready else b""


def _wait_until(is_so: Callable[[], bool], *, limit_s: float) -> None:
    deadline_s = time.monotonic() + limit_s
    while not is_so() and time.monotonic() < deadline_s:
        time.sleep(0.02)


if __name__ == "__main__":
    from orchestrator.adapters.mqtt.broker_process import main

    sys.exit(main())
