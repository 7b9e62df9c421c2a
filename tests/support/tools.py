"""The programs that some tests need beside Python packages, and what to do when one is missing."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

REQUIRE_TOOLS = "WARDPORTER_REQUIRE_TOOLS"
"""Environment variable: with ``1`` a missing tool fails the test instead of skipping it."""


def program(*names: str) -> str | None:
    """Path of the first program found; the system folders are searched too, an ordinary user's PATH leaves them out."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
    return next((found for name in names if (found := shutil.which(name, path=path))), None)


def mosquitto_path() -> str | None:
    """Path of the Mosquitto broker, if there is one."""
    return program("mosquitto")


def nft_path() -> str | None:
    """Path of the nftables program, if there is one."""
    return program("nft")


def chromium_path() -> str | None:
    """Path of a Chromium browser, if there is one."""
    return program("chromium", "chromium-browser", "google-chrome")


@cache
def _strace_works() -> bool:
    # It may be there and not allowed, as in a container without the right to trace.
    path = program("strace")
    return path is not None and subprocess.run([path, "-qq", "-o", os.devnull, "true"], check=False).returncode == 0


def _ros_is_there() -> bool:
    return importlib.util.find_spec("rclpy") is not None


@dataclass(frozen=True, slots=True)
class Tool:
    """What a marker stands for: how to see whether it is there, and how to get it."""

    name: str
    is_there: Callable[[], bool]
    remedy: str


TOOLS = {
    "ros": Tool("rclpy", _ros_is_there, "run `make test` once on Linux x86_64, or source a system ROS 2 Jazzy"),
    "broker": Tool("Mosquitto", lambda: mosquitto_path() is not None, "install it: apt-get install mosquitto"),
    "netspace": Tool(
        "nftables and iproute2 as root",
        lambda: nft_path() is not None and program("ip") is not None and os.geteuid() == 0,
        "install them (apt-get install nftables iproute2) and run these tests as root",
    ),
    "strace": Tool("strace", _strace_works, "install it (apt-get install strace) where processes may be traced"),
    "browser": Tool("Chromium", lambda: chromium_path() is not None, "install it: apt-get install chromium"),
}
"""By marker. ``slow`` and ``system`` say what a test costs, not what it needs, and are not here."""


def missing_tool(marker: str) -> str | None:
    """Sentence that says what is missing for a marker and how to get it; None when nothing is."""
    tool = TOOLS.get(marker)
    if tool is None or tool.is_there():
        return None
    return f"needs {tool.name}, which is not here: {tool.remedy}"


def tools_are_required() -> bool:
    """Whether a skip for a missing tool counts as a failure (continuous integration)."""
    return os.environ.get(REQUIRE_TOOLS) == "1"
