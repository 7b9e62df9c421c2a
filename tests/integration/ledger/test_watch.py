"""The watch over a running service's ledger: it tells people, and stops custody acts when something was changed."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.store import SqlStore, open_store
from orchestrator.application.ledger_heads import Witnessing
from orchestrator.application.ledger_keeping import LedgerHaltedError
from orchestrator.application.ports import Event, UnitOfWork
from orchestrator.bootstrap_ledger import LedgerWatch, MixedFleetError, ledger_terms, ledger_watch, origin_of
from orchestrator.domain.custody.contacts import Function
from orchestrator.domain.custody.pending import LedgerMode
from orchestrator.domain.fleet.model import Commissioning
from orchestrator.http.desk import News
from orchestrator.settings import STORE_FILE, Settings
from tests.support.audited_ledgers import a_house
from tests.support.deliveries import NOON
from tests.support.desk import SteadyClock, a_small_fleet
from tests.support.ledgers import ORIGIN, sealing

SOON_S = 20.0
CONTACTS = {Function.ACCOUNTABLE_OFFICER: "phone 12"}


class Service:
    """As much of the service as the watch needs: a store, its news, and its one writer."""

    def __init__(self, data: Path, *, witness: Path | None) -> None:
        settings = Settings(data=data, ledger_witness=None if witness is None else str(witness))
        terms = ledger_terms(data, ORIGIN, LedgerMode.TRANSIT_RECORD)
        self.store: SqlStore = open_store(settings.store_url(), ledger=terms)
        self.news = News()
        self.watch: LedgerWatch = ledger_watch(settings, self.store, terms, clock=SteadyClock(), contacts=CONTACTS)

    async def run(self, command: Callable[[UnitOfWork], Any]) -> Any:
        with self.store.transaction() as uow:
            answer = command(uow)
        self.news.tell()
        return answer

    async def add(self, line: str) -> None:
        await self.run(lambda uow: uow.ledger.append(sealing(line), NOON))

    def told(self) -> list[str]:
        with self.store.reading() as uow:
            return [str(one.data["witnessing"]) for one in uow.events.after(0, 100) if one.kind == "ledger_changed"]

    def alarms(self) -> list[Event]:
        with self.store.reading() as uow:
            return [one for one in uow.events.after(0, 100) if one.kind == "alarm"]

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(SOON_S):
            while not is_so():
                # Most of what is waited for comes with news; the rest is looked for again soon.
                await self.news.later_than(self.news.count, timeout_s=0.05)

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncGenerator[None]:
        self.watch.start()
        task = asyncio.create_task(self.watch.run(self.run, self.news))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            self.store.close()


async def test_heads_reach_the_witness_while_the_service_runs(tmp_path: Path) -> None:
    service = Service(a_house(tmp_path, count=5), witness=tmp_path / "witness")
    async with service.watched():
        before = service.watch.standing.witnessed
        assert before == service.watch.standing.size >= 5
        await service.add("line-new")
        await service.until(lambda: service.watch.standing.witnessed == before + 1)
        assert service.watch.readiness().is_ready
        assert service.told() == []


async def test_an_entry_changed_by_hand_stops_custody_acts_and_is_told(tmp_path: Path) -> None:
    data = a_house(tmp_path, count=20)
    with closing(sqlite3.connect(data / STORE_FILE)) as connection, connection:
        connection.execute("DROP TRIGGER ledger_entry_no_update")
        connection.execute("UPDATE ledger_entry SET body = replace(body, 'pharmacist-1', 'x') WHERE number = 7")
    service = Service(data, witness=None)
    async with service.watched():
        await service.until(lambda: service.told() == ["inconsistent"])
        readiness = service.watch.readiness()
        assert not readiness.is_ready
        assert "Entry 7 is bad" in readiness.sentence
        with pytest.raises(LedgerHaltedError):
            await service.add("line-new")
        await service.run(lambda uow: uow.events.append(at=NOON, kind="k", subject="s", data={}))
        await service.until(lambda: len(service.alarms()) == 1)
        (alarm,) = service.alarms()
    assert (alarm.subject, alarm.data["code"]) == ("ledger", "ledger_inconsistent")
    assert alarm.data["audience"] == ["pharmacy", "accountable_officer"]
    sentence = str(alarm.data["sentence"])
    assert sentence.startswith(readiness.sentence)
    assert sentence.endswith("Called: the pharmacy and the accountable officer (phone 12).")
    assert ".." not in sentence


async def test_books_set_back_before_their_witness_call_the_pharmacy_and_the_officer_once(tmp_path: Path) -> None:
    data = a_house(tmp_path, count=5)
    older = (data / STORE_FILE).read_bytes()
    service = Service(data, witness=tmp_path / "witness")
    async with service.watched():
        await service.add("line-new")
        await service.until(lambda: service.watch.standing.witnessed == service.watch.standing.size >= 6)
        assert service.alarms() == []
    for file in data.glob(f"{STORE_FILE}*"):
        file.unlink()
    (data / STORE_FILE).write_bytes(older)
    service = Service(data, witness=tmp_path / "witness")
    async with service.watched():
        await service.until(lambda: len(service.alarms()) == 1)
        rounds = service.news.count
        service.news.tell()
        await service.until(lambda: service.told() == ["inconsistent"] and service.news.count > rounds)
        (alarm,) = service.alarms()
    assert "its witness keeps a head of more entries than it has" in str(alarm.data["sentence"])


async def test_a_witness_that_is_not_reached_is_told_and_the_tail_is_counted(tmp_path: Path) -> None:
    (tmp_path / "witness").write_text("not a directory")
    service = Service(a_house(tmp_path, count=5), witness=tmp_path / "witness")
    async with service.watched():
        await service.until(lambda: service.told() == ["unreached"])
        await service.add("line-new")
        await service.until(lambda: service.watch.standing.unwitnessed >= 6)
        assert service.watch.readiness().is_ready
        assert "not kept by a second keeper" in service.watch.readiness().sentence
        (tmp_path / "witness").unlink()
        service.news.tell()
        await service.until(lambda: service.watch.standing.witnessing is Witnessing.AGREED)
        await service.until(lambda: service.told() == ["unreached", "agreed"])


def test_a_fleet_of_simulated_and_real_robots_has_no_ledger() -> None:
    fleet = a_small_fleet()
    first, *others = fleet.robots.values()
    real = replace(first, commissioning=Commissioning.HARDWARE)
    with pytest.raises(MixedFleetError):
        origin_of(replace(fleet, robots={robot.id: robot for robot in (real, *others)}))
    all_real = {robot.id: replace(robot, commissioning=Commissioning.HARDWARE) for robot in fleet.robots.values()}
    assert not origin_of(replace(fleet, robots=all_real)).is_simulation


def test_a_fleet_of_simulated_robots_has_a_simulated_ledger() -> None:
    fleet = a_small_fleet()
    origin = origin_of(fleet)
    assert origin.is_simulation
    assert origin.line == f"wardporter.simulation/{fleet.site.id}"
