"""A witness that is another process: C2SP tlog-witness, POST /add-checkpoint."""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence

import httpx2

from orchestrator.application.ledger_heads import WitnessUnreachableError
from orchestrator.domain.custody.checkpoint import NoteSignature, SignedHead
from orchestrator.domain.custody.ledger_errors import HeadError
from orchestrator.domain.custody.witnessing import InconsistentHeadError, StaleHeadError

TIMEOUT_S = 5.0
"""For each step of an exchange, and for a whole answer once it has begun, in seconds."""

ANSWER_BYTES_MAX = 65_536
SIZE_TYPE = "text/x.tlog.size"


class HttpWitness:
    """Hands heads to a witness over HTTP; implements `Witness`."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def keep(self, head: SignedHead, *, old: int, proof: Sequence[bytes]) -> tuple[NoteSignature, ...]:
        """Hand over a head with the proof from the kept one, and return the witness's signatures."""
        lines = [f"old {old}", *(base64.b64encode(hash_).decode() for hash_ in proof), "", head.text]
        try:
            content = "\n".join(lines).encode()
            with httpx2.stream("POST", f"{self._url}/add-checkpoint", content=content, timeout=TIMEOUT_S) as answer:
                text = _text_of(answer)
        except httpx2.HTTPError as error:
            raise _unreachable(type(error).__name__) from error
        if answer.status_code == 409 and answer.headers.get("content-type", "").startswith(SIZE_TYPE):
            raise StaleHeadError(_size_of(text))
        if answer.status_code in (409, 422):
            raise InconsistentHeadError(
                f"The head was refused by the witness ({answer.status_code}): it is not grown from the one it keeps; "
                "expected a ledger that only grew. Compare the ledger with its kept heads: wardporter ledger verify."
            )
        if answer.status_code != 200:
            raise _unreachable(f"it answers {answer.status_code}")
        try:
            signatures = tuple(NoteSignature.parse(line) for line in text.splitlines() if line)
        except HeadError as error:
            raise _unreachable("its answer is not a signature") from error
        if not signatures:
            # Whoever keeps a head signs it; anything that listens there answers 200.
            raise _unreachable("it answers without a signature of its own")
        return signatures


def _text_of(answer: httpx2.Response) -> str:
    """Return what an answer says; one that does not end, or comes drop by drop, holds nobody up."""
    read, until_s = bytearray(), time.monotonic() + TIMEOUT_S
    for chunk in answer.iter_bytes():
        read += chunk
        if len(read) > ANSWER_BYTES_MAX or time.monotonic() > until_s:
            raise _unreachable("its answer does not end")
    return read.decode(errors="replace")


def _size_of(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise _unreachable("its answer is not a size") from error


def _unreachable(why: str) -> WitnessUnreachableError:
    return WitnessUnreachableError(
        f"The witness was not reached ({why}); expected it to keep the ledger's newest head. See to it; the ledger "
        "goes on."
    )
