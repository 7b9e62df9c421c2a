from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from orchestrator.domain.delivery.arrival import Arrival
from orchestrator.domain.delivery.model import DeliveryId, DeliveryState
from orchestrator.http.app import build_app
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON, bring_to, stand_at_take_back
from tests.support.desk import SteadyClock, StoreDoor, a_desk

Json = dict[str, Any]
LINE: Json = {"medicine": "Paracetamol 500 mg tablets", "quantity": 32, "unit": "tablet"}
ASKED: Json = {"from_station": "pharmacy-hatch-1", "to_station": "ward-a-handover", "lines": [LINE]}


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def clock() -> SteadyClock:
    return SteadyClock()


@pytest.fixture
def client(store: MemoryStore, clock: SteadyClock) -> Iterator[TestClient]:
    app = build_app(a_desk(StoreDoor(store), clock=clock))
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as opened:
        yield opened


def headers(key: str = "key-1", by: str = "pharmacist-1") -> dict[str, str]:
    return {"Idempotency-Key": key, "Wardporter-Principal": by}


def queue(client: TestClient, key: str = "key-1", **changes: object) -> Json:
    answer = client.post("/api/v1/deliveries", json={**ASKED, **changes}, headers=headers(key))
    assert answer.status_code == 201, answer.text
    return answer.json()


def handover(delivery: Json, *, seal: str = "S-1", off_by: int = 0) -> Json:
    counts = [{"line": line["id"], "quantity": line["quantity"] + off_by} for line in delivery["lines"]]
    return {"seal_number": seal, "counts": counts}


def brought(store: MemoryStore, delivery: Json, state: DeliveryState) -> None:
    bring_to(store, DeliveryId(delivery["id"]), state)


def test_queued_delivery_is_answered_with_its_address(client: TestClient) -> None:
    answer = client.post("/api/v1/deliveries", json=ASKED, headers=headers())
    assert answer.status_code == 201
    shown = client.get(answer.headers["Location"])
    assert shown.status_code == 200
    assert shown.json() == answer.json()
    assert shown.json()["state"] == "verified"
    assert [change["after"] for change in shown.json()["history"]] == ["queued", "verified"]


def test_retry_with_the_same_key_is_the_same_answer_and_one_delivery(client: TestClient, clock: SteadyClock) -> None:
    first = client.post("/api/v1/deliveries", json=ASKED, headers=headers())
    clock.move(seconds=86_400)
    # The same content written otherwise: another order of fields, a default spelled out.
    again = client.post("/api/v1/deliveries", json={"priority": "routine", **ASKED}, headers=headers())
    assert (again.status_code, again.content, again.headers["Location"]) == (
        first.status_code,
        first.content,
        first.headers["Location"],
    )
    assert len(client.get("/api/v1/deliveries").json()["deliveries"]) == 1


def test_key_reused_for_something_else_is_a_conflict(client: TestClient) -> None:
    queue(client)
    answer = client.post("/api/v1/deliveries", json={**ASKED, "priority": "stat"}, headers=headers())
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")


def test_key_reused_for_another_delivery_is_a_conflict(client: TestClient) -> None:
    first, second = queue(client, "a"), queue(client, "b")
    reason = {"reason": "Discharged"}
    assert client.post(f"/api/v1/deliveries/{first['id']}/cancel", json=reason, headers=headers("c")).status_code == 200
    answer = client.post(f"/api/v1/deliveries/{second['id']}/cancel", json=reason, headers=headers("c"))
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")


def test_refusal_is_not_kept_under_the_key(client: TestClient) -> None:
    wrong = client.post("/api/v1/deliveries", json={**ASKED, "to_station": "ward-z"}, headers=headers())
    assert wrong.status_code == 422
    assert queue(client)["to_station"] == "ward-a-handover"


