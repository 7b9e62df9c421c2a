"""The ledger's costs: an append, verification, and proofs, each against something of the same run.

A simulated register in a folder of its own: the app behind its gate, people with step-ups, an SQLite store that syncs
each commit, heads that are signed. The robots' control is left out; it costs the same whatever is entered.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from fastapi import FastAPI

from orchestrator.adapters.clock import RandomIds, SystemClock
from orchestrator.adapters.identity.secrets import Argon2Secrets
from orchestrator.adapters.ledger_key import ledger_key
from orchestrator.adapters.store import SqlStore, open_store
from orchestrator.application.ledger_keeping import LedgerTerms
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.step_up import at_place
from orchestrator.application.views import FleetPicture
from orchestrator.bootstrap import desk_from_settings, fleet_from_settings
from orchestrator.bootstrap_audit import audit_stored
from orchestrator.domain.access.acts import Act
from orchestrator.domain.custody.merkle import inclusion_proof, is_included
from orchestrator.domain.custody.model import Draft, PendingId, Stock
from orchestrator.domain.custody.movements import (
    Occasion,
    opening_balance,
    received,
    sealed,
    signed_by,
    supplier_receipt,
)
from orchestrator.domain.custody.origin import LedgerOrigin
from orchestrator.domain.custody.pending import LedgerMode
from orchestrator.domain.delivery.model import DeliveryId, ToteId
from orchestrator.domain.medicine.model import Medicine, MedicineCode
from orchestrator.domain.medicine.schedule import Schedule
from orchestrator.domain.people.model import Person, PersonId, Role
from orchestrator.domain.people.proofs import Credentials, StepUp
from orchestrator.domain.site.model import PlaceId, StationKind
from orchestrator.http.app import build_app
from orchestrator.http.desk import News, PartReadiness
from orchestrator.settings import Settings

T = TypeVar("T")

PIN = "428615"
STOCK = Stock("36126511000001106", "B-1")
WARD = PlaceId("bench-ward")
PEOPLE = ("pharmacist-1", "pharmacist-2")
WARM_UP = 20
SMALL = 1_000
PROOFS = 400
PROOF_ROUNDS = 5
BATCH = 500
"""Entries a transaction, and so a head, while a large ledger is written; a service signs a head for each act."""
HEADED = 10_000
"""Entries of the ledger in which each has a head of its own, as in a service's."""
TENTH = 10

APPEND_TO_CHECKED_MAX = 2.5
VERIFY_S_PER_MILLION_MAX = 30.0
LINEAR_MAX = 1.5
PROOF_LARGE_TO_SMALL_MAX = 3.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, and the bound that it shall keep; None where there is none.

    A bound that ``is_reported`` is one of seconds: it depends on the machine, so it is told and decides nothing.
    """

    what: str
    value: float
    most: float | None = None
    unit: str = ""
    is_reported: bool = False

    @property
    def is_kept(self) -> bool:
        """Whether the figure is within its bound."""
        return self.most is None or self.value <= self.most

    @property
    def is_within(self) -> bool:
        """Whether the bound is kept, as far as it decides."""
        return self.is_kept or self.is_reported

    @property
    def line(self) -> str:
        """The figure for people."""
        if self.most is None:
            return f"{self.what}: {self.value:.3g}{self.unit}"
        verdict = f"{'kept' if self.is_kept else 'NOT KEPT'}{' on this machine' if self.is_reported else ''}"
        return f"{self.what}: {self.value:.3g}{self.unit} (at most {self.most:g}: {verdict})"


def measure(*, requests: int, entries: int, tell: Callable[[str], None]) -> list[Figure]:
    """Return all figures; tells people what is being done."""
    with tempfile.TemporaryDirectory(prefix="wardporter-bench-") as folder:
        tell(f"{requests} appends and as many requests that are only checked, over HTTP ...")
        figures = asyncio.run(_measure_appends(Path(folder) / "appends", requests))
        tell(f"Writing {entries} entries to verify and to prove among ...")
        return [*figures, *_measure_large(Path(folder) / "large", entries, tell=tell)]


# -- appends ----------------------------------------------------------------------------------------------------------


class _Door:
    """The control's door without robots: a command is one transaction."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self.news = News()

    async def run(self, command: Callable[[UnitOfWork], T]) -> T:
        with self._store.transaction() as uow:
            answer = command(uow)
        self.news.tell()
        return answer

    async def read(self, query: Callable[[UnitOfWork], T]) -> T:
        with self._store.reading() as uow:
            return query(uow)

    def live(self) -> FleetPicture:
        return FleetPicture((), {}, {})

    def readiness(self) -> Sequence[PartReadiness]:
        return ()


