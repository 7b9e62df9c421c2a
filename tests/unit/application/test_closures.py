"""What closes lanes, summed up."""

from __future__ import annotations

from datetime import UTC, datetime

from orchestrator.application.closures import ClosedLanes, closed_lanes
from orchestrator.application.turn import Turn
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import LaneId
from simulation.memory_store import MemoryStore
from simulation.ward import CountedIds

WEST, EAST = LaneId("a~b"), LaneId("b~a")
PEOPLE, DOOR = Reason("lane_closed", "Closed for cleaning."), Reason("door_faulty", "The door is out of order.")


def a_turn() -> Turn:
    with MemoryStore().reading() as uow:
        return Turn(uow, at=datetime(2026, 1, 5, tzinfo=UTC), at_s=0.0, ids=CountedIds(), records={})


def test_nothing_is_closed_while_nobody_closes_anything() -> None:
    assert closed_lanes(a_turn(), ()) == ClosedLanes()
    assert WEST not in ClosedLanes()


def test_every_source_closes_its_own_lanes_and_the_first_reason_for_one_is_told() -> None:
    def by_people(_turn: Turn) -> ClosedLanes:
        return ClosedLanes({WEST: PEOPLE})

    def by_doors(_turn: Turn) -> ClosedLanes:
        return ClosedLanes({WEST: DOOR, EAST: DOOR})

    closed = closed_lanes(a_turn(), (by_people, by_doors))

    assert closed.lanes == {WEST, EAST}
    assert closed.reasons == {WEST: PEOPLE, EAST: DOOR}
