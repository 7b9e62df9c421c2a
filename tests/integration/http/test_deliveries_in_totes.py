"""A delivery in several totes, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from orchestrator.domain.delivery.model import DeliveryId, DeliveryState
from orchestrator.http.app import build_app
from simulation.memory_store import MemoryStore
from tests.support.deliveries import bring_to
from tests.support.desk import StoreDoor, a_desk

Json = dict[str, Any]
LINE: Json = {"medicine": "Paracetamol 500 mg tablets", "quantity": 32, "unit": "tablet"}
ASKED: Json = {"from_station": "pharmacy-hatch-1", "to_station": "ward-a-handover", "lines": [LINE, LINE, LINE]}
SEALS = ("SECRET-1", "SECRET-2")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def client(store: MemoryStore) -> Iterator[TestClient]:
    with TestClient(build_app(a_desk(StoreDoor(store))), base_url="http://localhost") as opened:
        yield opened


class Hatch:
    """A delivery of three lines that a robot stands open for."""

    def __init__(self, client: TestClient, store: MemoryStore) -> None:
        self.client, self.store = client, store
        self.asked = 0
        self.queued = self.post("", ASKED).json()
        self.where = f"/{self.queued['id']}"
        self.lines = [line["id"] for line in self.queued["lines"]]
        bring_to(store, DeliveryId(self.queued["id"]), DeliveryState.LOADING)

    def post(self, path: str, body: Json) -> Any:
        self.asked += 1
        headers = {"Idempotency-Key": f"key-{self.asked}", "Wardporter-Principal": "pharmacist-1"}
        return self.client.post(f"/api/v1/deliveries{path}", json=body, headers=headers)

    @property
    def counts(self) -> Json:
        return {"counts": [{"line": line, "quantity": 32} for line in self.lines]}

    @property
    def packed(self) -> list[Json]:
        one, *others = self.lines
        return [{"seal_number": SEALS[0], "lines": [one]}, {"seal_number": SEALS[1], "lines": others}]

    def load(self, **said: object) -> Any:
        return self.post(f"{self.where}/load", {**self.counts, **said})

    def receive(self, **said: object) -> Any:
        return self.post(f"{self.where}/receipt", {**self.counts, **said})


@pytest.fixture
def hatch(client: TestClient, store: MemoryStore) -> Hatch:
    return Hatch(client, store)


def test_what_is_loaded_in_two_totes_is_received_by_both_seals_and_the_seals_are_shown_then(hatch: Hatch) -> None:
    loaded = hatch.load(totes=hatch.packed)
    assert (loaded.status_code, loaded.json()["state"]) == (200, "sealed")
    totes = loaded.json()["totes"]
    assert [tote["lines"] for tote in totes] == [hatch.lines[:1], hatch.lines[1:]]
    assert totes[0]["id"] == hatch.queued["totes"][0]["id"]
    assert not any(seal in loaded.text for seal in SEALS)

    bring_to(hatch.store, DeliveryId(hatch.queued["id"]), DeliveryState.ARRIVED)
    seals = [{"tote": tote["id"], "seal_number": seal} for tote, seal in zip(totes, SEALS, strict=True)]
    wrong = hatch.receive(totes=[seals[0], {**seals[1], "seal_number": "S-7"}])
    assert (wrong.status_code, wrong.json()["code"]) == (409, "seal_mismatch")
    assert not any(seal in wrong.text for seal in SEALS)

    received = hatch.receive(totes=seals)
    assert (received.status_code, received.json()["state"]) == (200, "received")
    assert [(tote["seal_number"], tote["seal_read"]) for tote in received.json()["totes"]] == [(s, s) for s in SEALS]


@pytest.mark.parametrize("gives_both", [True, False])
def test_a_loading_says_one_seal_or_the_totes(hatch: Hatch, gives_both: bool) -> None:
    answer = hatch.load(seal_number="S-1", totes=hatch.packed) if gives_both else hatch.load()
    assert answer.status_code == 422
    found = "both seal_number and totes" if gives_both else "neither seal_number nor totes"
    assert f"it gives {found}; expected one of them" in answer.json()["detail"]
    assert hatch.load(totes=hatch.packed).status_code == 200


def test_a_line_in_two_totes_or_in_none_is_named(hatch: Hatch) -> None:
    first, second = hatch.packed
    answer = hatch.load(totes=[first, {**second, "lines": [hatch.lines[0], "line-404"]}])
    assert (answer.status_code, answer.json()["code"]) == (422, "lines_mismatch")
    named = {field: answer.json()["context"][field] for field in ("missing", "unknown", "repeated")}
    assert named == {"missing": hatch.lines[1:], "unknown": ["line-404"], "repeated": hatch.lines[:1]}


def test_a_receipt_of_two_totes_says_the_seal_of_each(hatch: Hatch) -> None:
    hatch.load(totes=hatch.packed)
    bring_to(hatch.store, DeliveryId(hatch.queued["id"]), DeliveryState.ARRIVED)
    answer = hatch.receive(seal_number=SEALS[0])
    assert answer.status_code == 422
    assert "lies in 2 totes; expected the seal of each" in answer.json()["detail"]
    missing = hatch.receive(totes=[{"tote": hatch.queued["totes"][0]["id"], "seal_number": SEALS[0]}])
    assert (missing.status_code, len(missing.json()["context"]["missing"])) == (422, 1)


def test_a_label_is_printed_of_each_tote(hatch: Hatch) -> None:
    totes = hatch.load(totes=hatch.packed).json()["totes"]
    for tote in totes:
        label = hatch.client.get(f"/api/v1/deliveries{hatch.where}/totes/{tote['id']}/label.pdf")
        assert label.status_code == 200
        assert tote["id"].encode() in label.content
    answer = hatch.client.get(f"/api/v1/deliveries{hatch.where}/totes/tote-404/label.pdf")
    assert (answer.status_code, answer.json()["code"]) == (404, "tote_unknown")
