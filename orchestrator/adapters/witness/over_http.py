"""A witness that is another process: C2SP tlog-witness, POST /add-checkpoint."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import httpx2

from orchestrator.application.ledger_heads import WitnessUnreachableError
from orchestrator.domain.custody.checkpoint import NoteSignature, SignedHead
from orchestrator.domain.custody.ledger_errors import HeadError
from orchestrator.domain.custody.witnessing import InconsistentHeadError, StaleHeadError

TIMEOUT_S = 5.0
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
            answer = httpx2.post(f"{self._url}/add-checkpoint", content=content, timeout=TIMEOUT_S)
        except httpx2.HTTPError as error:
            raise _unreachable(type(error).__name__) from error
        if answer.status_code == 409 and answer.headers.get("content-type", "").startswith(SIZE_TYPE):
            raise StaleHeadError(_size_of(answer.text))
        if answer.status_code in (409, 422):
            raise InconsistentHeadError(
                f"The head was refused by the witness ({answer.status_code}): it is not grown from the one it keeps; "
                "expected a ledger that only grew. Compare the ledger with its kept heads: wardporter ledger verify."
            )
        if answer.status_code != 200:
            raise _unreachable(f"it answers {answer.status_code}")
        try:
            return tuple(NoteSignature.parse(line) for line in answer.text.splitlines() if line)
        except HeadError as error:
            raise _unreachable("its answer is not a signature") from error


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
