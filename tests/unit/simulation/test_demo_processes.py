"""Children of a demonstration end together, and none is left behind."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulation.demo.processes import Child, end_all
from tests.support.brokers import wait_until
from tests.support.houses import process_is_gone

# It lets go of its own lock when it is asked to end, and ends once it has got everybody's: once all have been asked.
ENDS_WITH_ALL = """
import fcntl, pathlib, signal, sys
folder, name, names = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
locks = {each: (folder / f"{each}.lock").open("a") for each in names}
def asked(*_):
    fcntl.flock(locks[name], fcntl.LOCK_UN)
    for each in names:
        fcntl.flock(locks[each], fcntl.LOCK_SH)
    (folder / f"{name}.ended").touch()
    sys.exit(0)
fcntl.flock(locks[name], fcntl.LOCK_EX)
signal.signal(signal.SIGTERM, asked)
(folder / f"{name}.up").touch()
while True:
    signal.pause()
"""

NAMES = ("first", "second", "third")


@pytest.fixture
def children(tmp_path: Path) -> Iterator[tuple[Child, ...]]:
    """Three children that are up; each ends only once all have been asked to."""
    argv = [sys.executable, "-c", ENDS_WITH_ALL, str(tmp_path)]
    made = tuple(Child(name, [*argv, name, *NAMES], env={}, logs=tmp_path / "logs") for name in NAMES)
    for child in made:
        child.start()
    wait_until(lambda: len(list(tmp_path.glob("*.up"))) == len(NAMES), "all children are up")
    yield made
    for child in made:
        child.kill()


def test_all_are_asked_to_end_before_one_is_waited_for(children: tuple[Child, ...], tmp_path: Path) -> None:
    end_all(children)
    assert sorted(path.stem for path in tmp_path.glob("*.ended")) == sorted(NAMES)


def test_ctrl_c_while_they_are_waited_for_leaves_nobody(
    children: tuple[Child, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Child) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Child, "see_end", interrupted)
    pids = [child.pid for child in children]
    with pytest.raises(KeyboardInterrupt):
        end_all(children)
    assert [pid for pid in pids if not process_is_gone(pid)] == []
