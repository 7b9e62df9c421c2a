"""How a patient is named: by an NHS number, or by a number of the place where there is none.

NHS number: ten digits, the last by modulus 11; 999 000 0000 to 999 999 9999 is never issued and serves tests (NHS Data
Dictionary). Ranges that are issued: Scotland to 3112999999, Northern Ireland from 32, England, Wales and the Isle of
Man from 4, 6 and 7.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NewType

from orchestrator.domain.errors import InvalidInputError

NhsNumber = NewType("NhsNumber", str)
"""Ten ASCII digits."""

TEST_PREFIX = "999"

_FORM = re.compile(r"[ \t\r\n]*([0-9]{3}) ?([0-9]{3}) ?([0-9]{4})[ \t\r\n]*", re.ASCII)


class BadNhsNumberError(InvalidInputError):
    """A text is no NHS number that anybody can have."""

    code = "bad_nhs_number"


class NhsTestRangeError(InvalidInputError):
    """An NHS number of the test range where patients are real."""

    code = "nhs_number_of_tests"


class RealPatientError(InvalidInputError):
    """An NHS number that a patient may have where everybody is simulated."""

    code = "nhs_number_of_a_patient"


NHS, LOCAL = "nhs:", "local:"
"""How the reference of a patient begins: by NHS number, or by a number of the place."""


def nhs_number(text: str, *, is_issued: Callable[[str], bool], is_simulation: bool) -> NhsNumber:
    """Return the NHS number that a text says, with or without spaces as it is printed.

    Parameters
    ----------
    text : str
        What was typed or scanned.
    is_issued : callable
        Whether ten digits have a right check digit and lie in a range that is issued to patients.
    is_simulation : bool
        Whether patients are simulated; only then the test range counts, and nothing else does.

    Raises
    ------
    BadNhsNumberError
        It is not ten digits, its check digit is wrong, or nobody is given it.
    NhsTestRangeError
        It is of the test range, and patients are real.
    RealPatientError
        A patient may have it, and patients are simulated.
    """
    found = _FORM.fullmatch(text)
    digits = "" if found is None else "".join(found.groups())
    if not digits or len(set(digits)) == 1 or not has_right_check_digit(digits):
        raise BadNhsNumberError(
            "The NHS number was refused: it is not ten digits with a right check digit; expected them as printed, with "
            "or without spaces. Scan the wristband again, or read the digits out to somebody and type them anew."
        )
    if digits.startswith(TEST_PREFIX):
        if is_simulation:
            return NhsNumber(digits)
        raise NhsTestRangeError(
            "The NHS number was refused: it is of the range for tests, which no patient has; expected a patient's. "
            "Tests belong into a simulated fleet."
        )
    if is_simulation and is_issued(digits):
        raise RealPatientError(
            "The NHS number was refused: a patient may have it, and everybody is simulated here; expected one of the "
            "test range, 999 000 0000 to 999 999 9999. Real patients belong into the service of the hospital."
        )
    if not is_issued(digits):
        raise BadNhsNumberError(
            "The NHS number was refused: it is of a range that is given to nobody; expected a patient's. Scan the "
            "wristband again."
        )
    return NhsNumber(digits)


def has_right_check_digit(digits: str) -> bool:
    """Whether the tenth of ten ASCII digits is their check digit: weights 10 to 2, modulus 11, never 10."""
    total = sum(int(digit) * weight for digit, weight in zip(digits[:9], range(10, 1, -1), strict=True))
    return -total % 11 == int(digits[9])
