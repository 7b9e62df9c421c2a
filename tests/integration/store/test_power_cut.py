"""Nothing that was told is lost in a power cut and nothing half done stays, at every write of a real process."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.crash_lab.disk import Survival, cuts, files_after
from tests.support.crash_lab.recording import Op, Sync, Told, Write, record
from tests.support.crash_lab.verdict import Judge, judged, some_points

pytestmark = [pytest.mark.strace, pytest.mark.timeout(240)]

ROUNDS = 3
POINTS = 90
WAYS = (Survival.NOTHING, Survival.EVERYTHING, Survival.SOME_BLOCKS, Survival.SOME_SECTORS, Survival.SOME_SECTORS)

DEEP_SHARES = 4
DEEP_STATES = 10_000
"""How many different states the slow tier looks at, at least, in all its shares."""
FIRST_WAYS = (*Survival, Survival.SOME_SECTORS)
OTHER_WAYS = (Survival.SOME_BLOCKS, Survival.SOME_SECTORS, Survival.SOME_SECTORS)
"""At every point in the first share, and with other chances in each of the others."""

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
    ops, root = recorded()
    judge = Judge(ops, root=root, folder=fast_folder / "books")
    ways = OTHER_WAYS if share else FIRST_WAYS
    begun_s = time.monotonic()
    states, complaints = judged(judge, cuts(ops, root=root, points=range(len(ops)), ways=ways, seed=share))
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
