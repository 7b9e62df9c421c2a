"""The follower keeps its limits and its end, however the time is cut."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ros_nodes.onboard.motion_profile import MotionLimits
from ros_nodes.onboard.path_following import PathFollower
from ros_nodes.onboard.path_geometry import PathPoint, Pose, wrapped

LIMITS = MotionLimits(speed_max_m_s=1.0, acceleration_m_s2=0.6, turn_speed_max_rad_s=1.2, turn_acceleration_rad_s2=2.0)

coordinates = st.floats(-20.0, 20.0, allow_nan=False).map(lambda value: round(value, 3))
points = st.builds(
    PathPoint, x_m=coordinates, y_m=coordinates, level=st.just("L1"), speed_limit_m_s=st.none() | st.floats(0.2, 2.0)
)


def winding(legs: list[tuple[float, float, float | None]]) -> list[PathPoint]:
    """Return a path of legs (length, corner, speed limit) whose corners are gentle enough to be driven through."""
    x_m = y_m = heading_rad = 0.0
    path: list[PathPoint] = []
    for length_m, corner_rad, limit_m_s in legs:
        heading_rad += corner_rad
        x_m, y_m = x_m + length_m * math.cos(heading_rad), y_m + length_m * math.sin(heading_rad)
        path.append(PathPoint(x_m, y_m, "L1", limit_m_s))
    return path


legs = st.tuples(st.floats(0.05, 3.0), st.floats(-0.34, 0.34), st.none() | st.floats(0.2, 1.5))
paths = st.lists(points, min_size=1, max_size=6) | st.lists(legs, min_size=1, max_size=8).map(winding)
acts = st.sampled_from(["pause", "resume", "extend", "go on"])


def a_follower() -> PathFollower:
    return PathFollower(LIMITS, Pose("L1", 0.0, 0.0, 0.0))


def run(follower: PathFollower, script: list[tuple[float, str, PathPoint]], *, parts: int) -> list[Pose]:
    """Play acts at times, cutting every interval into ``parts``, and list the pose after each act."""
    poses: list[Pose] = []
    for wait_s, act, point in script:
        start_s = follower.time_s
        for part in range(1, parts):
            follower.advance_to(start_s + wait_s * part / parts)
        follower.advance_to(start_s + wait_s)
        if act == "pause":
            follower.pause()
        elif act == "resume":
            follower.resume()
        elif act == "extend":
            follower.extend([point])
        poses.append(follower.pose)
    return poses


def let_it_finish(follower: PathFollower) -> None:
    follower.resume()
    while (event_s := follower.next_event_s) is not None:
        follower.advance_to(event_s)


@given(paths, st.lists(st.tuples(st.floats(0.01, 8.0), acts, points), max_size=8), st.integers(2, 7))
def test_result_does_not_depend_on_how_the_interval_is_split(
    path: list[PathPoint], script: list[tuple[float, str, PathPoint]], parts: int
) -> None:
    whole, cut = a_follower(), a_follower()
    whole.follow(path)
    cut.follow(path)
    for one, other in zip(run(whole, script, parts=1), run(cut, script, parts=parts), strict=True):
        assert math.dist((one.x_m, one.y_m), (other.x_m, other.y_m)) < 1e-6
        assert abs(wrapped(one.theta_rad - other.theta_rad)) < 1e-6
    assert abs(whole.distance_m - cut.distance_m) < 1e-6
    assert whole.points_reached == cut.points_reached


@settings(max_examples=60)
@given(paths, st.lists(st.tuples(st.floats(0.01, 8.0), acts, points), max_size=5))
def test_follower_never_exceeds_its_limits(path: list[PathPoint], script: list[tuple[float, str, PathPoint]]) -> None:
    follower = a_follower()
    follower.follow(path)
    dt_s = 0.02
    samples: list[tuple[float, float, Pose]] = []
    for wait_s, act, point in [*script, (8.0, "resume", path[0])]:
        for _ in range(int(wait_s / dt_s) + 1):
            samples.append((follower.speed_m_s, follower.turn_speed_rad_s, follower.pose))
            follower.step(dt_s)
        if act == "pause":
            follower.pause()
        elif act == "resume":
            follower.resume()
        elif act == "extend":
            follower.extend([point])
    for (speed, turn_speed, pose), (next_speed, _, next_pose) in pairwise(samples):
        assert 0.0 <= speed <= LIMITS.speed_max_m_s + 1e-9
        assert abs(turn_speed) <= LIMITS.turn_speed_max_rad_s + 1e-9
        assert abs(next_speed - speed) <= LIMITS.acceleration_m_s2 * dt_s + 1e-6
        moved = math.dist((pose.x_m, pose.y_m), (next_pose.x_m, next_pose.y_m))
        assert moved <= LIMITS.speed_max_m_s * dt_s + 1e-9
        turned = abs(wrapped(next_pose.theta_rad - pose.theta_rad))
        assert turned <= LIMITS.turn_speed_max_rad_s * dt_s + 1e-6


@given(paths, paths, st.floats(0.0, 30.0))
def test_robot_stops_exactly_at_the_last_point_and_never_beyond(
    path: list[PathPoint], more: list[PathPoint], wait_s: float
) -> None:
    follower = a_follower()
    follower.follow(path)
    follower.advance_to(wait_s)
    follower.extend(more)
    let_it_finish(follower)
    assert math.dist((follower.pose.x_m, follower.pose.y_m), (more[-1].x_m, more[-1].y_m)) < 1e-6
    assert follower.points_reached == len(path) + len(more)
    whole = [PathPoint(0.0, 0.0, "L1"), *path, *more]
    length = sum(math.dist((a.x_m, a.y_m), (b.x_m, b.y_m)) for a, b in pairwise(whole))
    assert abs(follower.distance_m - length) < 1e-5


@given(paths, st.floats(0.0, 40.0))
def test_braking_needs_no_more_than_the_stopping_distance(path: list[PathPoint], wait_s: float) -> None:
    follower = a_follower()
    follower.follow(path)
    follower.advance_to(wait_s)
    speed, driven = follower.speed_m_s, follower.distance_m
    follower.stop()
    while (event_s := follower.next_event_s) is not None:
        follower.advance_to(event_s)
    assert follower.is_stopped
    assert follower.distance_m - driven <= speed * speed / (2.0 * LIMITS.acceleration_m_s2) + 1e-6
