"""``wardporter pki`` as whoever sets up a house types it."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from typer.testing import CliRunner

from orchestrator.adapters.pki import authority, deployment, files
from orchestrator.cli import app
from orchestrator.settings import Settings


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


def users(folder: Path) -> list[str]:
    """Whom the access list lets speak."""
    lines = (folder / "broker" / "acl").read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("user ") for line in lines if line.startswith("user ")]


@pytest.fixture
def fleet_file(tmp_path: Path) -> Path:
    """A fleet of the demo hospital whose robots have names of their own."""
    path = tmp_path / "fleet.yaml"
    demo = Settings().fleet.read_text(encoding="utf-8")
    path.write_text(demo.replace("fleet: demo", "fleet: ward").replace("porter_", "ward_"), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "words",
    [("device", "door", "corridor_door"), ("observer", "desk"), ("revoke", "ward_2"), ("mosquitto",), ("service",)],
    ids=" ".join,
)
def test_a_command_that_names_no_fleet_goes_on_with_the_one_named_last(
    folder: Path, fleet_file: Path, words: tuple[str, ...]
) -> None:
    assert run("init", "--folder", str(folder), "--fleet", str(fleet_file))[0] == 0
    for robot in ("ward_1", "ward_2"):
        assert run("robot", robot, "--folder", str(folder))[0] == 0
    code, said = run(*words, "--folder", str(folder))
    assert code in (0, 1), said
    assert "robot:ward_1" in users(folder)


def test_robots_that_another_fleet_shuts_out_are_named(folder: Path, fleet_file: Path) -> None:
    assert run("init", "--folder", str(folder))[0] == 0
    assert run("robot", "porter_1", "--folder", str(folder))[0] == 0
    code, said = run("mosquitto", "--folder", str(folder), "--fleet", str(fleet_file))
    assert code == 0, said
    assert "robot:porter_1 has a certificate and may say and hear nothing: fleet ward does not have it." in said


def test_the_site_of_a_house_stays_when_none_is_named(folder: Path) -> None:
    assert run("init", "--folder", str(folder))[0] == 0
    plan = folder / "authority" / "broker.json"
    plan.write_text(plan.read_text(encoding="utf-8").replace("demo_hospital", "other_house"), encoding="utf-8")
    assert run("mosquitto", "--folder", str(folder))[0] == 0
    assert "other_house" in plan.read_text(encoding="utf-8")


@pytest.mark.parametrize("host", ["häuser.example", "", "a b", "mqtts://x:1", "*.ward.example", "10.0.0.300", "-x.de"])
def test_what_is_no_host_is_refused_before_anything_is_made(folder: Path, host: str) -> None:
    code, said = run("init", "--folder", str(folder), "--host", host)
    assert code == 2, said
    assert "Refused (pki_identity)" in said
    assert "broker.ward.example" in said
    assert not folder.exists()


@pytest.mark.parametrize("written", [2, 3, 5, 8, 13, 15])
def test_an_interrupted_init_is_run_again(folder: Path, monkeypatch: pytest.MonkeyPatch, written: int) -> None:
    left = iter(range(written))

    def write(path: Path, content: bytes, **how: int) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        files.write_whole(path, content, **how)

    with monkeypatch.context() as interrupted:
        for module in (authority, deployment):
            interrupted.setattr(module, "write_whole", write)
        assert run("init", "--folder", str(folder))[0] != 0
    code, said = run("robot", "porter_1", "--folder", str(folder))
    assert code == 2
    assert "wardporter pki init" in said

    code, said = run("init", "--folder", str(folder))

    assert code == 0, said
    assert run("robot", "porter_1", "--folder", str(folder))[0] == 0
    for name, keys in (("broker", "server"), ("service", "client")):
        certificate = x509.load_pem_x509_certificate((folder / name / f"{keys}.crt").read_bytes())
        key = serialization.load_pem_private_key((folder / name / f"{keys}.key").read_bytes(), password=None)
        assert certificate.public_key() == key.public_key()


def test_an_account_that_is_not_there_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("os.chown", lambda *_: None)
    assert run("init", "--folder", str(folder), "--run-as", "root")[0] == 0
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for words in (("mosquitto",), ("init",)):
        code, said = run(*words, "--folder", str(folder), "--run-as", "nobody-of-that-name")
        assert code == 2, said
        assert "There is no account 'nobody-of-that-name'" in said
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
