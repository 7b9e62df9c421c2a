"""Letting records go, over HTTP: looked at first, by two who have proved themselves, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from httpx2 import Response

from orchestrator.domain.delivery.lifecycle import moved
from orchestrator.domain.delivery.model import Delivery, DeliveryState
from tests.support.deliveries import CountingIds, queue
from tests.support.house_of_staff import OWN_DEVICE, House, a_house
from tests.support.staff import PIN, badge_of

OLD = datetime(2023, 9, 15, 12, tzinfo=UTC)
OFFICER, PHARMACIST = "accountable-officer-1", "pharmacist-1"


@pytest.fixture
def house() -> Iterator[House]:
    with a_house() as made:
        yield made


@pytest.fixture
def old(house: House) -> Delivery:
    with house.store.transaction() as uow:
        delivery = queue(uow, ids=CountingIds(), at=OLD)
        custody = replace(delivery.custody, patient="local-7")
        ended = moved(replace(delivery, custody=custody), DeliveryState.CANCELLED, at=OLD, cause=PHARMACIST)
        uow.deliveries.save(ended)
    return ended


def step_up(house: House, person: str, *, place: str = "records/delivery/2023-09") -> str:
    body = {"badge": badge_of(person), "pin": PIN, "device": OWN_DEVICE, "act": "purge_records", "place": place}
    answer = house.client.post("/api/v1/step-ups", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def purge(house: House, *proofs: str, digest: str, key: str | None = None) -> Response:
    body = {"record_type": "delivery", "month": "2023-09", "digest": digest, "reason": "Two years are over."}
    return house.post("/retention/purges", body, token=house.token(OFFICER), step_ups=proofs, key=key)


def test_records_are_looked_at_and_go_by_two_once_72(house: House, old: Delivery) -> None:
    looked = house.get("/retention/months/2023-09", token=house.token(PHARMACIST)).json()
    found = {one["record_type"]: one for one in looked["types"]}["delivery"]
    assert (looked["step_up_place"], found["records"], found["may_go"]) == ("records", 1, True)
    alone = purge(house, step_up(house, OFFICER), digest=found["digest"])
    assert (alone.status_code, alone.json()["code"]) == (403, "people_missing")
    other = purge(house, step_up(house, OFFICER, place="records/answer/2023-09"), digest=found["digest"])
    assert (other.status_code, other.json()["code"]) == (403, "step_up_refused")
    wrong = purge(house, step_up(house, OFFICER), step_up(house, PHARMACIST), digest="0" * 64)
    assert (wrong.status_code, wrong.json()["code"]) == (409, "retention_not_purged")
    done = purge(house, step_up(house, OFFICER), step_up(house, PHARMACIST), digest=found["digest"], key="k")
    assert done.status_code == 201, done.text
    facts = done.json()["facts"]
    assert (facts["event"], facts["records"], facts["digest"]) == ("purged", "1", found["digest"])
    assert purge(house, digest=found["digest"], key="k").json() == done.json()
    shown = house.get(f"/deliveries/{old.id}", token=house.token(PHARMACIST)).json()
    assert shown["custody"]["purged_by"] == done.json()["index"]
    with house.store.reading() as uow:
        assert uow.deliveries.get(old.id).custody.patient is None
    (told,) = house.events("records_purged")
    assert told == ("2023-09", {"entry": done.json()["index"], "record_type": "delivery"})


def test_years_of_every_type_are_told_with_where_they_come_from_72(house: House) -> None:
    types = house.get("/retention", token=house.token(OFFICER)).json()["types"]
    found = {one["record_type"]: one for one in types}
    assert (found["delivery"]["years"], found["patients_own"]["years"]) == (2, 7)
    assert all(one["source"] for one in types)
    assert found["ledger"]["stays_because"]
    assert not found["incident"]["stays_because"]


def test_only_pharmacists_and_the_officer_look_and_a_month_is_one_72(house: House) -> None:
    for person, status in {OFFICER: 200, PHARMACIST: 200, "nurse-a1": 403, "site-manager-1": 403}.items():
        assert house.get("/retention/months/2023-09", token=house.token(person)).status_code == status, person
    for month in ("2023-13", "2023-9", "september", "1999-01"):
        refused = house.get(f"/retention/months/{month}", token=house.token(OFFICER))
        assert (refused.status_code, refused.json()["code"]) == (422, "month_invalid"), month
