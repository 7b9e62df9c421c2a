"""The ways out of a delivery's life that are not receipt, in a virtual ward with people who react."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.application.cancel_delivery import cancel_delivery
from orchestrator.application.ports import UnitOfWork
from orchestrator.domain.delivery.model import Delivery, DeliveryState
from orchestrator.domain.fleet.model import RobotId
from orchestrator.vda5050.messages import OperatingMode
from simulation.ward import Outcome, SimulatedWard
from tests.support.wards import a_demand, a_fleet, demo_hospital


def a_ward(*, count: int, seed: int = 2, robots: int = 3) -> SimulatedWard:
    site = demo_hospital()
    return SimulatedWard(
        a_fleet(site, robots=robots), asked=a_demand(site, count=count, seed=seed, robots=robots), seed=seed
    )


def cancel_first_in(ward: SimulatedWard, state: DeliveryState) -> None:
    """Cancel the first delivery that is seen in a state, once."""

    def look() -> None:
        with ward.store.reading() as uow:
            found = [d for d in uow.deliveries.open() if d.state is state]
        if not found:
            ward.scheduler.after(0.5, look)
            return

        def cancel(uow: UnitOfWork) -> Delivery:
            return cancel_delivery(
                uow,
                delivery=found[0].id,
                reason="Patient was discharged",
                at=ward.clock.now(),
                by="pharmacist-1",
                premises=ward.control.fleet.premises,
            )

        ward.control.run(cancel)

    look()


def by_state(outcome: Outcome) -> dict[DeliveryState, int]:
    assert outcome.is_finished
    counts: dict[DeliveryState, int] = {}
    for delivery in outcome.deliveries:
        counts[delivery.state] = counts.get(delivery.state, 0) + 1
    return counts


def test_a_delivery_cancelled_on_the_way_to_the_hatch_frees_its_robot_for_the_next() -> None:
    ward = a_ward(count=4, robots=1)
    cancel_first_in(ward, DeliveryState.ASSIGNED)

    assert by_state(ward.run(limit_s=7200.0)) == {DeliveryState.CANCELLED: 1, DeliveryState.RECEIVED: 3}


def test_a_delivery_cancelled_while_it_is_loaded_does_not_hold_its_robot_up() -> None:
    ward = a_ward(count=4, robots=1)
    cancel_first_in(ward, DeliveryState.LOADING)

    assert by_state(ward.run(limit_s=7200.0)) == {DeliveryState.CANCELLED: 1, DeliveryState.RECEIVED: 3}


def test_a_delivery_cancelled_after_sealing_comes_back_to_the_hatch_unopened_and_is_returned() -> None:
    for state in (DeliveryState.SEALED, DeliveryState.IN_TRANSIT, DeliveryState.ARRIVED):
        ward = a_ward(count=3)
        cancel_first_in(ward, state)

        outcome = ward.run(limit_s=7200.0)

        assert by_state(outcome) == {DeliveryState.RETURNED: 1, DeliveryState.RECEIVED: 2}
        returned = next(d for d in outcome.deliveries if d.state is DeliveryState.RETURNED)
        states = [change.after for change in returned.history]
        assert states[-2:] == [DeliveryState.RETURNING, DeliveryState.RETURNED]


def while_driving(ward: SimulatedWard, act: Callable[[RobotId], None]) -> None:
    """Do something to the first robot that is seen driving with a load."""

    def look() -> None:
        for picture in ward.control.picture().robots:
            if picture.report and picture.report.is_driving and picture.report.loads:
                act(picture.id)
                return
        ward.scheduler.after(1.0, look)

    ward.scheduler.after(1.0, look)


def test_a_robot_whose_emergency_stop_is_pressed_gets_nothing_new_and_goes_on_once_a_person_has_released_it() -> None:
    ward = a_ward(count=3)
    held: list[tuple[object, object]] = []

    def press(robot: RobotId) -> None:
        ward.robots[robot].press_emergency_stop()
        ward.scheduler.after(10.0, lambda: held.append(granted_to(robot)))
        ward.scheduler.after(70.0, lambda: held.append(granted_to(robot)))
        ward.scheduler.after(71.0, ward.robots[robot].release_emergency_stop)

    def granted_to(robot: RobotId) -> tuple[object, object]:
        record = next(p.record for p in ward.control.picture().robots if p.id == robot)
        return record.tip, record.order.released if record.order else None

    while_driving(ward, press)

    assert by_state(ward.run(limit_s=7200.0)) == {DeliveryState.RECEIVED: 3}
    assert held[0] == held[1]


def test_a_robot_taken_into_manual_mode_has_dropped_its_order_and_goes_on_with_a_new_one() -> None:
    ward = a_ward(count=3)

    def take_over(robot: RobotId) -> None:
        ward.robots[robot].set_operating_mode(OperatingMode.MANUAL)
        ward.scheduler.after(60.0, lambda: ward.robots[robot].set_operating_mode(OperatingMode.AUTOMATIC))

    while_driving(ward, take_over)

    assert by_state(ward.run(limit_s=7200.0)) == {DeliveryState.RECEIVED: 3}


def test_nothing_more_joins_the_trip_of_a_robot_that_is_stopped_at_the_hatch() -> None:
    site = demo_hospital()
    first, second = a_demand(site, count=2, seed=2, robots=1)
    ward = SimulatedWard(a_fleet(site, robots=1), asked=[first], seed=2)
    robot = ward.robots[RobotId("robot-1")]
    seen: list[list[DeliveryState]] = []

    def states() -> list[DeliveryState]:
        return [d.state for d in ward.control.read(lambda uow: uow.deliveries.open())]

    def stop_while_it_is_loaded() -> None:
        if DeliveryState.LOADING not in states():
            ward.scheduler.after(0.5, stop_while_it_is_loaded)
            return
        robot.press_emergency_stop()
        ward.scheduler.after(1.0, lambda: ward.ask(second))
        ward.scheduler.after(2.0, lambda: seen.append(states()))
        ward.scheduler.after(3.0, robot.release_emergency_stop)

    stop_while_it_is_loaded()

    assert by_state(ward.run(limit_s=7200.0)) == {DeliveryState.RECEIVED: 2}
    assert seen == [[DeliveryState.LOADING, DeliveryState.VERIFIED]]
