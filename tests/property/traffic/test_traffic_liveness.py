"""Promise 6 on random well-formed graphs, with robots that die and come back."""

from __future__ import annotations

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.traffic_graphs import Toy, a_random_toy
from tests.support.traffic_world import CART, World, a_cart, a_model, a_site, a_twin, twin

TOYS = st.integers(0, 100_000).map(a_random_toy).filter(lambda toy: toy is not None)
SLOW = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def a_world(toy: Toy, seed: int, *, patience_s: float, lookahead_m: float) -> World:
    places = (*toy.stations, *toy.homes[:1])
    homes = toy.homes_of(len(toy.homes))

    def targets(robot: str, random: Random) -> str:
        wanted = random.choice(places)
        return homes[robot] if wanted in toy.homes else wanted

    return World(toy.graph, homes, targets, seed=seed, patience_s=patience_s, lookahead_m=lookahead_m)


@SLOW
@given(TOYS, st.integers(0, 999), st.sampled_from([0.0, 5.0, 20.0]), st.sampled_from([0.1, 3.0, 8.0]))
def test_everybody_gets_there_on_any_well_formed_graph(
    toy: Toy, seed: int, patience_s: float, lookahead_m: float
) -> None:
    world = a_world(toy, seed, patience_s=patience_s, lookahead_m=lookahead_m)

    world.run(arrivals=150, until_s=60_000.0)

    assert world.arrivals >= 150
    assert world.longest_wish_s < 400.0 * len(toy.homes)


@SLOW
@given(TOYS, st.integers(0, 999), st.data())
def test_robots_that_die_and_come_back_leave_everybody_a_way_home(toy: Toy, seed: int, data: st.DataObject) -> None:
    world = a_world(toy, seed, patience_s=5.0, lookahead_m=3.0)
    for _ in range(3):
        world.run(arrivals=world.arrivals + 10, until_s=world.at_s + 3_000.0)
        robot = data.draw(st.sampled_from(sorted(world.bodies)))
        cut_off = world.stop(robot)
        world.run(until_s=world.at_s + data.draw(st.sampled_from([10.0, 300.0])))

        assert set(world.monitor.cut_off()) <= set(cut_off)
        world.restart(robot)
        assert world.monitor.cut_off() == ()

    arrived = world.arrivals
    world.run(arrivals=arrived + 60, until_s=world.at_s + 60_000.0)

    assert world.arrivals >= arrived + 60


@SLOW
@given(TOYS, st.integers(0, 999), st.sampled_from([0.0, 5.0, 20.0]), st.sampled_from([0.1, 3.0]))
def test_robots_of_two_models_on_two_graphs_over_one_floor_all_get_there(
    toy: Toy, seed: int, patience_s: float, lookahead_m: float
) -> None:
    carts = a_twin(toy.graph)
    homes = toy.homes_of(len(toy.homes))
    models = {robot: a_cart() if number % 2 else a_model() for number, robot in enumerate(sorted(homes))}

    def placed(robot: str, place: str) -> str:
        return twin(place) if models[robot].id == CART else place

    world = World(
        toy.graph,
        {robot: placed(robot, home) for robot, home in homes.items()},
        lambda robot, random: placed(robot, random.choice(toy.stations)),
        seed=seed,
        patience_s=patience_s,
        lookahead_m=lookahead_m,
        site=a_site(toy.graph, carts),
        models=models,
    )

    world.run(arrivals=100, until_s=60_000.0)

    assert world.arrivals >= 100
    assert world.longest_wish_s < 400.0 * len(toy.homes)
