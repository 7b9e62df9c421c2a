"""Nothing that was told is lost in a power cut and nothing half done stays, at every write of a real process."""

from __future__ import annotations

import hashlib
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.crash_lab.disk import Cut, Survival, cuts, files_after
from tests.support.crash_lab.recording import Op, Sync, Told, Write, record
from tests.support.crash_lab.verdict import Judge

pytestmark = [pytest.mark.strace, pytest.mark.timeout(240)]

ROUNDS = 3
POINTS = 90
WAYS = (Survival.NOTHING, Survival.EVERYTHING, Survival.SOME_BLOCKS, Survival.SOME_SECTORS, Survival.SOME_SECTORS)

DEEP_ROUNDS = 5
DEEP_SHARES = 4
DEEP_STATES = 10_000
"""How many different states the slow tier looks at, at least, in all its shares."""

Recorder = Callable[..., tuple[list[Op], str]]


@pytest.fixture
def recorded(tmp_path: Path) -> Recorder:
    """Function that runs the acts in a process of their own, and gives what it did to its files, and where."""

    def run(*, rounds: int = ROUNDS, flaw: str = "") -> tuple[list[Op], str]:
        root = tmp_path / f"books-{flaw}"
        root.mkdir()
        command = [sys.executable, "-m", "tests.support.crash_lab.scenario", str(root), str(rounds), flaw]
        return record(command, root=root, trace=tmp_path / "trace"), str(root)

    return run


@pytest.fixture
def fast_folder() -> Iterator[Path]:
    """A folder in memory where there is one: what is recovered there has not to wait for a disk."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="wardporter-", dir=memory if memory.is_dir() else None))
    yield folder
    shutil.rmtree(folder)


def some_points(ops: Sequence[Op], count: int) -> list[int]:
    """Some operations, among them one in each tenth of the recording."""
    tenth = len(ops) // 10
    chance = random.Random(1)
    chosen = {chance.randrange(number * tenth, (number + 1) * tenth) for number in range(10)}
    return sorted(chosen | set(chance.sample(range(len(ops)), count - len(chosen))))


def judged(judge: Judge, made: Iterator[Cut]) -> tuple[int, Counter[str]]:
    """How many different states were looked at, and what was wrong with them."""
    seen: set[bytes] = set()
    complaints: Counter[str] = Counter()
    for cut in made:
        digest = _digest(cut)
        if digest not in seen:
            seen.add(digest)
            complaints.update(f"{what} (cut after {cut.after}, {cut.survival.value})" for what in judge.complaints(cut))
    return len(seen), complaints


def _digest(cut: Cut) -> bytes:
    hashed = hashlib.blake2b(str(cut.told).encode())
    for path, content in sorted(cut.files.items()):
        hashed.update(f"{path}:{len(content)}:".encode() + content)
    return hashed.digest()


def test_recording_holds_everything_that_the_process_left_in_its_files(recorded: Recorder) -> None:
    ops, root = recorded(rounds=1)
    found = {str(path): path.read_bytes() for path in Path(root).rglob("*") if path.is_file()}
    assert files_after(ops, root=root) == found
    assert {type(op) for op in ops} >= {Write, Sync, Told}
    assert [op.text for op in ops if isinstance(op, Told)][:2] == ["done approve_carriage-00", "kept 0"]


def test_power_cut_loses_nothing_that_was_told_and_leaves_nothing_by_half(
    recorded: Recorder, fast_folder: Path
) -> None:
    ops, root = recorded()
    judge = Judge(ops, root=root, folder=fast_folder / "books")
    states, complaints = judged(judge, cuts(ops, root=root, points=some_points(ops, POINTS), ways=WAYS))
    assert complaints == Counter()
    print(f"power cuts: {states} different states")  # noqa: T201
    assert states > 2 * POINTS
    assert len(judge.states) > 4 * ROUNDS, "every act is a state of its own"


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("share", range(DEEP_SHARES))
def test_power_cut_at_every_point_loses_nothing(
    recorded: Recorder, fast_folder: Path, share: int, record_property: Callable[[str, object], None]
) -> None:
    ops, root = recorded(rounds=DEEP_ROUNDS)
    judge = Judge(ops, root=root, folder=fast_folder / "books")
    ways = (Survival.SOME_BLOCKS, Survival.SOME_SECTORS)
    begun_s = time.monotonic()
    states, complaints = judged(
        judge, cuts(ops, root=root, points=range(len(ops)), ways=(*Survival, *ways), seed=share)
    )
    took_s = time.monotonic() - begun_s
    record_property("states", states)
    print(f"power cuts: {states} different states of {len(ops)} points, {states / took_s:.0f} a second")  # noqa: T201
    assert complaints == Counter()
    assert states >= DEEP_STATES / DEEP_SHARES


@pytest.mark.parametrize(
    ("flaw", "complaint"),
    [("normal", "was told and is lost"), ("split", "half of ")],
    ids=["no sync at a commit", "an act in several transactions"],
)
def test_flaw_that_is_planted_is_found(recorded: Recorder, fast_folder: Path, flaw: str, complaint: str) -> None:
    ops, root = recorded(rounds=2, flaw=flaw)
    judge = Judge(ops, root=root, folder=fast_folder / "books")
    ways = (Survival.NOTHING, Survival.SOME_SECTORS)
    _, complaints = judged(judge, cuts(ops, root=root, points=some_points(ops, 30), ways=ways))
    assert [what for what in complaints if complaint in what], complaints
