"""Zones and panels of a site file, to the domain's types and back to the plain values of a file."""

from __future__ import annotations

from orchestrator.adapters.config.site_form import SiteFile
from orchestrator.domain.site.model import LevelId, Panel, PanelId, Site, WaypointId, Zone, ZoneId

Entry = dict[str, object]


def zones_of(entry: SiteFile) -> dict[ZoneId, Zone]:
    """Return the zones that a site file describes, in its order."""
    return {
        ZoneId(id): Zone(
            id=ZoneId(id),
            kind=zone.kind,
            level=LevelId(zone.level),
            outline=tuple((corner[0], corner[1]) for corner in zone.outline),
            waypoints=frozenset(WaypointId(waypoint) for waypoint in zone.waypoints),
            approach=frozenset(WaypointId(waypoint) for waypoint in zone.approach),
            name=zone.name,
        )
        for id, zone in entry.zones.items()
    }


def panels_of(entry: SiteFile) -> dict[PanelId, Panel]:
    """Return the panels that a site file describes, in its order."""
    return {
        PanelId(id): Panel(
            id=PanelId(id),
            kind=panel.kind,
            zones=tuple(ZoneId(zone) for zone in panel.zones),
            silent_after_s=panel.silent_after_s,
            name=panel.name,
        )
        for id, panel in entry.panels.items()
    }


def zone_entries(site: Site) -> Entry:
    """Return the zones of a site as a site file has them."""
    return {id: _zone_entry(zone) for id, zone in site.zones.items()}


def panel_entries(site: Site) -> Entry:
    """Return the panels of a site as a site file has them."""
    return {id: _panel_entry(panel) for id, panel in site.panels.items()}


def _zone_entry(zone: Zone) -> Entry:
    entry: Entry = {"kind": zone.kind.value, "level": zone.level}
    if zone.outline:
        entry["outline"] = [list(corner) for corner in zone.outline]
    if zone.waypoints:
        entry["waypoints"] = sorted(zone.waypoints)
    if zone.approach:
        entry["approach"] = sorted(zone.approach)
    return entry | {"name": zone.name} if zone.name else entry


def _panel_entry(panel: Panel) -> Entry:
    entry: Entry = {"kind": panel.kind.value, "zones": list(panel.zones), "silent_after_s": panel.silent_after_s}
    return entry | {"name": panel.name} if panel.name else entry
