"""What wristbands carry beside the patient's number (DCB1077): AI 91 organisation, local number and place, AI 93 names.

In the field a band reads ``91<ODS>,<number>,<GLN>,`` and ``93<FAMILY>,<Given>,<dd-Mon-yyyy>,``; a newborn's has a time
of birth, or baby details in AI 92. Names hold spaces and letters that GS1 has not got, so these fields are read here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from orchestrator.domain.medicine.check_digits import GLN_LENGTH, has_right_check_digit, is_digits
from orchestrator.domain.scanning.errors import AmbiguousSeparatorError, BadDateError, BadGlnError, CharsetError

BAND_FIELDS = ("91", "92", "93")
"""Fields of free text; GS1 leaves them to whoever issues the code."""

BAND_FIELD_LENGTH_MAX = 90

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_BORN = re.compile(r"([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})", re.ASCII)
_TIME = re.compile(r"[0-2][0-9]:?[0-5][0-9]", re.ASCII)
_SWALLOWED_IN_PLACE = re.compile(r"9[23](?=[^0-9,])", re.ASCII)
_SWALLOWED_IN_NAMES = re.compile(r"9[12]", re.ASCII)


@dataclass(frozen=True, slots=True)
class BandPlace:
    """Who gave the band: organisation (ODS code), its number of the patient, and its location number."""

    organisation: str | None
    local_id: str | None
    gln: str | None


@dataclass(frozen=True, slots=True)
class BandNames:
    """Whose band it is, as printed."""

    family_name: str | None
    given_name: str | None
    born: date | None


def check_text(value: str) -> None:
    """Refuse a free text with characters that no band holds: printable ASCII, and letters of any script for names.

    Raises
    ------
    CharsetError
        It has one, or is longer than the field may be.
    """
    is_fine = value.isprintable() and all(character.isascii() or character.isalpha() for character in value)
    if not is_fine or not 0 < len(value) <= BAND_FIELD_LENGTH_MAX:
        raise CharsetError(
            "The wristband was refused: one of its texts is empty, too long or holds a character that none does; "
            f"expected 1 to {BAND_FIELD_LENGTH_MAX} printable characters. Scan it again, or print a new band."
        )


def place_of(value: str) -> BandPlace:
    """Return what AI 91 says.

    Raises
    ------
    AmbiguousSeparatorError
        It may have swallowed the field behind it.
    BadGlnError
        The check digit of the location number is wrong.
    """
    parts = _parts(value)
    gln = parts[2] if len(parts) > 2 else None
    if len(parts) > 3 or (gln is not None and not is_digits(gln, GLN_LENGTH)) or _SWALLOWED_IN_PLACE.search(value):
        raise _run_together()
    if gln is not None and not has_right_check_digit(gln):
        raise BadGlnError(
            "The wristband was refused: the check digit of its location number is wrong; expected 13 digits with a "
            "right one. Scan it again, or print a new band."
        )
    return BandPlace(parts[0] or None, (parts[1] or None) if len(parts) > 1 else None, gln)


def names_of(value: str) -> BandNames:
    """Return what AI 93 says; of a text in another form nothing.

    Raises
    ------
    AmbiguousSeparatorError
        It may have swallowed the field behind it.
    BadDateError
        The date of birth is none that the calendar has.
    """
    parts = _parts(value)
    found = _BORN.fullmatch(parts[2]) if len(parts) > 2 else None
    if found is None:
        if len(parts) > 2 and _BORN.match(parts[2]):
            raise _run_together()
        return BandNames(None, None, None)
    behind = parts[3:]
    if any(_SWALLOWED_IN_NAMES.match(part) and not _TIME.fullmatch(part) for part in behind) or len(behind) > 1:
        raise _run_together()
    return BandNames(parts[0] or None, parts[1] or None, _born(*found.groups()))


def _parts(value: str) -> list[str]:
    parts = [part.strip(" ") for part in value.split(",")]
    while parts and parts[-1] == "":
        parts.pop()
    return parts


def _born(day: str, month: str, year: str) -> date:
    try:
        return date(int(year), _MONTHS.index(month.lower()) + 1, int(day))
    except ValueError:
        raise BadDateError(
            "The wristband was refused: it holds a date of birth that the calendar has not; expected dd-Mon-yyyy. "
            "Print a new band."
        ) from None


def _run_together() -> AmbiguousSeparatorError:
    return AmbiguousSeparatorError(
        "The wristband was refused: two of its fields may have run together, as when a scanner drops the separator "
        "(GS); expected one between them. Have the scanner set up to send GS; until then identify the patient by two "
        "other means."
    )
