"""The witness: a small process that keeps heads of ledgers and refuses those that did not grow from the kept one.

It speaks C2SP tlog-witness: POST /add-checkpoint. 404: a ledger it does not know, 403: not signed with that ledger's
key, 409: another head is kept, 422: the proof is wrong, 200: kept, with its own signature.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Protocol

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from orchestrator.application.ledger_heads import WitnessUnreachableError
from orchestrator.domain.custody.checkpoint import NoteSignature, SignedHead
from orchestrator.domain.custody.ledger_errors import HeadError
from orchestrator.domain.custody.witnessing import InconsistentHeadError, StaleHeadError

SIZE_TYPE = "text/x.tlog.size"
BODY_BYTES_MAX = 65_536
PROOF_HASHES_MAX = 63
HASH_BYTES = 32


class KeptHeads(Protocol):
    """The kept heads of one ledger."""

    def keep(self, head: SignedHead, *, old: int, proof: Sequence[bytes]) -> tuple[NoteSignature, ...]:
        """Keep a head; raises as `orchestrator.application.ledger_heads.Witness`, and `HeadError`."""
        ...

    def newest(self) -> SignedHead | None:
        """Return the newest kept head."""
        ...


class _UnreadableError(Exception):
    pass


def build_witness(kept: Mapping[str, KeptHeads]) -> FastAPI:
    """Return the app of a witness of some ledgers, by origin line."""
    app = FastAPI(title="Wardporter witness", openapi_url=None, docs_url=None, redoc_url=None)

    @app.post("/add-checkpoint")
    async def add_checkpoint(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES_MAX:
                return _said(413, "The request was refused: it is larger than any head with its proof.")
        return await run_in_threadpool(_add, kept, bytes(body))

    @app.get("/heads/{origin:path}")
    async def get_newest(origin: str) -> Response:
        heads = kept.get(origin)
        newest = None if heads is None else await run_in_threadpool(heads.newest)
        if newest is None:
            return _said(404, "No head of such a ledger is kept here.")
        return PlainTextResponse(newest.text)

    return app


def _add(kept: Mapping[str, KeptHeads], body: bytes) -> Response:
    try:
        old, proof, head = _read(body)
    except (_UnreadableError, HeadError, UnicodeDecodeError):
        return _said(400, "The request was refused: expected `old SIZE`, the proof, an empty line and a head.")
    heads = kept.get(head.checkpoint.origin.line)
    if heads is None:
        return _said(404, "The head was refused: this witness does not keep that ledger. Give it the ledger's key.")
    try:
        signatures = heads.keep(head, old=old, proof=proof)
    except HeadError as error:
        return _said(403, error.message)
    except StaleHeadError as error:
        return Response(f"{error.kept_size}\n", 409, {"Content-Type": SIZE_TYPE})
    except InconsistentHeadError as error:
        return _said(409 if old == head.checkpoint.size else 422, error.message)
    except WitnessUnreachableError as error:
        return _said(503, error.message)
    return PlainTextResponse("".join(f"{signature.line}\n" for signature in signatures))


def _read(body: bytes) -> tuple[int, tuple[bytes, ...], SignedHead]:
    said, separator, note = body.decode().partition("\n\n")
    first, *lines = said.split("\n")
    word, _, size = first.partition(" ")
    if not separator or word != "old" or not size.isascii() or not size.isdigit() or len(lines) > PROOF_HASHES_MAX:
        raise _UnreadableError
    head = SignedHead.parse(note)
    if int(size) > head.checkpoint.size:
        raise _UnreadableError
    try:
        proof = tuple(base64.b64decode(line, validate=True) for line in lines)
    except binascii.Error as error:
        raise _UnreadableError from error
    if any(len(hash_) != HASH_BYTES for hash_ in proof):
        raise _UnreadableError
    return int(size), proof, head


def _said(status: int, sentence: str) -> Response:
    return PlainTextResponse(f"{sentence}\n", status)
