"""Who is added to the staff, and what is told once."""

from __future__ import annotations

import pytest

from orchestrator.domain.people.model import Role
from tests.support.house_of_staff import WARD_A, House

NURSE = {"id": "nurse-new", "roles": ["nurse"], "places": [WARD_A], "registration": "12A3456E"}


def test_a_member_of_staff_is_added_and_signs_in_with_what_was_told_once(house: House) -> None:
    token = house.token("administrator-1")
    added = house.post("/staff", NURSE, token=token, key="k")
    assert added.status_code == 201
    assert added.headers["location"] == "/api/v1/staff/nurse-new"
    assert added.headers["cache-control"] == "no-store"
    said = added.json()
    body = {"badge": said["badge"], "pin": said["pin"], "device": "ward-phone"}
    assert house.client.post("/api/v1/sessions", json=body).json()["person"] == "nurse-new"
    again = house.post("/staff", NURSE, token=token, key="k").json()
    assert (again["id"], again["badge"], again["pin"]) == ("nurse-new", None, None)
    with house.store.reading() as uow:
        assert said["pin"] not in repr(uow.answers)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"id": "nurse new"}, "id"),
        ({"roles": []}, "roles"),
        ({"roles": ["accountable_officer", "nurse"]}, "roles"),
        ({"places": []}, "places"),
        ({"places": ["ward-z"]}, "places"),
        ({"registration": None}, "registration"),
        ({"registration": "-"}, "registration"),
        ({"registration": "12A3456E\u200b"}, "registration"),
        ({"registration": "\u0391\u0392123"}, "registration"),
        ({"registration": "X\u001b[2J"}, "registration"),
        ({"id": ".."}, "id"),
        ({"is_agency": True}, "expires_at"),
        ({"is_agency": True, "expires_at": "2026-02-02T12:00:00Z"}, "expires_at"),
        ({"expires_at": "2026-01-31T12:00:00Z"}, "expires_at"),
    ],
)
def test_what_cannot_be_so_is_refused_by_field(house: House, changed: dict[str, object], field: str) -> None:
    refused = house.post("/staff", NURSE | changed, token=house.token("administrator-1"))
    assert refused.status_code == 422
    assert field in {one["field"].removeprefix("body.") for one in refused.json()["errors"]}


def test_an_id_is_never_given_twice_not_even_to_a_program(house: House) -> None:
    token = house.token("administrator-1")
    assert house.post("/staff", NURSE | {"id": "nurse-a1"}, token=token).json()["code"] == "person_taken"
    program = {"name": "nurse-a1", "roles": ["nurse"]}
    assert house.post("/tokens", program, token=token).json()["code"] == "person_taken"


@pytest.mark.parametrize("name", ["terminal", "Terminal", "custody", "dispatch", "schedule"])
def test_nobody_is_called_as_this_house_signs_with(house: House, name: str) -> None:
    """What was done at the terminal, or by itself, would read as done by that person or program."""
    token = house.token("administrator-1")
    assert house.post("/staff", NURSE | {"id": name}, token=token).json()["code"] == "person_taken"
    assert house.post("/tokens", {"name": name, "roles": ["nurse"]}, token=token).json()["code"] == "person_taken"


def test_a_token_that_would_prove_nothing_is_not_made(house: House) -> None:
    ended = {"name": "epr", "roles": ["pharmacist"], "expires_at": house.clock.now().isoformat()}
    refused = house.post("/tokens", ended, token=house.token("administrator-1"))
    assert (refused.status_code, refused.json()["code"]) == (422, "person_invalid")
    assert refused.json()["errors"][0]["field"] == "expires_at"


@pytest.mark.parametrize("written", [" 12a3456e ", "12A 3456 E", "12A-3456/E."])
def test_nobody_is_added_with_the_registration_number_of_somebody_whose_account_stands(
    house: House, written: str
) -> None:
    token = house.token("administrator-1")
    assert house.post("/staff", NURSE, token=token).status_code == 201
    again = NURSE | {"id": "nurse-again", "registration": written}
    refused = house.post("/staff", again, token=token)
    assert (refused.status_code, refused.json()["code"]) == (409, "registration_taken")
    assert "nurse-new" in refused.json()["detail"]
    assert "12A3456E" not in refused.text
    revoked = house.post("/staff/nurse-new/revoke", {"reason": "Came back under another name"}, token=token)
    assert revoked.status_code == 200
    assert house.post("/staff", again, token=token).status_code == 201


