from __future__ import annotations

from datetime import timedelta

from orchestrator.vda5050.freshness import StateSequence
from tests.support.robot_link import START


class Ear:
    """A state sequence that hears messages as (our seconds, the robot's seconds, header id)."""

    def __init__(self) -> None:
        self.sequence = StateSequence(quiet_after_s=5.0)

    def counts(self, at_s: float, robot_s: float, header_id: int, payload: bytes | None = None) -> bool:
        why = self.sequence.objection(
            header_id=header_id,
            timestamp=START + timedelta(seconds=robot_s),
            payload=payload if payload is not None else f"{robot_s} {header_id}".encode(),
            at_s=at_s,
            now=START + timedelta(seconds=at_s),
        )
        return why is None


def test_the_first_state_counts_whatever_its_clock_says() -> None:
    assert Ear().counts(0, -1e7, 77)


def test_a_repeated_state_does_not_count() -> None:
    ear = Ear()
    assert ear.counts(0, 0, 5)
    assert not ear.counts(1, 0, 5)


def test_a_state_overtaken_on_the_way_does_not_count() -> None:
    ear = Ear()
    assert ear.counts(1, 1, 6)
    assert not ear.counts(1, 0.5, 5)


def test_a_coarse_clock_is_told_apart_by_header_ids() -> None:
    ear = Ear()
    assert ear.counts(0, 0, 5)
    assert ear.counts(0.2, 0, 6)
    assert not ear.counts(0.4, 0, 5)


def test_a_robot_that_counts_nothing_is_told_apart_by_its_clock() -> None:
    ear = Ear()
    assert ear.counts(0, 0, 0)
    assert ear.counts(1, 1, 0)
    assert not ear.counts(2, 0.5, 0)


def test_header_ids_wrap() -> None:
    ear = Ear()
    assert ear.counts(0, 0, 2**32 - 1)
    assert ear.counts(0.1, 0, 0)


def test_header_ids_start_again_after_a_reboot() -> None:
    ear = Ear()
    assert ear.counts(0, 0, 9000)
    assert ear.counts(40, 40, 0)


def test_a_clock_put_right_does_not_deafen_us() -> None:
    ear = Ear()
    assert ear.counts(0, 3600, 10)
    assert ear.counts(1, 1, 11)
    assert ear.counts(2, 2, 12)


def test_a_reboot_that_also_puts_the_clock_right_does_not_deafen_us() -> None:
    ear = Ear()
    assert ear.counts(0, 3600, 9000)
    assert ear.counts(30, 30, 0)


def test_a_robot_whose_clock_starts_again_at_every_boot_is_heard_after_a_silence() -> None:
    ear = Ear()
    assert ear.counts(0, -1e7, 500)
    assert not ear.counts(1, -1e7 - 100, 0)
    assert ear.counts(10, -1e7 - 100, 0)


def test_a_capture_replayed_days_later_does_not_count() -> None:
    ear = Ear()
    capture = [(second, second, 100 + second) for second in range(20)]
    assert all(ear.counts(*message) for message in capture)
    days = 3 * 86400.0
    assert ear.counts(days, days, 90)
    for _, robot_s, header_id in capture:
        assert not ear.counts(days + 1, robot_s, header_id)
    assert ear.counts(days + 2, days + 2, 91)


def an_ear_after_a_restart(
    *, last_robot_s: float, heard_at_s: float, header_id: int = 500, restarted_s: float = 120.0
) -> Ear:
    ear = Ear()
    ear.sequence.remember(
        header_id=header_id,
        timestamp=START + timedelta(seconds=last_robot_s),
        received_at=START + timedelta(seconds=heard_at_s),
        at_s=0.0,
        now=START + timedelta(seconds=restarted_s),
    )
    return ear


def test_after_a_restart_a_capture_of_days_ago_does_not_count() -> None:
    days_later_s = 3 * 86400.0
    ear = an_ear_after_a_restart(last_robot_s=100.0, heard_at_s=100.0)

    assert not ear.counts(days_later_s, 99.0, 499)  # before the last on the books
    assert not ear.counts(days_later_s, 100.0, 500)  # the last itself
    assert not ear.counts(days_later_s, 150.0, 550)  # after it, but never written down
    assert not ear.counts(days_later_s, 150.0, 3)
    assert ear.counts(days_later_s + 1, days_later_s, 9000)  # the robot itself


