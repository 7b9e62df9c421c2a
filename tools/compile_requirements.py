"""Compile requirements/*.txt from pyproject.toml again, with uv from a virtual environment that is thrown away.

The files hold pins and hashes and no address: whoever installs decides by pip's settings where packages come from.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UV = "uv==0.13.9"
OLDEST = "3.11"

# Robots first: the other files take its pins, so that one is a superset of the other at the same versions.
CONSTRAINT = ["--constraint", "requirements/robots.txt"]
RECIPES: dict[str, list[str]] = {
    "robots": ["--group", "build", "--extra", "ros", "pyproject.toml"],
    "build": ["--group", "build", *CONSTRAINT],
    "service": ["--group", "build", "pyproject.toml", *CONSTRAINT],
    "dev": ["--group", "build", "--extra", "ros", "--extra", "dev", "pyproject.toml", *CONSTRAINT],
}


def compile_one(uv: Path, name: str, recipe: list[str], *, more: list[str]) -> None:
    """Write one requirements file; ``more`` is handed to uv, for example ``--upgrade``."""
    target = f"requirements/{name}.txt"
    print(f"compiling {target}", flush=True)
    # Extras are kept: pip looks for "coverage[toml]" apart from "coverage"; without a pin it takes the newest.
    fixed = ["--universal", "--python-version", OLDEST, "--generate-hashes", "--no-strip-extras"]
    fixed += ["--no-header", "--quiet"]
    subprocess.run([str(uv), "pip", "compile", *fixed, *recipe, *more, "-o", target], cwd=ROOT, check=True)
    if "://" in (ROOT / target).read_text(encoding="utf-8"):
        raise SystemExit(f"{target} holds an address; a requirements file names packages and hashes only")


def main() -> None:
    """Compile every file; arguments such as ``--upgrade-package numpy`` go to uv."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        binaries = Path(folder) / "bin"
        subprocess.run([str(binaries / "python"), "-m", "pip", "install", "--quiet", UV], check=True)
        for name, recipe in RECIPES.items():
            compile_one(binaries / "uv", name, recipe, more=sys.argv[1:])


if __name__ == "__main__":
    main()
