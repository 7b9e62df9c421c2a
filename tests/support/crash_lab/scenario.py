"""A process that does custody acts on the real store and tells of each once it is committed.

Usage: ``python -m tests.support.crash_lab.scenario FOLDER ROUNDS [FLAW]``. Under FOLDER are the store, the ledger's key
and a directory that keeps its heads. It prints ``done ACT`` after each act and ``kept SIZE`` after each head was kept.
A FLAW is planted to see whether it is found: ``normal`` (no sync at a commit), ``split`` (an act in several
transactions).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from orchestrator.adapters.ledger_key import is_signed, ledger_key
from orchestrator.adapters.store import SqlStore, open_store
from orchestrator.adapters.witness import DirectoryWitness
from orchestrator.application.confirm_receipt import Reading, confirm_receipt
from orchestrator.application.idempotency import Answer, once
from orchestrator.application.ledger_heads import HeadKeeper, LedgerStanding
from orchestrator.application.ledger_keeping import LedgerTerms
from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.custody.model import EntryKind
from orchestrator.domain.delivery.model import Delivery, DeliveryId
from orchestrator.domain.fleet.history import RobotAct
from orchestrator.domain.fleet.model import ActionId, RobotId
from orchestrator.domain.fleet.order import ActionKind, RobotAction
from orchestrator.domain.people.model import Person, PersonId, Role
from tests.support.custody import House, counted
from tests.support.deliveries import NOON, CountingIds
from tests.support.ledgers import ORIGIN

T = TypeVar("T")

WAL_PAGES = 100
"""After how many pages the log is written back: often enough that a short run has cuts in the middle of it."""

WHO, ROBOT = "nurse-a1", RobotId("robot-1")


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


class LaterIds(CountingIds):
    """Ids that go on after some rounds, each of which took one of a kind."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self._rounds = rounds

    def new(self, kind: str) -> str:
        """Return the next id of a kind."""
        if not self._counts[kind]:
            self._counts[kind] = self._rounds
        return super().new(kind)


class ToldHouse(House):
    """People who handle controlled deliveries; each act is one transaction, is answered once, and is told then."""

    def __init__(self, books: Books, *, flaw: str = "", first_round: int = 1) -> None:
        self._keep_head = books.keep_head
        self._flaw = flaw
        self._first_round = first_round
        super().__init__(store=books.store, ids=LaterIds(first_round - 1), at=NOON + timedelta(seconds=first_round - 1))

    def hire(self, name: str, *roles: Role, places: tuple[str, ...] = (), **more: Any) -> Person:
        """Take somebody on, or back when the books have them from an earlier round."""
        if self._first_round == 1:
            return super().hire(name, *roles, places=places, **more)
        with self.store.reading() as uow:
            self.people[name] = uow.people.get(PersonId(name))
        return self.people[name]

    def do(self, use_case: Callable[..., T], **said: Any) -> T:
        """Run a use case under an idempotency key, and tell of it once it is committed."""
        name = f"{use_case.__name__}-{self.at:%S}"
        done: list[T] = []

        def act(uow: UnitOfWork) -> Answer:
            done.append(use_case(uow, at=self.at, **said))
            return Answer(200, "{}")

        def answered(uow: UnitOfWork, act: Callable[[], Answer]) -> None:
            once(uow, key=name, principal=WHO, fingerprint=name, at=self.at, act=act)

        if self._flaw == "split":
            with self.store.transaction() as uow:
                answer = act(uow)
            with self.store.transaction() as uow:
                answered(uow, lambda: answer)
        else:
            with self.store.transaction() as uow:
                answered(uow, lambda: act(uow))
        say(f"done {name}")
        say(f"kept {self._keep_head().witnessed}")
        return done[0]

    def play(self, last_round: int) -> None:
        """Carry a controlled delivery in each round; every second one is received short."""
        if self._first_round == 1:
            self.approve()
        for number in range(self._first_round, last_round + 1):
            self.wait(seconds=1)
            queued = self.queue()
            self.dispense(queued)
            self.check(queued)
            self.do(pause)
            loaded = self.load(self.fetched(self.accept(queued)), seal=f"S-{number}")
            arrived = self.drive(loaded)
            if number % 2:
                self.receive(arrived, seal=f"S-{number}")
            else:
                self._receive_short(arrived, seal=f"S-{number}")

    def _receive_short(self, arrived: Delivery, *, seal: str) -> None:
        # The first count is not told: the same people count again, and that one stands.
        with self.store.transaction() as uow:
            self._count(uow, arrived, seal, at=self.at)
        self.do(receive_short, house=self, arrived=arrived, seal=seal)

    def _count(self, uow: UnitOfWork, arrived: Delivery, seal: str, *, at: datetime) -> Delivery:
        return confirm_receipt(
            uow,
            delivery=arrived.id,
            reading=Reading(seal, counted(arrived, off_by=-1)),
            at=at,
            present=self.present("nurse-a1", "nurse-a2"),
            premises=self.premises,
            ids=self.ids,
        )


