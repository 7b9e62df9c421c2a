"""The linter's look at zones and panels: names that name nothing, empty zones, stations on escape routes."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.domain.site.findings import Finding, Severity
from orchestrator.domain.site.model import Panel, PanelKind, Site, WaypointId, Zone, ZoneId, ZoneKind

ZONES_OF_PANEL = {PanelKind.FIRE: ZoneKind.FIRE_COMPARTMENT, PanelKind.CRASH_CALL: ZoneKind.CRASH_AREA}

CORNERS_MIN = 3


def zone_findings(site: Site) -> Iterator[Finding]:
    """Yield what is wrong with the zones and panels of a site, in file order."""
    known = {waypoint for graph in site.graphs.values() for waypoint in graph.waypoints}
    for zone in site.zones.values():
        yield from _zone_references(site, zone, known)
        if zone.kind is ZoneKind.ESCAPE_ROUTE:
            yield from _stations_in_the_way(site, zone)
    for panel in site.panels.values():
        yield from _panel_references(site, panel)


def _zone_references(site: Site, zone: Zone, known: set[WaypointId]) -> Iterator[Finding]:
    if zone.level not in site.levels:
        yield _unknown_of_zone("level", zone.level, zone.id)
    for waypoint in sorted((zone.waypoints | zone.approach) - known):
        yield _unknown_of_zone("waypoint", waypoint, zone.id)
    if 0 < len(zone.outline) < CORNERS_MIN or not (zone.outline or zone.waypoints):
        yield Finding(
            code="zone_without_area",
            severity=Severity.ERROR,
            sentence=f"Zone {zone.id} has {len(zone.outline)} corners and {len(zone.waypoints)} waypoints of its own.",
            remedy=f"Draw an outline of at least {CORNERS_MIN} corners, or name its waypoints.",
            zone=zone.id,
            level=zone.level,
        )
    elif not any(zone.waypoints_of(graph) for graph in site.graphs.values()):
        yield Finding(
            code="zone_without_waypoint",
            severity=Severity.WARNING,
            sentence=f"No waypoint of any lane graph lies in zone {zone.id}, so an alarm there moves no robot.",
            remedy="Correct the outline or its level, or remove the zone.",
            zone=zone.id,
            level=zone.level,
        )
    if zone.approach and zone.kind is not ZoneKind.CRASH_AREA:
        yield Finding(
            code="approach_of_no_crash_area",
            severity=Severity.ERROR,
            sentence=f"Zone {zone.id} is of kind {zone.kind.value} and names an approach, which only a crash area has.",
            remedy="Remove the approach, or draw a zone of kind escape_route there.",
            zone=zone.id,
            level=zone.level,
        )


def _stations_in_the_way(site: Site, zone: Zone) -> Iterator[Finding]:
    for station in site.stations.values():
        for graph_id, waypoint_id in station.waypoints.items():
            graph = site.graphs.get(graph_id)
            waypoint = graph.waypoints.get(waypoint_id) if graph else None
            if waypoint is not None and zone.has(waypoint):
                yield Finding(
                    code="station_on_escape_route",
                    severity=Severity.ERROR,
                    sentence=f"Station {station.id} is at waypoint {waypoint_id} on escape route {zone.called}, where "
                    "nobody may stop.",
                    remedy="Move the station off the escape route, or correct the outline of the route.",
                    graph=graph_id,
                    station=station.id,
                    waypoint=waypoint_id,
                    zone=zone.id,
                    level=zone.level,
                )


def _panel_references(site: Site, panel: Panel) -> Iterator[Finding]:
    expected = ZONES_OF_PANEL[panel.kind]
    for id in panel.zones:
        zone = site.zones.get(id)
        if zone is not None and zone.kind is expected:
            continue
        known = ", ".join(z.id for z in site.zones.values() if z.kind is expected)
        is_what = "is not there" if zone is None else f"is of kind {zone.kind.value}"
        yield Finding(
            code="unknown_zone" if zone is None else "zone_of_other_kind",
            severity=Severity.ERROR,
            sentence=f"Panel {panel.id} of kind {panel.kind.value} names zone {id!r}, which {is_what}.",
            remedy=f"Name a zone of kind {expected.value}: {known or 'there is none yet'}.",
            panel=panel.id,
        )


def _unknown_of_zone(kind: str, name: str, zone: ZoneId) -> Finding:
    return Finding(
        code=f"unknown_{kind}",
        severity=Severity.ERROR,
        sentence=f"Zone {zone} names {kind} {name!r}, which is not there.",
        remedy=f"Add the {kind}, or correct the name.",
        zone=zone,
    )
