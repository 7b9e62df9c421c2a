"""The driver of the control: what one bad turn or a flood of messages may not do to everybody else."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any, cast

import pytest

from orchestrator.adapters.mqtt import driver as driving
from orchestrator.adapters.mqtt.broker_address import BrokerLink
from orchestrator.adapters.mqtt.driver import Driver, LateTransport
from orchestrator.application.control import Control
from tests.support.brokers import wait_until


class FailingControl:
    """A control whose every turn fails; commands work."""

    def __init__(self) -> None:
        self.ticks = 0
        self.received: list[str] = []
        self.acted_after: list[int] = []
        self.has_begun = threading.Event()
        self.may_go_on = threading.Event()

    def start(self) -> None: ...

    def subscriptions(self) -> list[str]:
        return []

    def picture(self) -> None: ...

    def quarantined(self) -> frozenset[str]:
        return frozenset()

    def now_s(self) -> float:
        return time.monotonic()

    def next_due_s(self) -> float:
        return 0.0

    def receive(self, topic: str, payload: bytes, *, is_retained: bool) -> None:
        self.has_begun.set()
        assert self.may_go_on.wait(10.0)
        self.received.append(topic)

    def tick(self) -> None:
        self.ticks += 1
        raise RuntimeError("this turn cannot be done")

    def act(self, command: Callable[[Any], Any]) -> Any:
        self.acted_after.append(len(self.received))
        return command(None)


@pytest.fixture
def control() -> FailingControl:
    return FailingControl()


@pytest.fixture
def driver(control: FailingControl, free_port: int) -> Driver:
    return Driver(
        cast(Control, control),
        transport=LateTransport(),
        broker=BrokerLink(f"mqtt://127.0.0.1:{free_port}", "orchestrator"),
        on_change=lambda: None,
    )


def test_a_turn_that_fails_again_and_again_does_not_turn_the_control_into_a_busy_loop(
    control: FailingControl, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driving, "LONGEST_NAP_S", 0.1)

    async def run() -> float:
        begun_s = time.monotonic()
        async with driver.running():
            await asyncio.to_thread(wait_until, lambda: control.ticks >= 5, "five turns have failed")
        return time.monotonic() - begun_s

    took_s = asyncio.run(run())

    assert control.ticks <= took_s / 0.1 + 2


def test_a_command_is_answered_although_the_turn_that_follows_it_fails(driver: Driver) -> None:
    async def run() -> str:
        async with driver.running():
            return await driver.run(lambda _uow: "kept")

    assert asyncio.run(run()) == "kept"


def test_a_command_waits_for_a_batch_of_messages_and_not_for_the_whole_inbox(
    control: FailingControl, driver: Driver
) -> None:
    async def run() -> None:
        async with driver.running():
            for i in range(1000):
                driver._take(asyncio.get_running_loop(), (f"topic-{i}", b"", False))
            await asyncio.to_thread(control.has_begun.wait, 10.0)
            command = asyncio.create_task(driver.run(lambda _uow: None))
            await asyncio.sleep(0)
            control.may_go_on.set()
            await command
            while len(control.received) < 1000:
                await driver.run(lambda _uow: None)

    asyncio.run(run())

    assert control.acted_after[0] <= 2 * driving.BATCH_LIMIT
    assert control.received == [f"topic-{i}" for i in range(1000)]
