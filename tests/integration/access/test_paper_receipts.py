"""A receipt that a ward signed on paper, entered over HTTP once the network is back (case 54)."""

from __future__ import annotations

from datetime import timedelta

from httpx2 import Response

from orchestrator.domain.delivery.lifecycle import moved
from orchestrator.domain.delivery.model import Delivery, DeliveryState
from tests.support.deliveries import counts_of
from tests.support.house_of_staff import House

PAPER = "enter_paper_receipt"


def enter(
    house: House, delivery: Delivery, *step_ups: str, minutes: float = 0.0, key: str | None = None, by: str = "nurse-a1"
) -> Response:
    body = {
        "seal_number": f"S-{delivery.id}",
        "counts": [{"line": count.line, "quantity": count.quantity} for count in counts_of(delivery)],
        "occurred_at": (house.clock.now() + timedelta(minutes=minutes)).isoformat(),
        "paper": "DT-7",
        "reason": "No network on the ward",
    }
    path = f"/deliveries/{delivery.id}/paper-receipt"
    return house.post(path, body, token=house.token(by), step_ups=step_ups, key=key)


def test_a_receipt_on_paper_is_entered_once_by_whoever_proves_themselves_for_it_54(house: House) -> None:
    delivery = house.delivery()
    refused = enter(house, delivery)
    assert (refused.status_code, refused.json()["code"]) == (403, "step_up_missing")
    for_the_usual = house.stepped_up("nurse-a1", "receive_delivery", delivery.id)
    assert enter(house, delivery, for_the_usual).status_code == 403

    proof = house.stepped_up("nurse-a1", PAPER, delivery.id)
    done = enter(house, delivery, proof, key="k")
    assert (done.status_code, done.json()["state"]) == (200, "received")
    assert done.json()["history"][-1]["reason"]["code"] == "received_on_paper"
    assert enter(house, delivery, proof, key="k").json() == done.json(), "a retry gets the stored answer"


def test_a_moment_that_has_not_come_changes_nothing(house: House) -> None:
    delivery = house.delivery()
    proof = house.stepped_up("nurse-a1", PAPER, delivery.id)
    refused = enter(house, delivery, proof, minutes=5)
    assert refused.status_code == 422, refused.text
    with house.store.reading() as uow:
        assert uow.deliveries.get(delivery.id).state is DeliveryState.ARRIVED


def test_nobody_of_another_ward_enters_a_paper(house: House) -> None:
    delivery = house.delivery()
    assert house.step_up("nurse-b1", PAPER, delivery.id).status_code == 403
    assert house.step_up("pharmacist-1", PAPER, delivery.id).status_code == 403


def test_a_paper_of_what_came_back_says_why_it_is_refused(house: House) -> None:
    delivery = house.delivery()
    with house.store.transaction() as uow:
        for state in (DeliveryState.RETURNING, DeliveryState.RETURNED):
            delivery = moved(delivery, state, at=house.clock.now(), cause="nobody came")
        uow.deliveries.save(delivery)
    refused = enter(house, delivery, house.stepped_up("nurse-a1", PAPER, delivery.id))
    assert (refused.status_code, refused.json()["code"]) == (409, "paper_after_return")
