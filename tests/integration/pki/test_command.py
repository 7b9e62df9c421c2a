"""``wardporter pki`` as whoever sets up a house types it."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.cli import app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "pki"


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["pki", *words])
    return result.exit_code, result.output


def test_without_a_host_the_broker_is_for_this_machine_alone(folder: Path) -> None:
    code, said = run("init", "--folder", str(folder))
    assert code == 0, said
    assert "mqtts://localhost:8883" in said
    assert "listener 8883 127.0.0.1" in (folder / "broker" / "mosquitto.conf").read_text(encoding="utf-8")


def test_with_a_host_the_broker_is_reached_over_the_network(folder: Path) -> None:
    code, said = run("init", "--folder", str(folder), "--host", "broker.ward.example")
    assert code == 0, said
    assert "mqtts://broker.ward.example:8883" in said
    assert "listener 8883 0.0.0.0" in (folder / "broker" / "mosquitto.conf").read_text(encoding="utf-8")


def test_a_robot_gets_its_certificate_and_loses_it(folder: Path) -> None:
    assert run("init", "--folder", str(folder))[0] == 0
    code, said = run("robot", "porter_1", "--folder", str(folder))
    assert code == 0, said
    handed_over = {path.name for path in (folder / "robots" / "porter_1").iterdir()}
    assert handed_over == {"ca.crt", "client.crt", "client.key"}
    code, said = run("revoke", "porter_1", "--folder", str(folder))
    assert code in (0, 1), said  # 1 says that no broker runs here that could be told at once
    code, said = run("robot", "porter_9", "--folder", str(folder))
    assert code == 2
    assert "porter_9" in said


def test_an_authority_is_never_overwritten(folder: Path) -> None:
    assert run("init", "--folder", str(folder))[0] == 0
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    code, said = run("init", "--folder", str(folder))
    assert code == 2, said
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_device_that_the_site_does_not_have_gets_no_certificate(folder: Path) -> None:
    assert run("init", "--folder", str(folder))[0] == 0
    code, said = run("device", "door", "nodoor", "--folder", str(folder))
    assert code == 2, said
    assert "has no door 'nodoor'; expected one of" in said
    assert "alder_door, birch_door" in said
    assert run("device", "door", "corridor_door", "--folder", str(folder))[0] == 0
    assert run("device", "call", "any_call", "--folder", str(folder))[0] == 0  # no site file names call buttons


def test_devices_of_a_house_whose_site_is_not_at_hand_are_not_looked_up(folder: Path) -> None:
    assert run("init", "--folder", str(folder))[0] == 0
    plan = folder / "authority" / "broker.json"
    told = plan.read_text(encoding="utf-8").replace("demo_hospital", "other_house")
    assert "other_house" in told
    plan.write_text(told, encoding="utf-8")
    code, said = run("device", "door", "nodoor", "--folder", str(folder))
    assert code == 0, said
    assert "another house" in said


def test_a_revocation_speaks_plainly_of_one_certificate_and_of_a_service_that_is_not_there(folder: Path) -> None:
    assert run("init", "--folder", str(folder))[0] == 0
    assert run("robot", "porter_1", "--folder", str(folder))[0] == 0
    with socket.create_server(("127.0.0.1", 0)) as taken:  # so that nobody else has the port once it is closed
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    _, said = run("revoke", "porter_1", "--folder", str(folder), "--service-url", url)
    assert "Taken back: 1 certificate of " in said
    assert "(nothing answers there)" in said
    assert "Errno" not in said
