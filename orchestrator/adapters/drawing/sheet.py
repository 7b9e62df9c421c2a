"""All levels of a site on one sheet, with a title and a legend."""

from __future__ import annotations

import math
from html import escape

from orchestrator.adapters.drawing.level import draw_level, page_of, symbol, unit_of
from orchestrator.adapters.drawing.palette import STATION_WORDS, style_sheet
from orchestrator.domain.site.model import Site, StationKind

SHEET_RATIO = 1.6
"""Width to height of a screen; levels are arranged to come near it."""

PIXELS_WIDE = 2000


def draw_site(site: Site) -> str:
    """Return every level of a site as one SVG document, sized for a screen."""
    page = page_of(site)
    width, height = page.right - page.left, page.bottom - page.top
    columns = min(range(1, len(site.levels) + 1), key=lambda n: _misfit(n, len(site.levels), width, height))
    rows = math.ceil(len(site.levels) / columns)
    unit, gap = columns * width / 60.0, width / 60.0
    head, foot = 3.4 * unit, 2.2 * unit
    sheet_width = columns * (width + gap) + gap
    sheet_height = rows * (height + gap) + head + foot
    pixels_high = round(PIXELS_WIDE * sheet_height / sheet_width)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="plan" width="{PIXELS_WIDE}" height="{pixels_high}" '
        f'viewBox="0 0 {sheet_width:.2f} {sheet_height:.2f}">',
        f"<title>{escape(site.name)}</title><style>{style_sheet(unit_of(site))}</style>",
        f'<rect width="{sheet_width:.2f}" height="{sheet_height:.2f}" fill="#f3f6f8"/>',
        _head(site, unit, gap),
    ]
    for number, level in enumerate(site.levels):
        x = gap + (number % columns) * (width + gap)
        y = head + (number // columns) * (height + gap)
        box = f'<svg x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" '
        parts.append(draw_level(site, level).replace("<svg ", box, 1))
    parts += [_legend(site, unit, gap, sheet_height - foot / 2), "</svg>"]
    return "\n".join(parts) + "\n"


def _misfit(columns: int, levels: int, width: float, height: float) -> float:
    rows = math.ceil(levels / columns)
    return abs(math.log(columns * width / (rows * height) / SHEET_RATIO))


def _head(site: Site, unit: float, gap: float) -> str:
    return (
        f'<g transform="translate({2.0 * gap:.2f} {2.1 * unit:.2f}) scale({unit:.3f})">'
        f'<text class="caption" font-size="1.5">{escape(site.name)}'
        f'<tspan font-size="0.75" style="font-weight:400" dx="1">revision {site.revision[:12]}</tspan></text></g>'
    )


def _legend(site: Site, unit: float, gap: float, y: float) -> str:
    used = {station.kind for station in site.stations.values()}
    parts = [f'<g transform="translate({2.5 * gap:.2f} {y:.2f}) scale({0.75 * unit:.3f})" font-size="0.85">']
    x = 0.0
    for kind in (kind for kind in StationKind if kind in used):
        parts.append(f'<g transform="translate({x:.2f} 0)">{symbol(kind)}</g>')
        parts.append(
            f'<text class="caption" style="font-weight:400" x="{x + 0.95:.2f}" y="0.3">{STATION_WORDS[kind]}</text>'
        )
        x += 2.2 + 0.47 * len(STATION_WORDS[kind])
    return "".join([*parts, "</g>"])
