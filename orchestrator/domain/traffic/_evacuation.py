"""The search behind the monitor: ways over bit sets of resources, and an order in which every robot can go home.

Going home is monotone: where others may stand for ever, their endpoints and what obstacles cover, is closed from the
start, so a robot that has gone home only frees resources. Hence the greedy search, taking any robot that can go now,
finds an order if there is one. Robots of different models search different graphs, but what they need and hold are bits
of one conflict relation, so nothing here asks of which model a robot is, but for its graph.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from orchestrator.domain.fleet.model import ModelId, RobotId
from orchestrator.domain.site.model import LaneId, WaypointId
from orchestrator.domain.traffic.conflicts import ConflictRelation
from orchestrator.domain.traffic.errors import UnknownPlaceError


@dataclass(frozen=True, slots=True)
class Standing:
    """One robot as the monitor sees it. Bit sets: what it holds, and what conflicts with that and with its endpoint."""

    model: ModelId
    tip: WaypointId
    endpoint: WaypointId
    held: int
    held_conflicts: int
    endpoint_conflicts: int
    is_frozen: bool = False


@dataclass(frozen=True, slots=True)
class WayHome:
    """Lanes from a robot's tip to its endpoint, and the bit set of what they need."""

    lanes: tuple[LaneId, ...]
    needs: int


@dataclass(frozen=True, slots=True)
class Evacuation:
    """An order in which robots can go home, each one's way, and who cannot go at all."""

    order: tuple[RobotId, ...]
    ways: Mapping[RobotId, WayHome]
    stuck: tuple[RobotId, ...]


class Ways:
    """A model's lane graph as adjacency, each lane with the bit set of what driving it needs (its end included).

    Parameters
    ----------
    relation : ConflictRelation
        Gives the bits.
    model : ModelId
        Whose graph and whose resources.
    closed : set of LaneId
        Lanes that no path leads over.
    """

    def __init__(self, relation: ConflictRelation, model: ModelId, *, closed: Set[LaneId] = frozenset()) -> None:
        holdings = relation.holdings(model)
        self.graph = holdings.graph
        self.waypoints = {w: relation.mask(holdings.of_waypoint(w)) for w in self.graph.waypoints}
        self.lanes = {
            lane: relation.mask(holdings.of_lane(lane)) | self.waypoints[self.graph.lanes[lane].end]
            for lane in sorted(holdings.lanes)
        }
        self._out: dict[WaypointId, list[tuple[LaneId, WaypointId, int]]] = {w: [] for w in self.graph.waypoints}
        for lane, needs in self.lanes.items():
            if lane not in closed:
                self._out[self.graph.lanes[lane].start].append((lane, self.graph.lanes[lane].end, needs))

    def needs(self, lanes: Iterable[LaneId]) -> int:
        """Return the bit set of what driving ``lanes`` needs, without the waypoint they start from."""
        mask = 0
        for lane in lanes:
            if lane not in self.lanes:
                raise UnknownPlaceError(f"The lane graph has no lane {lane}.", detail={"lane": lane})
            mask |= self.lanes[lane]
        return mask

    def lanes_needing(self, mask: int) -> frozenset[LaneId]:
        """Return the lanes that need anything in the bit set."""
        return frozenset(lane for lane, needs in self.lanes.items() if needs & mask)

    def path(self, start: WaypointId, goal: WaypointId, *, blocked: int) -> tuple[LaneId, ...] | None:
        """Return the fewest lanes from ``start`` to ``goal`` that need nothing in ``blocked``, or None."""
        if start == goal:
            return ()
        came: dict[WaypointId, tuple[WaypointId, LaneId]] = {}
        ahead = deque((start,))
        while ahead:
            here = ahead.popleft()
            for lane, end, needs in self._out[here]:
                if needs & blocked or end in came or end == start:
                    continue
                came[end] = (here, lane)
                if end == goal:
                    return _walked_back(came, start, goal)
                ahead.append(end)
        return None

    def way_home(self, standing: Standing, *, blocked: int) -> WayHome | None:
        """Return a way from the robot's tip to its endpoint that needs nothing in ``blocked``, or None."""
        lanes = self.path(standing.tip, standing.endpoint, blocked=blocked)
        return None if lanes is None else WayHome(lanes, self.needs(lanes))


