"""Judging progress from poses, as hardware navigation reports them."""

from __future__ import annotations

from ros_nodes.onboard.path_geometry import PathPoint, Pose
from ros_nodes.onboard.path_tracking import PathTracker


def a_tracker(*points: PathPoint) -> PathTracker:
    tracker = PathTracker()
    tracker.start(Pose("L1", 0.0, 0.0), points)
    return tracker


def at(x_m: float, y_m: float, level: str = "L1") -> PathPoint:
    return PathPoint(x_m, y_m, level)


def seen(x_m: float, y_m: float, level: str = "L1") -> Pose:
    return Pose(level, x_m, y_m, 0.0)


def test_point_is_reached_when_the_robot_is_on_it() -> None:
    subject = a_tracker(at(5.0, 0.0))
    subject.observe(seen(4.9, 0.0))
    assert subject.points_reached == 0
    subject.observe(seen(4.97, 0.01))
    assert subject.points_reached == 1
    assert subject.is_done


def test_point_skipped_between_two_reports_counts_as_reached() -> None:
    subject = a_tracker(at(5.0, 0.0), at(10.0, 0.0))
    subject.observe(seen(4.8, 0.0))
    subject.observe(seen(5.2, 0.0))
    assert subject.points_reached == 1


def test_way_back_over_the_same_line_is_not_taken_for_the_way_out() -> None:
    subject = a_tracker(at(5.0, 0.0), at(0.0, 0.0))
    for x_m in (1.0, 2.0, 3.0, 4.0):
        subject.observe(seen(x_m, 0.0))
        assert subject.points_reached == 0
    subject.observe(seen(5.0, 0.0))
    assert subject.points_reached == 1
    subject.observe(seen(2.0, 0.0))
    assert not subject.is_done
    subject.observe(seen(0.0, 0.0))
    assert subject.is_done


def test_crossing_a_later_part_of_the_path_does_not_skip_ahead() -> None:
    loop = (at(4.0, 0.0), at(4.0, 4.0), at(2.0, 4.0), at(2.0, 2.0), at(2.0, -4.0))
    subject = a_tracker(*loop)
    subject.observe(seen(2.0, 0.0))
    assert subject.points_reached == 0


def test_level_of_the_point_has_to_be_reached_too() -> None:
    subject = a_tracker(at(2.0, 0.0), at(2.0, 0.0, "L2"), at(4.0, 0.0, "L2"))
    subject.observe(seen(2.0, 0.0))
    assert subject.points_reached == 1
    subject.observe(seen(2.0, 0.0, "L2"))
    assert subject.points_reached == 2


def test_progress_never_goes_back() -> None:
    subject = a_tracker(at(5.0, 0.0), at(10.0, 0.0))
    subject.observe(seen(6.0, 0.0))
    subject.observe(seen(1.0, 0.0))
    assert subject.points_reached == 1


def test_points_added_later_are_counted_on() -> None:
    subject = a_tracker(at(5.0, 0.0))
    subject.observe(seen(5.0, 0.0))
    subject.extend([at(8.0, 0.0)])
    assert not subject.is_done
    subject.observe(seen(8.0, 0.0))
    assert subject.points_reached == 2
