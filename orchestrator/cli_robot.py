"""``wardporter robot …``: follow what a robot says.

Exit codes: 0 when it was followed to the end that was asked for, 1 when nothing came, 2 when the request was refused.
"""

from __future__ import annotations

import logging
import os
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import structlog
import typer
from pydantic import ValidationError

from orchestrator.adapters.config.fleet_file import read_fleet
from orchestrator.adapters.config.robot_model_file import read_robot_models
from orchestrator.adapters.config.source import ConfigFileError
from orchestrator.adapters.mqtt.broker import ChildBroker
from orchestrator.adapters.mqtt.broker_address import BrokerLink, TlsFiles
from orchestrator.adapters.mqtt.transport import PahoTransport
from orchestrator.domain.errors import InvalidInputError, NotFoundError, WardporterError
from orchestrator.domain.fleet.fleet import Fleet
from orchestrator.domain.fleet.model import Robot
from orchestrator.settings import Settings
from orchestrator.vda5050.address import TopicKind, address_of_robot
from orchestrator.vda5050.watching import Watched, Watcher

REFUSED_EXIT = 2
NOTHING_EXIT = 1
CONNECT_LIMIT_S = 10.0
ONCE_LIMIT_S = 35.0
"""A robot reports at least every 30 s (VDA 5050 2.1 §6.10.1)."""

LOOK_EVERY_S = 0.2

app = typer.Typer(help="Follow what a robot says.", no_args_is_help=True)


@app.callback()
def robots() -> None:
    """Follow what a robot says."""


class RobotNotInFleetError(NotFoundError):
    """No robot of the fleet file has this serial number or id, or several have."""

    code = "robot_not_in_fleet"


class NoBrokerError(InvalidInputError):
    """There is no broker to listen to."""

    code = "no_broker"


@dataclass(frozen=True, slots=True)
class _Ending:
    """When to stop: after the first state, or at a time, monotonic seconds; None for never."""

    is_once: bool
    at_s: float | None

    def is_due(self) -> bool:
        return self.at_s is not None and time.monotonic() >= self.at_s


