"""Numbers that only one demonstration or test on this machine may use at a time, such as a ROS domain.

Two houses that meet on one ROS domain hear each other's robots under the same names: each agent then takes the other
robot's odometry for its own. A number is claimed by a lock on a file named after it; the kernel gives it back when
the holder ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from orchestrator.domain.errors import WardporterError

ROS_DOMAIN = "ros-domain"
ROS_DOMAINS = range(1, 101)
"""Domain 0 is where other people's robots talk; above 101 the ports of Fast DDS run into the ephemeral range."""


class NumberClaimError(WardporterError, LookupError):
    """Every number of a kind is in use on this machine."""

    code = "no_free_number"


def _anything_goes(_number: int) -> bool:
    return True


@contextmanager
def claimed_number(
    kind: str, candidates: Sequence[int], *, start: int, is_usable: Callable[[int], bool] = _anything_goes
) -> Iterator[int]:
    """Give the first candidate from index ``start`` on that nobody holds, and hold it for the block.

    Raises
    ------
    NumberClaimError
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
    raise NumberClaimError(f"There is no free {kind} among {len(candidates)}: end the demonstrations or test runs.")
