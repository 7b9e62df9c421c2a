"""A reason: a stable code with a sentence for people. "Not now" is a value, not an exception."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.errors import InvalidInputError

REASON_LENGTH_MAX = 500


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something waits, was refused or changed; ``sentence`` says what it waits for or what to do."""

    code: str
    sentence: str


def require_said(reason: str, *, act: str) -> None:
    """Refuse an act whose reason, in a person's own words, says nothing or cannot be shown.

    Raises
    ------
    InvalidInputError
        It is not 1 to 500 printable characters.
    """
    if _can_be_shown(reason):
        return
    raise InvalidInputError(
        f"{act} was refused: the reason is empty, too long or not printable; expected 1 to {REASON_LENGTH_MAX} "
        "printable characters. Say in a few words why.",
        detail={"field": "reason", "length_max": REASON_LENGTH_MAX},
    )


def require_told(text: str, *, act: str, field: str) -> None:
    """Refuse an act for which a text was given, such as a requisition's number, that says nothing or cannot be shown.

    Raises
    ------
    InvalidInputError
        It is not 1 to 500 printable characters.
    """
    if _can_be_shown(text):
        return
    raise InvalidInputError(
        f"{act} was refused: {field} is empty, too long or not printable; expected 1 to {REASON_LENGTH_MAX} printable "
        "characters. Correct it.",
        detail={"field": field, "length_max": REASON_LENGTH_MAX},
    )


def _can_be_shown(text: str) -> bool:
    return bool(text.strip()) and len(text) <= REASON_LENGTH_MAX and text.isprintable()
