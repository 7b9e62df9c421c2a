"""What a traffic engineer counts and measures on one lane graph, for the robots that drive on it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from orchestrator.domain.fleet.model import ModelId, RobotModel
from orchestrator.domain.site.graph import adjacency_of, one_of_each_pair
from orchestrator.domain.site.model import (
    DoorId,
    GraphId,
    Lane,
    LaneGraph,
    LaneId,
    LevelId,
    LiftId,
    Site,
    StationId,
    WaypointId,
)
from orchestrator.domain.site.survey.corridors import Corridor, corridors_of
from orchestrator.domain.site.survey.flows import Flows, Severance, flows_of, lifts_of_lane, places_of
from orchestrator.domain.site.survey.standing import MARGIN_M
from orchestrator.domain.traffic.routing import lane_length_m


@dataclass(frozen=True, slots=True)
class Passage:
    """A door or a lift on the way: its lanes, the share of routes through it and the stations lost when it is shut.

    ``trip_s`` are the seconds that a mean delivery round spends on its lanes.
    """

    id: DoorId | LiftId
    is_lift: bool
    is_motorised: bool
    level: LevelId | None
    lanes: tuple[LaneId, ...]
    share: float
    lost: tuple[StationId, ...]
    trip_s: float


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """One lane graph in figures, for the largest and the slowest of the robot models that drive on it.

    ``tracks`` and ``length_m`` count a two-way lane once, and no ride in a lift. ``groups`` are the sets of waypoints
    that can all reach each other.
    ``robots_busy_max`` is the number of robots at which ``bottleneck``, a single track in which traffic alternates or a
    lift, is taken all the time: None where there are no rounds from a hatch to a ward.
    """

    graph: GraphId
    models: tuple[ModelId, ...]
    radius_m: float
    reach_m: float
    waypoints: int
    lanes: int
    tracks: int
    one_way: int
    length_m: float
    groups: int
    stations: tuple[StationId, ...]
    narrowest: Lane | None
    estimated_widths: int
    unknown_widths: int
    tight: tuple[LaneId, ...]
    without_limit: int
    speed_max_m_s: float
    no_stopping: tuple[WaypointId, ...]
    dead_ends: tuple[WaypointId, ...]
    corridors: tuple[Corridor, ...]
    passages: tuple[Passage, ...]
    trip_s: float
    robots_busy_max: int | None
    bottleneck: str
    flows: Flows

    @property
    def apart_m(self) -> float:
        """Distance in metres of two robots' centres at which they can pass each other."""
        return 2.0 * self.reach_m + MARGIN_M


HANDOVER_S = 60.0
"""What people are taken to need for loading and again for receiving, in seconds; nobody has measured it here."""

TIGHT_M = 0.1
"""A lane with less free width than this on either side of the robot is tight."""