def test_delivery_goes_from_load_to_receipt(client: TestClient, store: MemoryStore) -> None:
    delivery = queue(client)
    where = f"/api/v1/deliveries/{delivery['id']}"
    brought(store, delivery, DeliveryState.LOADING)
    loaded = client.post(f"{where}/load", json=handover(delivery), headers=headers("load"))
    assert (loaded.status_code, loaded.json()["state"]) == (200, "sealed")
    assert loaded.json()["loading"]["by"] == "pharmacist-1"
    brought(store, delivery, DeliveryState.ARRIVED)
    received = client.post(
        f"{where}/receipt", json=handover(delivery, off_by=-1), headers=headers("receipt", by="nurse-1")
    )
    assert (received.status_code, received.json()["state"]) == (200, "received")
    assert received.json()["receipt"] == {
        "at": NOON.isoformat().replace("+00:00", "Z"),
        "by": "nurse-1",
        "counts": [{"line": delivery["lines"][0]["id"], "quantity": 31}],
        "is_short_or_over": True,
    }
    (tote,) = received.json()["totes"]
    lines = [line["id"] for line in delivery["lines"]]
    assert tote == {"id": tote["id"], "seal_number": "S-1", "seal_read": "S-1", "lines": lines}
    assert client.get(where).json() == received.json()


def test_seal_number_is_not_shown_before_the_delivery_is_closed(client: TestClient, store: MemoryStore) -> None:
    delivery = queue(client)
    where = f"/api/v1/deliveries/{delivery['id']}"
    bring_to(store, DeliveryId(delivery["id"]), DeliveryState.ARRIVED, seal_number="SECRET-77")
    shown = client.get(where)
    wrong = client.post(f"{where}/receipt", json=handover(delivery, seal="X"), headers=headers("r"))
    assert (wrong.status_code, wrong.json()["code"]) == (409, "seal_mismatch")
    assert "SECRET-77" not in shown.text + wrong.text


def test_cancelled_on_the_way_it_comes_back_and_is_taken_out(client: TestClient, store: MemoryStore) -> None:
    delivery = queue(client)
    where = f"/api/v1/deliveries/{delivery['id']}"
    brought(store, delivery, DeliveryState.IN_TRANSIT)
    back = client.post(f"{where}/cancel", json={"reason": "Discharged"}, headers=headers("c"))
    assert (back.status_code, back.json()["state"]) == (200, "returning")
    assert back.json()["history"][-1]["reason"] == {"code": "cancelled_by_staff", "sentence": "Discharged"}
    early = client.post(f"{where}/receipt", json=handover(delivery), headers=headers("r"))
    assert (early.status_code, early.json()["code"]) == (409, "delivery_state")
    stand_at_take_back(store, DeliveryId(delivery["id"]))
    taken = client.post(f"{where}/receipt", json=handover(delivery), headers=headers("r"))
    assert (taken.status_code, taken.json()["state"]) == (200, "returned")


def test_pages_follow_each_other_to_the_end(client: TestClient) -> None:
    ids = [queue(client, f"k{number}")["id"] for number in range(5)]
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = client.get("/api/v1/deliveries", params={"limit": "2", **after}).json()
        seen.extend(delivery["id"] for delivery in page["deliveries"])
        if page["next_after"] is None:
            break
        after = {"after": page["next_after"]}
    assert seen == ids[::-1]


def test_list_may_be_limited_to_states(client: TestClient, store: MemoryStore) -> None:
    queue(client, "a")
    loading = queue(client, "b")
    brought(store, loading, DeliveryState.LOADING)
    page = client.get("/api/v1/deliveries", params={"state": ["loading", "sealed"]}).json()
    assert [delivery["id"] for delivery in page["deliveries"]] == [loading["id"]]


