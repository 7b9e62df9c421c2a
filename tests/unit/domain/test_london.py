"""The hospital's clock and calendar, in winter, in summer and in the hour that comes twice."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from orchestrator.domain.london import london_clock, london_day, london_moment


@pytest.mark.parametrize(
    ("shown", "moment"),
    [
        ("2026-11-26T12:00", datetime(2026, 11, 26, 12, 0, tzinfo=UTC)),
        ("2026-07-01T00:30", datetime(2026, 6, 30, 23, 30, tzinfo=UTC)),
        ("2026-10-25T01:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_shown_time_is_a_moment_and_back(shown: str, moment: datetime) -> None:
    assert london_moment(datetime.fromisoformat(shown)) == moment
    assert london_clock(moment) == datetime.fromisoformat(shown)
    assert london_day(moment) == date.fromisoformat(shown[:10])


def test_a_day_begins_at_local_midnight() -> None:
    assert london_day(datetime(2026, 6, 30, 23, 0, tzinfo=UTC)) == date(2026, 7, 1)
