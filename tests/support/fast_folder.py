"""A folder whose files are in memory."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def fast_folder() -> Iterator[Path]:
    """A folder in memory where there is one: what is recovered there has not to wait for a disk."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="wardporter-", dir=memory if memory.is_dir() else None))
    yield folder
    shutil.rmtree(folder)
