"""Secrets, as far as the application asks: made at random, kept as digests, compared in constant time."""

from __future__ import annotations

from typing import Protocol


class Secrets(Protocol):
    """The way to make and compare secrets. Hashing a PIN takes long on purpose: never on the control's thread."""

    def new_badge(self) -> str:
        """Return a badge code that nobody can guess."""
        ...

    def new_pin(self) -> str:
        """Return six random digits."""
        ...

    def new_token(self) -> str:
        """Return 256 random bits as text."""
        ...

    def digest_badge(self, badge: str) -> str:
        """Return what a badge's code is looked up by; needs the key of this house, for codes may be guessable."""
        ...

    def digest_token(self, token: str) -> str:
        """Return what a token is looked up by."""
        ...

    def hash_pin(self, pin: str) -> str:
        """Return the slow, salted hash of a PIN."""
        ...

    def is_pin(self, pin: str, hashed: str | None) -> bool:
        """Whether the PIN is the one behind the hash; without a hash it takes as long and is never so."""
        ...