class _House:
    """An app with a register of record that two pharmacists have opened."""

    def __init__(self, folder: Path, store: SqlStore) -> None:
        fleet = fleet_from_settings(Settings())
        hatch = next(s for s in fleet.site.stations.values() if s.kind is StationKind.PHARMACY_HATCH)
        self.place = hatch.place
        self.store = store
        self.clock = SystemClock()
        self.secrets = Argon2Secrets(b"b" * 32, time_cost=1, memory_kib=8)
        desk = desk_from_settings(
            Settings(data=folder), fleet, _Door(store), secrets=self.secrets, clock=self.clock, ids=RandomIds()
        )
        self.device = sorted(desk.own_devices)[0]
        self.app = build_app(desk)
        self.people = tuple(
            Person(PersonId(id), frozenset({Role.PHARMACIST}), frozenset({self.place})) for id in PEOPLE
        )
        self._fill()

    def _fill(self) -> None:
        at = self.clock.now()
        opening = Occasion(at=at, place=self.place, signatures=signed_by(self.people))
        with self.store.transaction() as uow:
            for person in self.people:
                credentials = Credentials(self.secrets.digest_badge(person.id), self.secrets.hash_pin(PIN))
                uow.people.add(person, credentials)
            uow.medicines.save([_morphine()])
            uow.ledger.append(opening_balance(STOCK, counted=0, on_books=0, occasion=opening), at)

    def step_ups(self, number: str) -> str:
        """Let both prove themselves, without what hashing a PIN costs."""
        at = self.clock.now()
        tokens = [f"{person.id}-{number}" for person in self.people]
        with self.store.transaction() as uow:
            for person, token in zip(self.people, tokens, strict=True):
                digest, where = self.secrets.digest_token(token), at_place(self.place)
                until = at + timedelta(minutes=1)
                uow.proofs.add_step_up(StepUp(digest, person.id, Act.TAKE_FROM_SUPPLIER, where, self.device, at, until))
        return ", ".join(tokens)

    def append(self) -> None:
        """Append one entry and commit, as a use case does."""
        at = self.clock.now()
        occasion = Occasion(
            at=at, place=self.place, signatures=signed_by(self.people), facts={"supplier": "A, Street 1"}
        )
        with self.store.transaction() as uow:
            uow.ledger.append(supplier_receipt(STOCK, 60, occasion), at)


async def _measure_appends(folder: Path, count: int) -> list[Figure]:
    with _opened(folder, LedgerMode.REGISTER_OF_RECORD) as store:
        house = _House(folder, store)
        session = {"badge": PEOPLE[0], "pin": PIN, "device": house.device}
        status, body = await _asked(house.app, "/api/v1/sessions", session, {})
        assert status == 201, body
        bearer = {"authorization": f"Bearer {json.loads(body)['token']}"}
        path = f"/api/v1/registers/{house.place}/supplier-receipts"
        good = {"medicine": STOCK.medicine, "batch": STOCK.batch, "quantity": 60, "supplier": "A, Street 1"}
        entered = checked = appended = 0.0
        for number in range(-WARM_UP, count):
            headers = {**bearer, "idempotency-key": f"k{number}", "wardporter-step-up": house.step_ups(str(number))}
            start = time.process_time()
            status, body = await _asked(house.app, path, good, headers)
            middle = time.process_time()
            refused, _ = await _asked(house.app, path, {**good, "quantity": -1}, headers)
            end = time.process_time()
            house.append()
            last = time.process_time()
            assert (status, refused) == (201, 422), body
            if number >= 0:
                entered, checked, appended = entered + middle - start, checked + end - middle, appended + last - end
    return [
        Figure("Request that is only checked", checked / count * 1e3, unit=" ms"),
        Figure("Request that appends, durable, by two people", entered / count * 1e3, unit=" ms"),
        Figure("Append and commit alone, with its signed head", appended / count * 1e3, unit=" ms"),
        Figure("Request that appends / request that is only checked", entered / checked, APPEND_TO_CHECKED_MAX),
        Figure("Append alone / request that is only checked", appended / checked, APPEND_TO_CHECKED_MAX),
    ]


