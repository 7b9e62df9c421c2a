"""What a traffic engineer says about the facts of a lane graph: conditions of its use, and what is worth knowing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.domain.site.findings import Finding, Severity
from orchestrator.domain.site.geometry import distance_to_segment
from orchestrator.domain.site.model import DoorId, LaneGraph, LiftId, Site, StationId, StationKind
from orchestrator.domain.site.survey.corridors import Corridor
from orchestrator.domain.site.survey.facts import HANDOVER_S, TIGHT_M, GraphFacts, Passage, shared_waypoints
from orchestrator.domain.site.survey.standing import standing_points

SHORT_M = 5.0
"""A single track shorter than this is driven through in the time that people take to make way."""

BUSY = 0.2
"""A share of the routes from which on a single track that is not the only way is worth knowing of."""

VERY_BUSY = 0.3
"""A share of the routes from which a place that stations hang on is a condition of the site's use."""

NAMED = 6
"""So many things are named in a sentence, the rest counted."""


def traffic_findings(site: Site, facts: GraphFacts) -> Iterator[Finding]:
    """Yield what the facts of one lane graph call for."""
    graph = site.graphs[facts.graph]
    yield from _width_findings(facts)
    yield from _shared_waypoint_findings(site, graph)
    yield from _doorway_findings(site, graph, facts)
    for corridor in facts.corridors:
        yield from _corridor_findings(facts, corridor)
    for passage in facts.passages:
        yield from _passage_findings(facts, passage)
    yield from _doors_to_one_station(facts)
    yield from _small_findings(facts)


def listed(things: Sequence[str]) -> str:
    """Return some things as a list in a sentence; many are counted."""
    rest = f" and {len(things) - NAMED} more" if len(things) > NAMED else ""
    return f"{', '.join(things[:NAMED])}{rest}"


