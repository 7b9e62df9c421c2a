"""The robot's memory on disk, written so that a loss of power leaves either the old one or the new one."""

from __future__ import annotations

import os
from pathlib import Path

from ros_nodes.onboard.memory import RobotMemory, memory_from_json

FILE_NAME = "memory.json"


class MemoryFile:
    """One robot's memory in its state directory.

    Parameters
    ----------
    directory : Path
        Made if it is not there; used by one process at a time.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._path = directory / FILE_NAME

    def load(self) -> RobotMemory | None:
        """Return what was saved last, or None when nothing ever was.

        Raises
        ------
        MemoryUnreadableError
            The file is not what `save` writes; what lies in the drawers has to be looked at by a person.
        """
        try:
            payload = self._path.read_bytes()
        except FileNotFoundError:
            return None
        return memory_from_json(payload)

    def save(self, memory: RobotMemory) -> None:
        """Replace the saved memory; on return it is on the disk."""
        draft = self._path.with_suffix(".new")
        with draft.open("wb") as file:
            file.write(memory.to_json())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
        directory = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
