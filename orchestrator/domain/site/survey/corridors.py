"""Single-track corridors: chains of two-way lanes on which two robots that meet cannot pass each other.

Robots drive on the centre line of a lane, so however wide a corridor is, one two-way lane in it is a single track.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import pairwise

from orchestrator.domain.site.geometry import distance_between, distance_to_segment
from orchestrator.domain.site.graph import Adjacency, adjacency_of
from orchestrator.domain.site.model import LaneGraph, LaneId, LevelId, Site, StationId, Waypoint, WaypointId
from orchestrator.domain.site.survey.flows import Flows, Severance

ASIDE_HOPS = 3
"""How many lanes from the end of a corridor a robot may step aside to let another out of it."""


@dataclass(frozen=True, slots=True)
class Corridor:
    """A single track between two places where ways part, or ends.

    ``width_m`` is that of its narrowest lane, None where one is unknown; ``passing_at`` are those of its two ends where
    a robot can step aside; ``lost`` the stations that nobody reaches any more when it is shut; ``share`` that of the
    quickest routes between stations that lead over all or part of it; ``trip_s`` the seconds a mean delivery round
    spends on it; ``cross_s`` those of driving through.
    """

    level: LevelId
    waypoints: tuple[WaypointId, ...]
    lanes: tuple[LaneId, ...]
    length_m: float
    width_m: float | None
    is_width_estimated: bool
    passing_at: tuple[WaypointId, ...]
    lost: tuple[StationId, ...]
    share: float
    trip_s: float
    cross_s: float

    @property
    def is_only_way(self) -> bool:
        """Whether stations are lost when it is shut."""
        return bool(self.lost)

    @property
    def is_ring(self) -> bool:
        """Whether it ends where it begins."""
        return self.waypoints[0] == self.waypoints[-1]


def corridors_of(
    site: Site,
    graph: LaneGraph,
    flows: Flows,
    *,
    apart_m: float,
    closed: Collection[LaneId] = frozenset[LaneId](),
) -> list[Corridor]:
    """Return the single tracks of a graph, busiest first.

    Parameters
    ----------
    site, graph : Site, LaneGraph
        The site and one of its graphs.
    flows : Flows
        Routes on that graph.
    apart_m : float
        Distance in metres of two robots' centres at which they can pass each other.
    closed : collection of LaneId
        Lanes that nobody may use: they are no track.
    """
    severance = Severance(site, graph, closed=closed)
    graph = replace(graph, lanes={lane.id: lane for lane in graph.lanes.values() if lane.id not in closed})
    adjacency = adjacency_of(graph)
    found = [_corridor(graph, chain, flows, adjacency, severance, apart_m) for chain in _chains(graph, adjacency)]
    return sorted(found, key=lambda corridor: (-corridor.share, -corridor.length_m, corridor.waypoints))


def _chains(graph: LaneGraph, adjacency: Adjacency) -> list[tuple[WaypointId, ...]]:
    """Return maximal chains of two-way lanes through waypoints from which no other way leads."""
    tracks = _two_way(graph)
    is_inner = {w: len(adjacency.neighbours(w)) == 2 and len(tracks.get(w, ())) == 2 for w in graph.waypoints}
    chains: list[tuple[WaypointId, ...]] = []
    done: set[frozenset[WaypointId]] = set()
    starts = sorted(graph.waypoints, key=lambda waypoint: is_inner[waypoint])  # rings without a crossing come last
    for start in starts:
        for second in tracks.get(start, ()):
            if frozenset((start, second)) in done:
                continue
            chain = [start, second]
            done.add(frozenset((start, second)))
            while is_inner[chain[-1]] and chain[-1] != start:
                following = next(each for each in tracks[chain[-1]] if each != chain[-2])
                done.add(frozenset((chain[-1], following)))
                chain.append(following)
            chains.append(tuple(chain))
    return chains


def _two_way(graph: LaneGraph) -> dict[WaypointId, list[WaypointId]]:
    """Return for each waypoint those on its level that a single track joins with it; no lift cabins."""
    directed = {(lane.start, lane.end) for lane in graph.lanes.values()}
    tracks: dict[WaypointId, list[WaypointId]] = {}
    for start, end in sorted(directed):
        ends = graph.waypoints.get(start), graph.waypoints.get(end)
        if (end, start) in directed and start != end and ends[0] is not None and ends[1] is not None:
            is_on_floor = ends[0].level == ends[1].level and ends[0].lift is None and ends[1].lift is None
            if is_on_floor:
                tracks.setdefault(start, []).append(end)
    return tracks


def _corridor(
    graph: LaneGraph,
    chain: tuple[WaypointId, ...],
    flows: Flows,
    adjacency: Adjacency,
    severance: Severance,
    apart_m: float,
) -> Corridor:
    steps = set(pairwise(chain)) | {(b, a) for a, b in pairwise(chain)}
    lanes = [
        lane for start, _ in sorted(steps) for lane in adjacency.outgoing[start] if (lane.start, lane.end) in steps
    ]
    lanes = list({lane.id: lane for lane in lanes}.values())
    segments = [frozenset(pair) for pair in pairwise(chain)]
    widths = [lane.width_m for lane in lanes]
    known = [width for width in widths if width is not None]
    narrowest = min(known) if known and len(known) == len(widths) else None
    return Corridor(
        level=graph.waypoints[chain[0]].level,
        waypoints=chain,
        lanes=tuple(lane.id for lane in lanes),
        length_m=sum(_length_m(graph.waypoints[a], graph.waypoints[b]) for a, b in pairwise(chain)),
        width_m=narrowest,
        is_width_estimated=any(lane.is_width_estimated for lane in lanes),
        passing_at=tuple(
            end
            for end in dict.fromkeys((chain[0], chain[-1]))
            if _can_step_aside(graph, adjacency, chain, end, apart_m)
        ),
        lost=severance.lost(lane.id for lane in lanes),
        share=flows.share(max((flows.on_segment.get(segment, 0) for segment in segments), default=0)),
        trip_s=sum(flows.trip_on_segment_s.get(segment, 0.0) for segment in segments),
        cross_s=sum(
            {(lane.start, lane.end): flows.time_s[lane.id] for lane in lanes}[step] for step in pairwise(chain)
        ),
    )


def _can_step_aside(
    graph: LaneGraph, adjacency: Adjacency, chain: tuple[WaypointId, ...], end: WaypointId, apart_m: float
) -> bool:
    """Whether a robot that left the chain at ``end`` finds a place to stand clear of the chain and of its end."""
    inside = set(chain) - {end}
    front, seen = {end}, {end}
    for _ in range(ASIDE_HOPS):
        front = {w for here in front for w in adjacency.neighbours(here)} - seen - inside
        seen |= front
        for waypoint in front:
            place = graph.waypoints[waypoint]
            if place.may_stop and place.lift is None and _is_clear(graph, place, chain, apart_m):
                return True
    return False


def _is_clear(graph: LaneGraph, place: Waypoint, chain: tuple[WaypointId, ...], apart_m: float) -> bool:
    point = (place.x_m, place.y_m)
    for a, b in pairwise(chain):
        start, end = graph.waypoints[a], graph.waypoints[b]
        if place.level == start.level:
            if distance_to_segment(point, (start.x_m, start.y_m), (end.x_m, end.y_m)) < apart_m:
                return False
    return True


def _length_m(a: Waypoint, b: Waypoint) -> float:
    return distance_between((a.x_m, a.y_m), (b.x_m, b.y_m))
