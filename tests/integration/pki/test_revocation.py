"""What a real Mosquitto makes of the generated files, and of what is taken back while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.adapters.pki.reload import end_connection, reload_broker
from orchestrator.cli import app
from orchestrator.domain.errors import WardporterError
from tests.support.authorities import fleet_robots, robot_identity
from tests.support.brokers import wait_until
from tests.support.secured_broker import Party, SecuredBroker, this_account

pytestmark = pytest.mark.broker

R1_STATE, R1_ORDER = "uagv/v2/ward/R1/state", "uagv/v2/ward/R1/order"


@pytest.fixture
def broker(tmp_path: Path, free_port: int) -> Iterator[SecuredBroker]:
    running = SecuredBroker(tmp_path / "pki", free_port, fleet_robots())
    running.start()
    yield running
    running.stop()


def payloads(party: Party) -> list[bytes]:
    return [payload for _, payload, _ in party.heard]


def test_a_robot_is_heard_by_the_service_and_hears_it(broker: SecuredBroker) -> None:
    service = Party(broker, broker.service_files).wait_connected().listen(R1_STATE)
    robot = Party(broker, broker.robot_files("r1")).wait_connected().listen(R1_ORDER)

    robot.say(R1_STATE, b"state")
    service.say(R1_ORDER, b"order")

    wait_until(lambda: payloads(service) == [b"state"] and payloads(robot) == [b"order"], "both hear the other")
    robot.close()
    service.close()


def test_a_revoked_robot_is_thrown_out_cannot_return_and_leaves_no_will(broker: SecuredBroker) -> None:
    will = ("uagv/v2/ward/R1/connection", b"will", 1, True)
    service = Party(broker, broker.service_files).wait_connected().listen("#")
    robot = Party(broker, broker.robot_files("r1"), will=will).wait_connected()
    other = Party(broker, broker.robot_files("r2")).wait_connected()

    broker.authority.revoke(robot_identity("r1"))
    broker.write_files()
    assert reload_broker(broker.authority).has_reloaded
    assert end_connection(broker.authority, robot_identity("r1"), host=broker.host, port=broker.port).has_reloaded

    wait_until(lambda: robot.is_ended, "the revoked robot's connection ends")
    Party(broker, broker.robot_files("r1")).wait_refused()
    assert other.is_connected
    assert service.is_connected
    other.say("uagv/v2/ward/R2/state", b"still there")
    wait_until(lambda: payloads(service) == [b"still there"], "the other robot is heard, and no will before it")
    for party in (service, other):
        party.close()


def test_a_connection_that_stands_is_mute_and_deaf_from_the_moment_the_broker_has_read_its_files(
    broker: SecuredBroker,
) -> None:
    service = Party(broker, broker.service_files).wait_connected().listen(R1_STATE)
    robot = Party(broker, broker.robot_files("r1")).wait_connected().listen(R1_ORDER)
    broker.authority.revoke(robot_identity("r1"))
    broker.write_files()
    reload_broker(broker.authority)
    wait_until(lambda: "Reloading config" in broker.log_text() or _is_mute(robot, service), "the broker has read")

    heard_before = len(service.heard)
    robot.say(R1_STATE, b"after").wait_for_publish(5.0)
    service.say(R1_ORDER, b"after").wait_for_publish(5.0)

    # What comes behind it on the same connections has been through the broker after it.
    service.listen(R1_STATE)
    robot.listen(R1_ORDER)
    assert len(service.heard) == heard_before
    assert b"after" not in payloads(robot)
    robot.close()
    service.close()


def _is_mute(robot: Party, service: Party) -> bool:
    """Whether the robot's probe no longer reaches the service."""
    before = len(service.heard)
    robot.say(R1_STATE, b"probe").wait_for_publish(5.0)
    service.listen(R1_STATE)
    return len(service.heard) == before


def test_nobody_takes_over_another_s_connection_by_its_client_id(broker: SecuredBroker) -> None:
    service = Party(broker, broker.service_files, client_id="service:wardporter").wait_connected()
    robot = Party(broker, broker.robot_files("r1"), client_id="robot:r1").wait_connected()

    thieves = [
        Party(broker, broker.robot_files("r2"), client_id=wanted).wait_connected()
        for wanted in ("service:wardporter", "robot:r1")
    ]

    wait_until(lambda: thieves[0].is_ended, "the second thief ends only the first: both are robot r2")
    assert service.is_connected
    assert robot.is_connected
    for party in (service, robot, thieves[1]):
        party.close()


def test_the_commands_do_it_all_and_refuse_with_a_sentence(tmp_path: Path, free_port: int) -> None:
    folder, run = tmp_path / "pki", CliRunner()

    def wardporter(*arguments: str) -> tuple[int, str]:
        done = run.invoke(app, ["pki", *arguments, "--folder", str(folder)])
        assert done.exception is None or isinstance(done.exception, SystemExit | WardporterError), done.exception
        return done.exit_code, done.output

    made = (
        "init",
        "--host",
        "127.0.0.1",
        "--listen",
        "127.0.0.1",
        "--port",
        str(free_port),
        "--run-as",
        this_account(),
    )
    assert wardporter("list")[0] == 2
    assert wardporter(*made)[0] == 0
    assert wardporter(*made)[0] == 2
    assert wardporter("robot", "porter_1")[0] == 0
    assert wardporter("robot", "porter_1")[0] == 2
    code, text = wardporter("robot", "nobody")
    assert (code, "porter_1, porter_2, porter_3" in text) == (2, True)
    assert wardporter("device", "window", "w1")[0] == 2
    assert wardporter("mosquitto", "--check")[0] == 0
    code, text = wardporter("revoke", "porter_1")
    assert (code, "No Mosquitto runs" in text) == (1, True)
    assert "taken back" in wardporter("list")[1]
    assert wardporter("robot", "porter_1")[0] == 0