def receive_short(uow: UnitOfWork, *, house: ToldHouse, arrived: Delivery, seal: str, at: datetime) -> Delivery:
    """Record the second, last count of a receipt that is one short."""
    return house._count(uow, arrived, seal, at=at)


def pause(uow: UnitOfWork, *, at: datetime) -> None:
    """Write down a person's act on a robot, and the message that it shall get."""
    uow.outbox.add(ROBOT, at=at, action=RobotAction(ActionId(f"action-{at:%S}"), ActionKind.PAUSE))
    uow.history.add(ROBOT, at=at, act=RobotAct.PAUSE, by=WHO, reason="r", outcome="o")


def parts_of(uow: UnitOfWork, act: str) -> dict[str, bool]:
    """Return which parts of an act are in the books; a whole act has all of them, and one not done has none."""
    kind, _, digits = act.rpartition("-")
    number = int(digits)
    parts = {"answer": uow.answers.find(key=act, principal=WHO) is not None}
    found = {delivery.id: delivery for delivery in uow.deliveries.page(after=None, limit=1000, states=None)}
    delivery = found.get(delivery_of(number))
    entries = {entry.draft.kind for entry in uow.ledger.entries(limit=1000, delivery=delivery_of(number))}
    match kind:
        case "queue_delivery":
            subjects = {event.subject for event in uow.events.after(0, 10_000)}
            return parts | {"delivery": delivery is not None, "event": delivery_of(number) in subjects}
        case "accept_delivery":
            return parts | {"entry": EntryKind.CUSTODY in entries}
        case "load_delivery":
            is_loaded = delivery is not None and delivery.loading is not None
            return parts | {"loading": is_loaded, "entry": EntryKind.SEALED in entries}
        case "confirm_receipt" | "receive_short":
            is_received = delivery is not None and delivery.receipt is not None
            ends = EntryKind.RECEIVED if kind == "confirm_receipt" else EntryKind.RECEIVED_DIFFERENT
            pending = {pending.delivery for pending in uow.ledger.open_pendings()}
            is_resolved = EntryKind.SEALED in entries and delivery_of(number) not in pending
            return parts | {"receipt": is_received, "entry": ends in entries, "resolved": is_resolved}
        case "pause":
            actions = {m.action.id for m in uow.outbox.wanted() if m.action is not None}
            entries_of_robot = uow.history.page(ROBOT, before=None, limit=1000)
            return parts | {"message": f"action-{digits}" in actions, "history": len(entries_of_robot) >= number}
        case _:
            return parts


def delivery_of(number: int) -> DeliveryId:
    """Id of the delivery of a round."""
    return DeliveryId(f"delivery-{number:04d}")


def let_write_back_often(store: SqlStore, *more: str) -> None:
    """Let the writing connection write its log back often; ``more`` are pragmas besides."""
    connection = store._connection.connection.dbapi_connection
    assert connection is not None, "the store is open"
    cursor = connection.cursor()
    for pragma in (f"wal_autocheckpoint={WAL_PAGES}", *more):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def main(folder: str, rounds: str, flaw: str = "") -> None:
    books = Books(Path(folder))
    let_write_back_often(books.store, *(["synchronous=NORMAL"] if flaw == "normal" else []))
    ToldHouse(books, flaw=flaw).play(int(rounds))
    books.close()


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
