"""A process that controls the simulated doors and lifts of a site over a real broker, by the device protocol.

Run as ``python -m simulation.building_controller --site SITE.yaml --mqtt-url mqtt://127.0.0.1:1883``. With
``WARDPORTER_BUILDING=mqtt`` the service asks these devices instead of those in its own process.
"""

from __future__ import annotations

import argparse
import queue
import secrets
import signal
import sys
from pathlib import Path

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.config.site_file import load_site
from orchestrator.adapters.mqtt.broker_address import BrokerLink, TlsFiles
from orchestrator.adapters.mqtt.transport import PahoTransport
from orchestrator.domain.errors import WardporterError
from simulation.building import Machines
from simulation.device_controller import DeviceController

WAITING_MAX = 1024
LONGEST_NAP_S = 0.2


def main(arguments: list[str] | None = None) -> int:
    """Control the devices until a signal ends it; return the exit code."""
    parser = argparse.ArgumentParser(description="Simulated doors and lifts on a broker.")
    parser.add_argument("--site", type=Path, required=True, help="the site file whose doors and lifts they are")
    parser.add_argument("--mqtt-url", required=True, help="the broker, mqtt://host:port or mqtts://host:port")
    parser.add_argument("--mqtt-tls", type=Path, help="folder with ca.crt, client.crt and client.key for mqtts://")
    parser.add_argument("--speed-factor", type=float, default=1.0, help="how much faster than the wall they are")
    options = parser.parse_args(arguments)
    try:
        machines = Machines(load_site(options.site))
        broker = BrokerLink(
            url=options.mqtt_url,
            client_id=f"wardporter-devices-{machines.site.id}",
            tls=TlsFiles.in_folder(options.mqtt_tls) if options.mqtt_tls is not None else None,
        )
        broker.check()
        _Process(machines, broker=broker, speed_factor=options.speed_factor).run()
    except WardporterError as refusal:
        sys.stderr.write(f"{refusal.message}\n")
        return 2
    return 0


class _Process:
    """The controller, its connection, and the one loop that owns both; paho's thread only fills the inbox."""

    def __init__(self, machines: Machines, *, broker: BrokerLink, speed_factor: float) -> None:
        self._inbox: queue.Queue[tuple[str, bytes, bool]] = queue.Queue(WAITING_MAX)
        self._is_ending = False
        self._controller = DeviceController(
            machines,
            clock=SystemClock(speed_factor=speed_factor),
            boot=secrets.token_hex(8),
            publish=lambda topic, payload, qos: self._transport.publish(topic, payload, qos=qos, retain=False),
        )
        self._transport = PahoTransport(
            broker,
            topics=self._controller.subscriptions(),
            on_message=lambda *message: self._take(message),
            on_connection=lambda _is_up: None,
        )

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        self._transport.start()
        try:
            while not self._is_ending:
                self._controller.advance()
                try:
                    topic, payload, is_retained = self._inbox.get(timeout=LONGEST_NAP_S)
                except queue.Empty:
                    continue
                self._controller.receive(topic, payload, is_retained=is_retained)
        finally:
            self._transport.stop()

    def _take(self, message: tuple[str, bytes, bool]) -> None:
        if not self._inbox.full():  # a request that is dropped is made again while it is wanted
            self._inbox.put_nowait(message)

    def _end(self, _number: int, _frame: object) -> None:
        self._is_ending = True


if __name__ == "__main__":
    sys.exit(main())
