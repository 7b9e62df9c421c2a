"""Writing the authority's files: keys readable by their owner alone, nothing half written, nothing overwritten."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from orchestrator.adapters.pki.errors import PkiFolderError

KEY_MODE = 0o600
PUBLIC_MODE = 0o644
FOLDER_MODE = 0o755
"""The keys are closed, not the folders: a broker of another account has to find its own."""

_LOCK = ".lock"


def write_whole(path: Path, content: bytes, *, mode: int = PUBLIC_MODE) -> None:
    """Write a file so that a reader sees the old content or the new, and a power cut leaves one of them.

    Raises
    ------
    PkiFolderError
        The place cannot be written.
    """
    draft = path.with_name(f".{path.name}.draft")
    try:
        path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        draft.replace(path)
    except OSError as error:
        raise _unusable(path, error) from error


def read_whole(path: Path) -> bytes:
    """Read a file of the authority.

    Raises
    ------
    PkiFolderError
        It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unusable(path, error) from error


@contextlib.contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Keep other commands on the same folder waiting until the block ends."""
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, KEY_MODE)
    except OSError as error:
        raise _unusable(folder, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _unusable(path: Path, error: OSError) -> PkiFolderError:
    return PkiFolderError(
        f"{path} cannot be used ({error.strerror or error}). Expected a folder that this account may read and write; "
        "name another with --folder, or run the command as the account that keeps the authority.",
        detail={"path": str(path)},
    )
