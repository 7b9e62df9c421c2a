"""The calendar and the clock on the wall of the hospital: that of the United Kingdom."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def london_day(moment: datetime) -> date:
    """Return the calendar day of a moment in the United Kingdom."""
    return moment.astimezone(LONDON).date()


def london_clock(moment: datetime) -> datetime:
    """Return what the clock on the wall shows at a moment: naive local time."""
    return moment.astimezone(LONDON).replace(tzinfo=None)


def london_moment(shown: datetime) -> datetime:
    """Return the moment, UTC, at which the clock on the wall shows a naive local time: of two in autumn the earlier."""
    return shown.replace(tzinfo=LONDON, fold=0).astimezone(UTC)
