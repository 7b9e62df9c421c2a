"""Numbers that only one test on this machine may use at a time: ROS domains and TCP ports.

Test runs beside each other (workers of one run, or two people on one machine) must not meet on a ROS domain or a
port. A number is claimed by a lock on a file named after it; the kernel gives it back when the holder ends,
however it ends.
"""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROS_DOMAINS = range(1, 101)
"""Domain 0 is where other people's robots talk; above 101 the ports of Fast DDS run into the ephemeral range."""

PORTS = range(20_000, 32_000)
"""Below Linux's ephemeral range, so that no outgoing connection takes a claimed port before its server binds it."""


def _anything_goes(_number: int) -> bool:
    return True


@contextmanager
def claimed_number(
    kind: str, candidates: Sequence[int], *, start: int, is_usable: Callable[[int], bool] = _anything_goes
) -> Iterator[int]:
    """Give the first candidate from index ``start`` on that nobody holds, and hold it for the block.

    Raises
    ------
    LookupError
        Every candidate is held or unusable.
    """
    folder = Path(tempfile.gettempdir()) / f"wardporter-claims-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for step in range(len(candidates)):
        number = candidates[(start + step) % len(candidates)]
        with (folder / f"{kind}-{number}").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            if is_usable(number):
                yield number
                return
    raise LookupError(f"no free {kind} among {len(candidates)}: end the test runs that hold them")


def port_is_free(port: int) -> bool:
    """Whether a server may bind the port on the loopback address now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
