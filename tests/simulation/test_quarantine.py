"""A robot whose messages do harm is held until a person lets it go on; the others go on meanwhile."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.application.resume_robot import resume_robot
from orchestrator.application.robot_acts import Asked
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.vda5050.codec import encode
from orchestrator.vda5050.messages import AgvPosition, ConnectionState
from simulation.ward import Outcome, SimulatedWard
from tests.support.robot_link import a_state
from tests.support.wards import a_demand, a_fleet, demo_hospital

BAD = RobotId("robot-1")


def a_ward(*, count: int = 4) -> SimulatedWard:
    site = demo_hospital()
    return SimulatedWard(a_fleet(site), asked=a_demand(site, count=count, seed=2), seed=2)


def record_of(ward: SimulatedWard, robot: RobotId) -> RobotRecord:
    return ward.control.read(lambda uow: uow.robots.get(robot))


def alarms(outcome: Outcome, code: str) -> list[str]:
    return [line for line in outcome.log.decode().splitlines() if f'"code": "{code}"' in line]


def send(ward: SimulatedWard, payload: bytes, *, times: int, kind: str = "state") -> None:
    topic = ward.robots[BAD].address.topic(kind)
    for _ in range(times):
        ward.control.receive(topic, payload)


def test_a_robot_that_sends_nothing_usable_is_quarantined_and_the_others_deliver_everything() -> None:
    ward, held = a_ward(), list[RobotRecord]()
    ward.scheduler.at(0.5, lambda: send(ward, b"{", times=200))
    ward.scheduler.at(0.6, lambda: held.append(record_of(ward, BAD)))

    outcome = ward.run(limit_s=7200.0)

    assert outcome.is_finished
    assert [hold.kind for hold in held[0].holds] == [HoldKind.QUARANTINED]
    assert "not JSON" in held[0].holds[0].reason
    assert held[0].order is None
    assert len(alarms(outcome, "robot_quarantined")) == 1


def test_a_robot_in_quarantine_is_read_now_and_then_and_goes_on_once_a_person_says_so() -> None:
    ward = a_ward(count=1)
    refused: list[int] = []
    ward.scheduler.at(0.5, lambda: ward.control.quarantine(ward.robots[BAD].address.prefix, "floods"))
    ward.scheduler.at(100.0, lambda: send(ward, b"{", times=1000))
    ward.scheduler.at(100.1, lambda: refused.append(ward.control.refused[BAD]))
    ward.scheduler.at(101.0, lambda: resume(ward))

    ward.run(limit_s=7200.0)

    assert refused[0] >= 999
    assert record_of(ward, BAD).holds == ()
    assert not any(robot.is_lost for robot in ward.control.picture().robots)


def resume(ward: SimulatedWard) -> None:
    said = Asked(BAD, "site-manager-1", "Its radio was replaced.", ward.clock.now())
    ward.control.run(lambda uow: resume_robot(uow, ward.control.fleet, said, ids=ward.ids))


def test_a_capture_replayed_after_a_restart_days_later_changes_nothing() -> None:
    ward = a_ward(count=1)
    robot = ward.robots[BAD]
    captured: list[bytes] = []
    ward.listen(robot.address.topic("state"), lambda _topic, payload: captured.append(payload))
    ward.run(limit_s=7200.0)
    before = record_of(ward, BAD)
    ward.scheduler.clock.move_to(ward.scheduler.clock.monotonic_s() + timedelta(days=2).total_seconds())
    ward.control.start()

    for payload in captured:
        ward.control.receive(robot.address.topic("state"), payload)

    assert len(captured) > 3
    assert json.loads(captured[-1])["serialNumber"] == robot.address.serial_number
    assert record_of(ward, BAD).report == before.report


def test_a_robot_that_says_to_be_everywhere_is_quarantined_and_bars_nobody_s_way_any_more() -> None:
    ward, held, seen = a_ward(), list[frozenset[str]](), list[RobotRecord]()
    address = ward.robots[BAD].address
    places = list(ward.control.fleet.graph_of(BAD).waypoints.values())

    def claim(number: int) -> None:
        place = places[number * 7 % len(places)]
        where = AgvPosition(
            x=place.x_m + 200.0 * (number % 2), y=place.y_m, theta=0.0, map_id=place.level, position_initialized=True
        )
        identity: dict[str, Any] = {"manufacturer": address.manufacturer, "serial_number": address.serial_number}
        state = a_state(10**6 + number, agv_position=where, **identity)
        state = state.model_copy(update={"timestamp": ward.clock.now()})
        ward.control.receive(address.topic("state"), encode(state, version="2.1.0"))
        seen.append(record_of(ward, BAD))
        if seen[-1].is_held_for(HoldKind.QUARANTINED):
            held.append(seen[-1].held)

    for i in range(40):
        ward.scheduler.at(3.0 + 2.1 * i, lambda i=i: claim(i))
    ward._open += 1  # as if somebody still waited: the ward lives until the limit
    outcome = ward.run(limit_s=3.0 + 2.1 * 40)

    assert len(alarms(outcome, "robot_quarantined")) >= 1
    assert held
    assert len(set(held)) <= 2


@pytest.mark.parametrize(("every_s", "times", "told"), [(3.0, 30, 1), (90.0, 30, 0)], ids=["contested", "dead spots"])
def test_people_are_told_once_of_a_connection_that_two_fight_over(every_s: float, times: int, told: int) -> None:
    ward = a_ward(count=1)
    address = ward.robots[BAD].address

    def announce(state: ConnectionState) -> None:
        header = {"manufacturer": address.manufacturer, "serialNumber": address.serial_number, "version": "2.1.0"}
        tree = {**header, "headerId": 0, "timestamp": "2026-01-05T08:00:00Z", "connectionState": state.value}
        ward.control.receive(address.topic("connection"), json.dumps(tree).encode())

    for i in range(times):
        ward.scheduler.at(1.0 + i * every_s, lambda: announce(ConnectionState.CONNECTIONBROKEN))
        ward.scheduler.at(2.0 + i * every_s, lambda: announce(ConnectionState.ONLINE))
    ward._open += 1  # as if somebody still waited: the ward lives until the limit

    outcome = ward.run(limit_s=10.0 + times * every_s)

    assert len(alarms(outcome, "connection_contested")) == told


def test_an_order_that_the_broker_kept_is_removed_and_people_are_told() -> None:
    ward = a_ward(count=1)
    topic = ward.robots[BAD].address.topic("order")
    sent: list[tuple[str, bytes, bool]] = []
    publish = ward.control._transport.publish

    def keep(topic: str, payload: bytes, *, qos: int, retain: bool) -> None:
        sent.append((topic, payload, retain))
        publish(topic, payload, qos=qos, retain=retain)

    ward.control._transport.publish = keep  # type: ignore[method-assign]
    ward.scheduler.at(0.5, lambda: ward.control.receive(topic, b'{"orderId": "old"}', is_retained=True))

    outcome = ward.run(limit_s=7200.0)

    assert (topic, b"", True) in sent
    assert not any(payload and retain for where, payload, retain in sent if where == topic)
    assert len(alarms(outcome, "order_kept")) == 1
