"""When people are told of a robot that takes no order, and what is left to others until it is ready."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from orchestrator.application.abort_order import abort_order
from orchestrator.application.readiness import HAS_OTHER_ORDER, PAUSED_ITSELF, Readiness
from orchestrator.application.robot_acts import Asked
from orchestrator.application.turn import Turn
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.fleet.hold import Hold, HoldKind
from orchestrator.domain.fleet.model import ActionId, ActionStatus, OrderId, RobotReport
from orchestrator.domain.fleet.order import ActionKind, RobotAction
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import LaneId
from tests.support.deliveries import NOON
from tests.support.wards import a_fleet, demo_hospital
from tests.unit.application.test_listening import HOME, ROBOT, House, a_report

FLEET = a_fleet(demo_hospital(), robots=1)
LIMIT_S = FLEET.models[ROBOT].order_answer_s
WAY = (LaneId("charger_1~lobby_n"),)
PAUSED = a_report(is_paused=True)
OTHER = a_report(order_id=OrderId("left-over-7"), sequences_ahead=(6,))


class Watched(House):
    """The house, and people who watch whether its robot is ready."""

    def __init__(self, state: DeliveryState, report: RobotReport, **changes: object) -> None:
        record = RobotRecord(ROBOT, tip=HOME, report=report, route=WAY)
        super().__init__(state, replace(record, **changes))  # pyright: ignore[reportArgumentType]
        self.readiness = Readiness(FLEET)
        with self.store.transaction() as uow:
            uow.robots.save(self.record)

    def look(self, *at_s: float, has_reported: bool = True) -> None:
        for each_s in at_s:
            with self.store.transaction() as uow:
                turn = Turn(uow, at=NOON, at_s=each_s, ids=self.ids, records={ROBOT: self.record})
                self.readiness.look(turn, reported=(ROBOT,) if has_reported else ())
            self.record = turn.record(ROBOT)

    def says(self, report: RobotReport) -> None:
        self.record = replace(self.record, report=report)

    @property
    def waits_for(self) -> list[str]:
        return [reason.code for reason in self.record.waiting]


def test_what_it_was_to_fetch_waits_for_another_once_it_has_been_paused_for_as_long_as_an_answer_may_take() -> None:
    house = Watched(DeliveryState.ASSIGNED, PAUSED)

    house.look(0.0, LIMIT_S - 0.1)
    assert (house.alarms, house.delivery.robot, house.readiness.next_s(LIMIT_S - 0.1)) == ([], ROBOT, LIMIT_S)

    house.look(LIMIT_S, LIMIT_S + 1.0, 2.0 * LIMIT_S)
    assert (house.alarms, house.waits_for) == ([PAUSED_ITSELF], [PAUSED_ITSELF])
    assert (house.delivery.state, house.delivery.robot) == (DeliveryState.VERIFIED, None)
    assert house.readiness.next_s(LIMIT_S) == math.inf


def test_what_it_carries_says_why_it_stands_until_it_is_ready_again() -> None:
    house = Watched(DeliveryState.IN_TRANSIT, OTHER)

    house.look(0.0, LIMIT_S)
    assert house.codes == [HAS_OTHER_ORDER]

    house.says(a_report())
    house.look(LIMIT_S + 1.0)
    assert (house.codes, house.waits_for, house.alarms) == ([], [], [HAS_OTHER_ORDER])


def test_after_a_restart_of_the_orchestrator_one_that_is_ready_waits_no_more() -> None:
    house = Watched(DeliveryState.IN_TRANSIT, PAUSED)
    house.look(0.0, LIMIT_S)

    house.readiness = Readiness(FLEET)
    house.look(LIMIT_S + 1.0, has_reported=False)
    house.says(a_report())
    house.look(LIMIT_S + 2.0)

    assert (house.codes, house.waits_for) == ([], [])


def test_another_word_of_the_moment_does_not_hide_for_long_why_it_stands() -> None:
    house = Watched(DeliveryState.IN_TRANSIT, PAUSED)
    house.look(0.0, LIMIT_S)

    house.record = replace(house.record, waiting=(Reason("action_unanswered", "It does not answer."),))
    house.look(LIMIT_S + 1.0)

    assert (house.waits_for, house.alarms) == ([PAUSED_ITSELF], [PAUSED_ITSELF])


RUNS = a_report(actions={ActionId("own"): ActionStatus.RUNNING})
UNTOLD: dict[str, tuple[RobotReport, dict[str, object]]] = {
    "has an order of ours": (OTHER, {"phase": OrderPhase.ACKNOWLEDGED}),
    "is asked to give one up": (OTHER, {"phase": OrderPhase.CANCELLING}),
    "is silent": (PAUSED, {"lost_since": NOON}),
    "is held": (PAUSED, {"holds": (Hold(HoldKind.STOPPED, "See to it.", ROBOT, NOON),)}),
    "does at once what it was asked": (RUNS, {}),
    "is wanted nowhere": (PAUSED, {"route": ()}),
    "is idle": (a_report(), {}),
}


@pytest.mark.parametrize("name", UNTOLD)
def test_nobody_is_told_of_a_robot_that(name: str) -> None:
    report, changes = UNTOLD[name]
    house = Watched(DeliveryState.IN_TRANSIT, report, **changes)
    with house.store.transaction() as uow:
        uow.outbox.add(ROBOT, at=NOON, action=RobotAction(ActionId("own"), ActionKind.PICK))

    house.look(0.0, LIMIT_S, 100.0)

    assert (house.alarms, house.codes) == ([], [])


def test_nobody_is_told_of_moments() -> None:
    house = Watched(DeliveryState.IN_TRANSIT, PAUSED)

    for at_s in range(0, 100, 4):
        house.says(PAUSED)
        house.look(float(at_s))
        house.says(a_report())
        house.look(at_s + 2.0)

    assert house.alarms == []


def test_an_idle_robot_that_was_paused_long_ago_is_told_of_as_soon_as_something_waits_for_a_robot() -> None:
    house = Watched(DeliveryState.VERIFIED, PAUSED, route=())

    house.look(0.0, LIMIT_S)

    assert house.alarms == [PAUSED_ITSELF]


def test_what_a_robot_calls_its_order_cannot_spoil_what_people_read() -> None:
    house = Watched(DeliveryState.IN_TRANSIT, replace(OTHER, order_id=OrderId("\x1b[2J\n" + "x" * 200)))

    house.look(0.0, LIMIT_S)

    sentence = house.record.waiting[0].sentence
    assert sentence.isprintable()
    assert len(sentence) < 300


@pytest.mark.parametrize("holds", [(), (Hold(HoldKind.UNRESPONSIVE, "It refuses.", ROBOT, NOON),)])
def test_an_abort_tells_a_robot_once_to_give_up_what_it_has_from_elsewhere_also_if_it_is_held(
    holds: tuple[Hold, ...],
) -> None:
    house = Watched(DeliveryState.IN_TRANSIT, OTHER, holds=holds)

    for _ in range(2):
        with house.store.transaction() as uow:
            abort_order(uow, FLEET, Asked(ROBOT, "porter-1", "because", NOON), ids=house.ids)

    with house.store.reading() as uow:
        assert uow.robots.get(ROBOT).phase is OrderPhase.CANCELLING
        assert uow.robots.get(ROBOT).is_held_for(HoldKind.PAUSED)
    assert house.wanted() == [ActionKind.CANCEL_ORDER]
