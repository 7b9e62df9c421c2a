"""Every cell of the policy over HTTP: role, act, how related to what is acted on, and state where it matters.

What is expected is worked out from the table's rows in a way of its own; `tests/unit/domain/access` says by hand what
the table itself must say.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.policy import POLICY, Relation
from orchestrator.domain.delivery.model import Delivery, DeliveryState
from orchestrator.domain.people.model import Person, Role
from orchestrator.domain.people.proofs import Session
from orchestrator.domain.site.model import StationId
from orchestrator.http.access import declared_acts
from orchestrator.http.app import build_app
from simulation.memory_store import MemoryStore
from tests.support.deliveries import a_request, counts_of, queue
from tests.support.desk import StoreDoor, a_desk
from tests.support.house_of_staff import PHARMACY, WARD_A, WARD_B, House, a_house
from tests.support.staff import PIN, badge_of, bearer

OWN = WARD_A
ENDS = {
    "from own": (OWN, WARD_B, None),
    "to own": (PHARMACY, OWN, None),
    "of others": (PHARMACY, WARD_B, None),
    "back to own": (PHARMACY, WARD_B, OWN),
    "from own, back to others": (OWN, WARD_B, PHARMACY),
}
"""Where a delivery comes from, goes, and comes back to if not to where it started, as seen by who is of ward A."""
STREAM = "/api/v1/events"
"""Has no end, so that a test in the process cannot read it; `test_revocation.py` does."""
PUBLIC = {"/healthz", "/readyz", "/api/v1/sessions", "/api/v1/sessions/pin", "/api/v1/step-ups"}


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    act: Act

    @property
    def is_of_delivery(self) -> bool:
        return "{delivery}" in self.path or self.act is Act.QUEUE_DELIVERY


def routes() -> list[Route]:
    found: list[Route] = []
    for path, methods, act in declared_acts(build_app(a_desk(StoreDoor(MemoryStore()))).routes):
        assert act is not None, path
        found += [Route(method, path, act) for method in sorted(methods - {"HEAD"})]
    return found


ROUTES = routes()
OF_DELIVERIES = [route for route in ROUTES if route.is_of_delivery]
OF_STAFF = [route for route in ROUTES if "{person}" in route.path]
OF_PLACES = [route for route in ROUTES if "{place}" in route.path or route.act is Act.ACKNOWLEDGE_RECALL]
OTHERS = [
    route
    for route in ROUTES
    if route not in (*OF_DELIVERIES, *OF_STAFF, *OF_PLACES) and not POLICY[route.act].is_public and route.path != STREAM
]


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with a_house() as made:
        yield made


_numbers = itertools.count()


def person_with(house: House, role: Role, *places: str) -> Person:
    return house.staff.add(f"m-{role.value}-{next(_numbers)}", role, places=places)


def signed_in(house: House, person: Person) -> dict[str, str]:
    """Sign somebody in at a device of their own, so that what is refused elsewhere locks nothing here."""
    name = f"m-{next(_numbers)}"
    digest = house.staff.secrets.digest_token(name)
    at = house.clock.now()
    with house.store.transaction() as uow:
        uow.proofs.add_session(Session(name, digest, person.id, name, is_shared=False, started_at=at, used_at=at))
    return bearer(name)


def proof_of(house: House, role: Role, *, is_program: bool) -> dict[str, str]:
    if not is_program:
        return signed_in(house, person_with(house, role, OWN))
    name = f"program-{next(_numbers)}"
    house.staff.add_token(name, role, places=(OWN,))
    return bearer(f"secret-{name}")


def delivery_in(house: House, ends: str, state: DeliveryState) -> Delivery:
    with house.store.transaction() as uow:
        source, target, back = ENDS[ends]
        made = queue(uow, a_request(source, target), ids=house.ids)
        custody = replace(made.custody, return_to=None if back is None else StationId(back))
        made = replace(made, state=state, custody=custody)
        uow.deliveries.save(made)
    return made


def may(
    act: Act, role: Role, related: set[Relation], state: DeliveryState | None = None, *, is_program: bool = False
) -> bool:
    cell = POLICY[act]
    if is_program and not cell.for_programs:
        return False
    rows = [rule for rule in cell.rules if role in rule.roles and rule.relation in related]
    known = {one for rule in cell.rules for one in rule.states or ()}
    return any(rule.states is None or state is None or state in rule.states or state not in known for rule in rows)


def related_to(ends: str) -> set[Relation]:
    start, end, said = ENDS[ends]
    source, target, back = start == OWN, end == OWN, (said or start) == OWN
    related = {Relation.ANY}
    if source:
        related |= {Relation.AT_SOURCE, Relation.AT_EITHER_END}
    if target:
        related |= {Relation.AT_TARGET, Relation.AT_EITHER_END}
    if back:
        related.add(Relation.AT_RETURN)
    return related


def asked(
    house: House, route: Route, headers: dict[str, str], body: dict[str, Any], **names: str
) -> tuple[int, str | None]:
    path = re.sub(r"{(\w+)}", lambda found: names.get(found[1], "none-1"), route.path)
    headers = headers | {"Idempotency-Key": f"k-{next(_numbers)}"}
    body_sent = body if route.method == "POST" else None
    answer = house.client.request(route.method, path, headers=headers, json=body_sent)
    said = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    return answer.status_code, said.get("code")


def assert_as_expected(got: tuple[int, str | None], *, is_allowed: bool, what: str) -> None:
    status, code = got
    if is_allowed:
        assert status != 401, what
        assert code != "not_allowed", what
    else:
        assert (status, code) == (403, "not_allowed"), what


def body_for(route: Route, delivery: Delivery) -> dict[str, Any]:
    if route.act is Act.QUEUE_DELIVERY:
        line = {"medicine": "Paracetamol 500 mg tablets", "quantity": 28, "unit": "tablet"}
        return {"from_station": delivery.from_station, "to_station": delivery.to_station, "lines": [line]}
    if route.act in (Act.LOAD_DELIVERY, Act.RECEIVE_DELIVERY):
        counts = [{"line": count.line, "quantity": count.quantity} for count in counts_of(delivery)]
        return {"seal_number": "S-1", "counts": counts}
    if route.act is Act.REPORT_INCIDENT:
        return {"code": "damaged", "sentence": "The seal was torn"}
    return {"reason": "No longer wanted"}


def states_for(act: Act) -> list[DeliveryState]:
    matters = any(rule.states is not None for rule in POLICY[act].rules)
    return list(DeliveryState) if matters else [DeliveryState.VERIFIED]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("route", OF_DELIVERIES, ids=lambda route: f"{route.method} {route.act.value}")
def test_deliveries_of_the_own_place_and_of_others(house: House, route: Route, role: Role) -> None:
    for is_program, ends, state in itertools.product((False, True), ENDS, states_for(route.act)):
        delivery = delivery_in(house, ends, state)
        headers = proof_of(house, role, is_program=is_program)
        got = asked(house, route, headers, body_for(route, delivery), delivery=delivery.id)
        is_allowed = may(route.act, role, related_to(ends), state, is_program=is_program)
        what = f"{role} {'program ' if is_program else ''}{route.act} {ends} while {state}: {got}"
        assert_as_expected(got, is_allowed=is_allowed, what=what)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("route", OF_STAFF, ids=lambda route: f"{route.method} {route.act.value}")
def test_staff_of_the_own_place_of_others_and_oneself(house: House, route: Route, role: Role) -> None:
    body = {"identity_check": "Photo"} if route.act is Act.UNLOCK_STAFF else {"reason": "Left"}
    for is_program, place in itertools.product((False, True), (OWN, WARD_B)):
        other = person_with(house, Role.NURSE, place)
        got = asked(house, route, proof_of(house, role, is_program=is_program), body, person=other.id)
        related = {Relation.ANY, Relation.AT_PLACE} if place == OWN else {Relation.ANY}
        is_allowed = may(route.act, role, related, is_program=is_program)
        assert_as_expected(got, is_allowed=is_allowed, what=f"{role} {route.act} of {place}: {got}")
    myself = person_with(house, role, OWN)
    got = asked(house, route, signed_in(house, myself), body, person=myself.id)
    is_allowed = may(route.act, role, {Relation.ANY, Relation.AT_PLACE}) and not POLICY[route.act].not_on_self
    assert_as_expected(got, is_allowed=is_allowed, what=f"{role} {route.act} of themselves: {got}")


@pytest.mark.parametrize("role", Role)
def test_registers_of_the_own_place_and_of_others(house: House, role: Role) -> None:
    assert OF_PLACES
    for is_program, route, place in itertools.product((False, True), OF_PLACES, (OWN, WARD_B)):
        body = {"place": place, "set_apart": 0} if route.act is Act.ACKNOWLEDGE_RECALL else {}
        got = asked(house, route, proof_of(house, role, is_program=is_program), body, place=place)
        related = {Relation.ANY, Relation.AT_PLACE} if place == OWN else {Relation.ANY}
        is_allowed = may(route.act, role, related, is_program=is_program)
        assert_as_expected(got, is_allowed=is_allowed, what=f"{role} {route.act} of {place}: {got}")


@pytest.mark.parametrize("role", Role)
def test_everything_else_by_role(house: House, role: Role) -> None:
    for is_program, route in itertools.product((False, True), OTHERS):
        got = asked(house, route, proof_of(house, role, is_program=is_program), {})
        is_allowed = may(route.act, role, {Relation.ANY}, is_program=is_program)
        assert_as_expected(got, is_allowed=is_allowed, what=f"{role} {route.method} {route.path}: {got}")


@pytest.mark.parametrize("role", Role)
def test_every_act_that_asks_for_a_step_up(house: House, role: Role) -> None:
    """Also acts that no route does yet: nobody is proved for what is not theirs."""
    person = person_with(house, role, OWN)
    for act in (act for act in Act if POLICY[act].needs_step_up):
        for ends, state in itertools.product(ENDS, states_for(act)):
            delivery, device = delivery_in(house, ends, state), f"m-{next(_numbers)}"
            said = {"badge": badge_of(person.id), "pin": PIN, "device": device}
            answer = house.client.post("/api/v1/step-ups", json={**said, "act": act.value, "delivery": delivery.id})
            is_allowed = may(act, role, related_to(ends), state)
            what = f"{role} {act} {ends} while {state}: {answer.text}"
            assert answer.status_code == (201 if is_allowed else 403), what


@pytest.mark.parametrize("role", Role)
def test_every_act_that_asks_for_a_step_up_in_a_register(house: House, role: Role) -> None:
    person = person_with(house, role, OWN)
    for act, place in itertools.product((act for act in Act if POLICY[act].needs_step_up), (OWN, WARD_B)):
        said = {"badge": badge_of(person.id), "pin": PIN, "device": f"m-{next(_numbers)}", "act": act.value}
        answer = house.client.post("/api/v1/step-ups", json={**said, "place": place})
        is_allowed = may(act, role, {Relation.ANY, Relation.AT_PLACE} if place == OWN else {Relation.ANY})
        assert answer.status_code == (201 if is_allowed else 403), f"{role} {act} at {place}: {answer.text}"


def test_without_proof_every_route_but_the_public_ones_is_closed(house: House) -> None:
    for route in ROUTES:
        status, code = asked(house, route, {}, {})
        if route.path in PUBLIC:
            assert code != "principal_missing", route
        else:
            assert (status, code) == (401, "principal_missing"), route


def test_the_public_routes_are_these_alone() -> None:
    assert {route.path for route in ROUTES if POLICY[route.act].is_public} == PUBLIC


def test_the_stream_is_for_everybody_who_is_known() -> None:
    assert [route.act for route in ROUTES if route.path == STREAM] == [Act.WATCH]
