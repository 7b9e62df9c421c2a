"""An abstract world for traffic: robots that hop along granted lanes in random times and want random places.

Nothing of the robot link is in it. After everything that happens it checks that no two robots hold conflicting
resources and, unless a robot is dead or it grants as plain locking does, that everybody has a way home.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from random import Random

from orchestrator.domain.fleet.model import Footprint, ModelId, RobotId, RobotModel, circumscribed_radius_m
from orchestrator.domain.site.model import (
    GraphId,
    Lane,
    LaneGraph,
    LaneId,
    Level,
    LevelId,
    Site,
    Waypoint,
    WaypointId,
)
from orchestrator.domain.traffic.conflicts import ConflictRelation, conflict_relation
from orchestrator.domain.traffic.coordination import Advance, Decision, Divert, Resume, Traveller, Wait, decide
from orchestrator.domain.traffic.monitor import Monitor
from orchestrator.domain.traffic.routing import Router, opposing

ROUNDS = 6
"""How often decisions may lead to other routes before it counts as flickering."""

LEVEL = LevelId("ground")
GRAPH = GraphId("lanes")
TWIN_GRAPH = GraphId("tracks")
TWIN = "t-"
TOY, CART = ModelId("toy"), ModelId("cart")


def a_graph(
    places: Mapping[str, tuple[float, float]], ways: Sequence[str], *, no_stopping: Sequence[str] = ()
) -> LaneGraph:
    """Return a graph from ways written ``a-b`` (both directions) or ``a>b`` (one)."""
    waypoints = {
        WaypointId(name): Waypoint(WaypointId(name), LEVEL, x, y, name=name, may_stop=name not in no_stopping)
        for name, (x, y) in places.items()
    }
    lanes: dict[LaneId, Lane] = {}
    for way in ways:
        is_two_way = "-" in way
        start, end = way.split("-" if is_two_way else ">")
        there, back = LaneId(f"{start}>{end}"), LaneId(f"{end}>{start}")
        lanes[there] = Lane(there, WaypointId(start), WaypointId(end), reverse=back if is_two_way else None)
        if is_two_way:
            lanes[back] = Lane(back, WaypointId(end), WaypointId(start), reverse=there)
    return LaneGraph(GRAPH, waypoints, lanes)


def a_twin(graph: LaneGraph, *, shift_m: float = 0.0) -> LaneGraph:
    """Return the same lanes as a graph of their own, every id with a prefix, all moved along x."""
    waypoints = {
        twin(w.id): replace(w, id=twin(w.id), name=twin(w.name), x_m=w.x_m + shift_m) for w in graph.waypoints.values()
    }
    lanes = {
        LaneId(f"{TWIN}{lane.id}"): replace(
            lane,
            id=LaneId(f"{TWIN}{lane.id}"),
            start=twin(lane.start),
            end=twin(lane.end),
            reverse=None if lane.reverse is None else LaneId(f"{TWIN}{lane.reverse}"),
        )
        for lane in graph.lanes.values()
    }
    return LaneGraph(TWIN_GRAPH, waypoints, lanes)


def twin(waypoint: str) -> WaypointId:
    """Return the id on the twin graph."""
    return WaypointId(f"{TWIN}{waypoint}")


def a_site(*graphs: LaneGraph) -> Site:
    """Return a site of one level that has only these graphs."""
    return Site("toy", "Toy", "1", {LEVEL: Level(LEVEL)}, {graph.id: graph for graph in graphs}, {}, {}, {})


def a_model(
    *,
    id: str = TOY,
    graph: GraphId = GRAPH,
    radius_m: float = 0.3,
    footprint: Footprint = (),
    deviation_m: float = 0.0,
) -> RobotModel:
    """Return a robot model of 1 m/s that never strays, unless told otherwise."""
    radius_m = circumscribed_radius_m(footprint) if footprint else radius_m
    return RobotModel(
        ModelId(id), graph, radius_m, 1.0, 1.0, 1.0, 1.0, ("1",), footprint=footprint, deviation_m=deviation_m
    )


def a_cart() -> RobotModel:
    """Return another model, larger, on the twin graph."""
    return a_model(id=CART, graph=TWIN_GRAPH, radius_m=0.4)


def a_relation(*graphs: LaneGraph) -> ConflictRelation:
    """Return the relation of toys on the first graph and, if there is a twin, of carts on that."""
    models = [a_model(graph=graphs[0].id), a_cart()]
    return conflict_relation(a_site(*graphs), models[: len(graphs)])


def a_monitor(graph: LaneGraph, **robots: str) -> Monitor:
    """Return a monitor of toys, each robot by id at its ``tip/endpoint``, or at its endpoint if that is all."""
    monitor = Monitor(a_relation(graph))
    for robot, places in robots.items():
        tip, _, endpoint = places.partition("/")
        enter(monitor, robot, tip, endpoint=endpoint or tip)
    return monitor


def enter(monitor: Monitor, robot: str, tip: str, *, endpoint: str | None = None, model: ModelId = TOY) -> None:
    """Enter a robot that holds its tip and nothing else; its endpoint is there too unless another is named."""
    place = WaypointId(tip)
    monitor.occupy(RobotId(robot), model=model, tip=place, held=(), endpoint=WaypointId(endpoint or tip))


@dataclass(slots=True)
class Body:
    """A robot of the world: where it is, what it was granted, what it wants."""

    robot: RobotId
    model: RobotModel
    home: WaypointId
    at: WaypointId
    target: WaypointId
    base: list[LaneId] = field(default_factory=list)
    route: tuple[LaneId, ...] = ()
    is_hopping: bool = False
    wanted_since_s: float = 0.0
    waiting_since_s: float | None = None
    standing_until_s: float | None = None
    is_diverted: bool = False
    is_satisfied: bool = False
    is_dead: bool = False
    arrivals: int = 0
    diversions: int = 0
    longest_wish_s: float = 0.0


class World:
    """The event loop. ``targets`` gives each robot its next target, or None when it wants no more and goes home.

    ``models`` are by robot, each on its own graph of ``site``; all are toys on ``graph`` unless there are some.
    """

    def __init__(
        self,
        graph: LaneGraph,
        homes: Mapping[str, str],
        targets: Callable[[RobotId, Random], str | None],
        *,
        seed: int = 1,
        patience_s: float = 20.0,
        lookahead_m: float = 1.5,
        hop_s: tuple[float, float] = (2.0, 6.0),
        standing_s: tuple[float, float] = (0.0, 30.0),
        site: Site | None = None,
        radius_m: float = 0.3,
        is_naive: bool = False,
        models: Mapping[str, RobotModel] | None = None,
    ) -> None:
        self.random = Random(seed)
        self.targets = targets
        self.patience_s, self.lookahead_m, self.hop_s, self.standing_s = patience_s, lookahead_m, hop_s, standing_s
        self.is_naive = is_naive
        site = site or a_site(graph)
        models = models or dict.fromkeys(homes, a_model(graph=graph.id, radius_m=radius_m))
        self.relation = conflict_relation(site, models.values())
        self.monitor = Monitor(self.relation)
        self.routers = {model.id: Router(site, site.graphs[model.graph], model) for model in models.values()}
        self.at_s = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self.bodies: dict[RobotId, Body] = {}
        for robot, home in sorted(homes.items()):
            place = WaypointId(home)
            self.bodies[RobotId(robot)] = Body(RobotId(robot), models[robot], place, place, place)
            enter(self.monitor, robot, home, model=models[robot].id)
        for body in self.bodies.values():
            self._want_next(body)

    # -- running --------------------------------------------------------------------------------------------------

    @property
    def arrivals(self) -> int:
        return sum(body.arrivals for body in self.bodies.values())

    @property
    def longest_wish_s(self) -> float:
        """The longest that any robot has wanted one target, those not reached yet included."""
        return max(max(b.longest_wish_s, self.at_s - b.wanted_since_s) for b in self.bodies.values())

    @property
    def diversions(self) -> int:
        return sum(body.diversions for body in self.bodies.values())

    def run(
        self, *, until_s: float = inf, arrivals: int | None = None, check: Callable[[], None] | None = None
    ) -> None:
        """Let things happen until the time, the number of arrivals, or until nothing happens any more."""
        self._settle()
        while self._events and self._events[0][0] <= until_s:
            if arrivals is not None and self.arrivals >= arrivals:
                return
            self.at_s, _, act = heapq.heappop(self._events)
            act()
            self._settle()
            self.check_holdings()
            is_anybody_dead = any(body.is_dead for body in self.bodies.values())
            if not self.is_naive and not is_anybody_dead:
                assert self.monitor.cut_off() == (), f"no safe order at {self.at_s}"

    def check_holdings(self) -> None:
        """No two robots hold conflicting resources, and nobody holds what conflicts with another's endpoint."""
        monitor, relation = self.monitor, self.relation
        held = {robot: relation.mask(monitor.held(robot)) for robot in monitor.robots}
        for robot in monitor.robots:
            body = self.bodies[robot]
            needed = relation.of_route(body.model.id, body.at, body.base)
            assert needed <= monitor.held(robot), f"{robot} drives what it does not hold"
            for other in monitor.robots:
                if other != robot:
                    assert not held[robot] & relation.conflicts(held[other]), f"{robot} and {other} at {self.at_s}"

    def stop(self, robot: str) -> tuple[RobotId, ...]:
        """Let a robot die where it is, and return who is cut off."""
        self.bodies[RobotId(robot)].is_dead = True
        return self.monitor.freeze(RobotId(robot))

    def restart(self, robot: str) -> None:
        """Let a dead robot go on."""
        body = self.bodies[RobotId(robot)]
        body.is_dead = False
        self.monitor.thaw(body.robot)
        if body.is_hopping:
            self._start_hop(body)
        self._settle()

    # -- what happens ---------------------------------------------------------------------------------------------

    def _after(self, delay_s: float, act: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (self.at_s + delay_s, self._count, act))

    def _want_next(self, body: Body) -> None:
        wanted = self.targets(body.robot, self.random)
        body.is_satisfied = wanted is None
        body.target = body.home if wanted is None else WaypointId(wanted)
        body.wanted_since_s = self.at_s
        body.waiting_since_s = None
        if body.is_diverted:
            return
        body.route = self.route(body, body.target)
        if body.at == body.target and not body.base:
            self._arrive(body)

    def route(self, body: Body, goal: WaypointId) -> tuple[LaneId, ...]:
        barred = self.monitor.barred(body.robot)
        others = [(*b.base, *b.route) for b in self.bodies.values() if b is not body and b.model == body.model]
        lanes = self.routers[body.model.id].route(
            self.monitor.tip(body.robot),
            goal,
            avoid=barred.waypoints,
            closed=barred.lanes,
            extra_s=opposing(others, self.monitor.graph_of(body.robot), each_s=5.0),
        )
        return lanes or ()

    def _start_hop(self, body: Body) -> None:
        body.is_hopping = True
        body.waiting_since_s = None
        self._after(self.random.uniform(*self.hop_s), lambda: self._finish_hop(body))

    def _finish_hop(self, body: Body) -> None:
        if body.is_dead:
            return
        lane = body.base.pop(0)
        body.is_hopping = False
        body.at = self.monitor.graph_of(body.robot).lanes[lane].end
        self.monitor.release_behind(body.robot, at=body.at, ahead=body.base)
        if not body.base and body.at == body.target and not body.is_diverted:
            self._arrive(body)

    def _arrive(self, body: Body) -> None:
        if body.is_satisfied:
            return
        body.standing_until_s = self.at_s + self.random.uniform(*self.standing_s)
        self._after(body.standing_until_s - self.at_s, lambda: self._leave(body))

    def _leave(self, body: Body) -> None:
        body.standing_until_s = None
        body.arrivals += 1
        body.longest_wish_s = max(body.longest_wish_s, self.at_s - body.wanted_since_s)
        self._want_next(body)

    # -- traffic --------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        self._avoid_the_barred()
        for _ in range(ROUNDS):
            decisions = self._naive() if self.is_naive else self._decided()
            for decision in decisions:
                self._carry_out(decision)
            if not any(isinstance(decision, Divert | Resume) for decision in decisions):
                break
        else:
            raise AssertionError(f"diversions flicker at {self.at_s}")
        for body in self.bodies.values():
            if body.base and not body.is_hopping and not body.is_dead:
                self._start_hop(body)

    def _avoid_the_barred(self) -> None:
        """Route anew whoever has no route, or one that leads past a robot that stays."""
        for body in self.bodies.values():
            is_there = self.monitor.tip(body.robot) == body.target and not body.route
            if body.is_diverted or body.is_dead or is_there or body.standing_until_s is not None:
                continue
            if not body.route or self.monitor.is_barred(body.robot, body.route):
                body.route = self.route(body, body.target)

    def _decided(self) -> list[Decision]:
        travellers = [
            Traveller(
                robot=body.robot,
                route=body.route,
                target=body.target,
                lookahead_m=self.lookahead_m - self.routers[body.model.id].length_m(body.base),
                wanted_since_s=body.wanted_since_s,
                waiting_since_s=body.waiting_since_s,
                is_standing_for_people=body.standing_until_s is not None,
                is_frozen=body.is_dead,
                is_diverted=body.is_diverted,
            )
            for body in self.bodies.values()
        ]
        return decide(self.monitor, travellers, at_s=self.at_s, patience_s=self.patience_s)

    def _naive(self) -> list[Decision]:
        """Grant whatever is free now, as plain locking does."""
        decisions: list[Decision] = []
        for body in self.bodies.values():
            if body.route and not body.base and body.standing_until_s is None:
                lanes = self.monitor.stretch(body.robot, body.route)
                needs = self.monitor.ways_of(body.robot).needs(lanes)
                others = [r for r in self.bodies if r != body.robot]
                if not any(needs & self.monitor.held_conflicts(other) for other in others):
                    end = self.monitor.graph_of(body.robot).lanes[lanes[-1]].end
                    held = self.monitor.held(body.robot) | self.relation.names(needs)
                    self.monitor.occupy(body.robot, model=body.model.id, tip=end, held=held, endpoint=body.home)
                    decisions.append(Advance(body.robot, lanes))
        return decisions

    def _carry_out(self, decision: Decision) -> None:
        body = self.bodies[decision.robot]
        match decision:
            case Advance(lanes=lanes):
                assert body.route[: len(lanes)] == lanes
                body.base += lanes
                body.route = body.route[len(lanes) :]
            case Divert(lanes=lanes):
                body.diversions += not body.is_diverted
                body.is_diverted = True
                body.route = lanes
            case Resume(lanes=lanes):
                body.is_diverted = False
                body.waiting_since_s = None
                body.route = self.route(body, body.target) if lanes is None else lanes
                if not body.base and body.at == body.target and not body.route and body.standing_until_s is None:
                    self._arrive(body)
            case Wait():
                if not body.base and not body.is_hopping and body.waiting_since_s is None:
                    body.waiting_since_s = self.at_s
                    self._after(self.patience_s + 0.01, lambda: None)
