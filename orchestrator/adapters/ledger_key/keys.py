"""Key files. A ledger's key lies in a file of its kind, so that a simulated ledger never finds a real one's key."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from orchestrator.application.errors import UnavailableError
from orchestrator.domain.custody.checkpoint import COSIGNATURE, ED25519, KeyName
from orchestrator.domain.custody.origin import LedgerOrigin
from orchestrator.durable_folders import make_folder, sync_folder

OURS_ALONE = 0o600


class KeyFileError(UnavailableError):
    """A key file cannot be used."""

    code = "ledger_key_file"


class LedgerKey:
    """A private key under its name; implements `orchestrator.application.ledger_keeping.HeadSigner`."""

    def __init__(self, private: Ed25519PrivateKey, *, name: str, algorithm: bytes = ED25519) -> None:
        self._private = private
        self.key = KeyName(name, private.public_key().public_bytes_raw(), algorithm)
        """The public key under its name."""

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature, 64 bytes."""
        return self._private.sign(message)


def ledger_key(folder: Path, origin: LedgerOrigin) -> LedgerKey:
    """Return the key of a ledger from its folder; the first time, make it and write its public line beside it.

    Raises
    ------
    KeyFileError
        The file is readable to others, or holds no Ed25519 key.
    """
    name = "ledger-simulation" if origin.is_simulation else "ledger"
    key = LedgerKey(_private_key(folder / f"{name}.key"), name=origin.line)
    _write_once(folder / f"{name}.pub", f"{key.key.text}\n".encode(), mode=0o644)
    return key


def witness_key(folder: Path, *, name: str) -> LedgerKey:
    """Return the key of a witness from its folder; the first time, make it and write its public line beside it."""
    key = LedgerKey(_private_key(folder / "witness.key"), name=name, algorithm=COSIGNATURE)
    _write_once(folder / "witness.pub", f"{key.key.text}\n".encode(), mode=0o644)
    return key


def _private_key(path: Path) -> Ed25519PrivateKey:
    make_folder(path.parent)
    if not path.exists():
        made = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        _write_once(path, made, mode=OURS_ALONE)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise KeyFileError(
            f"The key {path.name} was refused: others may read it; expected a file that only its owner reads. Set its "
            "mode to 600, and ask whether somebody has taken it.",
            detail={"file": path.name},
        )
    try:
        found = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except ValueError:
        found = None
    if not isinstance(found, Ed25519PrivateKey):
        raise KeyFileError(
            f"The key {path.name} was refused: it holds no Ed25519 key; expected the one that was made at the first "
            "start. Put it back from its copy; without it the ledger's heads cannot be signed.",
            detail={"file": path.name},
        )
    return found


def _write_once(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file whole, or leave the one that is there; on the disk when this returns."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
    sync_folder(path.parent)
