"""The orchestrator's public key on board, and how a signature is checked with it (Ed25519, RFC 8032)."""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from orchestrator.domain.errors import InvalidInputError
from ros_nodes.onboard.grant_check import Verify


class GrantKeyError(InvalidInputError):
    """The public key of grants cannot be one."""

    code = "grant_key"


def verifier(public_key: str) -> Verify:
    """Return what checks signatures with a public key.

    Parameters
    ----------
    public_key : str
        32 bytes in base64, as ``grant_key.pub`` in the orchestrator's data folder has it.

    Raises
    ------
    GrantKeyError
        It is no such key.
    """
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key.strip(), validate=True))
    except (ValueError, binascii.Error) as error:
        raise GrantKeyError(
            "The key for drawer grants was refused: expected 32 bytes in base64, the line in grant_key.pub of the "
            "orchestrator's data folder. Give the robot that file."
        ) from error

    def verify(payload: bytes, signature: bytes) -> bool:
        try:
            key.verify(signature, payload)
        except InvalidSignature:
            return False
        return True

    return verify
