from __future__ import annotations

import math

import pytest

from orchestrator.domain.site.geometry import (
    distance_between_segments,
    distance_to_segment,
    is_crossing,
    is_in_rectangle,
)


def test_distance_to_a_segment_is_taken_to_its_nearest_point() -> None:
    assert distance_to_segment((1.0, 2.0), (0.0, 0.0), (4.0, 0.0)) == 2.0
    assert distance_to_segment((-3.0, 4.0), (0.0, 0.0), (4.0, 0.0)) == 5.0
    assert distance_to_segment((3.0, 4.0), (0.0, 0.0), (0.0, 0.0)) == 5.0


@pytest.mark.parametrize(
    ("c", "d", "expected"),
    [
        ((1.0, -1.0), (1.0, 1.0), True),
        ((1.0, 0.0), (1.0, 1.0), True),
        ((2.0, 0.0), (2.0, 1.0), True),
        ((2.1, -1.0), (2.1, 1.0), False),
        ((0.0, 0.0), (2.0, 0.0), False),
    ],
    ids=["through", "touching inside", "touching the end", "beyond", "on top of each other"],
)
def test_segments_cross_where_they_touch_unless_parallel(
    c: tuple[float, float], d: tuple[float, float], *, expected: bool
) -> None:
    assert is_crossing((0.0, 0.0), (2.0, 0.0), c, d) is expected


def test_crossing_segments_have_no_distance_and_others_have() -> None:
    assert distance_between_segments((0, 0), (2, 0), (1, -1), (1, 1)) == 0.0
    assert distance_between_segments((0, 0), (2, 0), (1, 1), (3, 3)) == 1.0


def test_a_turned_rectangle_holds_what_lies_along_its_own_axes() -> None:
    assert is_in_rectangle((1.3, 1.3), (0.0, 0.0), yaw_rad=math.pi / 4, width_m=4.0, depth_m=1.0)
    assert not is_in_rectangle((1.3, -1.3), (0.0, 0.0), yaw_rad=math.pi / 4, width_m=4.0, depth_m=1.0)
