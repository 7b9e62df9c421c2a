"""The pharmacist, nurse and porter of a demonstration: they do through the API what is to be done, in their time."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import Any

from orchestrator.domain.people.model import WARD_PRACTITIONERS, Role
from orchestrator.domain.site.model import StationId
from simulation.demo.api import Api, ApiRefusedError, Away
from simulation.demo.openings import Openings
from simulation.demo.staff import DemoStaff

HANDLERS = (Role.PHARMACIST, Role.PHARMACY_TECHNICIAN, *sorted(WARD_PRACTITIONERS))
PHARMACIST, NURSE, PORTER = "demo-pharmacist", "demo-nurse", "demo-porter"
LOADING_S, RECEIVING_S, COMING_S = (8.0, 20.0), (6.0, 20.0), (20.0, 60.0)
"""How long people take, in seconds of simulated time, uniform."""

MEDICINES = (
    ("Paracetamol 500 mg tablets", 28, "tablet"),
    ("Amoxicillin 500 mg capsules", 21, "capsule"),
    ("Sodium chloride 0.9 % infusion 1 L", 4, "bag"),
    ("Salbutamol 100 micrograms inhaler", 1, "inhaler"),
    ("Furosemide 40 mg tablets", 28, "tablet"),
    ("Omeprazole 20 mg capsules", 28, "capsule"),
    ("Enoxaparin 40 mg syringes", 10, "syringe"),
)
"""Ordinary medicines of a ward's stock, as test data: name, quantity, unit."""


@dataclass(frozen=True, slots=True)
class Roster:
    """Who does what: without staff, whoever development believes."""

    staff: DemoStaff | None = None

    def sender(self, station: str) -> str:
        """Return who queues and loads at a station."""
        return self._first(PHARMACIST, *HANDLERS, at=station)

    def receiver(self, station: str) -> str:
        """Return who receives at a station."""
        return self._first(NURSE, *HANDLERS, at=station)

    @property
    def porter(self) -> str:
        """Who looks after robots."""
        return self._first(PORTER, Role.PORTER)

    def _first(self, believed: str, *roles: Role, at: str | None = None) -> str:
        return believed if self.staff is None else self.staff.first(*roles, at=StationId(at) if at else None)


@dataclass(slots=True)
class People:
    """Everybody the demonstration plays.

    Parameters
    ----------
    api : Api
        Where they act.
    seed : int
        Of what they take and how long it takes them.
    speed_factor : float
        How much faster than real their time runs.
    roster : Roster
        Who does what.
    """

    api: Api
    seed: int
    speed_factor: float
    roster: Roster = Roster()
    _chance: random.Random = field(init=False)
    _openings: Openings = field(init=False)
    _ready_at_s: dict[tuple[str, str], float] = field(init=False, default_factory=dict[tuple[str, str], float])

    def __post_init__(self) -> None:
        self._chance = random.Random(f"{self.seed}:people")
        self._openings = Openings(self.api)

    def queue(self, number: int, start: StationId, end: StationId) -> str:
        """Queue one delivery and return its id; the same number queues only once."""
        medicine, quantity, unit = self._chance.choice(MEDICINES)
        priority = "stat" if number % 10 == 9 else "urgent" if number % 3 == 2 else "routine"
        body: dict[str, object] = {
            "from_station": start,
            "to_station": end,
            "priority": priority,
            "lines": [{"medicine": medicine, "quantity": quantity, "unit": unit}],
        }
        return str(
            self.api.act("/deliveries", body, principal=self.roster.sender(start), key=f"demo-queue-{number}")["id"]
        )

    def look_round(self, deliveries: list[dict[str, Any]]) -> None:
        """Load what stands open at a hatch and receive what has arrived, once it has taken its time."""
        for delivery in deliveries:
            if delivery["state"] == "loading" and self._is_done(delivery, LOADING_S):
                self._hand_over(delivery, "load", self.roster.sender(str(delivery["from_station"])))
            elif delivery["state"] == "arrived" and self._is_done(delivery, RECEIVING_S):
                self._hand_over(delivery, "receipt", self.roster.receiver(str(delivery["to_station"])))

    def look_after(self, robots: list[dict[str, Any]]) -> None:
        """Resume robots that hold themselves, once somebody has come and nothing that laid a hold is so any more."""
        for robot in robots:
            robot_id = str(robot["id"])
            held_since = [str(hold["at"]) for hold in robot["holds"] if hold["by"] == robot_id]
            if not held_since or not self._is_time((robot_id, max(held_since)), COMING_S):
                continue
            try:
                self.api.act(f"/robots/{robot_id}/resume", {"reason": "seen to"}, principal=self.roster.porter)
            except Away:
                continue
            except ApiRefusedError:
                # What it is held for is still so; somebody comes again.
                del self._ready_at_s[robot_id, max(held_since)]

    def _is_done(self, delivery: dict[str, Any], spread_s: tuple[float, float]) -> bool:
        return self._is_time((str(delivery["id"]), str(delivery["state"])), spread_s)

    def _is_time(self, work: tuple[str, str], spread_s: tuple[float, float]) -> bool:
        if work not in self._ready_at_s:
            self._ready_at_s[work] = time.monotonic() + self._chance.uniform(*spread_s) / self.speed_factor
        return time.monotonic() >= self._ready_at_s[work]

    def _hand_over(self, delivery: dict[str, Any], act: str, principal: str) -> None:
        identity = str(delivery["id"])
        if not self._openings.is_done(identity, act, principal=principal):
            return
        lines = self.api.get(f"/deliveries/{identity}")["lines"]
        body: dict[str, object] = {
            "seal_number": f"SEAL-{identity[-6:].upper()}",
            "counts": [{"line": line["id"], "quantity": line["quantity"]} for line in lines],
        }
        try:
            self.api.act(f"/deliveries/{identity}/{act}", body, principal=principal, key=f"demo-{act}-{identity}")
        except Away:
            return  # done again, under the same key, when the service is back
