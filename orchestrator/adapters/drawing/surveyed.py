"""A level of a site with all that a check found there: bottlenecks, single tracks, endpoints, numbered findings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from orchestrator.adapters.drawing.labels import CHARACTER_WIDTH, Box
from orchestrator.adapters.drawing.level import CAPTION, boxes_taken, draw_level, page_of, unit_of
from orchestrator.adapters.drawing.marks import HALF, SEVERITY_WORDS, Mark, placed_marks, shape
from orchestrator.adapters.drawing.palette import style_sheet
from orchestrator.domain.site.findings import Finding, Severity
from orchestrator.domain.site.geometry import Point
from orchestrator.domain.site.model import LaneGraph, LevelId, Site
from orchestrator.domain.site.survey.corridors import Corridor
from orchestrator.domain.site.survey.places import places_of_finding
from orchestrator.domain.site.survey.standing import standing_points
from orchestrator.domain.site.survey.verdict import Survey, Verdict

PIXELS_WIDE = 1600

SHARE_SHOWN = 0.1
"""Segments with at least this share of the routes are drawn as bands, the wider the busier."""

_STYLE = """
.found .busy { fill: none; stroke: #e8a33d; stroke-opacity: 0.38; stroke-linecap: round; }
.found .track { fill: none; stroke: #7b1e5a; stroke-linecap: butt; stroke-linejoin: round; }
.found .leader { stroke: #1f2d36; stroke-linecap: round; }
.found .ring { fill: none; stroke: #1f2d36; }
.found .ring.left-out { stroke: #b3261e; }
.found .remedy { fill: #ffffff; stroke: #1e7d46; }
.found .words { fill: #1f2d36; font-weight: 400; }
.found .verdict { font-weight: 700; }
"""

_VERDICT_COLOUR = {Verdict.FIT: "#1e7d46", Verdict.FIT_WITH_CONDITIONS: "#8a5a00", Verdict.REFUSED: "#b3261e"}


def draw_surveyed(survey: Survey, level: LevelId) -> str:
    """Return one level as an SVG document with what was found there, and a legend under it.

    Findings have the numbers of the report. Coordinates of the plan are metres in the site frame, y negated.
    """
    site = survey.site
    page, unit = page_of(site), unit_of(site)
    width, height = page.right - page.left, page.bottom - page.top
    head = 4.2 * unit
    legend, legend_height = _legend(survey, level, width, unit)
    total = head + height + legend_height
    plan = draw_level(site, level).replace(f'<g id="level-{escape(level)}-live"></g>', _overlay(survey, level), 1)
    plan = plan.replace("<svg ", f'<svg x="0" y="{head:.2f}" width="{width:.2f}" height="{height:.2f}" ', 1)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="plan found" width="{PIXELS_WIDE}" '
            f'height="{round(PIXELS_WIDE * total / width)}" viewBox="0 0 {width:.2f} {total:.2f}">',
            f"<title>{escape(site.name)}, level {escape(level)}: {survey.verdict.value}</title>",
            f"<style>{style_sheet(unit)}{_STYLE}</style>",
            f'<rect width="{width:.2f}" height="{total:.2f}" fill="#ffffff"/>',
            _head(survey, unit),
            plan,
            f'<g transform="translate(0 {head + height:.2f})">{legend}</g>',
            "</svg>\n",
        ]
    )


def _head(survey: Survey, unit: float) -> str:
    robots = len(survey.places)
    text = f"{survey.verdict.value}, {robots} robot{'' if robots == 1 else 's'} at most"
    if survey.closed:
        text += f", {len(survey.closed)} lanes closed"
    return (
        f'<g transform="translate({1.5 * unit:.2f} 0) scale({unit:.3f})">'
        f'<text class="caption" y="1.9" font-size="1.5">{escape(_name(survey.site))}</text>'
        f'<text class="caption verdict" y="3.6" font-size="1.25" fill="{_VERDICT_COLOUR[survey.verdict]}" '
        f'style="fill:{_VERDICT_COLOUR[survey.verdict]}">{escape(text)}</text></g>'
    )


def _name(site: Site) -> str:
    return site.name if site.name.lower().replace(" ", "_") == site.id.lower() else f"{site.id} ({site.name})"


def _overlay(survey: Survey, level: LevelId) -> str:
    unit = unit_of(survey.site)
    return "\n".join(
        [
            '<g class="found">',
            *_busy(survey, level, unit),
            *_tracks(survey, level, unit),
            *_rings(survey, level, unit),
            *_remedy_points(survey, level, unit),
            *_marks(survey, level, unit),
            "</g>",
        ]
    )


def _busy(survey: Survey, level: LevelId, unit: float) -> Iterator[str]:
    for facts in survey.facts.values():
        graph = survey.site.graphs[facts.graph]
        for segment, count in sorted(facts.flows.on_segment.items(), key=lambda item: sorted(item[0])):
            share = facts.flows.share(count)
            ends = [graph.waypoints[waypoint] for waypoint in sorted(segment)]
            if share >= SHARE_SHOWN and len(ends) == 2 and all(end.level == level for end in ends):
                points = [(end.x_m, end.y_m) for end in ends]
                title = f"{share:.0%} of the routes of graph {facts.graph}"
                yield _path("busy", points, 3.0 * share * unit, title)


def _tracks(survey: Survey, level: LevelId, unit: float) -> Iterator[str]:
    for facts in survey.facts.values():
        graph = survey.site.graphs[facts.graph]
        told = {finding.lanes for finding in survey.findings if finding.code in _TRACK_CODES}
        for corridor in facts.corridors:
            if corridor.level == level and corridor.lanes in told:
                yield _track(graph, corridor, unit)


_TRACK_CODES = ("single_track_corridor", "busy_single_track")


def _track(graph: LaneGraph, corridor: Corridor, unit: float) -> str:
    points = [(graph.waypoints[w].x_m, graph.waypoints[w].y_m) for w in corridor.waypoints]
    dash = f'stroke-dasharray="{0.9 * unit:.2f} {0.5 * unit:.2f}"' if not corridor.is_only_way else ""
    title = f"single track, {corridor.length_m:.1f} m" + (", the only way" if corridor.is_only_way else "")
    return _path("track", points, 0.26 * unit, title, dash)


def _path(kind: str, points: Sequence[Point], width: float, title: str, more: str = "") -> str:
    d = " ".join(f"{'L' if n else 'M'}{x:.2f} {-y:.2f}" for n, (x, y) in enumerate(points))
    return f'<path class="{kind}" d="{d}" stroke-width="{width:.3f}" {more}><title>{escape(title)}</title></path>'


def _rings(survey: Survey, level: LevelId, unit: float) -> Iterator[str]:
    """Yield a ring round each resting place: whole where a robot may live, broken where it would cut others off."""
    places = set(survey.places)
    for station in survey.site.stations.values():
        if not station.kind.is_resting_place or not survey.facts:
            continue
        for graph, on_level, (x, y) in standing_points(survey.site, station):
            if on_level != level or graph not in survey.facts:
                continue
            is_in = station.id in places
            kind = "ring" if is_in else "ring left-out"
            dash = "" if is_in else f' stroke-dasharray="{0.35 * unit:.2f} {0.25 * unit:.2f}"'
            yield (
                f'<circle class="{kind}" cx="{x:.2f}" cy="{-y:.2f}" r="{0.82 * unit:.2f}" '
                f'stroke-width="{0.12 * unit:.3f}"{dash}/>'
            )


def _remedy_points(survey: Survey, level: LevelId, unit: float) -> Iterator[str]:
    for number, finding in enumerate(survey.findings, start=1):
        for remedy in finding.remedies:
            if remedy.level != level:
                continue
            for x, y in remedy.points:
                yield (
                    f'<g transform="translate({x:.2f} {-y:.2f}) scale({0.5 * unit:.3f})">'
                    f"<title>{number}: {escape(remedy.sentence)}</title>"
                    '<path class="remedy" d="M0 -1 L1 0 L0 1 L-1 0 Z M-0.5 0 H0.5 M0 -0.5 V0.5" '
                    'stroke-width="0.22"/></g>'
                )


def _marks(survey: Survey, level: LevelId, unit: float) -> Iterator[str]:
    site = survey.site
    page = page_of(site)
    inner = Box(page.left, page.top + CAPTION * unit, page.right, page.bottom)
    marks = [
        Mark(number, finding.severity, (x, -y))
        for number, finding in enumerate(survey.findings, start=1)
        for on_level, (x, y) in places_of_finding(site, finding)
        if on_level == level
    ]
    for mark, (x, y) in placed_marks(marks, taken=boxes_taken(site, level), page=inner, unit=unit):
        title = escape(survey.findings[mark.number - 1].sentence)
        yield (
            f'<line class="leader" x1="{mark.at[0]:.2f}" y1="{mark.at[1]:.2f}" x2="{x:.2f}" y2="{y:.2f}" '
            f'stroke-width="{0.09 * unit:.3f}"/>'
            f'<circle cx="{mark.at[0]:.2f}" cy="{mark.at[1]:.2f}" r="{0.16 * unit:.2f}" fill="#1f2d36"/>'
            f'<g transform="translate({x:.2f} {y:.2f}) scale({HALF * unit:.3f})"><title>{title}</title>'
            f"{shape(mark.severity, str(mark.number))}</g>"
        )


def _legend(survey: Survey, level: LevelId, width: float, unit: float) -> tuple[str, float]:
    """Return the legend as a group and its height: what the marks are, then the findings of this level by number."""
    site, font = survey.site, 0.8 * unit
    on_level = [
        (number, finding)
        for number, finding in enumerate(survey.findings, start=1)
        if any(place[0] == level for place in places_of_finding(site, finding))
    ]
    elsewhere = [
        (number, finding)
        for number, finding in enumerate(survey.findings, start=1)
        if not places_of_finding(site, finding)
    ]
    rows = [(number, finding, short_words(finding)) for number, finding in (*on_level, *elsewhere)]
    longest = max((len(words) for _, _, words in rows), default=1)
    column = (longest * CHARACTER_WIDTH + 3.4) * font
    columns = max(1, int((width - 2.0 * unit) / column))
    per_column = math.ceil(len(rows) / columns)
    key, key_height = _key(width, unit)
    parts = [key]
    top, line = key_height + 1.4 * unit, 1.75 * font
    for place, (number, finding, words) in enumerate(rows):
        x = 1.5 * unit + (place // max(1, per_column)) * column
        y = top + (place % max(1, per_column)) * line
        parts.append(
            f'<g transform="translate({x + 0.7 * font:.2f} {y:.2f}) scale({0.72 * font:.3f})">'
            f"{shape(finding.severity, str(number))}</g>"
            f'<text class="words" x="{x + 1.9 * font:.2f}" y="{y + 0.34 * font:.2f}" font-size="{font:.3f}">'
            f"{escape(words)}</text>"
        )
    return "".join(parts), top + per_column * line + 0.5 * unit


def _key(width: float, unit: float) -> tuple[str, float]:
    """Return what shapes and lines mean, in as many rows as it takes, and their height."""
    items = [(f'<g transform="scale(0.62)">{shape(each, "")}</g>', SEVERITY_WORDS[each]) for each in Severity]
    items += [
        ('<path class="busy" d="M-0.8 0 H0.7" stroke-width="0.9"/>', "busy: the wider, the more routes"),
        ('<path class="track" d="M-1 0 H1" stroke-width="0.26"/>', "single track, the only way"),
        (
            '<path class="track" d="M-1 0 H1" stroke-width="0.26" stroke-dasharray="0.6 0.3"/>',
            "single track, a way round",
        ),
        ('<circle class="ring" r="0.7" stroke-width="0.14"/>', "a robot may live here"),
        (
            '<circle class="ring left-out" r="0.7" stroke-width="0.14" stroke-dasharray="0.35 0.25"/>',
            "not with the others",
        ),
        ('<path class="remedy" d="M0 -0.6 L0.6 0 L0 0.6 L-0.6 0 Z" stroke-width="0.14"/>', "place of a tried remedy"),
    ]
    parts: list[str] = []
    font, x, y = 0.8, 2.4, 1.4
    right = width / unit - 1.0
    for sign, words in items:
        length = 1.6 + len(words) * CHARACTER_WIDTH * font + 1.6
        if x + length > right:
            x, y = 2.4, y + 1.7
        parts.append(
            f'<g transform="translate({x * unit:.2f} {y * unit:.2f}) scale({unit:.3f})">{sign}'
            f'<text class="words" x="1.5" y="0.3" font-size="{font}">{escape(words)}</text></g>'
        )
        x += length
    return "".join(parts), (y + 0.8) * unit


def short_words(finding: Finding) -> str:
    """Return a finding in a few words for a legend: what it is, and of what."""
    of = finding.station or finding.door or finding.lift or finding.lane or finding.waypoint or ""
    if finding.code in _TRACK_CODES:
        of = f"{finding.figures['length_m']:.0f} m, {finding.figures['share']:.0%} of routes"
    if finding.code == "robots":
        of = f"graph {finding.graph}: {finding.figures['robots']:.0f}"
    if not of and finding.graph is not None:
        of = f"graph {finding.graph}"
    what = finding.code.replace("_", " ")
    return f"{what}: {of}" if of else what
