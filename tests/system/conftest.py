"""What tests with the whole system's processes share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.houses import House, a_house


@pytest.fixture
def open_house(tmp_path: Path, claim_port: Callable[[], int], ros_domain_id: int) -> Iterator[Callable[..., House]]:
    """Function that opens a house with ports and a ROS domain of its own; ended after the test, however it went."""
    with ExitStack() as opened:

        def open_one(**more: Any) -> House:
            ports = {"broker_port": claim_port(), "port": claim_port()}
            return opened.enter_context(a_house(tmp_path, ros_domain_id=ros_domain_id, **ports, **more))

        yield open_one
