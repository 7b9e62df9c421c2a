"""What the monitor judges by: who stands where and holds what, what is closed, and what a change would do to others.

The reasons why a grant is safe are told in `orchestrator.domain.traffic.monitor`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from orchestrator.domain.fleet.model import ModelId, RobotId
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import LaneGraph, LaneId, WaypointId
from orchestrator.domain.traffic._evacuation import Evacuation, Standing, Ways, blocked_for, evacuate
from orchestrator.domain.traffic.answers import Granted, Refused, in_the_way, listed, unsafe
from orchestrator.domain.traffic.conflicts import ConflictRelation
from orchestrator.domain.traffic.errors import BrokenRouteError, UnknownTravellerError
from orchestrator.domain.traffic.stopping import may_stop


class Scene:
    """Where all robots stand, and the judgement of what one of them asks for.

    Parameters
    ----------
    relation : ConflictRelation
        What robots of each model hold on their lane graphs, and what conflicts.
    """

    def __init__(self, relation: ConflictRelation) -> None:
        self.relation = relation
        self.open_ways = {model: Ways(relation, model) for model in relation.models}
        self.ways: Mapping[ModelId, Ways] = self.open_ways
        self.closed: Mapping[LaneId, Reason] = {}
        self.standings: dict[RobotId, Standing] = {}
        self.obstacles: dict[RobotId, int] = {}
        self.evacuation: Evacuation | None = Evacuation((), {}, ())

    def put(self, robot: RobotId, standing: Standing, evacuation: Evacuation | None = None) -> None:
        """Let ``robot`` stand so from now on; the evacuation is searched for anew when it is not given."""
        self.standings[robot] = standing
        self.evacuation = evacuation

    def evacuated(self, robot: RobotId, standing: Standing) -> Evacuation:
        """Return the evacuation if ``robot`` stood otherwise."""
        standings = {**self.standings, robot: standing}
        return evacuate(self.ways, standings, self.settled().order, obstacles=self.obstacles)

    def settled(self) -> Evacuation:
        """Return the evacuation as things stand."""
        if self.evacuation is None:
            self.evacuation = evacuate(self.ways, self.standings, (), obstacles=self.obstacles)
        return self.evacuation

    def standing(self, robot: RobotId) -> Standing:
        """Return where ``robot`` stands; refuse one that is not known."""
        if robot not in self.standings:
            raise UnknownTravellerError(
                f"The traffic monitor does not know robot {robot}; enter where it stands first.",
                detail={"robot": robot},
            )
        return self.standings[robot]

    def holding(self, standing: Standing, held: int) -> Standing:
        """Return the standing of a robot that holds just ``held``."""
        return replace(standing, held=held, held_conflicts=self.relation.conflicts(held))

    def waypoint_mask(self, model: ModelId, waypoint: WaypointId) -> int:
        """Return what a robot of ``model`` holds at a waypoint, as a bit set."""
        return self.relation.mask(self.relation.of_waypoint(model, waypoint))

    def graph_of(self, robot: RobotId) -> LaneGraph:
        """Return the lane graph that ``robot`` drives on."""
        return self.ways_of(robot).graph

    def ways_of(self, robot: RobotId) -> Ways:
        """Return the ways on the graph of ``robot``, without the closed lanes."""
        return self.ways[self.standing(robot).model]

    def covering(self, robot: RobotId, needs: int) -> tuple[RobotId, ...]:
        """Return the obstacles that cover anything in ``needs`` of ``robot``, by id."""
        return tuple(sorted(r for r, covered in self.obstacles.items() if r != robot and needs & covered))

    def judged(
        self, robot: RobotId, lanes: Sequence[LaneId], *, keeps_order: bool
    ) -> tuple[Granted | Refused, Standing, Evacuation]:
        """Return the answer, and the robot's standing and the evacuation after a grant."""
        standing = self.standing(robot)
        before = self.settled()
        refused = self.refused_at_once(robot, standing, lanes)
        if refused is not None:
            return refused, standing, before
        needs = self.ways_of(robot).needs(lanes)
        after = self.further(standing, lanes, needs)
        evacuation = self._order_kept(robot, after, lanes, needs)
        if evacuation is None and keeps_order:
            return self._refused_for_order(robot, needs), standing, before
        if evacuation is None:
            evacuation = self.evacuated(robot, after)
        stranded = self.stranded(robot, after, evacuation)
        if stranded:
            return unsafe(robot, stranded), standing, before
        return Granted(self.relation.names(needs)), after, evacuation

    def refused_at_once(self, robot: RobotId, standing: Standing, lanes: Sequence[LaneId]) -> Refused | None:
        """Return why the lanes cannot be granted whatever the order: not to stop there, held, or reserved."""
        graph, here = self.graph_of(robot), standing.tip
        for lane in lanes:
            if lane not in graph.lanes or graph.lanes[lane].start != here:
                raise BrokenRouteError(
                    f"Lane {lane} was refused to {robot}: it does not start at {here}, where the lanes before it end. "
                    "Plan the route again from there.",
                    detail={"robot": robot, "lane": lane, "expected_start": here},
                )
            here = graph.lanes[lane].end
        if standing.is_frozen:
            return Refused((), Reason("robot_frozen", f"{robot} does not move; it waits for a person to release it."))
        closed = next((self.closed[lane] for lane in lanes if lane in self.closed), None)
        if closed is not None:
            return Refused((), closed)
        if lanes and not may_stop(graph, here):
            return Refused((), Reason("no_stopping_place", f"{here} is no place to stop; it waits for a longer route."))
        return self._refused_by_others(robot, self.ways_of(robot).needs(lanes))

    def _refused_by_others(self, robot: RobotId, needs: int) -> Refused | None:
        others = [(r, self.standings[r]) for r in sorted(self.standings) if r != robot]
        owners = tuple(r for r, theirs in others if needs & theirs.endpoint_conflicts)
        if owners:
            sentence = f"The way leads through the reserved place of {listed(owners)}; it waits for another route."
            return Refused(owners, Reason("reserved_for_other", sentence))
        covering = self.covering(robot, needs)
        if covering:
            return Refused(covering, in_the_way(covering))
        holders = tuple(r for r, theirs in others if needs & theirs.held_conflicts)
        if holders:
            return Refused(holders, Reason("held_by_other", f"It waits for {listed(holders)} to clear the way ahead."))
        return None

    def further(self, standing: Standing, lanes: Sequence[LaneId], needs: int) -> Standing:
        """Return the standing of a robot that holds the next ``lanes``, which need ``needs``, as well."""
        return replace(
            standing,
            tip=self.ways[standing.model].graph.lanes[lanes[-1]].end if lanes else standing.tip,
            held=standing.held | needs,
            held_conflicts=standing.held_conflicts | self.relation.conflicts(needs),
        )

    def _order_kept(self, robot: RobotId, after: Standing, lanes: Sequence[LaneId], needs: int) -> Evacuation | None:
        """Return the evacuation in the present order if the grant leaves it valid: the fast path.

        Robots earlier in the order keep their ways if those need nothing that is granted now; those later find this one
        gone home, as before. So only this robot's own way is looked for again, unless it drives the one it has.
        """
        kept = self.settled()
        if robot not in kept.ways:
            return None
        position = kept.order.index(robot)
        taken = self.relation.conflicts(needs)
        ways = self.ways_of(robot)
        if any(kept.ways[earlier].needs & taken for earlier in kept.order[:position]):
            return None
        own = kept.ways[robot]
        if own.lanes[: len(lanes)] == tuple(lanes):
            rest = own.lanes[len(lanes) :]
            way = replace(own, lanes=rest, needs=ways.needs(rest))
        else:
            gone = kept.order[:position]
            blocked = blocked_for(robot, self.standings, gone=gone, obstacles=self.obstacles)
            found = ways.way_home(after, blocked=blocked)
            if found is None:
                return None
            way = found
        return replace(kept, ways={**kept.ways, robot: way})

    def _refused_for_order(self, robot: RobotId, needs: int) -> Refused:
        evacuation = self.settled()
        taken = self.relation.conflicts(needs)
        earlier = evacuation.order[: evacuation.order.index(robot)] if robot in evacuation.ways else evacuation.order
        blockers = tuple(sorted(r for r in earlier if evacuation.ways[r].needs & taken))
        return Refused(blockers, Reason("gives_way", f"It gives way to {listed(blockers) or 'others'} going home."))

    def stranded(
        self, robot: RobotId, after: Standing, evacuation: Evacuation, *, besides: Iterable[RobotId] = ()
    ) -> list[RobotId]:
        """Return who could get home before the change and cannot after it: now, or once nothing is in the way.

        Those ``besides`` need not be able to now, only once nothing is in the way.
        """
        stranded = set(evacuation.stuck) - set(self.settled().stuck) - set(besides)
        is_frozen = any(standing.is_frozen for standing in self.standings.values())
        if is_frozen or self.obstacles or self.closed:
            thawed = {r: replace(standing, is_frozen=False) for r, standing in self.standings.items()}
            before = evacuate(self.open_ways, thawed, (), obstacles={})
            then = {**thawed, robot: replace(after, is_frozen=False)}
            changed = evacuate(self.open_ways, then, before.order, obstacles={})
            stranded |= set(changed.stuck) - set(before.stuck)
        return sorted(stranded)
