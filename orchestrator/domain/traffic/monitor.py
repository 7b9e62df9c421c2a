"""The grant monitor: a hop is granted only if afterwards everybody can still get home (design §8, promise 6).

Every robot owns an endpoint, a waypoint reserved for it alone. A state is safe when an order exists in which each
robot in turn can drive from its tip to its endpoint, needing nothing that conflicts with what robots not yet home
hold or with anybody else's endpoint. Why nothing deadlocks: all robots at home is safe; a grant is refused unless the
state after it is safe; giving back only frees. In a safe state the first robot of the order that is not at home has a
way that is free now, and driving it keeps the same order, so some hop can always be granted. Nothing here rests on
timing, and nothing on how many models and lane graphs there are: each robot searches its own graph, but all that is
held, needed or reserved are resources of one conflict relation, in which those of two models conflict where robots of
the two could touch. So "needs nothing that conflicts" means the same for any two robots.

When robots that cannot move stand in the way, or lanes are closed, some may be cut off. A robot off its lanes is an
*obstacle*: it closes what it covers to all others, besides what it holds. Then a grant is refused unless everybody who
could get home before it still can, as things are and as they would be if frozen robots moved again, obstacles were back
on their lanes and closed lanes open; so who comes back does not find the others in a state from which nobody gets home.

Lanes that were granted but never released to the robot may be given back (`Monitor.retract`), if the state is safe
after that as well: from another tip there may be no way home. Out of a lift that is taken from it a robot gives them
back for the way out, in one step (`Monitor.redirect`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.domain.fleet.model import ModelId, RobotId
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import LaneGraph, LaneId, WaypointId
from orchestrator.domain.traffic._evacuation import Standing, Ways, blocked_for, brought_forward
from orchestrator.domain.traffic._scene import Scene
from orchestrator.domain.traffic.answers import Barred, Granted, Refused, in_the_way, unsafe
from orchestrator.domain.traffic.conflicts import ConflictRelation
from orchestrator.domain.traffic.stopping import may_stop

_BARRED_KEPT = 1024
"""How many answers to `Monitor.barred` are remembered; robots that stand still ask the same again and again."""


@dataclass(frozen=True, slots=True)
class Precedence:
    """The robot that all younger ones make way for, since when it has wanted its target, and its lanes there.

    ``claims_way_home`` says that it found no way home but for others, and from then on claims that way as well.
    The monitor keeps it between two calls of the coordination policy, which alone reads and writes it.
    """

    robot: RobotId
    wanted_since_s: float
    lanes: tuple[LaneId, ...]
    claims_way_home: bool = False


class Monitor:
    """Who holds what, and whether a grant leaves everybody a way home.

    Not for use from two threads. The same calls in the same order give the same answers.

    Parameters
    ----------
    relation : ConflictRelation
        What robots of each model hold on their lane graphs, and what conflicts.
    """

    def __init__(self, relation: ConflictRelation) -> None:
        self.relation = relation
        self.precedence: Precedence | None = None
        self._scene = Scene(relation)
        self._barred_by: dict[tuple[ModelId, int], Barred] = {}

    # What is so ------------------------------------------------------------------------------------------------

    @property
    def robots(self) -> tuple[RobotId, ...]:
        """Every robot the monitor knows, by id."""
        return tuple(sorted(self._scene.standings))

    @property
    def closed(self) -> Mapping[LaneId, Reason]:
        """The lanes that are closed to everybody, and why."""
        return self._scene.closed

    @property
    def has_obstacles(self) -> bool:
        """Whether any robot closes ground to others besides what it holds."""
        return bool(self._scene.obstacles)

    def graph_of(self, robot: RobotId) -> LaneGraph:
        """Return the lane graph that ``robot`` drives on."""
        return self._scene.graph_of(robot)

    def ways_of(self, robot: RobotId) -> Ways:
        """Return the ways on the graph of ``robot``, without the closed lanes."""
        return self._scene.ways_of(robot)

    def held(self, robot: RobotId) -> frozenset[str]:
        """Return the resources that ``robot`` holds."""
        return self.relation.names(self._scene.standing(robot).held)

    def tip(self, robot: RobotId) -> WaypointId:
        """Return the last waypoint granted to ``robot``."""
        return self._scene.standing(robot).tip

    def endpoint(self, robot: RobotId) -> WaypointId:
        """Return the waypoint that is reserved for ``robot`` alone."""
        return self._scene.standing(robot).endpoint

    def is_frozen(self, robot: RobotId) -> bool:
        """Whether ``robot`` is an obstacle that stays."""
        return self._scene.standing(robot).is_frozen

    def safe_order(self) -> tuple[RobotId, ...]:
        """Return an order in which robots can go home one after the other; without those cut off or frozen."""
        return self._scene.settled().order

    def cut_off(self) -> tuple[RobotId, ...]:
        """Return the robots that have no way home as things stand, by id; empty in a safe state."""
        return self._scene.settled().stuck

    def way_home(self, robot: RobotId) -> tuple[LaneId, ...] | None:
        """Return the lanes home for ``robot`` once all before it in the safe order are home; None if cut off."""
        self._scene.standing(robot)
        way = self._scene.settled().ways.get(robot)
        return None if way is None else way.lanes

    def barred(self, robot: RobotId) -> Barred:
        """Return the waypoints and lanes that routes of ``robot`` must avoid.

        They conflict with another robot's endpoint, or with what a frozen or cut off robot holds, or an obstacle
        covers them, or they are closed; waiting there would be in vain.
        """
        mask = self.barred_mask(robot)
        key = (self._scene.standing(robot).model, mask)
        found = self._barred_by.get(key)
        if found is None:
            if len(self._barred_by) >= _BARRED_KEPT:
                self._barred_by.clear()
            ways = self.ways_of(robot)
            waypoints = frozenset(waypoint for waypoint, needs in ways.waypoints.items() if needs & mask)
            closed = self._scene.closed.keys() & ways.lanes.keys()
            found = self._barred_by[key] = Barred(waypoints, ways.lanes_needing(mask) | closed)
        return found

    def is_barred(self, robot: RobotId, lanes: Iterable[LaneId]) -> bool:
        """Whether any of ``lanes`` is among those that routes of ``robot`` must avoid."""
        lanes = tuple(lanes)
        if not lanes:
            return False
        is_closed = any(lane in self._scene.closed for lane in lanes)
        return is_closed or bool(self.ways_of(robot).needs(lanes) & self.barred_mask(robot))

    def barred_mask(self, robot: RobotId) -> int:
        """Return what is closed to ``robot`` for as long as others stay who and where they are, as a bit set."""
        stuck = self._scene.settled().stuck
        movable = [r for r, standing in self._scene.standings.items() if not standing.is_frozen and r not in stuck]
        return blocked_for(robot, self._scene.standings, gone=movable, obstacles=self._scene.obstacles)

    def held_conflicts(self, robot: RobotId) -> int:
        """Return the bit set of what nobody else may hold because ``robot`` holds what it does."""
        return self._scene.standing(robot).held_conflicts

    # What is asked ---------------------------------------------------------------------------------------------

    def stretch(self, robot: RobotId, route: Sequence[LaneId]) -> tuple[LaneId, ...]:
        """Return the lanes of ``route`` up to and including the first waypoint where ``robot`` may stop.

        They are granted together or not at all. A lift cabin is no stopping place. The whole route when it has no
        stopping place, which `grant` then refuses.
        """
        graph = self.graph_of(robot)
        for i, lane in enumerate(route):
            if may_stop(graph, graph.lanes[lane].end):
                return tuple(route[: i + 1])
        return tuple(route)

    def may_grant(self, robot: RobotId, lanes: Sequence[LaneId], *, keeps_order: bool = False) -> Granted | Refused:
        """Return what `grant` would answer, and change nothing."""
        return self._scene.judged(robot, lanes, keeps_order=keeps_order)[0]

    def grant(self, robot: RobotId, lanes: Sequence[LaneId], *, keeps_order: bool = False) -> Granted | Refused:
        """Grant all of ``lanes`` to ``robot``, or refuse all.

        Parameters
        ----------
        robot : RobotId
            Who asks. Its tip moves to the end of the lanes.
        lanes : sequence of LaneId
            They follow one another from its tip and end where it may stop.
        keeps_order : bool
            Refuse as well what would change the ways home of robots earlier in the safe order.

        Raises
        ------
        UnknownTravellerError
            The monitor does not know the robot.
        BrokenRouteError
            The lanes do not follow one another from the tip.
        """
        answer, standing, evacuation = self._scene.judged(robot, lanes, keeps_order=keeps_order)
        if isinstance(answer, Granted):
            self._scene.put(robot, standing, evacuation)
        return answer

    def hindrance(self, robot: RobotId, lane: LaneId) -> Reason | None:
        """Return why ``robot`` must not be sent over ``lane`` even where it holds it: closed, or covered by another."""
        if lane in self._scene.closed:
            return self._scene.closed[lane]
        if not self._scene.obstacles:
            return None
        others = self._scene.covering(robot, self.ways_of(robot).needs((lane,)))
        return in_the_way(others) if others else None

    def unhindered(self, robot: RobotId, lanes: Sequence[LaneId]) -> tuple[int, Reason | None]:
        """Return how many of ``lanes`` lie before the first hindrance, and what that is.

        Counted to the last place before it where a robot may stop; all and None when nothing is in the way.
        """
        graph, count = self.graph_of(robot), 0
        for i, lane in enumerate(lanes):
            reason = self.hindrance(robot, lane)
            if reason is not None:
                return count, reason
            if may_stop(graph, graph.lanes[lane].end):
                count = i + 1
        return len(lanes), None

    # What happens ----------------------------------------------------------------------------------------------

    def occupy(
        self, robot: RobotId, *, model: ModelId, tip: WaypointId, held: Iterable[str], endpoint: WaypointId
    ) -> None:
        """Enter where ``robot`` is, as found or as stored, without a test. What it held before is forgotten.

        Parameters
        ----------
        robot : RobotId
            Who.
        model : ModelId
            Of which model, and so on which lane graph.
        tip : WaypointId
            The last waypoint granted to it.
        held : iterable of str
            Resources granted and not released; those of the tip are added.
        endpoint : WaypointId
            The waypoint reserved for it alone.
        """
        held_mask = self.relation.mask(held) | self._scene.waypoint_mask(model, tip)
        standing = Standing(
            model=model,
            tip=tip,
            endpoint=endpoint,
            held=held_mask,
            held_conflicts=self.relation.conflicts(held_mask),
            endpoint_conflicts=self.relation.conflicts(self._scene.waypoint_mask(model, endpoint)),
        )
        self._scene.put(robot, standing)

    def release(self, robot: RobotId, resources: Iterable[str]) -> None:
        """Give back ``resources``; those of the robot's tip stay, and what it does not hold is passed over."""
        standing = self._scene.standing(robot)
        held = standing.held & ~self.relation.mask(resources) | self._scene.waypoint_mask(standing.model, standing.tip)
        kept = self._scene.evacuation
        # To give back only frees: an order stays one, and only who is cut off may be so no more.
        self._scene.put(robot, self._scene.holding(standing, held), None if kept is not None and kept.stuck else kept)

    def release_behind(self, robot: RobotId, *, at: WaypointId, ahead: Sequence[LaneId]) -> frozenset[str]:
        """Give back all that a robot which has reached ``at``, with the granted lanes ``ahead``, needs no more.

        Returns
        -------
        frozenset of str
            What it still holds.
        """
        needed = self.relation.of_route(self._scene.standing(robot).model, at, ahead)
        self.release(robot, self.held(robot) - needed)
        return self.held(robot)

    def retract(self, robot: RobotId, *, to: WaypointId, keeping: Iterable[str]) -> bool:
        """Take back what ``robot`` was granted beyond ``to``, if it may stop there and everybody keeps a way home.

        Only for lanes that were never released to it: a robot drives to the end of its base whatever is decided here.

        Parameters
        ----------
        robot : RobotId
            Who. Its tip becomes ``to``.
        to : WaypointId
            A waypoint on its granted way, where its base ends or later.
        keeping : iterable of str
            What it needs from where it is as far as ``to``; the rest of what it holds is given back.

        Returns
        -------
        bool
            Whether it was done; nothing has changed otherwise.
        """
        standing = self._scene.standing(robot)
        if not may_stop(self.graph_of(robot), to):
            return False
        held = standing.held & self.relation.mask(keeping) | self._scene.waypoint_mask(standing.model, to)
        after = replace(self._scene.holding(standing, held), tip=to)
        evacuation = self._scene.evacuated(robot, after)
        if self._scene.stranded(robot, after, evacuation):
            return False
        self._scene.put(robot, after, evacuation)
        return True

    def redirect(
        self, robot: RobotId, lanes: Sequence[LaneId], *, to: WaypointId, keeping: Iterable[str]
    ) -> Granted | Refused:
        """Take back what ``robot`` was granted beyond ``to`` and grant ``lanes`` from there instead, or change nothing.

        For a robot that stands where nobody may stop, in a lift cabin, and has to leave by another way than it was
        granted: in two steps it would have no stopping place in between. It may leave for where it has no way home as
        things are: on the graph it may have one from the cabin, but not from where that stands now. Once nothing is in
        the way everybody has one.

        Parameters
        ----------
        robot : RobotId
            Who. Its tip moves to the end of the lanes.
        lanes : sequence of LaneId
            One or more that follow one another from ``to`` and end where it may stop.
        to : WaypointId
            Where it stands; it was never sent beyond.
        keeping : iterable of str
            What it needs where it stands.

        Raises
        ------
        UnknownTravellerError
            The monitor does not know the robot.
        BrokenRouteError
            The lanes do not follow one another from ``to``.
        """
        standing = self._scene.standing(robot)
        held = standing.held & self.relation.mask(keeping) | self._scene.waypoint_mask(standing.model, to)
        back = replace(self._scene.holding(standing, held), tip=to)
        refused = self._scene.refused_at_once(robot, back, lanes)
        if refused is not None:
            return refused
        needs = self.ways_of(robot).needs(lanes)
        after = self._scene.further(back, lanes, needs)
        evacuation = self._scene.evacuated(robot, after)
        # The way it was granted is not to be had: who has none home without it is not stranded by this.
        cut_off = (robot, *self._scene.evacuated(robot, back).stuck)
        stranded = self._scene.stranded(robot, after, evacuation, besides=cut_off)
        if stranded:
            return unsafe(robot, stranded)
        self._scene.put(robot, after, evacuation)
        return Granted(self.relation.names(needs))

    def retarget(self, robot: RobotId, endpoint: WaypointId) -> bool:
        """Reserve another endpoint for ``robot``, if nobody is in its way and everybody keeps a way home.

        Returns
        -------
        bool
            Whether it was done. The old endpoint stays the robot's only for as long as it holds it.
        """
        standing = self._scene.standing(robot)
        wanted = self._scene.waypoint_mask(standing.model, endpoint)
        for other, theirs in self._scene.standings.items():
            if other != robot and wanted & (theirs.held_conflicts | theirs.endpoint_conflicts):
                return False
        changed = replace(standing, endpoint=endpoint, endpoint_conflicts=self.relation.conflicts(wanted))
        evacuation = self._scene.evacuated(robot, changed)
        if self._scene.stranded(robot, changed, evacuation):
            return False
        self._scene.put(robot, changed, evacuation)
        return True

    def freeze(self, robot: RobotId) -> tuple[RobotId, ...]:
        """Make ``robot`` an obstacle that stays, and return the others that are cut off now, by id."""
        return self._set_frozen(robot, is_frozen=True)

    def thaw(self, robot: RobotId) -> tuple[RobotId, ...]:
        """Let ``robot`` move again, and return who is cut off now, by id."""
        return self._set_frozen(robot, is_frozen=False)

    def obstruct(self, robot: RobotId, covered: Iterable[str]) -> None:
        """Close what ``robot`` covers to all others, besides what it holds; with nothing covered, open it again.

        Also for a robot that the monitor has not been told the place of: it may be there and on no waypoint.
        """
        mask = self.relation.mask(covered)
        if mask == self._scene.obstacles.get(robot, 0):
            return
        self._scene.obstacles.pop(robot, None)
        if mask:
            self._scene.obstacles[robot] = mask
        self._scene.evacuation = None

    def close(self, lanes: Mapping[LaneId, Reason]) -> None:
        """Close exactly these lanes to everybody, with the reason that a refusal gives; all others are open."""
        if lanes.keys() != self._scene.closed.keys():
            narrowed = {
                model: Ways(self.relation, model, closed=lanes.keys()) for model in self._scene.open_ways if lanes
            }
            self._scene.ways = narrowed or self._scene.open_ways
            self._barred_by.clear()
            self._scene.evacuation = None
        self._scene.closed = dict(lanes)

    def remove(self, robot: RobotId) -> None:
        """Forget ``robot``: it has left the lanes."""
        self._scene.standing(robot)
        del self._scene.standings[robot]
        self._scene.evacuation = None

    def bring_forward(self, robots: Iterable[RobotId]) -> tuple[RobotId, ...]:
        """Put ``robots``, and all who must go home before them, first in the safe order; return these in order."""
        needed, self._scene.evacuation = brought_forward(self._scene.settled(), robots, self._scene.standings)
        return needed

    def _set_frozen(self, robot: RobotId, *, is_frozen: bool) -> tuple[RobotId, ...]:
        self._scene.put(robot, replace(self._scene.standing(robot), is_frozen=is_frozen))
        return self.cut_off()
