"""What of a site two robots may not use at once: the conflict relation of the grant monitor, to be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from orchestrator.domain.fleet.model import ModelId, RobotModel
from orchestrator.domain.site.findings import Finding, Severity
from orchestrator.domain.site.geometry import Point, is_crossing
from orchestrator.domain.site.model import GraphId, LaneId, LevelId, Site
from orchestrator.domain.traffic.conflicts import conflict_relation

PAIRS_MAX = 1000
"""So many pairs are kept one by one, the first by level and id; all are counted."""

NAMED = 6
"""So many crossings are named in a sentence."""


@dataclass(frozen=True, slots=True)
class Used:
    """A waypoint or a lane (one for both directions), who drives there and on which graph. ``kind`` says which."""

    kind: str
    id: str
    model: ModelId
    graph: GraphId


@dataclass(frozen=True, slots=True)
class OverlappingPair:
    """Two that robots could touch on; ``gap_m`` is the least free width between them in metres, negative if none."""

    first: Used
    second: Used
    level: LevelId
    gap_m: float
    at: Point

    @property
    def kinds(self) -> str:
        """Return ``lane_lane``, ``lane_waypoint`` or ``waypoint_waypoint``."""
        return "_".join(sorted((self.first.kind, self.second.kind)))

    @property
    def is_across_graphs(self) -> bool:
        """Whether the two are of different lane graphs."""
        return self.first.graph != self.second.graph


@dataclass(frozen=True, slots=True)
class SharedPassage:
    """A door or lift that robots of several models or lane graphs use, one at a time."""

    id: str
    is_lift: bool
    models: tuple[tuple[ModelId, GraphId], ...]


@dataclass(frozen=True, slots=True)
class Overlaps:
    """The conflict relation of a site. ``pairs`` are the first `PAIRS_MAX` of ``total``; ``counts`` are by kinds."""

    total: int = 0
    across_graphs: int = 0
    counts: tuple[tuple[str, int], ...] = ()
    pairs: tuple[OverlappingPair, ...] = ()
    shared: tuple[SharedPassage, ...] = ()
    crossings: tuple[OverlappingPair, ...] = ()


NO_OVERLAPS = Overlaps()


def overlaps_of(site: Site, models: Iterable[RobotModel]) -> Overlaps:
    """Return what robots of these models may not use at once, by level and id.

    A model may come once for each of several lane graphs, as on a map whose graphs are nobody's yet.
    """
    named = {ModelId(f"{model.id}@{model.graph}"): model for model in models}
    relation = conflict_relation(site, [replace(model, id=id) for id, model in named.items()])

    def used(resource: str, model: ModelId) -> Used:
        kind, _, rest = resource.partition(":")
        return Used(kind, rest.removesuffix(f"@{model}"), named[model].id, named[model].graph)

    pairs = [
        OverlappingPair(
            used(each.first, each.models[0]), used(each.second, each.models[1]), each.level, each.gap_m, each.at
        )
        for each in relation.pairs()
    ]
    shared: list[SharedPassage] = []
    for resource in relation.ids:
        kind, _, id = resource.partition(":")
        if kind in ("door", "lift"):
            users = sorted({model for model, _ in relation.users(resource)})
            if len(users) > 1:
                who = tuple((named[model].id, named[model].graph) for model in users)
                shared.append(SharedPassage(id, kind == "lift", who))
    return Overlaps(
        total=len(pairs),
        across_graphs=sum(pair.is_across_graphs for pair in pairs),
        counts=tuple(sorted(Counter(pair.kinds for pair in pairs).items())),
        pairs=tuple(pairs[:PAIRS_MAX]),
        shared=tuple(shared),
        crossings=tuple(pair for pair in pairs if _is_crossing(site, pair)),
    )


def crossing_findings(overlaps: Overlaps) -> Iterator[Finding]:
    """Yield, for each pair of lane graphs, where lanes cross and no waypoint says so."""
    by_graphs: dict[tuple[GraphId, GraphId], list[OverlappingPair]] = {}
    for pair in overlaps.crossings:
        by_graphs.setdefault((pair.first.graph, pair.second.graph), []).append(pair)
    for (first, second), pairs in sorted(by_graphs.items()):
        yield _crossing(first, second, pairs)


def _crossing(first: GraphId, second: GraphId, pairs: Sequence[OverlappingPair]) -> Finding:
    lanes = list(dict.fromkeys((pair.first.id, pair.second.id) for pair in pairs))
    named = ", ".join(f"{one} and {other}" for one, other in lanes[:NAMED])
    more = f" and {len(lanes) - NAMED} more" if len(lanes) > NAMED else ""
    where = f"graph {first}" if first == second else f"graphs {first} and {second}"
    return Finding(
        code="lanes_cross_without_waypoint",
        severity=Severity.NOTE,
        sentence=f"Lanes of {where} cross where no waypoint is: {named}{more}. While a robot has one of them, all of "
        "the other is kept from everybody else.",
        remedy="Draw a waypoint where they cross and lead both through it"
        + ("." if first == second else ", one on each graph at the same place."),
        graph=first,
        level=pairs[0].level,
        lane=LaneId(lanes[0][0]),
        lanes=tuple(dict.fromkeys(LaneId(id) for both in lanes for id in both)),
        figures={"crossings": len(lanes)},
    )


def _is_crossing(site: Site, pair: OverlappingPair) -> bool:
    """Whether two lanes cross that have no waypoint in common."""
    if pair.kinds != "lane_lane":
        return False
    ends: list[tuple[Point, Point]] = []
    names: list[set[str]] = []
    for used in (pair.first, pair.second):
        graph = site.graphs[used.graph]
        lane = graph.lanes[LaneId(used.id)]
        start, end = graph.waypoints[lane.start], graph.waypoints[lane.end]
        ends.append(((start.x_m, start.y_m), (end.x_m, end.y_m)))
        names.append({start.id, end.id})
    return not names[0] & names[1] and is_crossing(*ends[0], *ends[1])