def evacuate(
    ways: Mapping[ModelId, Ways],
    standings: Mapping[RobotId, Standing],
    first: Sequence[RobotId],
    *,
    obstacles: Mapping[RobotId, int],
) -> Evacuation:
    """Return an order in which robots can go home one after the other.

    Parameters
    ----------
    ways : mapping
        The lane graph of each model.
    standings : mapping
        Every robot; frozen ones stay where they are and are obstacles to the others.
    first : sequence of RobotId
        The order to prefer; robots missing from it follow by id.
    obstacles : mapping
        What robots cover besides what they hold, as bit sets of what is closed to all others.

    Returns
    -------
    Evacuation
        ``stuck`` are those who cannot reach their endpoint even after all in ``order`` have gone home.
    """
    known = [robot for robot in first if robot in standings]
    waiting = [*known, *sorted(standings.keys() - set(known))]
    waiting = [robot for robot in waiting if not standings[robot].is_frozen]
    order: list[RobotId] = []
    found: dict[RobotId, WayHome] = {}
    has_moved = True
    while waiting and has_moved:
        has_moved = False
        for robot in tuple(waiting):
            blocked = blocked_for(robot, standings, gone=found, obstacles=obstacles)
            way = ways[standings[robot].model].way_home(standings[robot], blocked=blocked)
            if way is not None:
                found[robot] = way
                order.append(robot)
                waiting.remove(robot)
                has_moved = True
    return Evacuation(tuple(order), found, tuple(sorted(waiting)))


def blocked_for(
    robot: RobotId,
    standings: Mapping[RobotId, Standing],
    *,
    gone: Iterable[RobotId],
    obstacles: Mapping[RobotId, int],
) -> int:
    """Return what is closed to ``robot``: all that others hold, save those already ``gone`` home, and all endpoints.

    What others cover as obstacles stays closed, wherever they are.
    """
    gone = set(gone)
    blocked = 0
    for other, covered in obstacles.items():
        if other != robot:
            blocked |= covered
    for other, standing in standings.items():
        if other != robot:
            blocked |= standing.endpoint_conflicts
            if other not in gone:
                blocked |= standing.held_conflicts
    return blocked


def brought_forward(
    evacuation: Evacuation, robots: Iterable[RobotId], standings: Mapping[RobotId, Standing]
) -> tuple[tuple[RobotId, ...], Evacuation]:
    """Return ``robots`` with all who must go home before them, and the same evacuation with those in front.

    Who must go before one of them: a robot earlier in the order that holds something on its way. The ways stay as they
    are and the new order holds as the old one did: nobody left behind holds anything on the way of one in front, and
    the others find more places free, not fewer.
    """
    front = {robot for robot in robots if robot in evacuation.ways}
    for robot in reversed(evacuation.order):
        if robot in front:
            continue
        held = standings[robot].held_conflicts
        position = evacuation.order.index(robot)
        if any(held & evacuation.ways[other].needs for other in evacuation.order[position:] if other in front):
            front.add(robot)
    needed = tuple(robot for robot in evacuation.order if robot in front)
    behind = tuple(robot for robot in evacuation.order if robot not in front)
    return needed, replace(evacuation, order=needed + behind)


def _walked_back(
    came: Mapping[WaypointId, tuple[WaypointId, LaneId]], start: WaypointId, goal: WaypointId
) -> tuple[LaneId, ...]:
    lanes: list[LaneId] = []
    here = goal
    while here != start:
        here, lane = came[here]
        lanes.append(lane)
    return tuple(reversed(lanes))
