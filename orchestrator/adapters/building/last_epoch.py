"""The epoch of our last start, kept beside the books: a clock that was set back must not begin a smaller one.

Devices pass over whoever asks with a smaller epoch than they have heard, so after such a start no door would open.
"""

from __future__ import annotations

import os
from pathlib import Path

from orchestrator.durable_folders import make_folder, sync_folder

FILE = "building.epoch"


class LastEpoch:
    """A file with one number.

    Parameters
    ----------
    folder : Path
        The data folder.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE

    def begin(self, now_ms: int) -> int:
        """Return the epoch of this start, larger than the last one's, once it is on the disk.

        A file that cannot be understood counts as none: the clock alone decides then, as at the first start.
        """
        epoch = max(now_ms, self._last() + 1)
        make_folder(self._file.parent)
        written = self._file.with_suffix(".new")
        with written.open("w", encoding="ascii") as file:
            file.write(f"{epoch}\n")
            file.flush()
            os.fsync(file.fileno())
        written.replace(self._file)
        sync_folder(self._file.parent)
        return epoch

    def _last(self) -> int:
        try:
            return int(self._file.read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return -1
