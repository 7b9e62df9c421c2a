"""What a disk may hold after a power cut.

The kernel keeps what it was given in memory, in blocks, and writes blocks down when it likes and in any order; only a
sync makes it finish. So after a cut each block of a file is as it was at the last sync or at any write to it since, a
disk may tear a block at a sector, and a file is as long as it was at some moment since. Names in folders come back as
they were at the last sync of their folder, or as at any moment since; as file systems with a journal do, in order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random

from tests.support.crash_lab.recording import Folder, Name, Op, Resize, Sync, SyncFolder, Told, Write

BLOCK = 4096
SECTOR = 512

Files = dict[str, bytes]
"""What is in each file, by its path."""


class Survival(Enum):
    """How much of what was not synced comes through."""

    NOTHING = "nothing"
    EVERYTHING = "everything"
    SOME_BLOCKS = "some blocks"
    SOME_SECTORS = "some sectors"


@dataclass(frozen=True, slots=True)
class Cut:
    """A power cut after an operation: what had been told until then, and what is left."""

    after: int
    survival: Survival
    told: int
    files: Files


class _File:
    """One file: what is certain, and what has happened to it since."""

    def __init__(self) -> None:
        self.now = bytearray()
        self._synced = b""
        self._since: list[Write | Resize] = []

    def apply(self, op: Write | Resize) -> None:
        _apply(self.now, op)
        self._since.append(op)

    def sync(self) -> None:
        self._synced = bytes(self.now)
        self._since.clear()

    def left(self, survival: Survival, chance: Random) -> bytes:
        if survival is Survival.EVERYTHING:
            return bytes(self.now)
        if survival is Survival.NOTHING or not self._since:
            return self._synced
        return self._some(BLOCK if survival is Survival.SOME_BLOCKS else SECTOR, chance)

    def _some(self, grain: int, chance: Random) -> bytes:
        content, lengths = bytearray(self._synced), [len(self._synced)]
        versions: dict[int, list[bytes]] = defaultdict(list)
        for op in self._since:
            before = len(content)
            _apply(content, op)
            lengths.append(len(content))
            for number in _touched(op, before, grain):
                versions[number].append(bytes(content[number * grain : (number + 1) * grain]))
        length = lengths[-1] if chance.random() < 0.5 else chance.choice(lengths)
        left = bytearray(self._synced.ljust(max(lengths), b"\0"))
        share = chance.choice((0.1, 0.5, 0.9))
        for number, since in versions.items():
            if chance.random() < share:
                kept = (since[-1] if chance.random() < 0.5 else chance.choice(since)).ljust(grain, b"\0")
                left[number * grain : number * grain + len(kept)] = kept
        return bytes(left[:length])


def _apply(content: bytearray, op: Write | Resize) -> None:
    if isinstance(op, Resize):
        del content[op.size :]
        content.extend(bytes(op.size - len(content)))
    else:
        content.extend(bytes(max(0, op.offset + len(op.data) - len(content))))
        content[op.offset : op.offset + len(op.data)] = op.data


def _touched(op: Write | Resize, before: int, grain: int) -> range:
    """Numbers of the blocks that an operation changes, those between the old end and the new one among them."""
    first, end = (op.offset, op.offset + len(op.data)) if isinstance(op, Write) else sorted((op.size, before))
    return range(min(first, before) // grain, -(-end // grain))


class Disk:
    """The files of a recording, and what of them is certain.

    Parameters
    ----------
    root : str
        The folder that was there before.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._files: dict[int, _File] = defaultdict(_File)
        self._synced_names: dict[str, int | None] = {}
        self._names_since: list[Name | Folder] = []

    def apply(self, op: Op) -> None:
        """Let an operation happen."""
        match op:
            case Write() | Resize():
                self._files[op.file].apply(op)
            case Sync():
                self._files[op.file].sync()
            case Name() | Folder():
                self._names_since.append(op)
            case SyncFolder():
                self._sync_names(op.path)
            case Told():
                pass

    def _sync_names(self, folder: str) -> None:
        later: list[Name | Folder] = []
        for op in self._names_since:
            if _folder_of(op.path) == folder:
                _rename(self._synced_names, op)
            else:
                later.append(op)
        self._names_since = later

    def left(self, survival: Survival, chance: Random) -> Files:
        """Return what may be there after a cut now."""
        names = dict(self._synced_names)
        for op in self._names_since[: self._names_kept(survival, chance)]:
            _rename(names, op)
        return {
            path: self._files[file].left(survival, chance)
            for path, file in names.items()
            if file is not None and self._is_reachable(path, names)
        }

    def _names_kept(self, survival: Survival, chance: Random) -> int:
        if survival is Survival.NOTHING:
            return 0
        everything = len(self._names_since)
        return everything if survival is Survival.EVERYTHING else chance.randint(0, everything)

    def _is_reachable(self, path: str, names: dict[str, int | None]) -> bool:
        folder = _folder_of(path)
        return folder == self._root or (folder in names and self._is_reachable(folder, names))


def _folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def _rename(names: dict[str, int | None], op: Name | Folder) -> None:
    if isinstance(op, Folder):
        names[op.path] = None
    elif op.file is None:
        names.pop(op.path, None)
    else:
        names[op.path] = op.file
        if op.was is not None:
            names.pop(op.was, None)


def cuts(
    ops: Sequence[Op], *, root: str, points: Sequence[int], ways: Sequence[Survival], seed: int = 0
) -> Iterator[Cut]:
    """Return cuts after the operations with the numbers in ``points`` (ascending), each in several ways."""
    disk, told, at = Disk(root), 0, iter(points)
    next_point = next(at, None)
    for number, op in enumerate(ops):
        disk.apply(op)
        told += isinstance(op, Told)
        if number != next_point:
            continue
        next_point = next(at, None)
        for way, survival in enumerate(ways):
            yield Cut(number, survival, told, disk.left(survival, Random(f"{seed}/{number}/{way}")))


def files_after(ops: Sequence[Op], *, root: str) -> Files:
    """Return what is in the files at the end, when nothing is cut."""
    (cut,) = cuts(ops, root=root, points=[len(ops) - 1], ways=[Survival.EVERYTHING])
    return cut.files
