"""Dates of GS1 codes: YYMMDD, day 00 for the last of the month, the nearest century (General Specifications 7.12)."""

from __future__ import annotations

import calendar
from datetime import date, datetime

from orchestrator.domain.scanning.errors import BadDateError


def date_of(digits: str, *, today: date) -> date:
    """Return the date of six digits YYMMDD.

    Raises
    ------
    BadDateError
        The calendar has no such date.
    """
    year, month, day = _year(int(digits[:2]), today=today), int(digits[2:4]), int(digits[4:6])
    try:
        return date(year, month, day or calendar.monthrange(year, month)[1])
    except (ValueError, calendar.IllegalMonthError):
        raise BadDateError(
            "The code was refused: it holds a date that no calendar has; expected YYMMDD, with day 00 for the last "
            "of the month. Scan it again; if it says the same, set the pack apart and tell the pharmacy."
        ) from None


def moment_of(digits: str, *, today: date) -> datetime:
    """Return the local moment of ten digits YYMMDDHHMM.

    Raises
    ------
    BadDateError
        There is no such moment.
    """
    day, hour, minute = date_of(digits[:6], today=today), int(digits[6:8]), int(digits[8:10])
    if hour > 23 or minute > 59 or digits[4:6] == "00":
        raise BadDateError(
            "The code was refused: it holds a time that no day has; expected YYMMDDHHMM. Scan it again; if it says the "
            "same, set the pack apart and tell the pharmacy."
        )
    # Local time of the place by definition of the field; whoever asks compares it with a local moment.
    return datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001


def is_date(digits: str, *, today: date) -> bool:
    """Whether six characters are a date YYMMDD."""
    if not (len(digits) == 6 and digits.isascii() and digits.isdigit()):
        return False
    try:
        date_of(digits, today=today)
    except BadDateError:
        return False
    return True


def _year(two_digits: int, *, today: date) -> int:
    century = today.year - today.year % 100
    ahead = two_digits - today.year % 100
    if ahead >= 51:
        return century - 100 + two_digits
    if ahead <= -50:
        return century + 100 + two_digits
    return century + two_digits
