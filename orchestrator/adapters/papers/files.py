"""Papers as files: whole or not at all, and on the disk before anybody is told."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from orchestrator.adapters.papers.downtime import downtime_csv, downtime_pdf
from orchestrator.application.downtime import DowntimePack

PACK_PDF = "downtime.pdf"
PACK_CSV = "downtime.csv"


def write_whole(path: Path, content: bytes) -> None:
    """Put ``content`` in place of what is at ``path``; whoever reads meanwhile sees the old or the new, never a part.

    Raises
    ------
    OSError
        It cannot be written there; what was there stays.
    """
    # For the owner alone: a pack says where controlled drugs are.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def written_pack(folder: Path, pack: DowntimePack) -> tuple[Path, Path]:
    """Write a downtime pack into a folder in place of the one there, and return its files: PDF and table."""
    folder.mkdir(parents=True, exist_ok=True)
    pdf, csv = folder / PACK_PDF, folder / PACK_CSV
    write_whole(pdf, downtime_pdf(pack))
    write_whole(csv, downtime_csv(pack).encode())
    return pdf, csv
