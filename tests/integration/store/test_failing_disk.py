"""A disk that fails at the n-th write or sync: a clean halt, and after a restart what was told, in order, no more."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.crash_lab.verdict import Recovery
from tests.support.shared_data import REPOSITORY

pytestmark = [pytest.mark.strace, pytest.mark.timeout(120)]

SOME = (
    ("fdatasync", "EIO", "1"),
    ("fdatasync", "EIO", "6"),
    ("fdatasync", "EIO", "11+"),
    ("pwrite64", "EIO", "2"),
    ("pwrite64", "ENOSPC", "70"),
    ("pwrite64", "ENOSPC", "200+"),
)
"""System call, its error, and at which one of its kind; with ``+`` that one and all later ones."""

SYNCS_MAX, WRITES_MAX = 40, 600
"""More than the acts ever make; a sweep ends with the first number at which nothing fails."""

SHARES = 4


@dataclass(frozen=True, slots=True)
class Run:
    """What a process with a failing disk told, and whether the disk has failed at all."""

    told: Sequence[str]
    has_failed: bool

    def after(self, word: str) -> list[str]:
        """What it told after a word."""
        return [line.partition(" ")[2] for line in self.told if line.startswith(f"{word} ")]


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Books after one round."""
    folder = tmp_path_factory.mktemp("books") / "books"
    subprocess.run(
        [sys.executable, "-m", "tests.support.crash_lab.scenario", str(folder), "1"],
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        timeout=60,
        check=True,
    )
    return folder


def run_with(folder: Path, injected: str) -> Run:
    """Go on with the books in a folder while some calls for the store's files fail."""
    data, trace = folder / "data", folder.parent / "trace"
    paths = (data, *(data / f"store.sqlite{end}" for end in ("", "-wal", "-journal")))
    chosen = [word for path in paths for word in ("-P", str(path))]
    strace = ["strace", "-f", "-qq", "-o", str(trace), *chosen, "-e", "trace=pwrite64,fsync,fdatasync,ftruncate"]
    command = [sys.executable, "-m", "tests.support.crash_lab.failing_disk", str(folder), "2"]
    inject = ["-e", f"inject={injected}"] if injected else []
    done = subprocess.run(
        [*strace, *inject, *command], cwd=REPOSITORY, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    return Run(done.stdout.splitlines(), "(INJECTED)" in trace.read_text())


def copied(books: Path, folder: Path) -> Path:
    """A copy of the books, in place of an earlier one."""
    shutil.rmtree(folder, ignore_errors=True)
    return Path(shutil.copytree(books, folder))


@pytest.fixture(scope="module")
def acts(books: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The acts of the second round, as a disk that works lets them be done."""
    run = run_with(copied(books, tmp_path_factory.mktemp("works") / "books"), "")
    assert not run.has_failed
    assert run.told[-1] == "end"
    return run.after("done")


def require_clean_halt(run: Run, folder: Path, acts: Sequence[str]) -> None:
    """Fail unless the process halted cleanly, and a restart shows a prefix of the acts with all that were told."""
    assert run.told[-1] == "end"
    done = run.after("done")
    assert done == list(acts[: len(done)])
    if run.after("closed"):
        assert run.after("closed") == ["store_unreachable"]
    elif len(done) < len(acts):
        # It refuses the act, refuses the next one too, and can still be read.
        assert run.after("refused") == ["store_broken", "store_broken"]
        assert int(run.after("read")[0]) >= 1
    found = Recovery(acts).recover(folder)
    assert found.faults == ()
    assert found.state.faults == ()
    kept = [act for act in acts if act in found.state.done]
    assert kept == list(acts[: len(kept)])
    assert len(done) <= len(kept) <= len(done) + 1, "at most the act under way is there untold"


@pytest.mark.parametrize(("call", "error", "when"), SOME)
def test_disk_that_fails_at_a_write_or_sync_halts_the_store_and_loses_nothing(
    books: Path, acts: list[str], tmp_path: Path, call: str, error: str, when: str
) -> None:
    folder = copied(books, tmp_path / "books")
    run = run_with(folder, f"{call}:error={error}:when={when}")
    assert run.has_failed
    require_clean_halt(run, folder, acts)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize(
    ("call", "error", "is_for_good", "most"),
    [
        ("fdatasync", "EIO", False, SYNCS_MAX),
        ("fdatasync", "EIO", True, SYNCS_MAX),
        ("pwrite64", "ENOSPC", True, WRITES_MAX),
    ],
)
def test_disk_that_fails_at_every_write_and_sync_loses_nothing(
    books: Path, acts: list[str], tmp_path: Path, call: str, error: str, is_for_good: bool, most: int, share: int
) -> None:
    failed = 0
    for number in range(1 + share, most, SHARES):
        folder = copied(books, tmp_path / "books")
        run = run_with(folder, f"{call}:error={error}:when={number}{'+' if is_for_good else ''}")
        require_clean_halt(run, folder, acts)
        if not run.has_failed:
            break
        failed += 1
    else:
        pytest.fail(f"there are more than {most} calls of {call}")
    print(f"{call}: {failed} failures")  # noqa: T201
    assert failed >= 3
