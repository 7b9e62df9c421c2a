"""`wardporter robot watch` on a real broker: it follows, ends when it should, and says what is missing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from orchestrator.adapters.config.fleet_file import load_fleet
from orchestrator.vda5050.codec import encode
from tests.support.brokers import RealBroker
from tests.support.robot_link import a_state
from tests.support.secured_broker import OBSERVER, Party, SecuredBroker

FLEET = """\
fleet: f
robots:
  trolley: {model: porter, manufacturer: ward, serial_number: R1, home: spur}
  other: {model: porter, manufacturer: ward, serial_number: R2, home: ward}
"""
TOPIC = "uagv/v2/ward/R1/state"
END_LIMIT_S = 30.0

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def fleet_file(tmp_path: Path) -> Path:
    """Fleet of two robots."""
    file = tmp_path / "two.fleet.yaml"
    file.write_text(FLEET)
    return file


@contextmanager
def a_pace(report: Callable[[int], object]) -> Iterator[None]:
    """Something that is done ten times a second, each time with the next number."""
    numbers = iter(range(10_000))
    yield from _with_timer(lambda: report(next(numbers)))


@contextmanager
def a_robot_that_reports(broker: RealBroker) -> Iterator[None]:
    """A robot that reports ten times a second, its first message with a fault in it."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="robot")
    client.connect(broker.host, broker.port)
    client.loop_start()
    number = iter(range(10_000))

    def report(*_: object) -> None:
        payload = encode(a_state(next(number)), version="2.1.0").replace(b'"charging":false', b'"charging":"no"')
        client.publish(TOPIC, payload)

    report()
    try:
        yield from _with_timer(report)
    finally:
        client.loop_stop()
        client.disconnect()


def _with_timer(report: object) -> Iterator[None]:
    import threading

    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(0.1):
            report()  # type: ignore[operator]

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def start_watch(*arguments: str, fleet: Path, url: str | None, data: Path) -> subprocess.Popen[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("WARDPORTER_")}
    if url is not None:
        env["WARDPORTER_MQTT_URL"] = url
    argv = [sys.executable, "-m", "orchestrator.cli", "robot", "watch", *arguments]
    argv += ["--fleet", str(fleet), "--data", str(data)]
    return subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def watch(*arguments: str, fleet: Path, url: str | None, data: Path) -> tuple[int, str, str]:
    process = start_watch(*arguments, fleet=fleet, url=url, data=data)
    out, err = process.communicate(timeout=END_LIMIT_S)
    return process.returncode, out, err


def test_the_first_state_is_shown_decoded_with_its_complaint(
    child_broker: RealBroker, fleet_file: Path, tmp_path: Path
) -> None:
    with a_robot_that_reports(child_broker):
        code, out, err = watch("R1", "--once", fleet=fleet_file, url=child_broker.url, data=tmp_path)
    assert (code, err) == (0, "")
    (line,) = [line for line in out.splitlines() if "state" in line]
    assert "battery 80 %" in line
    assert "! batteryState.charging: " in line
    assert "[VDA 5050 2.1 §6.10]" in line


@pytest.mark.broker
def test_over_tls_an_observer_follows_and_whoever_has_no_certificate_is_told_how_to_get_one(
    fleet_file: Path, tmp_path: Path, claim_port: Callable[[], int]
) -> None:
    (tmp_path / "broker").mkdir()
    broker = SecuredBroker(tmp_path / "broker", claim_port(), load_fleet(fleet_file).robots.values())
    broker.start()
    robot: Party | None = None
    try:
        robot = Party(broker, broker.robot_files("trolley")).wait_connected()
        with a_pace(lambda number: robot.say(TOPIC, encode(a_state(number), version="2.1.0"), qos=0)):
            observer = str(broker.authority.folder_of(OBSERVER))
            code, out, err = watch(
                "R1", "--for", "3", "--tls", observer, fleet=fleet_file, url=broker.url, data=tmp_path
            )
            assert (code, err) == (0, "")
            assert len([line for line in out.splitlines() if "← state" in line]) > 5

            code, out, err = watch("R1", "--once", fleet=fleet_file, url=broker.url, data=tmp_path)
            assert (code, out) == (2, "")
            assert "wardporter pki observer NAME" in err
    finally:
        if robot is not None:
            robot.close()
        broker.stop()


def test_json_lines_by_robot_id_for_a_while(child_broker: RealBroker, fleet_file: Path, tmp_path: Path) -> None:
    with a_robot_that_reports(child_broker):
        code, out, _ = watch("trolley", "--json", "--for", "2", fleet=fleet_file, url=child_broker.url, data=tmp_path)
    assert code == 0
    numbers = [json.loads(line)["header_id"] for line in out.splitlines()]
    assert len(numbers) > 1
    assert numbers == sorted(numbers)


def test_ctrl_c_ends_it_cleanly(child_broker: RealBroker, fleet_file: Path, tmp_path: Path) -> None:
    with a_robot_that_reports(child_broker):
        process = start_watch("R1", fleet=fleet_file, url=child_broker.url, data=tmp_path)
        assert process.stdout is not None
        assert "state" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=END_LIMIT_S)
    assert (process.returncode, err) == (0, "")


def test_the_services_own_broker_is_found_by_its_folder(
    child_broker: RealBroker, fleet_file: Path, tmp_path: Path
) -> None:
    with a_robot_that_reports(child_broker):
        code, out, _ = watch("R1", "--once", fleet=fleet_file, url=None, data=tmp_path)
    assert (code, "state" in out) == (0, True)


def test_silence_is_said_and_is_no_success(child_broker: RealBroker, fleet_file: Path, tmp_path: Path) -> None:
    code, out, err = watch("R2", "--for", "1", fleet=fleet_file, url=child_broker.url, data=tmp_path)
    assert (code, out) == (1, "")
    assert "Nothing came on uagv/v2/ward/R2" in err


def test_an_unknown_robot_is_refused_with_those_that_there_are(fleet_file: Path, tmp_path: Path) -> None:
    code, _, err = watch("R9", fleet=fleet_file, url="mqtt://127.0.0.1:1", data=tmp_path)
    assert code == 2
    assert "trolley (ward R1), other (ward R2)" in err


def test_the_services_own_certificate_is_not_used_to_watch(fleet_file: Path, tmp_path: Path, free_port: int) -> None:
    code, _, err = watch("R1", fleet=fleet_file, url=f"mqtts://127.0.0.1:{free_port}", data=tmp_path)
    assert code == 2
    assert "wardporter pki observer" in err


def test_a_missing_broker_is_refused(fleet_file: Path, tmp_path: Path, free_port: int) -> None:
    began_s = time.monotonic()
    code, _, err = watch("R1", fleet=fleet_file, url=f"mqtt://127.0.0.1:{free_port}", data=tmp_path)
    assert code == 2
    assert "No broker let us in" in err
    assert time.monotonic() - began_s < END_LIMIT_S
    code, _, err = watch("R1", fleet=fleet_file, url=None, data=tmp_path)
    assert code == 2
    assert "No broker runs for the service" in err


def test_it_begins_by_saying_how_the_robots_maps_lie_in_the_site(tmp_path: Path, free_port: int) -> None:
    file = tmp_path / "mapped.fleet.yaml"
    file.write_text(FLEET.replace("home: spur}", "home: spur, link: {maps: {ground: {map_id: hall}}}}"))
    _, _, err = watch("R1", fleet=file, url=f"mqtt://127.0.0.1:{free_port}", data=tmp_path)
    assert err.startswith("Map hall is level ground: in the site's own frame, nothing moved or turned.\n")
