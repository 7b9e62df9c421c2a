"""Until when a pack may be used: its last day, and where its code gives one the hour."""

from __future__ import annotations

from datetime import date, datetime

from orchestrator.domain.london import london_day


def is_in_date(expiry: date | None, expires_at: datetime | None, *, at: datetime) -> bool:
    """Whether a pack may still be used at a moment; one that says nothing of its end may.

    Parameters
    ----------
    expiry : date or None
        The last day on which it may be used, by the calendar of the United Kingdom.
    expires_at : datetime or None
        The moment from which it may not be used any more (GS1 AI 7003); aware.
    at : datetime
        The moment; aware.
    """
    has_passed_hour = expires_at is not None and expires_at <= at
    has_passed_day = expiry is not None and expiry < london_day(at)
    return not (has_passed_hour or has_passed_day)
