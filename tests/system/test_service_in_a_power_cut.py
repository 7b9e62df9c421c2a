"""What the real service answered is kept: in a power cut, and when its disk fails."""

from __future__ import annotations

import functools
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.support.crash_lab.disk import Survival, cuts
from tests.support.crash_lab.service import (
    Service,
    ServiceBooks,
    a_service,
    parts_of_service,
    recorded_service,
    wait_until_attached,
)
from tests.support.crash_lab.verdict import Judge, Recovery, judged, some_points

pytestmark = [pytest.mark.system, pytest.mark.strace, pytest.mark.timeout(240), pytest.mark.xdist_group("houses")]

ACTS = 5
POINTS = 30


def ask(service: Service) -> Sequence[str]:
    """Queue some deliveries and cancel every second one; return what was answered."""
    names: list[str] = []
    for number in range(ACTS):
        key = f"queue-{number}"
        answer = service.queue(key)
        assert answer.status_code == httpx2.codes.CREATED, answer.text
        delivery = answer.json()["id"]
        names.append(f"queue {key} {delivery}")
        if number % 2:
            answer = service.cancel(delivery, f"cancel-{number}")
            assert answer.status_code == httpx2.codes.OK, answer.text
            names.append(f"cancel cancel-{number} {delivery}")
    return names


@pytest.fixture
def judge_of(tmp_path: Path, free_port: int, fast_folder: Path) -> Callable[[], Judge]:
    """Function that records the service while it is asked, and gives the judge of what a cut leaves of its files."""

    def record() -> Judge:
        root = tmp_path / "house"
        root.mkdir()
        ops = recorded_service(root, port=free_port, ask=ask)
        recovery = functools.partial(Recovery, open_books=ServiceBooks, parts_of=parts_of_service)
        return Judge(ops, root=str(root), folder=fast_folder / "house", recovery=recovery)

    return record


def test_what_the_service_answered_is_there_after_a_power_cut(judge_of: Callable[[], Judge]) -> None:
    judge = judge_of()
    points, ways = some_points(judge.ops, POINTS), list(Survival)
    states, complaints = judged(judge, cuts(judge.ops, root=judge.root, points=points, ways=ways))
    assert complaints == Counter()
    assert states > POINTS


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_what_the_service_answered_is_there_after_a_power_cut_at_any_point(judge_of: Callable[[], Judge]) -> None:
    judge = judge_of()
    ways = [*Survival, Survival.SOME_SECTORS]
    states, complaints = judged(judge, cuts(judge.ops, root=judge.root, points=range(len(judge.ops)), ways=ways))
    print(f"power cuts of the service: {states} different states of {len(judge.ops)} points")  # noqa: T201
    assert complaints == Counter()


@contextmanager
def failing_disk(service: Service, folder: Path, *, trace: Path, when: str) -> Iterator[None]:
    """Let syncs of the store's log fail from now on."""
    log = folder / "data" / "store.sqlite-wal"
    strace = ["strace", "-f", "-qq", "-o", str(trace), "-p", str(service.pid), "-P", str(log)]
    command = [*strace, "-e", "trace=fdatasync", "-e", f"inject=fdatasync:error=EIO:when={when}"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until_attached(service.pid)
            yield
        finally:
            process.terminate()


def test_service_whose_disk_fails_refuses_writes_and_can_be_read_and_keeps_what_it_answered(
    tmp_path: Path, free_port: int
) -> None:
    folder, trace = tmp_path / "house", tmp_path / "failed"
    told: set[str] = set()
    with a_service(folder, port=free_port) as service:
        told.add(service.queue("before").json()["id"])
        with failing_disk(service, folder, trace=trace, when="3+"):
            answers = [service.queue(f"key-{number}") for number in range(6)]
            told.update(answer.json()["id"] for answer in answers if answer.status_code == httpx2.codes.CREATED)
            codes = [answer.status_code for answer in answers]
            first = codes.index(httpx2.codes.SERVICE_UNAVAILABLE)
            assert set(codes[first:]) == {httpx2.codes.SERVICE_UNAVAILABLE}
            assert {answer.json()["code"] for answer in answers[first:]} == {"store_broken"}
            assert service.ids() >= told
            ready = service.client.get("/readyz")
            assert ready.status_code == httpx2.codes.SERVICE_UNAVAILABLE
            assert not next(part for part in ready.json()["parts"] if part["name"] == "store")["is_ready"]
        assert "(INJECTED)" in trace.read_text()
        # The disk works again; that one write was lost is not forgotten.
        assert service.queue("later").json()["code"] == "store_broken"
        seen = service.ids()
    with a_service(folder, port=free_port) as service:
        assert told <= service.ids()
        assert service.ids() >= seen
        again = service.queue("later")
        assert again.status_code == httpx2.codes.CREATED
        assert len(service.ids() - told) <= 2, "the new one, and at most the one whose write failed"
