"""Running a demonstration: set the stage, start everybody, queue, play the people, and say how it ended."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from orchestrator.adapters.config.built_in import built_in
from orchestrator.adapters.config.rmf.importer import import_building
from orchestrator.adapters.config.robot_model_file import load_robot_models
from orchestrator.adapters.config.site_file import load_site
from orchestrator.adapters.loopback import free_port
from orchestrator.adapters.mqtt.broker import ChildBroker
from orchestrator.domain.errors import InvalidInputError, WardporterError
from orchestrator.domain.fleet.model import ModelId
from orchestrator.domain.site.model import Site, StationId
from simulation.demo.api import Api, Away
from simulation.demo.cast import choose_cast, draw_routes
from simulation.demo.claims import ROS_DOMAIN, ROS_DOMAINS, claimed_number
from simulation.demo.controlled import ControlledScene
from simulation.demo.people import People, Roster
from simulation.demo.processes import Company
from simulation.demo.progress import Course, Progress
from simulation.demo.secured import SecuredBroker
from simulation.demo.staff import POLICY_FILE, DemoStaff, make_staff
from simulation.demo.staff_api import StaffApi
from simulation.demo.stage import Stage, set_stage

LOOK_EVERY_S = 0.25
START_LIMIT_S = 90.0
PIPE_WIDTH = 160
ENDED_BY_SIGTERM = 128 + signal.SIGTERM
MODEL = ModelId("porter")


class NotReadyError(WardporterError):
    """The service or a robot did not come up in time."""

    code = "not_ready"


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """What can be asked of a demonstration; times in seconds of the wall clock."""

    site_file: Path | None
    robots: int
    deliveries: int
    speed_factor: float
    is_headless: bool
    port: int
    seed: int
    limit_s: float
    is_tls: bool = False


def run_demo(settings: DemoSettings) -> int:
    """Run a demonstration; returns the exit code: 0 only when every delivery was received.

    Raises
    ------
    WardporterError
        The input was refused, or a process could not be kept running.
    """
    # Nobody wraps a pipe: without a terminal the lines are as long as the widest table needs.
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
    # A polite end is an end like Ctrl-C: everybody who was started is ended on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ENDED_BY_SIGTERM))
    site = read_stage_site(settings.site_file)
    model = load_robot_models(built_in("robot_models"))[MODEL]
    cast = choose_cast(site, model=model, robots=settings.robots)
    for note in cast.notes:
        console.print(note)
    folder = Path(tempfile.mkdtemp(prefix="wardporter-demo-"))
    port = free_port(settings.port)
    stage = set_stage(folder, site=site, cast=cast, speed_factor=settings.speed_factor, port=port)
    stage = replace(stage, identity="staff", policies=folder / POLICY_FILE)
    is_done = False
    try:
        staff = make_staff(stage)
        console.print(staff.table())
        with _company(stage, console, is_tls=settings.is_tls) as company:
            is_done = _play(settings, stage, staff, company, console)
    finally:
        if is_done:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            console.print(f"Logs and books of this demonstration are kept in {folder}")
    return 0 if is_done else 1


def read_stage_site(path: Path | None) -> Site:
    """Return the site to play on: a site file, an Open-RMF building, or the demo hospital."""
    if path is None:
        return load_site(built_in("sites/demo_hospital.site.yaml"))
    return import_building(path)[0] if path.name.endswith(".building.yaml") else load_site(path)


@contextlib.contextmanager
def _company(stage: Stage, console: Console, *, is_tls: bool) -> Iterator[Company]:
    mqtt_url = os.environ.get("WARDPORTER_MQTT_URL")
    if is_tls and mqtt_url is not None:
        raise InvalidInputError(
            "--tls was refused beside WARDPORTER_MQTT_URL: it starts a Mosquitto of its own. Leave out one of them."
        )
    with contextlib.ExitStack() as ending:
        domain = claimed_number(ROS_DOMAIN, ROS_DOMAINS, start=os.getpid() % len(ROS_DOMAINS))
        domain_id = ending.enter_context(domain)
        console.print("Starting the broker, the service and the robots …")
        secured = _start_secured_broker(stage, ending) if is_tls else None
        url = secured.url if secured is not None else mqtt_url or _start_broker(stage, ending)
        company = Company(
            stage,
            mqtt_url=url,
            is_broker_ours=mqtt_url is None and secured is None,
            ros_domain_id=domain_id,
            credentials=secured.credentials if secured is not None else None,
        )
        ending.callback(company.end)
        company.start()
        yield company


def _start_secured_broker(stage: Stage, ending: contextlib.ExitStack) -> SecuredBroker:
    broker = SecuredBroker(
        stage.folder / "pki",
        site=stage.site.id,
        robots=stage.cast.robots,
        port=free_port(0),
        logs=stage.folder / "logs",
    )
    ending.callback(broker.stop)
    broker.start()
    return broker


def _start_broker(stage: Stage, ending: contextlib.ExitStack) -> str:
    broker = ChildBroker(stage.broker_folder)
    # Before it is started: Ctrl-C may come while it comes up, and it would outlive us.
    ending.callback(broker.stop)
    return broker.start().url


def _play(settings: DemoSettings, stage: Stage, staff: DemoStaff, company: Company, console: Console) -> bool:
    url = f"http://127.0.0.1:{stage.port}"
    api = StaffApi(url, staff)
    try:
        _wait_until_ready(api, company, robots=len(stage.cast.robots))
        console.print(
            f"Site {stage.site.name}, lane graph {stage.cast.graph}: {len(stage.cast.robots)} robots at "
            f"{settings.speed_factor:g} times real speed. The page: {url}"
        )
        people = People(api, seed=settings.seed, speed_factor=settings.speed_factor, roster=Roster(staff))
        progress = Progress()
        routes = draw_routes(stage.cast, count=settings.deliveries, seed=settings.seed)
        start, end = routes[-1]
        controlled = ControlledScene(api, staff, stage, console, start, end) if _may_ride(stage, routes) else None
        for number, (start, end) in enumerate(routes if controlled is None else routes[:-1]):
            _follow(progress, api, people.queue(number, start, end), start, end)
        if controlled is not None:
            _follow(progress, api, controlled.begin(), controlled.start, controlled.end)
        _watch(settings, company, console, _Scene(api, people, progress, url, controlled))
        console.print(progress.final_table())
        is_done = progress.received == len(progress.courses)
        if is_done and controlled is not None:
            is_done = controlled.tell_record()
        if is_done and not settings.is_headless:
            _stay(company, console, url)
        return is_done
    finally:
        api.close()


def _may_ride(stage: Stage, routes: Sequence[tuple[StationId, StationId]]) -> bool:
    """Whether the last of several deliveries can be a controlled drug: it goes from one place to another."""
    start, end = routes[-1]
    return len(routes) > 1 and stage.site.stations[start].place != stage.site.stations[end].place


def _follow(progress: Progress, api: Api, delivery: str, start: StationId, end: StationId) -> None:
    shown = api.get(f"/deliveries/{delivery}")
    progress.courses[delivery] = Course(id=delivery, start=start, end=end, priority=str(shown["priority"]))


def _wait_until_ready(api: Api, company: Company, *, robots: int) -> None:
    deadline_s = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline_s:
        company.check()
        with contextlib.suppress(Away):
            if api.is_ready() and sum(r["last_heard_at"] is not None for r in api.get("/robots")["robots"]) == robots:
                return
        time.sleep(LOOK_EVERY_S)
    raise NotReadyError(
        f"The service and its robots were not ready within {START_LIMIT_S:g} s. "
        f"The logs in {company.service.log.parent} say what held them up."
    )


@dataclass(frozen=True, slots=True)
class _Scene:
    api: Api
    people: People
    progress: Progress
    url: str
    controlled: ControlledScene | None = None


def _watch(settings: DemoSettings, company: Company, console: Console, scene: _Scene) -> None:
    """Play the people until every delivery is closed or the time is up."""
    deadline_s = time.monotonic() + settings.limit_s
    live = None if settings.is_headless else Live(console=console, refresh_per_second=4)
    with live or contextlib.nullcontext():
        while not scene.progress.is_over and time.monotonic() < deadline_s:
            company.keep_up()
            try:
                robots, lines = _look(scene)
            except Away:
                time.sleep(LOOK_EVERY_S)
                continue
            if live is not None:
                live.update(scene.progress.live_view(robots, title=f"Wardporter demo · {scene.url}"))
            else:
                for line in lines:
                    console.print(line, highlight=False)
            time.sleep(LOOK_EVERY_S)


def _look(scene: _Scene) -> tuple[list[dict[str, Any]], list[str]]:
    robots: list[dict[str, Any]] = scene.api.get("/robots")["robots"]
    deliveries = _all_deliveries(scene.api)
    apart = scene.controlled.delivery if scene.controlled is not None else None
    scene.people.look_round([delivery for delivery in deliveries if delivery["id"] != apart])
    for delivery in deliveries:
        if scene.controlled is not None and delivery["id"] == apart:
            scene.controlled.look(delivery)
    scene.people.look_after(robots)
    driven_m = {str(robot["id"]): float(robot["driven_m"]) for robot in robots}
    now = datetime.now(UTC)
    lines = [line for d in deliveries for line in scene.progress.note(d, driven_m=driven_m, now=now)]
    return robots, lines


def _all_deliveries(api: Api) -> list[dict[str, Any]]:
    """Return every delivery, oldest first."""
    found: list[dict[str, Any]] = []
    page = api.get("/deliveries", limit=100)
    found += page["deliveries"]
    while page["next_after"]:
        page = api.get("/deliveries", limit=100, after=page["next_after"])
        found += page["deliveries"]
    return found[::-1]


def _stay(company: Company, console: Console, url: str) -> None:
    console.print(f"All received. The page stays at {url}; Ctrl-C ends the demonstration.")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            company.keep_up()
            time.sleep(1.0)
