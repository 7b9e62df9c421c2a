"""Alarms over HTTP: raised, cleared and ended, each once, and ended by those only whom the place names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from orchestrator.application.fleet import FleetPolicy
from orchestrator.domain.emergency.alarm import AlarmKind
from orchestrator.http.app import build_app
from simulation.memory_store import MemoryStore
from tests.support.desk import StoreDoor, a_desk
from tests.support.wards import demo_hospital

Json = dict[str, Any]
FIRE: Json = {"kind": "fire", "zones": ["alder"], "reason": "Smoke in bay two"}
REASON: Json = {"reason": "All was checked"}


@pytest.fixture
def client() -> Iterator[TestClient]:
    desk = a_desk(StoreDoor(MemoryStore()))
    policy = FleetPolicy(may_end_alarms={AlarmKind.FIRE: ("fire-officer",)})
    app = build_app(replace(desk, site=demo_hospital(), fleet=replace(desk.fleet, policy=policy)))
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as opened:
        yield opened


def post(client: TestClient, path: str, body: Json, *, key: str, by: str = "porter") -> Any:
    return client.post(path, json=body, headers={"Idempotency-Key": key, "Wardporter-Principal": by})


def sound(client: TestClient, body: Json = FIRE, *, key: str = "k-1") -> Json:
    answer = post(client, "/api/v1/alarms", body, key=key)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_alarm_is_answered_with_its_address_and_listed(client: TestClient) -> None:
    answer = post(client, "/api/v1/alarms", FIRE, key="k-1")

    alarm = answer.json()
    assert (alarm["state"], alarm["raised_by"], alarm["zones"]) == ("sounding", "porter", ["alder"])
    assert client.get(answer.headers["Location"]).json() == alarm
    assert client.get("/api/v1/alarms").json()["alarms"] == [alarm]


def test_alarm_is_cleared_by_anyone_and_ended_by_the_person_whom_the_place_names(client: TestClient) -> None:
    alarm = sound(client)
    path = f"/api/v1/alarms/{alarm['id']}"

    early = post(client, f"{path}/resume", REASON, key="k-2", by="fire-officer")
    assert (early.status_code, early.json()["code"]) == (409, "alarm_state")
    assert post(client, f"{path}/clear", REASON, key="k-3").json()["state"] == "cleared"
    other = post(client, f"{path}/resume", REASON, key="k-4")
    assert (other.status_code, other.json()["code"]) == (403, "not_authorised")
    ended = post(client, f"{path}/resume", REASON, key="k-5", by="fire-officer")
    assert ended.status_code == 200
    assert (ended.json()["state"], ended.json()["ended_by"]) == ("ended", "fire-officer")


def test_retry_raises_no_second_alarm(client: TestClient) -> None:
    assert sound(client) == sound(client)
    assert sound(client, key="k-2")["id"] == sound(client)["id"], "the same word again is the same alarm"
    assert len(client.get("/api/v1/alarms").json()["alarms"]) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**FIRE, "zones": ["nowhere"]}, "zones"),
        ({**FIRE, "kind": "crash_call"}, "zones"),
        ({**FIRE, "kind": "flood"}, "kind"),
        ({**FIRE, "reason": ""}, "reason"),
        ({**FIRE, "by": "somebody"}, "by"),
    ],
)
def test_alarm_that_cannot_be_is_refused_by_field_and_none_is_kept(client: TestClient, body: Json, field: str) -> None:
    answer = post(client, "/api/v1/alarms", body, key="k-1")

    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert client.get("/api/v1/alarms").json()["alarms"] == []


def test_alarm_that_nobody_raised_is_not_found(client: TestClient) -> None:
    assert client.get("/api/v1/alarms/alarm-9").status_code == 404
    assert post(client, "/api/v1/alarms/alarm-9/clear", REASON, key="k-1").status_code == 404
