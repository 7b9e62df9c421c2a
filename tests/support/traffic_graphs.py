"""Toy lane graphs for traffic: each with homes that never cut anybody off, and stations to want."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from math import cos, pi, sin
from random import Random

from orchestrator.domain.site.model import LaneGraph, WaypointId
from tests.support.traffic_world import a_graph, a_monitor, enter

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


def a_random_toy(seed: int) -> Toy | None:
    """Return part of a stretched grid, some of it one-way, with what is well-formed of it; None if nothing is.

    Homes are where fewest ways meet. A station is a place that every robot reaches from its home and can leave again
    for it without passing what is another's.
    """
    random = Random(seed)
    columns, rows = (list(accumulate(random.choices((1.2, 2.0, 4.0, 9.0), k=6))) for _ in range(2))
    cells = _grown(random, size=random.randint(6, 22))
    places = {f"{x}_{y}": (columns[x], rows[y]) for x, y in sorted(cells)}
    share_one_way = random.choice((0.0, 0.25))
    ways = [f"{a}{'>' if random.random() < share_one_way else '-'}{b}" for a, b in _neighbours(cells)]
    no_stopping = [place for place in places if random.random() < 0.1]
    graph = a_graph(places, ways, no_stopping=no_stopping)
    free = [place for place in places if place not in no_stopping]
    free.sort(key=lambda place: sum(place in way.replace(">", "-").split("-") for way in ways))
    homes = tuple(free[: random.randint(2, 6)])
    stations = tuple(place for place in free[len(homes) :] if _is_served(graph, homes, WaypointId(place)))
    return Toy(f"random {seed}", graph, homes, stations) if stations and len(homes) > 1 else None


def _grown(random: Random, *, size: int) -> set[tuple[int, int]]:
    cells = {(random.randrange(6), random.randrange(6))}
    while len(cells) < size:
        x, y = random.choice(sorted(cells))
        dx, dy = random.choice(((1, 0), (-1, 0), (0, 1), (0, -1)))
        if 0 <= x + dx < 6 and 0 <= y + dy < 6:
            cells.add((x + dx, y + dy))
    return cells


def _neighbours(cells: set[tuple[int, int]]) -> list[tuple[str, str]]:
    pairs = [((x, y), (x + dx, y + dy)) for x, y in sorted(cells) for dx, dy in ((1, 0), (0, 1))]
    return [(f"{a[0]}_{a[1]}", f"{b[0]}_{b[1]}") for a, b in pairs if b in cells]


def _is_served(graph: LaneGraph, homes: tuple[str, ...], station: WaypointId) -> bool:
    monitor = a_monitor(graph)
    for home in homes:
        enter(monitor, home, home)
    for robot in monitor.robots:
        barred, home = monitor.barred_mask(robot), monitor.endpoint(robot)
        if monitor.ways_of(robot).waypoints[station] & barred:
            return False
        for start, end in ((home, station), (station, home)):
            if monitor.ways_of(robot).path(start, end, blocked=barred) is None:
                return False
    return True
