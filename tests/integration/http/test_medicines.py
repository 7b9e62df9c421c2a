"""Scanned codes and medicines through the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from orchestrator.application.medicine_catalogue import load_medicines
from orchestrator.http.app import build_app
from simulation.memory_store import MemoryStore
from tests.integration.http.test_refusals import refused
from tests.support.desk import StoreDoor, a_desk
from tests.support.medicines import MORPHINE, a_medicine

BY = {"Wardporter-Principal": "pharmacist-1"}
PACK = "]d201050123456789001727053110ABC123\x1d21SN0001"
UNCLASSIFIED = "99900000000301"


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    with store.transaction() as uow:
        load_medicines(uow, [MORPHINE, a_medicine(UNCLASSIFIED, schedule=None)], is_simulation=True)
    return store


@pytest.fixture
def client(store: MemoryStore) -> Iterator[TestClient]:
    app = build_app(a_desk(StoreDoor(store)))
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as opened:
        yield opened


def scan(client: TestClient, code: str, **also: object) -> Any:
    return client.post("/api/v1/scan", json={"code": code, **also}, headers=BY)


def test_a_pack_is_read_with_its_control_characters(client: TestClient) -> None:
    answer = scan(client, PACK)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert {name: said[name] for name in ("kind", "gtin", "expiry", "batch", "serial", "nhs_number")} == {
        "kind": "pack",
        "gtin": "05012345678900",
        "expiry": "2027-05-31",
        "batch": "ABC123",
        "serial": "SN0001",
        "nhs_number": None,
    }


def test_a_code_that_must_not_be_trusted_is_a_problem_that_says_why(client: TestClient) -> None:
    problem = refused(scan(client, PACK.replace("\x1d", "")), 422, "ambiguous_separator")
    assert "Read batch and expiry off the pack" in problem["detail"]
    refused(scan(client, "]d28018501234500000000422", kind="wristband"), 422, "not_a_patient_gsrn")
    refused(scan(client, ""), 422, "empty_code")
    refused(scan(client, "9990548608"), 422, "bad_nhs_number")


def test_a_refusal_holds_nothing_of_a_patient(client: TestClient) -> None:
    answer = scan(client, "]d2801850508989990548609893FAMILY,Given,31-Feb-1970,")
    assert answer.status_code == 422
    assert not [word for word in ("9990548609", "FAMILY", "Given", "1970") if word in answer.text]


def test_scanning_asks_who_scans_and_keeps_nothing(client: TestClient, store: MemoryStore) -> None:
    refused(client.post("/api/v1/scan", json={"code": PACK}), 401, "principal_missing")
    scan(client, PACK)
    with store.reading() as uow:
        assert uow.events.last_number() == 0


def test_medicines_are_listed_and_shown(client: TestClient) -> None:
    first = client.get("/api/v1/medicines?limit=1").json()
    rest = client.get(f"/api/v1/medicines?after={first['next']}").json()
    assert [one["code"] for one in first["medicines"] + rest["medicines"]] == [MORPHINE.code, UNCLASSIFIED]
    assert rest["next"] is None
    shown = client.get(f"/api/v1/medicines/{MORPHINE.code}").json()
    assert (shown["category"], shown["schedule"], shown["handling_class"]) == ("0002", "schedule 2", "controlled")
    refused(client.get("/api/v1/medicines/99900000000404"), 404, "medicine_unknown")


def test_a_classification_is_done_once_and_shown_9(client: TestClient, store: MemoryStore) -> None:
    assert client.get(f"/api/v1/medicines/{UNCLASSIFIED}").json()["handling_class"] == "controlled"
    for _ in range(2):
        answer = client.post(
            f"/api/v1/medicines/{UNCLASSIFIED}/classification",
            json={"category": "0010", "reason": "Low strength."},
            headers={**BY, "Idempotency-Key": "k-1"},
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["handling_class"] == "ordinary"
    with store.reading() as uow:
        assert [said.by for said in uow.medicines.classifications(a_medicine(UNCLASSIFIED).code)] == ["pharmacist-1"]


def test_a_class_is_never_lowered(client: TestClient) -> None:
    answer = client.post(
        f"/api/v1/medicines/{MORPHINE.code}/classification",
        json={"category": "0010", "reason": "Easier."},
        headers={**BY, "Idempotency-Key": "k-1"},
    )
    refused(answer, 422, "class_lowered")
