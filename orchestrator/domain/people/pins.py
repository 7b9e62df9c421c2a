"""Which PIN somebody may choose: six digits that are not the first ones anybody would try."""

from __future__ import annotations

import itertools
import re

from orchestrator.domain.errors import InvalidInputError

PIN_DIGITS = 6

_FORM = re.compile(rf"[0-9]{{{PIN_DIGITS}}}", re.ASCII)
_STEPS = (0, 1, 9)
"""From digit to digit, modulo ten: the same one, the next one, the one before."""


class PinRefusedError(InvalidInputError):
    """The PIN that somebody chose is none, is the present one, or is guessed at once."""

    code = "pin_refused"


def is_guessed_at_once(pin: str) -> bool:
    """Whether six digits are one digit again and again, or run up or down, also over nine and nought."""
    steps = {(int(after) - int(before)) % 10 for before, after in itertools.pairwise(pin)}
    return len(steps) == 1 and steps <= set(_STEPS)


def require_good_pin(new: str, *, present: str) -> None:
    """Refuse a PIN that nobody should have.

    Raises
    ------
    PinRefusedError
        It is not six ASCII digits, it is the present one, or it is guessed at once. Neither is in the sentence.
    """
    trouble = None
    if _FORM.fullmatch(new) is None:
        trouble = f"it is not {PIN_DIGITS} digits from 0 to 9"
    elif new == present:
        trouble = "it is the present one"
    elif is_guessed_at_once(new):
        trouble = "its digits are all the same, or run up or down, which is what others try first"
    if trouble is not None:
        raise PinRefusedError(
            f"The new PIN was refused: {trouble}; expected {PIN_DIGITS} digits that nobody guesses. Choose others, and "
            "no date of birth.",
            detail={"field": "new_pin"},
        )
