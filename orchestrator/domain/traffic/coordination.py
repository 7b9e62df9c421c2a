"""The policy that keeps everybody moving, on top of a monitor that keeps everybody safe.

The monitor promises that everybody can get home, not that anybody gets where it wants to. So, of the robots that have
waited longer than the patience, the one that has wanted its target longest has *precedence* until it arrives, unless
one that has wanted its target even longer waits as well. While it has precedence:

- its *claim* is the rest of its route; younger robots outside the claim get no hop into it, those on it may drive on.
  Once it is refused because others would leave it no way home, that way belongs to the claim as well;
- when it has itself waited longer than the patience again, those on its route *divert*: they go home, in the safe
  order, together with all who must go before them. It backs up itself if it is one of these. The ways home of those
  diverting are kept free: every grant to anybody keeps the order. Who has diverted resumes when it can reach its
  target without touching the claim, or when precedence ends.

Why nobody waits for ever, while granted hops finish, handovers end and routes exist (a well-formed site). Take the
robot O that has wanted its target longest. No one older can take precedence from it or make it divert, so either it
is never refused for longer than the patience, and drives its finite route, or it gets precedence. Then no younger
robot enters the claim any more, and those on the claim leave it: each time O waits too long they go home, and nothing
makes their ways home longer, because grants keep the order; so each hop home brings the end nearer. O backs up only
for robots that are enclosed on its claim, and these become fewer each time. When the route is free of others, O's
next hop is granted unless others would leave it no way home; then that way is claimed and cleared likewise, and O can
go home along it first, which leaves the others as they were. So O arrives, and what it wants next is the youngest
wish of all. A wish has only finitely many older ones before it, one per robot; so each gets its turn.

The rest of a route must not grow while its robot has precedence: it is planned once per target, and again only after
a diversion or when it is barred. A robot whose route is barred by one that cannot move is told so and gets no
precedence until it has another route.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import LaneId, WaypointId
from orchestrator.domain.traffic.answers import Granted, Refused
from orchestrator.domain.traffic.monitor import Monitor, Precedence
from orchestrator.domain.traffic.routing import lane_length_m

NO_ROUTE = "no_route"


@dataclass(frozen=True, slots=True)
class Traveller:
    """One robot as the policy sees it.

    Parameters
    ----------
    robot : RobotId
        Who; known to the monitor.
    route : tuple of LaneId
        Lanes not yet granted, from its tip towards ``target``, or towards its endpoint while it diverts. Empty when
        it is where it wants to be, or when it has no route.
    target : WaypointId
        Where it wants to be, also while it diverts. That of a robot that wants nothing is its endpoint.
    lookahead_m : float
        How many metres beyond its tip it wants granted now; nothing is granted for 0 or less. A stretch is never cut,
        so more may be granted.
    wanted_since_s : float
        Since when it has wanted this target. Stays the same until it has arrived there, whatever happens on the way,
        and is later for a later wish: precedence goes by it.
    waiting_since_s : float or None
        Since when it has been standing at its tip, ready to go on and refused; None when it is not.
    is_standing_for_people : bool
        People load or take out: it does not move now, but will.
    is_frozen : bool
        It does not move until somebody sees to it (see `Monitor.freeze`).
    is_diverted : bool
        A `Divert` was decided for it and no `Resume` since.
    """

    robot: RobotId
    route: tuple[LaneId, ...]
    target: WaypointId
    lookahead_m: float
    wanted_since_s: float = 0.0
    waiting_since_s: float | None = None
    is_standing_for_people: bool = False
    is_frozen: bool = False
    is_diverted: bool = False

    @property
    def seniority(self) -> tuple[float, RobotId]:
        """Sort key: who has wanted its target longest comes first."""
        return (self.wanted_since_s, self.robot)


@dataclass(frozen=True, slots=True)
class Advance:
    """The robot may drive ``lanes`` beyond its tip; they are granted in the monitor already."""

    robot: RobotId
    lanes: tuple[LaneId, ...]


@dataclass(frozen=True, slots=True)
class Divert:
    """The robot shall give up its route for now and take ``lanes`` to ``towards``, its endpoint."""

    robot: RobotId
    towards: WaypointId
    lanes: tuple[LaneId, ...]
    reason: Reason


@dataclass(frozen=True, slots=True)
class Resume:
    """The diverted robot shall make for its target again; by ``lanes`` unless these are None: then by any route."""

    robot: RobotId
    lanes: tuple[LaneId, ...] | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """The robot stays where it is for now."""

    robot: RobotId
    reasons: tuple[Reason, ...]


Decision = Advance | Divert | Resume | Wait


def decide(monitor: Monitor, travellers: Sequence[Traveller], *, at_s: float, patience_s: float) -> list[Decision]:
    """Return what each robot does next, and grant in the monitor what is to be driven.

    Call it again whenever something changed: a hop was finished, a robot has a new target or another route, or time
    passed. At most one decision for each robot; none for those that want nothing now.

    Parameters
    ----------
    monitor : Monitor
        Who holds what. Its ``precedence`` is kept up to date as well.
    travellers : sequence of Traveller
        Every robot that the monitor knows, in any order.
    at_s : float
        Now, on the clock that the travellers' times are of, in seconds.
    patience_s : float
        How long a robot may stand refused before others have to yield to it, in seconds.
    """
    return _Round(monitor, travellers, at_s=at_s, patience_s=patience_s).decisions()


@dataclass(frozen=True, slots=True)
class _Claim:
    """What the robot with precedence claims: its lanes to its target, and as bit sets these and its way home."""

    lanes: tuple[LaneId, ...]
    route: int
    home: int

    @property
    def all(self) -> int:
        return self.route | self.home


class _Round:
    """One call of `decide`."""

    def __init__(self, monitor: Monitor, travellers: Sequence[Traveller], *, at_s: float, patience_s: float) -> None:
        self._monitor = monitor
        self._at_s = at_s
        self._patience_s = patience_s
        self._travellers = sorted((t for t in travellers if not t.is_frozen), key=lambda t: t.seniority)
        self._by_robot = {t.robot: t for t in self._travellers}
        self._first: Traveller | None = None
        self._claim = _Claim((), 0, 0)
        self._is_clearing = False

    def decisions(self) -> list[Decision]:
        """Return the decisions, those who yield first, then by seniority."""
        self._first = self._with_precedence()
        if self._first is None:
            self._monitor.precedence = None
            return [d for t in self._travellers if (d := self._decided_freely(t)) is not None]
        yielding = self._yielding(self._first)
        self._is_clearing = any(self._monitor.tip(robot) != self._monitor.endpoint(robot) for robot in yielding)
        decided = [self._yielded(self._by_robot[robot]) for robot in yielding]
        others = (t for t in self._travellers if t.robot not in yielding)
        decided += [self._decided_beside(t, self._first) for t in others]
        return [decision for decision in decided if decision is not None]

    # Precedence ------------------------------------------------------------------------------------------------

    def _with_precedence(self) -> Traveller | None:
        """Return the robot with precedence, its claim set, or None."""
        for traveller in self._travellers:
            if not (self._has_had_precedence(traveller) or self._is_out_of_patience(traveller)):
                continue
            claim = self._claimed_by(traveller) if self._is_under_way(traveller) else None
            if claim is not None:
                self._claim = claim
                self._keep_precedence(traveller, claim)
                return traveller
        return None

    def _keep_precedence(self, traveller: Traveller, claim: _Claim) -> None:
        kept = self._monitor.precedence
        if kept is None or not self._has_had_precedence(traveller):
            self._monitor.precedence = Precedence(traveller.robot, traveller.wanted_since_s, claim.lanes)
        elif not traveller.is_diverted:
            self._monitor.precedence = replace(kept, lanes=claim.lanes)

    def _has_had_precedence(self, traveller: Traveller) -> bool:
        kept = self._monitor.precedence
        return kept is not None and (kept.robot, kept.wanted_since_s) == (traveller.robot, traveller.wanted_since_s)

    def _is_out_of_patience(self, traveller: Traveller) -> bool:
        since_s = traveller.waiting_since_s
        return since_s is not None and self._at_s - since_s > self._patience_s

    def _is_under_way(self, traveller: Traveller) -> bool:
        """Whether it still has lanes to be granted; not so one that people see to or that is about to arrive."""
        if traveller.is_standing_for_people:
            return False
        return traveller.is_diverted or self._monitor.tip(traveller.robot) != traveller.target

    def _claimed_by(self, traveller: Traveller) -> _Claim | None:
        """Return the claim, or None when the robot's way is barred by robots that stay."""
        monitor, ways = self._monitor, self._monitor.ways_of(traveller.robot)
        barred = monitor.barred_mask(traveller.robot)
        lanes = self._lanes_back(traveller, barred) if traveller.is_diverted else traveller.route
        if lanes is None or ways.needs(lanes) & barred:
            return None
        if not lanes and monitor.tip(traveller.robot) != traveller.target:
            return None
        kept = monitor.precedence
        is_home_claimed = kept is not None and kept.claims_way_home and self._has_had_precedence(traveller)
        home = self._needs_home(traveller, barred) if is_home_claimed else 0
        return _Claim(lanes=lanes, route=ways.needs(lanes), home=home)

    def _needs_home(self, traveller: Traveller, barred: int) -> int:
        """Return what the robot needs to get home from its target, as a bit set."""
        ways = self._monitor.ways_of(traveller.robot)
        endpoint = self._monitor.endpoint(traveller.robot)
        return ways.needs(ways.path(traveller.target, endpoint, blocked=barred) or ())

    def _lanes_back(self, traveller: Traveller, barred: int) -> tuple[LaneId, ...] | None:
        """Return the lanes to the target from where the robot has backed up to; None when there are none.

        As long as there is a way back to the lanes it had before, these are kept: if it claimed others each time it
        backs up, others might be in its way each time.
        """
        monitor, ways = self._monitor, self._monitor.ways_of(traveller.robot)
        tip = monitor.tip(traveller.robot)
        kept = monitor.precedence
        if tip == traveller.target:
            return ()
        if kept is not None and kept.lanes and self._has_had_precedence(traveller) and not self._is_closed(kept.lanes):
            starts = [ways.graph.lanes[lane].start for lane in kept.lanes]
            joined = starts.index(tip) if tip in starts else 0
            back = ways.path(tip, starts[joined], blocked=barred)
            if back is not None:
                return (*back, *kept.lanes[joined:])
        return ways.path(tip, traveller.target, blocked=barred)

    def _is_closed(self, lanes: Sequence[LaneId]) -> bool:
        return any(lane in self._monitor.closed for lane in lanes)

    # Yielding --------------------------------------------------------------------------------------------------

    def _yielding(self, first: Traveller) -> tuple[RobotId, ...]:
        """Return who goes home, in that order: who is clearing the way still, and after the patience who is on it."""
        monitor = self._monitor
        going = {t.robot for t in self._travellers if t.is_diverted and t != first and not self._may_resume(t, first)}
        if self._is_out_of_patience(first) or first.is_diverted:
            going |= self._in_the_way(first)
        needed = monitor.bring_forward(going)
        return tuple(r for r in needed if r in self._by_robot and not self._outranks(self._by_robot[r], first))

    def _in_the_way(self, first: Traveller) -> set[RobotId]:
        monitor = self._monitor
        found = {
            t.robot
            for t in self._travellers
            if t != first
            and not self._outranks(t, first)
            and monitor.held_conflicts(t.robot) & self._claim.route
            and monitor.tip(t.robot) != monitor.endpoint(t.robot)
        }
        if found or first.is_diverted:
            return found
        answer = monitor.may_grant(first.robot, monitor.stretch(first.robot, first.route))
        if isinstance(answer, Refused) and answer.reason.code == "no_way_home":
            found = self._in_the_way_home(first, answer)
        return found

    def _in_the_way_home(self, first: Traveller, answer: Refused) -> set[RobotId]:
        """Claim the way home as well, and return who is on it or would be stranded."""
        monitor = self._monitor
        if monitor.precedence is not None:
            monitor.precedence = replace(monitor.precedence, claims_way_home=True)
        self._claim = replace(self._claim, home=self._needs_home(first, monitor.barred_mask(first.robot)))
        return {
            t.robot
            for t in self._travellers
            if t != first
            and not self._outranks(t, first)
            and (monitor.held_conflicts(t.robot) & self._claim.home or t.robot in answer.blockers)
        }

    def _outranks(self, traveller: Traveller, first: Traveller) -> bool:
        """Whether the robot has wanted its target longer than the one with precedence; it need not yield then."""
        return self._is_under_way(traveller) and traveller.seniority < first.seniority

    def _may_resume(self, traveller: Traveller, first: Traveller) -> bool:
        return self._outranks(traveller, first) or self._way_beside(traveller) is not None

    def _way_beside(self, traveller: Traveller) -> tuple[LaneId, ...] | None:
        """Return lanes to the target that do not touch the claim; None when there are none or it is still on it."""
        monitor = self._monitor
        if monitor.held_conflicts(traveller.robot) & self._claim.all:
            return None
        blocked = monitor.barred_mask(traveller.robot) | monitor.relation.conflicts(self._claim.all)
        return monitor.ways_of(traveller.robot).path(monitor.tip(traveller.robot), traveller.target, blocked=blocked)

    # Decisions -------------------------------------------------------------------------------------------------

    def _yielded(self, traveller: Traveller) -> Decision | None:
        """Decide for a robot that goes home to clear the way."""
        if not self._is_under_way(traveller):
            return None
        endpoint = self._monitor.endpoint(traveller.robot)
        lanes = self._monitor.way_home(traveller.robot)
        if lanes is None:
            return Wait(traveller.robot, (Reason("cut_off", f"There is no way to {endpoint}; it waits for help."),))
        if not traveller.is_diverted or traveller.route != lanes:
            return Divert(traveller.robot, endpoint, lanes, self._gives_way(traveller))
        if not lanes:
            return Wait(traveller.robot, (self._gives_way(traveller),))
        return self._advanced(traveller)

    def _decided_beside(self, traveller: Traveller, first: Traveller) -> Decision | None:
        """Decide for a robot that need not go home, while ``first`` has precedence."""
        if traveller.is_diverted:
            if traveller == first and self._is_clearing:
                return Wait(traveller.robot, (self._gives_way(traveller),))
            if traveller == first:
                # By the very lanes that were cleared: by others it might find others in its way, and back up for ever.
                return Resume(traveller.robot, self._claim.lanes)
            if self._outranks(traveller, first):
                return Resume(traveller.robot)
            return Resume(traveller.robot, self._way_beside(traveller))
        is_restrained = traveller != first and not self._outranks(traveller, first)
        return self._advanced(traveller, is_restrained=is_restrained)

    def _decided_freely(self, traveller: Traveller) -> Decision | None:
        return Resume(traveller.robot) if traveller.is_diverted else self._advanced(traveller)

    def _advanced(self, traveller: Traveller, *, is_restrained: bool = False) -> Advance | Wait | None:
        """Grant stretch by stretch until the lookahead is reached or something is refused."""
        monitor = self._monitor
        if not self._is_under_way(traveller):
            return None
        if not traveller.route:
            return Wait(traveller.robot, (_no_route(traveller),))
        graph = monitor.graph_of(traveller.robot)
        granted: list[LaneId] = []
        granted_m = 0.0
        while granted_m < traveller.lookahead_m and len(granted) < len(traveller.route):
            lanes = monitor.stretch(traveller.robot, traveller.route[len(granted) :])
            refused = self._refused(traveller, lanes, is_restrained=is_restrained)
            if refused is not None:
                return Advance(traveller.robot, tuple(granted)) if granted else Wait(traveller.robot, (refused,))
            granted += lanes
            granted_m += sum(lane_length_m(graph.lanes[lane], graph) for lane in lanes)
        return Advance(traveller.robot, tuple(granted)) if granted else None

    def _refused(self, traveller: Traveller, lanes: Sequence[LaneId], *, is_restrained: bool) -> Reason | None:
        """Grant ``lanes``, or return why not."""
        monitor = self._monitor
        if is_restrained and self._would_enter_claim(traveller, lanes):
            return self._gives_way(traveller)
        answer = monitor.grant(traveller.robot, lanes, keeps_order=self._is_clearing)
        return None if isinstance(answer, Granted) else answer.reason

    def _would_enter_claim(self, traveller: Traveller, lanes: Sequence[LaneId]) -> bool:
        monitor = self._monitor
        needs = monitor.ways_of(traveller.robot).needs(lanes)
        if not monitor.relation.conflicts(needs) & self._claim.all:
            return False
        is_on_it = monitor.held_conflicts(traveller.robot) & self._claim.all
        return not is_on_it

    def _gives_way(self, traveller: Traveller) -> Reason:
        first = self._first
        if first is None or first.robot == traveller.robot:
            return Reason("backs_up", "It backs up to let out a robot that is enclosed ahead.")
        return Reason("gives_way", f"It gives way to {first.robot}, which has waited longest.")


def _no_route(traveller: Traveller) -> Reason:
    return Reason(NO_ROUTE, f"There is no open way to {traveller.target}; it waits for one or for another target.")
