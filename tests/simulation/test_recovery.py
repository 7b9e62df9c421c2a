"""What is lost and comes back in virtual time: the orchestrator, a robot, both; nothing twice, no order changed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable

import pytest

from orchestrator.application.load_delivery import load_delivery
from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.custody.people import believed
from orchestrator.domain.delivery.model import DeliveryState, LineCount
from orchestrator.domain.fleet.model import RobotId
from simulation.faults.kinds import FaultKind
from simulation.faults.plan import PlannedFault
from simulation.faults.stage import FaultyWard
from simulation.ward import Outcome, SimulatedWard
from tests.support.deliveries import CountingIds
from tests.support.wards import a_cast, a_demand, a_fleet, demo_hospital

Planned = Callable[[SimulatedWard], None]


class WireTap:
    """Every order message on its way to a robot, by order id and update id."""

    def __init__(self, ward: SimulatedWard) -> None:
        self.contents: dict[tuple[str, int], set[str]] = defaultdict(set)
        for robot in ward.robots.values():
            ward.listen(robot.address.topic("order"), self._hear)

    def _hear(self, _topic: str, payload: bytes) -> None:
        message = json.loads(payload)
        for of_header in ("headerId", "timestamp"):
            del message[of_header]
        self.contents[message["orderId"], message["orderUpdateId"]].add(json.dumps(message, sort_keys=True))


def run_with(plan: Planned, *, count: int = 8, seed: int = 11) -> tuple[Outcome, WireTap, SimulatedWard]:
    site = demo_hospital()
    ward = SimulatedWard(a_fleet(site), asked=a_demand(site, count=count, seed=seed), seed=seed)
    tap = WireTap(ward)
    plan(ward)
    return ward.run(limit_s=8 * 3600.0), tap, ward


def assert_all_received_once(outcome: Outcome) -> None:
    assert outcome.is_finished
    for delivery in outcome.deliveries:
        states = [change.after for change in delivery.history]
        assert delivery.state is DeliveryState.RECEIVED
        assert states.count(DeliveryState.SEALED) == states.count(DeliveryState.RECEIVED) == 1


def assert_no_order_has_two_contents(tap: WireTap) -> None:
    assert tap.contents
    assert {ids: len(found) for ids, found in tap.contents.items() if len(found) > 1} == {}


@pytest.mark.parametrize("every_s", [17.0, 61.0, 143.0])
def test_deliveries_finish_when_the_orchestrator_is_killed_again_and_again(every_s: float) -> None:
    def kill_often(ward: SimulatedWard) -> None:
        for i in range(1, 12):
            ward.scheduler.at(i * every_s, lambda: ward.kill_orchestrator(away_s=4.0))

    outcome, tap, _ = run_with(kill_often)

    assert_all_received_once(outcome)
    assert_no_order_has_two_contents(tap)


@pytest.mark.parametrize("at_s", [20.0, 65.0, 90.0, 140.0, 210.0])
@pytest.mark.parametrize("away_s", [3.0, 45.0])
def test_a_delivery_goes_on_when_its_robot_comes_back_from_a_power_cut(at_s: float, away_s: float) -> None:
    def cut_each(ward: SimulatedWard) -> None:
        for i, robot in enumerate(ward.robots.values()):
            ward.scheduler.at(at_s + 7.0 * i, robot.cut_power)
            ward.scheduler.at(at_s + 7.0 * i + away_s, robot.switch_on)

    outcome, tap, _ = run_with(cut_each)

    assert_all_received_once(outcome)
    assert_no_order_has_two_contents(tap)


@pytest.mark.parametrize("unheard_s", [4.0, 12.0])
def test_a_robot_that_arrives_unheard_and_comes_back_without_its_order_has_arrived(unheard_s: float) -> None:
    site = demo_hospital()
    asked = a_demand(site, count=1, seed=11)
    undisturbed = SimulatedWard(a_fleet(site), asked=asked, seed=11).run(limit_s=3600.0)
    (delivery,) = undisturbed.deliveries
    robot = delivery.robot
    arrived_s = next(
        (change.at - delivery.history[0].at).total_seconds()
        for change in delivery.history
        if change.after is DeliveryState.ARRIVED
    )
    arrived_s += asked[0].at_s
    assert robot is not None
    silence = PlannedFault(FaultKind.SILENT, robot, at_s=arrived_s - unheard_s, for_s=50.0, seed="unheard")
    ward = FaultyWard(a_fleet(site), asked=asked, seed=11, plan=[silence])
    ward.scheduler.at(arrived_s + 20.0, ward.robots[robot].cut_power)
    ward.scheduler.at(arrived_s + 25.0, ward.robots[robot].switch_on)

    outcome = ward.run(limit_s=3600.0)

    assert ward.happened[FaultKind.SILENT] == 1
    assert_all_received_once(outcome)


def test_a_robot_that_stays_silent_is_shown_as_lost_with_its_load_and_its_place_stays_occupied() -> None:
    def cut_the_loaded(ward: SimulatedWard) -> None:
        def look() -> None:
            with ward.store.reading() as uow:
                aboard = [d for d in uow.deliveries.open() if d.state is DeliveryState.IN_TRANSIT]
            if not aboard:
                ward.scheduler.after(1.0, look)
                return
            robot = aboard[0].robot
            assert robot is not None
            ward.robots[robot].cut_power()
            ward.scheduler.after(40.0, lambda: remember(robot))

        def remember(robot: RobotId) -> None:
            picture = next(p for p in ward.control.picture().robots if p.id == robot)
            with ward.store.reading() as uow:
                aboard = [d for d in uow.deliveries.open() if d.robot == robot]
            seen.append((picture, aboard))
            ward.robots[robot].switch_on()

        look()

    seen: list[tuple] = []
    outcome, _, _ = run_with(cut_the_loaded)

    picture, aboard = seen[0]
    assert picture.is_lost
    assert picture.report.loads == tuple(d.load for d in aboard)
    assert picture.record.held, "the place where it stands is nobody else's"
    assert all(d.waiting[0].code == "robot_lost" for d in aboard)
    assert_all_received_once(outcome)


def test_nothing_is_given_to_a_robot_that_has_not_reported_to_the_orchestrator_that_came_back() -> None:
    site = demo_hospital()
    ward = SimulatedWard(a_fleet(site, robots=1), asked=a_demand(site, count=1, seed=1, robots=1, after_s=20.0), seed=1)
    robot = ward.robots[RobotId("robot-1")]
    ward.scheduler.at(5.0, robot.cut_power)
    ward.scheduler.at(6.0, lambda: ward.kill_orchestrator(away_s=4.0))
    seen: list = []

    def look() -> None:
        with ward.store.reading() as uow:
            seen.append((ward.control.picture().robots[0].record, uow.deliveries.open()[0]))

    ward.scheduler.at(19.0, lambda: seen.append(ward.control.picture().robots[0].record))
    ward.scheduler.at(24.0, look)
    ward.scheduler.at(25.0, robot.switch_on)
    outcome = ward.run(limit_s=3600.0)

    before, (after, delivery) = seen
    assert (after.held, after.tip, after.granted) == (before.held, before.tip, ())
    assert [reason.code for reason in delivery.waiting] == ["robot_not_reported"]
    assert_all_received_once(outcome)


def test_an_orchestrator_that_comes_back_grants_nothing_to_a_robot_that_has_not_reported() -> None:
    site = demo_hospital()
    ward = SimulatedWard(a_fleet(site, robots=1), asked=a_demand(site, count=1, seed=1, robots=1), seed=1)
    robot = ward.robots[RobotId("robot-1")]
    tips: list = []

    def load(uow: UnitOfWork) -> None:
        delivery = uow.deliveries.open()[0]
        counts = [LineCount(line.id, line.quantity) for line in delivery.lines]
        load_delivery(
            uow,
            delivery=delivery.id,
            seal_number=f"S-{delivery.id}",
            counts=counts,
            ids=CountingIds(),
            at=ward.clock.now(),
            present=believed("pharmacy"),
            premises=ward.control.fleet.premises,
        )

    def look() -> None:
        if [d.state for d in ward.control.read(lambda uow: uow.deliveries.open())] != [DeliveryState.LOADING]:
            ward.scheduler.after(0.5, look)
            return
        robot.cut_power()
        ward.kill_orchestrator(away_s=2.0)
        ward.scheduler.after(3.0, lambda: ward.control.run(load))
        ward.scheduler.after(5.0, lambda: tips.append(ward.control.picture().robots[0].record))
        ward.scheduler.after(6.0, robot.switch_on)

    look()
    assert_all_received_once(ward.run(limit_s=3600.0))

    hatch = ward.control.fleet.waypoint_of(RobotId("robot-1"), a_cast(site, robots=1).hatches[0])
    assert tips[0].tip == hatch, "sealed and bound for the ward, but nothing was granted"
    assert tips[0].granted == ()
