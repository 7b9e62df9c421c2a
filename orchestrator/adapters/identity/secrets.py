"""Secrets: argon2id for PINs, a keyed digest for badge codes, SHA-256 for random tokens."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.people.pins import PIN_DIGITS, is_guessed_at_once
from orchestrator.durable_folders import make_folder, sync_folder

KEY_FILE = "badge.key"
KEY_BYTES = 32
BADGE_BYTES = 10
TOKEN_BYTES = 32
TIME_COST, MEMORY_KIB, LANES = 3, 65_536, 1
"""RFC 9106's second recommendation, in one lane: about 0.1 s and 64 MiB for each PIN."""


class BadgeKeyError(InvalidInputError):
    """The key of badge codes cannot be used."""

    code = "badge_key"


class Argon2Secrets:
    """Makes and compares secrets; implements `orchestrator.application.secrets.Secrets`.

    Parameters
    ----------
    key : bytes
        Of this house, for the digests of badge codes: a card's number is short, and could be guessed from a digest
        without a key.
    time_cost, memory_kib : int
        What a PIN's hash costs; smaller in tests alone.
    """

    def __init__(self, key: bytes, *, time_cost: int = TIME_COST, memory_kib: int = MEMORY_KIB) -> None:
        self._key = key
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=LANES)
        # What an unknown badge's PIN is compared with, for the same length of time.
        self._nobody = self._hasher.hash(secrets.token_hex(TOKEN_BYTES))

    def new_badge(self) -> str:
        """Return a badge code of 80 random bits."""
        return secrets.token_hex(BADGE_BYTES)

    def new_pin(self) -> str:
        """Return six random digits, none of those that are guessed at once."""
        while is_guessed_at_once(pin := f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}d}"):
            pass
        return pin

    def new_token(self) -> str:
        """Return 256 random bits as text."""
        return secrets.token_urlsafe(TOKEN_BYTES)

    def digest_badge(self, badge: str) -> str:
        """Return the keyed digest of a badge's code."""
        return hmac.new(self._key, badge.encode(), hashlib.sha256).hexdigest()

    def digest_token(self, token: str) -> str:
        """Return the digest of a token."""
        return hashlib.sha256(token.encode()).hexdigest()

    def hash_pin(self, pin: str) -> str:
        """Return the argon2id hash of a PIN."""
        return self._hasher.hash(pin)

    def is_pin(self, pin: str, hashed: str | None) -> bool:
        """Whether the PIN is the one behind the hash; without a hash it takes as long and is never so."""
        try:
            return self._hasher.verify(self._nobody if hashed is None else hashed, pin) and hashed is not None
        except (VerificationError, InvalidHashError):
            return False


def key_in(folder: Path) -> bytes:
    """Return the key of badge codes in the data folder, made when there is none; only its owner may read it.

    Raises
    ------
    BadgeKeyError
        The file is not such a key.
    """
    path = folder / KEY_FILE
    make_folder(folder)
    made = folder / f".{KEY_FILE}.{secrets.token_hex(4)}"
    if not path.exists():
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link, not a renaming: of two that start together one key stays, and nobody sees half of it.
            os.link(made, path)
        except FileExistsError:
            pass
        finally:
            made.unlink()
        sync_folder(folder)
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise BadgeKeyError(
            f"The key of badge codes {path} was refused: it has {len(key)} bytes; expected {KEY_BYTES}. Put the file "
            "back from a backup: without it nobody's badge is known, and all have to be issued again."
        )
    return key
