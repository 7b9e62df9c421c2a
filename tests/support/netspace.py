"""A network of its own for a test and the processes it starts, in which packets get lost.

The test's thread enters a new network namespace, so what it starts from then on lives there too; the rest of the
machine is not touched. Needs root, `ip` and `nft`; mark tests that use it with ``netspace``.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.tools import nft_path, program

CLONE_NEWNET = 0x40000000
TABLE = "inet wardporter_loss"


class OwnNetwork:
    """The namespace that the test is in."""

    def lose(self, *, percent: int, port: int) -> None:
        """Drop this share of the packets to and from a TCP port, each way on its own."""
        rule = f"numgen random mod 100 < {percent} drop"
        _run(
            nft_path(),
            "-f",
            "-",
            text=f"table {TABLE} {{\n chain in {{\n type filter hook input priority 0;\n"
            f" tcp dport {port} {rule}\n tcp sport {port} {rule}\n }}\n}}\n",
        )

    def heal(self) -> None:
        """Let every packet through again."""
        _run(nft_path(), "delete", "table", *TABLE.split())

    def lost(self) -> bool:
        """Whether the rule is in force."""
        return "numgen" in _run(nft_path(), "list", "ruleset")


@contextmanager
def own_network() -> Iterator[OwnNetwork]:
    """Enter a new network namespace with nothing but a loopback interface, and leave it at the end."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if libc.unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "no network namespace could be made; are you root?")
        _run(program("ip"), "link", "set", "lo", "up", "multicast", "on")
        _run(program("ip"), "route", "add", "224.0.0.0/4", "dev", "lo")
        yield OwnNetwork()
    finally:
        libc.setns(before, CLONE_NEWNET)
        os.close(before)


def own_namespace() -> str:
    """Return what names the network namespace that the thread is in."""
    return os.readlink(Path("/proc/thread-self/ns/net"))


def _run(path: str | None, *words: str, text: str | None = None) -> str:
    assert path is not None, "mark the test with `netspace`"
    done = subprocess.run([path, *words], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
