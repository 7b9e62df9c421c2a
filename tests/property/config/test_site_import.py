from __future__ import annotations

import json
import math
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.adapters.config.rmf.building import building_of_source
from orchestrator.adapters.config.rmf.importer import site_of_building
from orchestrator.adapters.config.rmf.nav_graph import export_nav_graph
from orchestrator.adapters.config.source import parse_source
from orchestrator.domain.site.model import Site

Point = tuple[float, float]
coordinates = st.integers(-400, 400).map(lambda tenths: tenths / 10)
points = st.tuples(coordinates, coordinates)


@dataclass(frozen=True)
class Drawing:
    """How a level lies on its sheet: units a metre, turn in radians, shift in units."""

    scale: float
    turn_rad: float
    shift: Point

    def on_sheet(self, point: Point) -> Point:
        cos, sin = math.cos(self.turn_rad), math.sin(self.turn_rad)
        x = self.scale * (cos * point[0] - sin * point[1]) + self.shift[0]
        y = self.scale * (sin * point[0] + cos * point[1]) + self.shift[1]
        return x, -y


drawings = st.builds(
    Drawing,
    scale=st.floats(5, 100),
    turn_rad=st.floats(-math.pi, math.pi),
    shift=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
reference_drawings = st.builds(Drawing, scale=st.floats(5, 100), turn_rad=st.just(0.0), shift=st.just((0.0, 0.0)))


@dataclass(frozen=True)
class Plan:
    """A building in metres: waypoints of two levels, lanes of each, points that mark both."""

    waypoints: tuple[list[Point], list[Point]]
    lanes: tuple[list[tuple[int, int]], list[tuple[int, int]]]
    marks: list[Point]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    levels = [draw(st.lists(points, min_size=2, max_size=6, unique=True)) for _ in range(2)]
    ways = [list(combinations(range(len(level)), 2)) for level in levels]
    lanes = [draw(st.lists(st.sampled_from(each), min_size=1, max_size=6, unique=True)) for each in ways]
    marks = draw(st.lists(points, min_size=2, max_size=4, unique=True))
    return Plan((levels[0], levels[1]), (lanes[0], lanes[1]), marks)


def building_text(plan: Plan, sheets: tuple[Drawing, Drawing]) -> str:
    """Return the plan as a building file; JSON is YAML."""
    levels: dict[str, object] = {}
    for number, sheet in enumerate(sheets):
        vertices = [
            [*sheet.on_sheet(point), 0, f"p{number}.{index}"] for index, point in enumerate(plan.waypoints[number])
        ]
        vertices += [[*sheet.on_sheet(end), 0, ""] for end in ((0.0, 0.0), (10.0, 0.0))]
        measure = [len(vertices) - 2, len(vertices) - 1, {"distance": [3, 10.0 if number == 0 else 77.0]}]
        lane = {"graph_idx": [2, 0], "bidirectional": [4, True]}
        levels[f"L{number + 1}"] = {
            "elevation": 4.0 * number,
            "vertices": vertices,
            "lanes": [[start, end, lane] for start, end in plan.lanes[number]],
            "measurements": [measure],
            "fiducials": [[*sheet.on_sheet(mark), index] for index, mark in enumerate(plan.marks)],
        }
    return json.dumps({"name": "random", "levels": levels, "lifts": {}})


def imported(text: str) -> Site:
    return site_of_building(building_of_source(parse_source(text, Path("random.building.yaml"))))[0]


@settings(max_examples=50, deadline=None)
@given(plans(), reference_drawings, drawings)
def test_levels_drawn_turned_scaled_and_moved_import_to_the_same_metres(
    plan: Plan, reference: Drawing, other: Drawing
) -> None:
    site = imported(building_text(plan, (reference, other)))
    for waypoint in site.graphs[next(iter(site.graphs))].waypoints.values():
        number, index = (int(part) for part in waypoint.name[1:].split("."))
        assert (waypoint.x_m, waypoint.y_m) == pytest.approx(plan.waypoints[number][index], abs=2e-4)
        assert waypoint.level == f"L{number + 1}"


@settings(max_examples=50, deadline=None)
@given(plans(), reference_drawings, drawings)
def test_every_drawn_lane_becomes_two_directed_ones(plan: Plan, reference: Drawing, other: Drawing) -> None:
    site = imported(building_text(plan, (reference, other)))
    (graph,) = site.graphs.values()
    found = {(graph.waypoints[lane.start].name, graph.waypoints[lane.end].name) for lane in graph.lanes.values()}
    drawn = {(f"p{number}.{a}", f"p{number}.{b}") for number in (0, 1) for a, b in plan.lanes[number]}
    assert found == drawn | {(end, start) for start, end in drawn}
    assert export_nav_graph(site, graph)