async def _asked(app: FastAPI, path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Ask the app as a server would, without a socket."""
    content = json.dumps(body).encode()
    sent: list[Any] = []
    unread = [{"type": "http.request", "body": content, "more_body": False}]
    said = {
        "host": "localhost",
        "content-type": "application/json",
        "content-length": str(len(content)),
        **headers,
    }
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in said.items()],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
        "state": {},
    }

    async def receive() -> Any:
        return unread.pop() if unread else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


# -- a large ledger ---------------------------------------------------------------------------------------------------


def _measure_large(folder: Path, count: int, *, tell: Callable[[str], None]) -> list[Figure]:
    url = _url(folder)
    key = ledger_key(folder, _ORIGIN).key
    with _opened(folder, LedgerMode.TRANSIT_RECORD) as store:
        _write(store, 0, count // TENTH)
    tenth = _verify_s(url, key, count // TENTH)
    with _opened(folder, LedgerMode.TRANSIT_RECORD) as store:
        _write(store, count // TENTH, count)
    small, large = _measure_proofs(folder, count)
    tell(f"Verifying {count} entries ...")
    whole = _verify_s(url, key, count)
    headed = _verify_headed_s(folder / "headed", HEADED)
    return [
        Figure(f"Verification of {count} entries", whole, unit=" s"),
        Figure(
            "Verification per million entries",
            whole / count * 1e6,
            VERIFY_S_PER_MILLION_MAX,
            unit=" s",
            is_reported=True,
        ),
        Figure(
            f"Verification per million entries with a head for each, of {HEADED}",
            headed / HEADED * 1e6,
            VERIFY_S_PER_MILLION_MAX,
            unit=" s",
            is_reported=True,
        ),
        Figure(f"Time per entry at {count} / at {count // TENTH}", whole / tenth / TENTH, LINEAR_MAX),
        Figure(f"Inclusion proof among {count}", large * 1e3, unit=" ms"),
        Figure(f"Inclusion proof among {count} / among {SMALL}", large / small, PROOF_LARGE_TO_SMALL_MAX),
    ]


def _measure_proofs(folder: Path, count: int) -> tuple[float, float]:
    """Return what an inclusion proof takes among few entries and among ``count``, in seconds of processor time.

    They are measured in turn, and the quickest round of each counts: minutes apart they would tell of the machine.
    """
    with (
        _opened(folder / "small", LedgerMode.TRANSIT_RECORD) as few,
        _opened(folder, LedgerMode.TRANSIT_RECORD) as all_,
    ):
        _write(few, 0, SMALL)
        rounds = [(_proof_s(few, SMALL), _proof_s(all_, count)) for _ in range(PROOF_ROUNDS)]
    return min(small for small, _ in rounds), min(large for _, large in rounds)


def _verify_headed_s(folder: Path, count: int) -> float:
    with _opened(folder, LedgerMode.TRANSIT_RECORD) as store:
        _write(store, 0, count, batch=1)
    return _verify_s(_url(folder), ledger_key(folder, _ORIGIN).key, count)


def _write(store: SqlStore, start: int, end: int, *, batch: int = BATCH) -> None:
    """Write entries up to a number: lines that are sealed and received, one after the other."""
    clock = SystemClock()
    people = tuple(Person(PersonId(id), frozenset({Role.PHARMACIST}), registration=f"REG-{id}") for id in PEOPLE)
    while start < end:
        with store.transaction() as uow:
            for number in range(start, min(start + batch, end)):
                at = clock.now()
                draft = _draft(
                    uow, number, Occasion(at, WARD, signed_by(people), DeliveryId(f"delivery-{number // 8}"))
                )
                uow.ledger.append(draft, at)
        start = min(start + batch, end)


def _draft(uow: UnitOfWork, number: int, occasion: Occasion) -> Draft:
    line, tote = PendingId(f"line-{number // 2}"), ToteId(f"tote-{number // 8}")
    if number % 2:
        return received(uow.ledger.pending(line), occasion)
    stock = Stock(STOCK.medicine, f"B-{number % 997}")
    return sealed(stock, 10, pending=line, tote=tote, to_place=WARD, occasion=occasion)


def _proof_s(store: SqlStore, size: int) -> float:
    """Return the processor time of one inclusion proof, in seconds, over many entries."""
    with store.reading() as uow:
        root = uow.ledger.frontier(size).root()
        step = max(size // PROOFS, 1)
        indexes = range(0, size, step)
        for index in (0, size - 1):
            leaf = uow.ledger.nodes([(0, index)])[0, index]
            proof = inclusion_proof(index, size, uow.ledger.nodes)
            assert is_included(leaf, index=index, size=size, proof=proof, root=root)
        start = time.process_time()
        for index in indexes:
            inclusion_proof(index, size, uow.ledger.nodes)
        return (time.process_time() - start) / len(indexes)


def _verify_s(url: str, key: Any, count: int) -> float:
    start = time.process_time()
    audit = audit_stored(url, key)
    assert audit.size == count, "everything was verified"
    return time.process_time() - start


# -- pieces -----------------------------------------------------------------------------------------------------------

_ORIGIN = LedgerOrigin("bench", is_simulation=True)


@contextmanager
def _opened(folder: Path, mode: LedgerMode) -> Iterator[SqlStore]:
    store = open_store(_url(folder), ledger=LedgerTerms(_ORIGIN, mode, signer=ledger_key(folder, _ORIGIN)))
    try:
        yield store
    finally:
        store.close()


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'bench.sqlite'}"


def _morphine() -> Medicine:
    return Medicine(
        code=MedicineCode(STOCK.medicine),
        name="Morphine 10 mg modified-release tablets",
        form="tablet",
        strength="10 mg",
        unit="tablet",
        drug_class="Morphine",
        schedule=Schedule.TWO,
        pack_size=60,
    )
