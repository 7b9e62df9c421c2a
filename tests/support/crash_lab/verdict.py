"""Opening what a cut has left with the real store, and saying what is wrong with it."""

from __future__ import annotations

import hashlib
import random
import shutil
import sqlite3
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from orchestrator.application.ledger_heads import LedgerStanding, Witnessing
from orchestrator.application.ports import Store, UnitOfWork
from tests.support.crash_lab.disk import Cut, Files, Survival, cuts, files_after
from tests.support.crash_lab.recording import Op, Sync, Told
from tests.support.crash_lab.scenario import Books, parts_of

COUNTS_OPENINGS = "writer_epoch"
"""The table that every opening changes."""


@dataclass(frozen=True, slots=True)
class State:
    """What the books hold: a digest of all rows, which acts are there whole, and which by half."""

    digest: str
    done: frozenset[str]
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What the real store makes of what was left; everything that it refuses is a fault."""

    state: State
    witnessed: int
    faults: tuple[str, ...]


def lay_out(files: Files, *, root: str, folder: Path) -> None:
    """Write what was left into a folder, in place of everything that is there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path, content in files.items():
        place = folder / path.removeprefix(root).lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        place.chmod(0o600)


class OpenBooks(Protocol):
    """Books that were opened with the real store."""

    @property
    def store(self) -> Store:
        """Where they are."""
        ...

    def keep_head(self) -> LedgerStanding:
        """Hand the ledger's newest head to the witness, and return how they stand."""
        ...

    def close(self) -> None:
        """Close them."""
        ...


class Recovery:
    """Opens books with the real store and looks at them.

    Parameters
    ----------
    acts : sequence of str
        Those that may be there.
    open_books : callable
        Opens the books in a folder.
    parts_of : callable
        Says which parts of an act are there.
    """

    def __init__(
        self,
        acts: Sequence[str],
        *,
        open_books: Callable[[Path], OpenBooks] = Books,
        parts_of: Callable[[UnitOfWork, str], dict[str, bool]] = parts_of,
    ) -> None:
        self._acts = acts
        self._open_books = open_books
        self._parts_of = parts_of
        self._states: dict[str, State] = {}

    def recover(self, folder: Path) -> Found:
        """Open the books in a folder, and return what is found."""
        books = self._open_books(folder)
        try:
            faults = _faults_of_database(folder)
            standing = books.keep_head()
            if standing.witnessing is not Witnessing.AGREED:
                faults.append(f"the ledger and its kept heads are {standing.witnessing}: {standing.sentence}")
            return Found(self._state(books, _digest(folder)), standing.witnessed, tuple(faults))
        finally:
            books.close()

    def _state(self, books: OpenBooks, digest: str) -> State:
        # Books with the same rows hold the same acts.
        if digest not in self._states:
            with books.store.reading() as uow:
                parts = {act: self._parts_of(uow, act) for act in self._acts}
            done = frozenset(act for act, found in parts.items() if all(found.values()))
            halves = (f"half of {act} is there: {found}" for act, found in parts.items() if len({*found.values()}) > 1)
            self._states[digest] = State(digest, done, tuple(halves))
        return self._states[digest]


def _connection(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "data" / "store.sqlite")


def _faults_of_database(folder: Path) -> list[str]:
    connection = _connection(folder)
    try:
        integrity = connection.execute("PRAGMA integrity_check").fetchall()
        references = connection.execute("PRAGMA foreign_key_check").fetchall()
    finally:
        connection.close()
    return [f"integrity: {integrity}"] * (integrity != [("ok",)]) + [f"references: {references}"] * bool(references)


def _digest(folder: Path) -> str:
    connection, hashed = _connection(folder), hashlib.sha256()
    try:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall()
        for (table,) in tables:
            if table != COUNTS_OPENINGS:
                rows = connection.execute(f'SELECT * FROM "{table}"').fetchall()
                hashed.update(repr((table, sorted(map(repr, rows)))).encode())
    finally:
        connection.close()
    return hashed.hexdigest()