def test_a_program_acts_within_its_roles_and_never_for_people(house: House) -> None:
    token = house.token("administrator-1")
    made = house.post("/tokens", {"name": "epr", "roles": ["pharmacist"], "places": ["pharmacy-hatch-1"]}, token=token)
    text = made.json()["token"]
    queued = house.post(
        "/deliveries",
        {
            "from_station": "pharmacy-hatch-1",
            "to_station": WARD_A,
            "lines": [{"medicine": "Paracetamol 500 mg tablets", "quantity": 28, "unit": "tablet"}],
        },
        token=text,
    )
    assert queued.status_code == 201
    body = {"seal_number": "S", "counts": [{"line": "l", "quantity": 1}]}
    refused = house.post(f"/deliveries/{queued.json()['id']}/load", body, token=text)
    assert (refused.status_code, refused.json()["context"]["why"]) == (403, "no_program")
    listed = house.get("/tokens", token=token).json()["tokens"]
    assert [one["id"] for one in listed] == ["epr"]
    assert "token" not in listed[0]


def test_staff_is_listed_with_whose_badge_is_locked(house: House) -> None:
    for _ in range(5):
        house.sign_in("nurse-a1", pin="000000")
    listed = house.get("/staff", token=house.token("site-manager-1")).json()["staff"]
    assert [one["id"] for one in listed if one["is_locked"]] == ["nurse-a1"]


def test_a_revoked_person_stays_on_the_books(house: House) -> None:
    token = house.token("site-manager-1")
    first = house.post("/staff/nurse-a1/revoke", {"reason": "Left"}, token=token).json()
    house.clock.move(seconds=60)
    again = house.post("/staff/nurse-a1/revoke", {"reason": "Left"}, token=token).json()
    assert first["revoked_at"] is not None
    assert again == first
    unknown = house.post("/staff/nurse-404/revoke", {"reason": "Left"}, token=token)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "person_unknown")


def test_the_officer_reads_what_was_decided_and_a_nurse_does_not(house: House) -> None:
    delivery = house.delivery()
    house.get(f"/deliveries/{delivery.id}", token=house.token("nurse-b1"))
    officer = house.token("accountable-officer-1", device="desk-2")
    page = house.get("/access-log?refused_only=true", token=officer).json()["decisions"]
    assert [(one["who"], one["act"], one["subject"], one["why"], one["device"]) for one in page] == [
        ("nurse-b1", "read_delivery", delivery.id, "wrong_place", "desk-1")
    ]
    first = house.get("/access-log?limit=1", token=officer).json()
    second = house.get(f"/access-log?limit=1&after={first['next_after']}", token=officer).json()
    assert second["decisions"][0]["number"] == first["decisions"][0]["number"] - 1
    assert house.get("/access-log", token=house.token("nurse-a1")).status_code == 403


def test_the_same_read_is_kept_once_in_a_quarter_of_an_hour_and_every_act_is(house: House) -> None:
    delivery, token = house.delivery(), house.token("pharmacist-1")
    for _ in range(3):
        house.get(f"/deliveries/{delivery.id}", token=token)
    for number in range(2):
        house.post(f"/robots/robot-{number + 1}/pause", {"reason": "In the way"}, token=token)
    kept = [(one.act.value, one.subject) for one in house.decisions() if one.is_allowed]
    assert kept == [
        ("sign_in", ""),
        ("read_delivery", delivery.id),
        ("pause_robot", "robot-1"),
        ("pause_robot", "robot-2"),
    ]


def test_roles_of_a_program_are_not_those_of_a_person(house: House) -> None:
    house.staff.add_token("manager", Role.SITE_MANAGER)
    refused = house.post("/staff/nurse-a1/unlock", {"identity_check": "None"}, token="secret-manager")
    assert refused.json()["context"]["why"] == "no_program"
