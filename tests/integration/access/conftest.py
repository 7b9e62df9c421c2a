"""A house where people sign in: an app on a memory store, with staff."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.house_of_staff import House, a_house


@pytest.fixture
def house() -> Iterator[House]:
    with a_house() as made:
        yield made
