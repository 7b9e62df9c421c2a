"""How far standing alarms reach on one lane graph: where robots are held, what has to be cleared, what is closed.

Fire: in the *area* (the alarmed building, or the alarmed compartments where the site says that its alarms are zonal)
robots stay where they stand clear. Escape routes of the building are cleared, its lifts carry no robot, doors of
alarmed compartments are asked for by nobody, and nobody drives into one. Crash call: the crash area and its approach
are cleared and not entered; everywhere else work goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from orchestrator.domain.emergency.alarm import Alarm, AlarmKind
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import (
    DoorId,
    FireScope,
    Lane,
    LaneGraph,
    LaneId,
    LiftId,
    Site,
    WaypointId,
    Zone,
    ZoneKind,
)

Places = frozenset[WaypointId]


def _none_held() -> Mapping[WaypointId, Reason]:
    return MappingProxyType({})


def _none_closed() -> Mapping[LaneId, Reason]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Region:
    """What nobody may enter: its waypoints, and the lanes that run through it."""

    places: Places
    lanes: frozenset[LaneId]

    def is_entered_by(self, lane: Lane) -> bool:
        """Whether a robot that takes the lane comes into the region from outside, or runs through it."""
        return lane.start not in self.places and (lane.end in self.places or lane.id in self.lanes)

    def is_touched_by(self, lane: Lane) -> bool:
        """Whether a robot on the lane is in the region at some point."""
        return lane.id in self.lanes or lane.start in self.places or lane.end in self.places


@dataclass(frozen=True, slots=True)
class Reach:
    """What standing alarms mean for robots on one lane graph.

    Parameters
    ----------
    held : mapping
        Waypoints where a robot stays until people let it go on, each with the reason.
    cleared : mapping
        Waypoints where no robot may stay, each with the reason.
    regions : tuple of Region
        What nobody may drive into.
    lifts, doors : frozenset
        Lifts that carry no robot; doors that nobody asks to open.
    lanes : mapping
        Lanes on which nothing new is granted to a robot at work, each with the reason.
    """

    held: Mapping[WaypointId, Reason] = field(default_factory=_none_held)
    cleared: Mapping[WaypointId, Reason] = field(default_factory=_none_held)
    regions: tuple[Region, ...] = ()
    lifts: frozenset[LiftId] = frozenset()
    doors: frozenset[DoorId] = frozenset()
    lanes: Mapping[LaneId, Reason] = field(default_factory=_none_closed)

    def reason_at(self, waypoint: WaypointId) -> Reason | None:
        """Return why a robot may not be at work at a waypoint, or may not go there; None when it may."""
        return self.cleared.get(waypoint) or self.held.get(waypoint)


@dataclass(slots=True)
class _Draft:
    """A reach in the making; of several reasons for one thing that of the older alarm stays."""

    held: dict[WaypointId, Reason] = field(default_factory=dict[WaypointId, Reason])
    cleared: dict[WaypointId, Reason] = field(default_factory=dict[WaypointId, Reason])
    regions: list[Region] = field(default_factory=list[Region])
    lifts: dict[LiftId, Reason] = field(default_factory=dict[LiftId, Reason])
    doors: dict[DoorId, Reason] = field(default_factory=dict[DoorId, Reason])
    lanes: dict[LaneId, Reason] = field(default_factory=dict[LaneId, Reason])

    def hold(self, area: Region, graph: LaneGraph, reason: Reason) -> None:
        """Let robots in the area stay where they are, and grant nothing in it."""
        for waypoint in area.places:
            self.held.setdefault(waypoint, reason)
        for lane in graph.lanes.values():
            if area.is_touched_by(lane):
                self.lanes.setdefault(lane.id, reason)

    def shut_doors(self, area: Region, graph: LaneGraph, reason: Reason) -> None:
        """Ask no door of the area to open: they keep the fire where it is."""
        for lane in graph.lanes.values():
            if lane.door is not None and area.is_touched_by(lane):
                self.doors.setdefault(lane.door, reason)

    def close_lift(self, lift: LiftId, graph: LaneGraph, reason: Reason) -> None:
        """Let nobody ride; a cabin is no place to stay in either."""
        self.lifts.setdefault(lift, reason)
        for waypoint in graph.waypoints.values():
            if waypoint.lift == lift:
                self.cleared.setdefault(waypoint.id, reason)

    def clear(self, region: Region, graph: LaneGraph, reason: Reason) -> None:
        """Let nobody stay in the region, enter it, or be at work in it."""
        self.regions.append(region)
        for waypoint in region.places:
            self.cleared.setdefault(waypoint, reason)
        for lane in graph.lanes.values():
            is_way_out = lane.start in region.places and lane.end not in region.places
            if lane.id in region.lanes and not is_way_out:
                self.lanes.setdefault(lane.id, reason)


def reach_of(site: Site, graph: LaneGraph, alarms: Iterable[Alarm]) -> Reach:
    """Return how far the standing ones among ``alarms`` reach on a lane graph of the site."""
    draft = _Draft()
    for alarm in sorted((a for a in alarms if a.is_standing), key=lambda a: (a.raised_at, a.id)):
        if alarm.kind is AlarmKind.FIRE:
            _add_fire(draft, site, graph, alarm)
        else:
            _add_crash_call(draft, site, graph, alarm)
    for lane in graph.lanes.values():
        reason = _closed_device(draft, lane, graph)
        if reason is not None:
            draft.lanes.setdefault(lane.id, reason)
    return Reach(
        held=draft.held,
        cleared=draft.cleared,
        regions=tuple(draft.regions),
        lifts=frozenset(draft.lifts),
        doors=frozenset(draft.doors),
        lanes=draft.lanes,
    )


def joined(reaches: Iterable[Reach]) -> Reach:
    """Return the reach of several lane graphs as one; their waypoints and lanes have different ids."""
    each = list(reaches)
    return Reach(
        held={place: reason for reach in each for place, reason in reach.held.items()},
        cleared={place: reason for reach in each for place, reason in reach.cleared.items()},
        regions=tuple(region for reach in each for region in reach.regions),
        lifts=frozenset[LiftId]().union(*(reach.lifts for reach in each)),
        doors=frozenset[DoorId]().union(*(reach.doors for reach in each)),
        lanes={lane: reason for reach in each for lane, reason in reach.lanes.items()},
    )


def buildings_of(site: Site, alarm: Alarm) -> frozenset[str]:
    """Return the buildings that an alarm is in; all of them when it says nothing of where."""
    named = {site.levels[zone.level].building for id in alarm.zones if (zone := site.zones.get(id)) is not None}
    return frozenset(named) or frozenset(level.building for level in site.levels.values())


def _add_fire(draft: _Draft, site: Site, graph: LaneGraph, alarm: Alarm) -> None:
    reason = alarm.reason_for(site)
    buildings = buildings_of(site, alarm)
    levels = {level.id for level in site.levels.values() if level.building in buildings}
    compartments = [site.zones[zone] for zone in alarm.zones if zone in site.zones]
    burning = _region_of(compartments, graph)
    if compartments:
        draft.regions.append(burning)
    building = Region(frozenset(w.id for w in graph.waypoints.values() if w.level in levels), frozenset())
    draft.hold(burning if compartments and site.fire_scope is FireScope.COMPARTMENT else building, graph, reason)
    draft.shut_doors(burning if compartments else building, graph, reason)
    for lift in site.lifts.values():
        if levels.intersection(lift.levels):
            draft.close_lift(lift.id, graph, reason)
    for zone in site.zones.values():
        if zone.kind is ZoneKind.ESCAPE_ROUTE and zone.level in levels:
            draft.clear(_region_of([zone], graph), graph, reason)


def _add_crash_call(draft: _Draft, site: Site, graph: LaneGraph, alarm: Alarm) -> None:
    reason = alarm.reason_for(site)
    zones = [site.zones[zone] for zone in alarm.zones if zone in site.zones]
    region = _region_of(zones, graph)
    approach = frozenset[WaypointId]().union(*(zone.approach for zone in zones)) & graph.waypoints.keys()
    places = region.places | approach
    touched = (lane.id for lane in graph.lanes.values() if lane.start in approach or lane.end in approach)
    draft.clear(Region(places, region.lanes.union(touched)), graph, reason)


def _region_of(zones: Iterable[Zone], graph: LaneGraph) -> Region:
    zones = list(zones)
    places = frozenset[WaypointId]().union(*(zone.waypoints_of(graph) for zone in zones))
    touched = (lane.id for lane in graph.lanes.values() if any(zone.is_touched_by(lane, graph) for zone in zones))
    return Region(places, frozenset(touched))


def _closed_device(draft: _Draft, lane: Lane, graph: LaneGraph) -> Reason | None:
    for end in (lane.start, lane.end):
        lift = graph.waypoints[end].lift
        if lift is not None and lift in draft.lifts:
            return draft.lifts[lift]
    return draft.doors.get(lane.door) if lane.door is not None else None
