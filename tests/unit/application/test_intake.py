"""When refused messages are so many that people have to look."""

from __future__ import annotations

from orchestrator.application.intake import JUMPS_AT_ONCE, REFUSED_AT_ONCE, TRICKLE_S, Intake
from orchestrator.domain.fleet.model import Pose, RobotId
from orchestrator.domain.site.model import LevelId
from orchestrator.vda5050.freshness import REPEATED

R1, R2 = RobotId("r1"), RobotId("r2")


def test_a_robot_that_sends_nothing_usable_is_named_with_the_commonest_reason_and_only_it() -> None:
    intake = Intake()
    told = [intake.note_refused(R1, "it is not JSON" if i % 3 else "foreign", at_s=0.0) for i in range(130)]

    assert [reason for reason in told if reason] == ["it is not JSON"]
    assert intake.note_refused(R2, "it is not JSON", at_s=0.0) is None


def test_one_refused_message_a_second_is_forgiven_for_ever() -> None:
    intake = Intake()
    assert not any(intake.note_refused(R1, "older", at_s=float(i)) for i in range(10_000))


def test_two_refused_messages_a_second_are_not() -> None:
    intake = Intake()
    told = [i for i in range(1000) if intake.note_refused(R1, "older", at_s=i / 2.0)]
    assert told
    assert told[0] / 2.0 <= 2 * REFUSED_AT_ONCE


def test_repeated_messages_count_for_nothing() -> None:
    intake = Intake()
    assert not any(intake.note_refused(R1, REPEATED, at_s=0.0) for _ in range(10_000))


def test_reasons_that_are_all_different_take_up_bounded_room() -> None:
    intake = Intake()
    for i in range(100_000):
        intake.note_refused(R1, f"reason {i}", at_s=i * 1.0)
    assert all(len(robot.reasons) <= 100 for robot in intake._robots.values())


def test_a_robot_in_quarantine_is_read_now_and_then() -> None:
    intake = Intake()
    read = [intake.is_read(R1, at_s=i / 100.0) for i in range(1000)]
    assert sum(read) == 10.0 / TRICKLE_S
    assert intake.is_read(R2, at_s=0.0)


def pose(x_m: float, level: str = "L1") -> Pose:
    return Pose(LevelId(level), x_m, 0.0)


def test_a_robot_that_jumps_about_is_told_and_one_that_is_put_elsewhere_once_is_not() -> None:
    intake = Intake()
    told = [intake.note_place(R1, pose(500.0 * (i % 2)), at_s=float(i)) for i in range(10)]
    assert told.index(True) == JUMPS_AT_ONCE + 1

    assert not any(intake.note_place(R2, pose(500.0 * (i // 100 % 2)), at_s=3.0 * i) for i in range(1000))


def test_a_robot_at_twenty_times_real_speed_that_takes_lifts_is_believed() -> None:
    intake = Intake()
    driven = [pose(20.0 * i * 0.1, level=f"L{i // 30 % 2}") for i in range(3000)]
    assert not any(intake.note_place(R1, each, at_s=i * 0.1) for i, each in enumerate(driven))
