"""Column types and checks that the databases have not got of their own, or not alike."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Dialect, Integer
from sqlalchemy.types import String, TypeDecorator

Number = BigInteger().with_variant(Integer(), "sqlite")
"""Of what is counted for ever. SQLite keeps 64 bits in any case, and orders a table by a key only if it is INTEGER."""


class Moment(TypeDecorator[datetime]):
    """An aware datetime as UTC text of fixed width, so that the order of texts is the order of time."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Return the text; a naive datetime is a fault of the program and is refused."""
        return None if value is None else text_of_moment(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Return the aware datetime."""
        return None if value is None else moment_of_text(value)


def text_of_moment(moment: datetime) -> str:
    """Return the UTC text with microseconds; raises ValueError for a naive datetime."""
    if moment.tzinfo is None:
        raise ValueError("a datetime without a time zone cannot be kept: make it aware first")
    # isoformat writes four digits of the year where strftime leaves out leading zeros.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def moment_of_text(text: str) -> datetime:
    """Return the aware datetime that `text_of_moment` wrote."""
    return datetime.fromisoformat(text).astimezone(UTC)


def one_of(column: str, values: type[StrEnum] | Iterable[str], *, name: str) -> CheckConstraint:
    """Return the check that a column holds one of the values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=name)
