"""A network in bad weather: messages lost, doubled and late, and a broker that forgets everything when it restarts."""

from __future__ import annotations

import random
from dataclasses import dataclass

from simulation.broker import Listener, VirtualBroker
from simulation.virtual_time import Scheduler


@dataclass(frozen=True, slots=True)
class Weather:
    """How likely a message is lost, doubled, or held back so that later ones overtake it, by at most ``late_s``."""

    loss: float = 0.0
    doubling: float = 0.0
    holding_back: float = 0.0
    late_s: float = 3.0


CALM = Weather()


class FaultyBroker(VirtualBroker):
    """The virtual broker, with weather, and restarts that lose the retained messages and all that is under way.

    Parameters
    ----------
    scheduler : Scheduler
        Virtual time.
    chance : random.Random
        Draws delays and what the weather does.
    """

    def __init__(self, scheduler: Scheduler, *, chance: random.Random) -> None:
        super().__init__(scheduler, chance=chance)
        self.weather = CALM
        self.ears: list[Listener] = []
        """Who listens at the broker's door: hears what is published, whatever becomes of it."""
        self._is_down = False
        self._epoch = 0

    def stop(self) -> None:
        """End it: what is kept and what is under way is lost."""
        self._is_down = True
        self._epoch += 1
        self._retained.clear()
        self._last_arrival_s.clear()

    def start(self) -> None:
        """Begin anew; who has subscribed subscribes again."""
        self._is_down = False

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> None:
        """Take a message, unless the broker is down; in bad weather it may get lost, doubled or late."""
        for ear in self.ears:
            ear(topic, payload)
        if self._is_down:
            return
        weather = self.weather
        if weather is CALM:
            super().publish(topic, payload, qos=qos, retain=retain)
            return
        if self._chance.random() < weather.loss:
            return
        if self._chance.random() < weather.holding_back:
            epoch = self._epoch
            self._scheduler.after(self._chance.uniform(0.0, weather.late_s), lambda: self._late(epoch, topic, payload))
        else:
            super().publish(topic, payload, qos=qos, retain=retain)
        if self._chance.random() < weather.doubling:
            super().publish(topic, payload, qos=qos, retain=False)

    def _late(self, epoch: int, topic: str, payload: bytes) -> None:
        if epoch == self._epoch:
            self._deliver(topic, payload)

    def _deliver(self, topic: str, payload: bytes) -> None:
        if not self._is_down:
            super()._deliver(topic, payload)
