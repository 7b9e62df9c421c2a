"""The building's devices in virtual time: their controller on the virtual broker."""

from __future__ import annotations

from orchestrator.devices.address import parse_device_topic
from simulation.broker import VirtualBroker
from simulation.building import Machines
from simulation.device_controller import DeviceController
from simulation.virtual_time import Scheduler


class VirtualDevices:
    """One controller of all doors and lifts, woken when it has something to say.

    Parameters
    ----------
    machines : Machines
        What it controls.
    scheduler, broker
        The virtual time and the way to the orchestrator.
    """

    def __init__(self, machines: Machines, *, scheduler: Scheduler, broker: VirtualBroker) -> None:
        self._scheduler = scheduler
        self._woken = 0
        self._boots = 0
        self._machines = machines
        self._broker = broker
        self.controller = self._boot()
        for topic in self.controller.subscriptions():
            assert parse_device_topic(topic) is not None, "a controller listens on topics of the device protocol"
            broker.subscribe(topic, self._receive)
        scheduler.at(0.0, self.look)

    def restart(self) -> None:
        """Let the controller's computer start again: another run, the machines as they stand."""
        self.controller = self._boot()
        self.look()

    def look(self) -> None:
        """Say what has changed, and sleep until the next moment that matters."""
        self.controller.advance()
        self._woken += 1
        woken = self._woken
        self._scheduler.at(self.controller.next_due_s(), lambda: self._wake(woken))

    def _boot(self) -> DeviceController:
        self._boots += 1

        def publish(topic: str, payload: bytes, qos: int) -> None:
            self._broker.publish(topic, payload, qos=qos, retain=False)

        return DeviceController(self._machines, clock=self._scheduler.clock, boot=f"run-{self._boots}", publish=publish)

    def _receive(self, topic: str, payload: bytes) -> None:
        self.controller.receive(topic, payload)
        self.look()

    def _wake(self, woken: int) -> None:
        if woken == self._woken:
            self.look()
