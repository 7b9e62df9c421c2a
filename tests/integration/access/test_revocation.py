"""A revocation is effective at once: for sessions, step-ups, tokens and open streams."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest

from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.people.model import PersonId, Role
from tests.support.house_of_staff import House, a_house
from tests.support.open_streams import heard_until_ended
from tests.support.staff import bearer

LIMIT_S = 2.0
TIMEOUT_S = 10.0
LEFT = {"reason": "Left the hospital"}


@pytest.fixture
def served_house() -> Iterator[House]:
    with a_house(is_served=True) as made:
        yield made


def revoke_person(house: House) -> None:
    manager = house.token("site-manager-1", device="desk-2")
    assert house.post("/staff/nurse-a1/revoke", LEFT, token=manager).status_code == 200


def revoke_token(house: House) -> None:
    manager = house.token("site-manager-1", device="desk-2")
    assert house.post("/tokens/epr/revoke", {}, token=manager).status_code == 200


def test_sessions_of_who_is_revoked_prove_nothing_any_more_and_nobody_signs_in_again(house: House) -> None:
    token = house.token("nurse-a1")
    revoke_person(house)
    ended = house.get("/deliveries", token=token)
    assert (ended.status_code, ended.json()["code"]) == (401, "session_ended")
    assert house.sign_in("nurse-a1").json()["code"] == "account_ended"


def test_a_token_that_is_taken_back_proves_nothing_any_more(house: House) -> None:
    house.staff.add_token("epr", Role.PHARMACIST)
    assert house.get("/deliveries", token="secret-epr").status_code == 200
    revoke_token(house)
    assert house.get("/deliveries", token="secret-epr").status_code == 401


def test_an_act_that_was_let_in_before_the_revocation_is_not_done_after_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof is looked at again within the act's transaction."""
    delivery, token = house.delivery(), house.token("nurse-a1")

    def revoke_first() -> AbstractContextManager[UnitOfWork]:
        monkeypatch.undo()
        with house.store.transaction() as uow:
            person = uow.people.get(PersonId("nurse-a1"))
            uow.people.save(replace(person, revoked_at=house.clock.now()))
        return house.store.transaction()

    monkeypatch.setattr(house.store, "transaction", revoke_first)
    refused = house.post(f"/deliveries/{delivery.id}/cancel", LEFT, token=token)
    assert (refused.status_code, refused.json()["code"]) == (401, "session_ended")


@pytest.mark.parametrize(
    ("start", "revoke"),
    [
        (lambda house: house.token("nurse-a1"), revoke_person),
        (lambda house: house.staff.add_token("epr", Role.PHARMACIST) and "secret-epr", revoke_token),
    ],
    ids=["person", "token"],
)
def test_an_open_stream_ends_within_two_seconds_and_says_so(
    served_house: House, start: Callable[[House], str], revoke: Callable[[House], None]
) -> None:
    token = start(served_house)
    last = heard_until_ended(served_house, token, lambda: revoke(served_house), limit_s=LIMIT_S, timeout_s=TIMEOUT_S)
    assert last[-2] == "event: session_ended"
    assert json.loads(last[-1].removeprefix("data: "))["code"] == "session_ended"


def test_a_stream_that_reads_up_on_much_ends_as_soon(served_house: House) -> None:
    """More events wait than the sockets hold, so the rest would be sent after the revocation."""
    with served_house.store.transaction() as uow:
        for _ in range(10_000):
            uow.events.append(at=served_house.clock.now(), kind="noted", subject="robot-1", data={"what": "x" * 1000})
    token = served_house.token("nurse-a1")
    address = "/api/v1/events?after=0"
    with served_house.client.stream("GET", address, headers=bearer(token), timeout=TIMEOUT_S) as answer:
        lines = answer.iter_lines()
        next(line for line in lines if line.startswith("id: "))
        revoke_person(served_house)
        rest = [line for line in lines if line.startswith(("id: ", "event: session_ended"))]
    assert rest[-1] == "event: session_ended"
    assert int(rest[-2].removeprefix("id: ")) < 10_000


@pytest.mark.parametrize(("person", "is_told"), [("nurse-b1", False), ("site-manager-1", True)])
def test_why_an_account_ended_is_told_to_who_may_list_staff_alone(
    served_house: House, person: str, is_told: bool
) -> None:
    revoke_person(served_house)
    address = "/api/v1/events?after=0"
    headers = bearer(served_house.token(person))
    with served_house.client.stream("GET", address, headers=headers, timeout=TIMEOUT_S) as answer:
        lines = answer.iter_lines()
        next(line for line in lines if line == "event: staff_changed")
        said = json.loads(next(lines).removeprefix("data: "))
    assert (said["subject"], said["data"]["what"]) == ("nurse-a1", "revoked")
    assert ("why" in said["data"]) is is_told
