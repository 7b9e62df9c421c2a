from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.people.proofs import A_WHILE, WRONG_IN_A_ROW, WRONG_IN_A_WHILE, PinCount, Session, SessionEnd
from tests.support.deliveries import NOON

MOMENTS = st.integers(0, 10 * 24 * 3600).map(lambda seconds: NOON + timedelta(seconds=seconds))


def guess(count: PinCount, at_s: float, *, is_right: bool = False) -> PinCount:
    at = NOON + timedelta(seconds=at_s)
    counted = count.guessed(at)
    return counted.was_right(at) if is_right else counted


def test_five_wrong_in_a_row_lock_and_a_right_one_before_that_does_not() -> None:
    count = PinCount("b", "d")
    for number in range(WRONG_IN_A_ROW - 1):
        count = guess(count, number)
    assert not count.is_locked
    assert not guess(guess(count, 10, is_right=True), 11).is_locked
    assert guess(count, 10).is_locked


def test_ten_wrong_within_a_day_lock_whatever_was_right_in_between() -> None:
    count = PinCount("b", "d")
    for number in range(WRONG_IN_A_WHILE):
        assert not count.is_locked
        count = guess(guess(count, 100 * number, is_right=True), 100 * number + 1)
    assert count.is_locked


def test_ten_wrong_spread_over_more_than_a_day_do_not_lock() -> None:
    count = PinCount("b", "d")
    for number in range(3 * WRONG_IN_A_WHILE):
        apart_s = A_WHILE.total_seconds() / (WRONG_IN_A_WHILE - 1)
        count = guess(guess(count, number * apart_s, is_right=True), number * apart_s + 1)
        assert not count.is_locked


@given(st.lists(st.tuples(MOMENTS, st.booleans()), max_size=60))
def test_no_order_of_guesses_lets_more_than_ten_wrong_ones_through_in_a_day(guesses: list[tuple[object, bool]]) -> None:
    count, tried = PinCount("b", "d"), []
    for at, is_right in sorted(guesses):  # type: ignore[type-var]
        if count.is_locked:
            continue
        count = count.guessed(at)  # type: ignore[arg-type]
        if is_right:
            count = count.was_right(at)  # type: ignore[arg-type]
        else:
            tried.append(at)
    for first, last in zip(tried, tried[WRONG_IN_A_WHILE:], strict=False):
        assert last - first >= A_WHILE  # type: ignore[operator]


def session(*, is_shared: bool) -> Session:
    return Session("s", "d", "nurse-1", "phone", is_shared, NOON, NOON)  # type: ignore[arg-type]


@pytest.mark.parametrize("is_shared", [True, False])
def test_the_first_end_of_a_session_stands_and_only_its_act_leaves_it_spent(is_shared: bool) -> None:
    one = session(is_shared=is_shared)
    later = NOON + timedelta(seconds=10)
    done = one.ended(later, SessionEnd.ACT_DONE)
    assert done.is_spent(later)
    assert not done.is_live(later)
    assert done.ended(later, SessionEnd.REVOKED) == done
    assert not one.ended(later, SessionEnd.REVOKED).is_spent(later)
    assert not done.is_spent(NOON + one.idle_limit)


def test_a_session_never_outlives_its_limits_by_what_the_books_are_behind() -> None:
    """A use that is not written yet can only end a session early."""
    one = session(is_shared=True)
    almost = NOON + one.idle_limit / 8 - timedelta(seconds=1)
    assert not one.is_due(almost)
    assert one.is_due(NOON + one.idle_limit / 8)
    assert one.used(NOON - timedelta(days=1)).used_at == NOON
