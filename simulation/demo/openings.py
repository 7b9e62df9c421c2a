"""How the people of a demonstration have drawers opened before they load or receive."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from simulation.demo.api import Api, ApiRefusedError, Away

NO_LOCKS = "robot_checks_no_grants"
AGAIN_S = 0.3
"""How long they wait before they ask again for a drawer that did not open, seconds of the wall's clock."""


@dataclass(slots=True)
class Openings:
    """What was asked for so far.

    Parameters
    ----------
    api : Api
        Where it is asked for.
    """

    api: Api
    _not_before_s: dict[str, float] = field(init=False, default_factory=dict[str, float])
    _without_locks: set[str] = field(init=False, default_factory=set[str])

    def is_done(self, delivery: str, act: str, *, principal: str) -> bool:
        """Have the drawer of a delivery opened for an act; return whether it was, and is locked again.

        True at once for a robot whose drawers have no locks of ours.
        """
        work = f"{act}-{delivery}"
        if work in self._without_locks:
            return True
        try:
            openings: list[dict[str, Any]] = self.api.get(f"/deliveries/{delivery}/openings")["openings"]
            mine = [each for each in openings if (each["purpose"] == "load") == (act == "load")]
            if any(each["closed_at"] is not None for each in mine):
                return True
            if any(each["outcome"] in ("issued", "opened") for each in mine):
                return False
            self._ask(delivery, work, number=len(mine), principal=principal)
        except Away:
            return False  # asked again, under the same key, when the service is back
        return work in self._without_locks

    def _ask(self, delivery: str, work: str, *, number: int, principal: str) -> None:
        if time.monotonic() < self._not_before_s.get(work, 0.0):
            return
        self._not_before_s[work] = time.monotonic() + AGAIN_S
        try:
            self.api.act(
                f"/deliveries/{delivery}/open-drawer", {}, principal=principal, key=f"demo-open-{work}-{number}"
            )
        except ApiRefusedError as error:
            if error.detail.get("code") == NO_LOCKS:
                self._without_locks.add(work)
