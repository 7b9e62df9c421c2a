"""An event stream that is open while something happens, and has to end soon after it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tests.support.house_of_staff import House
from tests.support.staff import bearer


def heard_until_ended(
    house: House, token: str, do: Callable[[], None], *, limit_s: float, timeout_s: float
) -> list[str]:
    """Open a stream, do something, and return the lines heard until the stream ended, within the limit."""
    is_listening, ended = threading.Event(), threading.Event()
    heard: list[str] = []

    def listen() -> None:
        with house.client.stream("GET", "/api/v1/events", headers=bearer(token), timeout=timeout_s) as answer:
            for line in answer.iter_lines():
                heard.append(line)
                is_listening.set()
        ended.set()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert is_listening.wait(timeout_s)
    do()
    at_s = time.monotonic()
    assert ended.wait(timeout_s), "the stream goes on"
    assert time.monotonic() - at_s < limit_s
    thread.join(timeout_s)
    return [line for line in heard if line]
