"""Heads of the ledger: what is signed, in the form of C2SP tlog-checkpoint, signed-note and tlog-cosignature.

A head is text: the origin line, the number of entries, the root in base64, for a simulated ledger a line that says so,
an empty line, and a line for each signature::

    wardporter.simulation/small-house
    42
    qINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=
    SIMULATION: not a register of real medicines

    — wardporter.simulation/small-house 8vCnRxkl…

The name of the key is the origin line and is part of the key's id, so a signature of a real ledger's key is never one
of a simulated ledger's. Ed25519 itself is handed in; there is no cryptography here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from orchestrator.domain.custody.ledger_errors import HeadError
from orchestrator.domain.custody.origin import LedgerOrigin
from orchestrator.domain.errors import InvalidInputError

ED25519 = b"\x01"
COSIGNATURE = b"\x04"
SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
SIGNATURE_LINE = re.compile(r"— (\S+) ([A-Za-z0-9+/]+=*)")
ROOT_BYTES = 32
KEY_BYTES = 32
KEY_ID_BYTES = 4
SIGNATURE_BYTES = 64

Sign = Callable[[bytes], bytes]
"""Returns the Ed25519 signature of a message, 64 bytes."""

IsSigned = Callable[[bytes, bytes, bytes], bool]
"""Whether a signature is that of a public key over a message; in the order public key, signature, message."""


def bodies_of(origin: LedgerOrigin) -> Callable[[int, bytes], str]:
    """Return how the signed text of a ledger's heads is made of a size and a root; a ledger has as many as entries."""
    first, last = f"{origin.line}\n", "".join(f"\n{line}" for line in (*origin.extensions, ""))

    def body(size: int, root: bytes) -> str:
        return f"{first}{size}\n{base64.b64encode(root).decode()}{last}"

    return body


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a head says: the first ``size`` entries of a ledger have this root."""

    origin: LedgerOrigin
    size: int
    root: bytes

    @property
    def body(self) -> str:
        """The text that is signed."""
        return bodies_of(self.origin)(self.size, self.root)

    @classmethod
    def parse(cls, body: str) -> Checkpoint:
        """Return what a head's text says; raises `HeadError` for any other text than `body` makes."""
        lines = body.split("\n")
        try:
            checkpoint = cls(LedgerOrigin.parse(lines[0]), _size(lines[1]), _decoded(lines[2], ROOT_BYTES))
        except (IndexError, InvalidInputError) as error:
            raise _invalid("its text is not that of a ledger's head") from error
        if checkpoint.body != body:
            raise _invalid("it says more, or less, than a head of its ledger")
        return checkpoint


