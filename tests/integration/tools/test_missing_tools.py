"""A test that needs a tool which is not here: skipped with a sentence, or failed where tools are required."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.shared_data import REPOSITORY

TEST = """
import pytest

@pytest.mark.{marker}
def test_needs_it():
    pass
"""


def _run(folder: Path, marker: str, **environment: str) -> str:
    """Run pytest on one marked test with a PATH that holds nothing and no rclpy, and give its report."""
    (folder / "conftest.py").write_text(
        "import tests.support.tools as tools\n"
        "tools.program = lambda *names: None\n"
        "tools._ros_is_there = lambda: False\n"
        "tools.TOOLS['ros'] = tools.Tool('rclpy', lambda: False, tools.TOOLS['ros'].remedy)\n"
        "from tests.conftest import pytest_runtest_setup\n"
    )
    (folder / "test_it.py").write_text(TEST.format(marker=marker))
    command = [sys.executable, "-m", "pytest", "-c", str(REPOSITORY / "pyproject.toml"), f"--rootdir={folder}", "-ra"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "WARDPORTER"))}
    environment = clean | {"PYTHONPATH": str(REPOSITORY), "COLUMNS": "200"} | environment
    answer = subprocess.run(
        [*command, "-p", "no:cacheprovider", str(folder / "test_it.py")],
        env=environment, cwd=folder, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    return answer.stdout + answer.stderr


@pytest.mark.parametrize(
    ("marker", "remedy"),
    [
        ("broker", "apt-get install mosquitto"),
        ("browser", "apt-get install chromium"),
        ("strace", "apt-get install strace"),
        ("ros", "make test"),
    ],
)
def test_missing_tool_is_a_visible_skip_that_says_what_to_install(tmp_path: Path, marker: str, remedy: str) -> None:
    report = _run(tmp_path, marker)
    assert "1 skipped" in report
    assert remedy in report


@pytest.mark.parametrize("marker", ["broker", "browser", "ros"])
def test_missing_tool_is_a_failure_where_tools_are_required(tmp_path: Path, marker: str) -> None:
    report = _run(tmp_path, marker, WARDPORTER_REQUIRE_TOOLS="1")
    assert "which is not here" in report
    assert "1 failed" in report or "1 error" in report
