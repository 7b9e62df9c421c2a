"""Marks of findings on a plan: numbered, told apart by shape as well as colour, moved off what they would cover."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.adapters.drawing.labels import Box
from orchestrator.domain.site.findings import Severity
from orchestrator.domain.site.geometry import Point

SEVERITY_WORDS = {
    Severity.ERROR: "error: the site is refused",
    Severity.WARNING: "condition",
    Severity.NOTE: "worth knowing",
}

_SHAPES = {
    Severity.ERROR: (
        '<path d="M-0.42 -1 H0.42 L1 -0.42 V0.42 L0.42 1 H-0.42 L-1 0.42 V-0.42 Z" fill="#b3261e" stroke="#ffffff" '
        'stroke-width="0.14"/>',
        "#ffffff",
        0.0,
    ),
    Severity.WARNING: (
        '<path d="M0 -1.25 L1.25 0.95 H-1.25 Z" fill="#ffc233" stroke="#1f2d36" stroke-width="0.14" '
        'stroke-linejoin="round"/>',
        "#1f2d36",
        0.26,
    ),
    Severity.NOTE: (
        '<circle r="0.95" fill="#ffffff" stroke="#1b6ca8" stroke-width="0.18"/>',
        "#134d78",
        0.0,
    ),
}
"""Octagon, triangle and circle, two units wide, with the colour of the number and how far it hangs down."""

HALF = 0.72
"""Half a mark, in units of the plan."""

_RINGS = (1.6, 2.3, 3.1, 4.0, 5.0, 6.2, 7.6)
_DIRECTIONS = 12


@dataclass(frozen=True, slots=True)
class Mark:
    """A numbered finding at a point of a plan, in drawing coordinates (y down)."""

    number: int
    severity: Severity
    at: Point


def shape(severity: Severity, text: str) -> str:
    """Return a mark around (0, 0), two units wide, with a number or nothing in it."""
    path, colour, lower = _SHAPES[severity]
    size = 1.05 if len(text) < 2 else 0.86 if len(text) < 3 else 0.66
    return (
        f'{path}<text x="0" y="{lower}" font-size="{size}" font-weight="700" text-anchor="middle" '
        f'dominant-baseline="central" fill="{colour}">{text}</text>'
    )


def placed_marks(marks: Sequence[Mark], *, taken: Sequence[Box], page: Box, unit: float) -> list[tuple[Mark, Point]]:
    """Return each mark with where it goes: near its point, where it covers the least of what is taken.

    Parameters
    ----------
    marks : sequence of Mark
        The marks, most important first.
    taken : sequence of Box
        Symbols and labels; marks avoid these and each other.
    page : Box
        What marks must not leave.
    unit : float
        Metres a unit of symbols, see `unit_of`.
    """
    covered = list(taken)
    placed: list[tuple[Mark, Point]] = []
    half = HALF * unit
    for mark in marks:
        spots = [
            (mark.at[0] + ring * half * math.cos(turn), mark.at[1] + ring * half * math.sin(turn), ring)
            for ring in _RINGS
            for turn in (2.0 * math.pi * (number + 0.5) / _DIRECTIONS for number in range(_DIRECTIONS))
        ]
        x, y, _ = min(spots, key=lambda spot: _cost(spot, covered, page, half))
        covered.append(_box(x, y, half))
        placed.append((mark, (x, y)))
    return placed


def _cost(spot: tuple[float, float, float], covered: Sequence[Box], page: Box, half: float) -> float:
    box = _box(spot[0], spot[1], 1.15 * half)
    area = (box.right - box.left) * (box.bottom - box.top)
    hidden = sum(box.overlap(other) for other in covered) / area
    outside = 1.0 - box.overlap(page) / area
    return 0.08 * spot[2] + 8.0 * hidden + 20.0 * outside


def _box(x: float, y: float, half: float) -> Box:
    return Box(x - half, y - half, x + half, y + half)
