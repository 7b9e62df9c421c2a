"""Colours, lines and signs of a floor plan; a page overrides the classes under ``.plan`` to draw it otherwise."""

from __future__ import annotations

from orchestrator.domain.site.model import StationKind

_LINES = {
    "wall": ("#37474f", 0.2),
    "lane": ("#8fb0c9", 0.1),
    "lane.one-way": ("#4f88b3", 0.1),
    "arrow": ("#4f88b3", 0.16),
    "waypoint.no-stop": ("#8fb0c9", 0.08),
    "door-gap": ("#ffffff", 0.3),
    "door": ("#2e9e6b", 0.26),
    "door.by-hand": ("#b0bec5", 0.16),
    "lift": ("#7e57a8", 0.12),
    "scale": ("#1f2d36", 0.12),
}
"""Stroke colour and width, in metres on a plan of 60 m, by class."""

_FILLS = """
.plan { font-family: "DejaVu Sans", Verdana, sans-serif; }
.plan line, .plan .arrow, .plan .scale { fill: none; stroke-linecap: round; stroke-linejoin: round; }
.plan .ground { fill: #ffffff; }
.plan .road { stroke: #e3edf5; }
.plan .waypoint { fill: #8fb0c9; }
.plan .waypoint.no-stop { fill: #ffffff; }
.plan .lift { fill: #ece4f4; }
.plan .lift-sign { fill: #7e57a8; }
.plan .door, .plan .door-gap { stroke-linecap: butt; }
.plan .sign { stroke: none; fill: #ffffff; font-weight: 700; text-anchor: middle; dominant-baseline: central; }
.plan .label { fill: #1f2d36; paint-order: stroke; stroke: #ffffff; stroke-linejoin: round; }
.plan .caption { fill: #1f2d36; font-weight: 600; }
"""


def style_sheet(unit: float) -> str:
    """Return the style of a plan whose lines are ``unit`` times as thick as those of a plan of 60 m."""
    lines = "\n".join(
        f".plan .{name} {{ stroke: {colour}; stroke-width: {width * unit:.3f}; }}"
        for name, (colour, width) in _LINES.items()
    )
    return f"{lines}{_FILLS}"


STATION_COLOUR = {
    StationKind.PHARMACY_HATCH: "#1565c0",
    StationKind.WARD_HANDOVER: "#00796b",
    StationKind.BEDSIDE: "#8e4585",
    StationKind.CHARGER: "#e08a00",
    StationKind.PARKING: "#546e7a",
    StationKind.OTHER: "#b0bec5",
}

STATION_SIGN = {
    StationKind.PHARMACY_HATCH: "Rx",
    StationKind.WARD_HANDOVER: "W",
    StationKind.BEDSIDE: "B",
    StationKind.CHARGER: "⚡",
    StationKind.PARKING: "P",
    StationKind.OTHER: "",
}

STATION_WORDS = {
    StationKind.PHARMACY_HATCH: "pharmacy hatch",
    StationKind.WARD_HANDOVER: "ward handover",
    StationKind.BEDSIDE: "bedside",
    StationKind.CHARGER: "charger (resting place)",
    StationKind.PARKING: "parking (resting place)",
    StationKind.OTHER: "other station",
}
