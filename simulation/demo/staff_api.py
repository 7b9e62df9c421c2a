"""The public API as signed-in staff use it: a session for everybody who acts, and a step-up for every custody act."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import Any

from orchestrator.domain.access.acts import Act
from orchestrator.domain.people.model import Role
from simulation.demo.api import Api, ApiRefusedError
from simulation.demo.staff import DemoStaff

ACT_OF_PATH = {
    "load": Act.LOAD_DELIVERY,
    "receipt": Act.RECEIVE_DELIVERY,
    "hand-to-runner": Act.HAND_TO_RUNNER,
    "open-drawer": Act.OPEN_DRAWER,
    "dispense": Act.DISPENSE_DELIVERY,
    "check": Act.CHECK_DELIVERY,
    "accept": Act.ACCEPT_DELIVERY,
}
"""Acts that the demonstration does and that ask for a step-up, by the last word of their address."""

CUSTODY = re.compile(r"/deliveries/([^/]+)/([a-z-]+)")
UNAUTHORIZED = 401


class StaffApi(Api):
    """One service's API, with everybody signed in at a device of their own.

    Parameters
    ----------
    url : str
        Of the service.
    staff : DemoStaff
        Who may act.
    """

    def __init__(self, url: str, staff: DemoStaff) -> None:
        super().__init__(url)
        self._staff = staff
        self._reader = staff.first(Role.PHARMACIST)
        self._tokens: dict[str, str] = {}

    def get(self, path: str, **query: str | int) -> Any:
        """Return the JSON at a path under ``/api/v1``, as a pharmacist sees it."""
        return self._as(self._reader, "GET", path, {}, params=query)

    def act(self, path: str, body: dict[str, object], *, principal: str, key: str | None = None) -> Any:
        """Do something as somebody who is signed in, and who proves it again where custody asks for that."""
        return self.act_together(path, body, (principal,), key=key)

    def read(self, path: str, person: str) -> Any:
        """Return the JSON at a path as somebody sees it."""
        return self._as(person, "GET", path, {})

    def act_together(self, path: str, body: dict[str, object], people: Sequence[str], *, key: str | None = None) -> Any:
        """Do something as the first of some people, who are at one device: the others witness it."""
        headers = {"Idempotency-Key": key or secrets.token_hex(8)}
        custody = CUSTODY.fullmatch(path)
        act = ACT_OF_PATH.get(custody[2]) if custody else None
        if custody is not None and act is not None:
            device = self._staff.of(people[0]).device
            proofs = [self._step_up(person, act, custody[1], device=device) for person in people]
            headers["Wardporter-Step-Up"] = ", ".join(proofs)
        return self._as(people[0], "POST", path, headers, json=body)

    def _as(self, person: str, method: str, path: str, headers: dict[str, str], **more: Any) -> Any:
        if person not in self._tokens:
            self._sign_in(person)
        try:
            return self._asked(method, path, headers=headers | self._proof(person), **more)
        except ApiRefusedError as error:
            if error.detail.get("status") != UNAUTHORIZED:
                raise
        self._sign_in(person)  # the session has ended, as sessions do
        return self._asked(method, path, headers=headers | self._proof(person), **more)

    def _proof(self, person: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._tokens[person]}"}

    def _sign_in(self, person: str) -> None:
        self._tokens[person] = str(self._asked("POST", "/sessions", json=self._shown(person))["token"])

    def _step_up(self, person: str, act: Act, delivery: str, *, device: str) -> str:
        asked = {**self._shown(person), "device": device, "act": act.value, "delivery": delivery}
        return str(self._asked("POST", "/step-ups", json=asked)["token"])

    def _shown(self, person: str) -> dict[str, str]:
        member = self._staff.of(person)
        return {"badge": member.badge, "pin": member.pin, "device": member.device}
