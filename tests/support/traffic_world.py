"""An abstract world for traffic: robots that hop along granted lanes in random times and want random places.

Nothing of the robot link is in it. After everything that happens it checks that no two robots hold conflicting
resources and, unless a robot is dead or it grants as plain locking does, that everybody has a way home.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from random import Random

from orchestrator.domain.fleet.model import ModelId, RobotId, RobotModel
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
from orchestrator.domain.traffic.coordination import Advance, Decision, Divert, Resume, Traveller, Wait, decide
from orchestrator.domain.traffic.monitor import Monitor
from orchestrator.domain.traffic.resources import compile_resources
from orchestrator.domain.traffic.routing import Router, opposing

ROUNDS = 6
"""How often decisions may lead to other routes before it counts as flickering."""

LEVEL = LevelId("ground")
GRAPH = GraphId("lanes")


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


def a_site(graph: LaneGraph) -> Site:
    """Return a site of one level that has only this graph."""
    return Site("toy", "Toy", "1", {LEVEL: Level(LEVEL)}, {graph.id: graph}, {}, {}, {})


def a_model(*, radius_m: float = 0.3) -> RobotModel:
    """Return a robot model of 1 m/s."""
    return RobotModel(ModelId("toy"), GRAPH, radius_m, 1.0, 1.0, 1.0, 1.0, ("1",))


@dataclass(slots=True)
class Body:
    """A robot of the world: where it is, what it was granted, what it wants."""

    robot: RobotId
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
    """The event loop. ``targets`` gives each robot its next target, or None when it wants no more and goes home."""

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
    ) -> None:
        self.graph = graph
        self.random = Random(seed)
        self.targets = targets
        self.patience_s, self.lookahead_m, self.hop_s, self.standing_s = patience_s, lookahead_m, hop_s, standing_s
        self.is_naive = is_naive
        site = site or a_site(graph)
        self.resources = compile_resources(site, graph, radius_m=radius_m)
        self.monitor = Monitor(self.resources, graph)
        self.router = Router(site, graph, a_model(radius_m=radius_m))
        self.at_s = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self.bodies: dict[RobotId, Body] = {}
        for robot, home in sorted(homes.items()):
            place = WaypointId(home)
            self.bodies[RobotId(robot)] = Body(RobotId(robot), place, place, place)
            self.monitor.occupy(RobotId(robot), tip=place, held=(), endpoint=place)
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
        monitor, resources = self.monitor, self.resources
        held = {robot: resources.mask(monitor.held(robot)) for robot in monitor.robots}
        for robot in monitor.robots:
            body = self.bodies[robot]
            needed = resources.of_route(body.at, body.base, self.graph)
            assert needed <= monitor.held(robot), f"{robot} drives what it does not hold"
            for other in monitor.robots:
                if other != robot:
                    assert not held[robot] & resources.conflicts(held[other]), f"{robot} and {other} at {self.at_s}"

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
        others = [(*b.base, *b.route) for b in self.bodies.values() if b is not body]
        lanes = self.router.route(
            self.monitor.tip(body.robot),
            goal,
            avoid=barred.waypoints,
            closed=barred.lanes,
            extra_s=opposing(others, self.graph, each_s=5.0),
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
        body.at = self.graph.lanes[lane].end
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
            if not body.route or self.monitor.ways.needs(body.route) & self.monitor.barred_mask(body.robot):
                body.route = self.route(body, body.target)

    def _decided(self) -> list[Decision]:
        travellers = [
            Traveller(
                robot=body.robot,
                route=body.route,
                target=body.target,
                lookahead_m=self.lookahead_m - self.router.length_m(body.base),
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
                lanes = self.monitor.stretch(body.route)
                needs = self.monitor.ways.needs(lanes)
                others = [r for r in self.bodies if r != body.robot]
                if not any(needs & self.monitor.held_conflicts(other) for other in others):
                    end = self.graph.lanes[lanes[-1]].end
                    held = self.monitor.held(body.robot) | self.resources.names(needs)
                    self.monitor.occupy(body.robot, tip=end, held=held, endpoint=body.home)
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
