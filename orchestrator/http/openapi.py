"""Write docs/openapi.json from the code, or with ``--check`` say that it has drifted.

Run as ``python -m orchestrator.http.openapi``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, cast

from orchestrator.http.app import build_app
from orchestrator.http.desk import Desk

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"


def openapi_text() -> str:
    """Return the OpenAPI document as it is committed; the same code gives the same bytes."""
    # The document depends on routes and models alone; no request is served from this desk.
    app = build_app(cast("Desk", None))
    document: dict[str, Any] = app.openapi()
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the document, or with ``--check`` compare it; return the exit code."""
    text = openapi_text()
    if arguments == ["--check"]:
        if DOCUMENT.exists() and DOCUMENT.read_text(encoding="utf-8") == text:
            return 0
        sys.stderr.write(f"docs/{DOCUMENT.name} differs from the code: run python -m orchestrator.http.openapi\n")
        return 1
    if arguments:
        sys.stderr.write("usage: python -m orchestrator.http.openapi [--check]\n")
        return 2
    DOCUMENT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
