"""When a delivery may be due."""

from __future__ import annotations

from datetime import datetime

import pytest

from orchestrator.domain.delivery.request import check_request
from orchestrator.domain.errors import InvalidInputError
from tests.support.deliveries import NOON, STATIONS, a_request, is_served


@pytest.mark.parametrize("due_by", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"])
def test_a_moment_that_utc_cannot_name_is_refused_with_a_sentence(due_by: str) -> None:
    request = a_request(due_by=datetime.fromisoformat(due_by))

    with pytest.raises(InvalidInputError, match="expected"):
        check_request(request, at=NOON, stations=STATIONS, is_served=is_served)
