"""Many guesses at once, by several devices: no more are looked at than are allowed."""

from __future__ import annotations

import asyncio
from collections import Counter

from httpx2 import ASGITransport, AsyncClient

from orchestrator.domain.people.model import Role
from orchestrator.domain.people.proofs import WRONG_IN_A_ROW
from orchestrator.http.app import build_app
from simulation.memory_store import MemoryStore
from tests.support.desk import SteadyClock, StoreDoor, a_desk
from tests.support.staff import PIN, WRONG_PIN, Staff, badge_of

COUNT = 200


def test_no_race_lets_a_sixth_guess_be_looked_at() -> None:
    store = MemoryStore()
    Staff(store).add("nurse-1", Role.NURSE, places=("ward-a-handover",))
    desk = a_desk(StoreDoor(store), clock=SteadyClock(), is_development=False)

    async def guess(client: AsyncClient, number: int) -> str:
        body = {"badge": badge_of("nurse-1"), "pin": WRONG_PIN, "device": f"phone-{number % 7}"}
        return (await client.post("/api/v1/sessions", json=body)).json()["code"]

    async def attack() -> tuple[Counter[str], str]:
        async with AsyncClient(transport=ASGITransport(build_app(desk)), base_url="http://localhost") as client:
            answers = Counter(await asyncio.gather(*(guess(client, number) for number in range(COUNT))))
            right = {"badge": badge_of("nurse-1"), "pin": PIN, "device": "phone-1"}
            return answers, (await client.post("/api/v1/sessions", json=right)).json()["code"]

    answers, after = asyncio.run(attack())
    assert answers == {"sign_in_refused": WRONG_IN_A_ROW, "pin_locked": COUNT - WRONG_IN_A_ROW}
    assert after == "pin_locked"
