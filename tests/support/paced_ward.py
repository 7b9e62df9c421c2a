"""A simulated ward on the wall clock behind the real web application, as a process of its own.

``python -m tests.support.paced_ward --port N`` serves it; `serving_ward` does so for the length of a block.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import json
import queue
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

import uvicorn
from fastapi import FastAPI

from orchestrator.adapters.barcodes.gs1 import GsBarcodes
from orchestrator.adapters.drawing.level import draw_level
from orchestrator.adapters.identity.development import DevelopmentIdentity
from orchestrator.adapters.papers import PrintedPapers
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.scanning import Scanner
from orchestrator.application.views import FleetPicture
from orchestrator.http.app import build_app
from orchestrator.http.desk import Desk, News, PartReadiness
from orchestrator.web.pages import router_for
from simulation.ward import SimulatedWard
from tests.support.shared_data import REPOSITORY
from tests.support.staff import cheap_secrets
from tests.support.wards import a_fleet, demo_hospital

T = TypeVar("T")

STEP_S = 0.05
START_LIMIT_S = 30.0


class PacedWard:
    """A simulated ward whose virtual time follows the wall clock, ``speed`` times as fast; a `ControlDoor`.

    One thread owns everything behind the door, as on the real ward.
    """

    def __init__(self, *, speed: float, seed: int = 1) -> None:
        self.fleet = a_fleet(demo_hospital())
        self.ward = SimulatedWard(self.fleet, asked=[], seed=seed)
        self._speed = speed
        self._news = News()
        self._calls: queue.Queue[Callable[[], None]] = queue.Queue()
        self.ward.run(limit_s=0.0)
        self._picture = self.ward.control.picture()
        threading.Thread(target=self._pace, name="paced ward", daemon=True).start()

    @property
    def news(self) -> News:
        return self._news

    async def run(self, command: Callable[[UnitOfWork], T]) -> T:
        return await self._on_thread(lambda: self.ward.control.run(command))

    async def read(self, query: Callable[[UnitOfWork], T]) -> T:
        return await self._on_thread(lambda: self.ward.control.read(query))

    def live(self) -> FleetPicture:
        return self._picture

    def readiness(self) -> Sequence[PartReadiness]:
        return [PartReadiness("store", is_ready=True)]

    async def _on_thread(self, call: Callable[[], T]) -> T:
        answer: Future[T] = Future()

        def answered() -> None:
            try:
                answer.set_result(call())
            except BaseException as error:
                answer.set_exception(error)

        self._calls.put(answered)
        return await asyncio.wrap_future(answer)

    def _pace(self) -> None:
        began_s = time.monotonic()
        while True:
            with contextlib.suppress(queue.Empty):
                self._calls.get(timeout=STEP_S)()
            self._advance((time.monotonic() - began_s) * self._speed)

    def _advance(self, now_s: float) -> None:
        self.ward._plan_tick()
        self.ward.scheduler.run(until=lambda: False, limit_s=now_s)
        self.ward.clock.move_to(now_s)
        picture = self.ward.control.picture()
        if picture != self._picture:
            self._picture = picture
            self._news.tell()


def paced_app(*, speed: float) -> FastAPI:
    """The web application on a paced ward."""
    door = PacedWard(speed=speed)
    fleet = door.fleet
    secrets = cheap_secrets()
    desk = Desk(
        control=door,
        fleet=fleet,
        site=fleet.site,
        graphs=fleet.graphs,
        is_served=lambda station: fleet.serves(station.id),
        identity=DevelopmentIdentity(secrets),
        clock=door.ward.clock,
        ids=door.ward.ids,
        scanner=Scanner(GsBarcodes(), is_simulation=True),
        papers=PrintedPapers(),
        secrets=secrets,
        signer=door.ward.signer,
    )
    plans = {level: draw_level(fleet.site, level) for level in fleet.site.levels}
    return build_app(desk, extra_routers=[router_for(desk, floor_plans=plans)])


@dataclass(slots=True)
class ServedWard:
    """The process that serves a paced ward, and the pharmacy's side of its API."""

    port: int
    speed: float
    process: subprocess.Popen[bytes] | None = None
    _count: int = field(default=0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-m", __name__, "--port", str(self.port), "--speed", str(self.speed)]
        self.process = subprocess.Popen(command, cwd=REPOSITORY)
        limit_s = time.monotonic() + START_LIMIT_S
        while not self._answers():
            assert self.process.poll() is None, "the service ended while it started"
            assert time.monotonic() < limit_s, "the service does not answer"
            time.sleep(STEP_S)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        """Silence it with its sockets open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None, "the service does not run"
        self.process.send_signal(number)

    def queue_delivery(self, *, start: str, end: str, **more: object) -> dict[str, Any]:
        """Queue a delivery through the API and return it as answered."""
        line = {"medicine": "Paracetamol 500 mg tablets", "quantity": 28, "unit": "tablet"}
        return self.post("deliveries", {"from_station": start, "to_station": end, "lines": [line], **more})

    def post(self, path: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Ask for something through the API, as the pharmacist, and return the answer."""
        self._count += 1
        headers = {
            "Content-Type": "application/json",
            "Wardporter-Principal": "pharmacist-1",
            "Idempotency-Key": f"key-{self._count}",
        }
        request = urllib.request.Request(f"{self.url}/api/v1/{path}", json.dumps(asked).encode(), headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


@contextlib.contextmanager
def serving_ward(port: int, *, speed: float = 8.0) -> Iterator[ServedWard]:
    """Serve a paced ward for the length of the block."""
    served = ServedWard(port, speed)
    served.start()
    try:
        yield served
    finally:
        served.kill()


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--speed", type=float, default=8.0)
    asked = parser.parse_args()
    uvicorn.run(paced_app(speed=asked.speed), host="127.0.0.1", port=asked.port, log_level="warning")


if __name__ == "__main__":
    main()
