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
from orchestrator.domain.traffic._evacuation import (
    Evacuation,
    Standing,
    Ways,
    blocked_for,
    brought_forward,
    evacuate,
)
from orchestrator.domain.traffic.conflicts import ConflictRelation
from orchestrator.domain.traffic.errors import BrokenRouteError, UnknownPlaceError, UnknownTravellerError

_BARRED_KEPT = 1024
"""How many answers to `Monitor.barred` are remembered; robots that stand still ask the same again and again."""


@dataclass(frozen=True, slots=True)
class Granted:
    """The lanes may be driven; ``resources`` are what they need, held by the robot if it was a grant."""

    resources: frozenset[str]


@dataclass(frozen=True, slots=True)
class Refused:
    """Not now. ``blockers`` are the robots it waits for, by id; empty when waiting will not help."""

    blockers: tuple[RobotId, ...]
    reason: Reason


@dataclass(frozen=True, slots=True)
class Barred:
    """What is closed to a robot for as long as others stay who and where they are."""

    waypoints: frozenset[WaypointId]
    lanes: frozenset[LaneId]


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
        self._open_ways = {model: Ways(relation, model) for model in relation.models}
        self._ways = self._open_ways
        self._closed: Mapping[LaneId, Reason] = {}
        self._standings: dict[RobotId, Standing] = {}
        self._obstacles: dict[RobotId, int] = {}
        self._evacuation: Evacuation | None = Evacuation((), {}, ())
        self._barred_by: dict[tuple[ModelId, int], Barred] = {}

    # What is so ------------------------------------------------------------------------------------------------

    @property
    def robots(self) -> tuple[RobotId, ...]:
        """Every robot the monitor knows, by id."""
        return tuple(sorted(self._standings))

    @property
    def closed(self) -> Mapping[LaneId, Reason]:
        """The lanes that are closed to everybody, and why."""
        return self._closed

    @property
    def has_obstacles(self) -> bool:
        """Whether any robot closes ground to others besides what it holds."""
        return bool(self._obstacles)

    def graph_of(self, robot: RobotId) -> LaneGraph:
        """Return the lane graph that ``robot`` drives on."""
        return self.ways_of(robot).graph

    def ways_of(self, robot: RobotId) -> Ways:
        """Return the ways on the graph of ``robot``, without the closed lanes."""
        return self._ways[self._standing(robot).model]

    def held(self, robot: RobotId) -> frozenset[str]:
        """Return the resources that ``robot`` holds."""
        return self.relation.names(self._standing(robot).held)

    def tip(self, robot: RobotId) -> WaypointId:
        """Return the last waypoint granted to ``robot``."""
        return self._standing(robot).tip

    def endpoint(self, robot: RobotId) -> WaypointId:
        """Return the waypoint that is reserved for ``robot`` alone."""
        return self._standing(robot).endpoint

    def is_frozen(self, robot: RobotId) -> bool:
        """Whether ``robot`` is an obstacle that stays."""
        return self._standing(robot).is_frozen

    def safe_order(self) -> tuple[RobotId, ...]:
        """Return an order in which robots can go home one after the other; without those cut off or frozen."""
        return self._settled().order

    def cut_off(self) -> tuple[RobotId, ...]:
        """Return the robots that have no way home as things stand, by id; empty in a safe state."""
        return self._settled().stuck

    def way_home(self, robot: RobotId) -> tuple[LaneId, ...] | None:
        """Return the lanes home for ``robot`` once all before it in the safe order are home; None if cut off."""
        self._standing(robot)
        way = self._settled().ways.get(robot)
        return None if way is None else way.lanes

    def barred(self, robot: RobotId) -> Barred:
        """Return the waypoints and lanes that routes of ``robot`` must avoid.

        They conflict with another robot's endpoint, or with what a frozen or cut off robot holds, or an obstacle
        covers them, or they are closed; waiting there would be in vain.
        """
        mask = self.barred_mask(robot)
        key = (self._standing(robot).model, mask)
        found = self._barred_by.get(key)
        if found is None:
            if len(self._barred_by) >= _BARRED_KEPT:
                self._barred_by.clear()
            ways = self.ways_of(robot)
            waypoints = frozenset(waypoint for waypoint, needs in ways.waypoints.items() if needs & mask)
            closed = self._closed.keys() & ways.lanes.keys()
            found = self._barred_by[key] = Barred(waypoints, ways.lanes_needing(mask) | closed)
        return found

    def is_barred(self, robot: RobotId, lanes: Iterable[LaneId]) -> bool:
        """Whether any of ``lanes`` is among those that routes of ``robot`` must avoid."""
        lanes = tuple(lanes)
        if not lanes:
            return False
        is_closed = any(lane in self._closed for lane in lanes)
        return is_closed or bool(self.ways_of(robot).needs(lanes) & self.barred_mask(robot))

    def barred_mask(self, robot: RobotId) -> int:
        """Return what is closed to ``robot`` for as long as others stay who and where they are, as a bit set."""
        stuck = self._settled().stuck
        movable = [r for r, standing in self._standings.items() if not standing.is_frozen and r not in stuck]
        return blocked_for(robot, self._standings, gone=movable, obstacles=self._obstacles)

    def held_conflicts(self, robot: RobotId) -> int:
        """Return the bit set of what nobody else may hold because ``robot`` holds what it does."""
        return self._standing(robot).held_conflicts

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
        return self._judged(robot, lanes, keeps_order=keeps_order)[0]

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
        answer, standing, evacuation = self._judged(robot, lanes, keeps_order=keeps_order)
        if isinstance(answer, Granted):
            self._standings[robot] = standing
            self._evacuation = evacuation
        return answer

    def hindrance(self, robot: RobotId, lane: LaneId) -> Reason | None:
        """Return why ``robot`` must not be sent over ``lane`` even where it holds it: closed, or covered by another."""
        if lane in self._closed:
            return self._closed[lane]
        if not self._obstacles:
            return None
        needs = self.ways_of(robot).needs((lane,))
        others = sorted(r for r, covered in self._obstacles.items() if r != robot and needs & covered)
        return _in_the_way(others) if others else None

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
        held_mask = self.relation.mask(held) | self._waypoint_mask(model, tip)
        self._standings[robot] = Standing(
            model=model,
            tip=tip,
            endpoint=endpoint,
            held=held_mask,
            held_conflicts=self.relation.conflicts(held_mask),
            endpoint_conflicts=self.relation.conflicts(self._waypoint_mask(model, endpoint)),
        )
        self._evacuation = None

    def release(self, robot: RobotId, resources: Iterable[str]) -> None:
        """Give back ``resources``; those of the robot's tip stay, and what it does not hold is passed over."""
        standing = self._standing(robot)
        held = standing.held & ~self.relation.mask(resources) | self._waypoint_mask(standing.model, standing.tip)
        self._standings[robot] = self._holding(standing, held)
        if self._evacuation is not None and self._evacuation.stuck:
            self._evacuation = None

    def release_behind(self, robot: RobotId, *, at: WaypointId, ahead: Sequence[LaneId]) -> frozenset[str]:
        """Give back all that a robot which has reached ``at``, with the granted lanes ``ahead``, needs no more.

        Returns
        -------
        frozenset of str
            What it still holds.
        """
        needed = self.relation.of_route(self._standing(robot).model, at, ahead)
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
        standing = self._standing(robot)
        if not may_stop(self.graph_of(robot), to):
            return False
        held = standing.held & self.relation.mask(keeping) | self._waypoint_mask(standing.model, to)
        after = replace(self._holding(standing, held), tip=to)
        evacuation = self._evacuated(robot, after)
        if self._stranded(robot, after, evacuation):
            return False
        self._standings[robot] = after
        self._evacuation = evacuation
        return True

    def redirect(
        self, robot: RobotId, lanes: Sequence[LaneId], *, to: WaypointId, keeping: Iterable[str]
    ) -> Granted | Refused:
        """Take back what ``robot`` was granted beyond ``to`` and grant ``lanes`` from there instead, or change nothing.

        For a robot that stands where nobody may stop, in a lift cabin, and has to leave by another way than it was
        granted: in two steps it would have no stopping place in between. It may leave for where it has no way home as
        things are, if the way it was granted is none either; once nothing is in the way everybody has one.

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
        standing = self._standing(robot)
        held = standing.held & self.relation.mask(keeping) | self._waypoint_mask(standing.model, to)
        back = replace(self._holding(standing, held), tip=to)
        refused = self._refused_at_once(robot, back, lanes)
        if refused is not None:
            return refused
        needs = self.ways_of(robot).needs(lanes)
        after = self._further(back, lanes, needs)
        evacuation = self._evacuated(robot, after)
        # The way it was granted is not to be had: who has none home without it is not stranded by this.
        stranded = self._stranded(robot, after, evacuation, besides=self._evacuated(robot, back).stuck)
        if stranded:
            return _unsafe(robot, stranded)
        self._standings[robot] = after
        self._evacuation = evacuation
        return Granted(self.relation.names(needs))

    def retarget(self, robot: RobotId, endpoint: WaypointId) -> bool:
        """Reserve another endpoint for ``robot``, if nobody is in its way and everybody keeps a way home.

        Returns
        -------
        bool
            Whether it was done. The old endpoint stays the robot's only for as long as it holds it.
        """
        standing = self._standing(robot)
        wanted = self._waypoint_mask(standing.model, endpoint)
        for other, theirs in self._standings.items():
            if other != robot and wanted & (theirs.held_conflicts | theirs.endpoint_conflicts):
                return False
        changed = replace(standing, endpoint=endpoint, endpoint_conflicts=self.relation.conflicts(wanted))
        evacuation = self._evacuated(robot, changed)
        if self._stranded(robot, changed, evacuation):
            return False
        self._standings[robot] = changed
        self._evacuation = evacuation
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
        if mask == self._obstacles.get(robot, 0):
            return
        self._obstacles.pop(robot, None)
        if mask:
            self._obstacles[robot] = mask
        self._evacuation = None

    def close(self, lanes: Mapping[LaneId, Reason]) -> None:
        """Close exactly these lanes to everybody, with the reason that a refusal gives; all others are open."""
        if lanes.keys() != self._closed.keys():
            narrowed = {model: Ways(self.relation, model, closed=lanes.keys()) for model in self._open_ways if lanes}
            self._ways = narrowed or self._open_ways
            self._barred_by.clear()
            self._evacuation = None
        self._closed = dict(lanes)

    def remove(self, robot: RobotId) -> None:
        """Forget ``robot``: it has left the lanes."""
        self._standing(robot)
        del self._standings[robot]
        self._evacuation = None

    def bring_forward(self, robots: Iterable[RobotId]) -> tuple[RobotId, ...]:
        """Put ``robots``, and all who must go home before them, first in the safe order; return these in order."""
        needed, self._evacuation = brought_forward(self._settled(), robots, self._standings)
        return needed

    # How -------------------------------------------------------------------------------------------------------

    def _judged(
        self, robot: RobotId, lanes: Sequence[LaneId], *, keeps_order: bool
    ) -> tuple[Granted | Refused, Standing, Evacuation]:
        """Return the answer, and the robot's standing and the evacuation after a grant."""
        standing = self._standing(robot)
        before = self._settled()
        refused = self._refused_at_once(robot, standing, lanes)
        if refused is not None:
            return refused, standing, before
        needs = self.ways_of(robot).needs(lanes)
        after = self._further(standing, lanes, needs)
        evacuation = self._order_kept(robot, after, lanes, needs)
        if evacuation is None and keeps_order:
            return self._refused_for_order(robot, needs), standing, before
        if evacuation is None:
            evacuation = self._evacuated(robot, after)
        stranded = self._stranded(robot, after, evacuation)
        if stranded:
            return _unsafe(robot, stranded), standing, before
        return Granted(self.relation.names(needs)), after, evacuation

    def _refused_at_once(self, robot: RobotId, standing: Standing, lanes: Sequence[LaneId]) -> Refused | None:
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
        closed = next((self._closed[lane] for lane in lanes if lane in self._closed), None)
        if closed is not None:
            return Refused((), closed)
        if lanes and not may_stop(graph, here):
            return Refused((), Reason("no_stopping_place", f"{here} is no place to stop; it waits for a longer route."))
        return self._refused_by_others(robot, self.ways_of(robot).needs(lanes))

    def _refused_by_others(self, robot: RobotId, needs: int) -> Refused | None:
        others = [(r, self._standings[r]) for r in sorted(self._standings) if r != robot]
        owners = tuple(r for r, theirs in others if needs & theirs.endpoint_conflicts)
        if owners:
            sentence = f"The way leads through the reserved place of {_listed(owners)}; it waits for another route."
            return Refused(owners, Reason("reserved_for_other", sentence))
        in_the_way = sorted(r for r, covered in self._obstacles.items() if r != robot and needs & covered)
        if in_the_way:
            return Refused(tuple(in_the_way), _in_the_way(in_the_way))
        holders = tuple(r for r, theirs in others if needs & theirs.held_conflicts)
        if holders:
            return Refused(holders, Reason("held_by_other", f"It waits for {_listed(holders)} to clear the way ahead."))
        return None

    def _further(self, standing: Standing, lanes: Sequence[LaneId], needs: int) -> Standing:
        """Return the standing of a robot that holds the next ``lanes``, which need ``needs``, as well."""
        return replace(
            standing,
            tip=self._ways[standing.model].graph.lanes[lanes[-1]].end if lanes else standing.tip,
            held=standing.held | needs,
            held_conflicts=standing.held_conflicts | self.relation.conflicts(needs),
        )

    def _order_kept(self, robot: RobotId, after: Standing, lanes: Sequence[LaneId], needs: int) -> Evacuation | None:
        """Return the evacuation in the present order if the grant leaves it valid: the fast path.

        Robots earlier in the order keep their ways if those need nothing that is granted now; those later find this one
        gone home, as before. So only this robot's own way is looked for again, unless it drives the one it has.
        """
        kept = self._settled()
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
            blocked = blocked_for(robot, self._standings, gone=gone, obstacles=self._obstacles)
            found = ways.way_home(after, blocked=blocked)
            if found is None:
                return None
            way = found
        return replace(kept, ways={**kept.ways, robot: way})

    def _refused_for_order(self, robot: RobotId, needs: int) -> Refused:
        evacuation = self._settled()
        taken = self.relation.conflicts(needs)
        earlier = evacuation.order[: evacuation.order.index(robot)] if robot in evacuation.ways else evacuation.order
        blockers = tuple(sorted(r for r in earlier if evacuation.ways[r].needs & taken))
        return Refused(blockers, Reason("gives_way", f"It gives way to {_listed(blockers) or 'others'} going home."))

    def _stranded(
        self, robot: RobotId, after: Standing, evacuation: Evacuation, *, besides: Iterable[RobotId] = ()
    ) -> list[RobotId]:
        """Return who could get home before the change and cannot after it: now, or once nothing is in the way.

        Those ``besides`` need not be able to now, only once nothing is in the way.
        """
        stranded = set(evacuation.stuck) - set(self._settled().stuck) - set(besides)
        is_frozen = any(standing.is_frozen for standing in self._standings.values())
        if is_frozen or self._obstacles or self._closed:
            thawed = {r: replace(standing, is_frozen=False) for r, standing in self._standings.items()}
            before = evacuate(self._open_ways, thawed, (), obstacles={})
            then = {**thawed, robot: replace(after, is_frozen=False)}
            changed = evacuate(self._open_ways, then, before.order, obstacles={})
            stranded |= set(changed.stuck) - set(before.stuck)
        return sorted(stranded)

    def _evacuated(self, robot: RobotId, standing: Standing) -> Evacuation:
        standings = {**self._standings, robot: standing}
        return evacuate(self._ways, standings, self._settled().order, obstacles=self._obstacles)

    def _settled(self) -> Evacuation:
        if self._evacuation is None:
            self._evacuation = evacuate(self._ways, self._standings, (), obstacles=self._obstacles)
        return self._evacuation

    def _set_frozen(self, robot: RobotId, *, is_frozen: bool) -> tuple[RobotId, ...]:
        self._standings[robot] = replace(self._standing(robot), is_frozen=is_frozen)
        self._evacuation = None
        return self.cut_off()

    def _standing(self, robot: RobotId) -> Standing:
        if robot not in self._standings:
            raise UnknownTravellerError(
                f"The traffic monitor does not know robot {robot}; enter where it stands first.",
                detail={"robot": robot},
            )
        return self._standings[robot]

    def _holding(self, standing: Standing, held: int) -> Standing:
        return replace(standing, held=held, held_conflicts=self.relation.conflicts(held))

    def _waypoint_mask(self, model: ModelId, waypoint: WaypointId) -> int:
        return self.relation.mask(self.relation.of_waypoint(model, waypoint))


def may_stop(graph: LaneGraph, waypoint: WaypointId) -> bool:
    """Whether a robot may be left standing at a waypoint; a lift cabin is no stopping place."""
    if waypoint not in graph.waypoints:
        raise UnknownPlaceError(f"The lane graph has no waypoint {waypoint}.", detail={"waypoint": waypoint})
    place = graph.waypoints[waypoint]
    return place.may_stop and place.lift is None


def _in_the_way(robots: Sequence[RobotId]) -> Reason:
    return Reason("robot_in_the_way", f"{_listed(robots)} left its lane and stands in the way; move it aside.")


def _unsafe(robot: RobotId, stranded: Sequence[RobotId]) -> Refused:
    others = tuple(r for r in stranded if r != robot)
    whom = _listed(others) if others else "it"
    sentence = f"Going on now would leave {whom} no way home; it waits for room."
    return Refused(others, Reason("no_way_home", sentence))


def _listed(robots: Sequence[RobotId]) -> str:
    return " and ".join(robots)