@app.command()
def watch(
    robot: Annotated[str, typer.Argument(metavar="SERIAL", help="Serial number or id of a robot of the fleet.")],
    fleet: Annotated[Path | None, typer.Option(help="Fleet file; as for `serve` when left out.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the service, where its own broker is found.")] = None,
    tls: Annotated[
        Path | None, typer.Option(help="Folder of an observer's credential (`wardporter pki observer NAME`).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    once: Annotated[bool, typer.Option("--once", help="End after the first state.")] = False,
    for_s: Annotated[float | None, typer.Option("--for", metavar="SECONDS", help="End after so long.", min=0.1)] = None,
) -> None:
    """Follow a robot's messages both ways, decoded, with what changed and what is not as the standard has it.

    It listens on the broker that `serve` uses, by the same settings, and says nothing itself. Over TLS it needs a
    credential of its own: with that of the service it would take the service's place at the broker.
    """
    # What is shown is the robot's messages; that the broker let us in is no news.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    given = {"fleet": fleet, "data": data}
    limit_s = for_s if for_s is not None else (ONCE_LIMIT_S if once else None)
    try:
        settings = Settings.model_validate({name: value for name, value in given.items() if value is not None})
        followed = _robot_named(read_fleet(settings.fleet).fleet(), robot)
        watcher = Watcher(address_of_robot(followed))
        for line in [] if as_json else _maps_of(followed, settings):
            typer.echo(line, err=True)
        ending = _Ending(once, None if limit_s is None else time.monotonic() + limit_s)
        broker, written = _broker(settings, tls), Watched.json_line if as_json else Watched.line
        seen = _follow(watcher, broker, ending, show=lambda watched: typer.echo(written(watched)))
    except (WardporterError, ValidationError) as error:
        typer.echo(f"wardporter robot watch: {error}", err=True)
        raise typer.Exit(REFUSED_EXIT) from error
    for line in [] if as_json or once else watcher.summary():
        typer.echo(line)
    if not seen:
        typer.echo(f"Nothing came on {watcher.address.prefix}. Is the robot on, and on this broker?", err=True)
        raise typer.Exit(NOTHING_EXIT)


def _maps_of(robot: Robot, settings: Settings) -> list[str]:
    """Return how its maps lie in the site; that it cannot be said here keeps nobody from watching."""
    try:
        reading = read_fleet(settings.fleet, models=read_robot_models(settings.robot_models))
        return reading.dialects()[robot.id].frames.in_words()
    except ConfigFileError as error:
        return [f"How its maps lie is not shown: {error.message}"]


def _robot_named(fleet: Fleet, name: str) -> Robot:
    found = [robot for robot in fleet.robots.values() if name in (robot.serial_number, robot.id)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{r.id} ({r.manufacturer} {r.serial_number})" for r in fleet.robots.values())
    which = "several robots have" if found else "no robot of the fleet has"
    raise RobotNotInFleetError(f"{name!r} was refused: {which} this serial number or id; there are {known}.")


def _follow(watcher: Watcher, broker: BrokerLink, ending: _Ending, *, show: Callable[[Watched], None]) -> int:
    """Show messages until the ending, or until Ctrl-C; returns how many were shown."""
    shown = 0
    messages: queue.Queue[tuple[str, bytes, bool]] = queue.Queue()
    try:
        with _listening(watcher, broker, messages):
            while not ending.is_due():
                try:
                    topic, payload, is_retained = messages.get(timeout=LOOK_EVERY_S)
                except queue.Empty:
                    continue
                watched = watcher.take(topic, payload, now=datetime.now(UTC), is_retained=is_retained)
                show(watched)
                shown += 1
                if ending.is_once and watched.kind is TopicKind.STATE and not watched.is_retained:
                    break
    except KeyboardInterrupt:
        return max(shown, 1)  # whoever ends it knows what came
    return shown


@contextmanager
def _listening(watcher: Watcher, broker: BrokerLink, messages: queue.Queue[tuple[str, bytes, bool]]) -> Iterator[None]:
    transport = PahoTransport(
        broker,
        topics=watcher.topics(),
        on_message=lambda topic, payload, is_retained: messages.put((topic, payload, is_retained)),
        on_connection=lambda _is_up: None,
    )
    transport.start()
    try:
        deadline_s = time.monotonic() + CONNECT_LIMIT_S
        while not transport.is_connected:
            if time.monotonic() > deadline_s:
                raise NoBrokerError(
                    f"No broker let us in at {broker.url} within {CONNECT_LIMIT_S:g} s. Start it, or set "
                    "WARDPORTER_MQTT_URL as for `serve`."
                )
            time.sleep(LOOK_EVERY_S / 4)
        yield
    finally:
        transport.stop()


def _broker(settings: Settings, tls: Path | None) -> BrokerLink:
    """Return where to listen, and as whom."""
    client_id = f"wardporter-watch-{os.getpid()}"
    files = None if tls is None else TlsFiles.in_folder(tls)
    if settings.mqtt_url is not None:
        broker = BrokerLink(settings.mqtt_url, client_id, tls=files, is_plain_allowed=settings.mqtt_allow_plain)
        if files is None and broker.address.is_tls:
            raise NoBrokerError(
                f"The broker {settings.mqtt_url} asks for a certificate; make one with `wardporter pki observer NAME` "
                "and name its folder with --tls."
            )
        return broker
    from orchestrator.bootstrap import BROKER_FOLDER  # the service takes a second to import

    place = ChildBroker(settings.data / BROKER_FOLDER).running()
    if place is None:
        raise NoBrokerError(
            f"No broker runs for the service in {settings.data}. Start `wardporter serve`, name its folder with "
            "--data, or set WARDPORTER_MQTT_URL."
        )
    return BrokerLink(place.url, client_id)
