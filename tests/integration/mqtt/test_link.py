"""The link of one robot over both real brokers: orders, rejections, cancels, and the broker gone in between."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from orchestrator.domain.fleet.model import OrderId
from orchestrator.domain.fleet.order import ActionKind, DriveOrder
from orchestrator.vda5050.address import TopicKind
from orchestrator.vda5050.events import (
    ActionFinished,
    Announced,
    NodePassed,
    OrderAcknowledged,
    OrderForgotten,
    OrderRejected,
    RobotLost,
    RobotReturned,
)
from orchestrator.vda5050.messages import ConnectionState
from tests.support.brokers import RealBroker, wait_until
from tests.support.link_ends import ADDRESS, Bench, Eavesdropper, FleetEnd
from tests.support.robot_link import a_step, an_action, an_order

ONLINE, BROKEN = ConnectionState.ONLINE, ConnectionState.CONNECTIONBROKEN


@pytest.fixture
def bench(broker: RealBroker) -> Iterator[Bench]:
    made = Bench(broker)
    yield made
    made.close()


def _want(bench: Bench, order: DriveOrder) -> None:
    bench.fleet.link.want_order(order, at_s=time.monotonic())


def _acknowledged(bench: Bench) -> list[tuple[str, int]]:
    return [(event.order_id, event.update_id) for event in bench.fleet.told(OrderAcknowledged)]


def _passed(bench: Bench, order: DriveOrder) -> list[str]:
    return [event.waypoint for event in bench.fleet.told(NodePassed) if event.order_id == order.id]


def test_order_is_acknowledged_grows_and_is_driven_to_its_end(bench: Bench) -> None:
    order = an_order(steps=5, released=2)
    bench.online()
    _want(bench, order)
    bench.until(lambda: _passed(bench, order) == ["w0", "w1"], "the robot is at the end of its base")
    bench.until(lambda: bench.robot.is_standing, "it stands there")
    assert bench.robot.x_m == pytest.approx(1.0, abs=0.01)
    _want(bench, order.extended(released=5))
    bench.until(lambda: _passed(bench, order) == ["w0", "w1", "w2", "w3", "w4"], "the robot is at the last node")
    assert _acknowledged(bench) == [("order-1", 0), ("order-1", 1)]
    assert bench.fleet.link.outstanding_order is None


def test_order_for_a_robot_that_is_away_is_sent_again_and_taken_once(bench: Bench) -> None:
    order = an_order(steps=3, released=3)
    _want(bench, order)
    bench.until(lambda: len(bench.ear.orders("order-1")) >= 3, "the order has gone out into the void three times")
    assert _acknowledged(bench) == []
    bench.online()
    bench.until(lambda: _passed(bench, order) == ["w0", "w1", "w2"], "the robot has driven the order")
    sent = bench.ear.orders("order-1")
    assert all(sending == sent[0] for sending in sent)
    # One more copy, late on its way: nothing moves and nobody complains. The next order proves that it was heard.
    bench.ear.say(*bench.ear.raw(TopicKind.ORDER)[-1])
    bench.until(lambda: len(bench.ear.orders("order-1")) > len(sent), "the late copy has passed the broker")
    following = replace(order, id=OrderId("order-2"), steps=(order.steps[2], a_step(3)), released=2)
    _want(bench, following)
    bench.until(lambda: _passed(bench, following) == ["w2", "w3"], "the next order is driven")
    assert _acknowledged(bench) == [("order-1", 0), ("order-2", 0)]
    assert bench.fleet.told(OrderRejected) == []


def test_order_the_robot_refuses_is_told_once_and_not_sent_again(bench: Bench) -> None:
    far = replace(an_order("far", steps=2, released=2), steps=(a_step(30), a_step(31)))
    bench.online()
    _want(bench, far)
    bench.until(lambda: bench.fleet.told(OrderRejected), "the robot's refusal is matched")
    near = an_order("near", steps=3, released=3)
    _want(bench, near)
    bench.until(lambda: _passed(bench, near) == ["w0", "w1", "w2"], "another order is driven")
    assert [(event.order_id, event.update_id) for event in bench.fleet.told(OrderRejected)] == [("far", 0)]
    assert _acknowledged(bench) == [("near", 0)]
    # A topic keeps its order, so whatever was sent of the refused order comes before the next one, and nothing after.
    bench.until(lambda: bench.ear.orders("near"), "the next order has passed the broker")
    sent = [message["orderId"] for message in bench.ear.messages(TopicKind.ORDER)]
    assert "far" not in sent[sent.index("near") :]


def test_cancel_is_over_when_the_robot_stands_and_says_finished(bench: Bench) -> None:
    order, cancel = an_order(steps=30, released=30), an_action(ActionKind.CANCEL_ORDER, "cancel-1")
    bench.online()
    _want(bench, order)
    bench.until(lambda: "w2" in _passed(bench, order), "the robot drives")
    bench.fleet.link.want_action(cancel, at_s=time.monotonic())
    bench.until(lambda: ActionFinished(cancel.id) in bench.fleet.events, "the cancel is finished")
    assert bench.robot.is_standing
    assert 2.0 < bench.robot.x_m < 28.0
    assert (bench.fleet.link.acknowledged_order, bench.fleet.link.outstanding_actions) == (None, ())
    bench.until(lambda: _cancel_statuses(bench)[-1:] == ["FINISHED"], "the listener has heard it too")


def _cancel_statuses(bench: Bench) -> list[str]:
    return [
        item["actionStatus"]
        for state in bench.ear.messages(TopicKind.STATE)
        for item in state["actionStates"]
        if item["actionId"] == "cancel-1"
    ]


def test_fleet_that_comes_late_knows_at_once_that_the_robot_is_online(bench: Bench) -> None:
    bench.online()
    bench.until(lambda: bench.fleet.link.connection is ONLINE, "the robot is announced")
    late = FleetEnd(bench.broker, client_id="late-fleet")
    try:
        # The robot has no turn here: what the late fleet hears, the broker had kept.
        wait_until(lambda: late.turn() or late.link.connection is ONLINE, "the kept connection is heard")
        assert late.link.report is None
    finally:
        late.close()


def test_robot_whose_socket_dies_is_announced_broken_lost_by_its_silence_and_welcomed_back(bench: Bench) -> None:
    bench.online()
    bench.robot.vanish()
    bench.until(lambda: Announced(BROKEN) in bench.fleet.events, "the broker says the last will")
    bench.until(lambda: bench.fleet.told(RobotLost), "the robot is lost by the age of its state")
    assert bench.fleet.link.is_lost
    bench.robot.connect()
    bench.until(lambda: bench.fleet.told(RobotReturned), "the robot is back")
    bench.until(lambda: bench.fleet.link.connection is ONLINE, "it is announced again")


def test_robot_that_loses_the_link_drives_to_the_end_of_its_base_and_takes_the_update_when_it_is_back(
    bench: Bench,
) -> None:
    order = an_order(steps=9, released=5)
    bench.online()
    _want(bench, order)
    bench.until(lambda: "w1" in _passed(bench, order), "the robot drives")
    bench.robot.vanish()
    bench.until(lambda: bench.robot.x_m > 3.9 and bench.robot.is_standing, "it stands at the end of its base")
    assert bench.robot.x_m == pytest.approx(4.0, abs=0.01)
    _want(bench, order.extended(released=9))
    bench.until(lambda: len(bench.ear.orders("order-1")) >= 3, "the update is sent again")
    bench.robot.connect()
    bench.until(lambda: _passed(bench, order)[-1] == "w8", "the robot is at the end")
    assert _passed(bench, order) == [f"w{index}" for index in range(9)]
    assert _acknowledged(bench) == [("order-1", 0), ("order-1", 1)]


def test_order_goes_on_after_the_broker_was_killed_and_started_again(bench: Bench) -> None:
    order = an_order(steps=12, released=6)
    bench.online()
    _want(bench, order)
    bench.until(lambda: "w1" in _passed(bench, order), "the robot drives")
    bench.broker.kill()
    bench.until(lambda: not bench.fleet.transport.is_connected, "the fleet has noticed")
    _want(bench, order.extended(released=12))
    bench.until(lambda: bench.robot.x_m > 4.9 and bench.robot.is_standing, "the robot stands at the end of its base")
    bench.broker.start()
    bench.until(lambda: _passed(bench, order)[-1] == "w11", "the robot is at the end")
    assert _passed(bench, order) == [f"w{index}" for index in range(12)]
    assert _acknowledged(bench) == [("order-1", 0), ("order-1", 1)]
    assert bench.fleet.told(OrderForgotten) == []
    assert bench.fleet.told(OrderRejected) == []


def test_link_made_anew_goes_on_with_the_order_of_the_one_that_died(bench: Bench) -> None:
    order = an_order(steps=9, released=4)
    bench.online()
    _want(bench, order)
    bench.until(lambda: "w1" in _passed(bench, order), "the robot drives")
    update = order.extended(released=9)
    # Stored as wanted, and killed before it went out.
    bench.replace_fleet()
    bench.fleet.link.resume(update, acknowledged=False, at_s=time.monotonic(), passed=1)
    bench.until(lambda: "w8" in _passed(bench, order), "the robot is at the end")
    assert _passed(bench, order) == [f"w{index}" for index in range(2, 9)]
    assert _acknowledged(bench) == [("order-1", 1)]


def test_broker_keeps_no_order_and_no_action(bench: Bench) -> None:
    order = an_order(steps=3, released=3)
    bench.online()
    _want(bench, order)
    bench.until(lambda: "w2" in _passed(bench, order), "an order was driven")
    bench.fleet.link.want_action(an_action(ActionKind.REPORT_STATE, "question-1"), at_s=time.monotonic())
    bench.until(lambda: not bench.fleet.link.outstanding_actions, "an action is over")
    late = Eavesdropper(bench.broker)
    try:
        kept = {ADDRESS.topic(TopicKind.CONNECTION), ADDRESS.topic(TopicKind.FACTSHEET)}
        wait_until(lambda: kept <= {topic for topic, _, _ in late.heard}, "what is kept is heard")
        # A message said after the subscription comes after everything the broker had kept.
        late.say("marker", b"")
        wait_until(lambda: late.heard[-1][0] == "marker", "the marker is heard")
        assert {topic for topic, _, is_kept in late.heard if is_kept} == kept
    finally:
        late.close()
