"""What HTTP needs of the rest of the house, handed in by bootstrap."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from fastapi import Request

from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.identity import Identity
from orchestrator.application.ledger_heads import LedgerStanding, Witnessing
from orchestrator.application.papers import Papers
from orchestrator.application.ports import Clock, GrantSigner, Ids, UnitOfWork
from orchestrator.application.scanning import Scanner
from orchestrator.application.secrets import Secrets
from orchestrator.application.views import FleetPicture
from orchestrator.domain.custody.tote_number import EXAMPLE_PREFIX
from orchestrator.domain.site.model import GraphId, Site, Station

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PartReadiness:
    """Whether one part that we depend on works, and if not, what to do."""

    name: str
    is_ready: bool
    sentence: str = ""


class News:
    """A count that grows whenever something may have changed, and a way to wait for that.

    `tell` may be called from any thread and never blocks; `later_than` is awaited on any number of event loops.
    """

    def __init__(self) -> None:
        self._count = 0
        self._lock = threading.Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    @property
    def count(self) -> int:
        """How often something was told so far."""
        return self._count

    def tell(self) -> None:
        """Wake everybody who waits."""
        with self._lock:
            self._count += 1
            waiting, self._waiting = self._waiting, set()
        for loop, woken in waiting:
            # A loop that has closed meanwhile has nobody left to wake.
            if not loop.is_closed():
                loop.call_soon_threadsafe(woken.set)

    async def later_than(self, count: int, *, timeout_s: float) -> int:
        """Return the count once it is beyond ``count``, or as it is after ``timeout_s`` seconds."""
        entry = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            if self._count > count:
                return self._count
            self._waiting.add(entry)
        try:
            async with asyncio.timeout(timeout_s):
                await entry[1].wait()
        except TimeoutError:
            pass
        finally:
            with self._lock:
                self._waiting.discard(entry)
        return self._count


class ControlDoor(Protocol):
    """The one door to the control from HTTP."""

    @property
    def news(self) -> News:
        """Told after every commit and whenever robots, doors or lifts moved."""
        ...

    async def run(self, command: Callable[[UnitOfWork], T]) -> T:
        """Run a command in one transaction on the control's own thread; the control advances afterwards."""
        ...

    async def read(self, query: Callable[[UnitOfWork], T]) -> T:
        """Run a query on one committed state."""
        ...

    def live(self) -> FleetPicture:
        """Return where everything is now; cheap, and safe on the event loop's thread."""
        ...

    def readiness(self) -> Sequence[PartReadiness]:
        """Return how each part we depend on is, such as the store and the broker."""
        ...


NOTED_MAX = 20_000


@dataclass(slots=True)
class Noted:
    """When reads, and requests without proof, were last kept."""

    last: dict[tuple[str, ...], datetime] = field(default_factory=dict[tuple[str, ...], datetime])

    def is_due(self, what: tuple[str, ...], *, at: datetime, every: timedelta) -> bool:
        """Whether it is time to keep this again; takes it as kept then."""
        before = self.last.get(what)
        if before is not None and at - before < every:
            return False
        if len(self.last) >= NOTED_MAX:
            self.last.clear()
        self.last[what] = at
        return True


def _pin_threads() -> Executor:
    # A PIN's hash takes a tenth of a second and 64 MiB: two at a time, and never on the control's thread.
    return ThreadPoolExecutor(max_workers=2, thread_name_prefix="pin")


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything a request is served from.

    ``graphs`` are the lane graphs that the fleet drives on; ``is_served`` says whether it reaches a station.
    ``ledger_standing`` tells how the ledger stands with its witness.
    ``own_devices`` are those that one person uses for long; all others are shared. ``company_prefix`` is the
    hospital's GS1 company prefix, for the numbers of totes.
    """

    control: ControlDoor
    fleet: FleetOnSite
    site: Site
    graphs: Sequence[GraphId]
    is_served: Callable[[Station], bool]
    identity: Identity
    clock: Clock
    ids: Ids
    scanner: Scanner
    secrets: Secrets
    signer: GrantSigner
    papers: Papers
    company_prefix: str = EXAMPLE_PREFIX
    own_devices: frozenset[str] = frozenset()
    ledger_standing: Callable[[], LedgerStanding] = lambda: LedgerStanding(Witnessing.ALONE)
    streams_max: int = 64
    streams: set[object] = field(default_factory=set[object])
    noted: Noted = field(default_factory=Noted)
    pin_threads: Executor = field(default_factory=_pin_threads)

    @property
    def is_simulation(self) -> bool:
        """Whether patients, books and ledger are simulated; every paper says so then."""
        return self.scanner.is_simulation


def desk_of(request: Request) -> Desk:
    """Return the desk of the app that serves a request; a FastAPI dependency."""
    return request.app.state.desk
