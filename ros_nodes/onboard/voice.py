"""What a robot says: numbered, stamped, encoded messages, kept until somebody takes them away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from orchestrator.domain.fleet.model import RobotModel
from orchestrator.vda5050.address import RobotAddress, TopicKind
from orchestrator.vda5050.codec import encode
from orchestrator.vda5050.header import Header, HeaderCounter
from orchestrator.vda5050.messages import Connection, ConnectionState, State, WireModel
from ros_nodes.onboard.factsheet import factsheet_of


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message to publish: its kind and topic, the bytes, quality of service, and whether the broker keeps it."""

    kind: TopicKind
    topic: str
    payload: bytes
    qos: int
    retain: bool


class Voice:
    """Builds the messages of one robot and queues them.

    Parameters
    ----------
    address : RobotAddress
        Who the robot is on the link.
    utc : callable
        Turns the robot's time (seconds) into the aware UTC time stamped on messages.
    header_ids : mapping, optional
        The next header id of each kind, remembered from before a restart.
    checks_grants : bool
        Whether the factsheet says that drawers open on grants alone.
    """

    def __init__(
        self,
        address: RobotAddress,
        utc: Callable[[float], datetime],
        header_ids: Mapping[str, int] | None = None,
        *,
        checks_grants: bool = False,
    ) -> None:
        self._checks_grants = checks_grants
        self.address = address
        self._utc = utc
        self._counter = HeaderCounter({TopicKind(kind): number for kind, number in (header_ids or {}).items()})
        self._queue: list[OutgoingMessage] = []

    @property
    def header_ids(self) -> dict[str, int]:
        """The next header id of each kind."""
        return {kind.value: number for kind, number in self._counter.next_ids.items()}

    def take(self) -> tuple[OutgoingMessage, ...]:
        """Return the queued messages, oldest first, and forget them."""
        taken = tuple(self._queue)
        self._queue.clear()
        return taken

    def say_state(self, build: Callable[[Header], State], now_s: float) -> None:
        """Queue the state that ``build`` makes from the header."""
        self._queue.append(self._message(TopicKind.STATE, build(self._header(TopicKind.STATE, now_s))))

    def say_connection(self, state: ConnectionState, now_s: float) -> None:
        """Queue a connection message."""
        self._queue.append(self.connection(state, now_s))

    def connection(self, state: ConnectionState, now_s: float) -> OutgoingMessage:
        """Return a connection message without queueing it, as the broker needs for a last will."""
        message = Connection(**self._header(TopicKind.CONNECTION, now_s), connection_state=state)
        return self._message(TopicKind.CONNECTION, message)

    def say_factsheet(self, model: RobotModel, now_s: float) -> None:
        """Queue the factsheet."""
        number = self._counter.take(TopicKind.FACTSHEET)
        sheet = factsheet_of(
            model,
            address=self.address,
            header_id=number,
            now=self._utc(now_s),
            checks_grants=self._checks_grants,
        )
        self._queue.append(self._message(TopicKind.FACTSHEET, sheet))

    def _header(self, kind: TopicKind, now_s: float) -> Header:
        return self._counter.stamp(kind, address=self.address, now=self._utc(now_s))

    def _message(self, kind: TopicKind, message: WireModel) -> OutgoingMessage:
        payload = encode(message, version=self.address.version)
        return OutgoingMessage(kind, self.address.topic(kind), payload, kind.qos, kind.is_retained)
