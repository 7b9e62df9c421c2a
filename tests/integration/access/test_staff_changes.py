"""People change wards, roles and the end of their account: at once, for sessions, step-ups and open streams too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Response

from orchestrator.domain.access.acts import Act
from orchestrator.domain.delivery.model import DeliveryId
from orchestrator.domain.people.model import PersonId, Role
from tests.support.deliveries import NOON
from tests.support.house_of_staff import PHARMACY, WARD_A, WARD_B, House, a_house
from tests.support.open_streams import heard_until_ended

LIMIT_S, TIMEOUT_S = 2.0, 10.0
RECEIVE = "receive_delivery"
MOVED = "Moved to the other ward"


def change(house: House, person: str, by: str = "administrator-1", **changes: Any) -> Response:
    token = house.token(by, device="desk-2")
    return house.post(f"/staff/{person}/change", {"reason": MOVED, **changes}, token=token)


def accountable(house: House, delivery: DeliveryId) -> str | None:
    with house.store.reading() as uow:
        return uow.deliveries.get(delivery).custody.accountable


def test_what_is_named_changes_and_the_rest_stays(house: House) -> None:
    changed = change(house, "nurse-a1", places=[WARD_B]).json()
    assert (changed["places"], changed["roles"], changed["registration"]) == ([WARD_B], ["nurse"], "R-a1")
    changed = change(house, "nurse-a1", roles=["nurse", "nurse_in_charge"], registration="12A3456E").json()
    assert (changed["places"], changed["roles"]) == ([WARD_B], ["nurse", "nurse_in_charge"])
    assert changed["registration"] == "12A3456E"
    until = change(house, "nurse-a1", expires_at="2026-02-03T07:30:00Z").json()["expires_at"]
    assert until == "2026-02-03T07:30:00Z"
    assert change(house, "nurse-a1", expires_at=None).json()["expires_at"] is None


def test_the_history_says_what_was_and_what_is_and_no_registration_number(house: House) -> None:
    change(house, "nurse-a1", places=[WARD_B], registration="12A3456E")
    ((subject, said),) = house.events("staff_changed")
    assert (subject, said["what"], said["by"], said["why"]) == ("nurse-a1", "changed", "administrator-1", MOVED)
    assert said["changes"] == {"places": {"from": [WARD_A], "to": [WARD_B]}, "registration": "changed"}
    kept = house.decisions()[-1]
    assert (kept.act, kept.who, kept.subject) == (Act.CHANGE_STAFF, "administrator-1", "nurse-a1")


def test_the_same_again_changes_nothing(house: House) -> None:
    assert change(house, "nurse-a1", places=[WARD_A]).status_code == 200
    assert house.events("staff_changed") == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"roles": []}, "roles"),
        ({"roles": ["pharmacist"], "places": []}, "places"),
        ({"places": ["ward-z"]}, "places"),
        ({"registration": ""}, "registration"),
        ({"registration": " "}, "registration"),
        ({"expires_at": "2026-01-31T12:00:00Z"}, "expires_at"),
        ({}, "roles"),
        ({"reason": " ", "places": [WARD_B]}, "reason"),
    ],
)
def test_what_could_not_be_added_is_no_change_either(house: House, changes: dict[str, Any], field: str) -> None:
    refused = change(house, "nurse-a1", **changes)
    said = refused.json()
    assert refused.status_code == 422
    assert field in {*(one["field"].removeprefix("body.") for one in said["errors"]), said["context"].get("field")}
    assert house.events("staff_changed") == []


def test_a_role_needs_the_registration_that_adding_asks_for(house: House) -> None:
    refused = change(house, "porter-1", roles=["nurse"], places=[WARD_A])
    assert (refused.status_code, refused.json()["code"]) == (422, "person_invalid")
    assert change(house, "porter-1", roles=["nurse"], places=[WARD_A], registration="12A3456E").status_code == 200


def test_nobody_changes_their_own_and_nobody_becomes_or_ceases_to_be_the_officer(house: House) -> None:
    own = change(house, "administrator-1", roles=["administrator", "pharmacist"], places=[PHARMACY], registration="P")
    assert (own.status_code, own.json()["context"]["why"]) == (403, "on_self")
    for person, roles in (("accountable-officer-1", ["porter"]), ("porter-1", ["accountable_officer"])):
        refused = change(house, person, roles=roles)
        assert (refused.status_code, refused.json()["code"]) == (409, "officers_account")
    assert change(house, "nurse-a1", by="site-manager-1", places=[WARD_B]).json()["code"] == "not_allowed"


def test_a_revoked_account_is_not_changed(house: House) -> None:
    manager = house.token("site-manager-1", device="desk-2")
    house.post("/staff/nurse-a1/revoke", {"reason": "Left"}, token=manager)
    refused = change(house, "nurse-a1", places=[WARD_B])
    assert (refused.status_code, refused.json()["code"]) == (409, "person_ended")


def test_a_session_that_goes_on_holds_no_role_and_no_place_of_before(house: House) -> None:
    here, there = house.delivery(end=WARD_A), house.delivery(end=WARD_B)
    token = house.token("nurse-a1")
    assert house.get(f"/deliveries/{here.id}", token=token).status_code == 200
    assert house.get(f"/deliveries/{there.id}", token=token).status_code == 403
    change(house, "nurse-a1", places=[WARD_B])
    assert house.get(f"/deliveries/{here.id}", token=token).status_code == 403
    assert house.get(f"/deliveries/{there.id}", token=token).status_code == 200
    assert house.get("/sessions/current", token=token).json()["places"] == [WARD_B]
    change(house, "nurse-a1", roles=["porter"])
    assert house.post(f"/deliveries/{there.id}/cancel", {"reason": "Not wanted"}, token=token).status_code == 403


def test_a_step_up_made_before_is_judged_by_who_the_person_is_now(house: House) -> None:
    delivery, token = house.delivery(), house.token("nurse-a1")
    proofs = tuple(house.stepped_up(person, RECEIVE, delivery.id) for person in ("nurse-a1", "nurse-a2"))
    change(house, "nurse-a2", places=[WARD_B])
    refused = house.receive(delivery, token=token, step_ups=proofs)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")


def test_what_was_left_of_an_account_that_had_ended_does_not_come_back_with_it(house: House) -> None:
    ends = NOON + timedelta(minutes=10)
    house.staff.add("agency-1", Role.NURSE, places=(WARD_A,), registration="R", is_agency=True, expires_at=ends)
    token = house.token("agency-1")
    house.clock.move(seconds=601)
    changed = change(house, "agency-1", expires_at="2026-01-31T20:00:00Z")
    assert changed.status_code == 200
    ended = house.get("/deliveries", token=token)
    assert (ended.status_code, ended.json()["context"]["ended"]) == (401, "account_resumed")
    assert house.sign_in("agency-1").status_code == 201


def test_who_loses_the_role_for_what_they_answer_for_leaves_it_and_people_are_told(house: House) -> None:
    sealed = house.delivery()
    with house.store.transaction() as uow:
        answered = replace(sealed.custody, accountable=PersonId("pharmacist-1"))
        uow.deliveries.save(replace(sealed, custody=answered))
    change(house, "pharmacist-1", places=[PHARMACY], registration="P-2")
    assert accountable(house, sealed.id) == "pharmacist-1", "nothing was lost"
    change(house, "pharmacist-1", roles=["porter"])
    assert accountable(house, sealed.id) is None
    with house.store.reading() as uow:
        assert [one.kind.value for one in uow.incidents.newest(9)] == ["custody_without_person"]


# -- on open streams --------------------------------------------------------------------------------------------------


@pytest.fixture
def served_house() -> Iterator[House]:
    with a_house(is_served=True) as made:
        yield made


def renew(house: House) -> None:
    token = house.token("administrator-1", device="desk-2")
    asked = {"what": "badge", "reason": "Lost"}
    assert house.post("/staff/nurse-a1/renew", asked, token=token).status_code == 200


def shorten(house: House) -> None:
    assert change(house, "nurse-a1", expires_at="2026-01-31T12:00:30Z").status_code == 200
    house.clock.move(seconds=31)


def choose_another_pin(house: House) -> None:
    body = {"badge": "badge-of-nurse-a1", "pin": "428615", "new_pin": "903172", "device": "desk-2"}
    assert house.client.post("/api/v1/sessions/pin", json=body).status_code == 204


@pytest.mark.parametrize("do", [renew, shorten, choose_another_pin])
def test_an_open_stream_ends_within_two_seconds(served_house: House, do: Callable[[House], None]) -> None:
    token = served_house.token("nurse-a1")
    last = heard_until_ended(served_house, token, lambda: do(served_house), limit_s=LIMIT_S, timeout_s=TIMEOUT_S)
    assert last[-2] == "event: session_ended"


def made_by_another_token(house: House) -> tuple[str, str]:
    """A token of an administrator, and one that was made by it."""
    first = house.post("/tokens", {"name": "first", "roles": ["administrator"]}, token=house.token("administrator-1"))
    second = house.post("/tokens", {"name": "second", "roles": ["administrator"]}, token=first.json()["token"])
    return first.json()["token"], second.json()["token"]


def test_nobody_changes_their_own_account_by_a_token_they_made(house: House) -> None:
    said = {"roles": ["pharmacist"], "places": [PHARMACY], "registration": "2012345", "reason": MOVED}
    for token in made_by_another_token(house):
        refused = house.post("/staff/administrator-1/change", said, token=token)
        assert (refused.status_code, refused.json()["context"]["why"]) == (403, "on_self")
        assert house.post("/staff/nurse-a1/change", {"places": [WARD_B], "reason": MOVED}, token=token).is_success


def revoked(house: House) -> Response:
    manager = house.token("site-manager-1", device="desk-2")
    return house.post("/staff/administrator-1/revoke", {"reason": "Left"}, token=manager)


def no_administrator_any_more(house: House) -> Response:
    house.staff.add("administrator-2", Role.ADMINISTRATOR)
    return change(house, "administrator-1", by="administrator-2", roles=["porter"])


@pytest.mark.parametrize("end", [revoked, no_administrator_any_more])
def test_who_is_no_administrator_any_more_is_none_by_tokens_they_made(
    house: House, end: Callable[[House], Response]
) -> None:
    tokens = made_by_another_token(house)
    program = {"name": "epr", "roles": ["pharmacist"], "places": [PHARMACY]}
    epr = house.post("/tokens", program, token=house.token("administrator-1")).json()["token"]
    assert end(house).is_success
    for number, token in enumerate(tokens):
        again = house.post("/staff", {"id": f"nobody-{number}", "roles": ["porter"]}, token=token)
        assert (again.status_code, again.json()["code"]) == (401, "session_ended")
    assert house.get("/deliveries", token=epr).is_success
