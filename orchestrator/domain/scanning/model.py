"""What a scanner sends, taken apart and judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from orchestrator.domain.people.patient import NhsNumber

GS = "\x1d"
"""The character (ASCII 29) that scanners send for FNC1, after a field of variable length that is not the last."""


class ScanKind(StrEnum):
    """What a code names."""

    PACK = "pack"
    TOTE = "tote"
    WRISTBAND = "wristband"
    STAFF = "staff"
    LOCATION = "location"
    NHS_NUMBER = "nhs-number"


class Fault(StrEnum):
    """What is wrong with the value of a field by the general rules of GS1."""

    CHARSET = "charset"
    LENGTH = "length"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a GS1 message.

    Parameters
    ----------
    ai : str
        Application identifier: what the value is.
    value : str
        What stands behind it.
    is_variable : bool
        Whether its length varies, so that only a separator, or the end, ends it.
    is_followed : bool
        Whether a separator and another field come after it.
    fault : Fault or None
        What is wrong with the value, check digits and dates apart.
    """

    ai: str
    value: str
    is_variable: bool = False
    is_followed: bool = False
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A GS1 message: its fields in order, whether separators came through, and whether the scanner named the symbol.

    ``is_separated`` is whether some field was ended by a separator, so that this scanner sends them, or whether fields
    were written apart by hand. ``is_named`` is whether a symbology identifier stood before it.
    """

    fields: tuple[Field, ...]
    is_separated: bool
    is_named: bool


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a code says. What it does not say is None.

    ``expiry`` is the last day on which it may be used, ``expires_at`` the moment (naive, local time of the place) where
    the code gives one; ``expired`` is None when it says neither. ``organisation`` is the ODS code and
    ``local_id`` the number that a wristband gives its patient there.
    """

    kind: ScanKind
    gtin: str | None = None
    expiry: date | None = None
    expires_at: datetime | None = None
    expired: bool | None = None
    batch: str | None = None
    serial: str | None = None
    sscc: str | None = None
    gsrn: str | None = None
    gln: str | None = None
    gln_extension: str | None = None
    nhs_number: NhsNumber | None = None
    organisation: str | None = None
    local_id: str | None = None
    family_name: str | None = None
    given_name: str | None = None
    born: date | None = None
