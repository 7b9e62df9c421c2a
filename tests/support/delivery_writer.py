"""A process that queues deliveries for ever and prints each id once it is committed; run by tests that kill it.

Usage: ``python -m tests.support.delivery_writer STORE_URL FIRST [FILE_BYTES_MAX]``. With a size limit, writing to the
disk fails sooner or later; then it prints the code of the error and of the next try, and ends.
"""

from __future__ import annotations

import resource
import signal
import sys

from orchestrator.adapters.store import open_store
from orchestrator.domain.errors import WardporterError
from tests.support.deliveries import NOON, queue


class PrefixedIds:
    """Ids that no other run of this process gives."""

    def __init__(self, first: int) -> None:
        self._next = first

    def new(self, kind: str) -> str:
        self._next += 1
        return f"{kind}-{self._next}"


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(url: str, first: str, file_bytes_max: str = "") -> None:
    store = open_store(url)
    if file_bytes_max:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(file_bytes_max), resource.RLIM_INFINITY))
    ids = PrefixedIds(int(first))
    failures = 0
    while failures < 2:
        try:
            with store.transaction() as uow:
                delivery = queue(uow, ids=ids, at=NOON)
        except WardporterError as error:
            say(f"refused {error.code}")
            failures += 1
        else:
            say(delivery.id)


if __name__ == "__main__":
    main(*sys.argv[1:])
