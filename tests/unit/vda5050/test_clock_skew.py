"""How far a robot's clock is off, whatever the network does to its messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.vda5050.clock_skew import MESSAGES, ClockSkew
from orchestrator.vda5050.repair import NO_TIMESTAMP

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def heard(skew: ClockSkew, *, off_s: float, delays_s: list[float]) -> float | None:
    """Let states come, one a second, from a clock that is off; returns what the last one shows."""
    shown = None
    for number, delay_s in enumerate(delays_s):
        sent = NOON + timedelta(seconds=number + off_s)
        shown = skew.hear(sent, received_at=NOON + timedelta(seconds=number + delay_s))
    return shown


@pytest.mark.parametrize("off_s", [-3600.0, -2.0, 0.0, 90.0])
def test_a_slow_network_is_not_taken_for_a_clock_40(off_s: float) -> None:
    delays_s = [5.0, 0.1, 9.0, 3.0, 0.4, 7.0, 30.0, 2.0]
    assert len(delays_s) == MESSAGES
    assert heard(ClockSkew(), off_s=off_s, delays_s=delays_s) == pytest.approx(off_s - 0.1)


def test_nothing_is_said_before_a_few_states_have_come() -> None:
    assert heard(ClockSkew(), off_s=10.0, delays_s=[0.0] * (MESSAGES - 1)) is None


@pytest.mark.parametrize(("to_s", "states"), [(300.0, 1), (-300.0, MESSAGES)])
def test_a_clock_put_forward_shows_at_once_and_one_put_back_after_a_few_states(to_s: float, states: int) -> None:
    skew = ClockSkew()
    heard(skew, off_s=0.0, delays_s=[0.0] * MESSAGES)
    if states > 1:
        assert heard(skew, off_s=to_s, delays_s=[0.0] * (states - 1)) == 0.0
        assert heard(skew, off_s=to_s, delays_s=[0.0]) == to_s
    else:
        assert heard(skew, off_s=to_s, delays_s=[0.0]) == to_s


def test_a_message_without_a_timestamp_says_nothing_of_a_clock() -> None:
    skew, never = ClockSkew(), datetime.fromisoformat(NO_TIMESTAMP)
    assert [skew.hear(never, received_at=NOON) for _ in range(MESSAGES + 1)] == [None] * (MESSAGES + 1)
