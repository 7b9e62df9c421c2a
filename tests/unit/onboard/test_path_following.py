"""Following a path: the end, corners, extension in time, braking, holding, levels."""

from __future__ import annotations

import math

import pytest

from ros_nodes.onboard.motion_profile import MotionLimits
from ros_nodes.onboard.path_following import PathFollower
from ros_nodes.onboard.path_geometry import PathPoint, Pose

LIMITS = MotionLimits(speed_max_m_s=1.0, acceleration_m_s2=0.5, turn_speed_max_rad_s=1.0, turn_acceleration_rad_s2=2.0)


def a_follower(theta_rad: float = 0.0) -> PathFollower:
    return PathFollower(LIMITS, Pose("L1", 0.0, 0.0, theta_rad))


def at(x_m: float, y_m: float, level: str = "L1", limit: float | None = None) -> PathPoint:
    return PathPoint(x_m, y_m, level, limit)


def finish(subject: PathFollower) -> float:
    while (event_s := subject.next_event_s) is not None:
        subject.advance_to(event_s)
    return subject.time_s


def test_trapezoid_takes_as_long_as_computed_by_hand() -> None:
    subject = a_follower()
    subject.follow([at(6.0, 0.0)])
    # 1 m/s after 2 s and 1 m, 4 m at full speed, 2 s and 1 m to brake.
    assert finish(subject) == pytest.approx(8.0)
    assert subject.pose == Pose("L1", 6.0, 0.0, 0.0)


def test_short_way_never_reaches_full_speed() -> None:
    subject = a_follower()
    subject.follow([at(0.5, 0.0)])
    subject.advance_to(1.0)
    assert subject.speed_m_s == pytest.approx(0.5)
    assert finish(subject) == pytest.approx(2.0)


def test_segment_speed_limit_is_kept_from_its_first_to_its_last_metre() -> None:
    subject = a_follower()
    subject.follow([at(5.0, 0.0), at(8.0, 0.0, limit=0.4), at(14.0, 0.0)])
    while not subject.is_stopped:
        subject.step(0.01)
        if 5.0 < subject.pose.x_m < 8.0:
            assert subject.speed_m_s <= 0.4 + 1e-9
    assert subject.pose.x_m == 14.0


def test_sharp_corner_is_turned_in_place_at_the_point() -> None:
    subject = a_follower()
    subject.follow([at(2.0, 0.0), at(2.0, 2.0)])
    turned_at: set[tuple[float, float]] = set()
    while not subject.is_stopped:
        subject.step(0.01)
        if subject.turn_speed_rad_s:
            assert subject.speed_m_s == 0.0
            turned_at.add((subject.pose.x_m, subject.pose.y_m))
    assert turned_at == {(2.0, 0.0)}
    assert subject.pose.theta_rad == pytest.approx(math.pi / 2)


def test_gentle_corner_is_driven_without_a_halt() -> None:
    subject = a_follower()
    subject.follow([at(5.0, 0.0), at(10.0, 0.8)])
    while subject.points_reached < 1:
        subject.step(0.01)
    for _ in range(100):
        subject.step(0.01)
        assert subject.speed_m_s > 0.5


def test_turn_goes_the_short_way_round() -> None:
    subject = a_follower(theta_rad=2.5)
    subject.follow([at(-1.0, -1.0)])
    subject.advance_to(0.05)
    assert subject.turn_speed_rad_s > 0.0
    finish(subject)
    assert subject.pose.theta_rad == pytest.approx(-0.75 * math.pi)


def test_heading_asked_for_is_taken_before_the_point_counts_as_reached() -> None:
    subject = a_follower()
    subject.follow([PathPoint(3.0, 0.0, "L1", heading_rad=math.pi / 2), at(6.0, 0.0)])
    reached_s = subject.next_event_s
    assert reached_s is not None
    while subject.time_s < reached_s - 0.01:
        subject.step(0.01)
        assert (subject.pose.x_m <= 3.0, subject.points_reached) == (True, 0)
    subject.advance_to(reached_s)
    assert subject.points_reached == 1
    assert subject.pose.theta_rad == pytest.approx(math.pi / 2)
    finish(subject)
    assert subject.pose.x_m == 6.0


def test_heading_the_robot_has_anyway_costs_no_halt() -> None:
    subject = a_follower()
    subject.follow([PathPoint(3.0, 0.0, "L1", heading_rad=0.0), at(6.0, 0.0)])
    assert finish(subject) == pytest.approx(8.0)


def test_path_extended_in_time_is_driven_without_slowing_down() -> None:
    subject = a_follower()
    subject.follow([at(5.0, 0.0)])
    subject.advance_to(4.0)
    subject.extend([at(10.0, 0.0)])
    while subject.pose.x_m < 8.5:
        assert subject.speed_m_s == pytest.approx(1.0)
        subject.step(0.05)
    finish(subject)
    assert subject.pose.x_m == 10.0
    assert subject.points_reached == 2


def test_path_extended_late_is_taken_up_from_the_speed_it_has() -> None:
    subject = a_follower()
    subject.follow([at(5.0, 0.0)])
    subject.advance_to(6.0)
    speed_m_s = subject.speed_m_s
    assert 0.0 < speed_m_s < 1.0
    subject.extend([at(10.0, 0.0)])
    assert subject.speed_m_s == pytest.approx(speed_m_s)
    subject.step(0.1)
    assert subject.speed_m_s > speed_m_s


