"""Robots that do not do what they were asked: the fleet goes on, nobody's medicine is stranded, and people are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from orchestrator.application.control import LATER_S
from orchestrator.application.listening import hear
from orchestrator.application.turn import Turn
from orchestrator.domain.delivery.model import Delivery, DeliveryState
from orchestrator.domain.fleet.model import ActionId, RobotId
from orchestrator.vda5050.events import ActionFailed
from simulation.ward import Outcome, SimulatedWard
from tests.support.wards import a_demand, a_fleet, demo_hospital


def a_ward(*, count: int = 3, seed: int = 2) -> SimulatedWard:
    site = demo_hospital()
    return SimulatedWard(a_fleet(site), asked=a_demand(site, count=count, seed=seed), seed=seed)


def once_somebody_is(ward: SimulatedWard, state: DeliveryState, act: Callable[[Delivery], None]) -> None:
    """Act on the first delivery that is seen in a state, once."""

    def look() -> None:
        found = ward.control.read(lambda uow: [d for d in uow.deliveries.open() if d.state is state])
        if found:
            act(found[0])
        else:
            ward.scheduler.after(0.5, look)

    look()


def delivery_now(ward: SimulatedWard, delivery: Delivery) -> Delivery:
    return ward.control.read(lambda uow: uow.deliveries.get(delivery.id))


def robot_of(delivery: Delivery) -> RobotId:
    assert delivery.robot is not None
    return delivery.robot


def alarms(outcome: Outcome) -> list[str]:
    return [line for line in outcome.log.decode().splitlines() if '"kind": "alarm"' in line]


def test_a_tote_that_the_robot_could_not_take_in_goes_back_to_the_pharmacy_and_people_are_told() -> None:
    ward = a_ward()

    def fail_pick(delivery: Delivery) -> None:
        robot = robot_of(delivery)
        order = next(p.record.order for p in ward.control.picture().robots if p.id == robot)
        assert order is not None
        picks = [a.id for step in order.steps for a in step.actions if a.load == delivery.load]
        with ward.control._turn() as turn:
            hear(turn, ward.control.fleet, robot, ActionFailed(ActionId(picks[0]), "the drawer is jammed"))

    once_somebody_is(ward, DeliveryState.IN_TRANSIT, fail_pick)
    outcome = ward.run(limit_s=7200.0)

    assert outcome.is_finished
    assert sorted(d.state.value for d in outcome.deliveries) == ["received", "received", "returned"]
    returned = next(d for d in outcome.deliveries if d.state is DeliveryState.RETURNED)
    assert [c.reason.code for c in returned.history if c.reason is not None][-1] == "pick_failed"
    assert any("action_failed" in line for line in alarms(outcome))


def test_a_load_that_the_robot_no_longer_reports_is_told_and_the_delivery_stays_on_its_account() -> None:
    ward = a_ward()
    seen: list[Delivery] = []

    def empty_drawers(delivery: Delivery) -> None:
        robot = ward.robots[robot_of(delivery)]
        robot.cut_power()
        robot._board = robot._boot(replace(robot._board.memory, loads={}))
        robot.switch_on()
        ward.scheduler.after(3.0, lambda: seen.append(delivery_now(ward, delivery)))

    once_somebody_is(ward, DeliveryState.IN_TRANSIT, empty_drawers)
    outcome = ward.run(limit_s=7200.0)

    assert seen[0].state is DeliveryState.IN_TRANSIT
    assert [reason.code for reason in seen[0].waiting] == ["load_missing"]
    assert any("load_missing" in line for line in alarms(outcome))


def test_what_a_stopped_robot_carries_says_why_it_waits_until_a_person_has_resumed_the_robot() -> None:
    ward = a_ward()
    seen: list[list[str]] = []

    def stop(delivery: Delivery) -> None:
        robot = ward.robots[robot_of(delivery)]
        robot.press_emergency_stop()

        def look() -> None:
            seen.append([reason.code for reason in delivery_now(ward, delivery).waiting])

        ward.scheduler.after(5.0, look)
        ward.scheduler.after(20.0, robot.release_emergency_stop)
        ward.scheduler.after(22.0, look)
        ward.scheduler.after(180.0, look)

    once_somebody_is(ward, DeliveryState.IN_TRANSIT, stop)
    outcome = ward.run(limit_s=7200.0)

    assert outcome.is_finished
    assert seen == [["robot_stopped"], ["robot_stopped"], []]
    assert any("robot_stopped" in line for line in alarms(outcome))


def test_a_robot_that_answers_no_order_loses_its_deliveries_within_its_limit_and_gets_no_others() -> None:
    ward = a_ward()
    deaf = RobotId("robot-1")
    ward.robots[deaf]._receive = lambda kind, payload: None  # pyright: ignore[reportAttributeAccessIssue]

    outcome = ward.run(limit_s=600.0)

    given_up = [
        (before.at, change.at)
        for d in outcome.deliveries
        for before, change in zip(d.history, d.history[1:], strict=False)
        if change.reason is not None and change.reason.code == "order_unanswered"
    ]
    limit_s = ward.control.fleet.models[deaf].order_answer_s
    assert given_up
    assert all((after - before).total_seconds() <= limit_s + 1.0 for before, after in given_up)
    assert all(d.robot != deaf for d in outcome.deliveries)
    assert any("order_unanswered" in line for line in alarms(outcome))


def test_a_message_that_changes_nothing_is_counted_and_opens_no_transaction() -> None:
    ward = a_ward(count=1)
    robot = ward.robots[RobotId("robot-1")]
    topic = robot.address.topic("state")
    numbers: list[int] = []

    def flood() -> None:
        for _ in range(100):
            ward.control.receive(topic, b"{")

    ward.scheduler.at(30.0, flood)
    ward.scheduler.at(29.9999, lambda: numbers.append(ward.control.read(lambda uow: uow.events.last_number())))
    ward.scheduler.at(30.0, lambda: numbers.append(ward.control.read(lambda uow: uow.events.last_number())))

    outcome = ward.run(limit_s=7200.0)

    assert outcome.is_finished
    assert ward.control.refused[RobotId("robot-1")] == 100
    assert numbers[0] == numbers[1]


def test_another_number_for_grants_is_kept_and_nothing_else_is_decided_for_it() -> None:
    ward = a_ward(count=1)
    robot = RobotId("robot-3")
    shown: set[str | None] = set()
    decided: list[float] = []
    steer = ward.control._steering.steer

    def count(turn: Turn, **others: Any) -> None:
        decided.append(turn.at_s)
        steer(turn, **others)

    def look() -> None:
        report = ward.control.read(lambda uow: uow.robots.get(robot)).report
        shown.add(report.nonce if report else None)
        ward.scheduler.after(1.0, look)

    ward.control._steering.steer = count  # type: ignore[method-assign]
    ward.scheduler.at(100.0, look)
    ward._open += 1  # as if somebody still waited: the ward lives until the limit
    ward.run(limit_s=1000.0)

    idle_s = [at_s for at_s in decided if at_s > 600.0]
    assert None not in shown
    assert len(shown) > 20
    assert len(idle_s) <= 400.0 / LATER_S + 10
