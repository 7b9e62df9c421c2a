"""Check digits of GS1 keys: weights 3 and 1 from the right, to the next ten (GS1 General Specifications 7.9).

Codes of dm+d are SNOMED CT identifiers, which end in a check digit by Verhoeff's rule.
"""

from __future__ import annotations

GTIN_LENGTH = 14
GTIN_LENGTHS = (8, 12, 13, 14)
SSCC_LENGTH = 18
GSRN_LENGTH = 18
GLN_LENGTH = 13
ROUNDED_FROM = 16
"""Digits of a whole number from which on a spreadsheet rounds it."""

_ORDER = "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258"
"""Verhoeff's permutation and its powers, by place from the right."""


def is_digits(text: str, length: int) -> bool:
    """Whether a text is that many ASCII digits; digits of other scripts are none."""
    return len(text) == length and text.isascii() and text.isdigit()


def check_digit(body: str) -> int:
    """Return the check digit of a GS1 key without it."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return -total % 10


def has_right_check_digit(key: str) -> bool:
    """Whether the last of some ASCII digits is their check digit; zeros alone are a filler, and have none."""
    return check_digit(key[:-1]) == int(key[-1]) and key.strip("0") != ""


def is_gtin(text: str) -> bool:
    """Whether a text is a trade item number in its form of 14 digits."""
    return is_digits(text, GTIN_LENGTH) and has_right_check_digit(text)


def is_dmd_code_whole(code: str) -> bool:
    """Whether a dm+d code may be as it was given: one so long that it may have been rounded ends in its check digit.

    Shorter ones are not looked at: they are kept whole anywhere, and made-up ones have no check digit.
    """
    if len(code) < ROUNDED_FROM:
        return True
    total = 0
    for place, digit in enumerate(reversed(code)):
        total = _joined(total, int(_ORDER[place % 8][int(digit)]))
    return total == 0


def _joined(first: int, second: int) -> int:
    """Join two digits as turns and flips of a pentagon are joined: 0 to 4 turn it, 5 to 9 flip it as well."""
    turned = (first + second) % 5 if first < 5 else (first - second) % 5
    return turned + 5 * ((first >= 5) != (second >= 5))
