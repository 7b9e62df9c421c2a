"""The driver of a control on the ward: asyncio in front, one thread for the control, paho behind.

Everything that reads or writes the books runs on the control's own thread, one call after the other. asyncio only
carries: messages from paho, commands from HTTP, and the alarm clock for the control's next deadline.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog

from orchestrator.adapters.mqtt.broker_address import BrokerLink
from orchestrator.adapters.mqtt.inbox import Inbox, Message
from orchestrator.adapters.mqtt.transport import PahoTransport
from orchestrator.application.admission import sender_of
from orchestrator.application.control import Control
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.views import FleetPicture

T = TypeVar("T")
log = structlog.get_logger(__name__)

BATCH_LIMIT = 50
BATCH_S = 0.1
"""Messages handled in one go, and seconds: commands of people wait behind a batch, never behind the whole inbox."""

LONGEST_NAP_S = 1.0

FLOODS = "sends far more than it may, again and again"


class LateTransport:
    """A transport that drops everything until the real one is there; the link resends."""

    def __init__(self) -> None:
        self.real: PahoTransport | None = None

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> None:
        """Hand over to the real transport."""
        if self.real is not None:
            self.real.publish(topic, payload, qos=qos, retain=retain)


class Driver:
    """Runs one control until it is closed.

    Parameters
    ----------
    control : Control
        Not yet started.
    transport : LateTransport
        The one the control was made with.
    broker : BrokerLink
        Where the broker is, and who we are to it.
    on_change : callable
        Called, on the control's thread, when something may have changed.
    """

    def __init__(
        self,
        control: Control,
        *,
        transport: LateTransport,
        broker: BrokerLink,
        on_change: Callable[[], None],
    ) -> None:
        self._control = control
        self._late = transport
        self._broker = broker
        self._on_change = on_change
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="control")
        self._inbox = Inbox()
        self._has_mail = asyncio.Event()
        self._is_waking = False
        self._has_failed = False
        self._picture: FleetPicture | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Driver]:
        """Start the control, connect, and pump until the block ends."""
        loop = asyncio.get_running_loop()
        await self._on_thread(self._start)
        transport = PahoTransport(
            self._broker,
            topics=self._control.subscriptions(),
            on_message=lambda *message: self._take(loop, message),
            on_connection=lambda _is_up: self._on_change(),
        )
        self._late.real = transport
        transport.start()
        pump = asyncio.create_task(self._pump(), name="control pump")
        pump.add_done_callback(_tell_of_end)
        try:
            yield self
        finally:
            pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await pump
            await loop.run_in_executor(None, transport.stop)
            self._thread.shutdown(wait=True)

    @property
    def is_broker_connected(self) -> bool:
        """Whether the broker is there now."""
        return self._late.real is not None and self._late.real.is_connected

    @property
    def picture(self) -> FleetPicture:
        """Where everything was after the last call of the control; any thread may look."""
        assert self._picture is not None, "the picture is there once the driver runs"
        return self._picture

    async def run(self, command: Callable[[UnitOfWork], T]) -> T:
        """Run a use case on the control's thread; durable when this returns, whatever becomes of the robots' turn."""
        return await self._on_thread(lambda: self._then_look(lambda: self._act(command)))

    async def read(self, query: Callable[[UnitOfWork], T]) -> T:
        """Run a query on one committed state; it does not wait for the control."""
        return await asyncio.get_running_loop().run_in_executor(None, lambda: self._control.read(query))

    def _start(self) -> None:
        self._control.start()
        self._picture = self._control.picture()

    def _act(self, command: Callable[[UnitOfWork], T]) -> T:
        answer = self._control.act(command)
        self._tick()
        return answer

    def _then_look(self, call: Callable[[], T]) -> T:
        try:
            return call()
        finally:
            self._picture = self._control.picture()
            self._on_change()

    def _take(self, loop: asyncio.AbstractEventLoop, message: Message) -> None:
        """Let a message in or drop it, on paho's thread; stop listening to whoever sends too much."""
        verdict = self._inbox.put(message, at_s=time.monotonic())
        if verdict.mutes and self._late.real is not None:
            sender = sender_of(message[0])
            self._late.real.mute(sender)
            log.warning("sender_muted", sender=sender, why=verdict.drop, dropped=self._inbox.dropped)
        if verdict.drop is None and not self._is_waking:
            self._is_waking = True
            _wake(loop, self._has_mail)

    async def _pump(self) -> None:
        while True:
            nap_s = await self._on_thread(self._seconds_to_next_tick)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0 if not self._inbox.is_empty else nap_s):
                    await self._has_mail.wait()
            self._has_mail.clear()
            self._is_waking = False
            await self._on_thread(lambda: self._then_look(self._handle_batch))
            self._listen_again()

    def _listen_again(self) -> None:
        """Listen again to whoever was muted for long enough."""
        for sender in self._inbox.heard_again(at_s=time.monotonic()):
            if self._late.real is not None:
                self._late.real.unmute(sender)

    def _seconds_to_next_tick(self) -> float:
        if self._has_failed:
            return LONGEST_NAP_S  # what fails is due at once again; people's commands must get through all the same
        return max(0.0, min(self._control.next_due_s() - self._control.now_s(), LONGEST_NAP_S))

    def _handle_batch(self) -> None:
        until_s = time.monotonic() + BATCH_S
        for _ in range(BATCH_LIMIT):
            message = self._inbox.take()
            if message is None:
                break
            self._handle(*message)
            if time.monotonic() >= until_s:
                break
        for sender in self._inbox.take_flooding():
            self._quarantine(sender)
        self._tick()
        self._inbox.confine(self._control.quarantined())

    def _handle(self, topic: str, payload: bytes, is_retained: bool) -> None:
        try:
            self._control.receive(topic, payload, is_retained=is_retained)
        except Exception:  # the process edge: one poisonous message must not deafen the house to all others
            log.exception("message_failed", topic=topic)

    def _quarantine(self, sender: str) -> None:
        try:
            self._control.quarantine(sender, FLOODS)
        except Exception:  # the process edge: it is muted all the same, and floods again or does not
            log.exception("quarantine_failed", sender=sender)

    def _tick(self) -> None:
        self._has_failed = True
        try:
            self._control.tick()
            self._has_failed = False
        except Exception:  # the process edge: the books are as they were before the turn; the next tick tries again
            log.exception("tick_failed")

    async def _on_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)


def _tell_of_end(pump: asyncio.Task[None]) -> None:
    if not pump.cancelled() and (fault := pump.exception()) is not None:
        log.critical("control_stopped", exc_info=fault)


def _wake(loop: asyncio.AbstractEventLoop, has_mail: asyncio.Event) -> None:
    # A message that arrives while the loop is closing has nobody to go to; RuntimeError is all that asyncio says.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(has_mail.set)
