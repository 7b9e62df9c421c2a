"""A custody act is done by people who have each proved themselves for it, once, at the device."""

from __future__ import annotations

import pytest

from orchestrator.domain.access.decision import Why
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.people.proofs import STEP_UP_LASTS
from tests.support.house_of_staff import WARD_B, House

RECEIVE = "receive_delivery"


def test_a_receipt_without_a_step_up_is_refused_and_changes_nothing(house: House) -> None:
    delivery, token = house.delivery(), house.token("nurse-a1")
    refused = house.receive(delivery, token=token, step_ups=())
    assert (refused.status_code, refused.json()["code"]) == (403, "step_up_missing")
    assert house.get(f"/deliveries/{delivery.id}", token=token).json()["state"] == "arrived"


def test_a_receipt_with_a_step_up_is_done_and_the_step_up_is_used_up(house: House) -> None:
    first, second, token = house.delivery(), house.delivery(), house.token("nurse-a1")
    proof = house.stepped_up("nurse-a1", RECEIVE, first.id)
    done = house.receive(first, token=token, step_ups=(proof,), key="k")
    assert (done.status_code, done.json()["state"]) == (200, "received")
    again = house.receive(first, token=token, step_ups=(proof,), key="k")
    assert again.json() == done.json(), "a retry gets the stored answer"
    other = house.receive(second, token=token, step_ups=(proof,))
    assert (other.status_code, other.json()["code"]) == (403, "step_up_refused")
    with house.store.reading() as uow:
        assert uow.deliveries.get(second.id).state is DeliveryState.ARRIVED


def test_the_step_up_of_a_witness_is_used_up_too(house: House) -> None:
    delivery = house.delivery()
    witness = house.stepped_up("nurse-a2", RECEIVE, delivery.id)
    both = (house.stepped_up("nurse-a1", RECEIVE, delivery.id), witness)
    assert house.receive(delivery, token=house.token("nurse-a1"), step_ups=both).status_code == 200
    again = (house.stepped_up("nurse-a1", RECEIVE, delivery.id), witness)
    refused = house.receive(delivery, token=house.token("nurse-a1"), step_ups=again)
    assert (refused.status_code, refused.json()["code"]) == (403, "step_up_refused")
    assert "used before" in refused.json()["detail"]


def test_a_used_step_up_is_refused_for_the_same_delivery_too(house: House) -> None:
    delivery, token = house.delivery(), house.token("nurse-a1")
    proof = house.stepped_up("nurse-a1", RECEIVE, delivery.id)
    assert house.receive(delivery, token=token, step_ups=(proof,)).status_code == 200
    refused = house.receive(delivery, token=token, step_ups=(proof,))
    assert refused.status_code in (403, 409)


def test_a_step_up_outlives_a_refusal_that_changed_nothing(house: House) -> None:
    delivery, token = house.delivery(), house.token("nurse-a1")
    proof = house.stepped_up("nurse-a1", RECEIVE, delivery.id)
    right, none = f"S-{delivery.id}", [{"line": "none", "quantity": 1}]
    # The seals are judged before the counts, for they say which lines were to be counted.
    for seal, status, code in ((right, 422, "lines_mismatch"), ("S-x", 409, "seal_mismatch")):
        body = {"seal_number": seal, "counts": none}
        refused = house.post(f"/deliveries/{delivery.id}/receipt", body, token=token, step_ups=(proof,))
        assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert house.receive(delivery, token=token, step_ups=(proof,)).status_code == 200


def test_a_step_up_is_good_for_its_act_its_delivery_its_device_and_a_short_time_only(house: House) -> None:
    delivery, other, token = house.delivery(), house.delivery(), house.token("nurse-a1")
    for proof in (
        house.stepped_up("nurse-a1", RECEIVE, other.id),
        house.stepped_up("nurse-a1", "hand_to_runner", delivery.id),
        house.stepped_up("nurse-a1", RECEIVE, delivery.id, device="desk-2"),
        "made-up",
    ):
        refused = house.receive(delivery, token=token, step_ups=(proof,))
        assert (refused.status_code, refused.json()["code"]) == (403, "step_up_refused")
    late = house.stepped_up("nurse-a1", RECEIVE, delivery.id)
    house.clock.move(seconds=STEP_UP_LASTS.total_seconds())
    refused = house.receive(delivery, token=token, step_ups=(late,))
    assert (refused.status_code, refused.json()["code"]) == (403, "step_up_refused")


