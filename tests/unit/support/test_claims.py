from __future__ import annotations

import pytest

from tests.support.claims import claimed_number


def test_number_that_is_held_is_not_given_again() -> None:
    with (
        claimed_number("test-a", range(5, 8), start=0) as first,
        claimed_number("test-a", range(5, 8), start=0) as second,
    ):
        assert (first, second) == (5, 6)


def test_number_is_free_again_after_its_block() -> None:
    for _ in range(2):
        with claimed_number("test-b", range(5, 6), start=3) as number:
            assert number == 5


def test_unusable_numbers_are_passed_over() -> None:
    with claimed_number("test-c", range(5, 8), start=1, is_usable=lambda number: number == 5) as number:
        assert number == 5


def test_held_out_numbers_are_refused_with_a_sentence() -> None:
    with claimed_number("test-d", range(1), start=0), pytest.raises(LookupError, match="no free test-d"):
        with claimed_number("test-d", range(1), start=0):
            pytest.fail("a held number was given")