@dataclass(frozen=True, slots=True)
class KeyName:
    """A public key under its name, as people hand it on: ``name+id+base64``."""

    name: str
    public_key: bytes
    algorithm: bytes = ED25519

    @property
    def id(self) -> bytes:
        """The four bytes that stand before its signatures."""
        said = self.name.encode() + b"\n" + self.algorithm + self.public_key
        return hashlib.sha256(said).digest()[:KEY_ID_BYTES]

    @property
    def text(self) -> str:
        """The key as one line."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(self.algorithm + self.public_key).decode()}"

    @classmethod
    def parse(cls, text: str) -> KeyName:
        """Return the key that a line states; raises `HeadError`."""
        name, _, rest = text.strip().partition("+")
        id_hex, _, encoded = rest.partition("+")
        said = _decoded(encoded, KEY_BYTES + 1)
        key = cls(name, said[1:], said[:1])
        if not name or key.id.hex() != id_hex or key.algorithm not in (ED25519, COSIGNATURE):
            raise _invalid("the line of its public key contradicts itself")
        return key


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """A signature under a head: whose, and its bytes after the key's id."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """The signature as one line."""
        return f"— {self.name} {base64.b64encode(self.key_id + self.signature).decode()}"

    @classmethod
    def parse(cls, line: str) -> NoteSignature:
        """Return the signature that a line states; raises `HeadError`."""
        found = SIGNATURE_LINE.fullmatch(line)
        if found is None:
            raise _invalid("a line under it is not a signature")
        said = _decoded(found[2])
        return cls(found[1], said[:KEY_ID_BYTES], said[KEY_ID_BYTES:])


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head with the signatures under it, not yet believed."""

    checkpoint: Checkpoint
    signatures: tuple[NoteSignature, ...]

    @property
    def text(self) -> str:
        """The head as it is kept and handed on."""
        return self.checkpoint.body + "\n" + "".join(f"{signature.line}\n" for signature in self.signatures)

    @classmethod
    def parse(cls, text: str) -> SignedHead:
        """Return what a text states; raises `HeadError` for any other text than `text` makes."""
        body, separator, lines = text.partition("\n\n")
        if not separator or not lines.endswith("\n"):
            raise _invalid("it has no signatures")
        head = cls(Checkpoint.parse(body + "\n"), tuple(NoteSignature.parse(line) for line in lines[:-1].split("\n")))
        if head.text != text:
            raise _invalid("a signature under it is written in another way than it is made")
        return head

    def with_signatures(self, more: Sequence[NoteSignature]) -> SignedHead:
        """Return the head with further signatures."""
        return replace(self, signatures=(*self.signatures, *more))

    def require_signed(self, key: KeyName, is_signed: IsSigned) -> Checkpoint:
        """Return what the head says, if its ledger's key signed it.

        Raises
        ------
        HeadError
            The key is another ledger's, or its signature is missing or wrong.
        """
        if key.name != self.checkpoint.origin.line or key.algorithm != ED25519:
            raise _invalid(f"it is of the ledger {self.checkpoint.origin.line}, the key is that of {key.name}")
        body = self.checkpoint.body.encode()
        for signature in self.signatures:
            if (signature.name, signature.key_id) == (key.name, key.id):
                if is_signed(key.public_key, signature.signature, body):
                    return self.checkpoint
                raise _invalid("its signature is wrong")
        raise _invalid(f"the key {key.name}+{key.id.hex()} did not sign it")


def signed_head(checkpoint: Checkpoint, key: KeyName, sign: Sign) -> SignedHead:
    """Return a head with its ledger's signature."""
    assert key.name == checkpoint.origin.line, "a ledger's key signs for its own ledger"
    signature = NoteSignature(key.name, key.id, sign(checkpoint.body.encode()))
    return SignedHead(checkpoint, (signature,))


def cosigned_message(checkpoint: Checkpoint, *, at_s: int) -> bytes:
    """Return what a witness signs: when, in seconds since 1970, and the head's text (cosignature/v1)."""
    return f"cosignature/v1\ntime {at_s}\n{checkpoint.body}".encode()


def cosignature(checkpoint: Checkpoint, key: KeyName, sign: Sign, *, at_s: int) -> NoteSignature:
    """Return a witness's signature under a head."""
    assert key.algorithm == COSIGNATURE, "a witness signs as a witness"
    signature = at_s.to_bytes(8, "big") + sign(cosigned_message(checkpoint, at_s=at_s))
    return NoteSignature(key.name, key.id, signature)


def is_cosigned(head: SignedHead, key: KeyName, is_signed: IsSigned) -> bool:
    """Whether a witness signed a head."""
    for signature in head.signatures:
        if (signature.name, signature.key_id) == (key.name, key.id) and len(signature.signature) == 8 + SIGNATURE_BYTES:
            at_s = int.from_bytes(signature.signature[:8], "big")
            return is_signed(key.public_key, signature.signature[8:], cosigned_message(head.checkpoint, at_s=at_s))
    return False


def _size(text: str) -> int:
    if SIZE.fullmatch(text) is None:
        raise _invalid("its size is not a number of entries")
    return int(text)


def _decoded(text: str, length: int | None = None) -> bytes:
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _invalid("a part of it is not base64") from error
    if length is not None and len(found) != length:
        raise _invalid("a part of it has another length than it must")
    return found


def _invalid(found: str) -> HeadError:
    return HeadError(
        f"The head was refused: {found}; expected a head of this ledger as it was signed. Take the kept one, whole."
    )
