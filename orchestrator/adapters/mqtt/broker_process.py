"""What runs inside the broker's own process: amqtt on one loopback listener, until a signal ends it.

The process is on its own: whoever started it may die. It holds a lock on a file in its folder for as long as it lives
(the kernel gives the lock back however it ends), and beside it writes where it listens, so that the next
orchestrator finds it. MQTT 3.1.1, QoS 0 and 1, retained messages, last wills; nothing outlives the process.

A last will is sent when a client's socket dies. A client that is silent with its socket open gets none from amqtt:
health is judged by the age of a robot's state, never by the will alone.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import fcntl
import logging
import os
import signal
import sys
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType

from orchestrator.adapters.mqtt.broker_place import (
    FOLDER_TAKEN_EXIT,
    LOCK_FILE,
    LOG_FILE,
    PLACE_FILE,
    PORT_TAKEN_EXIT,
    BrokerPlace,
    refuse_beyond_loopback,
)
from orchestrator.adapters.mqtt.errors import BrokerNotLoopbackError

LOCK_WAIT_S = 2.0
SHUTDOWN_WAIT_S = 3.0

_LISTENER = "default"


def main(arguments: list[str] | None = None) -> int:
    """Run a broker in this process until a signal ends it.

    Returns
    -------
    int
        Exit code: 0 when ended by a signal, ``PORT_TAKEN_EXIT`` or ``FOLDER_TAKEN_EXIT`` when it could not start.
    """
    parser = argparse.ArgumentParser(description="Run an MQTT broker on the loopback address.")
    parser.add_argument("--bind", default="127.0.0.1", help="loopback address to listen on")
    parser.add_argument("--port", type=int, default=0, help="TCP port; 0 takes a free one")
    parser.add_argument("--folder", type=Path, default=Path("var/broker"), help="where lock, place and log are kept")
    options = parser.parse_args(arguments)
    try:
        refuse_beyond_loopback(options.bind)
    except BrokerNotLoopbackError as refusal:
        parser.error(refusal.message)
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    # A bare descriptor, closed by nobody but the kernel: the folder stays locked until the very end of the process.
    lock = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    if not _take_lock(lock):
        print(f"another broker runs from the folder {folder}", file=sys.stderr)
        return FOLDER_TAKEN_EXIT
    (folder / PLACE_FILE).unlink(missing_ok=True)  # from here on a place file is the place of this process
    _log_to(folder / LOG_FILE)
    try:
        asyncio.run(_serve(host=options.bind, port=options.port, folder=folder))
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
            raise
        print(error.strerror or str(error), file=sys.stderr)
        return PORT_TAKEN_EXIT
    return 0


def _take_lock(lock: int) -> bool:
    """Take the lock for the life of the process; somebody who only looks at it holds it for an instant."""
    deadline_s = time.monotonic() + LOCK_WAIT_S
    while time.monotonic() < deadline_s:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            return True
    return False


def _log_to(path: Path) -> None:
    """Keep the broker's warnings in a file that cannot fill the disk."""
    handler = RotatingFileHandler(path, maxBytes=1_000_000, backupCount=1, encoding="utf-8")
    logging.basicConfig(
        level=logging.WARNING, handlers=[handler], format="%(asctime)s %(levelname)s %(name)s %(message)s", force=True
    )


async def _serve(*, host: str, port: int, folder: Path) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)

    config = BrokerConfig(
        # amqtt handles connections, the listener is ours: so a free port is known without a race.
        listeners={_LISTENER: ListenerConfig(type=ListenerType.EXTERNAL)},
        plugins={"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    )
    broker = Broker(config)
    await broker.start()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await broker.external_connected(StreamReaderAdapter(reader), StreamWriterAdapter(writer), _LISTENER)

    server = await asyncio.start_server(connected, host, port, reuse_address=True)
    listening_host, listening_port = server.sockets[0].getsockname()[:2]
    _announce(BrokerPlace(host=str(listening_host), port=int(listening_port), pid=os.getpid()), folder)
    await ended.wait()
    server.close()
    try:
        await asyncio.wait_for(broker.shutdown(), SHUTDOWN_WAIT_S)
    except TimeoutError:
        logging.getLogger(__name__).warning("clients did not let go in time; ending without them")


def _announce(place: BrokerPlace, folder: Path) -> None:
    """Write the place for later finders, then tell the starter, then need nobody's pipes any more."""
    draft = folder / f"{PLACE_FILE}.draft"
    draft.write_text(place.to_json() + "\n", encoding="utf-8")
    draft.replace(folder / PLACE_FILE)
    try:
        print(place.to_json(), flush=True)
    except BrokenPipeError:
        logging.getLogger(__name__).warning("whoever started this broker is gone; it goes on")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


if __name__ == "__main__":
    sys.exit(main())
