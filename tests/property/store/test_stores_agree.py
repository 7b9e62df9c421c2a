"""Whatever is done to both, in any order, with failures and restarts: a store that lasts is the one in memory."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orchestrator.adapters.store import SqlStore, open_store
from orchestrator.application.cancel_delivery import cancel_delivery
from orchestrator.application.confirm_receipt import Reading, confirm_receipt
from orchestrator.application.idempotency import Answer, once
from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.custody.people import believed
from orchestrator.domain.delivery.lifecycle import ALLOWED, moved
from orchestrator.domain.delivery.model import Delivery, DeliveryState
from orchestrator.domain.errors import WardporterError
from orchestrator.domain.fleet.history import RobotAct
from orchestrator.domain.fleet.model import ActionId, RobotId
from orchestrator.domain.fleet.order import ActionKind, RobotAction
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.closure import LaneClosure
from orchestrator.domain.site.model import LaneId
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON, PREMISES, CountingIds, bring_to, counts_of, queue
from tests.support.postgresql import PostgresServer

ROBOTS = (RobotId("robot-1"), RobotId("robot-2"))
LANES = (LaneId("lane-1"), LaneId("lane-2"))
ON_THE_WAY = (DeliveryState.LOADING, DeliveryState.SEALED, DeliveryState.ARRIVED)
picks = st.integers(0, 50)


class PlannedError(Exception):
    """Ends a transaction in the middle."""


class StoresAgree(RuleBasedStateMachine):
    """Does everything twice and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp(prefix="wardporter-")
        self.memory = MemoryStore()
        self.url = self.new_url()
        self.disk: SqlStore = open_store(self.url)
        self.ids = (CountingIds(), CountingIds())
        self.seconds = 0

    def new_url(self) -> str:
        """Address of a new store."""
        return f"sqlite:///{self.folder}/store.sqlite"

    def teardown(self) -> None:
        self.disk.close()
        shutil.rmtree(self.folder)

    @property
    def stores(self) -> tuple[MemoryStore, SqlStore]:
        return self.memory, self.disk

    def in_both(self, act: Callable[[UnitOfWork, CountingIds], object], *, fails: bool = False) -> None:
        outcomes: list[object] = []
        for store, ids in zip(self.stores, self.ids, strict=True):
            try:
                with store.transaction() as uow:
                    outcomes.append(act(uow, ids))
                    if fails:
                        raise PlannedError
            except PlannedError:
                outcomes.append("planned")
            except WardporterError as error:
                outcomes.append((error.code, error.message))
        half = len(outcomes) // 2
        assert outcomes[:half] == outcomes[half:]

    def picked(self, pick: int) -> Delivery | None:
        with self.memory.reading() as uow:
            found = uow.deliveries.open()
        return found[pick % len(found)] if found else None

    @initialize()
    def begin(self) -> None:
        self.in_both(lambda uow, ids: queue(uow, ids=ids, at=NOON))

    @rule(fails=st.booleans())
    def queue_one(self, fails: bool) -> None:
        self.seconds += 1
        at = NOON + timedelta(seconds=self.seconds // 2)
        self.in_both(lambda uow, ids: queue(uow, ids=ids, at=at), fails=fails)

    @rule(pick=picks, to=st.sampled_from(DeliveryState), fails=st.booleans())
    def move_one(self, pick: int, to: DeliveryState, fails: bool) -> None:
        delivery = self.picked(pick)
        # States with medicines aboard need a loading; `bring_on` gets there.
        if delivery is None or to not in ALLOWED[delivery.state] or to.is_aboard:
            return
        changed = moved(delivery, to, at=NOON, cause="test", reason=Reason("r", "Because."))
        self.in_both(lambda uow, _ids: uow.deliveries.save(changed), fails=fails)

    @rule(pick=picks, to=st.sampled_from(ON_THE_WAY))
    def bring_on(self, pick: int, to: DeliveryState) -> None:
        delivery = self.picked(pick)
        if delivery is None or delivery.state is not DeliveryState.VERIFIED or delivery.trip is not None:
            return
        for store in self.stores:
            bring_to(store, delivery.id, to, seal_number=f"S-{delivery.id}")

    @rule(pick=picks, off_by=st.integers(-1, 1), fails=st.booleans())
    def receive_one(self, pick: int, off_by: int, fails: bool) -> None:
        delivery = self.picked(pick)
        if delivery is None or delivery.trip is None:
            return
        self.in_both(
            lambda uow, _ids: confirm_receipt(
                uow,
                delivery=delivery.id,
                reading=Reading(f"S-{delivery.id}", counts_of(delivery, off_by=off_by)),
                at=NOON,
                present=believed("nurse-1"),
                premises=PREMISES,
                ids=CountingIds(),
            ),
            fails=fails,
        )

    @rule(pick=picks, fails=st.booleans())
    def cancel_one(self, pick: int, fails: bool) -> None:
        delivery = self.picked(pick)
        if delivery is None:
            return
        self.in_both(
            lambda uow, _ids: cancel_delivery(
                uow, delivery=delivery.id, reason="No", at=NOON, by="nurse-1", premises=PREMISES
            ),
            fails=fails,
        )

    @rule(robot=st.sampled_from(ROBOTS), passed=st.integers(0, 3), held=st.frozensets(st.sampled_from("abc")))
    def save_robot(self, robot: RobotId, passed: int, held: frozenset[str]) -> None:
        self.in_both(
            lambda uow, _ids: uow.robots.save(replace(uow.robots.get(robot), passed=passed, held=held)),
        )

    @rule(robot=st.sampled_from(ROBOTS), fails=st.booleans())
    def want_message(self, robot: RobotId, fails: bool) -> None:
        action = RobotAction(ActionId("a"), ActionKind.PAUSE)
        self.in_both(lambda uow, _ids: uow.outbox.add(robot, at=NOON, action=action), fails=fails)

    @rule(message=st.integers(1, 6), fails=st.booleans())
    def settle_message(self, message: int, fails: bool) -> None:
        self.in_both(lambda uow, _ids: uow.outbox.settle(message, "acknowledged"), fails=fails)

    @rule(robot=st.sampled_from(ROBOTS), act=st.sampled_from(RobotAct), fails=st.booleans())
    def note_act(self, robot: RobotId, act: RobotAct, fails: bool) -> None:
        self.in_both(
            lambda uow, _ids: uow.history.add(robot, at=NOON, act=act, by="porter-1", reason="r", outcome="o"),
            fails=fails,
        )

    @rule(lane=st.sampled_from(LANES), until_s=st.none() | st.integers(1, 9), fails=st.booleans())
    def close_lane(self, lane: LaneId, until_s: int | None, fails: bool) -> None:
        until = None if until_s is None else NOON + timedelta(seconds=until_s)
        with self.memory.reading() as uow:
            if any(closure.lane == lane for closure in uow.closures.standing()):
                return
        self.in_both(
            lambda uow, _ids: uow.closures.close(LaneClosure(lane, NOON, "porter-1", "r", until)),
            fails=fails,
        )

    @rule(lane=st.sampled_from(LANES), fails=st.booleans())
    def open_lane(self, lane: LaneId, fails: bool) -> None:
        self.in_both(lambda uow, _ids: uow.closures.open(lane, at=NOON, by="porter-1", reason="r"), fails=fails)

    @rule(key=st.sampled_from("kl"), said=st.sampled_from("xy"), fails=st.booleans())
    def ask_once(self, key: str, said: str, fails: bool) -> None:
        self.in_both(
            lambda uow, ids: once(
                uow,
                key=key,
                principal="nurse-1",
                fingerprint=said,
                at=NOON,
                act=lambda: Answer(201, queue(uow, ids=ids).id),
            ),
            fails=fails,
        )

    @precondition(lambda self: self.seconds % 3 == 0)
    @rule()
    def restart(self) -> None:
        self.disk.close()
        self.disk = open_store(self.url)

    @invariant()
    def agree(self) -> None:
        with self.memory.reading() as expected:
            for open_block in (self.disk.reading, self.disk.transaction):
                with open_block() as found:
                    assert list(found.deliveries.open()) == list(expected.deliveries.open())
                    assert list(found.deliveries.page(after=None, limit=100, states=None)) == list(
                        expected.deliveries.page(after=None, limit=100, states=None)
                    )
                    assert list(found.trips.open()) == list(expected.trips.open())
                    assert list(found.outbox.wanted()) == list(expected.outbox.wanted())
                    assert [found.robots.get(robot) for robot in ROBOTS] == [
                        expected.robots.get(robot) for robot in ROBOTS
                    ]
                    assert list(found.closures.standing()) == list(expected.closures.standing())
                    for robot in ROBOTS:
                        entries = list(expected.history.page(robot, before=None, limit=100))
                        assert list(found.history.page(robot, before=None, limit=100)) == entries
                    assert _events(found) == _events(expected)


def _events(uow: UnitOfWork) -> list[tuple[int, str, dict[str, object]]]:
    events = uow.events.after(0, 1000)
    assert [event.number for event in events] == list(range(1, uow.events.last_number() + 1))
    return [(event.number, event.subject, dict(event.data)) for event in events]


TestStoresAgree = StoresAgree.TestCase
TestStoresAgree.settings = settings(max_examples=8, stateful_step_count=25, deadline=None)


class StoresAgreeOnServer(StoresAgree):
    """The same, with PostgreSQL."""

    server: ClassVar[PostgresServer]

    def new_url(self) -> str:
        """Address of a new store."""
        return self.server.new_store_url()

    def teardown(self) -> None:
        super().teardown()
        self.server.drop(self.url)


@pytest.fixture
def server_of_the_machine(postgres_server: PostgresServer) -> None:
    """Hypothesis makes the machine itself, so the server is left where it finds it."""
    StoresAgreeOnServer.server = postgres_server


@pytest.mark.timeout(240)
@pytest.mark.usefixtures("server_of_the_machine")
class TestStoresAgreeOnServer(StoresAgreeOnServer.TestCase):  # pyright: ignore[reportGeneralTypeIssues]
    settings = settings(max_examples=2, stateful_step_count=25, deadline=None)
