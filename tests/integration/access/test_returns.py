"""A delivery that comes back to another place than it came from, over HTTP: its people take it back, nobody else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from httpx2 import Response

from orchestrator.domain.delivery.model import Delivery, DeliveryState, Stop, StopKind
from orchestrator.domain.site.model import StationId
from tests.support.deliveries import a_request, bring_to, queue
from tests.support.house_of_staff import PHARMACY, WARD_A, WARD_B, House


def queued(house: House, *, return_to: str) -> Delivery:
    with house.store.transaction() as uow:
        made = queue(uow, a_request(PHARMACY, WARD_A), ids=house.ids)
        kept = replace(made, custody=replace(made.custody, return_to=StationId(return_to)))
        uow.deliveries.save(kept)
    return kept


def brought_back(house: House, *, return_to: str) -> Delivery:
    """Let ward A turn a delivery away, and its robot stand where it comes back to."""
    made = queued(house, return_to=return_to)
    arrived = bring_to(house.store, made.id, DeliveryState.ARRIVED, seal_number=f"S-{made.id}")
    proof = house.stepped_up("nurse-a1", "refuse_delivery", made.id)
    said = {"reason": "Not ours"}
    refused = house.post(f"/deliveries/{made.id}/refuse", said, token=house.token("nurse-a1"), step_ups=(proof,))
    assert (refused.status_code, refused.json()["state"]) == (200, "returning"), refused.text
    assert arrived.trip is not None
    with house.store.transaction() as uow:
        stop = Stop(arrived.returns_to, StopKind.TAKE_BACK, (made.id,))
        uow.trips.save(replace(uow.trips.get(arrived.trip), stops=(stop,), has_arrived=True))
        return uow.deliveries.get(made.id)


def taken_back(house: House, delivery: Delivery, *, by: str) -> Response:
    proof = house.stepped_up(by, "receive_delivery", delivery.id)
    return house.receive(delivery, token=house.token(by), step_ups=(proof,))


def test_the_place_that_return_to_names_takes_it_back_and_nobody_else(house: House) -> None:
    delivery = brought_back(house, return_to=WARD_B)
    for stranger in ("pharmacist-1", "nurse-a1"):
        refused = house.step_up(stranger, "receive_delivery", delivery.id)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed"), stranger
    assert house.get(f"/deliveries/{delivery.id}", token=house.token("nurse-b1")).status_code == 200
    house.stepped_up("nurse-b1", "open_drawer", delivery.id)
    taken = taken_back(house, delivery, by="nurse-b1")
    assert (taken.status_code, taken.json()["state"]) == (200, "returned"), taken.text


def test_what_comes_back_within_one_place_is_taken_back_and_not_received_there(house: House) -> None:
    """Such a return may have been queued before it was refused; it is no state that nobody can leave."""
    taken = taken_back(house, brought_back(house, return_to=WARD_A), by="nurse-a1")
    assert (taken.status_code, taken.json()["state"]) == (200, "returned"), taken.text


@pytest.mark.parametrize(
    ("return_to", "code"),
    [(WARD_A, "invalid_input"), ("charger-1", "invalid_input"), ("ward-z", "station_unknown")],
)
def test_a_return_to_where_it_goes_or_to_where_nobody_is_gets_refused(house: House, return_to: str, code: str) -> None:
    line = {"medicine": "Paracetamol 500 mg tablets", "quantity": 28, "unit": "tablet"}
    asked = {"from_station": PHARMACY, "to_station": WARD_A, "lines": [line], "return_to": return_to}
    token = house.token("pharmacist-1")
    refused = house.post("/deliveries", asked, token=token)
    assert (refused.status_code, refused.json()["code"]) == (422, code), refused.text
    assert "return_to" in refused.json()["detail"]
    assert house.get("/deliveries", token=token).json()["deliveries"] == []
    kept = house.post("/deliveries", {**asked, "return_to": WARD_B}, token=token)
    assert (kept.status_code, kept.json()["custody"]["returns_to"]) == (201, WARD_B)


def test_it_follows_no_patient_to_where_it_comes_back_to(house: House) -> None:
    made = queued(house, return_to=WARD_B)
    bring_to(house.store, made.id, DeliveryState.IN_TRANSIT)
    path, token = f"/deliveries/{made.id}/patient-moved", house.token("pharmacist-1")
    refused = house.post(path, {"to_station": WARD_B}, token=token)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input"), refused.text
    back = house.post(path, {}, token=token)
    assert (back.status_code, back.json()["state"]) == (200, "returning")
