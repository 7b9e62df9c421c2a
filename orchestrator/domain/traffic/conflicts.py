"""The conflict relation: which resources two robots may not hold at once, whatever their models and lane graphs.

Two resources conflict when robots that use them could touch, with less than the margin between them: a robot covers a
disc at a waypoint, where it may turn, and its swept footprint along a lane, each wider by how far its model may stray.
Different levels never touch but in a lift, and that is one resource on all of them; so is a door for both graphs.

Waypoints *meet* that are one, or lie at one place on two graphs. Lanes that meet at a waypoint are compared outside its
neighbourhood only, and a lane not at all with a waypoint at its end: there the waypoints, which both robots must hold,
keep them apart. That needs the rule that a robot gives back a waypoint and the lane out of it when it reaches the
lane's other end, not before.

How to use it: ``relation = conflict_relation(site, models)`` computes once per site and set of models and hands out
the same object afterwards. ``relation.of_waypoint(model, waypoint)`` and ``relation.of_lane(model, lane)`` give the ids
of what a robot of a model holds there, ``relation.conflicting(id)`` what nobody else may hold meanwhile, of any model,
``relation.users(id)`` who holds a door or a lift where. ``relation.pairs()`` lists every pair with place and area of
the overlap. ``relation.occupied_by(model, pose)`` gives what a robot keeps from others that stands anywhere. Monitor,
linter and obstacles share it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import hypot

import shapely
from shapely.geometry.base import BaseGeometry
from shapely.ops import nearest_points
from shapely.strtree import STRtree

from orchestrator.domain.fleet.model import ModelId, Pose, RobotModel
from orchestrator.domain.site.model import LaneGraph, LaneId, LevelId, Site, WaypointId
from orchestrator.domain.traffic._shapes import (
    MARGIN_M,
    Cover,
    Point,
    cabin,
    driving,
    headings_of,
    passage,
    standing,
    turning,
    without_end,
)
from orchestrator.domain.traffic._shapes import Segment as Way
from orchestrator.domain.traffic.errors import UnknownPlaceError
from orchestrator.domain.traffic.resources import Holdings, Segment, door_id, lift_id

MEETING_M = 0.01
"""Waypoints of two lane graphs that are nearer than this, in metres, are one place."""

KEPT = 16
"""How many relations the process remembers."""


@dataclass(frozen=True, slots=True)
class _Ground:
    """What one resource covers on one level."""

    resource: str
    level: LevelId
    cover: Cover


@dataclass(frozen=True, slots=True)
class _RobotGround(_Ground):
    """What robots of a model cover at a waypoint, which has one end, or along a lane, which has two."""

    model: RobotModel
    ends: tuple[Point, ...]
    headings_rad: tuple[float, ...] = ()

    @property
    def is_lane(self) -> bool:
        return len(self.ends) == 2


@dataclass(frozen=True, slots=True)
class Overlap:
    """Why two resources conflict: robots of the two models that use them could touch.

    Parameters
    ----------
    first, second : str
        The resources.
    models : (ModelId, ModelId)
        Who uses which; the same twice when robots of one model are in each other's way.
    level : LevelId
        Where.
    gap_m : float
        The least free width between the two in metres, negative when they overlap.
    at : (float, float)
        The middle of where they are nearest, metres in the site frame.
    """

    first: str
    second: str
    models: tuple[ModelId, ModelId]
    level: LevelId
    gap_m: float
    at: Point
    _covers: tuple[Cover, Cover]

    def outline(self) -> tuple[tuple[Point, ...], ...]:
        """Return the area that both need, half the margin included, as polygons in metres; for drawing."""
        first, second = (cover.area(beyond_m=MARGIN_M / 2.0) for cover in self._covers)
        return tuple(_rings(first.intersection(second)))


class ConflictRelation:
    """Which resources of which models conflict, on one site; made by `conflict_relation`.

    Sets of resources are also offered as bit sets (``mask``, ``conflicts``), which is what makes the monitor fast.
    """

    def __init__(self, site: Site, models: Iterable[RobotModel]) -> None:
        self._holdings = {model.id: Holdings(site, model) for model in sorted(models, key=lambda model: model.id)}
        held = frozenset[str]().union(*(holdings.ids for holdings in self._holdings.values()))
        self.ids: tuple[str, ...] = tuple(sorted(held))
        self._index = {resource: i for i, resource in enumerate(self.ids)}
        self._conflicts = [1 << i for i in range(len(self.ids))]
        by_level = _grounds(site, self._holdings.values(), held)
        self._floors = {level: _Floor(grounds) for level, grounds in by_level.items()}
        self._overlaps = [each for level in sorted(self._floors) for each in self._floors[level].overlaps()]
        for one, other, _, _ in self._overlaps:
            i, j = self._index[one.resource], self._index[other.resource]
            self._conflicts[i] |= 1 << j
            self._conflicts[j] |= 1 << i

    # Who holds what --------------------------------------------------------------------------------------------

    @property
    def models(self) -> tuple[ModelId, ...]:
        """The models, sorted."""
        return tuple(self._holdings)

    def holdings(self, model: ModelId) -> Holdings:
        """Return what robots of ``model`` hold at the places of their lane graph."""
        if model not in self._holdings:
            raise UnknownPlaceError(
                f"Nothing is known of robot model {model}; expected one of {', '.join(self._holdings)}.",
                detail={"model": model},
            )
        return self._holdings[model]

    def graph(self, model: ModelId) -> LaneGraph:
        """Return the lane graph that robots of ``model`` drive on."""
        return self.holdings(model).graph

    def of_waypoint(self, model: ModelId, waypoint: WaypointId) -> frozenset[str]:
        """Return what a robot of ``model`` holds to stand at ``waypoint``: the waypoint, and the lift of a cabin."""
        return self.holdings(model).of_waypoint(waypoint)

    def of_lane(self, model: ModelId, lane: LaneId) -> frozenset[str]:
        """Return what a robot of ``model`` holds to be on ``lane``: the segment, its door, its lift; not its ends."""
        return self.holdings(model).of_lane(lane)

    def of_route(self, model: ModelId, waypoint: WaypointId, lanes: Sequence[LaneId]) -> frozenset[str]:
        """Return all that a robot of ``model`` holds that is at ``waypoint`` and is to drive ``lanes``."""
        return self.holdings(model).of_route(waypoint, lanes)

    def users(self, resource: str) -> tuple[tuple[ModelId, WaypointId | LaneId], ...]:
        """Return the waypoints and lanes where a robot holds ``resource``, by model; several for a door or a lift."""
        self._known(resource)
        found: list[tuple[ModelId, WaypointId | LaneId]] = []
        for model, holdings in self._holdings.items():
            found += [(model, w) for w in sorted(holdings.graph.waypoints) if resource in holdings.of_waypoint(w)]
            found += [(model, lane) for lane in sorted(holdings.lanes) if resource in holdings.of_lane(lane)]
        return tuple(found)

    # What conflicts --------------------------------------------------------------------------------------------

    def conflicting(self, resource: str) -> frozenset[str]:
        """Return the resources that nobody else may hold while one robot holds ``resource``; it is one of them."""
        return self.names(self._conflicts[self._known(resource)])

    def pairs(self) -> Iterator[Overlap]:
        """Yield every pair of different resources that conflict, by level and id, with where they do."""
        for one, other, first, second in self._overlaps:
            here, there = nearest_points(first.core, second.core)
            yield Overlap(
                first=one.resource,
                second=other.resource,
                models=(one.model.id, other.model.id),
                level=one.level,
                gap_m=first.gap_m(second),
                at=((here.x + there.x) / 2.0, (here.y + there.y) / 2.0),
                _covers=(first, second),
            )

    def occupied_by(self, model: ModelId, pose: Pose) -> frozenset[str]:
        """Return all that a robot of ``model`` keeps from others, of any model, while it stands at ``pose``.

        Parameters
        ----------
        model : ModelId
            Whose footprint it has, and how far it may be from where it says it is.
        pose : Pose
            Anywhere, on a lane or off it, in metres and radians in the site frame.

        Returns
        -------
        frozenset of str
            Every waypoint and lane on which another robot could touch it, doors whose passage it stands in and the
            lift whose cabin it reaches into; empty on a level where there are none.
        """
        floor = self._floors.get(pose.level)
        return floor.touched_by(standing(self.holdings(model).model, pose)) if floor else frozenset()

    # As bit sets -----------------------------------------------------------------------------------------------

    def knows(self, resources: Iterable[str]) -> bool:
        """Whether all these are resources here; not so those held before the site or a model changed."""
        return all(resource in self._index for resource in resources)

    def mask(self, resources: Iterable[str]) -> int:
        """Return the bit set of ``resources``; ids that this relation does not know are refused.

        Raises
        ------
        UnknownPlaceError
            A resource is not of these lane graphs and models, for instance because the site has changed since it was
            held.
        """
        mask = 0
        for resource in resources:
            mask |= 1 << self._known(resource)
        return mask

    def names(self, mask: int) -> frozenset[str]:
        """Return the ids of a bit set."""
        return frozenset(self.ids[i] for i in _bits(mask))

    def conflicts(self, mask: int) -> int:
        """Return the bit set of all that conflicts with anything in ``mask``."""
        found = 0
        for i in _bits(mask):
            found |= self._conflicts[i]
        return found

    def _known(self, resource: str) -> int:
        if resource not in self._index:
            raise UnknownPlaceError(
                f"There is no resource {resource} on these lane graphs; after a change of the site, release what "
                "robots held on the old one.",
                detail={"resource": resource},
            )
        return self._index[resource]


class _Floor:
    """The grounds of one level, with an index over them."""

    def __init__(self, grounds: Sequence[_Ground]) -> None:
        self._grounds = grounds
        self._cores = [ground.cover.core for ground in grounds]
        self._reach_max_m = max((ground.cover.reach_m for ground in grounds), default=0.0)
        self._tree = STRtree(self._cores)

    def touched_by(self, cover: Cover) -> frozenset[str]:
        """Return the resources whose ground ``cover`` touches."""
        within_m = cover.reach_m + self._reach_max_m + MARGIN_M
        near = self._tree.query(cover.core, predicate="dwithin", distance=within_m)
        found = (self._grounds[int(i)] for i in near)
        return frozenset(ground.resource for ground in found if ground.cover.touches(cover))

    def overlaps(self) -> Iterator[tuple[_RobotGround, _RobotGround, Cover, Cover]]:
        """Yield each pair of grounds of robots that conflict, once, with the parts of them that do."""
        within_m = [ground.cover.reach_m + self._reach_max_m + MARGIN_M for ground in self._grounds]
        firsts, seconds = self._tree.query(self._cores, predicate="dwithin", distance=within_m)
        for i, j in sorted((int(i), int(j)) for i, j in zip(firsts, seconds, strict=True) if i < j):
            one, other = self._grounds[i], self._grounds[j]
            if not isinstance(one, _RobotGround) or not isinstance(other, _RobotGround):
                continue
            parts = _compared(one, other) if one.cover.touches(other.cover) else None
            if parts is not None:
                yield one, other, *parts


def _compared(one: _RobotGround, other: _RobotGround) -> tuple[Cover, Cover] | None:
    """Return the parts of two grounds that touch and that nothing else keeps apart, or None."""
    met = [(i, j) for i, a in enumerate(one.ends) for j, b in enumerate(other.ends) if _distance_m(a, b) < MEETING_M]
    is_same_place = len(met) == len(one.ends) == len(other.ends)
    if not met or is_same_place:
        return one.cover, other.cover
    if not (one.is_lane and other.is_lane):
        return None
    for i, j in met:
        first, second = _beyond(one, other, index=i), _beyond(other, one, index=j)
        if first is not None and second is not None and first.touches(second):
            return first, second
    return None


def _beyond(lane: _RobotGround, other: _RobotGround, *, index: int) -> Cover | None:
    """Return what is covered of a lane outside the neighbourhood of its end at ``index``, where it meets ``other``.

    The neighbourhood is where it would touch a robot of the other model that stands and turns at that end.
    """
    at = lane.ends[index]
    apart_m = turning(lane.model, at).reach_m + turning(other.model, at).reach_m + MARGIN_M
    way = without_end((lane.ends[0], lane.ends[1]), index=index, by_m=apart_m)
    return None if way is None else driving(lane.model, way, lane.headings_rad)


def _grounds(site: Site, holdings: Iterable[Holdings], held: frozenset[str]) -> dict[LevelId, list[_Ground]]:
    found: list[_Ground] = []
    for each in holdings:
        for waypoint in each.graph.waypoints.values():
            at = (waypoint.x_m, waypoint.y_m)
            found.append(
                _RobotGround(each.own(waypoint.id), waypoint.level, turning(each.model, at), each.model, (at,))
            )
        found += [ground for segment in each.segments if (ground := _lane_ground(segment, each)) is not None]
    for door in site.doors.values():
        if door_id(door.id) in held:
            found.append(_Ground(door_id(door.id), door.level, passage((door.start, door.end))))
    for lift in site.lifts.values():
        if lift_id(lift.id) in held:
            found += [_Ground(lift_id(lift.id), level, cabin(lift)) for level in lift.levels]
    by_level: dict[LevelId, list[_Ground]] = {}
    for ground in sorted(found, key=lambda ground: ground.resource):
        by_level.setdefault(ground.level, []).append(ground)
    return by_level


def _lane_ground(segment: Segment, holdings: Holdings) -> _RobotGround | None:
    """Return what a lane covers; None for one that lies in a lift, or leads nowhere."""
    waypoints = holdings.graph.waypoints
    start, end = waypoints[segment.start], waypoints[segment.end]
    if start.level != end.level or segment.start == segment.end:
        return None
    way: Way = ((start.x_m, start.y_m), (end.x_m, end.y_m))
    headings = tuple(sorted({headings_of(lane, holdings.graph) for lane in segment.lanes}))
    cover = driving(holdings.model, way, headings)
    return _RobotGround(segment.resource, start.level, cover, holdings.model, way, headings)


def _distance_m(a: Point, b: Point) -> float:
    return hypot(a[0] - b[0], a[1] - b[1])


def _rings(area: BaseGeometry) -> Iterator[tuple[Point, ...]]:
    for part in shapely.get_parts(area):
        if part.geom_type == "Polygon":
            yield tuple((float(x), float(y)) for x, y in part.exterior.coords)


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


# One object for all who ask: (site id, revision, models) -> the site it was computed for and the relation, newest last.
# The site is compared as well, because sites that were made by hand often share a revision.
_kept: dict[tuple[str, str, tuple[RobotModel, ...]], tuple[Site, ConflictRelation]] = {}


def conflict_relation(site: Site, models: Iterable[RobotModel]) -> ConflictRelation:
    """Return the conflict relation of a site for these robot models, computed once in this process.

    Parameters
    ----------
    site : Site
        Its lane graphs, doors and lifts.
    models : iterable of RobotModel
        Each once or several times; each drives on its own lane graph.

    Raises
    ------
    UnknownPlaceError
        A model drives on a lane graph that the site does not have.
    """
    wanted = tuple(sorted(set(models), key=lambda model: model.id))
    key = (site.id, site.revision, wanted)
    found = _kept.pop(key, None)
    if found is None or (found[0] is not site and found[0] != site):
        found = (site, ConflictRelation(site, wanted))
    _kept[key] = found
    while len(_kept) > KEPT:
        del _kept[next(iter(_kept))]
    return found[1]
