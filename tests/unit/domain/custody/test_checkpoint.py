from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from orchestrator.adapters.ledger_key import is_signed
from orchestrator.domain.custody.checkpoint import (
    COSIGNATURE,
    Checkpoint,
    KeyName,
    SignedHead,
    cosignature,
    is_cosigned,
    signed_head,
)
from orchestrator.domain.custody.ledger_errors import HeadError
from orchestrator.domain.custody.origin import LedgerOrigin
from orchestrator.domain.errors import InvalidInputError

SIMULATED = LedgerOrigin("small-house", is_simulation=True)
REAL = LedgerOrigin("small-house", is_simulation=False)
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PRIVATE.public_key().public_bytes_raw()


def a_key(origin: LedgerOrigin = SIMULATED) -> KeyName:
    return KeyName(origin.line, PUBLIC)


def a_head(origin: LedgerOrigin = SIMULATED, *, size: int = 42) -> SignedHead:
    return signed_head(Checkpoint(origin, size, bytes(range(32))), a_key(origin), PRIVATE.sign)


def test_a_head_is_a_note_of_the_c2sp_form() -> None:
    name, size, root, extension, empty, signature, end = a_head().text.split("\n")
    assert (name, size, empty, end) == ("wardporter.simulation/small-house", "42", "", "")
    assert root == "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    assert extension.startswith("SIMULATION")
    assert signature.startswith(f"— {name} ")
    assert "SIMULATION" not in a_head(REAL).text


def test_a_key_id_is_that_of_the_example_of_signed_note() -> None:
    # golang.org/x/mod/sumdb/note, package example.
    text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert KeyName.parse(text).text == text
    with pytest.raises(HeadError):
        KeyName.parse(text.replace("PeterNeumann", "PeterNeuman"))


def test_a_head_comes_back_as_it_was_signed() -> None:
    for origin in (SIMULATED, REAL):
        head = SignedHead.parse(a_head(origin).text)
        assert head == a_head(origin)
        assert head.require_signed(a_key(origin), is_signed).size == 42


def test_no_letter_of_a_head_can_be_changed() -> None:
    text = a_head().text
    for place in range(len(text)):
        changed = text[:place] + ("B" if text[place] != "B" else "C") + text[place + 1 :]
        with pytest.raises((HeadError, InvalidInputError)):
            SignedHead.parse(changed).require_signed(a_key(), is_signed)


def test_a_real_head_is_never_a_simulated_one_nor_the_reverse() -> None:
    # Even when somebody gave both ledgers one private key.
    for origin, other in ((SIMULATED, REAL), (REAL, SIMULATED)):
        head = a_head(origin)
        with pytest.raises(HeadError):
            head.require_signed(a_key(other), is_signed)
        renamed = replace(head, checkpoint=replace(head.checkpoint, origin=other))
        with pytest.raises(HeadError):
            renamed.require_signed(a_key(other), is_signed)
        with pytest.raises(HeadError):
            SignedHead.parse(head.text.replace(origin.line, other.line))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "wardporter/x\n1\nAA==\n\n— wardporter/x AAAA\n",
        a_head().text[:-1],
        a_head().text + "\n",
        a_head().text.replace("\n42\n", "\n042\n"),
        a_head().text.replace("\n42\n", "\n-1\n"),
        a_head(REAL).text.replace("\n\n", "\nmore\n\n"),
        a_head().text.partition("\n\n")[0] + "\n\n",
    ],
)
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(HeadError):
        SignedHead.parse(text)


def test_a_witness_signs_what_it_kept_and_when() -> None:
    witness = KeyName("witness-1", PUBLIC, COSIGNATURE)
    head = a_head()
    cosigned = head.with_signatures([cosignature(head.checkpoint, witness, PRIVATE.sign, at_s=1_800_000_000)])
    assert is_cosigned(SignedHead.parse(cosigned.text), witness, is_signed)
    assert not is_cosigned(head, witness, is_signed)
    other = a_head(size=43).with_signatures(cosigned.signatures[1:])
    assert not is_cosigned(other, witness, is_signed)


def test_a_site_that_cannot_stand_in_a_head_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        LedgerOrigin("two words", is_simulation=False)
    with pytest.raises(InvalidInputError):
        LedgerOrigin.parse("elsewhere/site")
    assert LedgerOrigin.parse(SIMULATED.line) == SIMULATED
    assert SIMULATED.first_hash != REAL.first_hash
