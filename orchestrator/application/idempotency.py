"""A request that comes twice is done once: its answer is kept in the transaction that did it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from orchestrator.application.errors import IdempotencyKeyReusedError
from orchestrator.application.ports import StoredAnswer, UnitOfWork


@dataclass(frozen=True, slots=True)
class Answer:
    """What a state-changing request is answered: an HTTP status and a JSON text."""

    status: int
    body: str


def once(
    uow: UnitOfWork, *, key: str, principal: str, fingerprint: str, at: datetime, act: Callable[[], Answer]
) -> Answer:
    """Return the answer kept under the key, or act and keep what comes of it.

    A refusal raised by ``act`` leaves through here: the transaction rolls back and nothing is kept, so the same key
    may be tried again.

    Parameters
    ----------
    uow : UnitOfWork
        The transaction that ``act`` writes in.
    key : str
        The client's idempotency key.
    principal : str
        Who asks; keys of two people never meet.
    fingerprint : str
        Digest of everything the request says: method, path and body.
    at : datetime
        Now; aware.
    act : callable
        Does what was asked and returns the answer.

    Raises
    ------
    IdempotencyKeyReusedError
        This principal used the key for a request that said something else.
    """
    kept = uow.answers.find(key=key, principal=principal)
    if kept is None:
        answer = act()
        uow.answers.add(
            StoredAnswer(
                key=key, principal=principal, fingerprint=fingerprint, status=answer.status, body=answer.body, at=at
            )
        )
        return answer
    if kept.fingerprint != fingerprint:
        raise IdempotencyKeyReusedError(
            "The request was refused: its Idempotency-Key was used before for a request that said something else; "
            "expected a new key for a new request. Nothing was changed. Send it again under a fresh key.",
            detail={"first_used_at": kept.at.isoformat()},
        )
    return Answer(status=kept.status, body=kept.body)
