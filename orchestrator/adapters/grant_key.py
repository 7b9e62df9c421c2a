"""The key that signs drawer grants: made at the first start, kept in the data folder, its public half for robots.

A simulated house has a key file of its own, so that what it signs opens no real drawer.
"""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from orchestrator.application.errors import UnavailableError
from orchestrator.durable_folders import make_folder, sync_folder

OURS_ALONE, FOR_ALL = 0o600, 0o644


class GrantKeyFileError(UnavailableError):
    """The key file of drawer grants cannot be used."""

    code = "grant_key_file"


class GrantKey:
    """A private key; implements `orchestrator.application.ports.GrantSigner`."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private

    @property
    def public(self) -> str:
        """The public half as robots are given it: 32 bytes in base64."""
        return base64.b64encode(self._private.public_key().public_bytes_raw()).decode()

    def sign(self, text: str) -> str:
        """Return the Ed25519 signature over the UTF-8 bytes of ``text``, in base64."""
        return base64.b64encode(self._private.sign(text.encode())).decode()


def grant_key(folder: Path, *, is_simulation: bool) -> GrantKey:
    """Return the key of a data folder; the first time, make it, and write its public half beside it.

    Parameters
    ----------
    folder : Path
        The data folder; made if it is not there.
    is_simulation : bool
        Whether every robot is simulated.

    Raises
    ------
    GrantKeyFileError
        The file is readable to others, or holds no key.
    """
    make_folder(folder)
    path = key_file(folder, is_simulation=is_simulation)
    if not path.exists():
        made = base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw())
        _write(path, made + b"\n", mode=OURS_ALONE)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise GrantKeyFileError(
            f"The key {path.name} was refused: others may read it; expected a file that only its owner reads. Set its "
            "mode to 600, ask whether somebody has taken it, and give robots a new one if so.",
            detail={"file": path.name},
        )
    try:
        key = GrantKey(Ed25519PrivateKey.from_private_bytes(base64.b64decode(path.read_bytes().strip(), validate=True)))
    except ValueError as error:
        raise GrantKeyFileError(
            f"The key {path.name} was refused: it holds no Ed25519 key; expected the one made at the first start. Put "
            "it back from its copy, or remove it and give every robot the new public half.",
            detail={"file": path.name},
        ) from error
    _write(path.with_suffix(".pub"), f"{key.public}\n".encode(), mode=FOR_ALL)
    return key


def key_file(folder: Path, *, is_simulation: bool) -> Path:
    """Return where the private key of a data folder lies; its public half has the suffix ``.pub``."""
    return folder / ("drawer-grants-simulation.key" if is_simulation else "drawer-grants.key")


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file whole; on the disk when this returns. What is there already and the same stays."""
    if path.exists() and path.read_bytes() == content:
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)
