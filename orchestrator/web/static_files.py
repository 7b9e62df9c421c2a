"""Our own style sheet, script and icon: read once, named one by one, so that no address reaches any other file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
MEDIA_TYPES: Mapping[str, str] = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is served; ``tag`` changes with its bytes."""

    content: bytes
    media_type: str
    tag: str


def read_static_files() -> Mapping[str, StaticFile]:
    """Return every static file by name."""
    return {
        path.name: _static_file(path)
        for path in sorted(FOLDER.iterdir())
        if path.suffix in MEDIA_TYPES and path.is_file()
    }


def _static_file(path: Path) -> StaticFile:
    content = path.read_bytes()
    return StaticFile(content, MEDIA_TYPES[path.suffix], f'"{hashlib.sha256(content).hexdigest()[:32]}"')
