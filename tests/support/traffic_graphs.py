"""Toy lane graphs for traffic: each with homes that never cut anybody off, and stations to want."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin

from orchestrator.domain.site.model import LaneGraph
from tests.support.traffic_world import a_graph

Places = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Toy:
    """A graph, the homes in the order in which robots get them, and the stations."""

    name: str
    graph: LaneGraph
    homes: tuple[str, ...]
    stations: tuple[str, ...]

    def homes_of(self, robots: int) -> dict[str, str]:
        """Return a home for each of ``robots`` robots: r0, r1, ..."""
        return {f"r{i}": home for i, home in enumerate(self.homes[:robots])}


def a_corridor() -> Toy:
    """A dead end eight places long, homes beside its open end, stations at its closed one."""
    places: Places = {f"c{i}": (2.0 * i, 0.0) for i in range(8)}
    places |= {f"h{i}": (2.0 * i, 2.0) for i in range(4)}
    ways = [f"c{i}-c{i + 1}" for i in range(7)] + [f"c{i}-h{i}" for i in range(4)]
    return Toy("corridor", a_graph(places, ways), ("h0", "h1", "h2", "h3"), ("c7", "c6", "c5"))


def a_loop(*, is_two_way: bool = True, places_on_it: int = 12) -> Toy:
    """A ring with a bay at every place of it; two of the stations are on the ring itself."""
    n = places_on_it
    radius = n / pi
    directions = [(cos(2 * pi * i / n), sin(2 * pi * i / n)) for i in range(n)]
    places: Places = {f"c{i}": (radius * x, radius * y) for i, (x, y) in enumerate(directions)}
    places |= {f"s{i}": ((radius + 2) * x, (radius + 2) * y) for i, (x, y) in enumerate(directions)}
    ways = [f"c{i}{'-' if is_two_way else '>'}c{(i + 1) % n}" for i in range(n)] + [f"c{i}-s{i}" for i in range(n)]
    bays = tuple(f"s{i}" for i in range(n))
    name = "two-way loop" if is_two_way else "one-way ring"
    return Toy(name, a_graph(places, ways), bays[:8], (*bays[8:], "c2", "c5"))


def a_tree() -> Toy:
    """Four branches of four places from a crossing, a leaf beside each; stations at the ends and on the branches."""
    places: Places = {"t": (0.0, 0.0)}
    ways: list[str] = []
    for branch, (x, y) in enumerate(((1, 0), (-1, 0), (0, 1), (0, -1))):
        before = "t"
        for depth in range(1, 5):
            here, leaf = f"b{branch}{depth}", f"l{branch}{depth}"
            places[here] = (2.0 * x * depth, 2.0 * y * depth)
            places[leaf] = (2.0 * x * depth + 1.8 * y, 2.0 * y * depth + 1.8 * x)
            ways += [f"{before}-{here}", f"{here}-{leaf}"]
            before = here
    homes = tuple(f"l{branch}{depth}" for depth in (2, 3) for branch in range(4))
    ends = tuple(f"{kind}{branch}4" for kind in "lb" for branch in range(4))
    return Toy("tree", a_graph(places, ways), homes, (*ends, "t", "l11", "l21"))


def a_comb() -> Toy:
    """A corridor of ten places with a tooth at each; homes in every other tooth, stations at both ends."""
    places: Places = {f"c{i}": (2.0 * i, 0.0) for i in range(10)}
    places |= {f"t{i}": (2.0 * i, 2.0) for i in range(10)}
    ways = [f"c{i}-c{i + 1}" for i in range(9)] + [f"c{i}-t{i}" for i in range(10)]
    return Toy("comb", a_graph(places, ways), ("t0", "t2", "t4", "t6", "t8"), ("c0", "c9", "t1", "t3", "t9"))


def all_toys() -> tuple[Toy, ...]:
    """Return every toy graph."""
    return (a_corridor(), a_loop(), a_loop(is_two_way=False), a_tree(), a_comb())
