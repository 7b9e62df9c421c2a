"""Starting `tests.support.delivery_writer` and reading what it left in the store."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.adapters.store import open_store
from tests.support.shared_data import REPOSITORY


@contextmanager
def writer(url: str, *, first: int, file_bytes_max: str = "") -> Iterator[subprocess.Popen[str]]:
    """A process that queues deliveries for ever, killed at the end of the block if it still lives."""
    command = [sys.executable, "-m", "tests.support.delivery_writer", url, str(first)]
    arguments = [file_bytes_max] if file_bytes_max else []
    with subprocess.Popen([*command, *arguments], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def kept_ids(url: str) -> tuple[set[str], list[int]]:
    """Ids of the deliveries in a store, which are those of its events, and the numbers of the events."""
    store = open_store(url)
    try:
        with store.reading() as uow:
            events = uow.events.after(0, 100_000)
            ids = {event.subject for event in events}
            assert {delivery.id for delivery in uow.deliveries.open()} == ids
            return ids, [event.number for event in events]
    finally:
        store.close()
