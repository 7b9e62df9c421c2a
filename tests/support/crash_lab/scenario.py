"""A process that does custody acts on the real store and tells of each once it is committed.

Usage: ``python -m tests.support.crash_lab.scenario FOLDER ROUNDS [FLAW]``. Under FOLDER are the store, the ledger's key
and a directory that keeps its heads. It prints ``done ACT`` after each act and ``kept SIZE`` after each head was kept.
A FLAW is planted to see whether it is found: ``normal`` (no sync at a commit), ``split`` (an act in several
transactions).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from orchestrator.adapters.ledger_key import is_signed, ledger_key
from orchestrator.adapters.store import SqlStore, open_store
from orchestrator.adapters.witness import DirectoryWitness
from orchestrator.application.confirm_receipt import confirm_receipt
from orchestrator.application.idempotency import Answer, once
from orchestrator.application.ledger_heads import HeadKeeper, LedgerStanding
from orchestrator.application.ledger_keeping import LedgerTerms
from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.custody.model import PendingId
from orchestrator.domain.custody.movements import received
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState
from orchestrator.domain.fleet.history import RobotAct
from orchestrator.domain.fleet.model import ActionId, RobotId
from orchestrator.domain.fleet.order import ActionKind, RobotAction
from tests.support.deliveries import NOON, CountingIds, bring_to, counts_of, queue
from tests.support.ledgers import ORIGIN, WARD, occasion, opening, sealing

WAL_PAGES = 100
"""After how many pages the log is written back: often enough that a short run has cuts in the middle of it."""

NURSE, ROBOT = "nurse-1", RobotId("robot-1")


class Books:
    """The store in a folder, its ledger's key, and the directory that keeps its heads."""

    def __init__(self, folder: Path) -> None:
        terms = LedgerTerms(ORIGIN, signer=ledger_key(folder / "keys", ORIGIN))
        assert terms.signer is not None, "it was just made"
        self.store = open_store(url_in(folder), ledger=terms)
        witness = DirectoryWitness(folder / "witness", key=terms.signer.key, is_signed=is_signed)
        self._keeper = HeadKeeper(self.store, terms, is_signed=is_signed, witness=witness)

    def keep_head(self) -> LedgerStanding:
        """Hand the newest head to the witness, and return how they stand."""
        return self._keeper.keep()

    def close(self) -> None:
        """Close the store."""
        self.store.close()


def url_in(folder: Path) -> str:
    """Address of the store in a folder."""
    return f"sqlite:///{folder}/data/store.sqlite"


class Acts:
    """Acts on the books; each is one transaction, in which its answer is kept under its name."""

    def __init__(self, books: Books, *, flaw: str = "") -> None:
        self._books = books
        self._store = books.store
        self._flaw = flaw
        self._ids = CountingIds()

    def all(self, rounds: int) -> Iterator[tuple[str, Callable[[], None]]]:
        """Return the acts by name, in order."""
        yield "open", lambda: self._do("open", lambda uow: uow.ledger.append(opening(counted=10_000), NOON))
        for number in range(1, rounds + 1):
            yield f"queue-{number}", lambda n=number: self._queue(n)
            yield f"seal-{number}", lambda n=number: self._seal(n)
            yield f"pause-{number}", lambda n=number: self._pause(n)
            yield f"receive-{number}", lambda n=number: self._receive(n)

    def _do(self, name: str, *steps: Callable[[UnitOfWork], object]) -> None:
        def act(uow: UnitOfWork) -> Answer:
            for step in steps:
                step(uow)
            return Answer(200, f'{{"act": "{name}"}}')

        if self._flaw == "split":
            for step in steps:
                with self._store.transaction() as uow:
                    step(uow)
            steps = ()
        with self._store.transaction() as uow:
            once(uow, key=name, principal=NURSE, fingerprint=name, at=NOON, act=lambda: act(uow))

    def _queue(self, number: int) -> None:
        self._do(f"queue-{number}", lambda uow: queue(uow, ids=self._ids))

    def _seal(self, number: int) -> None:
        delivery = delivery_of(number)
        bring_to(self._store, delivery, DeliveryState.LOADING, seal_number=seal_of(number))
        self._do(
            f"seal-{number}",
            lambda uow: bring_to(_Within(uow), delivery, DeliveryState.SEALED, seal_number=seal_of(number)),
            lambda uow: uow.ledger.append(sealing(pending_of(number), tote=f"cut-{number}"), NOON),
        )

    def _pause(self, number: int) -> None:
        action = RobotAction(ActionId(f"action-{number}"), ActionKind.PAUSE)
        self._do(
            f"pause-{number}",
            lambda uow: uow.outbox.add(ROBOT, at=NOON, action=action),
            lambda uow: uow.history.add(ROBOT, at=NOON, act=RobotAct.PAUSE, by=NURSE, reason="r", outcome="o"),
        )

    def _receive(self, number: int) -> None:
        delivery = bring_to(self._store, delivery_of(number), DeliveryState.ARRIVED)
        self._do(
            f"receive-{number}",
            lambda uow: _receipt(uow, delivery, seal_of(number)),
            lambda uow: uow.ledger.append(
                received(uow.ledger.pending(PendingId(pending_of(number))), occasion(WARD, "nurse-1", "nurse-2")), NOON
            ),
        )


