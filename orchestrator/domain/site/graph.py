"""The lane graph as adjacency: what leads where, what can be reached, and what hangs together.

Everything is in a fixed order (by end waypoint, then lane id), so that whoever searches it always finds the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from orchestrator.domain.site.model import Lane, LaneGraph, LaneId, WaypointId

_NO_WAYPOINTS: frozenset[WaypointId] = frozenset()
_NO_LANES: frozenset[LaneId] = frozenset()


@dataclass(frozen=True, slots=True)
class Adjacency:
    """Lanes of one graph by the waypoint they leave and by the waypoint they enter, sorted.

    Every waypoint of the graph is a key of both mappings. A lane that names an unknown waypoint is left out: the
    linter reports it, and nothing can drive on it.
    """

    outgoing: Mapping[WaypointId, tuple[Lane, ...]]
    incoming: Mapping[WaypointId, tuple[Lane, ...]]

    def neighbours(self, waypoint: WaypointId) -> tuple[WaypointId, ...]:
        """Waypoints joined to this one by a lane in either direction, sorted, each once."""
        ahead = {lane.end for lane in self.outgoing[waypoint]}
        behind = {lane.start for lane in self.incoming[waypoint]}
        return tuple(sorted((ahead | behind) - {waypoint}))

    def reachable_from(
        self,
        start: WaypointId,
        *,
        avoiding: Collection[WaypointId] = _NO_WAYPOINTS,
        closed: Collection[LaneId] = _NO_LANES,
    ) -> frozenset[WaypointId]:
        """Waypoints a robot at ``start`` can drive to, itself included.

        Parameters
        ----------
        start : WaypointId
            Where it stands, even when that is among ``avoiding``.
        avoiding : collection of WaypointId
            Waypoints it may not enter.
        closed : collection of LaneId
            Lanes it may not use.
        """
        return _flood(start, self.outgoing, lambda lane: lane.end, avoiding, closed)

    def reaching(
        self,
        goal: WaypointId,
        *,
        avoiding: Collection[WaypointId] = _NO_WAYPOINTS,
        closed: Collection[LaneId] = _NO_LANES,
    ) -> frozenset[WaypointId]:
        """Waypoints from which a robot can drive to ``goal``, itself included; the mirror of `reachable_from`."""
        return _flood(goal, self.incoming, lambda lane: lane.start, avoiding, closed)

    def strong_components(self) -> tuple[frozenset[WaypointId], ...]:
        """Return sets of waypoints that can all reach each other: largest first, ties by their first waypoint."""
        left = dict.fromkeys(sorted(self.outgoing))
        components: list[frozenset[WaypointId]] = []
        while left:
            start = next(iter(left))
            component = self.reachable_from(start) & self.reaching(start)
            components.append(component)
            for waypoint in component:
                del left[waypoint]
        return tuple(sorted(components, key=lambda component: (-len(component), min(component))))


def adjacency_of(graph: LaneGraph) -> Adjacency:
    """Return the adjacency of a lane graph."""
    outgoing: dict[WaypointId, list[Lane]] = {waypoint: [] for waypoint in graph.waypoints}
    incoming: dict[WaypointId, list[Lane]] = {waypoint: [] for waypoint in graph.waypoints}
    for lane in graph.lanes.values():
        if lane.start in outgoing and lane.end in outgoing:
            outgoing[lane.start].append(lane)
            incoming[lane.end].append(lane)
    return Adjacency(
        outgoing={waypoint: _sorted_lanes(lanes, lambda lane: lane.end) for waypoint, lanes in outgoing.items()},
        incoming={waypoint: _sorted_lanes(lanes, lambda lane: lane.start) for waypoint, lanes in incoming.items()},
    )


def one_of_each_pair(graph: LaneGraph) -> Iterator[Lane]:
    """Yield the lanes of a graph in file order, of a two-way pair only the first."""
    given: set[LaneId] = set()
    for lane in graph.lanes.values():
        if lane.reverse not in given:
            given.add(lane.id)
            yield lane


def _sorted_lanes(lanes: Iterable[Lane], far_end: Callable[[Lane], WaypointId]) -> tuple[Lane, ...]:
    return tuple(sorted(lanes, key=lambda lane: (far_end(lane), lane.id)))


def _flood(
    start: WaypointId,
    lanes_at: Mapping[WaypointId, tuple[Lane, ...]],
    far_end: Callable[[Lane], WaypointId],
    avoiding: Collection[WaypointId],
    closed: Collection[LaneId],
) -> frozenset[WaypointId]:
    seen = {start}
    front = [start]
    while front:
        for lane in lanes_at[front.pop()]:
            following = far_end(lane)
            if following not in seen and following not in avoiding and lane.id not in closed:
                seen.add(following)
                front.append(following)
    return frozenset(seen)
