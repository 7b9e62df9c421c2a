"""What a process did to the files under a folder, and what it told meanwhile, in order, as strace saw it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CALLS = (
    "open,openat,creat,close,dup,dup2,dup3,fcntl,lseek,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,"
    "fallocate,unlink,unlinkat,rmdir,rename,renameat,renameat2,link,linkat,mkdir,mkdirat,fsync,fdatasync,sync_file_range,"
    "sendto,sendmsg,copy_file_range,sendfile,mmap"
)
TRACED = ("strace", "-f", "--seccomp-bpf", "-y", "-xx", "-s", "200000", "-e", f"trace={CALLS}", "-e", "signal=none")
"""How strace has to be told to write what `Reader` reads."""

LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes handed to the kernel for a file."""

    file: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Resize:
    """A file made shorter or longer."""

    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    """The kernel has said that a file is on the disk."""

    file: int


@dataclass(frozen=True, slots=True)
class Name:
    """A name in a folder now means this file; None: it means nothing any more. ``was`` is the name it had before."""

    path: str
    file: int | None
    was: str | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """A new folder."""

    path: str


@dataclass(frozen=True, slots=True)
class SyncFolder:
    """The kernel has said that the names in a folder are on the disk."""

    path: str


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody outside has been told something; from now on it has to be true."""

    text: str


Op = Write | Resize | Sync | Name | Folder | SyncFolder | Told


def record(command: Sequence[str], *, root: Path, trace: Path, env: Mapping[str, str] | None = None) -> list[Op]:
    """Run a process to its end and return what it did to files under ``root``.

    It tells the outside by lines on its standard output, or by answers over HTTP.
    """
    done = subprocess.run(
        [*TRACED, "-o", str(trace), *command],
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with trace.open(encoding="ascii") as lines:
        return list(Reader(root).ops(lines))


_CALL = re.compile(r"(?P<pid>\d+) +(?P<name>\w+)\((?P<args>.*)\) += (?P<result>-?\d+|0x[0-9a-f]+|\?)(?P<after>.*)")
_BEGUN = re.compile(r"(?P<pid>\d+) +(?P<rest>(?P<name>\w+)\(.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"(?P<pid>\d+) +<\.\.\. \w+ resumed>(?P<rest>.*)")
_HANDLE = re.compile(r"(?P<number>-?\d+|AT_FDCWD)(?:<(?P<path>(?:\\x[0-9a-f]{2})*)>)?(?P<deleted>\(deleted\))?")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')


class Reader:
    """Turns strace's lines into operations on files under a folder.

    Parameters
    ----------
    root : Path
        The folder; absolute, empty when the process starts.
    """

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._names: dict[str, int] = {}
        self._last_file_at: dict[str, int] = {}
        self._folders: set[str] = {self._root}
        self._sizes: dict[int, int] = {}
        self._positions: dict[tuple[str, str], int] = {}
        self._appending: set[tuple[str, str]] = set()

    def ops(self, lines: Iterator[str]) -> Iterator[Op]:
        """Return the operations in the order in which they were over; what was told, in that in which it began."""
        begun: dict[str, str] = {}
        for line in lines:
            if unfinished := _BEGUN.match(line):
                begun[unfinished["pid"]] = unfinished["rest"]
                yield from self._told(unfinished["name"], unfinished["rest"])
                continue
            resumed = _RESUMED.match(line)
            whole = f"{resumed['pid']} {begun.pop(resumed['pid'])}{resumed['rest']}" if resumed else line
            call = _CALL.match(whole)
            if call is None or call["result"] == "?" or call["result"].startswith("-"):
                continue
            if not resumed:
                yield from self._told(call["name"], call["args"])
            yield from self._op(call["name"], call["args"], int(call["result"], 0), call["after"])

    def _told(self, name: str, args: str) -> Iterator[Told]:
        if name not in ("write", "sendto"):
            return
        handle, text = _HANDLE.search(args), _TEXT.search(args)
        if handle is None or text is None:
            return
        said = _bytes(text[1])
        if (name == "write" and handle["number"] == "1") or said.startswith(b"HTTP/1."):
            yield from (Told(line) for line in said.decode("latin-1").splitlines()[:1])

    def _op(self, name: str, args: str, result: int, after: str) -> Iterator[Op]:
        match name:
            case "open" | "openat" | "creat":
                yield from self._opened(name, args, result, after)
            case "write" | "pwrite64":
                yield from self._written(name, args, result)
            case "lseek":
                self._positions[self._key(args)] = result
            case "ftruncate":
                yield from self._resized(args)
            case "fsync" | "fdatasync":
                yield from self._synced(args)
            case "unlink" | "unlinkat" | "rename" | "renameat" | "renameat2" | "link" | "linkat":
                yield from self._renamed(name, [_path(text[1]) for text in _TEXT.finditer(args)])
            case "mkdir" | "mkdirat":
                yield from self._made(_path(_only(_TEXT.search(args))[1]))
            case "mmap":
                path = _handle_path(args)
                is_shared = "MAP_SHARED" in args and "PROT_WRITE" in args
                assert not (is_shared and self._is_ours(path) and not self._is_memory(path)), f"{path} is mapped"
            case _:
                self._require_foreign(name, args)

    def _require_foreign(self, name: str, args: str) -> None:
        if name in ("close", "dup", "dup2", "dup3", "fcntl"):
            return
        paths = [_path(found["path"] or "") for found in _HANDLE.finditer(args)]
        assert not any(self._is_ours(path) for path in paths), f"{name} is not understood: {args[:200]}"

    def _opened(self, name: str, args: str, number: int, after: str) -> Iterator[Op]:
        handle = _only(_HANDLE.match((after and f"{number}{after}") or str(number)))
        path = _path(handle["path"] or "")
        if not self._is_ours(path) or path in self._folders:
            return
        key = (str(number), path)
        self._positions[key] = 0
        self._appending.discard(key)
        if "O_APPEND" in args:
            self._appending.add(key)
        if path not in self._names:
            assert name == "creat" or "O_CREAT" in args, f"{path} was there before the recording"
            yield self._named(path, len(self._sizes))
        elif "O_TRUNC" in args:
            yield self._resize(self._names[path], 0)

    def _named(self, path: str, file: int, *, was: str | None = None) -> Name:
        self._names[path] = self._last_file_at[path] = file
        self._sizes.setdefault(file, 0)
        return Name(path, file, was)

    def _resize(self, file: int, size: int) -> Resize:
        self._sizes[file] = size
        return Resize(file, size)

    def _written(self, name: str, args: str, length: int) -> Iterator[Op]:
        key = self._key(args)
        if not self._is_ours(key[1]) or self._is_memory(key[1]):
            return
        text = _only(_TEXT.search(args))
        assert not text[2], "strace left out a part of what was written"
        file, data = self._last_file_at[key[1]], _bytes(text[1])[:length]
        if name == "pwrite64":
            offset = int(args.rpartition(",")[2])
        else:
            offset = self._sizes[file] if key in self._appending else self._positions[key]
            self._positions[key] = offset + len(data)
        self._sizes[file] = max(self._sizes[file], offset + len(data))
        yield Write(file, offset, data)

    def _resized(self, args: str) -> Iterator[Op]:
        path = self._key(args)[1]
        if self._is_ours(path) and not self._is_memory(path):
            yield self._resize(self._last_file_at[path], int(args.rpartition(",")[2]))

    def _synced(self, args: str) -> Iterator[Op]:
        path = self._key(args)[1]
        if path in self._folders:
            yield SyncFolder(path)
        elif self._is_ours(path) and not self._is_memory(path):
            yield Sync(self._last_file_at[path])

    def _renamed(self, name: str, paths: Sequence[str]) -> Iterator[Op]:
        if not any(self._is_ours(path) for path in paths):
            return
        old = paths[0]
        file = self._names[old]
        if not name.startswith("link"):
            del self._names[old]
        if name.startswith("unlink"):
            yield Name(old, None)
        else:
            yield self._named(paths[1], file, was=old if name.startswith("rename") else None)

    def _made(self, path: str) -> Iterator[Op]:
        if path == self._root or self._is_ours(path):
            self._folders.add(path)
            yield Folder(path)

    def _key(self, args: str) -> tuple[str, str]:
        handle = _only(_HANDLE.match(args))
        return handle["number"], _path(handle["path"] or "")

    def _is_ours(self, path: str) -> bool:
        return path.startswith(self._root + "/")

    def _is_memory(self, path: str) -> bool:
        """Whether the file is SQLite's shared memory, which is made anew after a restart of the machine."""
        return path.endswith("-shm")


def _handle_path(args: str) -> str:
    found = [_path(handle["path"]) for handle in _HANDLE.finditer(args) if handle["path"]]
    return found[0] if found else ""


def _only(found: re.Match[str] | None) -> re.Match[str]:
    assert found is not None, "strace writes this always"
    return found


def _bytes(hexed: str) -> bytes:
    return bytes.fromhex(hexed.replace("\\x", ""))


def _path(hexed: str) -> str:
    return _bytes(hexed).decode()
