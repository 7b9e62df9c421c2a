"""How long each type of record is kept at least: data, with where each figure comes from.

A place may keep longer and never shorter. What is purged are whole calendar months by when their records ended, once
the years have passed since the end of the month.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.london import LONDON

YEARS_MAX = 100


class RecordType(StrEnum):
    """What is kept.

    ``delivery`` is what custody knows of one: requisition, patient, who verified, picked, checked, accepted, loaded and
    received. ``patients_own`` is the same of patients' own medicines. ``answer`` is what a request was answered, kept
    so that its retry gets the same. The others are named to say that they stay.
    """

    DELIVERY = "delivery"
    PATIENTS_OWN = "patients_own"
    INCIDENT = "incident"
    ANSWER = "answer"
    LEDGER = "ledger"
    ACCESS_LOG = "access_log"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Retention:
    """How many years a type is kept at least, and where that comes from; ``stays_because`` of what is never purged."""

    years: int
    source: str
    stays_because: str = ""

    @property
    def is_purged(self) -> bool:
        """Whether it is purged at all."""
        return not self.stays_because


RETENTION: Mapping[RecordType, Retention] = {
    RecordType.DELIVERY: Retention(2, "requisitions and order books: NICE NG46; Misuse of Drugs Regulations 2001"),
    RecordType.PATIENTS_OWN: Retention(7, "destruction of patients' own controlled drugs: NICE NG46"),
    RecordType.INCIDENT: Retention(10, "an assumption, to be decided by the trust: incidents that are not serious"),
    RecordType.ANSWER: Retention(2, "an assumption: copies of the records that they answer, kept as long"),
    RecordType.LEDGER: Retention(
        2,
        "registers and ward record books, from the last entry: Misuse of Drugs Regulations 2001",
        "each entry holds the hash of the one before, and balances are the sum of all of them",
    ),
    RecordType.ACCESS_LOG: Retention(2, "an assumption", "the database refuses to change it"),
    RecordType.HISTORY: Retention(
        2, "an assumption", "states of deliveries and events are only added to; they name no patient and no quantity"
    ),
}
"""The least, by type. Supplier invoices (6 years, NICE NG46) are not kept here."""

PURGED = tuple(kind for kind, retention in RETENTION.items() if retention.is_purged)
"""The types that are purged."""

_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])", re.ASCII)


class MonthInvalidError(InvalidInputError):
    """A text names no month."""

    code = "month_invalid"


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month in the hospital's time."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Month:
        """Return the month that a text such as ``2024-09`` names; raises `MonthInvalidError`."""
        found = _MONTH.fullmatch(text)
        if found is None:
            raise MonthInvalidError(
                "The request was refused: month names none; expected one such as 2024-09. Correct it.",
                detail={"field": "month"},
            )
        return cls(int(found[1]), int(found[2]))

    @property
    def name(self) -> str:
        """How it is called."""
        return f"{self.year}-{self.number:02}"

    @property
    def starts_at(self) -> datetime:
        """Its first moment."""
        return datetime(self.year, self.number, 1, tzinfo=LONDON)

    @property
    def ends_at(self) -> datetime:
        """The first moment after it."""
        return Month(self.year + self.number // 12, self.number % 12 + 1).starts_at

    def is_due(self, years: int, at: datetime) -> bool:
        """Whether so many years have passed since its end."""
        end = self.ends_at
        return at >= end.replace(year=end.year + years)
