from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.fleet.model import RobotId, RobotReport
from orchestrator.domain.fleet.order import DriveOrder
from orchestrator.domain.site.model import WaypointId
from orchestrator.vda5050.mapping import report_from_state
from orchestrator.vda5050.progress import is_carried_out, passed_steps
from tests.support.robot_link import START, a_state, a_step, an_order

ORDER = an_order(steps=5, released=4)


def a_report(*, last: str, sequence: int, ahead: tuple[int, ...], order: str = "order-1") -> RobotReport:
    state = a_state(order=order, last=last, last_sequence=sequence, ahead=ahead)
    return report_from_state(state, robot=RobotId("r1"), received_at=START)


# What the robot reports, what was passed before, and what is passed now.
ROWS = [
    ("standing on the first node", ("w0", 0, (2, 4, 6, 8)), -1, [0]),
    ("first node still listed", ("w0", 0, (0, 2, 4, 6, 8)), -1, []),
    ("one node on", ("w1", 2, (4, 6, 8)), 0, [1]),
    ("several at once", ("w3", 6, (8,)), 0, [1, 2, 3]),
    ("nothing new", ("w1", 2, (4, 6, 8)), 1, []),
    ("backwards", ("w0", 0, (2, 4, 6, 8)), 2, []),
    ("last node of the order before", ("w9", 6, (0, 2, 4, 6, 8)), -1, []),
    ("last node of the order before, first not listed", ("w0", 6, (2, 4, 6, 8)), -1, [0]),
    ("horizon not listed, sequence of the order before", ("w9", 8, (0, 2)), -1, []),
    ("cancelled before the start", ("w9", 8, ()), -1, []),
    ("cancelled on the way", ("w1", 2, ()), 0, [1]),
    ("an edge as last sequence", ("w1", 3, (4, 6, 8)), 0, []),
    ("beyond the base", ("w4", 8, ()), 0, []),
    ("a sequence that is on no order", ("w1", 400, ()), 0, []),
    ("a negative sequence", ("w1", -2, ()), 0, []),
]


@pytest.mark.parametrize(("name", "report", "before", "passed"), ROWS, ids=[row[0] for row in ROWS])
def test_nodes_are_passed_only_on_evidence(
    name: str, report: tuple[str, int, tuple[int, ...]], before: int, passed: list[int]
) -> None:
    last, sequence, ahead = report
    assert list(passed_steps(ORDER, a_report(last=last, sequence=sequence, ahead=ahead), after=before)) == passed, name


def test_nothing_of_an_order_is_passed_while_the_robot_reports_another() -> None:
    assert not passed_steps(ORDER, a_report(last="w1", sequence=2, ahead=(), order="other"), after=-1)


def test_a_place_visited_twice_is_not_passed_before_its_turn() -> None:
    loop = DriveOrder(id=ORDER.id, robot=ORDER.robot, steps=(a_step(0), a_step(1), a_step(2, place="w0")), released=3)
    assert list(passed_steps(loop, a_report(last="w0", sequence=4, ahead=(2, 4)), after=-1)) == [0]
    assert list(passed_steps(loop, a_report(last="w0", sequence=4, ahead=()), after=0)) == [1, 2]


def test_an_order_is_carried_out_when_all_is_released_passed_and_over() -> None:
    whole = replace(ORDER, released=5)
    done = a_report(last="w4", sequence=8, ahead=())
    assert is_carried_out(whole, done, passed=4)
    assert not is_carried_out(whole, done, passed=3)
    assert not is_carried_out(ORDER, done, passed=4)
    assert WaypointId("w4") == whole.steps[-1].waypoint
