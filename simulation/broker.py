"""A broker in virtual time: bytes handed on after a delay, in order within a topic, last retained message kept."""

from __future__ import annotations

import random
from collections.abc import Callable

from simulation.virtual_time import Scheduler

Listener = Callable[[str, bytes], None]

DELAY_S = (0.005, 0.05)
"""Shortest and longest way of a message, seconds; a quiet hospital network."""


class VirtualBroker:
    """Hands messages on by exact topic.

    Parameters
    ----------
    scheduler : Scheduler
        Virtual time.
    chance : random.Random
        Draws the delays.
    """

    def __init__(self, scheduler: Scheduler, *, chance: random.Random) -> None:
        self._scheduler = scheduler
        self._chance = chance
        self._listeners: dict[str, list[Listener]] = {}
        self._retained: dict[str, bytes] = {}
        self._last_arrival_s: dict[str, float] = {}

    def subscribe(self, topic: str, listener: Listener) -> None:
        """Hand every later message on the topic to the listener, and the retained one at once."""
        self._listeners.setdefault(topic, []).append(listener)
        if topic in self._retained:
            listener(topic, self._retained[topic])

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> None:
        """Take a message; it arrives later, never before an earlier one on the same topic."""
        del qos  # nothing is lost here; faults come with the rehearsal of faults
        if retain:
            self._retained[topic] = payload
        arrival_s = self._scheduler.clock.monotonic_s() + self._chance.uniform(*DELAY_S)
        arrival_s = max(arrival_s, self._last_arrival_s.get(topic, 0.0))
        self._last_arrival_s[topic] = arrival_s
        self._scheduler.at(arrival_s, lambda: self._deliver(topic, payload))

    def _deliver(self, topic: str, payload: bytes) -> None:
        for listener in self._listeners.get(topic, []):
            listener(topic, payload)
