"""A silent robot is asked how it is, a robot without a factsheet for one, and no robot without end."""

from __future__ import annotations

import json
from typing import Any

from orchestrator.vda5050.dialect import Dialect
from orchestrator.vda5050.events import LinkEvent, RobotLost
from orchestrator.vda5050.mapping import QUESTION
from orchestrator.vda5050.master import Due
from orchestrator.vda5050.messages import ActionStatus
from tests.support.robot_link import LinkOnClock, an_error


def a_bench(**limits: Any) -> LinkOnClock:
    return LinkOnClock(dialect=Dialect(), state_interval_s=5.0, lost_after_s=15.0, **limits)


def asked(due: Due) -> list[str]:
    return [
        action["actionType"]
        for message in due.publishes
        if message.topic.endswith("/instantActions")
        for action in json.loads(message.payload)["actions"]
    ]


def id_of_question(due: Due) -> str:
    return json.loads(due.publishes[0].payload)["actions"][0]["actionId"]


def test_a_robot_that_reports_in_time_is_not_asked() -> None:
    bench = a_bench()
    bench.receive(bench.state_bytes())
    bench.receive(factsheet(), kind="factsheet")
    for _ in range(10):
        assert asked(bench.pass_time(5.0)) == []
        bench.receive(bench.state_bytes())


def test_a_silent_robot_is_asked_for_its_state_and_its_answer_keeps_it_from_being_lost() -> None:
    bench = a_bench()
    bench.receive(bench.state_bytes())
    bench.receive(factsheet(), kind="factsheet")
    for _ in range(6):
        due = bench.pass_time(6.0)
        assert asked(due) == ["stateRequest"]
        assert due.events == []
        bench.receive(bench.state_bytes(actions={id_of_question(due): ActionStatus.FINISHED}))


def test_a_robot_that_was_never_heard_is_asked_and_lost_all_the_same() -> None:
    bench = a_bench()
    assert asked(bench.pass_time(6.0)) == ["stateRequest"]
    assert asked(bench.pass_time(1.0)) == []
    assert asked(bench.pass_time(5.0)) == ["stateRequest"]
    due = bench.pass_time(3.0)
    assert [type(event) for event in due.events] == [RobotLost]
    assert asked(bench.pass_time(11.9)) == []
    assert asked(bench.pass_time(0.2)) == ["stateRequest"]


def test_every_question_has_an_id_of_its_own_across_restarts() -> None:
    ids: set[str] = set()
    for start_s in (0.0, 3600.0):
        bench = a_bench()
        bench.at_s = start_s
        ids.add(id_of_question(bench.pass_time(6.0)))
    assert len(ids) == 2
    assert all(each.startswith(QUESTION) for each in ids)