class Judge:
    """Knows a recording's committed states in order, and judges what a cut has left by them.

    What is left has to be one of those states whole: no older than what had been told, and not one that was to come.

    Parameters
    ----------
    ops : sequence of Op
        The recording.
    root : str
        Its folder.
    folder : Path
        To recover in; on a fast disk.
    recovery : callable, optional
        Makes what opens the books and looks for the acts that it is given.
    """

    def __init__(
        self,
        ops: Sequence[Op],
        *,
        root: str,
        folder: Path,
        recovery: Callable[[Sequence[str]], Recovery] = Recovery,
    ) -> None:
        self.ops = ops
        self.root = root
        self._folder = folder
        self._told = [op.text for op in ops if isinstance(op, Told)]
        self._recovery = recovery([text.removeprefix("done ") for text in self._told if text.startswith("done ")])
        self.states: list[State] = []
        self._points: list[int] = []
        self._state_at: list[int] = []
        self._at_the_end = files_after(ops, root=root)
        self._learn()

    def _learn(self) -> None:
        """Let the recording pass with everything kept; after a sync, or when something was told, a state may be new."""
        points = [number for number, op in enumerate(self.ops) if isinstance(op, Sync | Told)]
        for cut in cuts(self.ops, root=self.root, points=points, ways=[Survival.EVERYTHING]):
            state = self._recovered(cut).state
            if not self.states or self.states[-1] != state:
                assert state not in self.states, "no two states are alike"
                self.states.append(state)
            self._points.append(cut.after)
            self._state_at.append(len(self.states) - 1)

    def _recovered(self, cut: Cut) -> Found:
        lay_out(cut.files, root=self.root, folder=self._folder)
        return self._recovery.recover(self._folder)

    def complaints(self, cut: Cut) -> list[str]:
        """Return what is wrong with what a cut has left."""
        try:
            found = self._recovered(cut)
        except Exception as error:
            return [f"the books do not open: {error!r}"]
        lost = [*self._lost(cut, found), *self._lost_keys(cut)]
        return [*found.faults, *found.state.faults, *lost, *self._misplaced(cut, found.state)]

    def _lost(self, cut: Cut, found: Found) -> list[str]:
        told = self._told[: cut.told]
        done = [text.removeprefix("done ") for text in told if text.startswith("done ")]
        kept = max((int(text.removeprefix("kept ")) for text in told if text.startswith("kept ")), default=0)
        heads = [f"a head of {kept} entries was kept and is lost"] if found.witnessed < kept else []
        return [f"{act} was told and is lost" for act in done if act not in found.state.done] + heads

    def _lost_keys(self, cut: Cut) -> list[str]:
        """Return the keys that were in use when something was told, and are not there as they were."""
        if not any(text.startswith("done ") for text in self._told[: cut.told]):
            return []
        keys = {path: content for path, content in self._at_the_end.items() if path.endswith(".key")}
        return [f"the key {path} is lost" for path, content in keys.items() if cut.files.get(path) != content]

    def _misplaced(self, cut: Cut, state: State) -> list[str]:
        if state not in self.states:
            return ["the books are in a state that never was"]
        before = bisect_right(self._points, cut.after) - 1
        told = next((n for n in range(before, -1, -1) if isinstance(self.ops[self._points[n]], Told)), None)
        oldest = 0 if told is None else self._state_at[told]
        newest = self._state_at[min(before + 1, len(self._points) - 1)]
        is_of_its_time = oldest <= self.states.index(state) <= newest
        return [] if is_of_its_time else ["the books are in a state of another time"]


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
        digest = _digest_of(cut)
        if digest not in seen:
            seen.add(digest)
            complaints.update(f"{what} (cut after {cut.after}, {cut.survival.value})" for what in judge.complaints(cut))
    return len(seen), complaints


def _digest_of(cut: Cut) -> bytes:
    hashed = hashlib.blake2b(str(cut.told).encode())
    for path, content in sorted(cut.files.items()):
        hashed.update(f"{path}:{len(content)}:".encode() + content)
    return hashed.digest()
