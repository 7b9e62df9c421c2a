"""Lanes that people close through the API: who and why, what it cuts off, retries, and how they open again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.site.model import LaneId, WaypointId
from orchestrator.http.app import build_app
from simulation.memory_store import MemoryStore
from tests.integration.http.test_refusals import refused
from tests.support.deliveries import NOON
from tests.support.desk import StoreDoor, a_desk
from tests.support.wards import a_fleet, demo_hospital

Json = dict[str, Any]
FLEET = a_fleet(demo_hospital())
WAY_TO_ONE_BED = LaneId("alder_2~alder_bed_1")
BACK_FROM_IT = LaneId("alder_bed_1~alder_2")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def client(store: MemoryStore) -> Iterator[TestClient]:
    desk = replace(a_desk(StoreDoor(store)), fleet=FLEET, site=FLEET.site)
    with TestClient(build_app(desk), base_url="http://localhost", raise_server_exceptions=False) as opened:
        yield opened


def ask(client: TestClient, act: str, lane: str, *, key: str = "k-1", **body: object) -> Any:
    headers = {"Idempotency-Key": key, "Wardporter-Principal": "porter-1"}
    said = {"reason": "wet floor", **body}
    return client.post(f"/api/v1/lanes/{lane}/{act}", json=said, headers=headers)


def done(answer: Any) -> Json:
    assert answer.status_code == 200, answer.text
    return answer.json()


def closed(client: TestClient) -> list[str]:
    return [closure["lane"] for closure in done(client.get("/api/v1/lanes/closed"))["closures"]]


def test_a_closure_that_cuts_off_a_station_is_refused_and_names_it(client: TestClient) -> None:
    problem = refused(ask(client, "close", WAY_TO_ONE_BED), 409, "closure_cuts_off")

    assert "ward_alder_bed_1" in problem["detail"]
    assert problem["context"]["cuts_off"]
    assert closed(client) == []


def test_a_lane_is_closed_in_both_directions_although_it_cuts_somebody_off_when_that_is_meant(
    client: TestClient,
) -> None:
    answer = done(ask(client, "close", WAY_TO_ONE_BED, even_if_cut_off=True))

    assert answer["lanes"] == sorted([WAY_TO_ONE_BED, BACK_FROM_IT])
    assert [one["code"] for one in answer["cuts_off"]] == ["closure_cuts_off_station"]
    assert {(one["by"], one["reason"], one["until"]) for one in answer["closures"]} == {("porter-1", "wet floor", None)}
    assert closed(client) == sorted([WAY_TO_ONE_BED, BACK_FROM_IT])


def test_one_direction_alone_is_closed_when_that_is_asked_for(client: TestClient) -> None:
    answer = done(ask(client, "close", WAY_TO_ONE_BED, both_directions=False, even_if_cut_off=True))

    assert answer["lanes"] == closed(client) == [WAY_TO_ONE_BED]


def test_a_closure_that_strands_a_robot_is_refused_and_names_it(client: TestClient, store: MemoryStore) -> None:
    with store.transaction() as uow:
        uow.robots.save(RobotRecord(RobotId("robot-1"), tip=WaypointId("alder_bed_1"), held=frozenset({"x"})))

    problem = refused(ask(client, "close", BACK_FROM_IT, both_directions=False), 409, "closure_cuts_off")

    assert any("robot-1" in sentence for sentence in problem["context"]["cuts_off"])


def test_a_closed_lane_is_opened_again_and_both_are_in_the_event_stream(client: TestClient, store: MemoryStore) -> None:
    ask(client, "close", WAY_TO_ONE_BED, even_if_cut_off=True)

    assert done(ask(client, "open", WAY_TO_ONE_BED, key="k-2"))["closures"] == []

    assert closed(client) == []
    with store.reading() as uow:
        told = [(event.kind, event.subject) for event in uow.events.after(0, 100)]
    assert told.count(("lane_closed", WAY_TO_ONE_BED)) == told.count(("lane_opened", WAY_TO_ONE_BED)) == 1


def test_a_retry_is_answered_as_the_first_time_and_a_second_closure_changes_nothing(
    client: TestClient, store: MemoryStore
) -> None:
    first = ask(client, "close", WAY_TO_ONE_BED, even_if_cut_off=True)
    done(first)

    assert ask(client, "close", WAY_TO_ONE_BED, even_if_cut_off=True).content == first.content
    again = done(ask(client, "close", WAY_TO_ONE_BED, key="k-2", reason="still wet"))
    assert again == first.json()
    with store.reading() as uow:
        assert [event.kind for event in uow.events.after(0, 100)] == ["lane_closed"] * 2


def test_opening_a_lane_that_is_open_changes_nothing(client: TestClient, store: MemoryStore) -> None:
    assert done(ask(client, "open", WAY_TO_ONE_BED))["closures"] == []

    with store.reading() as uow:
        assert uow.events.last_number() == 0


def test_a_lane_may_be_closed_for_a_time(client: TestClient) -> None:
    until = (NOON + timedelta(hours=1)).isoformat().replace("+00:00", "Z")

    answer = done(ask(client, "close", WAY_TO_ONE_BED, even_if_cut_off=True, until=until))

    assert {one["until"] for one in answer["closures"]} == {until}


def at_clock(hours: int) -> str:
    return (NOON + timedelta(hours=hours)).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(("first", "second", "stands"), [(1, None, None), (1, 2, 2), (2, 1, 2), (None, 1, None)])
def test_a_lane_that_two_people_close_stays_closed_for_the_longer_time(
    client: TestClient, store: MemoryStore, first: int | None, second: int | None, stands: int | None
) -> None:
    for key, hours in (("k-1", first), ("k-2", second)):
        until = {} if hours is None else {"until": at_clock(hours)}
        answer = done(ask(client, "close", WAY_TO_ONE_BED, key=key, even_if_cut_off=True, reason=key, **until))

    assert {one["until"] for one in answer["closures"]} == {None if stands is None else at_clock(stands)}
    assert {one["reason"] for one in answer["closures"]} == {"k-2" if stands == second else "k-1"}
    assert answer["closures"] == done(client.get("/api/v1/lanes/closed"))["closures"]
    with store.reading() as uow:
        assert {event.kind for event in uow.events.after(0, 100)} == {"lane_closed"}


@pytest.mark.parametrize("act", ["close", "open"])
def test_what_cannot_be_is_refused(client: TestClient, act: str) -> None:
    refused(ask(client, act, "nowhere"), 404, "lane_unknown")
    refused(ask(client, act, WAY_TO_ONE_BED, reason=" "), 422, "invalid_input")
    refused(ask(client, act, WAY_TO_ONE_BED, both_directions="yes"), 422, "request_invalid")


@pytest.mark.parametrize("until", ["2026-01-31T11:00:00Z", "2026-01-31T12:00:00Z"])
def test_a_lane_is_not_closed_until_a_moment_that_is_past(client: TestClient, until: str) -> None:
    refused(ask(client, "close", WAY_TO_ONE_BED, until=until), 422, "invalid_input")


def test_the_same_key_for_another_closure_is_refused(client: TestClient) -> None:
    done(ask(client, "close", WAY_TO_ONE_BED, even_if_cut_off=True))

    refused(ask(client, "close", WAY_TO_ONE_BED, even_if_cut_off=True, reason="ice"), 409, "idempotency_key_reused")
    refused(ask(client, "open", WAY_TO_ONE_BED), 409, "idempotency_key_reused")