def test_point_is_reached_exactly_at_the_announced_time() -> None:
    subject = a_follower()
    subject.follow([at(3.0, 0.0), at(6.0, 0.0)])
    event_s = subject.next_event_s
    assert event_s is not None
    assert subject.time_to_next_event() == pytest.approx(4.0)
    subject.advance_to(math.nextafter(event_s, 0.0))
    assert subject.points_reached == 0
    subject.advance_to(event_s)
    assert subject.points_reached == 1
    assert subject.pose.x_m == pytest.approx(3.0)


def test_stop_brakes_at_the_limit_and_drops_the_rest() -> None:
    subject = a_follower()
    subject.follow([at(20.0, 0.0)])
    subject.advance_to(5.0)
    braked_from_m = subject.pose.x_m
    subject.stop()
    finish(subject)
    assert subject.pose.x_m - braked_from_m == pytest.approx(1.0)
    assert subject.is_stopped
    assert subject.next_event_s is None
    subject.follow([at(0.0, 0.0)])
    finish(subject)
    assert subject.pose.x_m == pytest.approx(0.0)


def test_stop_brakes_a_turn_too() -> None:
    subject = a_follower()
    subject.follow([at(-5.0, 0.0)])
    subject.advance_to(1.5)
    assert abs(subject.turn_speed_rad_s) == pytest.approx(1.0)
    turned_rad = abs(subject.pose.theta_rad)
    subject.stop()
    finish(subject)
    assert abs(subject.pose.theta_rad) - turned_rad == pytest.approx(1.0 / (2 * 2.0))


def test_stop_beyond_a_point_counts_the_point() -> None:
    subject = a_follower()
    subject.follow([at(4.0, 0.0), at(9.0, 0.0)])
    subject.advance_to(4.8)
    subject.stop()
    finish(subject)
    assert subject.points_reached == 1


def test_pause_holds_and_resume_goes_on_to_the_same_end() -> None:
    subject = a_follower()
    subject.follow([at(5.0, 0.0), at(5.0, 5.0)])
    subject.advance_to(3.0)
    subject.pause()
    finish(subject)
    held = subject.pose
    subject.advance_to(subject.time_s + 60.0)
    assert subject.pose == held
    assert subject.is_paused
    subject.extend([at(8.0, 5.0)])
    assert subject.is_stopped
    subject.resume()
    finish(subject)
    assert (subject.pose.x_m, subject.pose.y_m) == pytest.approx((8.0, 5.0))


def test_resume_while_still_braking_goes_on_from_the_speed_it_has() -> None:
    subject = a_follower()
    subject.follow([at(20.0, 0.0)])
    subject.advance_to(5.0)
    subject.pause()
    subject.step(1.0)
    speed_m_s = subject.speed_m_s
    subject.resume()
    assert subject.speed_m_s == pytest.approx(speed_m_s)
    finish(subject)
    assert subject.pose.x_m == 20.0


def test_path_given_while_paused_is_driven_only_after_resume() -> None:
    subject = a_follower()
    subject.pause()
    subject.follow([at(2.0, 0.0)])
    subject.advance_to(10.0)
    assert subject.pose.x_m == 0.0
    subject.resume()
    finish(subject)
    assert subject.pose.x_m == 2.0


def test_level_is_taken_over_at_the_point_in_the_lift() -> None:
    subject = a_follower()
    subject.follow([at(3.0, 0.0), at(3.0, 0.0, level="L2"), at(6.0, 0.0, level="L2")])
    levels = []
    while (event_s := subject.next_event_s) is not None:
        subject.advance_to(event_s)
        levels.append((subject.pose.x_m, subject.pose.level))
    assert levels[-1] == (6.0, "L2")
    assert subject.points_reached == 3
    assert all(level == "L1" for x_m, level in levels if x_m < 3.0)


def test_point_at_the_place_where_the_robot_stands_is_reached_at_once() -> None:
    subject = a_follower()
    subject.follow([at(0.0, 0.0)])
    assert subject.points_reached == 1
    assert subject.is_stopped


def test_new_path_while_driving_is_a_mistake_that_is_told() -> None:
    subject = a_follower()
    subject.follow([at(5.0, 0.0)])
    subject.advance_to(2.0)
    with pytest.raises(RuntimeError, match="stop first"):
        subject.follow([at(0.0, 0.0)])
    subject.stop()
    with pytest.raises(RuntimeError, match="being dropped"):
        subject.extend([at(9.0, 0.0)])


def test_time_that_goes_backwards_changes_nothing() -> None:
    subject = a_follower()
    subject.follow([at(5.0, 0.0)])
    subject.advance_to(3.0)
    before = subject.pose
    subject.advance_to(1.0)
    assert subject.pose == before
    assert subject.time_s == 3.0


def test_long_order_does_not_pile_up_what_was_driven() -> None:
    subject = a_follower()
    subject.follow([at(1.0, 0.0)])
    for metre in range(2, 200):
        subject.extend([at(float(metre), 0.0)])
        subject.advance_to(subject.next_event_s or subject.time_s)
    assert len(subject._pieces) < 10
