"""A robot's own maps: out and in again changes nothing, and points fit a frame or are refused."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.fleet.model import Pose
from orchestrator.domain.site.model import LevelId
from orchestrator.vda5050.frames import Fit, MapFrame, MapFrameError, MapFrames, MapPose, fit_frame, wrapped_rad

GROUND = LevelId("L1")
METRES = st.floats(-500.0, 500.0)
ANGLES = st.floats(-20.0, 20.0)
FRAMES = st.builds(MapFrame, st.just("floor"), METRES, METRES, ANGLES)
POINTS = st.tuples(METRES, METRES)


@given(frame=FRAMES, x_m=METRES, y_m=METRES, theta_rad=ANGLES)
def test_out_and_in_again_is_where_it_was(frame: MapFrame, x_m: float, y_m: float, theta_rad: float) -> None:
    frames = MapFrames({GROUND: frame})
    out = frames.outward(Pose(GROUND, x_m, y_m, theta_rad))
    back = frames.inward(out)
    assert back is not None
    assert (out.map_id, back.level) == ("floor", GROUND)
    assert (back.x_m, back.y_m) == (pytest.approx(x_m, abs=1e-9), pytest.approx(y_m, abs=1e-9))
    assert math.remainder(back.theta_rad - theta_rad, 2 * math.pi) == pytest.approx(0.0, abs=1e-9)
    assert -math.pi <= out.theta < math.pi
    assert -math.pi <= back.theta_rad < math.pi


@given(frame=FRAMES, here=POINTS, there=POINTS)
def test_no_distance_changes_between_the_maps(
    frame: MapFrame, here: tuple[float, float], there: tuple[float, float]
) -> None:
    assert math.dist(frame.outward(here), frame.outward(there)) == pytest.approx(math.dist(here, there), abs=1e-9)


def test_a_quarter_turn_is_counter_clockwise_seen_from_above() -> None:
    frame = MapFrame("floor", x_m=10.0, y_m=2.0, rotation_rad=math.pi / 2)
    assert frame.inward((1.0, 0.0)) == (pytest.approx(10.0), pytest.approx(3.0))
    assert frame.outward((9.0, 2.0)) == (pytest.approx(0.0, abs=1e-9), pytest.approx(1.0))


@given(frame=FRAMES, points=st.lists(POINTS, min_size=2, max_size=6))
def test_exact_points_give_the_frame_they_were_made_with(frame: MapFrame, points: list[tuple[float, float]]) -> None:
    centre = (sum(p[0] for p in points) / len(points), sum(p[1] for p in points) / len(points))
    if math.sqrt(sum(math.dist(point, centre) ** 2 for point in points)) < 1.01:
        return
    fit = fit_frame("floor", [(point, frame.outward(point)) for point in points])
    assert fit.residual_m < 1e-6
    assert fit.scale == pytest.approx(1.0, abs=1e-6)
    assert fit.frame.inward((3.0, 4.0)) == pytest.approx(frame.inward((3.0, 4.0)), abs=1e-3)


def test_a_pair_that_was_measured_wrongly_shows_in_the_residual() -> None:
    fit = a_fit((0.0, 0.0), (10.0, 0.0), (10.4, 8.0))
    assert 0.1 < fit.residual_m < 0.4


def test_a_map_at_another_scale_shows_its_scale() -> None:
    fit = fit_frame("floor", [((0.0, 0.0), (0.0, 0.0)), ((20.0, 0.0), (10.0, 0.0))])
    assert fit.scale == pytest.approx(2.0)


def a_fit(*robot: tuple[float, float]) -> Fit:
    site = ((0.0, 0.0), (10.0, 0.0), (10.0, 8.0))
    return fit_frame("floor", list(zip(site, robot, strict=True)))


@pytest.mark.parametrize(
    "pairs", [[], [((0.0, 0.0), (0.0, 0.0))], [((0.0, 0.0), (0.0, 0.0)), ((0.1, 0.0), (0.1, 0.0))]]
)
def test_points_that_fix_no_direction_are_refused(pairs: list[tuple[tuple[float, float], tuple[float, float]]]) -> None:
    with pytest.raises(MapFrameError):
        fit_frame("floor", pairs)


def test_a_map_of_two_levels_is_refused() -> None:
    with pytest.raises(MapFrameError):
        MapFrames({GROUND: MapFrame("floor"), LevelId("L2"): MapFrame("floor")})


def test_without_frames_every_map_is_a_level_as_it_is() -> None:
    pose = Pose(GROUND, 1.0, 2.0, 0.5)
    assert MapFrames().outward(pose) == MapPose("L1", 1.0, 2.0, 0.5)
    assert MapFrames().inward(MapPose("L1", 1.0, 2.0, 0.5)) == pose


def test_completed_frames_know_every_map_and_no_other() -> None:
    frames = MapFrames({GROUND: MapFrame("floor", x_m=1.0)}).completed([GROUND, LevelId("L2")])
    assert frames.inward(MapPose("L2", 1.0, 0.0, 0.0)) == Pose(LevelId("L2"), 1.0, 0.0, 0.0)
    assert frames.inward(MapPose("L1", 1.0, 0.0, 0.0)) is None


def test_a_map_with_the_name_of_a_level_that_has_none_is_refused() -> None:
    swapped = {GROUND: MapFrame("L2"), LevelId("L2"): MapFrame("L1")}
    assert MapFrames(swapped).completed([GROUND, LevelId("L2")]).by_level == swapped
    with pytest.raises(MapFrameError, match=r"level 'L1' is called 'L2'.*has no map of its own"):
        MapFrames({GROUND: MapFrame("L2")}).completed([GROUND, LevelId("L2")])


def test_angles_are_wrapped_into_one_turn() -> None:
    assert wrapped_rad(3 * math.pi) == pytest.approx(-math.pi)
