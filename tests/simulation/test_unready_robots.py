"""A robot that reports and takes no order: people are told, others fetch, and it goes on once it is seen to."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from orchestrator.application.abort_order import abort_order
from orchestrator.application.resume_robot import resume_robot
from orchestrator.application.robot_acts import Asked
from orchestrator.domain.delivery.model import Delivery, DeliveryState
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.vda5050.address import TopicKind
from orchestrator.vda5050.codec import encode
from simulation.faults.observers import Bases, Bodies
from simulation.faults.stage import FaultyWard
from simulation.faults.wire import HonestWire
from tests.support.onboard_robots import an_order
from tests.support.wards import a_demand, a_fleet, demo_hospital

ROBOT = RobotId("robot-1")
SITE = demo_hospital()
Tree = dict[str, Any]
ENDS_S = 300.0
WITHIN_S = 5.0
"""How long people may wait, beyond the limit of the model, until they are told (promise 11)."""


def paused(state: Tree) -> Tree:
    return {**state, "paused": True, "driving": False}


def with_an_order_of_another_master(state: Tree) -> Tree:
    ahead = {"nodeStates": [{"nodeId": "n6", "sequenceId": 6, "released": False}]}
    return {**state, **ahead, "orderId": "left-over-7", "orderUpdateId": 3, "lastNodeId": "n4", "lastNodeSequenceId": 4}


def waiting_for_a_trigger(state: Tree) -> Tree:
    other = {"actionId": "old-1", "actionType": "waitForTrigger", "actionStatus": "RUNNING"}
    return {**state, "actionStates": [other, *state["actionStates"]]}


def with_a_cart(state: Tree) -> Tree:
    return {**state, "loads": [*(state.get("loads") or []), {"loadId": "cart-7", "loadType": "cart"}]}


def with_a_load_without_a_name(state: Tree) -> Tree:
    return {**state, "loads": [*(state.get("loads") or []), {"loadType": "module"}]}


class Says(HonestWire):
    """Changes what a robot says of itself, from a moment until another."""

    def __init__(self, ward: FaultyWard, says: Callable[[Tree], Tree], *, from_s: float, until_s: float) -> None:
        self._ward, self._says, self._from_s, self._until_s = ward, says, from_s, until_s
        self.orders_s: list[float] = []
        self.dropped: list[str] = []

    def outward(self, kind: str, payload: bytes) -> Sequence[bytes]:
        lasts = self._from_s <= self._ward.clock.monotonic_s() < self._until_s
        return (json.dumps(self._says(json.loads(payload))).encode(),) if lasts and kind == "state" else (payload,)

    def inward(self, kind: str, payload: bytes) -> Sequence[bytes]:
        if kind == "order":
            self.orders_s.append(self._ward.clock.monotonic_s())
            actions = [action for node in json.loads(payload)["nodes"] for action in node["actions"]]
            drops = [action["actionParameters"] for action in actions if action["actionType"] == "drop"]
            self.dropped += [each["value"] for parameters in drops for each in parameters if each["key"] == "loadId"]
        return (payload,)


def a_ward(*, robots: int, count: int = 2) -> FaultyWard:
    asked = a_demand(SITE, count=count, seed=2, robots=robots)
    return FaultyWard(a_fleet(SITE, robots=robots), asked=asked, seed=2, plan=[])


def put_on(ward: FaultyWard, says: Callable[[Tree], Tree], *, from_s: float = 0.0, until_s: float = ENDS_S) -> Says:
    fault = Says(ward, says, from_s=from_s, until_s=until_s)
    ward.wires[ROBOT].faults.append(fault)
    return fault


def alarms(ward: FaultyWard) -> list[tuple[float, str]]:
    start = ward.clock.moment(0.0)
    return [
        ((event.at - start).total_seconds(), str(event.data["code"]))
        for event in ward._log
        if event.kind == "alarm" and event.subject == ROBOT
    ]


def deliveries(ward: FaultyWard) -> Sequence[Delivery]:
    return ward.control.read(lambda uow: uow.deliveries.open())


def record(ward: FaultyWard) -> RobotRecord:
    return next(picture.record for picture in ward.control.picture().robots if picture.id == ROBOT)


UNREADY = {
    "paused at the robot": (paused, "robot_paused_itself", "let it go on at the robot, or resume it here"),
    "an order of another master": (
        with_an_order_of_another_master,
        "robot_has_other_order",
        "('left-over-7') that is not from here, or is over here, and takes no other; see what it is",
    ),
    "an action of another master": (waiting_for_a_trigger, "robot_has_other_order", "('old-1') that is not from here"),
}


@pytest.mark.parametrize("name", UNREADY)
def test_whoever_waits_for_a_robot_that_takes_no_order_learns_why_and_what_to_do_within_its_limit(name: str) -> None:
    says, code, sentence = UNREADY[name]
    ward = a_ward(robots=1)
    fault = put_on(ward, says)
    seen: list[tuple[RobotId | None, tuple[tuple[str, str], ...]]] = []

    def look() -> None:
        seen.extend((d.robot, tuple((r.code, r.sentence) for r in d.waiting)) for d in deliveries(ward))

    ward.scheduler.at(ENDS_S - 1.0, look)
    outcome = ward.run(limit_s=3600.0)

    (told_s, told), *others = alarms(ward)
    assert (told, others) == (code, [])
    assert told_s <= 1.0 + ward.fleet.models[ROBOT].order_answer_s + WITHIN_S
    assert {robot for robot, _ in seen} == {None}
    assert all([each for each, _ in waiting] == [code] for _, waiting in seen)
    assert all(sentence in words for _, waiting in seen for _, words in waiting)
    assert min(fault.orders_s) >= ENDS_S
    assert {d.state for d in outcome.deliveries} == {DeliveryState.RECEIVED}
    assert not [reason for reason in record(ward).waiting if reason.code == code]


@pytest.mark.parametrize("name", UNREADY)
def test_another_robot_fetches_what_one_that_takes_no_order_could_not(name: str) -> None:
    ward = a_ward(robots=2)
    fault = put_on(ward, UNREADY[name][0], until_s=1e9)

    outcome = ward.run(limit_s=3600.0)

    assert {(d.state, d.robot) for d in outcome.deliveries} == {(DeliveryState.RECEIVED, RobotId("robot-2"))}
    assert fault.orders_s == []


@pytest.mark.parametrize(("says", "load"), [(with_a_cart, "'cart-7'"), (with_a_load_without_a_name, "'unnamed'")])
def test_a_robot_that_carries_what_nobody_gave_it_is_not_told_to_put_it_down_and_gets_no_work_until_it_is_gone(
    says: Callable[[Tree], Tree], load: str
) -> None:
    ward = a_ward(robots=1)
    fault = put_on(ward, says)
    seen: list[tuple[str, str]] = []
    ward.scheduler.at(
        ENDS_S - 1.0, lambda: seen.extend((r.code, r.sentence) for d in deliveries(ward) for r in d.waiting)
    )

    outcome = ward.run(limit_s=3600.0)

    assert [code for code, _ in seen] == ["load_not_ours"] * 2
    assert all(load in sentence and "`loads: own`" in sentence for _, sentence in seen)
    assert min(fault.orders_s) >= ENDS_S
    assert {d.state for d in outcome.deliveries} == {DeliveryState.RECEIVED}


def test_what_people_put_on_a_robot_under_way_stays_on_it_while_it_gives_out_what_is_ours() -> None:
    ward = a_ward(robots=1)
    fault = put_on(ward, with_a_cart, from_s=60.0, until_s=1e9)

    outcome = ward.run(limit_s=3600.0)
    ward.scheduler.run(until=lambda: False, limit_s=ward.clock.monotonic_s() + 300.0)

    assert {d.state for d in outcome.deliveries} == {DeliveryState.RECEIVED}
    assert sorted(fault.dropped) == sorted(d.load for d in outcome.deliveries)
    assert alarms(ward) == []


def test_a_robot_that_is_paused_while_it_is_loaded_is_told_of_only_when_it_is_to_leave_and_says_so_of_its_load() -> (
    None
):
    ward = a_ward(robots=1)
    _ = Bodies(ward), Bases(ward)
    began_s: list[float] = []
    seen: list[tuple[DeliveryState, list[str]]] = []

    def watch() -> None:
        at_s = ward.clock.monotonic_s()
        states = {d.state for d in deliveries(ward)}
        if DeliveryState.LOADING in states and not began_s:
            began_s.append(at_s)
            put_on(ward, paused, from_s=at_s, until_s=at_s + 200.0)
            ward.scheduler.after(199.0, lambda: seen.extend((d.state, d.codes) for d in map(_Seen, deliveries(ward))))
        if DeliveryState.LOADING in states:
            assert alarms(ward) == []
        ward.scheduler.after(0.5, watch)

    ward.scheduler.after(0.5, watch)
    outcome = ward.run(limit_s=3600.0)

    sealed_s = max(
        (change.at - ward.clock.moment(0.0)).total_seconds()
        for delivery in outcome.deliveries
        for change in delivery.history
        if change.after is DeliveryState.SEALED
    )
    assert [code for _, code in alarms(ward)] == ["robot_paused_itself"]
    assert alarms(ward)[0][0] <= sealed_s + ward.fleet.models[ROBOT].order_answer_s + WITHIN_S
    assert seen == [(DeliveryState.SEALED, ["robot_paused_itself"])] * 2
    assert {d.state for d in outcome.deliveries} == {DeliveryState.RECEIVED}
    assert record(ward).waiting == ()


class _Seen:
    def __init__(self, delivery: Delivery) -> None:
        self.state, self.codes = delivery.state, [reason.code for reason in delivery.waiting]


def test_a_person_ends_the_order_that_a_robot_has_of_another_master_and_it_fetches_again() -> None:
    ward = a_ward(robots=1)
    _ = Bodies(ward)
    body = ward.robots[ROBOT]

    def order_it_from_elsewhere() -> None:
        pose = body.pose
        here = ("elsewhere-1", pose.x_m, pose.y_m, pose.level)
        there = ("elsewhere-2", pose.x_m + 3.0, pose.y_m, pose.level)
        order = an_order([here, there], released=1, order_id="left-over-7").model_copy(
            update={
                "timestamp": ward.clock.now(),
                "manufacturer": body.address.manufacturer,
                "serial_number": body.address.serial_number,
            }
        )
        payload = encode(order, version=body.address.version)
        ward.broker.publish(body.address.topic(TopicKind.ORDER), payload, qos=0, retain=False)

    def act(use_case: Callable[..., object]) -> None:
        asked = Asked(ROBOT, "porter-1", "because", ward.clock.now())
        ward.control.run(lambda uow: use_case(uow, ward.fleet, asked, ids=ward.ids))
        ward._plan_tick()

    ward.scheduler.at(0.5, order_it_from_elsewhere)
    ward.scheduler.at(100.0, lambda: act(abort_order))
    ward.scheduler.at(101.0, lambda: act(abort_order))
    ward.scheduler.at(160.0, lambda: act(resume_robot))
    outcome = ward.run(limit_s=3600.0)

    assert [code for at_s, code in alarms(ward) if at_s < 100.0] == ["robot_has_other_order"]
    assert {d.state for d in outcome.deliveries} == {DeliveryState.RECEIVED}
    history = ward.control.read(
        lambda uow: [entry.act.value for entry in uow.history.page(ROBOT, before=None, limit=9)]
    )
    assert history == ["resume", "abort"]
