"""What the edge refuses before or around a use case: each a problem with a code of its own, none a 500."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.access.acts import Act
from orchestrator.http.acting import may
from orchestrator.http.app import build_app
from orchestrator.http.desk import PartReadiness
from orchestrator.http.gate import BODY_BYTES_MAX
from simulation.memory_store import MemoryStore
from tests.support.desk import StoreDoor, a_desk

T = TypeVar("T")
WHERE = "/api/v1/deliveries"
BODY: dict[str, Any] = {
    "from_station": "pharmacy-hatch-1",
    "to_station": "ward-a-handover",
    "lines": [{"medicine": "Paracetamol", "quantity": 1, "unit": "tablet"}],
}
HEADERS = {"Idempotency-Key": "k", "Wardporter-Principal": "nurse-1", "Content-Type": "application/json"}


def opened(door: StoreDoor) -> TestClient:
    return TestClient(build_app(a_desk(door)), base_url="http://localhost:8000", raise_server_exceptions=False)


@pytest.fixture
def client() -> Iterator[TestClient]:
    with opened(StoreDoor(MemoryStore())) as client:
        yield client


def refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    problem: dict[str, Any] = answer.json()
    assert (problem["code"], problem["status"]) == (code, status)
    assert len(problem["detail"]) > 20
    return problem


def without(header: str) -> dict[str, str]:
    return {name: value for name, value in HEADERS.items() if name != header}


def raw(headers: dict[str, str], name: str, value: bytes) -> list[tuple[bytes, bytes]]:
    """The headers with one set to bytes that need not be ASCII."""
    sent = [(other.encode(), text.encode()) for other, text in headers.items() if other != name]
    return [*sent, (name.encode(), value)]


def test_post_without_principal_is_told_which_header_is_missing(client: TestClient) -> None:
    answer = client.post(WHERE, json=BODY, headers=without("Wardporter-Principal"))
    assert "Wardporter-Principal" in refused(answer, 401, "principal_missing")["detail"]
    assert answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("principal", ["", "a b", "x" * 65, "nurse/1", "é"])
def test_principal_that_is_no_id_is_refused(client: TestClient, principal: str) -> None:
    refused(
        client.post(WHERE, json=BODY, headers=raw(HEADERS, "Wardporter-Principal", principal.encode("latin-1"))),
        401,
        "principal_invalid",
    )


@pytest.mark.parametrize("act", ["", "/x/load", "/x/receipt", "/x/cancel"])
def test_post_without_idempotency_key_is_refused(client: TestClient, act: str) -> None:
    body = {"": BODY, "/x/cancel": {"reason": "x"}}.get(
        act, {"seal_number": "S", "counts": [{"line": "l", "quantity": 1}]}
    )
    refused(client.post(WHERE + act, json=body, headers=without("Idempotency-Key")), 400, "idempotency_key_missing")


@pytest.mark.parametrize("key", [b"", b"x" * 129, b"\xe9", b"a\tb"])
def test_unusable_idempotency_key_is_refused(client: TestClient, key: bytes) -> None:
    answer = client.post(WHERE, json=BODY, headers=raw(HEADERS, "Idempotency-Key", key))
    refused(answer, 400, "idempotency_key_invalid")


BAD_BODIES = [b"", b"{", b"[" * 100_000, b'{"a": ' + b"9" * 10_000 + b"}", b"\xff\xfe", b"null x"]


@pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_body_that_is_no_json_is_refused(client: TestClient, body: bytes) -> None:
    answer = client.post(WHERE, content=body, headers=HEADERS)
    assert answer.status_code in (400, 422)
    refused(answer, answer.status_code, "body_unreadable" if answer.status_code == 400 else "request_invalid")


@pytest.mark.parametrize("body", [b"null", b"[]", b"3", b'"x"', b"NaN", b'{"from_station": "\\ud800"}'])
def test_json_that_is_no_such_object_is_refused(client: TestClient, body: bytes) -> None:
    refused(client.post(WHERE, content=body, headers=HEADERS), 422, "request_invalid")


@pytest.mark.parametrize("twice", [("from_station", '"ward-a-handover"'), ("lines", "[]"), ("zz", "1")])
def test_body_that_says_a_key_twice_is_refused_and_nothing_is_kept(client: TestClient, twice: tuple[str, str]) -> None:
    more = f'"{twice[0]}": {twice[1]}, '
    once = json.dumps(BODY)[1:]
    body = "{" + (more if twice[0] in BODY else more * 2) + once
    refused(client.post(WHERE, content=body, headers=HEADERS), 422, "key_twice")
    deep = json.dumps(BODY).replace('"quantity": 1', '"quantity": 1, "quantity": 2')
    refused(client.post(WHERE, content=deep, headers=HEADERS), 422, "key_twice")
    assert client.get(WHERE, headers=HEADERS).json()["deliveries"] == []


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_moment_that_has_no_year_in_utc_is_refused(client: TestClient, moment: str) -> None:
    refused(client.post(WHERE, json={**BODY, "due_by": moment}, headers=HEADERS), 422, "request_invalid")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"])
def test_other_content_types_are_refused(client: TestClient, kind: str) -> None:
    answer = client.post(WHERE, content=b"{}", headers={**HEADERS, "Content-Type": kind})
    refused(answer, 415, "content_type_refused")


def test_content_type_may_name_its_charset(client: TestClient) -> None:
    sent = {**HEADERS, "Content-Type": "Application/JSON; charset=utf-8"}
    assert client.post(WHERE, json=BODY, headers=sent).status_code == 201


def test_body_with_too_large_a_length_is_refused(client: TestClient) -> None:
    refused(client.post(WHERE, content=b" " * (BODY_BYTES_MAX + 1), headers=HEADERS), 413, "body_too_large")


def test_body_that_goes_on_for_too_long_is_refused(client: TestClient) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(BODY_BYTES_MAX // 1024 + 2):
            yield b" " * 1024

    refused(client.post(WHERE, content=chunks(), headers=HEADERS), 413, "body_too_large")


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.2", "", "[::1", "evil:80"])
def test_foreign_host_is_refused(client: TestClient, host: str) -> None:
    refused(client.get("/healthz", headers={"Host": host}), 421, "host_refused")


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]:8000", "LOCALHOST"])
def test_loopback_hosts_are_served(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).json() == {"is_alive": True}


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:8001", "http://localhost"])
def test_post_from_a_foreign_page_is_refused(client: TestClient, origin: str) -> None:
    refused(client.post(WHERE, json=BODY, headers={**HEADERS, "Origin": origin}), 403, "origin_refused")


def test_post_from_our_own_page_is_served(client: TestClient) -> None:
    sent = {**HEADERS, "Origin": "http://localhost:8000"}
    assert client.post(WHERE, json=BODY, headers=sent).status_code == 201


@pytest.mark.parametrize("path", ["/", "/api/v1", "/api/v1/deliveries/", "/api/v1/nothing", "/docs"])
def test_unknown_address_is_a_problem(client: TestClient, path: str) -> None:
    refused(client.get(path), 404, "address_unknown")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_wrong_method_is_a_problem_that_says_which_is_right(client: TestClient, method: str) -> None:
    answer = client.request(method, WHERE, headers=HEADERS)
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, POST"


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "state=lost", "after=", "colour=red", "limit=1&limit=2&x="]
)
def test_query_that_does_not_fit_is_refused(client: TestClient, query: str) -> None:
    refused(client.get(f"{WHERE}?{query}"), 422, "request_invalid")


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=99999999999999999999", "before=1"])
def test_event_query_that_does_not_fit_is_refused(client: TestClient, query: str) -> None:
    refused(client.get(f"/api/v1/events?{query}"), 422, "request_invalid")


@pytest.mark.parametrize("number", ["x", "-1", "1.5", "9" * 20, "²"])
def test_last_event_id_that_is_no_number_is_refused(client: TestClient, number: str) -> None:
    answer = client.get("/api/v1/events", headers=raw({}, "Last-Event-ID", number.encode("latin-1")))
    refused(answer, 422, "last_event_id")


class BrokenDoor(StoreDoor):
    async def run(self, command: Callable[[UnitOfWork], T]) -> T:
        del command
        raise RuntimeError("planned")


def test_fault_of_ours_is_a_problem_that_tells_nothing_of_the_inside() -> None:
    with opened(BrokenDoor(MemoryStore())) as client, capture_logs() as logged:
        problem = refused(client.post(WHERE, json=BODY, headers=HEADERS), 500, "internal")
    assert "planned" not in str(problem)
    assert [(line["event"], line["path"]) for line in logged] == [("request_failed", WHERE)]


def test_readiness_names_the_part_that_does_not_work() -> None:
    broken = PartReadiness("broker", is_ready=False, sentence="No broker answers; start one.")
    with opened(StoreDoor(MemoryStore(), parts=(PartReadiness("store", is_ready=True), broken))) as client:
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "is_ready": False,
        "parts": [
            {"name": "store", "is_ready": True, "sentence": ""},
            {"name": "broker", "is_ready": False, "sentence": "No broker answers; start one."},
        ],
    }


def test_readiness_is_200_when_everything_works(client: TestClient) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["is_ready"]) == (200, True)


def test_the_factsheet_of_a_robot_that_sent_none_is_null_and_that_of_no_robot_is_not_found(client: TestClient) -> None:
    silent = client.get("/api/v1/robots/robot-2/factsheet")
    assert (silent.status_code, silent.json()) == (200, {"robot": "robot-2", "factsheet": None, "findings": []})
    nobody = client.get("/api/v1/robots/nobody/factsheet")
    assert (nobody.status_code, nobody.json()["code"]) == (404, "robot_unknown")


def test_robots_doors_and_lifts_are_shown(client: TestClient) -> None:
    shown = client.get("/api/v1/robots").json()
    heard, silent = shown["robots"]
    assert heard["pose"] == {"level": "L1", "x_m": 1.0, "y_m": 2.0, "theta_rad": 0.5}
    assert (heard["battery"], heard["is_lost"]) == (0.8, False)
    assert (silent["pose"], silent["is_lost"], silent["findings"], silent["complaints"]) == (None, True, [], [])
    assert [(door["id"], door["position"]) for door in shown["doors"]] == [("door-1", "closed")]
    assert [(lift["id"], lift["level"], lift["doors"]) for lift in shown["lifts"]] == [("lift-1", "L1", "open")]


def test_site_shows_the_served_graph_and_which_stations_it_reaches(client: TestClient) -> None:
    shown = client.get("/api/v1/site").json()
    assert [lane["id"] for lane in shown["graphs"][0]["lanes"]] == ["lane-1"]
    assert {station["id"]: station["is_served"] for station in shown["stations"]}["attic"] is False
    assert shown["walls"] == [{"level": "L1", "start": [0.0, -1.0], "end": [9.0, -1.0]}]


def test_further_routers_are_served_but_not_part_of_the_interface() -> None:
    extra = APIRouter()

    @extra.get("/", dependencies=[may(Act.WATCH)])
    async def page() -> str:
        return "a page"

    app = build_app(a_desk(), extra_routers=[extra])
    with TestClient(app, base_url="http://localhost") as client:
        assert client.get("/").json() == "a page"
        assert "/" not in client.get("/api/v1/openapi.json").json()["paths"]
