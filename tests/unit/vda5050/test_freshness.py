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