class _Within:
    """A store whose transaction is the one that is open."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def transaction(self) -> AbstractContextManager[UnitOfWork]:
        return nullcontext(self._uow)

    reading = transaction


def _receipt(uow: UnitOfWork, delivery: Delivery, seal: str) -> Delivery:
    return confirm_receipt(uow, delivery=delivery.id, seal_number=seal, counts=counts_of(delivery), at=NOON, by=NURSE)


def delivery_of(number: int) -> DeliveryId:
    """Id of the delivery of a round."""
    return DeliveryId(f"delivery-{number:04d}")


def seal_of(number: int) -> str:
    """Seal number of a round."""
    return f"S-{number}"


def pending_of(number: int) -> str:
    """Id of what is on its way in a round."""
    return f"cut-{number}"


def parts_of(uow: UnitOfWork, act: str) -> dict[str, bool]:
    """Return which parts of an act are in the books; a whole act has all of them, and one not done has none."""
    kind, _, digits = act.partition("-")
    parts = {"answer": uow.answers.find(key=act, principal=NURSE) is not None}
    if kind == "open":
        return parts | {"entry": uow.ledger.size > 0}
    number = int(digits)
    found = {delivery.id: delivery for delivery in uow.deliveries.page(after=None, limit=1000, states=None)}
    delivery, pending = found.get(delivery_of(number)), uow.ledger.find_pending(PendingId(pending_of(number)))
    match kind:
        case "queue":
            subjects = {event.subject for event in uow.events.after(0, 10_000)}
            return parts | {"delivery": delivery is not None, "event": delivery_of(number) in subjects}
        case "seal":
            is_loaded = delivery is not None and delivery.loading is not None
            return parts | {"loading": is_loaded, "pending": pending is not None}
        case "receive":
            is_received = delivery is not None and delivery.receipt is not None
            return parts | {"receipt": is_received, "entry": pending is not None and not pending.is_open}
        case _:
            actions = {m.action.id for m in uow.outbox.wanted() if m.action is not None}
            entries = uow.history.page(ROBOT, before=None, limit=1000)
            return parts | {"message": f"action-{number}" in actions, "history": len(entries) >= number}


def _plant(store: SqlStore, flaw: str) -> None:
    """Let the writing connection write its log back often, and, as a flaw, not wait for the disk."""
    connection = store._connection.connection.dbapi_connection
    assert connection is not None, "the store is open"
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES}")
    if flaw == "normal":
        cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def main(folder: str, rounds: str, flaw: str = "") -> None:
    books = Books(Path(folder))
    _plant(books.store, flaw)
    for name, act in Acts(books, flaw=flaw).all(int(rounds)):
        act()
        say(f"done {name}")
        say(f"kept {books.keep_head().witnessed}")
    books.close()


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
