"""A PIN changed by its owner, and a badge or PIN made anew: from then on the old ones prove nothing."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from typing import Any

import pytest
from httpx2 import Response

from orchestrator.adapters.identity.secrets import Argon2Secrets
from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.decision import Why
from orchestrator.domain.people.model import PersonId, Role
from orchestrator.domain.people.proofs import WRONG_IN_A_ROW, Credentials
from tests.support.house_of_staff import OWN_DEVICE, House
from tests.support.staff import PIN, WRONG_PIN, badge_of

NEW_PIN = "903172"
RECEIVE = "receive_delivery"
LOST = "Badge lost on the way home"


def change_pin(house: House, person: str, *, pin: str = PIN, new_pin: str = NEW_PIN, **more: Any) -> Response:
    body = {"badge": badge_of(person), "pin": pin, "new_pin": new_pin, "device": OWN_DEVICE, **more}
    return house.client.post("/api/v1/sessions/pin", json=body)


def renew(house: House, person: str, what: str = "both", *, by: str = "administrator-1", **more: Any) -> Response:
    token = house.token(by, device="desk-2")
    return house.post(f"/staff/{person}/renew", {"what": what, "reason": LOST}, token=token, **more)


def sign_in_with(house: House, badge: str, pin: str) -> Response:
    return house.client.post("/api/v1/sessions", json={"badge": badge, "pin": pin, "device": "ward-phone"})


# -- one's own PIN ----------------------------------------------------------------------------------------------------


def test_a_person_changes_their_pin_and_the_old_one_is_wrong_from_then_on(house: House) -> None:
    changed = change_pin(house, "nurse-a1")
    assert (changed.status_code, changed.content) == (204, b"")
    assert changed.headers["cache-control"] == "no-store"
    assert house.sign_in("nurse-a1").json()["code"] == "sign_in_refused"
    assert house.sign_in("nurse-a1", pin=NEW_PIN).status_code == 201
    assert house.sign_in("nurse-a2").status_code == 201, "of nobody else"
    assert house.events("staff_changed") == [("nurse-a1", {"what": "pin_changed", "by": "nurse-a1", "why": ""})]


def test_it_ends_every_session_and_every_unused_step_up_of_the_person(house: House) -> None:
    delivery = house.delivery()
    tokens = [house.token("nurse-a1", device=device) for device in ("desk-1", "desk-2", "ward-phone")]
    colleague = house.token("nurse-a2")
    proof = house.stepped_up("nurse-a1", RECEIVE, delivery.id)
    assert change_pin(house, "nurse-a1").status_code == 204
    for token in tokens:
        ended = house.get("/deliveries", token=token)
        assert (ended.status_code, ended.json()["context"]["ended"]) == (401, "pin_changed")
    assert house.get("/deliveries", token=colleague).status_code == 200
    again = house.sign_in("nurse-a1", pin=NEW_PIN).json()["token"]
    refused = house.receive(delivery, token=again, step_ups=(proof,))
    assert (refused.status_code, refused.json()["code"]) == (403, "step_up_refused")


def test_a_wrong_present_pin_counts_as_one_at_a_sign_in(house: House) -> None:
    for _ in range(WRONG_IN_A_ROW):
        assert change_pin(house, "nurse-a1", pin=WRONG_PIN).json()["code"] == "sign_in_refused"
    for answer in (change_pin(house, "nurse-a1"), house.sign_in("nurse-a1"), house.sign_in("nurse-a1", pin=NEW_PIN)):
        assert (answer.status_code, answer.json()["code"]) == (403, "pin_locked")


def test_an_unknown_badge_is_answered_like_a_wrong_pin_and_takes_the_same_way(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []
    compare = Argon2Secrets.is_pin

    def compare_and_note(secrets: Argon2Secrets, pin: str, hashed: str | None) -> bool:
        compared.append("compared")
        return compare(secrets, pin, hashed)

    def hash_and_note(_secrets: Argon2Secrets, _pin: str) -> str:
        compared.append("hashed")
        return ""

    monkeypatch.setattr(Argon2Secrets, "is_pin", compare_and_note)
    monkeypatch.setattr(Argon2Secrets, "hash_pin", hash_and_note)
    answers = [
        [change_pin(house, who, pin=WRONG_PIN) for _ in range(WRONG_IN_A_ROW + 1)] for who in ("nurse-a1", "nobody-1")
    ]
    known, unknown = ([(one.status_code, one.json()) for one in some] for some in answers)
    assert known == unknown
    assert compared == ["compared"] * 2 * WRONG_IN_A_ROW


@pytest.mark.parametrize(
    ("new_pin", "code"),
    [("000000", "pin_refused"), ("123456", "pin_refused"), (PIN, "pin_refused"), ("12345", None), ("12345x", None)],
)
def test_a_pin_that_nobody_should_have_is_refused_and_costs_no_guess(
    house: House, new_pin: str, code: str | None
) -> None:
    for _ in range(WRONG_IN_A_ROW + 1):
        refused = change_pin(house, "nurse-a1", new_pin=new_pin)
        assert refused.status_code == 422
        assert code in (None, refused.json()["code"])
        assert new_pin not in refused.text
    assert house.sign_in("nurse-a1").status_code == 201


def test_it_is_a_decision_of_the_log_and_neither_pin_is_anywhere(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    change_pin(house, "nurse-a1", pin=WRONG_PIN)
    change_pin(house, "nurse-a1")
    kept = [(one.act, one.who, one.why, one.device) for one in house.decisions()]
    assert kept == [
        (Act.CHANGE_PIN, "nurse-a1", Why.WRONG_PIN, OWN_DEVICE),
        (Act.CHANGE_PIN, "nurse-a1", Why.ALLOWED, OWN_DEVICE),
    ]
    written = io.StringIO()
    written.write(caplog.text + "".join(capsys.readouterr()))
    written.write(repr(house.decisions()) + repr(house.events("staff_changed")))
    with house.store.reading() as uow:
        written.write(repr(uow.people.all()) + repr(uow.people.credentials(PersonId("nurse-a1"))))
    for secret in (PIN, NEW_PIN, WRONG_PIN, badge_of("nurse-a1")):
        assert secret not in written.getvalue()


def test_whose_account_has_ended_changes_no_pin(house: House) -> None:
    manager = house.token("site-manager-1", device="desk-2")
    house.post("/staff/nurse-a1/revoke", {"reason": "Left"}, token=manager)
    refused = change_pin(house, "nurse-a1")
    assert (refused.status_code, refused.json()["code"]) == (403, "account_ended")
    assert house.decisions()[-1].why is Why.ACCOUNT_ENDED


# -- made anew by an administrator ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("what", "told"), [("badge", {"badge"}), ("pin", {"pin"}), ("both", {"badge", "pin"})])
def test_what_is_made_anew_is_told_once_and_the_old_proves_nothing(house: House, what: str, told: set[str]) -> None:
    renewed = renew(house, "nurse-a1", what, key="k")
    assert renewed.status_code == 200
    assert renewed.headers["cache-control"] == "no-store"
    said = renewed.json()
    assert {name for name in ("badge", "pin") if said[name] is not None} == told
    again = renew(house, "nurse-a1", what, key="k").json()
    assert (again["id"], again["badge"], again["pin"]) == ("nurse-a1", None, None)
    assert house.sign_in("nurse-a1").json()["code"] == "sign_in_refused"
    now = sign_in_with(house, said["badge"] or badge_of("nurse-a1"), said["pin"] or PIN)
    assert now.json()["person"] == "nurse-a1"
    (event,) = house.events("staff_changed")
    assert event == ("nurse-a1", {"what": "renewed", "by": "administrator-1", "why": LOST, "renewed": what})
    with house.store.reading() as uow:
        assert not [one for one in (said["badge"], said["pin"]) if one and one in repr(uow.answers)]


@pytest.mark.parametrize("what", ["badge", "pin", "both"])
def test_sessions_and_step_ups_of_who_is_renewed_prove_nothing_any_more(house: House, what: str) -> None:
    delivery, token, colleague = house.delivery(), house.token("nurse-a1"), house.token("nurse-a2", device="desk-2")
    proof = house.stepped_up("nurse-a1", RECEIVE, delivery.id)
    own = house.stepped_up("nurse-a2", RECEIVE, delivery.id, device="desk-2")
    assert renew(house, "nurse-a1", what).status_code == 200
    ended = house.get("/deliveries", token=token)
    assert (ended.status_code, ended.json()["context"]["ended"]) == (401, "renewed")
    refused = house.receive(delivery, token=colleague, step_ups=(own, proof))
    assert (refused.status_code, refused.json()["code"]) == (403, "step_up_refused")


@pytest.mark.parametrize(
    "ask",
    [
        lambda house: house.sign_in("nurse-a1"),
        lambda house: house.step_up("nurse-a1", RECEIVE, house.delivery().id),
        lambda house: change_pin(house, "nurse-a1"),
    ],
    ids=["session", "step-up", "pin"],
)
def test_a_right_pin_that_is_renewed_while_it_is_compared_is_a_wrong_one(
    house: House, monkeypatch: pytest.MonkeyPatch, ask: Callable[[House], Response]
) -> None:
    """The comparison takes long, and nothing is locked meanwhile."""
    compare = Argon2Secrets.is_pin

    def renew_meanwhile(secrets: Argon2Secrets, pin: str, hashed: str | None) -> bool:
        is_right = compare(secrets, pin, hashed)
        with house.store.transaction() as uow:
            badge = uow.people.credentials(PersonId("nurse-a1")).badge
            uow.people.save_credentials(PersonId("nurse-a1"), Credentials(badge, "another"))
        return is_right

    monkeypatch.setattr(Argon2Secrets, "is_pin", renew_meanwhile)
    refused = ask(house)
    assert (refused.status_code, refused.json()["code"]) == (401, "sign_in_refused")
    assert house.decisions()[-1].why is Why.WRONG_PIN
    with house.store.reading() as uow:
        assert uow.proofs.sessions(person=PersonId("nurse-a1")) == []
        assert uow.people.credentials(PersonId("nurse-a1")).pin == "another"


@pytest.mark.parametrize("what", ["badge", "pin", "both"])
def test_a_renewal_lifts_no_lock(house: House, what: str) -> None:
    for _ in range(WRONG_IN_A_ROW):
        house.sign_in("nurse-a1", pin=WRONG_PIN)
    said = renew(house, "nurse-a1", what).json()
    assert said["is_locked"]
    badge, pin = said["badge"] or badge_of("nurse-a1"), said["pin"] or PIN
    assert sign_in_with(house, badge, pin).json()["code"] == "pin_locked"
    manager = house.token("site-manager-1", device="desk-2")
    house.post("/staff/nurse-a1/unlock", {"identity_check": "Photo on the staff card"}, token=manager)
    assert sign_in_with(house, badge, pin).status_code == 201


def test_nobody_renews_their_own_or_the_accountable_officers_and_no_program_anybodys(house: House) -> None:
    own = renew(house, "administrator-1")
    assert (own.status_code, own.json()["context"]["why"]) == (403, "on_self")
    officers = renew(house, "accountable-officer-1")
    assert (officers.status_code, officers.json()["code"]) == (409, "officers_account")
    house.staff.add_token("office", Role.ADMINISTRATOR)
    asked = {"what": "both", "reason": LOST}
    refused = house.post("/staff/nurse-a1/renew", asked, token="secret-office")
    assert (refused.status_code, refused.json()["context"]["why"]) == (403, "no_program")
    for person in ("administrator-1", "accountable-officer-1", "nurse-a1"):
        assert house.sign_in(person).status_code == 201, "nothing has changed"


def test_a_renewal_needs_a_reason_and_an_account_that_stands(house: House) -> None:
    token = house.token("administrator-1", device="desk-2")
    for body in ({"what": "both"}, {"reason": LOST}, {"what": "all", "reason": LOST}, {"what": "pin", "reason": " "}):
        assert house.post("/staff/nurse-a1/renew", body, token=token).status_code == 422
    assert house.sign_in("nurse-a1").status_code == 201
    house.post("/staff/nurse-a1/revoke", {"reason": "Left"}, token=token)
    ended = renew(house, "nurse-a1")
    assert (ended.status_code, ended.json()["code"]) == (409, "person_ended")
    assert renew(house, "nurse-404").json()["code"] == "person_unknown"


def test_the_old_badge_is_counted_as_one_that_nobody_has(house: House) -> None:
    renew(house, "nurse-a1", "badge")
    house.sign_in("nurse-a1")
    assert house.decisions()[-1].why is Why.UNKNOWN_BADGE

    def counts(uow: UnitOfWork) -> list[bool]:
        old = house.staff.secrets.digest_badge(badge_of("nurse-a1"))
        return [count.is_of_nobody for count in uow.proofs.pin_counts(old)]

    with house.store.reading() as uow:
        assert counts(uow) == [True, True]