def facts_of(
    site: Site, graph: LaneGraph, models: Sequence[RobotModel], *, closed: Collection[LaneId] = frozenset[LaneId]()
) -> GraphFacts:
    """Return the facts of one lane graph.

    Parameters
    ----------
    site, graph : Site, LaneGraph
        A site without dangling references, and one of its graphs.
    models : sequence of RobotModel
        The robot models of that graph, at least one.
    closed : collection of LaneId
        Lanes that nobody may use.
    """
    largest = max(models, key=lambda model: model.radius_m)
    slowest = min(models, key=lambda model: model.speed_max_m_s)
    reach_m = max(model.radius_m + model.deviation_m for model in models)
    flows = flows_of(site, graph, slowest, closed=closed)
    severance = Severance(site, graph, closed=closed)
    corridors = corridors_of(site, graph, flows, apart_m=2.0 * reach_m + MARGIN_M, closed=closed)
    pairs = [lane for lane in one_of_each_pair(graph) if lane.id not in closed]
    floor = [lane for lane in pairs if graph.waypoints[lane.start].level == graph.waypoints[lane.end].level]
    known = [(lane.width_m, lane) for lane in floor if lane.width_m is not None]
    passages = _passages(site, graph, flows, severance)
    busiest_s, bottleneck = _bottleneck(corridors, passages)
    round_s = flows.trip_s + 2.0 * HANDOVER_S
    adjacency = adjacency_of(graph)
    taken = set(places_of(site, graph).values())
    return GraphFacts(
        graph=graph.id,
        models=tuple(model.id for model in models),
        radius_m=largest.radius_m,
        reach_m=reach_m,
        waypoints=len(graph.waypoints),
        lanes=len(graph.lanes),
        tracks=len(floor),
        one_way=sum(lane.reverse is None for lane in pairs),
        length_m=sum(lane_length_m(lane, graph) for lane in floor),
        groups=len(adjacency.strong_components()),
        stations=tuple(places_of(site, graph)),
        narrowest=min(known, key=lambda item: (item[0], item[1].id))[1] if known else None,
        estimated_widths=sum(lane.is_width_estimated for lane in floor),
        unknown_widths=sum(lane.width_m is None for lane in floor),
        tight=tuple(
            lane.id
            for width_m, lane in sorted(known, key=lambda item: item[0])
            if 0.0 <= width_m - 2.0 * largest.radius_m < 2.0 * TIGHT_M
        ),
        without_limit=sum(lane.speed_limit_m_s is None for lane in floor),
        speed_max_m_s=max(model.speed_max_m_s for model in models),
        no_stopping=tuple(w.id for w in graph.waypoints.values() if not w.may_stop or w.lift is not None),
        dead_ends=tuple(w for w in graph.waypoints if len(adjacency.neighbours(w)) == 1 and w not in taken),
        corridors=tuple(corridors),
        passages=tuple(passages),
        trip_s=flows.trip_s,
        robots_busy_max=math.ceil(round_s / busiest_s) if busiest_s > 0.0 else None,
        bottleneck=bottleneck,
        flows=flows,
    )


def _name_of(corridor: Corridor) -> str:
    first, last = corridor.waypoints[0], corridor.waypoints[-1]
    return f"the ring at {first}" if corridor.is_ring else f"{first} to {last}"


def _bottleneck(corridors: Sequence[Corridor], passages: Sequence[Passage]) -> tuple[float, str]:
    """Return the seconds that a mean round spends in the one place where it spends most, and that place."""
    spent = [(corridor.trip_s, _name_of(corridor)) for corridor in corridors]
    for passage in passages:
        if passage.is_lift:
            spent.append((passage.trip_s, passage.id if passage.id.startswith("lift") else f"lift {passage.id}"))
    return max(spent, default=(0.0, ""))


def _passages(site: Site, graph: LaneGraph, flows: Flows, severance: Severance) -> list[Passage]:
    found = [
        Passage(
            door.id,
            is_lift=False,
            is_motorised=door.is_motorised,
            level=door.level,
            lanes=lanes,
            share=flows.share(flows.on_door.get(door.id, 0)),
            lost=severance.lost(lanes),
            trip_s=_trip_on(graph, flows, lanes),
        )
        for door in site.doors.values()
        if (lanes := _lanes_where(graph, lambda lane, id=door.id: lane.door == id))
    ]
    found += [
        Passage(
            lift.id,
            is_lift=True,
            is_motorised=lift.is_motorised,
            level=None,
            lanes=lanes,
            share=flows.share(flows.on_lift.get(lift.id, 0)),
            lost=severance.lost(lanes),
            trip_s=_trip_on(graph, flows, lanes),
        )
        for lift in site.lifts.values()
        if (lanes := _lanes_where(graph, lambda lane, id=lift.id: id in lifts_of_lane(graph, lane)))
    ]
    return sorted(found, key=lambda passage: (-passage.share, passage.id))


def _trip_on(graph: LaneGraph, flows: Flows, lanes: Sequence[LaneId]) -> float:
    segments = dict.fromkeys(frozenset((graph.lanes[lane].start, graph.lanes[lane].end)) for lane in lanes)
    return sum(flows.trip_on_segment_s.get(segment, 0.0) for segment in segments)


def _lanes_where(graph: LaneGraph, is_on: Callable[[Lane], bool]) -> tuple[LaneId, ...]:
    return tuple(lane.id for lane in graph.lanes.values() if is_on(lane))


def shared_waypoints(site: Site, graph: LaneGraph) -> dict[WaypointId, list[StationId]]:
    """Return the waypoints of a graph with more than one station, and these."""
    places = places_of(site, graph)
    counted = Counter(places.values())
    return {
        waypoint: [station for station, place in places.items() if place == waypoint]
        for waypoint, count in counted.items()
        if count > 1
    }
