"""``wardporter`` as its users meet it: refusals with a sentence, and an end that leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.adapters.mqtt.broker import ChildBroker
from tests.support.brokers import wait_until
from tests.support.houses import children_of, environment_without, process_is_gone
from tests.support.shared_data import shared_data

pytestmark = [pytest.mark.system, pytest.mark.timeout(170), pytest.mark.xdist_group("houses")]

REFUSED, INTERRUPTED = 2, 130
START_LIMIT_S = 60.0

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Function that starts ``wardporter`` with its files under the test's folder; killed after the test."""
    started: list[subprocess.Popen[str]] = []

    def start_one(*arguments: str) -> subprocess.Popen[str]:
        env = environment_without("WARDPORTER_") | {
            "TMPDIR": str(tmp_path),
            "XDG_DATA_HOME": str(tmp_path / "home"),
            "PYTHONUNBUFFERED": "1",
        }
        with (tmp_path / "out").open("w") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "orchestrator.cli", *arguments],
                env=env,
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        started.append(process)
        return process

    yield start_one
    for process in started:
        children = children_of(process.pid)
        process.kill()
        process.wait(10)
        for pid in children:
            if not process_is_gone(pid):
                os.kill(pid, signal.SIGKILL)
    for lock in tmp_path.glob("**/broker.lock"):
        ChildBroker(lock.parent).stop()


@pytest.fixture
def said(tmp_path: Path) -> Callable[[], str]:
    """Function that returns everything printed so far, line ends taken out."""
    return lambda: " ".join((tmp_path / "out").read_text().split())


def _assert_refused(process: subprocess.Popen[str], said: Callable[[], str], *parts: str) -> None:
    assert process.wait(START_LIMIT_S) == REFUSED, said()
    for part in parts:
        assert part in said()
    assert "Traceback" not in said()


def test_demo_refuses_a_site_file_that_is_not_there(start: Start, said: Callable[[], str], tmp_path: Path) -> None:
    _assert_refused(start("demo", "--headless", "--site", str(tmp_path / "nowhere.site.yaml")), said, "nowhere.site")


def test_demo_refuses_a_site_file_that_is_no_site(start: Start, said: Callable[[], str], tmp_path: Path) -> None:
    site = tmp_path / "poem.site.yaml"
    site.write_text("site: poem\nverses: [roses, violets]\n")
    _assert_refused(start("demo", "--headless", "--site", str(site)), said, "poem.site.yaml", "verses")


@pytest.mark.parametrize("command", [("demo", "--headless"), ("serve",)])
def test_port_that_is_taken_is_refused_before_anything_starts(
    start: Start, said: Callable[[], str], command: tuple[str, ...]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        process = start(*command, "--port", port)
        _assert_refused(process, said, port, "--port")


def test_serve_names_file_and_line_of_a_broken_fleet(start: Start, said: Callable[[], str], tmp_path: Path) -> None:
    fleet = tmp_path / "broken.fleet.yaml"
    fleet.write_text(
        "fleet: broken\n"
        "name: Broken\n"
        "robots:\n"
        "  robot-1: {model: porter, manufacturer: wardporter, serial_number: WP1, home: no_such_home}\n"
    )
    _assert_refused(start("serve", "--fleet", str(fleet), "--port", "0"), said, "no_such_home")
    assert re.search(r"broken\.fleet\.yaml:4\b", said()), said()


@pytest.mark.ros
def test_ctrl_c_ends_the_demonstration_with_all_its_processes(
    start: Start, said: Callable[[], str], tmp_path: Path
) -> None:
    demo = start("demo", "--headless", "--robots", "2", "--deliveries", "2", "--port", "0")
    wait_until(lambda: "loading" in said(), "a delivery is loaded", limit_s=START_LIMIT_S)
    children = children_of(demo.pid)
    (place,) = tmp_path.glob("wardporter-demo-*/data/broker/broker.json")
    broker = json.loads(place.read_text())["pid"]
    assert len(children.keys() | {broker}) == 4, children
    demo.send_signal(signal.SIGINT)
    assert demo.wait(45) in (0, INTERRUPTED), said()
    assert [pid for pid in (*children, broker) if not process_is_gone(pid)] == []
    assert "Traceback" not in said()


@pytest.mark.ros
def test_ctrl_c_while_the_demonstration_starts_leaves_nothing_behind(
    start: Start, said: Callable[[], str], tmp_path: Path
) -> None:
    demo = start("demo", "--headless", "--robots", "2", "--port", "0")
    wait_until(lambda: bool(children_of(demo.pid)), "the first child is there", limit_s=START_LIMIT_S)
    children = children_of(demo.pid)
    demo.send_signal(signal.SIGINT)
    assert demo.wait(45) in (0, INTERRUPTED), said()
    assert [pid for pid in children if not process_is_gone(pid)] == []
    assert "Traceback" not in said()


@pytest.mark.ros
def test_demonstration_on_the_clinic_map_receives_everything(start: Start, said: Callable[[], str]) -> None:
    building = shared_data() / "maps" / "clinic" / "clinic.building.yaml"
    settings = {"--deliveries": "2", "--robots": "2", "--speed": "12", "--port": "0", "--limit-minutes": "2.5"}
    options = [text for option in settings.items() for text in option]
    demo = start("demo", "--headless", "--site", str(building), *options)
    assert demo.wait(165) == 0, said()
    assert "2 of 2 received" in said()


@pytest.mark.ros
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_demonstration_on_the_clinic_map_receives_ten_of_ten(start: Start, said: Callable[[], str]) -> None:
    building = shared_data() / "maps" / "clinic" / "clinic.building.yaml"
    begun_s = time.monotonic()
    demo = start("demo", "--headless", "--site", str(building), "--port", "0")
    assert demo.wait(840) == 0, said()
    assert "10 of 10 received" in said(), f"after {time.monotonic() - begun_s:.0f} s"
