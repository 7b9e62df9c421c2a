"""The number on a tote's label: a serial shipping container code (GS1 SSCC) made of the tote's id.

It checks, it does not find: whoever scans a label compares it with the number of the tote that is expected there. Nine
digits of a hash tell the few totes that can be meant apart; our own ids, which are unique, stay the names.
"""

from __future__ import annotations

import hashlib
import re

from orchestrator.domain.delivery.ids import ToteId
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.medicine.check_digits import check_digit

EXAMPLE_PREFIX = "5012345"
"""A company prefix of examples, for simulated fleets; a hospital sets its own."""

_BODY_LENGTH = 17
_PREFIX = re.compile(r"[0-9]{7,10}", re.ASCII)


class CompanyPrefixError(InvalidInputError):
    """A GS1 company prefix cannot be one."""

    code = "company_prefix"


def require_company_prefix(prefix: str) -> str:
    """Return a GS1 company prefix of 7 to 10 digits; raises `CompanyPrefixError`."""
    if _PREFIX.fullmatch(prefix) is None:
        raise CompanyPrefixError(
            "The GS1 company prefix was refused: expected 7 to 10 digits, as GS1 UK gave them to the hospital. Correct "
            "WARDPORTER_GS1_PREFIX."
        )
    return prefix


def sscc_of(tote: ToteId, *, prefix: str = EXAMPLE_PREFIX) -> str:
    """Return the 18 digits of a tote's number.

    Parameters
    ----------
    tote : ToteId
        Its id.
    prefix : str
        GS1 company prefix of the hospital, 7 to 10 digits.
    """
    digits = _BODY_LENGTH - 1 - len(prefix)
    serial = int.from_bytes(hashlib.sha256(tote.encode()).digest()) % 10**digits
    # The extension digit 1 has no meaning; without it, a prefix of zeros could leave no digit at all.
    body = f"1{prefix}{serial:0{digits}d}"
    return f"{body}{check_digit(body)}"
