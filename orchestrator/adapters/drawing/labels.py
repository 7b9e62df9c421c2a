"""Where names go on a plan: beside their place, on the side where they cover the least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.site.geometry import Point

CHARACTER_WIDTH = 0.56
"""Mean width of a character of a sans-serif face, in font sizes."""


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle in drawing coordinates (y down)."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: Box) -> float:
        """Return the area that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, width) * max(0.0, height)


@dataclass(frozen=True, slots=True)
class Label:
    """A text with the left end of its base line, in drawing coordinates."""

    text: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class _Spot:
    box: Box
    dislike: float


def place_labels(
    names: Sequence[tuple[str, Point]], *, taken: Sequence[Box], thin: Sequence[Box], page: Box, font: float, gap: float
) -> list[Label]:
    """Return a label for each name, near its point, in the order given.

    Parameters
    ----------
    names : sequence of (str, point)
        What to write and where it belongs, in drawing coordinates.
    taken : sequence of Box
        What must stay visible (symbols).
    thin : sequence of Box
        What may be crossed if there is no other way (walls, lanes), as boxes around short pieces.
    page : Box
        What labels must not leave.
    font, gap : float
        Size of the letters, and distance from the point to the label, in drawing units.
    """
    covered = list(taken)
    labels: list[Label] = []
    for name, point in names:
        spots = _spots(point, len(name) * CHARACTER_WIDTH * font, font, gap)
        best = min(spots, key=lambda spot: _cost(spot, covered, thin, page))
        covered.append(best.box)
        labels.append(Label(name, best.box.left, best.box.bottom - 0.22 * font))
    return labels


def _spots(point: Point, width: float, font: float, gap: float) -> list[_Spot]:
    x, y = point
    half, height = width / 2, 1.1 * font
    corners = [
        (x + gap, y - height / 2, 0.0),
        (x - gap - width, y - height / 2, 0.02),
        (x - half, y - gap - height, 0.01),
        (x - half, y + gap, 0.01),
        (x + 0.5 * gap, y - gap - height, 0.05),
        (x + 0.5 * gap, y + gap, 0.05),
        (x - 0.5 * gap - width, y - gap - height, 0.06),
        (x - 0.5 * gap - width, y + gap, 0.06),
        (x - half, y - 1.4 * gap - 2 * height, 0.3),
        (x - half, y + 1.4 * gap + height, 0.3),
    ]
    return [_Spot(Box(left, top, left + width, top + height), dislike) for left, top, dislike in corners]


def _cost(spot: _Spot, covered: Sequence[Box], thin: Sequence[Box], page: Box) -> float:
    box = spot.box
    area = (box.right - box.left) * (box.bottom - box.top)
    hidden = sum(box.overlap(other) for other in covered)
    crossed = sum(box.overlap(other) for other in thin)
    outside = area - box.overlap(page)
    return spot.dislike * area + 6.0 * hidden + 1.2 * crossed + 20.0 * outside
