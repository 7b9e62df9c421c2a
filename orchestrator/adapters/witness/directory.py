"""Heads in a directory: one file each, on the disk before the ledger is told, never overwritten."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from orchestrator.application.ledger_heads import WitnessUnreachableError
from orchestrator.domain.custody.checkpoint import Checkpoint, IsSigned, KeyName, NoteSignature, SignedHead
from orchestrator.domain.custody.ledger_errors import HeadError
from orchestrator.domain.custody.witnessing import InconsistentHeadError, require_growth
from orchestrator.durable_folders import make_folder, sync_folder

Cosign = Callable[[Checkpoint], NoteSignature]


class DirectoryWitness:
    """Keeps the heads of one ledger in a folder of a directory; implements `Witness`.

    Parameters
    ----------
    directory : Path
        Where the folders of ledgers are; made when it is not there.
    key : KeyName
        The ledger's public key.
    is_signed : callable
        Checks Ed25519 signatures.
    cosign : callable, optional
        Signs what is kept, for a witness with a key of its own.
    """

    def __init__(self, directory: Path, *, key: KeyName, is_signed: IsSigned, cosign: Cosign | None = None) -> None:
        self._folder = directory / key.name.replace("/", "_")
        self._key = key
        self._is_signed = is_signed
        self._cosign = cosign
        self._newest: SignedHead | None = None

    def keep(self, head: SignedHead, *, old: int, proof: Sequence[bytes]) -> tuple[NoteSignature, ...]:
        """Keep a head that grew from the kept one, and return the witness's own signatures."""
        offered = head.require_signed(self._key, self._is_signed)
        try:
            newest = self.newest()
            require_growth(None if newest is None else newest.checkpoint, offered, old=old, proof=proof)
            if newest is not None and newest.checkpoint == offered:
                return newest.signatures[1:]
            more = () if self._cosign is None else (self._cosign(offered),)
            kept = SignedHead(offered, head.signatures[:1]).with_signatures(more)
            self._write(kept)
        except OSError as error:
            raise WitnessUnreachableError(
                "The witness was not reached: its directory cannot be read or written "
                f"({error.strerror or error}); expected a disk that is there. See to it; the ledger goes on."
            ) from error
        self._newest = kept
        return more

    def newest(self) -> SignedHead | None:
        """Return the newest kept head; raises `InconsistentHeadError` when it is not this ledger's."""
        if self._newest is None:
            make_folder(self._folder)
            files = _files(self._folder)
            if files:
                self._newest = self._read(files[-1])
        return self._newest

    def _read(self, file: Path) -> SignedHead:
        try:
            head = SignedHead.parse(file.read_text(encoding="utf-8"))
            head.require_signed(self._key, self._is_signed)
        except (HeadError, UnicodeDecodeError) as error:
            raise InconsistentHeadError(
                f"The ledger was refused: the kept head {file.name} was not signed with its key ({error}); expected "
                "the key that signed it. Put back the data folder that belongs to these heads.",
                detail={"file": file.name},
            ) from error
        return head

    def _write(self, head: SignedHead) -> None:
        name = f"head-{head.checkpoint.size:012d}.note"
        draft = self._folder / f".{name}.{os.getpid()}"
        with draft.open("wb") as file:
            file.write(head.text.encode())
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link fails where a file is: two writers never take each other's head away.
            os.link(draft, self._folder / name)
        except FileExistsError:
            raise InconsistentHeadError(
                f"The head was refused: another of {head.checkpoint.size} entries is kept; expected to be the only one "
                "who writes to this witness. Look for a second orchestrator."
            ) from None
        finally:
            draft.unlink()
        sync_folder(self._folder)


def kept_heads(directory: Path) -> list[Path]:
    """Return the files of heads in a directory, or in the folders of ledgers in it, by name."""
    return sorted({*_files(directory), *(file for folder in sorted(directory.glob("*/")) for file in _files(folder))})


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("head-*.note"))
