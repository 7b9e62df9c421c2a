"""Who signs in, how long that lasts, and what a wrong PIN costs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.domain.access.decision import Why
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.people.model import Role
from orchestrator.domain.people.proofs import ABSOLUTE, IDLE, IDLE_SHARED, WRONG_IN_A_ROW, WRONG_IN_A_WHILE
from tests.support.deliveries import NOON
from tests.support.house_of_staff import WARD_A, House
from tests.support.staff import PIN, WRONG_PIN, badge_of, bearer

REASON = {"reason": "Stands in the way"}


def test_a_session_says_who_signed_in_and_until_when(house: House) -> None:
    said = house.sign_in("nurse-a1").json()
    assert (said["person"], said["roles"], said["places"]) == ("nurse-a1", ["nurse"], [WARD_A])
    assert not said["ends_after_one_act"]
    now = house.get("/sessions/current", token=said["token"]).json()
    assert (now["id"], now["kind"], now["device"]) == ("nurse-a1", "person", "desk-1")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer made-up"}, {"Authorization": "Basic bnVyc2U6MQ=="}])
def test_without_proof_nobody_is_let_in(house: House, headers: dict[str, str]) -> None:
    answer = house.client.get("/api/v1/deliveries", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert house.decisions()[-1].why is Why.NO_PROOF


def test_the_header_of_development_proves_nothing_here(house: House) -> None:
    headers = {"Wardporter-Principal": "site-manager-1", "Idempotency-Key": "k"}
    assert house.client.post("/api/v1/robots/robot-1/pause", json=REASON, headers=headers).status_code == 401


def test_a_session_ends_when_it_is_not_used(house: House) -> None:
    token = house.token("nurse-a1")
    for _ in range(3):
        house.clock.move(seconds=(IDLE - timedelta(seconds=1)).total_seconds())
        assert house.get("/deliveries", token=token).status_code == 200, "each use keeps it going"
    house.clock.move(seconds=IDLE.total_seconds())
    ended = house.get("/deliveries", token=token)
    assert (ended.status_code, ended.json()["code"]) == (401, "session_ended")


def test_what_a_page_does_by_itself_keeps_no_session_going(house: House) -> None:
    token = house.token("nurse-a1")
    house.clock.move(seconds=IDLE.total_seconds() - 1)
    assert house.get("/robots", token=token).status_code == 200
    house.clock.move(seconds=1)
    assert house.get("/robots", token=token).status_code == 401


def test_a_session_ends_after_eight_hours_however_much_it_is_used(house: House) -> None:
    token = house.token("nurse-a1")
    for _ in range(int(ABSOLUTE / timedelta(minutes=10)) - 1):
        house.clock.move(seconds=600)
        assert house.get("/deliveries", token=token).status_code == 200
    house.clock.move(seconds=600)
    assert house.get("/deliveries", token=token).status_code == 401


def test_signing_out_ends_a_session(house: House) -> None:
    token = house.token("nurse-a1")
    assert house.client.post("/api/v1/sessions/end", headers=bearer(token)).status_code == 204
    assert house.get("/deliveries", token=token).status_code == 401


def test_on_a_shared_device_a_session_ends_with_one_act_and_a_retry_still_gets_its_answer(house: House) -> None:
    said = house.sign_in("nurse-a1", device="ward-phone").json()
    assert said["ends_after_one_act"]
    token, one, two = said["token"], house.delivery(DeliveryState.VERIFIED), house.delivery(DeliveryState.VERIFIED)
    assert house.get("/deliveries", token=token).status_code == 200, "looking is no act"
    done = house.post(f"/deliveries/{one.id}/cancel", REASON, token=token, key="k")
    assert done.status_code == 200
    again = house.post(f"/deliveries/{one.id}/cancel", REASON, token=token, key="k")
    assert (again.status_code, again.json()) == (200, done.json())
    for refused in (
        house.post(f"/deliveries/{two.id}/cancel", REASON, token=token),
        house.get(f"/deliveries/{one.id}", token=token),
        house.get("/deliveries", token=token),
    ):
        assert (refused.status_code, refused.json()["code"]) == (401, "session_ended")
    house.clock.move(seconds=IDLE_SHARED.total_seconds())
    assert house.post(f"/deliveries/{one.id}/cancel", REASON, token=token, key="k").status_code == 401


def test_a_refused_act_does_not_use_a_shared_session_up(house: House) -> None:
    token, delivery = house.token("nurse-a1", device="ward-phone"), house.delivery(DeliveryState.VERIFIED)
    assert house.post(f"/deliveries/{delivery.id}/cancel", {"reason": " "}, token=token).status_code == 422
    assert house.post(f"/deliveries/{delivery.id}/cancel", REASON, token=token).status_code == 200


def test_a_shared_session_ends_after_two_minutes_without_use(house: House) -> None:
    token = house.token("nurse-a1", device="ward-phone")
    house.clock.move(seconds=IDLE_SHARED.total_seconds())
    assert house.get("/deliveries", token=token).status_code == 401


def test_an_agency_account_ends_with_its_shift_and_so_do_its_sessions(house: House) -> None:
    house.staff.add("agency-1", Role.NURSE, places=(WARD_A,), is_agency=True, expires_at=NOON + timedelta(hours=1))
    token = house.token("agency-1")
    for _ in range(5):
        house.clock.move(seconds=600)
        assert house.get("/deliveries", token=token).status_code == 200
    house.clock.move(seconds=600)
    assert house.get("/deliveries", token=token).status_code == 401
    refused = house.sign_in("agency-1")
    assert (refused.status_code, refused.json()["code"]) == (403, "account_ended")


def test_an_unknown_badge_and_a_wrong_pin_are_answered_alike_to_the_end(house: House) -> None:
    answers = [
        [house.sign_in(who, pin=WRONG_PIN) for _ in range(WRONG_IN_A_ROW + 2)] for who in ("nurse-a1", "nobody-1")
    ]
    known, unknown = ([(one.status_code, one.json()) for one in some] for some in answers)
    assert known == unknown
    assert [status for status, _ in known] == [401] * WRONG_IN_A_ROW + [403] * 2


def test_five_wrong_pins_lock_the_right_one_out_too_and_everywhere(house: House) -> None:
    for _ in range(WRONG_IN_A_ROW):
        assert house.sign_in("nurse-a1", pin=WRONG_PIN).json()["code"] == "sign_in_refused"
    for device in ("desk-1", "desk-2", "ward-phone"):
        locked = house.sign_in("nurse-a1", device=device)
        assert (locked.status_code, locked.json()["code"]) == (403, "pin_locked")
    assert house.sign_in("nurse-a2").status_code == 201
    assert [subject for subject, data in house.events("access_locked") if data["what"] == "person"] == ["nurse-a1"]


def test_guesses_are_bounded_over_all_devices_together(house: House) -> None:
    tried = 0
    for number in range(100):
        if house.sign_in("nurse-a1", device=f"phone-{number}", pin=WRONG_PIN).json()["code"] == "sign_in_refused":
            tried += 1
    assert tried == WRONG_IN_A_ROW


def test_right_pins_in_between_do_not_buy_guesses_without_end(house: House) -> None:
    """Somebody with a copy of a badge guesses on, while its owner signs in again and again."""
    tried = 0
    for _ in range(100):
        if house.sign_in("nurse-a1", pin=WRONG_PIN).json()["code"] == "sign_in_refused":
            tried += 1
        house.sign_in("nurse-a1")
    assert tried == WRONG_IN_A_WHILE


def test_a_lock_is_not_passed_by_time(house: House) -> None:
    for _ in range(WRONG_IN_A_ROW):
        house.sign_in("nurse-a1", pin=WRONG_PIN)
    house.clock.move(seconds=timedelta(days=365).total_seconds())
    assert house.sign_in("nurse-a1").json()["code"] == "pin_locked"


def lock(house: House, person: str) -> None:
    for _ in range(WRONG_IN_A_ROW):
        house.sign_in(person, pin=WRONG_PIN)
    assert house.sign_in(person).json()["code"] == "pin_locked"


@pytest.mark.parametrize("by", ["in-charge-a", "site-manager-1"])
def test_the_nurse_in_charge_of_the_ward_or_the_site_manager_lifts_a_lock(house: House, by: str) -> None:
    lock(house, "nurse-a1")
    token = house.token(by, device="desk-2")
    asked = {"identity_check": "Photo on the staff card"}
    assert house.post("/staff/nurse-a1/unlock", asked, token=token).json()["is_locked"] is False
    assert house.sign_in("nurse-a1").status_code == 201
    assert house.events("staff_changed")[-1] == (
        "nurse-a1",
        {"what": "unlocked", "by": by, "why": "Photo on the staff card"},
    )


@pytest.mark.parametrize("by", ["in-charge-b", "nurse-a2", "pharmacist-1", "administrator-1", "porter-1"])
def test_nobody_else_lifts_a_lock(house: House, by: str) -> None:
    lock(house, "nurse-a1")
    asked = {"identity_check": "Photo on the staff card"}
    refused = house.post("/staff/nurse-a1/unlock", asked, token=house.token(by, device="desk-2"))
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    assert house.sign_in("nurse-a1").json()["code"] == "pin_locked"


def test_nobody_lifts_their_own_lock_or_without_saying_how_they_checked(house: House) -> None:
    token = house.token("in-charge-a", device="desk-2")
    lock(house, "in-charge-a")
    refused = house.post("/staff/in-charge-a/unlock", {"identity_check": "It is me"}, token=token)
    assert (refused.status_code, refused.json()["context"]["why"]) == (403, "on_self")
    assert house.post("/staff/nurse-a1/unlock", {"identity_check": " "}, token=token).status_code == 422
    assert house.post("/staff/nurse-a1/unlock", {}, token=token).status_code == 422


def test_three_refused_acts_at_a_device_end_its_sessions_and_tell(house: House) -> None:
    """Case 44."""
    delivery, token, other = house.delivery(), house.token("nurse-b1"), house.token("nurse-a1", device="desk-2")
    for _ in range(2):
        assert house.get(f"/deliveries/{delivery.id}", token=token).status_code == 403
    assert house.step_up("nurse-b1", "receive_delivery", delivery.id).status_code == 403
    ended = house.get("/deliveries", token=token)
    assert (ended.status_code, ended.json()["context"]["ended"]) == (401, "device_locked")
    assert house.events("access_locked") == [("desk-1", {"what": "device", "why": "3 acts refused"})]
    assert house.get("/deliveries", token=other).status_code == 200, "another device goes on"


def test_refusals_of_different_hours_do_not_add_up(house: House) -> None:
    delivery = house.delivery()
    token = house.token("nurse-b1")
    for _ in range(6):
        assert house.get(f"/deliveries/{delivery.id}", token=token).status_code == 403
        house.clock.move(seconds=500)
        assert house.get("/deliveries", token=token).status_code == 200


def test_no_secret_and_no_badge_is_kept_in_the_clear(house: House) -> None:
    token = house.token("nurse-a1")
    with house.store.reading() as uow:
        kept = f"{uow.people!r} {uow.proofs!r}"
    assert [secret for secret in (token, badge_of("nurse-a1"), PIN) if secret in kept] == []
    assert "$argon2id$" in kept
