"""Where the maps, schemas and test vectors lie that are shared between checkouts, beside this one."""

from __future__ import annotations

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def shared_data() -> Path:
    """Folder of the shared data, or a skip that says where it was looked for."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the shared data folder at {folder}: put maps, schemas and test vectors there")
    return folder
