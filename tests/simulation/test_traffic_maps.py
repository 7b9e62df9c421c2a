"""Promise 6 on real lane graphs: the two shared maps and the demo hospital, for a few hundred trips each."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from orchestrator.adapters.config.built_in import built_in
from orchestrator.adapters.config.rmf.importer import import_building
from orchestrator.adapters.config.site_file import load_site
from orchestrator.domain.site.model import LaneGraph, Site
from orchestrator.domain.traffic.resources import compile_resources
from tests.support.shared_data import shared_data
from tests.support.traffic_world import World

RADIUS_M = 0.35
"""That of the demo's porter robot."""


def a_map(name: str) -> Site:
    if name == "demo_hospital":
        return load_site(built_in("sites/demo_hospital.site.yaml"))
    path: Path = shared_data() / "maps" / name / f"{name}.building.yaml"
    return import_building(path)[0]


def places(site: Site, graph: LaneGraph, *, resting: bool) -> list[str]:
    return [
        station.waypoints[graph.id]
        for station in site.stations.values()
        if station.kind.is_resting_place == resting and graph.id in station.waypoints
    ]


@pytest.mark.parametrize("robots", [3, 5])
@pytest.mark.parametrize("name", ["demo_hospital", "office", "clinic"])
def test_robots_on_a_real_map_all_get_where_they_want(name: str, robots: int) -> None:
    site = a_map(name)
    graph = next(iter(site.graphs.values()))
    homes = places(site, graph, resting=True)[:robots]
    stations = places(site, graph, resting=False)
    world = World(
        graph,
        {f"r{i}": home for i, home in enumerate(homes)},
        lambda _, random: random.choice(stations),
        site=site,
        radius_m=RADIUS_M,
        standing_s=(20.0, 60.0),
        lookahead_m=3.0,
    )

    world.run(arrivals=200)

    assert world.arrivals >= 200
    assert world.longest_wish_s < 300.0 * robots


@pytest.mark.parametrize("name", ["demo_hospital", "office", "clinic"])
def test_the_conflicts_of_a_real_map_compile_in_well_under_a_second(name: str) -> None:
    site = a_map(name)
    started_s = time.process_time()

    for graph in site.graphs.values():
        compile_resources(site, graph, radius_m=RADIUS_M)

    assert time.process_time() - started_s < 0.5
