"""Quantities in words, as requisitions for controlled drugs state them beside the figures."""

from __future__ import annotations

import re

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()


def in_words(number: int) -> str:
    """Return a whole number from 0 to 999,999 in English words, without hyphens or commas.

    Raises
    ------
    ValueError
        The number is outside that range.
    """
    if not 0 <= number < 1_000_000:
        raise ValueError(f"{number} has no words here: expected 0 to 999999")
    if number < 20:
        return _ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens] + (f" {_ONES[ones]}" if ones else "")
    size, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    many, rest = divmod(number, size)
    joined = " and " if size == 100 or rest < 100 else " "
    return f"{in_words(many)} {name}" + (f"{joined}{in_words(rest)}" if rest else "")


def says(words: str, number: int) -> bool:
    """Whether words state a number; case, hyphens, commas and the word "and" do not matter."""
    return _plain(words) == _plain(in_words(number))


def _plain(words: str) -> list[str]:
    return [word for word in re.split(r"[\s,-]+", words.strip().lower()) if word and word != "and"]
