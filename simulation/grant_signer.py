"""A key for drawer grants that follows from a seed, so that a simulated ward repeats itself. It opens nothing real."""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class SeededSigner:
    """Signs drawer grants; implements `orchestrator.application.ports.GrantSigner`.

    Parameters
    ----------
    seed : str
        The same seed is the same key.
    """

    def __init__(self, seed: str) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"{seed}:grants".encode()).digest())

    @property
    def public(self) -> str:
        """The public half as robots are given it."""
        return base64.b64encode(self._private.public_key().public_bytes_raw()).decode()

    def sign(self, text: str) -> str:
        """Return the signature in base64."""
        return base64.b64encode(self._private.sign(text.encode())).decode()
