"""A whole house of real processes: broker, service and robots on ROS 2, with people played through the API."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.config.built_in import built_in
from orchestrator.adapters.config.robot_model_file import load_robot_models
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.model import StationId
from simulation.demo.api import Api, Away
from simulation.demo.cast import choose_cast
from simulation.demo.people import People
from simulation.demo.processes import Company, Credentials
from simulation.demo.run import MODEL, read_stage_site
from simulation.demo.stage import Stage, set_stage
from tests.support.brokers import AmqttBroker, MosquittoBroker, RealBroker, wait_until
from tests.support.secured_broker import SecuredBroker
from tests.support.wire_tap import WireTap

READY_LIMIT_S = 60.0
LOOK_EVERY_S = 0.1
EMPTY_LIMIT_S = 45.0
LOG_LINES = 25

Picture = dict[str, Any]


class House:
    """The demonstration's stage and company, played by a test.

    Parameters
    ----------
    stage : Stage
        The files everybody reads.
    broker : RealBroker
        Running.
    is_broker_ours : bool
        Whether the service looks after the broker itself; else it is told the address.
    ros_domain_id : int
        Of the robots.
    """

    def __init__(self, stage: Stage, *, broker: RealBroker, is_broker_ours: bool, ros_domain_id: int) -> None:
        self.stage = stage
        self.broker = broker
        self.company = Company(
            stage,
            mqtt_url=broker.url,
            is_broker_ours=is_broker_ours,
            ros_domain_id=ros_domain_id,
            credentials=_credentials(broker, stage),
        )
        self.api = Api(f"http://127.0.0.1:{stage.port}")
        self.people = People(self.api, seed=1, speed_factor=stage.speed_factor)
        self.tap = WireTap(broker)
        self.queued: list[str] = []

    def open(self) -> None:
        """Start everybody, and return when the service is ready and every robot has reported."""
        self.company.start()
        self.wait_ready()

    def close(self) -> None:
        """End everybody, and print the ends of their logs for whoever reads of a failure."""
        try:
            self.company.end()
        finally:
            self.tap.close()
            self.api.close()
            for child in self.company.children:
                sys.stdout.write(f"--- the end of {child.log.name}\n{child.last_words(LOG_LINES)}\n")

    # -- what the test does ----------------------------------------------------------------------------------------

    def queue(self, routes: Sequence[tuple[str, str]]) -> list[str]:
        """Queue one delivery a route and return their ids."""
        made = [
            self.people.queue(number, StationId(start), StationId(end))
            for number, (start, end) in enumerate(routes, start=len(self.queued))
        ]
        self.queued += made
        return made

    def restart_service(self) -> None:
        """Kill the service by SIGKILL and start it again."""
        self.company.service.kill()
        self.company.service.start()

    def wait_ready(self) -> None:
        """Wait until the service is ready and has heard every robot."""
        robots = len(self.stage.cast.robots)
        self.play_until(
            lambda: self.api.is_ready() and sum(r["last_heard_at"] is not None for r in self.robots()) == robots,
            "the service is ready and has heard every robot",
            limit_s=READY_LIMIT_S,
        )

    def play_until(self, is_so: Callable[[], bool], what: str, *, limit_s: float) -> None:
        """Let the people work until a condition holds; a service that is away is asked again.

        Fails, with the state of every delivery, when the condition does not come true in time.
        """
        deadline_s = time.monotonic() + limit_s
        while True:
            with contextlib.suppress(Away):
                self.people.look_round(self.deliveries())
                if is_so():
                    return
            if time.monotonic() > deadline_s:
                pytest.fail(f"waited {limit_s:g} s in vain until {what}: {self._as_seen()}")
            time.sleep(LOOK_EVERY_S)

    def play_once(self) -> None:
        """Let the people work once; a service that is away is left alone."""
        with contextlib.suppress(Away):
            self.people.look_round(self.deliveries())
        time.sleep(LOOK_EVERY_S)

    def play_until_all_received(self, *, limit_s: float) -> None:
        """Let the people work until everything queued is received."""
        self.play_until(
            lambda: {d["state"] for d in self.deliveries()} == {"received"},
            f"all {len(self.queued)} deliveries are received",
            limit_s=limit_s,
        )

    def wait_until_standing(self, *, limit_s: float) -> None:
        """Wait until every robot says that it stands; the service may be away."""
        wait_until(lambda: not self.is_anybody_driving(), "every robot stands", limit_s=limit_s)

    # -- what the test sees ----------------------------------------------------------------------------------------

    def robots(self) -> list[Picture]:
        return self.api.get("/robots")["robots"]

    def robot(self, robot: str) -> Picture:
        return next(r for r in self.robots() if r["id"] == robot)

    def deliveries(self) -> list[Picture]:
        return self.api.get("/deliveries", limit=100)["deliveries"]

    def delivery(self, delivery: str) -> Picture:
        return self.api.get(f"/deliveries/{delivery}")

    def driving_with_load(self) -> Picture | None:
        """A robot that drives with a sealed delivery aboard, as the service and the robot itself have it."""
        aboard = {d["robot"] for d in self.deliveries() if d["state"] == "in_transit"}
        return next((r for r in self.robots() if r["id"] in aboard and r["is_driving"] and r["loads"]), None)

    def serial_number(self, robot: str) -> str:
        return self.stage.robot(RobotId(robot)).serial_number

    def is_anybody_driving(self) -> bool:
        """Whether a robot drives, by its own newest state."""
        return any(states[-1].tree["driving"] for states in list(self.tap.states.values()))

    def _as_seen(self) -> str:
        try:
            seen = [(d["id"], d["state"], d["robot"], [r["code"] for r in d["waiting"]]) for d in self.deliveries()]
            robots = [
                (r["id"], r["is_lost"], r["target"], r["order"] and r["order"]["phase"], r["waiting"])
                for r in self.robots()
            ]
        except Away:
            return "the service does not answer"
        return f"{seen}, {robots}"


def assert_delivered_once(house: House) -> None:
    """Everything queued was sealed and received once, and came aboard and left once."""
    assert house.queued
    totes = [house.delivery(number)["totes"][0]["id"] for number in house.queued]
    # The robot opens its drawer to the nurse's receipt and says so a moment later.
    house.play_until(
        lambda: all(house.tap.handled(tote)["off"] for tote in totes), "the drawers are empty", limit_s=EMPTY_LIMIT_S
    )
    for number in house.queued:
        delivery = house.delivery(number)
        entered = Counter(change["after"] for change in delivery["history"])
        assert (entered["sealed"], entered["received"]) == (1, 1), delivery["history"]
        assert delivery["loading"]
        assert delivery["receipt"]
        assert house.tap.handled(delivery["totes"][0]["id"]) == {"on": 1, "off": 1}
    assert len(house.deliveries()) == len(house.queued)


def assert_orders_kept(house: House) -> None:
    """No order changed under its ids, went to two robots, or was kept by the broker."""
    assert house.tap.orders
    assert house.tap.changed_orders() == []
    assert house.tap.shared_orders() == []
    assert not any(order.was_kept for order in house.tap.orders)


@contextlib.contextmanager
def a_house(
    folder: Path,
    *,
    broker: str = "own",
    broker_port: int,
    port: int,
    ros_domain_id: int,
    robots: int = 2,
    speed_factor: float = 10.0,
    store_url: str | None = None,
) -> Iterator[House]:
    """Open a house on the demo hospital and end it, whatever happens.

    ``broker`` is ``own`` (the service looks after amqtt itself), ``amqtt`` or ``mosquitto`` (it is told an address), or
    ``secured`` (Mosquitto over TLS, a certificate for each). ``store_url`` is where the service keeps
    its books, a file of its own when left out.
    """
    site = read_stage_site(None)
    cast = choose_cast(site, model=load_robot_models(built_in("robot_models"))[MODEL], robots=robots)
    stage = set_stage(folder, site=site, cast=cast, speed_factor=speed_factor, port=port, store_url=store_url)
    running = _broker(broker, stage, broker_port)
    running.start()
    try:
        house = House(stage, broker=running, is_broker_ours=broker == "own", ros_domain_id=ros_domain_id)
        try:
            house.open()
            yield house
        finally:
            house.close()
    finally:
        running.stop()


def _credentials(broker: RealBroker, stage: Stage) -> Credentials | None:
    if not isinstance(broker, SecuredBroker):
        return None
    return Credentials(
        service=broker.service_files, robots={robot.id: broker.robot_files(robot.id) for robot in stage.cast.robots}
    )


def _broker(kind: str, stage: Stage, port: int) -> RealBroker:
    if kind == "mosquitto":
        folder = stage.folder / "mosquitto"
        folder.mkdir()
        return MosquittoBroker(folder, port)
    if kind == "secured":
        return SecuredBroker(stage.folder / "pki", port, stage.cast.robots, site=stage.site.id)
    return AmqttBroker(stage.broker_folder if kind == "own" else stage.folder / "amqtt", port)


def process_is_gone(pid: int) -> bool:
    """Whether a process has ended; one that only waits to be reaped has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def children_of(pid: int) -> dict[int, str]:
    """Command lines of a process's direct children, by pid."""
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid:
                found[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
    return found


def environment_without(prefix: str) -> dict[str, str]:
    """The environment without variables that begin with a prefix."""
    return {name: value for name, value in os.environ.items() if not name.startswith(prefix)}
