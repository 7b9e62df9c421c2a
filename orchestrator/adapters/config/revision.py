"""The revision of a site: a fingerprint of everything in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from orchestrator.domain.site.model import Site


def with_revision(site: Site) -> Site:
    """Return the site with its revision: the SHA-256 of its content in a fixed form, in hexadecimal.

    Order counts, because indices in an exported lane graph follow it. Where the site came from does not.
    """
    ordered = {
        "id": site.id,
        "name": site.name,
        "levels": [_plain(level) for level in site.levels.values()],
        "graphs": [
            {
                "id": graph.id,
                "name": graph.name,
                "waypoints": [_plain(waypoint) for waypoint in graph.waypoints.values()],
                "lanes": [_plain(lane) for lane in graph.lanes.values()],
            }
            for graph in site.graphs.values()
        ],
        "doors": [_plain(door) for door in site.doors.values()],
        "lifts": [_plain(lift) for lift in site.lifts.values()],
        "stations": [_plain(station) for station in site.stations.values()],
        "walls": [_plain(wall) for wall in site.walls],
        "zones": [_plain(zone) for zone in site.zones.values()],
        "panels": [_plain(panel) for panel in site.panels.values()],
        "fire_scope": site.fire_scope,
    }
    text = json.dumps(ordered, ensure_ascii=True, separators=(",", ":"))
    return replace(site, revision=hashlib.sha256(text.encode()).hexdigest())


def _plain(thing: object) -> dict[str, object]:
    """Return the fields of a dataclass of slots, mappings as plain dictionaries and sets as sorted lists."""
    fields = {name: getattr(thing, name) for name in type(thing).__slots__}  # type: ignore[attr-defined]
    return {name: _plain_value(value) for name, value in fields.items()}


def _plain_value(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, object]", value))
    return sorted(cast("frozenset[str]", value)) if isinstance(value, frozenset) else value