def test_a_report_asks_for_no_step_up_and_takes_only_good_ones(house: House) -> None:
    delivery, token = house.delivery(), house.token("nurse-a1")
    body = {"code": "other", "sentence": "It stands in the way"}
    for proof in ("made-up", house.stepped_up("nurse-a1", RECEIVE, delivery.id)):
        refused = house.post(f"/deliveries/{delivery.id}/incident", body, token=token, step_ups=(proof,))
        assert (refused.status_code, refused.json()["code"]) == (403, "step_up_refused")
    assert house.post(f"/deliveries/{delivery.id}/incident", body, token=token).status_code == 200
    proof = house.stepped_up("nurse-a1", "hand_to_runner", delivery.id)
    emptied = house.post(
        f"/deliveries/{delivery.id}/incident", {**body, "is_emptied": True}, token=token, step_ups=(proof,)
    )
    assert (emptied.status_code, emptied.json()["drawer"]) == (200, None)


def test_two_step_ups_of_one_person_are_not_two_people(house: House) -> None:
    delivery, token = house.delivery(), house.token("nurse-a1")
    twice = tuple(house.stepped_up("nurse-a1", RECEIVE, delivery.id) for _ in range(2))
    refused = house.receive(delivery, token=token, step_ups=twice)
    assert (refused.status_code, refused.json()["code"]) == (403, "step_up_refused")


def test_nobody_acts_in_the_session_of_somebody_else(house: House) -> None:
    delivery, token = house.delivery(), house.token("nurse-a1")
    others = house.stepped_up("nurse-a2", RECEIVE, delivery.id)
    refused = house.receive(delivery, token=token, step_ups=(others,))
    assert (refused.status_code, refused.json()["code"]) == (403, "step_up_refused")


@pytest.mark.parametrize("person", ["nurse-b1", "porter-1", "accountable-officer-1", "engineer-1"])
def test_who_may_not_receive_gets_no_step_up_and_that_is_kept(house: House, person: str) -> None:
    delivery = house.delivery()
    refused = house.step_up(person, RECEIVE, delivery.id)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    kept = house.decisions()[-1]
    assert (kept.who, kept.is_allowed, kept.subject, kept.device) == (person, False, delivery.id, "desk-1")


def test_a_step_up_made_before_a_revocation_is_worth_nothing_after_it(house: House) -> None:
    delivery, token = house.delivery(), house.token("nurse-a1")
    proofs = tuple(house.stepped_up(person, RECEIVE, delivery.id) for person in ("nurse-a1", "nurse-a2"))
    manager = house.token("site-manager-1", device="desk-2")
    assert house.post("/staff/nurse-a2/revoke", {"reason": "Left"}, token=manager).status_code == 200
    refused = house.receive(delivery, token=token, step_ups=proofs)
    assert (refused.status_code, refused.json()["code"]) == (403, "step_up_refused")


def test_a_step_up_for_an_unknown_delivery_costs_no_guess(house: House) -> None:
    for _ in range(6):
        assert house.step_up("nurse-a1", RECEIVE, "delivery-404").status_code == 404
    assert house.sign_in("nurse-a1").status_code == 201


def test_a_wrong_pin_at_a_step_up_counts_as_one_at_a_sign_in(house: House) -> None:
    delivery = house.delivery(end=WARD_B)
    for _ in range(5):
        assert house.step_up("nurse-b1", RECEIVE, delivery.id, pin="000000").status_code == 401
    assert house.sign_in("nurse-b1").json()["code"] == "pin_locked"
    assert [kept.why for kept in house.decisions()] == [Why.WRONG_PIN] * 5 + [Why.LOCKED]
