"""The wire between one virtual robot and the broker, on which what is said and heard can be changed on its way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from simulation.broker import Listener, VirtualBroker


class MessageFault(Protocol):
    """Something that happens to the messages of one robot while it lasts."""

    def outward(self, kind: str, payload: bytes) -> Sequence[bytes]:
        """Return what leaves instead of a message that the robot says."""
        ...

    def inward(self, kind: str, payload: bytes) -> Sequence[bytes]:
        """Return what arrives instead of a message for the robot."""
        ...


class HonestWire:
    """A fault that does nothing; others change what they are about."""

    def outward(self, kind: str, payload: bytes) -> Sequence[bytes]:
        """Pass it on."""
        del kind
        return (payload,)

    def inward(self, kind: str, payload: bytes) -> Sequence[bytes]:
        """Pass it on."""
        del kind
        return (payload,)


class Wire:
    """What one robot says and hears, after all faults that are on it now, in the order they came.

    Parameters
    ----------
    broker : VirtualBroker
        Where its other end is.
    """

    def __init__(self, broker: VirtualBroker) -> None:
        self._broker = broker
        self.faults: list[MessageFault] = []
        self.ears: list[Listener] = []
        """Who listens at the robot's own end: hears what arrives there."""

    def subscribe(self, topic: str, listener: Listener) -> None:
        """Hand every later message on the topic to the listener, as the faults leave it."""

        def hear(heard_on: str, payload: bytes) -> None:
            kind = heard_on.rsplit("/", 1)[-1]
            payloads: Sequence[bytes] = (payload,)
            for fault in tuple(self.faults):
                payloads = [left for each in payloads for left in fault.inward(kind, each)]
            for each in payloads:
                for ear in self.ears:
                    ear(heard_on, each)
                listener(heard_on, each)

        self._broker.subscribe(topic, hear)

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> None:
        """Hand on what the faults leave of a message."""
        kind = topic.rsplit("/", 1)[-1]
        payloads: Sequence[bytes] = (payload,)
        for fault in tuple(self.faults):
            payloads = [left for each in payloads for left in fault.outward(kind, each)]
        for each in payloads:
            self._broker.publish(topic, each, qos=qos, retain=retain)