def test_after_a_restart_the_robot_is_heard_at_once_even_if_it_restarted_too() -> None:
    assert an_ear_after_a_restart(last_robot_s=100.0, heard_at_s=100.0).counts(130.0, 130.0, 560)
    assert an_ear_after_a_restart(last_robot_s=100.0, heard_at_s=100.0).counts(130.0, 130.0, 0)


def test_after_a_restart_a_capture_of_a_moment_ago_does_not_count_though_it_is_newer_than_the_books() -> None:
    ear = an_ear_after_a_restart(last_robot_s=100.0, heard_at_s=100.0)  # restarted at 120

    assert not ear.counts(121.0, 110.0, 505)
    assert not ear.counts(121.0, 119.9, 511)
    assert ear.counts(122.0, 121.5, 512)
    assert not ear.counts(123.0, 110.0, 505)


def test_after_a_restart_a_clock_that_is_a_little_off_is_reckoned_with() -> None:
    behind = an_ear_after_a_restart(last_robot_s=60.0, heard_at_s=100.0)  # forty seconds slow
    assert not behind.counts(121.0, 79.0, 519)
    assert behind.counts(121.0, 80.5, 520)

    ahead = an_ear_after_a_restart(last_robot_s=140.0, heard_at_s=100.0)
    assert not ahead.counts(121.0, 159.0, 519)
    assert ahead.counts(121.0, 160.5, 520)


def test_after_a_restart_a_robot_whose_clock_was_never_right_is_heard() -> None:
    ear = an_ear_after_a_restart(last_robot_s=-5e6, heard_at_s=100.0)
    assert ear.counts(130.0, -5e6 + 30.0, 560)
    assert not ear.counts(131.0, -5e6 + 29.0, 559)


def test_what_is_on_the_books_counts_for_nothing_once_a_state_was_heard() -> None:
    ear = Ear()
    assert ear.counts(1000.0, 1000.0, 5)
    ear.sequence.remember(header_id=9, timestamp=START, received_at=START, at_s=0.0, now=START)
    assert ear.counts(1001.0, 1001.0, 6)


def test_a_state_of_when_the_clock_ran_ahead_does_not_count_once_the_clock_is_right() -> None:
    ear = Ear()
    assert ear.counts(0, 86_400, 1)
    assert ear.counts(2, 2, 2)
    assert not ear.counts(3, 86_400, 1)


def test_a_robot_that_restarts_with_a_clock_that_runs_ahead_counts_again() -> None:
    ear = Ear()
    assert ear.counts(0, 0, 7)
    assert ear.counts(6, 86_400, 0)
    assert ear.counts(7, 86_401, 1)


LONG_AGO_S = -7e7
"""More than two years back: where a clock without a battery starts."""


def an_ear_that_was_right(until_s: float = 100.0) -> Ear:
    """It heard a robot whose clock was right: a state a second, numbered from 500."""
    ear = Ear()
    assert all(ear.counts(at_s, at_s, 500 + at_s) for at_s in range(int(until_s) + 1))
    return ear


def reboot(ear: Ear, *, from_s: float = 160.0, to_s: float = 200.0) -> None:
    """Have it start anew with its clock long ago, and no state of it counted."""
    for at_s in range(int(from_s), int(to_s)):
        assert not ear.counts(at_s, LONG_AGO_S + at_s, at_s - int(from_s))


def let_count(ear: Ear, *, at_s: float = 200.0) -> None:
    off_s = ear.sequence.refused_clock_off_s
    assert off_s is not None
    ear.sequence.let_count(off_s, now=START + timedelta(seconds=at_s))


def test_a_robot_whose_clock_starts_long_ago_is_never_heard_again_by_itself() -> None:
    ear = an_ear_that_was_right()
    reboot(ear, to_s=160.0 + 3600.0)
    assert ear.sequence.refused_clock_off_s == LONG_AGO_S
    assert ear.sequence.clock_off_s is None


