"""Promise 6 on toy graphs: no conflicting holdings, always a safe order, and everybody gets there."""

from __future__ import annotations

import pytest

from tests.support.traffic_graphs import Toy, a_comb, a_corridor, a_loop, all_toys
from tests.support.traffic_world import World, a_graph

CASES = [(toy, robots) for toy in all_toys() for robots in (2, 4, len(toy.homes))]
IDS = [f"{toy.name}-{robots}" for toy, robots in CASES]


@pytest.mark.parametrize(("toy", "robots"), CASES, ids=IDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_every_wish_is_fulfilled_within_a_bound(toy: Toy, robots: int, seed: int) -> None:
    world = World(toy.graph, toy.homes_of(robots), lambda _, random: random.choice(toy.stations), seed=seed)

    world.run(arrivals=120)

    assert world.arrivals >= 120
    # Between its wish and its arrival each other robot may have its turn first: a hundred seconds or so each.
    assert world.longest_wish_s < 150.0 * (robots + 1)
    assert min(body.arrivals for body in world.bodies.values()) > 0


@pytest.mark.parametrize("toy", [toy for toy in all_toys() if toy.name != "one-way ring"], ids=lambda toy: toy.name)
def test_plain_locking_deadlocks_where_the_monitor_does_not(toy: Toy) -> None:
    world = World(toy.graph, toy.homes_of(4), lambda _, random: random.choice(toy.stations), seed=1, is_naive=True)

    world.run(arrivals=120)

    assert world.arrivals < 120


def test_two_robots_swap_places_a_thousand_times() -> None:
    graph = a_graph(
        {"a": (0, 0), "b": (2, 0), "c": (4, 0), "d": (6, 0), "ha": (0, 2), "hb": (6, 2)},
        ["a-b", "b-c", "c-d", "a-ha", "d-hb"],
    )
    side = {"r0": "a", "r1": "d"}

    def other_side(robot: str, _: object) -> str:
        side[robot] = "d" if side[robot] == "a" else "a"
        return side[robot]

    world = World(graph, {"r0": "ha", "r1": "hb"}, other_side, patience_s=5.0, standing_s=(0.0, 5.0))

    world.run(arrivals=2_000)

    assert [body.arrivals for body in world.bodies.values()] == pytest.approx([1_000, 1_000], abs=5)


def test_four_robots_in_a_dead_end_corridor_take_turns_at_its_end() -> None:
    toy = a_corridor()
    homes = toy.homes_of(4)
    wish = dict(homes)

    def end_or_home(robot: str, _: object) -> str:
        wish[robot] = "c7" if wish[robot] == homes[robot] else homes[robot]
        return wish[robot]

    world = World(toy.graph, homes, end_or_home, patience_s=10.0)

    world.run(arrivals=80)

    assert min(body.arrivals for body in world.bodies.values()) >= 16


def test_robots_go_home_when_they_want_nothing_more() -> None:
    toy = a_comb()
    wishes = dict.fromkeys(toy.homes_of(5), 3)

    def three_wishes(robot: str, random: object) -> str | None:
        wishes[robot] -= 1
        return toy.stations[(wishes[robot] + int(robot[1])) % 5] if wishes[robot] >= 0 else None

    world = World(toy.graph, toy.homes_of(5), three_wishes)
    world.run(until_s=3_600.0)

    assert {body.robot: body.at for body in world.bodies.values()} == toy.homes_of(5)


def test_the_same_seed_gives_the_same_day() -> None:
    toy = a_loop()

    def day() -> list[object]:
        world = World(toy.graph, toy.homes_of(6), lambda _, random: random.choice(toy.stations), seed=7)
        world.run(arrivals=60)
        return [world.at_s, [(b.robot, b.at, b.arrivals, b.diversions) for b in world.bodies.values()]]

    assert day() == day()
