"""Case 36 over HTTP: who says that a patient has moved, and whose delivery it is then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Response

from orchestrator.domain.delivery.model import Delivery, DeliveryState
from tests.support.house_of_staff import WARD_A, WARD_B, House, a_house


@pytest.fixture
def house() -> Iterator[House]:
    with a_house() as opened:
        yield opened


def moved(
    house: House, delivery: Delivery, *, by: str = "pharmacist-1", key: str | None = None, **said: Any
) -> Response:
    return house.post(f"/deliveries/{delivery.id}/patient-moved", said, token=house.token(by), key=key)


def accepted(house: House, delivery: Delivery, *, by: str) -> Response:
    step_up = house.step_up(by, "accept_delivery", delivery.id)
    if step_up.status_code != 201:
        return step_up
    token = str(step_up.json()["token"])
    return house.post(f"/deliveries/{delivery.id}/accept", {"named": [by]}, token=house.token(by), step_ups=(token,))


def test_only_people_of_the_new_ward_accept_what_follows_its_patient_36(house: House) -> None:
    riding = house.delivery(DeliveryState.IN_TRANSIT)
    answer = moved(house, riding, to_station=WARD_B)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["state"], said["to_station"]) == ("returning", WARD_A)
    assert (said["custody"]["reroute"]["to_station"], said["custody"]["reroute"]["by"]) == (WARD_B, "pharmacist-1")
    assert [reason["code"] for reason in said["waiting"]] == ["reroute_not_accepted"]

    assert accepted(house, riding, by="nurse-a1").status_code == 403
    taken = accepted(house, riding, by="nurse-b1")
    assert taken.status_code == 200, taken.text
    assert taken.json()["custody"]["acceptance"]["named"] == ["nurse-b1"]


def test_a_nurse_of_another_ward_does_not_say_where_a_patient_is_36(house: House) -> None:
    riding = house.delivery(DeliveryState.IN_TRANSIT)
    for nobody in ("nurse-a1", "in-charge-b", "porter-1"):
        assert moved(house, riding, by=nobody, to_station=WARD_B).status_code == 403
    assert moved(house, riding, by="in-charge-a", to_station=WARD_B).status_code == 200


def test_a_place_that_is_none_changes_nothing_and_a_retry_changes_nothing_twice_36(house: House) -> None:
    riding = house.delivery(DeliveryState.IN_TRANSIT)
    for wrong in ("ward-z", WARD_A, "charger-1", ""):
        assert 400 <= moved(house, riding, to_station=wrong).status_code < 500
    with house.store.reading() as uow:
        assert uow.deliveries.get(riding.id) == riding
    first = moved(house, riding, key="once", to_station=WARD_B)
    assert moved(house, riding, key="once", to_station=WARD_B).json() == first.json()
    with house.store.reading() as uow:
        assert len(uow.deliveries.get(riding.id).history) == len(riding.history) + 1