def test_once_a_person_lets_its_clock_count_it_is_heard_in_order_and_so_after_its_clock_was_set() -> None:
    ear = an_ear_that_was_right()
    reboot(ear)
    let_count(ear)
    assert ear.counts(201, LONG_AGO_S + 201, 41)
    assert ear.counts(202, LONG_AGO_S + 202, 42)
    assert not ear.counts(203, LONG_AGO_S + 202, 42)  # repeated
    assert not ear.counts(203, LONG_AGO_S + 201.5, 41)  # overtaken
    assert ear.sequence.clock_off_s == LONG_AGO_S
    drift = 5e-4
    assert all(ear.counts(at_s, LONG_AGO_S + (1 - drift) * at_s, at_s) for at_s in range(300, 400_000, 20))
    assert ear.counts(400_000, 400_000, 0)  # set right
    assert ear.sequence.clock_off_s is None
    assert not ear.counts(400_001, LONG_AGO_S + 400_001, 1)


def test_a_capture_does_not_count_because_a_person_let_a_robots_clock_count() -> None:
    ear = an_ear_that_was_right()
    reboot(ear)
    let_count(ear)
    captured = [(at_s, LONG_AGO_S + at_s, at_s - 160) for at_s in range(160, 200)]
    assert not any(ear.counts(200.5, robot_s, number) for _, robot_s, number in captured)  # refused before, sent again
    for at_s in range(201, 400):
        assert ear.counts(at_s, LONG_AGO_S + at_s, at_s - 160)
        # Of when its clock was right: newer than what it says now by both witnesses.
        assert not ear.counts(at_s, at_s - 190, 310 + at_s)
        assert not ear.counts(at_s, 100, 10_000 + at_s)
        assert not ear.counts(at_s, LONG_AGO_S + at_s - 1, at_s - 161)
    for silent_s in (500.0, 86_400.0):  # nor when the robot is silent, which lets much through from a clock never right
        assert not any(ear.counts(silent_s, robot_s, 500 + robot_s) for robot_s in range(101))
        assert not any(ear.counts(silent_s, LONG_AGO_S + at_s, at_s - 160) for at_s in range(201, 400))


def test_a_second_start_long_ago_takes_a_second_person() -> None:
    ear = an_ear_that_was_right()
    reboot(ear)
    let_count(ear)
    assert ear.counts(201, LONG_AGO_S + 201, 41)
    for at_s in range(500, 600):
        assert not ear.counts(at_s, LONG_AGO_S + at_s - 340, at_s - 500)
    assert ear.sequence.refused_clock_off_s == LONG_AGO_S - 340
    let_count(ear, at_s=600)
    assert ear.counts(601, LONG_AGO_S + 261, 101)


def test_only_a_clock_that_goes_is_offered_to_a_person() -> None:
    ear = an_ear_that_was_right()
    assert not ear.counts(160, LONG_AGO_S, 7)
    assert ear.sequence.refused_clock_off_s is None
    for at_s in range(161, 200):  # one message, again and again
        assert not ear.counts(at_s, LONG_AGO_S, 7)
        assert ear.sequence.refused_clock_off_s is None
    for at_s in range(200, 230):  # no clock at all
        assert not ear.counts(at_s, -START.timestamp(), at_s)
        assert ear.sequence.refused_clock_off_s is None
    for at_s in range(230, 260):  # two that send in its name
        assert not ear.counts(at_s, (at_s % 2 + 1) * LONG_AGO_S + at_s, at_s)
        assert ear.sequence.refused_clock_off_s is None
    assert ear.counts(260, 260, 0)


def test_after_a_restart_a_clock_that_a_person_let_count_still_does_and_lets_no_capture_in() -> None:
    for last_robot_s, heard_at_s in ((100.0, 100.0), (LONG_AGO_S + 219.0, 220.0)):  # before the act, and after it
        ear = Ear()
        ear.sequence.remember(
            header_id=60,
            timestamp=START + timedelta(seconds=last_robot_s),
            received_at=START + timedelta(seconds=heard_at_s),
            at_s=0.0,
            now=START + timedelta(seconds=300.0),
            clock_off_s=LONG_AGO_S,
        )
        assert not any(ear.counts(301.0, robot_s, 500 + robot_s) for robot_s in range(101))
        assert not any(ear.counts(301.0, LONG_AGO_S + at_s, at_s - 160) for at_s in range(160, 299))
        assert not ear.counts(301.0, 295.0, 10_000)
        assert ear.counts(302.0, LONG_AGO_S + 302.0, 142)
        assert not ear.counts(303.0, LONG_AGO_S + 301.5, 141)
        assert ear.sequence.clock_off_s == LONG_AGO_S
        assert ear.counts(304.0, 304.0, 143)
