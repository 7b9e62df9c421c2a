from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from orchestrator.http.app import build_app
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON
from tests.support.desk import StoreDoor, a_desk
from tests.support.served_app import served

TIMEOUT_S = 10.0
STREAMS_MAX = 2


@dataclass(frozen=True, slots=True)
class Frame:
    """One server-sent event."""

    event: str
    data: Any
    id: str | None


@pytest.fixture
def door() -> StoreDoor:
    return StoreDoor(MemoryStore())


@pytest.fixture
def address(door: StoreDoor) -> Iterator[str]:
    with served(build_app(a_desk(door, streams_max=STREAMS_MAX))) as address:
        yield f"{address}/api/v1/events"


def happen(door: StoreDoor, *subjects: str) -> None:
    for subject in subjects:
        with door.store.transaction() as uow:
            uow.events.append(at=NOON, kind="delivery_changed", subject=subject, data={"state": "queued"})
        door.news.tell()


@contextmanager
def listening(address: str, **headers: str) -> Iterator[Iterator[Frame]]:
    with httpx2.stream("GET", address, headers=headers, timeout=TIMEOUT_S) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield frames(answer.iter_lines())


def frames(lines: Iterator[str]) -> Iterator[Frame]:
    fields: dict[str, str] = {}
    for line in lines:
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield Frame(fields["event"], json.loads(fields["data"]), fields.get("id"))
            fields = {}


def numbers(frames: Iterator[Frame], count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        frame = next(frames)
        if frame.id is not None:
            assert frame.data["number"] == int(frame.id)
            found.append(int(frame.id))
    return found


def first(frames: Iterator[Frame], is_wanted: Callable[[Frame], bool]) -> Frame:
    return next(frame for frame in frames if is_wanted(frame))


def test_stream_begins_with_the_newest_number_and_goes_on_from_now(door: StoreDoor, address: str) -> None:
    happen(door, "a", "b")
    with listening(address) as heard:
        assert next(heard) == Frame("hello", {"newest": 2}, None)
        happen(door, "c")
        frame = first(heard, lambda frame: frame.id is not None)
    assert frame == Frame(
        "delivery_changed",
        {
            "number": 3,
            "at": NOON.isoformat(),
            "kind": "delivery_changed",
            "subject": "c",
            "data": {"state": "queued"},
        },
        "3",
    )


def test_stream_resumes_after_the_last_event_id_without_a_gap(door: StoreDoor, address: str) -> None:
    happen(door, *"abcd")
    with listening(address, **{"Last-Event-ID": "2"}) as heard:
        assert numbers(heard, 2) == [3, 4]
        happen(door, "e")
        assert numbers(heard, 1) == [5]


def test_stream_resumes_from_the_query_and_the_header_wins(door: StoreDoor, address: str) -> None:
    happen(door, *"abcd")
    with listening(f"{address}?after=0") as heard:
        assert numbers(heard, 4) == [1, 2, 3, 4]
    with listening(f"{address}?after=0", **{"Last-Event-ID": "3"}) as heard:
        assert numbers(heard, 1) == [4]


def test_backlog_longer_than_a_batch_comes_whole(door: StoreDoor, address: str) -> None:
    happen(door, *(str(number) for number in range(450)))
    with listening(f"{address}?after=0") as heard:
        assert numbers(heard, 450) == list(range(1, 451))


def test_client_that_saw_more_than_there_is_goes_on_from_now(door: StoreDoor, address: str) -> None:
    happen(door, "a")
    with listening(f"{address}?after=77") as heard:
        assert next(heard).data == {"newest": 1}
        happen(door, "b")
        assert numbers(heard, 1) == [2]


def test_moving_robot_is_told_without_a_number(door: StoreDoor, address: str) -> None:
    with listening(address) as heard:
        still = first(heard, lambda frame: frame.event == "fleet")
        assert still.id is None
        assert still.data["doors"] == [{"id": "door-1", "position": "closed", "is_obstructed": False}]
        door.move_robot(x_m=7.5)
        moved = first(heard, lambda frame: frame.event == "fleet")
    assert [robot["id"] for robot in moved.data["robots"]] == ["robot-1", "robot-2"]
    assert moved.data["robots"][0]["pose"]["x_m"] == 7.5


def test_streams_are_bounded_and_a_closed_one_makes_room(address: str) -> None:
    with listening(address) as one:
        next(one)
        with listening(address) as two:
            next(two)
            refused = httpx2.get(address, timeout=TIMEOUT_S)
            assert (refused.status_code, refused.json()["code"]) == (503, "streams_full")
            assert refused.headers["Retry-After"]
    deadline_s = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline_s:
        with httpx2.stream("GET", address, timeout=TIMEOUT_S) as answer:
            if answer.status_code == 200:
                return
    pytest.fail("closed streams still take their places")