class ListingRobot:
    """A robot that says something every half minute, answers each question once, and lists all till its next order."""

    def __init__(self, **limits: Any) -> None:
        self.bench = a_bench(**limits)
        self.bench.receive(factsheet(), kind="factsheet")
        self.ids: list[str] = []
        self.listed: dict[str, ActionStatus] = {}
        self.longest = 0
        self.events: list[LinkEvent] = []
        self.is_alive = True
        self.misses = 0
        self.driving = False
        self._said_s = 0.0

    def say(self) -> None:
        self._said_s = self.bench.at_s
        self.longest = max(self.longest, len(self.listed))
        self.events += self.bench.receive(self.bench.state_bytes(actions=self.listed, driving=self.driving))

    def pass_time(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            due = self.bench.pass_time(1.0)
            self.events += due.events
            for _ in asked(due):
                self.ids.append(id_of_question(due))
                if self.is_alive and self.ids[-1] not in self.listed:
                    self.listed[self.ids[-1]] = ActionStatus.FINISHED
                    self.say()
            if self.is_alive and self.bench.at_s - self._said_s >= 30.0:
                if self.misses == 0:
                    self.say()
                self.misses, self._said_s = 0, self.bench.at_s

    def losses(self) -> int:
        return sum(isinstance(event, RobotLost) for event in self.events)


def test_a_robot_that_heeds_each_id_once_is_asked_all_night_and_neither_lost_nor_made_to_list_without_end() -> None:
    robot = ListingRobot()
    robot.say()
    for _ in range(3):
        robot.pass_time(8 * 3600.0)
        assert robot.longest == 64
        robot.listed = {}  # its next order
        robot.say()
    assert robot.losses() == 0
    assert len(robot.ids) == len(set(robot.ids)) == 3 * 64


def test_an_idle_robot_with_a_long_list_that_misses_a_heartbeat_is_asked_once_more_before_it_is_lost() -> None:
    robot = ListingRobot()
    robot.say()
    robot.pass_time(3600.0)
    robot.misses = 1
    robot.pass_time(3600.0)
    assert (robot.longest, robot.losses()) == (65, 0)


def test_an_idle_robot_with_a_long_list_is_lost_after_its_own_heartbeat_and_one_that_drives_as_ever() -> None:
    for driving, lost_by_s in ((False, 45.0), (True, 15.0)):
        robot = ListingRobot()
        robot.say()
        robot.pass_time(3600.0)
        robot.listed = {f"{QUESTION}{number}": ActionStatus.FINISHED for number in range(400)}
        robot.driving = driving
        robot.say()
        robot.is_alive = False
        robot.pass_time(lost_by_s - 1.0)
        assert robot.losses() == 0
        robot.pass_time(1.0)
        assert robot.losses() == 1


def test_an_idle_robot_that_may_not_be_asked_or_lists_little_is_lost_as_its_model_has_it() -> None:
    full = {f"{QUESTION}{number}": ActionStatus.FINISHED for number in range(64)}
    few = {f"{QUESTION}{number}": ActionStatus.FINISHED for number in range(63)}
    for dialect, listed in ((Dialect(may_be_asked=False), full), (Dialect(), few)):
        bench = LinkOnClock(dialect=dialect, state_interval_s=5.0, lost_after_s=15.0)
        bench.receive(bench.state_bytes(actions=listed))
        assert RobotLost in [type(event) for event in bench.pass_time(15.0).events]


def test_a_robot_that_cannot_read_a_question_is_asked_under_the_old_key() -> None:
    bench = a_bench()
    bench.receive(factsheet(), kind="factsheet")
    bench.pass_time(6.0)
    unreadable = an_error("validationError", topic="instantActions", headerId=0)
    bench.receive(bench.state_bytes(errors=[unreadable]))
    for _ in range(3):
        (message,) = bench.pass_time(6.0).publishes
        assert "instantActions" in json.loads(message.payload)
        bench.receive(bench.state_bytes(errors=[unreadable]))


def test_a_robot_that_refuses_to_be_asked_twice_is_asked_no_more() -> None:
    bench = a_bench()
    for refuse in ("action", "error"):
        due = bench.pass_time(6.0)
        assert asked(due)[0] == "stateRequest"
        question = id_of_question(due)
        if refuse == "action":
            bench.receive(bench.state_bytes(actions={question: ActionStatus.FAILED}))
        else:
            bench.receive(bench.state_bytes(errors=[an_error(actionId=question)]))
    assert asked(bench.pass_time(14.0)) == []


def test_a_robot_without_a_factsheet_is_asked_for_it_three_times() -> None:
    bench = a_bench()
    asked_for = 0
    for _ in range(60):
        bench.receive(bench.state_bytes())
        asked_for += asked(bench.pass_time(4.0)).count("factsheetRequest")
    assert asked_for == 3


def test_a_factsheet_that_cannot_be_read_is_not_asked_for_again() -> None:
    bench = a_bench()
    bench.receive(b"{}", kind="factsheet")
    for _ in range(20):
        bench.receive(bench.state_bytes())
        assert asked(bench.pass_time(4.0)) == []


def test_a_robot_that_may_not_be_asked_is_not() -> None:
    bench = LinkOnClock(dialect=Dialect(may_be_asked=False), state_interval_s=5.0, lost_after_s=15.0)
    for _ in range(10):
        assert asked(bench.pass_time(6.0)) == []


def factsheet() -> bytes:
    return json.dumps(
        {
            "version": "2.1.0",
            "manufacturer": "ward",
            "serialNumber": "R1",
            "typeSpecification": {"seriesName": "s", "agvKinematic": "DIFF", "agvClass": "CARRIER", "maxLoadMass": 9},
            "physicalParameters": {
                "speedMin": 0,
                "speedMax": 1,
                "accelerationMax": 1,
                "decelerationMax": 1,
                "heightMax": 1,
                "width": 0.4,
                "length": 0.4,
            },
            "protocolLimits": {"timing": {"minOrderInterval": 0, "minStateInterval": 0}},
            "protocolFeatures": {},
            "agvGeometry": {},
            "loadSpecification": {},
        }
    ).encode()
