"""Check digits of GS1 keys: weights 3 and 1 from the right, to the next ten (GS1 General Specifications 7.9)."""

from __future__ import annotations

GTIN_LENGTH = 14
GTIN_LENGTHS = (8, 12, 13, 14)
SSCC_LENGTH = 18
GSRN_LENGTH = 18
GLN_LENGTH = 13


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
