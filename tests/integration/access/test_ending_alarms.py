"""Who lets robots go on after an alarm: those whom the policy file names, by id or by role, and nobody else."""

from __future__ import annotations

import pytest

from orchestrator.application.fleet import FleetPolicy
from orchestrator.domain.emergency.alarm import AlarmKind
from tests.support.house_of_staff import House, a_house

REASON = {"reason": "All was checked"}


def end_as(house: House, person: str) -> tuple[int, str]:
    raised = house.post("/alarms", {"kind": "fire", **REASON}, token=house.token("nurse-a1"))
    path = f"/alarms/{raised.json()['id']}"
    assert house.post(f"{path}/clear", REASON, token=house.token("porter-1")).status_code == 200
    ended = house.post(f"{path}/resume", REASON, token=house.token(person))
    return ended.status_code, ended.json().get("code") or ended.json()["ended_by"]


@pytest.mark.parametrize(
    ("named", "person"),
    [
        ("engineer-1", "engineer-1"),
        ("porter-1", "porter-1"),
        ("engineer", "engineer-1"),
        ("site-manager", "site-manager-1"),
        ("site_manager", "site-manager-1"),
        ("in-charge-a", "in-charge-a"),
    ],
)
def test_whoever_the_policy_names_by_id_or_by_role_ends_an_alarm(named: str, person: str) -> None:
    with a_house(policy=FleetPolicy(may_end_alarms={AlarmKind.FIRE: (named,)})) as house:
        assert end_as(house, person) == (200, person)


@pytest.mark.parametrize("person", ["engineer-1", "site-manager-1", "in-charge-b"])
def test_nobody_else_ends_one(person: str) -> None:
    with a_house(policy=FleetPolicy(may_end_alarms={AlarmKind.FIRE: ("in-charge-a", "porter")})) as house:
        assert end_as(house, person) == (403, "not_authorised")