def counted(number: int, thing: str) -> str:
    """Return a number with what it counts."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _width_findings(facts: GraphFacts) -> Iterator[Finding]:
    narrowest = facts.narrowest
    if facts.estimated_widths and narrowest is not None and narrowest.width_m is not None:
        yield Finding(
            code="widths_not_measured",
            severity=Severity.WARNING,
            sentence=f"The widths of {facts.estimated_widths} lanes of graph {facts.graph} are estimated from drawn "
            f"walls and measured by nobody; the narrowest, {narrowest.id}, is {narrowest.width_m:.2f} m for a robot of "
            f"{2.0 * facts.radius_m:.2f} m.",
            remedy="Measure them on site, furniture and parked beds included, and write the widths into the site file.",
            graph=facts.graph,
            lane=narrowest.id,
            figures={"lanes": facts.estimated_widths, "narrowest_m": narrowest.width_m},
        )
    if facts.unknown_widths:
        yield Finding(
            code="widths_unknown",
            severity=Severity.WARNING,
            sentence=f"Nobody has said how wide {facts.unknown_widths} lanes of graph {facts.graph} are.",
            remedy="Measure them on site and write the widths into the site file.",
            graph=facts.graph,
            figures={"lanes": facts.unknown_widths},
        )
    if facts.tight:
        yield Finding(
            code="tight_lanes",
            severity=Severity.WARNING,
            sentence=f"{len(facts.tight)} lanes of graph {facts.graph} leave the robot less than {TIGHT_M:g} m on "
            f"either side: {listed(facts.tight)}.",
            remedy="Limit the speed there, and have the robot model cleared on these lanes in simulation first.",
            graph=facts.graph,
            lane=facts.tight[0],
            lanes=facts.tight,
            figures={"lanes": len(facts.tight), "side_m": TIGHT_M},
        )


def _shared_waypoint_findings(site: Site, graph: LaneGraph) -> Iterator[Finding]:
    for waypoint, stations in shared_waypoints(site, graph).items():
        resting = [station for station in stations if site.stations[station].kind.is_resting_place]
        if len(resting) > 1:
            severity, remedy = Severity.ERROR, "Give each resting place a waypoint of its own: a robot owns its place."
        elif resting:
            severity, remedy = Severity.ERROR, "Move one of them: a parked robot would stand where others are served."
        else:
            severity, remedy = Severity.WARNING, "Move one of them, or expect robots to be served there in turn."
        yield Finding(
            code="stations_share_waypoint",
            severity=severity,
            sentence=f"Stations {listed(stations)} are all at waypoint {waypoint} of graph {graph.id}.",
            remedy=remedy,
            graph=graph.id,
            waypoint=waypoint,
            station=stations[0],
            stations=tuple(stations),
            level=graph.waypoints[waypoint].level,
        )


def _doorway_findings(site: Site, graph: LaneGraph, facts: GraphFacts) -> Iterator[Finding]:
    for station in site.stations.values():
        for graph_id, level, point in standing_points(site, station):
            for door in site.doors.values():
                is_here = graph_id == graph.id and door.level == level
                if is_here and distance_to_segment(point, door.start, door.end) < facts.radius_m:
                    yield Finding(
                        code="station_in_doorway",
                        severity=Severity.WARNING,
                        sentence=f"A robot at station {station.id} stands in door {door.id}, which cannot close then.",
                        remedy=f"Move the station at least {facts.radius_m:.2f} m away from the door.",
                        graph=graph.id,
                        station=station.id,
                        waypoint=station.waypoints[graph.id],
                        door=door.id,
                        level=level,
                    )


def _corridor_findings(facts: GraphFacts, corridor: Corridor) -> Iterator[Finding]:
    if corridor.length_m < SHORT_M:
        return
    is_condition = len(corridor.lost) > 1 and corridor.share >= VERY_BUSY
    if not is_condition and (corridor.share < BUSY or len(corridor.lost) == 1):
        return
    way, room = _way_and_room(corridor)
    width = "" if corridor.width_m is None else f", {corridor.width_m:.2f} m wide"
    lost = (
        f", and {counted(len(corridor.lost), 'station')} hang on it ({listed(corridor.lost)})" if corridor.lost else ""
    )
    yield Finding(
        code="single_track_corridor" if is_condition else "busy_single_track",
        severity=Severity.WARNING if is_condition else Severity.NOTE,
        sentence=f"The {way} on graph {facts.graph} is a single track of {corridor.length_m:.1f} "
        f"m{width}: two robots cannot pass on it, one can wait {room}. {corridor.share:.0%} of routes between stations "
        f"lead over it{lost}; driving through takes {corridor.cross_s:.0f} s.",
        remedy="Expect robots to wait for each other there, and name who takes over when it is blocked."
        if corridor.is_only_way
        else "Nothing need be done, since another way leads round it; more robots would wait less if it were changed.",
        graph=facts.graph,
        level=corridor.level,
        waypoint=corridor.waypoints[0],
        lane=corridor.lanes[0],
        lanes=corridor.lanes,
        stations=corridor.lost,
        figures={
            "length_m": corridor.length_m,
            "share": corridor.share,
            "cross_s": corridor.cross_s,
            "stations_lost": len(corridor.lost),
        }
        | ({} if corridor.width_m is None else {"width_m": corridor.width_m}),
    )


def _way_and_room(corridor: Corridor) -> tuple[str, str]:
    """Return what a single track is called, and where on it a robot can wait for another."""
    first, last = corridor.waypoints[0], corridor.waypoints[-1]
    if corridor.is_ring:
        return f"ring from {first} round and back to it", f"at {first}" if corridor.passing_at else "nowhere on it"
    room = {0: "at neither end", 1: f"at {' '.join(corridor.passing_at)} only"}
    return f"corridor from {first} to {last}", room.get(len(corridor.passing_at), "at both ends")


def _passage_findings(facts: GraphFacts, passage: Passage) -> Iterator[Finding]:
    word = "Lift" if passage.is_lift else "Door"
    if passage.is_lift and not passage.is_motorised:
        yield Finding(
            code="lift_not_connected",
            severity=Severity.WARNING,
            sentence=f"Lanes of graph {facts.graph} lead through lift {passage.id}, which the map says nothing drives.",
            remedy="Connect the lift's controller before robots use it, or close its lanes.",
            graph=facts.graph,
            lift=LiftId(passage.id),
            lanes=passage.lanes,
        )
    if not passage.lost or _is_door_to_one_station(passage):
        return
    is_condition = passage.is_lift or passage.share >= VERY_BUSY
    yield Finding(
        code="single_point_of_failure",
        severity=Severity.WARNING if is_condition else Severity.NOTE,
        sentence=f"{word} {passage.id} is the only way to {counted(len(passage.lost), 'station')} on graph "
        f"{facts.graph} ({listed(passage.lost)}); {passage.share:.0%} of routes between stations lead through it.",
        remedy="Name who carries medicines there when it is out of order."
        if is_condition
        else "Nothing need be done but to know it.",
        graph=facts.graph,
        level=passage.level,
        door=None if passage.is_lift else DoorId(passage.id),
        lift=LiftId(passage.id) if passage.is_lift else None,
        lanes=passage.lanes,
        stations=passage.lost,
        figures={"stations_lost": len(passage.lost), "share": passage.share},
    )


def _is_door_to_one_station(passage: Passage) -> bool:
    return len(passage.lost) == 1 and not passage.is_lift


def _doors_to_one_station(facts: GraphFacts) -> Iterator[Finding]:
    doors = [passage for passage in facts.passages if _is_door_to_one_station(passage)]
    if doors:
        yield Finding(
            code="doors_to_one_station",
            severity=Severity.NOTE,
            sentence=f"{counted(len(doors), 'door')} of graph {facts.graph} {'is' if len(doors) == 1 else 'are each'} "
            f"the only way to one station: {listed([f'{door.id} to {door.lost[0]}' for door in doors])}.",
            remedy="Nothing need be done but to know it: a door out of order there stops deliveries to that station.",
            graph=facts.graph,
            stations=tuple(door.lost[0] for door in doors),
            figures={"doors": len(doors)},
        )


def _small_findings(facts: GraphFacts) -> Iterator[Finding]:
    if facts.without_limit:
        is_all = facts.without_limit == facts.tracks
        yield Finding(
            code="lanes_without_speed_limit",
            severity=Severity.WARNING if is_all else Severity.NOTE,
            sentence=f"{'All ' if is_all else ''}{facts.without_limit} lanes of graph {facts.graph} have no speed "
            f"limit: robots drive there as fast as they can, {facts.speed_max_m_s:g} m/s.",
            remedy="Set limits where people step out of doors and at blind corners.",
            graph=facts.graph,
            figures={"lanes": facts.without_limit, "speed_max_m_s": facts.speed_max_m_s},
        )
    if facts.dead_ends:
        yield Finding(
            code="dead_end_without_station",
            severity=Severity.NOTE,
            sentence=f"{len(facts.dead_ends)} lanes of graph {facts.graph} end where there is no station: "
            f"{listed(facts.dead_ends)}.",
            remedy="Keep them as places to wait in, make them resting places, or remove them.",
            graph=facts.graph,
            figures={"waypoints": len(facts.dead_ends)},
        )
    if facts.no_stopping:
        yield Finding(
            code="no_stopping_places",
            severity=Severity.NOTE,
            sentence=f"At {len(facts.no_stopping)} waypoints of graph {facts.graph} no robot may stop, lift cabins "
            "included; each is granted only together with the place beyond.",
            remedy="Nothing need be done but to know it.",
            graph=facts.graph,
            figures={"waypoints": len(facts.no_stopping)},
        )


def charger_findings(site: Site, facts: GraphFacts, resting: Sequence[StationId]) -> Iterator[Finding]:
    """Yield that robots would live where they cannot charge, if there are more resting places than chargers."""
    parked = [station for station in resting if site.stations[station].kind is not StationKind.CHARGER]
    if parked:
        chargers = len(resting) - len(parked)
        yield Finding(
            code="fewer_chargers_than_robots",
            severity=Severity.WARNING,
            sentence=f"Of the {counted(len(resting), 'resting place')} of graph {facts.graph} {chargers} "
            f"{'is a charger' if chargers == 1 else 'are chargers'}: robots that live at {listed(parked)} do not "
            "charge at home.",
            remedy="Bring no more robots than there are chargers, install more, or name who charges the others, when.",
            graph=facts.graph,
            stations=tuple(parked),
            figures={"resting_places": len(resting), "chargers": chargers},
        )


def robots_finding(facts: GraphFacts, resting: Sequence[StationId], *, is_largest: bool) -> Finding:
    """Return how many robots a lane graph takes: where they rest, and from how many on they mostly wait."""
    count = len(resting)
    busy = facts.robots_busy_max
    words = (
        f" From about {busy} robots on, more of them mostly wait for the bottleneck, {facts.bottleneck}, if traffic "
        f"there alternates and people take {HANDOVER_S:g} s to load and again to receive."
        if busy is not None
        else ""
    )
    return Finding(
        code="robots",
        severity=Severity.NOTE if count else Severity.ERROR,
        sentence=f"Graph {facts.graph} takes {'' if is_largest else 'at least '}{counted(count, 'robot')} of "
        f"{listed(facts.models)}, one for each resting place ({listed(resting) or 'none'}), with everybody able to "
        f"drive while all others are parked.{words}",
        remedy="Give each robot one of these as its own." if count else "Make resting places; see the other findings.",
        graph=facts.graph,
        stations=tuple(resting),
        figures={"robots": count} | ({} if busy is None else {"robots_busy_max": busy}),
    )
