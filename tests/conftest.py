"""What every test may ask for: a tool that is there, a port and a ROS domain of its own."""

from __future__ import annotations

import gc
import os
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import hypothesis
import pytest

from tests.support.brokers import broker, child_broker
from tests.support.claims import PORTS, ROS_DOMAINS, claimed_number, port_is_free
from tests.support.fast_folder import fast_folder
from tests.support.postgresql import empty_postgres_url, postgres_server, postgres_url
from tests.support.tools import TOOLS, missing_tool, tools_are_required

__all__ = [
    "broker",
    "child_broker",
    "empty_postgres_url",
    "fast_folder",
    "postgres_server",
    "postgres_url",
]  # fixtures of tests/support, for every test

# How fast an example runs says nothing on a machine that does other things too; pytest's timeout catches what hangs.
hypothesis.settings.register_profile("house", deadline=None, print_blob=True)
hypothesis.settings.register_profile("deep", parent=hypothesis.settings.get_profile("house"), max_examples=2000)
hypothesis.settings.load_profile("house")


def pytest_collection_finish() -> None:
    """Look for cycles seldom, and never among the thousands of tests: looking is a tenth of what a run costs."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip visibly, or fail where tools are required, when a marker names a tool that is missing."""
    for marker in TOOLS:
        if item.get_closest_marker(marker) is None:
            continue
        sentence = missing_tool(marker)
        if sentence is None:
            continue
        if tools_are_required():
            pytest.fail(sentence, pytrace=False)
        pytest.skip(sentence)


@pytest.fixture
def ros_domain_id(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """ROS domain nobody else on this machine uses, set in the environment together with local discovery."""
    start = random.Random(os.getpid()).randrange(len(ROS_DOMAINS))
    with claimed_number("ros-domain", ROS_DOMAINS, start=start) as domain:
        monkeypatch.setenv("ROS_DOMAIN_ID", str(domain))
        monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        yield domain


@pytest.fixture
def claim_port() -> Iterator[Callable[[], int]]:
    """Function that gives another free loopback port at each call; all are kept for the whole test."""
    start = random.Random(os.getpid()).randrange(len(PORTS))
    with ExitStack() as held:

        def claim() -> int:
            return held.enter_context(claimed_number("port", PORTS, start=start, is_usable=port_is_free))

        yield claim


@pytest.fixture
def free_port(claim_port: Callable[[], int]) -> int:
    """One free loopback port, kept for the whole test."""
    return claim_port()
