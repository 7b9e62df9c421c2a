from __future__ import annotations

import pytest

from orchestrator.application.errors import IdempotencyKeyReusedError
from orchestrator.application.idempotency import Answer, once
from orchestrator.domain.errors import ConflictError
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON


class Acts:
    """Counts how often something was done."""

    def __init__(self) -> None:
        self.done = 0

    def act(self) -> Answer:
        self.done += 1
        return Answer(201, f"done {self.done}")

    def refuse(self) -> Answer:
        self.done += 1
        raise ConflictError("not now")


def ask(store: MemoryStore, acts: Acts, *, principal: str = "nurse-1", fingerprint: str = "f") -> Answer:
    with store.transaction() as uow:
        return once(uow, key="k", principal=principal, fingerprint=fingerprint, at=NOON, act=acts.act)


def test_retry_gets_the_first_answer_and_changes_nothing() -> None:
    store, acts = MemoryStore(), Acts()
    assert ask(store, acts) == ask(store, acts) == Answer(201, "done 1")
    assert acts.done == 1


def test_key_reused_for_other_content_is_refused() -> None:
    store, acts = MemoryStore(), Acts()
    ask(store, acts)
    with pytest.raises(IdempotencyKeyReusedError, match="fresh key"):
        ask(store, acts, fingerprint="other")
    assert acts.done == 1


def test_keys_of_two_people_do_not_meet() -> None:
    store, acts = MemoryStore(), Acts()
    assert ask(store, acts) != ask(store, acts, principal="nurse-2")


def test_refusal_is_not_kept_so_the_key_may_be_tried_again() -> None:
    store, acts = MemoryStore(), Acts()
    with pytest.raises(ConflictError), store.transaction() as uow:
        once(uow, key="k", principal="nurse-1", fingerprint="f", at=NOON, act=acts.refuse)
    assert ask(store, acts) == Answer(201, "done 2")
