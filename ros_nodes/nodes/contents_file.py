"""In which simulated drawers something lies, on disk: a tote stays where it was put when the robot's computer stops."""

from __future__ import annotations

import json
from pathlib import Path

FILE_NAME = "drawers.json"


class ContentsFile:
    """What lies in one simulated robot's drawers, in its state directory; used by one process at a time."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._path = directory / FILE_NAME

    def load(self) -> tuple[str, ...] | None:
        """Return the drawers that something lies in, or None when that was never written."""
        try:
            said = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return None
        return tuple(str(drawer) for drawer in said)

    def save(self, occupied: tuple[str, ...]) -> None:
        """Write them down; whoever kills the process leaves the old list or the new one."""
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps(occupied), encoding="utf-8")
        draft.replace(self._path)
