"""Robots that have to be told of the other level: no order leads from map to map, and nobody leaves a cabin early."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from orchestrator.application.fleet import FleetOnSite
from orchestrator.domain.fleet.model import MapSwitch, RobotId
from orchestrator.domain.site.device import DoorPosition
from orchestrator.vda5050.action_dialogue import FINISH_WITHIN_S
from orchestrator.vda5050.codec import decode_instant_actions, decode_order, decode_state
from simulation.ward import SimulatedWard
from tests.support.wards import a_demand, a_fleet, building_over_broker, demo_hospital

ROBOTS = 2


class Wire:
    """What robots are sent, and where the cabin is when it is sent."""

    def __init__(self, ward: SimulatedWard) -> None:
        self._ward = ward
        self.maps: list[set[str]] = []
        self.told: list[tuple[str, str | None]] = []
        for robot in ward.robots.values():
            ward.listen(robot.address.topic("order"), self._hear_order)
            ward.listen(robot.address.topic("instantActions"), self._hear_actions)

    def _hear_order(self, _topic: str, payload: bytes) -> None:
        nodes = decode_order(payload).message.nodes
        self.maps.append({node.node_position.map_id for node in nodes if node.node_position is not None})

    def _hear_actions(self, _topic: str, payload: bytes) -> None:
        for action in decode_instant_actions(payload).message.actions:
            if action.action_type not in ("enableMap", "initPosition"):
                continue
            level = action.parameter("mapId")
            (cabin,) = self._ward.control.picture().lifts.values()
            assert (cabin.level, cabin.doors) == (level, DoorPosition.OPEN), "told before the cabin stood open there"
            self.told.append((action.action_type, str(level)))


def a_fleet_told(switch: MapSwitch) -> FleetOnSite:
    fleet = a_fleet(demo_hospital(), robots=ROBOTS)
    return replace(fleet, models={robot: replace(model, map_switch=switch) for robot, model in fleet.models.items()})


def a_ward(switch: MapSwitch, *, is_over_broker: bool = False) -> SimulatedWard:
    fleet = a_fleet_told(switch)
    return SimulatedWard(
        fleet,
        asked=a_demand(fleet.site, count=4, seed=4, robots=ROBOTS),
        seed=4,
        building_over_broker=building_over_broker(fleet.site) if is_over_broker else None,
    )


@pytest.mark.parametrize("is_over_broker", [False, True])
@pytest.mark.parametrize("switch", [MapSwitch.INIT_POSITION, MapSwitch.ENABLE_MAP_AND_INIT_POSITION])
def test_robots_that_have_to_be_told_deliver_on_both_floors(switch: MapSwitch, is_over_broker: bool) -> None:
    ward = a_ward(switch, is_over_broker=is_over_broker)
    wire = Wire(ward)

    assert ward.run(limit_s=7200.0).is_finished

    assert ward.scheduler.run(until=lambda: {level for _, level in wire.told} == {"ground", "first"}, limit_s=9000.0)
    assert wire.maps
    assert all(len(maps) == 1 for maps in wire.maps), "an order led from one map to another"
    kinds = [kind for kind, _ in wire.told]
    if switch is MapSwitch.INIT_POSITION:
        assert set(kinds) == {"initPosition"}
    else:
        assert kinds[:2] == ["enableMap", "initPosition"]


def test_a_robot_that_does_not_take_the_other_map_stays_in_the_cabin_and_people_are_told() -> None:
    ward = a_ward(MapSwitch.INIT_POSITION)
    deaf = _let_robots_ignore_positions(ward)

    outcome = ward.run(limit_s=900.0)
    assert not outcome.is_finished
    assert b"action_unanswered" in outcome.log
    (inside,) = [robot for robot in ward.robots if _is_inside(ward, robot)]
    (picture,) = [p for p in ward.control.picture().robots if p.id == inside]
    assert {reason.code for reason in picture.record.waiting} & {"action_unanswered", "map_switching"}

    deaf.clear()
    assert ward.scheduler.run(until=lambda: not _is_inside(ward, inside), limit_s=1500.0)


def test_a_robot_whose_position_was_set_at_the_robot_is_told_nothing_more_of_the_ride() -> None:
    ward = a_ward(MapSwitch.INIT_POSITION)
    _let_robots_ignore_positions(ward)
    ward.run(limit_s=600.0)
    (inside,) = [robot for robot in ward.robots if _is_inside(ward, robot)]
    robot = ward.robots[inside]
    (lift,) = ward.control.picture().lifts.values()
    assert (robot.look().level, lift.level) == ("ground", "first")
    board = robot._board
    board.driver.relocate(replace(robot.look(), level="first"))
    robot.report()
    wire = Wire(ward)

    ward.scheduler.run(until=lambda: robot.look().level == "ground", limit_s=ward.clock.monotonic_s() + 600.0)
    assert "first" not in {level for _, level in wire.told}
    assert not _is_inside(ward, inside) or wire.told


@pytest.mark.parametrize("switch", [MapSwitch.INIT_POSITION, MapSwitch.ENABLE_MAP_AND_INIT_POSITION])
def test_a_robot_that_knows_no_position_while_it_takes_up_another_is_held_for_nothing(switch: MapSwitch) -> None:
    ward = a_ward(switch)
    said = _let_robots_take_to_find_themselves(ward, seconds=20.0)

    outcome = ward.run(limit_s=7200.0)

    assert outcome.is_finished
    assert said, "nobody ever said that it knew no position"
    assert _alarms(ward) == {}


def test_a_robot_that_takes_too_long_to_find_itself_is_held_and_people_are_told() -> None:
    ward = a_ward(MapSwitch.INIT_POSITION)
    said = _let_robots_take_to_find_themselves(ward, seconds=150.0)

    ward.run(limit_s=900.0)

    held_s = (_alarms(ward)["robot_unlocalised"] - said[0]).total_seconds()
    assert FINISH_WITHIN_S - 1.0 <= held_s <= FINISH_WITHIN_S + 10.0


def _alarms(ward: SimulatedWard) -> dict[object, datetime]:
    """What people were told, and when last."""
    with ward.store.reading() as uow:
        return {event.data["code"]: event.at for event in uow.events.after(0, 10_000) if event.kind == "alarm"}


def _let_robots_take_to_find_themselves(ward: SimulatedWard, *, seconds: float) -> list[datetime]:
    """Let robots take so long for a position; returns when one said that it knows none."""
    said: list[datetime] = []

    def hear(_topic: str, payload: bytes) -> None:
        position = decode_state(payload).message.agv_position
        if position is not None and not position.position_initialized:
            said.append(ward.clock.now())

    for robot in ward.robots.values():
        robot.take_to_find_itself(seconds)
        ward.listen(robot.address.topic("state"), hear)
    return said


def _is_inside(ward: SimulatedWard, robot: RobotId) -> bool:
    (picture,) = [p for p in ward.control.picture().robots if p.id == robot]
    assert picture.report is not None
    assert picture.report.pose is not None
    (lift,) = ward.control.fleet.site.lifts.values()
    return abs(picture.report.pose.x_m - lift.x_m) < 0.5 and abs(picture.report.pose.y_m - lift.y_m) < 0.5


def _let_robots_ignore_positions(ward: SimulatedWard) -> set[str]:
    """Let robots hear nothing of an initPosition; clearing what is returned cures them."""
    deaf = {"initPosition"}
    for robot in ward.robots.values():
        heard = robot._receive

        def receive(kind: str, payload: bytes, heard: object = heard) -> None:
            if not any(word.encode() in payload for word in deaf):
                heard(kind, payload)  # type: ignore[operator]

        robot._receive = receive  # type: ignore[method-assign]
    return deaf
