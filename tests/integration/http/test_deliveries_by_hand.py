"""Deliveries that people carry on or look into, through the API: from which states, once, and what the drawer does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from orchestrator.domain.delivery.lifecycle import moved
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState
from orchestrator.http.app import build_app
from simulation.memory_store import MemoryStore
from tests.integration.http.test_refusals import refused
from tests.support.deliveries import NOON, CountingIds, bring_to, counts_of, queue
from tests.support.desk import StoreDoor, a_desk

Json = dict[str, Any]
S = DeliveryState
ON_THE_WAY = (S.VERIFIED, S.ASSIGNED, S.LOADING, S.SEALED, S.IN_TRANSIT, S.ARRIVED)
RUNNER: Json = {"reason": "wanted now"}
INCIDENT: Json = {"code": "seal_broken", "sentence": "torn when the drawer was opened"}


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def client(store: MemoryStore) -> Iterator[TestClient]:
    app = build_app(a_desk(StoreDoor(store)))
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as opened:
        yield opened


def a_delivery(store: MemoryStore, state: DeliveryState) -> DeliveryId:
    with store.transaction() as uow:
        found = queue(uow, ids=CountingIds()).id
    if state in (S.RETURNING, S.HELD):
        before = bring_to(store, found, S.IN_TRANSIT if state is S.RETURNING else S.VERIFIED)
        with store.transaction() as uow:
            uow.deliveries.save(moved(before, state, at=NOON, cause="test"))
    else:
        bring_to(store, found, state)
    return found


def kept(store: MemoryStore, delivery: DeliveryId) -> Delivery:
    with store.reading() as uow:
        return uow.deliveries.get(delivery)


def ask(client: TestClient, delivery: str, act: str, body: Json, *, key: str = "k-1") -> Any:
    headers = {"Idempotency-Key": key, "Wardporter-Principal": "porter-1"}
    return client.post(f"/api/v1/deliveries/{delivery}/{act}", json=body, headers=headers)


def done(answer: Any) -> Json:
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("state", [*ON_THE_WAY, S.RETURNING, S.HELD])
def test_a_delivery_is_handed_to_a_runner_from_every_state_in_which_somebody_has_it(
    client: TestClient, store: MemoryStore, state: DeliveryState
) -> None:
    answer = done(ask(client, a_delivery(store, state), "hand-to-runner", RUNNER))

    assert answer["state"] == "handed_to_runner"
    last = answer["history"][-1]
    assert (last["cause"], last["reason"]["sentence"]) == ("porter-1", "wanted now")


def test_when_the_mechanical_key_was_used_is_asked_64(client: TestClient, store: MemoryStore) -> None:
    delivery = a_delivery(store, S.IN_TRANSIT)
    unsaid = ask(client, delivery, "hand-to-runner", {**RUNNER, "is_by_key": True})
    assert (unsaid.status_code, unsaid.json()["code"]) == (422, "occurred_at_invalid")
    naive = ask(client, delivery, "hand-to-runner", {**RUNNER, "is_by_key": True, "occurred_at": "2026-11-26T12:00:00"})
    assert naive.status_code == 422
    said = {**RUNNER, "is_by_key": True, "occurred_at": NOON.isoformat()}
    assert done(ask(client, delivery, "hand-to-runner", said))["state"] == "handed_to_runner"


@pytest.mark.parametrize("state", [*ON_THE_WAY, S.RETURNING, S.HELD])
def test_a_delivery_ends_in_an_incident_from_every_state_in_which_somebody_has_it(
    client: TestClient, store: MemoryStore, state: DeliveryState
) -> None:
    answer = done(ask(client, a_delivery(store, state), "incident", INCIDENT))

    assert answer["state"] == "incident"
    assert answer["history"][-1]["reason"]["code"] == "incident_seal_broken"


@pytest.mark.parametrize(("act", "body"), [("hand-to-runner", RUNNER), ("incident", INCIDENT)])
def test_a_drawer_stays_taken_until_somebody_says_that_it_is_empty(
    client: TestClient, store: MemoryStore, act: str, body: Json
) -> None:
    delivery = a_delivery(store, S.IN_TRANSIT)

    assert done(ask(client, delivery, act, body))["drawer"] == "top"
    assert kept(store, delivery).is_in_drawer

    emptied = done(ask(client, delivery, act, {**body, "is_emptied": True}, key="k-2"))
    assert (emptied["robot"], emptied["drawer"]) == (None, None)
    assert len(emptied["history"]) == len(kept(store, delivery).history)


@pytest.mark.parametrize("state", [S.VERIFIED, S.ASSIGNED, S.LOADING])
def test_what_was_not_sealed_yet_lies_in_no_drawer(
    client: TestClient, store: MemoryStore, state: DeliveryState
) -> None:
    answer = done(ask(client, a_delivery(store, state), "hand-to-runner", RUNNER))

    assert (answer["robot"], answer["drawer"]) == (None, None)


@pytest.mark.parametrize(("act", "body"), [("hand-to-runner", RUNNER), ("incident", INCIDENT)])
def test_a_retry_is_answered_as_the_first_time_and_a_second_request_changes_nothing(
    client: TestClient, store: MemoryStore, act: str, body: Json
) -> None:
    delivery = a_delivery(store, S.ARRIVED)
    first = ask(client, delivery, act, body)
    done(first)
    before = kept(store, delivery)

    assert ask(client, delivery, act, body).content == first.content
    assert done(ask(client, delivery, act, body, key="k-2")) == first.json()
    assert kept(store, delivery) == before


@pytest.mark.parametrize(("act", "body"), [("hand-to-runner", RUNNER), ("incident", INCIDENT)])
def test_a_closed_delivery_is_neither_carried_on_nor_an_incident(
    client: TestClient, store: MemoryStore, act: str, body: Json
) -> None:
    delivery = a_delivery(store, S.VERIFIED)
    with store.transaction() as uow:
        uow.deliveries.save(moved(uow.deliveries.get(delivery), S.CANCELLED, at=NOON, cause="test"))

    refused(ask(client, delivery, act, body), 409, "delivery_state")


def test_what_cannot_be_is_refused(client: TestClient, store: MemoryStore) -> None:
    delivery = a_delivery(store, S.ARRIVED)

    refused(ask(client, "delivery-9999", "hand-to-runner", RUNNER), 404, "delivery_unknown")
    refused(ask(client, "delivery-9999", "incident", INCIDENT), 404, "delivery_unknown")
    refused(ask(client, delivery, "hand-to-runner", {"reason": " "}), 422, "invalid_input")
    refused(ask(client, delivery, "incident", {**INCIDENT, "code": "bad_luck"}), 422, "request_invalid")
    refused(ask(client, delivery, "incident", {**INCIDENT, "sentence": ""}), 422, "request_invalid")
    done(ask(client, delivery, "incident", INCIDENT))
    refused(ask(client, delivery, "incident", {**INCIDENT, "code": "lost"}), 409, "idempotency_key_reused")


def receipt(delivery: Delivery, *, seal: str = "S-1", off_by: int = 0) -> Json:
    counts = [{"line": one.line, "quantity": one.quantity} for one in counts_of(delivery, off_by=off_by)]
    return {"seal_number": seal, "counts": counts}


def test_what_a_runner_brought_is_received_on_the_ward(client: TestClient, store: MemoryStore) -> None:
    delivery = a_delivery(store, S.IN_TRANSIT)
    ask(client, delivery, "hand-to-runner", RUNNER)

    answer = ask(client, delivery, "receipt", receipt(kept(store, delivery), seal="other"), key="k-2")
    refused(answer, 409, "seal_mismatch")
    answer = done(ask(client, delivery, "receipt", receipt(kept(store, delivery)), key="k-2"))

    assert (answer["state"], answer["drawer"], answer["receipt"]["is_short_or_over"]) == ("received", None, False)


def test_what_a_robot_was_to_fetch_is_loaded_by_hand(client: TestClient, store: MemoryStore) -> None:
    delivery = a_delivery(store, S.ASSIGNED)
    body = receipt(kept(store, delivery))
    refused(ask(client, delivery, "load", body), 409, "delivery_state")

    answer = done(ask(client, delivery, "load", {**body, "is_by_hand": True}, key="k-2"))

    assert (answer["state"], answer["robot"], answer["loading"]["drawer"]) == ("handed_to_runner", None, "by hand")
    assert answer["history"][-1]["reason"]["code"] == "loaded_by_hand"


@pytest.mark.parametrize("off_by", [0, -1])
def test_what_a_runner_took_unsealed_is_counted_against_what_was_asked_for(
    client: TestClient, store: MemoryStore, off_by: int
) -> None:
    delivery = a_delivery(store, S.VERIFIED)
    ask(client, delivery, "hand-to-runner", RUNNER)

    body = receipt(kept(store, delivery), seal="S-9", off_by=off_by)
    answer = done(ask(client, delivery, "receipt", body, key="k-2"))

    assert (answer["state"], answer["receipt"]["is_short_or_over"]) == ("received", off_by != 0)


def test_an_incident_keeps_everything_that_was_known(client: TestClient, store: MemoryStore) -> None:
    delivery = a_delivery(store, S.ARRIVED)
    before = kept(store, delivery)

    ask(client, delivery, "incident", INCIDENT)

    after = kept(store, delivery)
    assert after.history[: len(before.history)] == before.history
    assert replace(after, state=before.state, history=before.history) == before


def test_the_hour_of_expiry_in_a_packs_code_is_refused_once_it_has_passed_and_kept_before_13(
    client: TestClient, store: MemoryStore
) -> None:
    delivery = a_delivery(store, S.VERIFIED)
    (line,) = kept(store, delivery).lines

    def dispense(until: str, key: str) -> Any:
        code = f"]d201050123456789007003{until}\x1d10B-1"
        picked: Json = {"line": line.id, "quantity": line.quantity, "code": code}
        return ask(client, delivery, "dispense", {"lines": [picked]}, key=key)

    assert dispense(NOON.strftime("%y%m%d%H%M"), "k-1").json()["code"] == "expired_stock"
    done(dispense((NOON + timedelta(minutes=1)).strftime("%y%m%d%H%M"), "k-2"))
    assert [one.expires_at for one in kept(store, delivery).custody.dispensed] == [NOON + timedelta(minutes=1)]


@pytest.mark.parametrize(("said", "field"), [({"batch": "B-2"}, "batch"), ({"expiry": "2027-05-30"}, "expiry")])
def test_what_is_typed_beside_a_code_that_gives_another_is_refused_and_not_passed_over_15(
    client: TestClient, store: MemoryStore, said: Json, field: str
) -> None:
    delivery = a_delivery(store, S.VERIFIED)
    (line,) = kept(store, delivery).lines
    picked: Json = {"line": line.id, "quantity": line.quantity, "code": "]d201050123456789001727053110B-1"}
    refused = ask(client, delivery, "dispense", {"lines": [{**picked, **said}]}).json()
    assert (refused["code"], [e["field"] for e in refused["errors"]]) == ("pack_contradicted", [f"lines.{field}"])
    same = {"batch": "b-1", "expiry": "2027-05-31"}
    done(ask(client, delivery, "dispense", {"lines": [{**picked, **same}]}, key="k-2"))
    assert [one.batch for one in kept(store, delivery).custody.dispensed] == ["B-1"]
