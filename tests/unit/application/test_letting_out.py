"""A robot in a cabin that is taken from it, by the picture that the building gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from orchestrator.application.letting_out import let_out
from orchestrator.domain.fleet.hold import Hold, HoldKind
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.record import OrderPhase
from orchestrator.domain.site.device import DoorPosition, LiftMode, LiftPicture
from orchestrator.domain.site.model import LevelId, LiftId, StationId, WaypointId
from simulation.building import Machines, SimulatedBuilding
from simulation.virtual_time import VirtualClock
from tests.support.steering_bench import AT, FLEET, Bench

FIRST, SECOND, _ = sorted(FLEET.robots)
LIFT = LiftId("lift_1")
UPSTAIRS = StationId(next(s.id for s in FLEET.site.stations.values() if "cedar_bed_1" in s.waypoints.values()))


class PicturedBuilding(SimulatedBuilding):
    """A building whose one lift stands as a test says."""

    def __init__(self, picture: LiftPicture) -> None:
        super().__init__(Machines(FLEET.site), clock=VirtualClock())
        self._picture = picture

    def lifts(self) -> Mapping[LiftId, LiftPicture]:
        return {LIFT: self._picture}


def taken(*, level: str = "ground", mode: LiftMode = LiftMode.PEOPLE, doors: DoorPosition = DoorPosition.OPEN):
    return LiftPicture(LevelId(level), doors, mode=mode)


def boarded(**others: str) -> Bench:
    """A bench with the first robot in the cabin downstairs, granted the ride and the exit upstairs."""
    bench = Bench(robot_1="hall_e", **others)
    granted = bench.send(FIRST, UPSTAIRS).granted
    assert granted[:3] == ("hall_e~lift_ground", "lift_ground~lift_first", "lift_first~up_hall_e")
    bench.release(FIRST, 1)
    cabin = WaypointId("lift_ground")
    held = bench.steering.monitor.release_behind(FIRST, at=cabin, ahead=bench.records[FIRST].granted)
    report = bench.records[FIRST].report
    assert report is not None
    bench.change(FIRST, passed=1, held=held, report=replace(report, pose=FLEET.pose_of(FIRST, cabin)))
    return bench


def look(bench: Bench, picture: LiftPicture, *, reported: tuple[RobotId, ...] = (FIRST, SECOND)) -> None:
    building = PicturedBuilding(picture)
    bench.in_a_turn(lambda turn: let_out(turn, FLEET, bench.steering, building, reported=reported))


def test_the_ride_is_given_back_for_the_way_out_where_the_cabin_stands_open() -> None:
    bench = boarded()

    look(bench, taken())

    record = bench.records[FIRST]
    assert (record.granted, record.route, record.tip) == (("lift_ground~hall_e",), (), "hall_e")
    assert record.held == bench.steering.monitor.held(FIRST)
    assert not any("first" in resource for resource in record.held)


@pytest.mark.parametrize(
    "picture",
    [
        taken(mode=LiftMode.NORMAL),
        taken(doors=DoorPosition.CLOSED),
        taken(doors=DoorPosition.MOVING),
        taken(level="first"),
    ],
    ids=["not taken", "shut", "opening", "open where the ride leads to"],
)
def test_it_keeps_the_ride_while_it_is_to_be_had_or_no_door_is_open(picture: LiftPicture) -> None:
    bench = boarded()
    before = bench.records[FIRST]

    look(bench, picture)

    assert bench.records[FIRST] == before


@pytest.mark.parametrize("why", ["unheard", "lost", "held", "order unanswered"])
def test_nothing_is_granted_to_a_robot_that_may_not_be_sent(why: str) -> None:
    bench = boarded()
    match why:
        case "lost":
            bench.change(FIRST, lost_since=AT)
        case "held":
            bench.change(FIRST, holds=(Hold(HoldKind.STOPPED, "Its emergency stop was pressed.", FIRST, AT),))
        case "order unanswered":
            bench.change(FIRST, phase=OrderPhase.WANTED)
        case _:
            pass
    before = bench.records[FIRST]

    look(bench, taken(), reported=() if why == "unheard" else (FIRST, SECOND))

    assert bench.records[FIRST] == before


def test_who_stands_idle_before_the_cabin_is_sent_on_and_then_it_gets_out() -> None:
    bench = boarded(robot_2="hall_e")

    look(bench, taken())

    assert bench.records[FIRST].granted[0] == "lift_ground~lift_first"
    moved = bench.records[SECOND]
    assert moved.granted, "it goes on towards its home"
    held = bench.steering.monitor.release_behind(SECOND, at=moved.tip or WaypointId(""), ahead=())
    bench.change(SECOND, granted=(), held=held)

    look(bench, taken())

    assert bench.records[FIRST].granted == ("lift_ground~hall_e",)
