"""One fault at a time, at a robot that is under way: the fleet goes on, people are told what to do, everything ends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

import pytest

from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.fleet.conduct import ANSWERS, REFUSALS, STALL_S
from orchestrator.domain.fleet.model import RobotId
from simulation.faults.kinds import FaultKind, PlannedFault
from simulation.faults.observers import Answers, Bases, Bodies
from simulation.faults.stage import FaultyWard
from simulation.seeds import ENDED
from simulation.virtual_time import EPOCH
from simulation.ward import Outcome
from tests.support.wards import a_demand, a_fleet, demo_hospital

FAULT_AT_S = 165.0
"""Robot 1 carries two totes through a ward then, where it is in nobody's way."""
ESCALATED_S = 5.0
INTERVAL_S = 5.0
"""The longest a robot of the demo hospital stays silent."""


@dataclass(frozen=True, slots=True)
class Alarm:
    at_s: float
    robot: str
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What came of a ward with one fault."""

    ward: FaultyWard
    outcome: Outcome
    robot: RobotId
    answers: Answers
    alarms: tuple[Alarm, ...]

    def told_s(self, *codes: str) -> float:
        """How long after the fault began people were first told of its robot under one of the codes."""
        return min(a.at_s for a in self.alarms if a.robot == self.robot and a.code in codes) - FAULT_AT_S

    def received_by_others(self, until_s: float) -> int:
        """How many deliveries other robots brought while the fault lasted."""
        return sum(
            1
            for delivery in self.outcome.deliveries
            for change in delivery.history
            if change.after is DeliveryState.RECEIVED
            and delivery.robot != self.robot
            and FAULT_AT_S < (change.at - EPOCH).total_seconds() < until_s
        )


def after(
    kind: FaultKind, *, for_s: float = 400.0, at_s: float = FAULT_AT_S, count: int = 8, charge: float = 1.0
) -> Aftermath:
    site = demo_hospital()
    robot = RobotId("robot-1")
    plan = [PlannedFault(kind, robot, at_s, for_s, "1")]
    ward = FaultyWard(a_fleet(site), asked=a_demand(site, count=count, seed=2), seed=2, plan=plan)
    for body in ward.robots.values():
        body.lose_charge(1.0 - charge)
    bodies, answers, _ = Bodies(ward), Answers(ward), Bases(ward)
    hit: list[RobotId] = []
    ward.scheduler.at(at_s + 0.001, lambda: hit.extend(fault.robot for fault in ward.faults_now))
    outcome = ward.run(limit_s=4 * 3600.0)
    assert bodies.looks > 100
    assert outcome.is_finished
    assert {d.state for d in outcome.deliveries} <= ENDED
    return Aftermath(ward, outcome, hit[0], answers, tuple(alarms_of(outcome)))


def alarms_of(outcome: Outcome) -> list[Alarm]:
    events = [json.loads(line) for line in outcome.log.splitlines()]
    return [
        Alarm(
            at_s=(datetime.fromisoformat(event["at"]) - EPOCH).total_seconds(),
            robot=event["subject"],
            code=event["data"]["code"],
            sentence=event["data"]["sentence"],
        )
        for event in events
        if event["kind"] == "alarm"
    ]


AT_ONCE_S = 1.0
ANSWER_S = 5.0
LOST_S = 15.0

TOLD = [
    (FaultKind.DEAD_BUT_ONLINE, ("robot_lost",), LOST_S),
    (FaultKind.POWER_CUT, ("robot_lost",), LOST_S),
    (FaultKind.SILENT, ("robot_lost", "order_unanswered"), LOST_S),
    (FaultKind.ECHOES_OLD_IDS, ("robot_unresponsive",), ANSWERS * ANSWER_S + 60.0),
    (FaultKind.DEAF, ("robot_unresponsive",), ANSWERS * ANSWER_S + 60.0),
    (FaultKind.NEVER_MOVES, ("robot_unresponsive",), STALL_S + 60.0),
    (FaultKind.CLAIMS_PAUSED, ("robot_unresponsive",), 60.0),
    (FaultKind.POSITION_JUMP, ("robot_moved",), INTERVAL_S),
    (FaultKind.EMERGENCY_STOP, ("robot_stopped",), AT_ONCE_S),
    (FaultKind.MANUAL_MODE, ("robot_stopped",), AT_ONCE_S),
    (FaultKind.PUSHED_ASIDE, ("robot_moved",), AT_ONCE_S),
    (FaultKind.LOCALISATION_LOST, ("robot_unlocalised",), AT_ONCE_S),
    (FaultKind.BATTERY_DRAIN, ("robot_battery_empty",), 400.0),
]


@pytest.mark.parametrize(("kind", "codes", "within_s"), TOLD, ids=[kind.value for kind, _, _ in TOLD])
def test_people_are_told_of_a_robot_that_fails_and_the_others_go_on(
    kind: FaultKind, codes: tuple[str, ...], within_s: float
) -> None:
    # The drain takes nearly a whole charge; one that is not quite full is emptied however far the robot drives.
    aftermath = after(kind, charge=0.9 if kind is FaultKind.BATTERY_DRAIN else 1.0)

    assert aftermath.told_s(*codes) <= within_s + ESCALATED_S
    assert all("." in alarm.sentence for alarm in aftermath.alarms)
    assert aftermath.received_by_others(FAULT_AT_S + 400.0) > 0


UNTOLD = [FaultKind.OUT_OF_SCHEMA, FaultKind.NEVER_ANNOUNCED, FaultKind.REPLAY, FaultKind.REBOOTS]


@pytest.mark.parametrize("kind", UNTOLD, ids=[kind.value for kind in UNTOLD])
def test_a_robot_that_still_does_what_it_is_told_is_neither_lost_nor_held(kind: FaultKind) -> None:
    aftermath = after(kind, for_s=200.0)

    assert [a for a in aftermath.alarms if a.robot == aftermath.robot] == []
    assert {d.state for d in aftermath.outcome.deliveries} == {DeliveryState.RECEIVED}


def test_a_robot_whose_clock_jumps_is_told_of_and_goes_on() -> None:
    aftermath = after(FaultKind.CLOCK_JUMP, for_s=200.0)

    assert [a.code for a in aftermath.alarms if a.robot == aftermath.robot] == ["robot_clock_wrong"]
    assert {d.state for d in aftermath.outcome.deliveries} == {DeliveryState.RECEIVED}


def test_departures_from_the_schema_are_counted_and_kept_with_what_was_wrong() -> None:
    aftermath = after(FaultKind.OUT_OF_SCHEMA, for_s=200.0)

    kept = aftermath.ward.control.complaints
    assert kept[aftermath.robot].states > 10
    assert {fault.path.split(".")[0] for fault in kept[aftermath.robot].ways} >= {"operatingMode", "errors"}
    assert all(complaints.states == 0 for robot, complaints in kept.items() if robot != aftermath.robot)


def test_a_robot_that_refuses_its_orders_under_ever_other_error_types_is_held_after_a_few() -> None:
    aftermath = after(FaultKind.REFUSES_ORDERS)

    codes = [a.code for a in aftermath.alarms if a.robot == aftermath.robot]
    before = codes[: codes.index("robot_unresponsive")]
    assert before.count("order_rejected") == REFUSALS
    assert aftermath.answers.refusals >= REFUSALS
    assert aftermath.answers.slowest_refusal_s < AT_ONCE_S
    assert aftermath.received_by_others(FAULT_AT_S + 400.0) > 0


def test_a_robot_that_cannot_take_in_what_was_loaded_is_held_and_the_delivery_goes_back() -> None:
    aftermath = after(FaultKind.FAILED_PICK, at_s=5.0)

    assert "robot_failed_action" in {a.code for a in aftermath.alarms}
    assert DeliveryState.RETURNED in {d.state for d in aftermath.outcome.deliveries}


def test_a_robot_that_cannot_dock_is_told_of() -> None:
    aftermath = after(FaultKind.DOCKING_FAILED, at_s=1.0, for_s=3000.0, charge=0.3)

    assert "robot_failed_action" in {a.code for a in aftermath.alarms}


def test_a_broker_that_forgets_everything_costs_nothing_but_time() -> None:
    aftermath = after(FaultKind.BROKER_RESTART)

    assert {d.state for d in aftermath.outcome.deliveries} == {DeliveryState.RECEIVED}
