"""One level of a site as SVG: ``viewBox`` in metres, y upwards written as -y, every thing with an id of its own.

Ids are ``level-L``, ``lane-ID``, ``waypoint-ID``, ``door-ID``, ``lift-ID--LEVEL`` and ``station-ID``, with the ids of
the site. Whoever adds robots places them at (x, -y) in the last group, ``level-L-live``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape

from orchestrator.adapters.drawing.labels import CHARACTER_WIDTH, Box, Label, place_labels
from orchestrator.adapters.drawing.palette import STATION_COLOUR, STATION_SIGN, STATION_WORDS, style_sheet
from orchestrator.domain.site.geometry import Point
from orchestrator.domain.site.graph import one_of_each_pair
from orchestrator.domain.site.model import Door, Lane, LevelId, Lift, Site, Station, StationKind, Waypoint

MARGIN = 1.5
CAPTION = 2.6
SYMBOL = 0.62
LABEL = 0.88
"""Margin, height of the caption, half a symbol and size of labels, in units of the plan; see `unit_of`."""

ROAD_MAX_M = 1.6
"""Lanes are shaded in their width, up to this."""


def draw_level(site: Site, level: LevelId) -> str:
    """Return one level as an ``<svg>`` element whose coordinates are metres in the site frame, y negated.

    Parameters
    ----------
    site : Site
        The site.
    level : LevelId
        One of its levels. All levels of a site have the same ``viewBox``, so that they lie on each other.
    """
    page = page_of(site)
    unit = unit_of(site)
    width, height = page.right - page.left, page.bottom - page.top
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="plan level" id="level-{escape(level)}" '
        f'data-level="{escape(level)}" viewBox="{_n(page.left)} {_n(page.top)} {_n(width)} {_n(height)}" '
        f'role="img" aria-label="{escape(_caption(site, level))}">',
        f"<style>{style_sheet(unit)}</style>",
        f'<rect class="ground" x="{_n(page.left)}" y="{_n(page.top)}" width="{_n(width)}" height="{_n(height)}"/>',
        *_group("roads", _roads(site, level)),
        *_group("walls", _walls(site, level)),
        *_group("lifts", _lifts(site, level)),
        *_group("lanes", _lanes(site, level, unit)),
        *_group("doors", _doors(site, level)),
        *_group("waypoints", _waypoints(site, level, unit)),
        *_group("stations", _stations(site, level, unit)),
        *_group("labels", _labels(site, level, page, unit)),
        *_frame(site, level, page, unit),
        f'<g id="level-{escape(level)}-live"></g>',
        "</svg>",
    ]
    return "\n".join(parts)


def page_of(site: Site) -> Box:
    """Return the box around everything on all levels, with margin and caption, in drawing coordinates."""
    unit, inner = unit_of(site), _extent(site)
    margin = MARGIN * unit
    return Box(inner.left - margin, inner.top - margin - CAPTION * unit, inner.right + margin, inner.bottom + margin)


def unit_of(site: Site) -> float:
    """Return how many metres one unit of symbols, letters and lines is: 1 for a plan of 60 m, less for less."""
    extent = _extent(site)
    return max(0.35, min(2.5, max(extent.right - extent.left, extent.bottom - extent.top) / 60.0))


def _extent(site: Site) -> Box:
    points = [point for wall in site.walls for point in (wall.start, wall.end)]
    points += [point for door in site.doors.values() for point in (door.start, door.end)]
    for lift in site.lifts.values():
        reach_m = max(lift.width_m, lift.depth_m) / 2
        points += [(lift.x_m - reach_m, lift.y_m - reach_m), (lift.x_m + reach_m, lift.y_m + reach_m)]
    for graph in site.graphs.values():
        points += [(waypoint.x_m, waypoint.y_m) for waypoint in graph.waypoints.values()]
    xs, ys = [x for x, _ in points] or [0.0], [-y for _, y in points] or [0.0]
    return Box(min(xs), min(ys), max(xs), max(ys))


def _n(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") if value else "0"


def _caption(site: Site, level: LevelId) -> str:
    return site.levels[level].name or level


def _group(name: str, parts: Iterator[str]) -> list[str]:
    return [f'<g class="{name}">', *parts, "</g>"]


def _line(kind: str, start: Point, end: Point, more: str = "") -> str:
    ends = f'x1="{_n(start[0])}" y1="{_n(-start[1])}" x2="{_n(end[0])}" y2="{_n(-end[1])}"'
    return f'<line class="{kind}" {ends}{more}/>'


def _lanes_on(site: Site, level: LevelId) -> Iterator[tuple[Lane, Waypoint, Waypoint]]:
    """Yield the lanes of a level with their ends, of a two-way pair only the first."""
    for graph in site.graphs.values():
        for lane in one_of_each_pair(graph):
            start, end = graph.waypoints.get(lane.start), graph.waypoints.get(lane.end)
            if start and end and start.level == end.level == level:
                yield lane, start, end


def _roads(site: Site, level: LevelId) -> Iterator[str]:
    for lane, start, end in _lanes_on(site, level):
        width_m = min(lane.width_m if lane.width_m is not None else ROAD_MAX_M, ROAD_MAX_M)
        style = f' style="stroke-width:{_n(max(0.1, width_m * 0.9))}"'
        yield _line("road", (start.x_m, start.y_m), (end.x_m, end.y_m), style)


def _walls(site: Site, level: LevelId) -> Iterator[str]:
    return (_line("wall", wall.start, wall.end) for wall in site.walls if wall.level == level)


def _lanes(site: Site, level: LevelId, unit: float) -> Iterator[str]:
    for lane, start, end in _lanes_on(site, level):
        is_one_way = lane.reverse is None
        ends = (start.x_m, start.y_m), (end.x_m, end.y_m)
        width = "unknown width" if lane.width_m is None else f"{lane.width_m:g} m wide"
        direction = "one-way" if is_one_way else "two-way"
        back = "" if lane.reverse is None else f' data-back="{escape(lane.reverse)}"'
        yield f'<g id="lane-{escape(lane.id)}"{back}><title>{escape(lane.id)}: {direction}, {width}</title>'
        yield _line("lane one-way" if is_one_way else "lane", *ends)
        if is_one_way:
            yield _arrow(*ends, unit)
        yield "</g>"


def _arrow(start: Point, end: Point, unit: float) -> str:
    """Return a chevron in the middle of a one-way lane."""
    x, y = (start[0] + end[0]) / 2, -(start[1] + end[1]) / 2
    turn = math.degrees(math.atan2(-(end[1] - start[1]), end[0] - start[0]))
    chevron = f"M{_n(-0.3 * unit)} {_n(-0.42 * unit)} L{_n(0.25 * unit)} 0 L{_n(-0.3 * unit)} {_n(0.42 * unit)}"
    return f'<path class="arrow" d="{chevron}" transform="translate({_n(x)} {_n(y)}) rotate({_n(turn)})"/>'


def _doors(site: Site, level: LevelId) -> Iterator[str]:
    for door in site.doors.values():
        if door.level == level:
            yield _line("door-gap", door.start, door.end)
            yield _door(door)


def _door(door: Door) -> str:
    kind = "door" if door.is_motorised else "door by-hand"
    ends = f'x1="{_n(door.start[0])}" y1="{_n(-door.start[1])}" x2="{_n(door.end[0])}" y2="{_n(-door.end[1])}"'
    title = f"{door.name or door.id}: {door.kind}{'' if door.is_motorised else ', no motor'}"
    return f'<line class="{kind}" id="door-{escape(door.id)}" {ends}><title>{escape(title)}</title></line>'


def _lifts(site: Site, level: LevelId) -> Iterator[str]:
    for lift in site.lifts.values():
        if level in lift.levels:
            yield _lift(lift, level)


def _lift(lift: Lift, level: LevelId) -> str:
    x, y, turn = _n(lift.x_m), _n(-lift.y_m), _n(-math.degrees(lift.yaw_rad))
    half_w, half_d = lift.width_m / 2, lift.depth_m / 2
    return (
        f'<g id="lift-{escape(lift.id)}--{escape(level)}"><title>{escape(lift.name or lift.id)}: lift</title>'
        f'<rect class="lift" x="{_n(-half_w)}" y="{_n(-half_d)}" width="{_n(lift.width_m)}" '
        f'height="{_n(lift.depth_m)}" rx="0.15" transform="translate({x} {y}) rotate({turn})"/>'
        f'<path class="lift-sign" d="M-0.4 -0.2 L0 -0.8 L0.4 -0.2 Z M-0.4 0.2 L0 0.8 L0.4 0.2 Z" '
        f'transform="translate({x} {y})"/></g>'
    )


def _waypoints(site: Site, level: LevelId, unit: float) -> Iterator[str]:
    for graph in site.graphs.values():
        for waypoint in graph.waypoints.values():
            if waypoint.level == level and waypoint.lift is None:
                kind = "waypoint" if waypoint.may_stop else "waypoint no-stop"
                yield (
                    f'<circle class="{kind}" id="waypoint-{escape(waypoint.id)}" cx="{_n(waypoint.x_m)}" '
                    f'cy="{_n(-waypoint.y_m)}" r="{_n(0.16 * unit)}"><title>{escape(waypoint.id)}</title></circle>'
                )


def _places(site: Site, level: LevelId) -> Iterator[tuple[Station, Point]]:
    """Yield the stations of a level with where to draw them: their waypoint on the first graph they are on."""
    for station in site.stations.values():
        for graph_id, waypoint_id in station.waypoints.items():
            graph = site.graphs.get(graph_id)
            waypoint = graph.waypoints.get(waypoint_id) if graph else None
            if waypoint is not None and waypoint.level == level:
                yield station, (waypoint.x_m, -waypoint.y_m)
                break


def _stations(site: Site, level: LevelId, unit: float) -> Iterator[str]:
    for station, (x, y) in _places(site, level):
        title = f"{station.name or station.id}: {STATION_WORDS[station.kind]}"
        yield (
            f'<g class="station {station.kind.value}" id="station-{escape(station.id)}" '
            f'transform="translate({_n(x)} {_n(y)}) scale({_n(unit)})"><title>{escape(title)}</title>'
            f"{symbol(station.kind)}</g>"
        )


def symbol(kind: StationKind) -> str:
    """Return the symbol of a kind of station around (0, 0), in units: round to meet people, square to rest."""
    colour, sign = STATION_COLOUR[kind], STATION_SIGN[kind]
    if kind is StationKind.OTHER:
        return f'<circle r="0.3" fill="#ffffff" stroke="{colour}" stroke-width="0.16"/>'
    edge = f'fill="{colour}" stroke="#ffffff" stroke-width="0.1"'
    if kind.is_resting_place or kind is StationKind.PHARMACY_HATCH:
        side = 2 * SYMBOL
        shape = f'<rect x="-{SYMBOL}" y="-{SYMBOL}" width="{side}" height="{side}" rx="0.22" {edge}/>'
    else:
        shape = f'<circle r="{SYMBOL}" {edge}/>'
    return f'{shape}<text class="sign" font-size="0.72">{sign}</text>'


def _labels(site: Site, level: LevelId, page: Box, unit: float) -> Iterator[str]:
    for label in _placed_labels(site, level, page, unit)[0]:
        yield _text(label, LABEL * unit)


def boxes_taken(site: Site, level: LevelId) -> list[Box]:
    """Return the boxes of station symbols and labels of a level, which whoever draws over it had better leave alone."""
    unit = unit_of(site)
    labels, symbols = _placed_labels(site, level, page_of(site), unit)
    font = LABEL * unit
    widths = [len(label.text) * CHARACTER_WIDTH * font for label in labels]
    texts = [
        Box(each.x, each.y - font, each.x + w, each.y + 0.2 * font) for each, w in zip(labels, widths, strict=True)
    ]
    return symbols + texts


def _placed_labels(site: Site, level: LevelId, page: Box, unit: float) -> tuple[list[Label], list[Box]]:
    """Return the labels of a level and the boxes of its symbols."""
    places = list(_places(site, level))
    half, font = SYMBOL * unit, LABEL * unit
    symbols = [Box(x - half, y - half, x + half, y + half) for _, (x, y) in places]
    lines = [(wall.start, wall.end) for wall in site.walls if wall.level == level]
    lines += [((start.x_m, start.y_m), (end.x_m, end.y_m)) for _, start, end in _lanes_on(site, level)]
    inner = Box(page.left, page.top + CAPTION * unit, page.right, page.bottom)
    names = [(station.name or station.id, point) for station, point in places]
    thin = [piece for line in lines for piece in _pieces(*line)]
    gap = half + 0.2 * unit
    return place_labels(names, taken=symbols, thin=thin, page=inner, font=font, gap=gap), symbols


def _pieces(start: Point, end: Point) -> Iterator[Box]:
    """Yield boxes around short pieces of a line, in drawing coordinates: a slanting line is not its bounding box."""
    count = max(1, math.ceil(math.dist(start, end) / 0.5))
    for number in range(count):
        a, b = number / count, (number + 1) / count
        xs = [start[0] + along * (end[0] - start[0]) for along in (a, b)]
        ys = [-(start[1] + along * (end[1] - start[1])) for along in (a, b)]
        yield Box(min(xs) - 0.1, min(ys) - 0.1, max(xs) + 0.1, max(ys) + 0.1)


def _text(label: Label, font: float) -> str:
    return (
        f'<text class="label" x="{_n(label.x)}" y="{_n(label.y)}" font-size="{_n(font)}" '
        f'stroke-width="{_n(font * 0.28)}">{escape(label.text)}</text>'
    )


def _frame(site: Site, level: LevelId, page: Box, unit: float) -> Iterator[str]:
    """Yield the name of the level and a scale bar of five metres, above the plan."""
    x, y = page.left + MARGIN * unit, page.top + 0.72 * CAPTION * unit
    caption = escape(_caption(site, level))
    yield f'<text class="caption" x="{_n(x)}" y="{_n(y)}" font-size="{_n(1.5 * unit)}">{caption}</text>'
    left, tick = page.right - MARGIN * unit - 5.0, 0.5 * unit
    yield f'<path class="scale" d="M{_n(left)} {_n(y - tick)} v{_n(tick)} h5 v{_n(-tick)}"/>'
    yield (
        f'<text class="caption" x="{_n(left - 0.5 * unit)}" y="{_n(y)}" font-size="{_n(0.95 * unit)}" '
        f'text-anchor="end">5 m</text>'
    )
