from __future__ import annotations

from pathlib import Path

from fastapi.testclient import TestClient
from httpx2 import Response

from orchestrator.adapters.store import open_store
from orchestrator.http.app import build_app
from tests.support.desk import StoreDoor, a_desk

ASKED = {
    "from_station": "pharmacy-hatch-1",
    "to_station": "ward-a-handover",
    "lines": [{"medicine": "Paracetamol 500 mg tablets", "quantity": 32, "unit": "tablet"}],
}
HEADERS = {"Idempotency-Key": "key-1", "Wardporter-Principal": "pharmacist-1"}


def ask(url: str) -> tuple[Response, int]:
    """Start, ask, look how many deliveries there are, and end."""
    store = open_store(url)
    try:
        client = TestClient(build_app(a_desk(StoreDoor(store))), base_url="http://localhost")
        answer = client.post("/api/v1/deliveries", json=ASKED, headers=HEADERS)
        return answer, len(client.get("/api/v1/deliveries").json()["deliveries"])
    finally:
        store.close()


def test_retry_after_a_restart_gets_the_first_answer_and_queues_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    first, _ = ask(url)
    again, count = ask(url)
    assert (first.status_code, again.status_code, count) == (201, 201, 1)
    assert again.content == first.content
