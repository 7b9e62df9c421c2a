"""What is let in: an ordinary robot always, a flood never for long, and nobody at another's cost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.application.admission import (
    FLOODS_MAX,
    MESSAGE_BYTES_MAX,
    MUTE_S,
    ORDINARY,
    SENDERS_MAX,
    Admission,
    Drop,
    sender_of,
)

R1, R2 = "uagv/v2/ward/R1", "uagv/v2/ward/R2"


def flood(admission: Admission, sender: str, *, at_s: float, count: int = 1000, size: int = 500) -> int:
    """Send many messages at one moment and return how many were let in."""
    return sum(admission.judge(sender, size, at_s=at_s).drop is None for _ in range(count))


def test_a_robot_that_reports_ten_times_a_second_for_an_hour_loses_nothing() -> None:
    admission = Admission()

    dropped = [admission.judge(R1, 20_000, at_s=i / 10.0).drop for i in range(36_000)]

    assert set(dropped) == {None}


def test_a_flood_is_cut_off_once_and_everybody_else_is_heard() -> None:
    admission = Admission()
    verdicts = [admission.judge(R1, 500, at_s=1.0) for _ in range(1000)]

    assert sum(verdict.drop is None for verdict in verdicts) == ORDINARY.messages_at_once
    assert sum(verdict.mutes for verdict in verdicts) == 1
    assert admission.judge(R2, 500, at_s=1.0).drop is None
    assert admission.dropped[Drop.TOO_MANY] == 1


def test_a_muted_sender_is_heard_again_after_a_while_a_little_at_first() -> None:
    admission = Admission()
    flood(admission, R1, at_s=0.0)

    assert admission.heard_again(at_s=MUTE_S - 0.1) == []
    assert admission.judge(R1, 1, at_s=MUTE_S - 0.1).drop is Drop.MUTED
    assert admission.heard_again(at_s=MUTE_S) == [R1]
    assert 0 < flood(admission, R1, at_s=MUTE_S) < ORDINARY.messages_at_once


def test_one_flood_is_forgiven_and_floods_as_often_as_it_is_heard_are_not() -> None:
    patient, at_s = Admission(), 0.0
    for _ in range(10):
        flood(patient, R1, at_s=at_s)
        at_s += 120.0
        patient.heard_again(at_s=at_s)
    assert patient.take_flooding() == frozenset()

    admission, at_s = Admission(), 0.0
    for _ in range(FLOODS_MAX):
        assert admission.take_flooding() == frozenset()
        flood(admission, R1, at_s=at_s)
        at_s += 30.0
        admission.heard_again(at_s=at_s)
    assert admission.take_flooding() == {R1}
    assert admission.take_flooding() == frozenset()


def test_of_a_sender_in_quarantine_a_trickle_is_heard_and_it_begins_anew_when_it_comes_out() -> None:
    admission = Admission()
    flood(admission, R1, at_s=0.0)
    admission.confine({R1})
    heard, at_s = 0, 0.0
    while at_s < 600.0:
        at_s += 0.5
        admission.heard_again(at_s=at_s)
        heard += flood(admission, R1, at_s=at_s, count=20)
    assert 600 / 15 <= heard <= 600

    admission.confine(set())

    assert flood(admission, R1, at_s=at_s) == ORDINARY.messages_at_once


def test_a_message_that_is_too_large_is_dropped_and_few_large_ones_are_a_flood() -> None:
    admission = Admission()
    assert admission.judge(R1, MESSAGE_BYTES_MAX + 1, at_s=0.0).drop is Drop.TOO_LARGE
    assert admission.judge(R1, MESSAGE_BYTES_MAX, at_s=0.0).drop is None

    verdicts = [admission.judge(R1, MESSAGE_BYTES_MAX, at_s=0.0) for _ in range(50)]

    assert any(verdict.mutes and verdict.drop is Drop.TOO_MUCH for verdict in verdicts)


def test_senders_nobody_knows_take_up_bounded_room() -> None:
    admission = Admission()

    for i in range(3 * SENDERS_MAX):
        admission.judge(f"made/up/{i}", 10, at_s=0.0)

    assert admission.dropped[Drop.NO_ROOM] == 2 * SENDERS_MAX


def test_a_sender_is_its_topic_without_the_last_level() -> None:
    assert sender_of("uagv/v2/ward/R1/state") == sender_of("uagv/v2/ward/R1/factsheet") == R1
    assert sender_of("alone") == "alone"


@given(st.lists(st.tuples(st.floats(0.0, 2.0), st.integers(0, 300_000)), max_size=300))
def test_whatever_comes_no_more_is_let_in_than_the_allowance(sent: list[tuple[float, int]]) -> None:
    admission, at_s, count, volume = Admission(), 0.0, 0, 0
    for gap_s, size in sent:
        at_s += gap_s
        admission.heard_again(at_s=at_s)
        if admission.judge(R1, size, at_s=at_s).drop is None:
            count, volume = count + 1, volume + size
    slack = 1e-6
    assert count <= ORDINARY.messages_at_once + at_s * ORDINARY.messages_per_s + slack
    assert volume <= ORDINARY.bytes_at_once + at_s * ORDINARY.bytes_per_s + slack