REFUSED: list[tuple[Json, str, str]] = [
    ({"to_station": "ward-a-handovr"}, "station_unknown", "to_station"),
    ({"to_station": "attic"}, "station_not_served", "to_station"),
    ({"to_station": "charger-1"}, "invalid_input", "to_station"),
    ({"due_by": "2020-01-01T00:00:00Z"}, "due_by_past", "due_by"),
    ({"due_by": "2027-01-01T00:00:00"}, "request_invalid", "due_by"),
    ({"due_by": "1800000000"}, "request_invalid", "due_by"),
    ({"due_by": 1_800_000_000}, "request_invalid", "due_by"),
    ({"lines": []}, "request_invalid", "lines"),
    ({"lines": [{**LINE, "quantity": "3"}]}, "request_invalid", "lines[0].quantity"),
    ({"lines": [{**LINE, "quantity": 3.5}]}, "request_invalid", "lines[0].quantity"),
    ({"lines": [{**LINE, "quantity": True}]}, "request_invalid", "lines[0].quantity"),
    ({"lines": [{**LINE, "quantity": 0}]}, "request_invalid", "lines[0].quantity"),
    ({"lines": [{**LINE, "expiry": "2027-02-30"}]}, "request_invalid", "lines[0].expiry"),
    ({"lines": [{**LINE, "expiry": 1}]}, "request_invalid", "lines[0].expiry"),
    ({"lines": [{**LINE, "medicine": 5}]}, "request_invalid", "lines[0].medicine"),
    ({"lines": [{**LINE, "medicine": "a\u0000"}]}, "invalid_input", "lines[0].medicine"),
    ({"lines": [{**LINE, "colour": "red"}]}, "request_invalid", "lines[0].colour"),
    ({"priority": "soon"}, "request_invalid", "priority"),
    ({"by": "somebody-else"}, "request_invalid", "by"),
]


@pytest.mark.parametrize(("changes", "code", "field"), REFUSED)
def test_refused_request_names_the_field_and_what_was_expected(
    client: TestClient, changes: Json, code: str, field: str
) -> None:
    answer = client.post("/api/v1/deliveries", json={**ASKED, **changes}, headers=headers())
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    problem = answer.json()
    assert problem["code"] == code
    assert problem["type"] == f"urn:wardporter:error:{code}"
    assert field in [error["field"] for error in problem["errors"]]
    assert all(error["expected"] for error in problem["errors"])
    assert client.get("/api/v1/deliveries").json()["deliveries"] == []


def test_controlled_drug_is_refused_and_nothing_is_kept(client: TestClient) -> None:
    line = {**LINE, "handling_class": "controlled"}
    answer = client.post("/api/v1/deliveries", json={**ASKED, "lines": [line]}, headers=headers())
    assert (answer.status_code, answer.json()["code"]) == (409, "controlled_drugs_off")


def test_near_station_names_are_offered(client: TestClient) -> None:
    answer = client.post("/api/v1/deliveries", json={**ASKED, "to_station": "ward-a"}, headers=headers())
    assert "ward-a-handover" in answer.json()["context"]["near"]


@pytest.mark.parametrize("act", ["load", "receipt", "cancel"])
def test_act_on_an_unknown_delivery_is_not_found(client: TestClient, act: str) -> None:
    body = {"reason": "x"} if act == "cancel" else {"seal_number": "S", "counts": [{"line": "l", "quantity": 1}]}
    answer = client.post(f"/api/v1/deliveries/nothing/{act}", json=body, headers=headers())
    assert (answer.status_code, answer.json()["code"]) == (404, "delivery_unknown")


def test_unknown_delivery_is_not_found(client: TestClient) -> None:
    answer = client.get("/api/v1/deliveries/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "delivery_unknown")
    page = client.get("/api/v1/deliveries", params={"after": "nothing"})
    assert (page.status_code, page.json()["code"]) == (404, "delivery_unknown")


def test_a_delivery_is_marked_critical_and_shows_when_it_is_expected_32(client: TestClient, store: MemoryStore) -> None:
    plain, marked, stat = (
        queue(client),
        queue(client, "key-2", is_critical=True),
        queue(client, "key-3", priority="stat"),
    )
    assert [one["is_critical"] for one in (plain, marked, stat)] == [False, True, True]
    assert (plain["expected_at"], plain["expected_latest_at"]) == (None, None)
    arrival = Arrival(expected_at=NOON + timedelta(minutes=4), expected_latest_at=NOON + timedelta(minutes=9))
    with store.transaction() as uow:
        uow.deliveries.save(replace(uow.deliveries.get(DeliveryId(plain["id"])), arrival=arrival))
    (shown,) = [d for d in client.get("/api/v1/deliveries").json()["deliveries"] if d["id"] == plain["id"]]
    assert (shown["expected_at"], shown["expected_latest_at"]) == ("2026-01-31T12:04:00Z", "2026-01-31T12:09:00Z")
