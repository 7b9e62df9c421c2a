"""The broker's files: the access list names each party's own topics and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from orchestrator.adapters.pki.authority import Authority
from orchestrator.adapters.pki.deployment import BrokerPlan, keep_plan, read_plan, stale_files, write_broker_files
from orchestrator.adapters.pki.identity import SERVICE, Identity, IdentityKind
from tests.support.authorities import an_authority, fleet_robots, robot_identity

PLAN = BrokerPlan(hosts=("broker.example",), site="ward-1", listen="127.0.0.1", port=18883)


def access_list(authority: Authority) -> dict[str, list[str]]:
    """The lines of each user."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in (authority.broker_folder / "acl").read_text().splitlines():
        if line.startswith("user "):
            lines = found.setdefault(line.removeprefix("user "), [])
        elif line.startswith("topic "):
            lines.append(line.removeprefix("topic "))
    return found


def test_a_robot_may_say_its_own_and_hear_its_own_and_nothing_else(tmp_path: Path) -> None:
    authority = an_authority(tmp_path)
    for robot in ("r1", "r2"):
        authority.issue(robot_identity(robot))

    write_broker_files(authority, PLAN, fleet_robots())

    assert sorted(access_list(authority)["robot:r1"]) == [
        "read uagv/v2/ward/R1/instantActions",
        "read uagv/v2/ward/R1/order",
        "write uagv/v2/ward/R1/connection",
        "write uagv/v2/ward/R1/factsheet",
        "write uagv/v2/ward/R1/state",
        "write uagv/v2/ward/R1/visualization",
    ]


def test_whoever_has_no_certificate_that_counts_is_not_in_the_list(tmp_path: Path) -> None:
    authority = an_authority(tmp_path)
    authority.issue(robot_identity("r1"))
    authority.issue(robot_identity("r2"))
    authority.revoke(robot_identity("r1"))
    authority.issue(robot_identity("not-in-the-fleet"))

    write_broker_files(authority, PLAN, fleet_robots(["r1", "r2", "r3"]))

    assert list(access_list(authority)) == ["robot:r2"]


def test_a_device_speaks_for_itself_and_an_observer_for_nobody(tmp_path: Path) -> None:
    authority = an_authority(tmp_path)
    authority.issue(Identity(IdentityKind.DEVICE, "door.d.1"))
    authority.issue(Identity(IdentityKind.OBSERVER, "desk"))
    authority.issue(SERVICE)

    write_broker_files(authority, PLAN, fleet_robots(["r1"]))

    lists = access_list(authority)
    assert lists["device:door.d.1"] == [
        "write wardporter/v1/ward-1/door/d.1/state",
        "read wardporter/v1/ward-1/door/d.1/request",
    ]
    assert all(line.startswith("read ") for line in lists["observer:desk"])
    assert "readwrite uagv/v2/ward/R1/order" in lists["service:wardporter"]
    assert "read uagv/v2/ward/R1/state" in lists["service:wardporter"]


def test_a_changed_fleet_is_seen_and_written(tmp_path: Path) -> None:
    authority = an_authority(tmp_path)
    authority.issue(robot_identity("r1"))
    write_broker_files(authority, PLAN, fleet_robots())
    assert stale_files(authority, PLAN, fleet_robots()) == []
    renamed = [replace(robot, serial_number="R9") for robot in fleet_robots()]

    stale = stale_files(authority, PLAN, renamed)
    changed = write_broker_files(authority, PLAN, renamed)

    assert [path.name for path in stale] == [path.name for path in changed] == ["acl"]
    assert stale_files(authority, PLAN, renamed) == []


def test_a_kept_plan_is_read_back_and_paths_are_those_of_the_broker_s_machine(tmp_path: Path) -> None:
    authority = an_authority(tmp_path)
    plan = replace(PLAN, folder="/etc/mosquitto/wardporter", user="mosquitto")
    keep_plan(authority, plan)

    assert read_plan(authority) == plan
    write_broker_files(authority, replace(plan, user=None), [])
    text = (authority.broker_folder / "mosquitto.conf").read_text()
    assert "crlfile /etc/mosquitto/wardporter/crl.pem\n" in text
    assert str(tmp_path) not in text
