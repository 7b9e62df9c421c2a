"""A robot that somebody stops again before it has gone on: nothing of before lets it go (promise 14)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from orchestrator.application.abort_order import abort_order
from orchestrator.application.fence_off_robot import fence_off_robot
from orchestrator.application.pause_robot import pause_robot
from orchestrator.application.resume_robot import resume_robot
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.record import RobotRecord
from tests.simulation.test_robot_operations import Operator, a_ward, is_driving_with_a_load, states


def press(operator: Operator) -> None:
    operator.ward.robots[operator.robot].press_emergency_stop()
    operator.after(20.0, operator.ward.robots[operator.robot].release_emergency_stop)


STOPS: dict[str, Callable[[Operator], None]] = {
    "paused": lambda operator: operator.do(pause_robot),
    "aborted": lambda operator: operator.do(abort_order),
    "fenced off": lambda operator: operator.do(fence_off_robot),
    "its emergency stop pressed and released": press,
}


class Deaf:
    """Keeps every stopPause from a robot until it is cured, and counts those that were sent to it."""

    def __init__(self, operator: Operator) -> None:
        self.is_cured = False
        self.sent_s: list[float] = []
        self._ward = operator.ward
        robot = operator.ward.robots[operator.robot]
        hears = robot._receive

        def receive(kind: str, payload: bytes) -> None:
            if self.is_cured or b'"stopPause"' not in payload:
                hears(kind, payload)

        robot._receive = receive  # type: ignore[method-assign]
        self._ward.listen(robot.address.topic("instantActions"), self._note)

    def _note(self, _topic: str, payload: bytes) -> None:
        if b'"stopPause"' in payload:
            self.sent_s.append(self._ward.clock.monotonic_s())

    def cure(self) -> None:
        self.is_cured = True


@pytest.mark.parametrize("how", STOPS)
def test_a_robot_stopped_again_before_it_went_on_stands_until_a_person_resumes_it_again(how: str) -> None:
    operator = Operator(a_ward())
    operator.ward._people._looked_after.update(operator.ward.robots)
    deaf: list[Deaf] = []

    def pause() -> None:
        deaf.append(Deaf(operator))
        operator.do(pause_robot)
        operator.after(10.0, partial(operator.do, resume_robot))
        operator.after(13.0, lambda: STOPS[how](operator))
        operator.after(14.0, deaf[0].cure)
        operator.after(16.0, operator.look)
        operator.after(199.0, operator.look)
        operator.after(200.0, partial(operator.do, resume_robot))

    operator.once(is_driving_with_a_load, pause)
    outcome = operator.ward.run(limit_s=3000.0)

    (first, later) = operator.seen
    assert first.is_kept_from_driving
    assert later.is_kept_from_driving
    assert operator.poses[0] == pytest.approx(operator.poses[1], abs=0.01)
    begun_s = deaf[0].sent_s[0]
    assert len(deaf[0].sent_s) > 1, "it was asked to go on, and did not hear it"
    assert not [s for s in deaf[0].sent_s if begun_s + 3.0 < s < begun_s + 189.0]
    assert states(outcome) == ["received"] * 3


def test_a_robot_that_does_not_hear_that_it_is_resumed_does_not_drive_off_long_after() -> None:
    operator = Operator(a_ward(after_s=120.0))
    operator.ward._people._looked_after.update(operator.ward.robots)
    deaf: list[Deaf] = []

    def is_at_rest(record: RobotRecord) -> bool:
        return record.order is None and record.tip is not None and record.report is not None

    def pause() -> None:
        deaf.append(Deaf(operator))
        operator.do(pause_robot)
        operator.after(10.0, partial(operator.do, resume_robot))
        operator.after(39.0, operator.look)
        operator.after(47.0, operator.look)
        operator.after(60.0, deaf[0].cure)
        operator.after(300.0, operator.look)
        operator.after(301.0, partial(operator.do, resume_robot))

    operator.once(is_at_rest, pause)
    outcome = operator.ward.run(limit_s=3000.0)

    asked, given_up, later = operator.seen
    assert not asked.is_held_for(HoldKind.UNRESPONSIVE)
    assert given_up.is_held_for(HoldKind.UNRESPONSIVE)
    assert later.is_held_for(HoldKind.UNRESPONSIVE)
    assert later.report is not None
    assert later.report.is_paused
    assert operator.poses[0] == operator.poses[2]
    begun_s = deaf[0].sent_s[0]
    assert not [s for s in deaf[0].sent_s if begun_s + 36.0 < s < begun_s + 290.0]
    assert states(outcome) == ["received"] * 3
