"""An app on a memory store where people sign in, and what they ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from fastapi.testclient import TestClient
from httpx2 import Client, Response

from orchestrator.application.fleet import FleetPolicy
from orchestrator.domain.access.decision import Decision
from orchestrator.domain.delivery.model import Delivery, DeliveryState
from orchestrator.domain.people.model import Role
from orchestrator.http.app import build_app
from simulation.memory_store import MemoryStore
from tests.support.deliveries import CountingIds, a_request, bring_to, counts_of, queue
from tests.support.desk import SteadyClock, StoreDoor, a_desk
from tests.support.served_app import served
from tests.support.staff import PIN, Staff, badge_of, bearer

PHARMACY, WARD_A, WARD_B = "pharmacy-hatch-1", "ward-a-handover", "ward-b-handover"
"""Stations, and the places of that name."""
OWN_DEVICE = "desk-1"


@dataclass(slots=True)
class House:
    """Everything a test of access needs."""

    store: MemoryStore
    client: Client
    clock: SteadyClock
    staff: Staff
    ids: CountingIds
    _keys: list[str] = field(default_factory=list[str])

    def sign_in(self, person: str, *, device: str = OWN_DEVICE, pin: str = PIN) -> Response:
        return self.client.post("/api/v1/sessions", json={"badge": badge_of(person), "pin": pin, "device": device})

    def token(self, person: str, *, device: str = OWN_DEVICE) -> str:
        answer = self.sign_in(person, device=device)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    def step_up(self, person: str, act: str, delivery: str, *, device: str = OWN_DEVICE, pin: str = PIN) -> Response:
        body = {"badge": badge_of(person), "pin": pin, "device": device, "act": act, "delivery": delivery}
        return self.client.post("/api/v1/step-ups", json=body)

    def stepped_up(self, person: str, act: str, delivery: str, *, device: str = OWN_DEVICE) -> str:
        answer = self.step_up(person, act, delivery, device=device)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    def post(
        self, path: str, body: object, *, token: str, key: str | None = None, step_ups: tuple[str, ...] = ()
    ) -> Response:
        self._keys.append(key or f"key-{len(self._keys)}")
        headers = {**bearer(token), "Idempotency-Key": self._keys[-1]}
        if step_ups:
            headers["Wardporter-Step-Up"] = ", ".join(step_ups)
        return self.client.post(f"/api/v1{path}", json=body, headers=headers)

    def get(self, path: str, *, token: str) -> Response:
        return self.client.get(f"/api/v1{path}", headers=bearer(token))

    def delivery(
        self, state: DeliveryState = DeliveryState.ARRIVED, *, start: str = PHARMACY, end: str = WARD_A
    ) -> Delivery:
        with self.store.transaction() as uow:
            made = queue(uow, a_request(start, end), ids=self.ids)
        return (
            bring_to(self.store, made.id, state, seal_number=f"S-{made.id}")
            if state is not DeliveryState.VERIFIED
            else made
        )

    def receive(self, delivery: Delivery, *, token: str, step_ups: tuple[str, ...], key: str | None = None) -> Response:
        counts = [{"line": count.line, "quantity": count.quantity} for count in counts_of(delivery)]
        body = {"seal_number": f"S-{delivery.id}", "counts": counts}
        return self.post(f"/deliveries/{delivery.id}/receipt", body, token=token, step_ups=step_ups, key=key)

    def decisions(self) -> list[Decision]:
        """Every decision kept so far, oldest first."""
        with self.store.reading() as uow:
            return [kept.decision for kept in reversed(uow.decisions.page(before=None, limit=10_000))]

    def events(self, kind: str) -> list[tuple[str, dict[str, object]]]:
        with self.store.reading() as uow:
            return [(one.subject, dict(one.data)) for one in uow.events.after(0, 10_000) if one.kind == kind]


def add_everybody(staff: Staff) -> None:
    """Add a pharmacist, a technician, nurses of two wards with who is in charge, and everybody else once."""
    staff.add("pharmacist-1", Role.PHARMACIST, places=(PHARMACY,))
    staff.add("technician-1", Role.PHARMACY_TECHNICIAN, places=(PHARMACY,))
    for ward, letter in ((WARD_A, "a"), (WARD_B, "b")):
        staff.add(f"nurse-{letter}1", Role.NURSE, places=(ward,), registration=f"R-{letter}1")
        staff.add(f"nurse-{letter}2", Role.NURSE, places=(ward,), registration=f"R-{letter}2")
        staff.add(f"in-charge-{letter}", Role.NURSE_IN_CHARGE, places=(ward,), registration=f"R-in-charge-{letter}")
    for role in (Role.PORTER, Role.SITE_MANAGER, Role.ENGINEER, Role.ACCOUNTABLE_OFFICER, Role.ADMINISTRATOR):
        staff.add(f"{role.value.replace('_', '-')}-1", role)


@contextmanager
def a_house(*, is_served: bool = False, policy: FleetPolicy | None = None) -> Iterator[House]:
    """Open a house with everybody; behind a real server where a test needs a stream."""
    store, clock, ids = MemoryStore(), SteadyClock(), CountingIds()
    own = frozenset({OWN_DEVICE, "desk-2"})
    desk = a_desk(StoreDoor(store), clock=clock, ids=ids, is_development=False, own_devices=own)
    if policy is not None:
        desk = replace(desk, fleet=replace(desk.fleet, policy=policy))
    staff = Staff(store)
    add_everybody(staff)
    app = build_app(desk)
    with ExitStack() as stack:
        if is_served:
            client: Client = stack.enter_context(Client(base_url=stack.enter_context(served(app))))
        else:
            client = stack.enter_context(TestClient(app, base_url="http://localhost"))
        stack.callback(desk.pin_threads.shutdown)
        yield House(store, client, clock, staff, ids)
