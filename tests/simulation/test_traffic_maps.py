"""Promise 6 on real lane graphs: the two shared maps and the demo hospital, for a few hundred trips each."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from orchestrator.adapters.config.built_in import built_in
from orchestrator.adapters.config.rmf.importer import import_building
from orchestrator.adapters.config.site_file import load_site
from orchestrator.domain.fleet.model import RobotModel
from orchestrator.domain.site.graph import adjacency_of
from orchestrator.domain.site.model import GraphId, LaneGraph, Site, WaypointId
from orchestrator.domain.traffic.conflicts import ConflictRelation, conflict_relation
from orchestrator.domain.traffic.monitor import Monitor
from tests.support.shared_data import shared_data
from tests.support.traffic_world import World, a_model, enter

RADIUS_M = 0.35
"""That of the demo's porter robot."""

LONG = ((0.45, 0.3), (0.45, -0.3), (-0.35, -0.3), (-0.35, 0.3))
"""The footprint of a trolley that turns about a point behind its middle, in metres."""

CLINIC = (
    a_model(id="delivery", graph=GraphId("0"), radius_m=RADIUS_M, deviation_m=0.05),
    a_model(id="trolley", graph=GraphId("1"), footprint=LONG, deviation_m=0.05),
)
"""Two models, each on one of the clinic's two lane graphs."""


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


def homes_apart(site: Site, models: Mapping[str, RobotModel]) -> dict[str, str]:
    """Return a resting place for each robot on its own graph, such that no two are in each other's way."""
    relation = conflict_relation(site, models.values())
    homes: dict[str, str] = {}
    taken = 0
    for robot, model in models.items():
        for place in places(site, site.graphs[model.graph], resting=True):
            mask = relation.mask(relation.of_waypoint(model.id, WaypointId(place)))
            if not relation.conflicts(mask) & taken:
                homes[robot] = place
                taken |= mask
                break
    return homes


def served_places(site: Site, model: RobotModel, models: Mapping[str, RobotModel], homes: dict[str, str]) -> list[str]:
    """Return the stations on a model's graph that its robots reach, and leave, while all others are at home."""
    monitor = Monitor(conflict_relation(site, models.values()))
    for robot, home in homes.items():
        enter(monitor, robot, home, model=models[robot].id)
    graph = site.graphs[model.graph]
    served = set(places(site, graph, resting=False))
    for robot in (robot for robot in monitor.robots if models[robot] == model):
        barred, home = monitor.barred(robot), monitor.endpoint(robot)
        lanes = adjacency_of(graph)
        served &= lanes.reachable_from(home, avoiding=barred.waypoints, closed=barred.lanes) - barred.waypoints
        served &= lanes.reaching(home, avoiding=barred.waypoints, closed=barred.lanes)
    return sorted(served)


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
    models = [a_model(id=f"round-{graph}", graph=graph, radius_m=RADIUS_M, deviation_m=0.05) for graph in site.graphs]
    models += [a_model(id=f"bed-{graph}", graph=graph, footprint=LONG) for graph in site.graphs]
    started_s = time.process_time()

    ConflictRelation(site, models)

    assert time.process_time() - started_s < 1.0


@pytest.mark.parametrize("robots", [4, 6])
def test_robots_of_two_models_on_both_graphs_of_the_clinic_all_get_where_they_want(robots: int) -> None:
    site = a_map("clinic")
    models = {f"r{i}": CLINIC[i % 2] for i in range(robots)}
    homes = homes_apart(site, models)
    stations = {model.id: served_places(site, model, models, homes) for model in CLINIC}
    assert len(homes) == robots
    assert all(len(found) > 3 for found in stations.values())
    world = World(
        site.graphs[CLINIC[0].graph],
        homes,
        lambda robot, random: random.choice(stations[models[robot].id]),
        site=site,
        models=models,
        standing_s=(20.0, 60.0),
        lookahead_m=3.0,
    )

    world.run(arrivals=200)

    assert world.arrivals >= 200
    assert world.longest_wish_s < 300.0 * robots
