"""The real service as a process on the demo hospital, without robots: asked over HTTP, traced, killed, ended."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from pydantic import SecretStr

from orchestrator.adapters.store import open_store
from orchestrator.application.ledger_heads import LedgerStanding
from orchestrator.application.ports import UnitOfWork
from orchestrator.bootstrap import fleet_from_settings
from orchestrator.bootstrap_ledger import head_keeper, ledger_terms, origin_of
from orchestrator.domain.custody.origin import LedgerOrigin
from orchestrator.domain.custody.pending import LedgerMode
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.settings import Settings
from tests.support.brokers import wait_until
from tests.support.crash_lab.recording import TRACED, Op, Reader, Told
from tests.support.houses import children_of, environment_without
from tests.support.shared_data import REPOSITORY

READY_LIMIT_S, END_LIMIT_S = 60.0, 30.0
WHO = "pharmacist-1"
WANTED = {
    "from_station": "pharmacy_hatch_1",
    "to_station": "ward_alder_handover",
    "priority": "routine",
    "lines": [{"medicine": "Paracetamol 500 mg tablets", "quantity": 28, "unit": "tablet"}],
}


def settings_in(folder: Path, *, port: int = 0) -> Settings:
    """Settings of a service that keeps everything under a folder."""
    return Settings(
        data=folder / "data",
        store=SecretStr(f"sqlite:///{folder}/data/store.sqlite"),
        ledger_witness=str(folder / "witness"),
        identity="development",
        port=port,
    )


@functools.cache
def _origin() -> LedgerOrigin:
    """Whose ledger the service keeps on the demo hospital; reading the site takes longer than the books."""
    return origin_of(fleet_from_settings(Settings()))


class ServiceBooks:
    """The books that a service has left in a folder, opened without it."""

    def __init__(self, folder: Path) -> None:
        settings = settings_in(folder)
        terms = ledger_terms(settings.data, _origin(), LedgerMode.TRANSIT_RECORD)
        self.store = open_store(settings.store_url(), ledger=terms)
        self._keeper = head_keeper(settings, self.store, terms)

    def keep_head(self) -> LedgerStanding:
        """Hand the newest head to the witness, and return how they stand."""
        return self._keeper.keep()

    def close(self) -> None:
        """Close the store."""
        self.store.close()


@dataclass(slots=True)
class Service:
    """A running service, and how to ask it."""

    process: subprocess.Popen[bytes]
    client: httpx2.Client

    def queue(self, key: str) -> httpx2.Response:
        """Ask for a delivery under an idempotency key."""
        return self.client.post("/api/v1/deliveries", json=WANTED, headers=_headers(key))

    def cancel(self, delivery: str, key: str) -> httpx2.Response:
        """Cancel a delivery."""
        return self.client.post(f"/api/v1/deliveries/{delivery}/cancel", json={"reason": "No"}, headers=_headers(key))

    def ids(self) -> set[str]:
        """Return the ids of all deliveries."""
        answer: dict[str, Any] = self.client.get("/api/v1/deliveries").json()
        return {delivery["id"] for delivery in answer["deliveries"]}

    def is_ready(self) -> bool:
        """Whether it says that it is ready."""
        try:
            return self.client.get("/readyz").status_code == httpx2.codes.OK
        except httpx2.TransportError:
            return False

    @property
    def pid(self) -> int:
        """Process id of the service, which may run under strace."""
        return next(iter(children_of(self.process.pid)), self.process.pid) if self._is_traced else self.process.pid

    @property
    def _is_traced(self) -> bool:
        return "strace" in str(self.process.args)


def _headers(key: str) -> dict[str, str]:
    return {"Wardporter-Principal": WHO, "Idempotency-Key": key}


@contextlib.contextmanager
def a_service(folder: Path, *, port: int, under: Sequence[str] = ()) -> Iterator[Service]:
    """Start a service and wait until it is ready; at the end it is ended in order, with its broker."""
    settings = settings_in(folder, port=port)
    env = environment_without("WARDPORTER_") | {
        "WARDPORTER_DATA": str(settings.data),
        "WARDPORTER_STORE": settings.store_url(),
        "WARDPORTER_LEDGER_WITNESS": str(settings.ledger_witness),
        "WARDPORTER_IDENTITY": settings.identity,
        "WARDPORTER_PORT": str(port),
    }
    command = [*under, sys.executable, "-m", "orchestrator.cli", "serve"]
    with (folder.parent / "service.log").open("ab") as log:
        process = subprocess.Popen(command, env=env, cwd=REPOSITORY, stdout=log, stderr=log)
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=20.0) as client:
        service = Service(process, client)
        try:
            wait_until(service.is_ready, "the service is ready", limit_s=READY_LIMIT_S)
            yield service
        finally:
            if process.poll() is None:
                os.kill(service.pid, signal.SIGTERM)
            process.wait(END_LIMIT_S)


def recorded_service(root: Path, *, port: int, ask: Callable[[Service], Sequence[str]]) -> list[Op]:
    """Record what a service does to its files while ``ask`` asks it.

    ``ask`` sends acts alone and returns a name for each, all of them answered by 2xx; those answers become
    ``done NAME`` in the recording.
    """
    trace = root.parent / "trace"
    with a_service(root, port=port, under=[*TRACED, "-o", str(trace)]) as service:
        names = list(ask(service))
    with trace.open(encoding="ascii") as lines:
        ops = list(Reader(root).ops(lines))
    answered = [number for number, op in enumerate(ops) if isinstance(op, Told) and op.text.startswith("HTTP/1.1 2")]
    # Before them it was asked whether it is ready.
    for number, name in zip(answered[-len(names) :], names, strict=True):
        ops[number] = Told(f"done {name}")
    return ops


def parts_of_service(uow: UnitOfWork, act: str) -> dict[str, bool]:
    """Return which parts of an act ``queue KEY ID`` or ``cancel KEY ID`` are in the books."""
    kind, key, delivery = act.split(" ")
    found = {known.id: known for known in uow.deliveries.page(after=None, limit=1000, states=None)}
    known = next((known for id, known in found.items() if id == delivery), None)
    parts = {"answer": uow.answers.find(key=key, principal=WHO) is not None}
    if kind == "cancel":
        return parts | {"state": known is not None and known.state is DeliveryState.CANCELLED}
    return parts | {
        "delivery": known is not None,
        "event": any(event.subject == delivery for event in uow.events.after(0, 10_000)),
    }


def wait_until_attached(pid: int, *, limit_s: float = 20.0) -> None:
    """Return once every thread of a process is traced."""
    tasks = Path(f"/proc/{pid}/task")
    end_s = time.monotonic() + limit_s
    while any("TracerPid:\t0" in (task / "status").read_text() for task in tasks.iterdir()):
        assert time.monotonic() < end_s, "strace does not attach"
