"""A reason: a stable code with a sentence for people. "Not now" is a value, not an exception."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something waits, was refused or changed; ``sentence`` says what it waits for or what to do."""

    code: str
    sentence: str
