"""What all printed papers share: fonts, the banner of simulation, page numbers, tables.

Times are the hospital's own (Europe/London). The same data gives the same bytes, so that two prints can be compared.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, NextPageTemplate, PageBreak, PageTemplate, Paragraph
from reportlab.platypus.tables import LongTable, TableStyle

from orchestrator.domain.london import LONDON, london_day

SIMULATION = "SIMULATION"
SIMULATION_SENTENCE = "SIMULATION - not a record of real medicines"
MARGIN = 12 * mm

PLAIN, BOLD = "Vera", "VeraBd"
_GREY = colors.Color(0.9, 0.9, 0.9)


@cache
def fonts() -> frozenset[str]:
    """Make the fonts known that come with the library, and return the letters that both have: Western Europe's."""
    found: list[frozenset[str]] = []
    for name, file in ((PLAIN, "Vera.ttf"), (BOLD, "VeraBd.ttf")):
        font = TTFont(name, file)
        pdfmetrics.registerFont(font)
        letters: Mapping[int, object] = font.face.charToGlyph  # pyright: ignore[reportAttributeAccessIssue]
        found.append(frozenset(map(chr, letters)))
    return found[0] & found[1]


LIKE = {"\u03bc": "\u00b5", "\u2011": "-", "\u2192": "->", "\u0126": "H", "\u0127": "h", "\u0110": "D", "\u0111": "d"}
"""What stands for letters that the fonts have not: the Greek mu of a microgram is drawn like the sign for micro."""


def printable(said: str) -> str:
    """Return a text with every letter drawn as one that the fonts have, and never as an empty box.

    A letter with an accent that they lack loses it; what is like nothing that they have is named by its code point.
    """
    known = fonts()
    composed = unicodedata.normalize("NFC", said)
    return "".join(letter if letter in known or letter == "\n" else _likened(letter, known) for letter in composed)


def _likened(letter: str, known: frozenset[str]) -> str:
    if letter in LIKE:
        return LIKE[letter]
    if letter.isspace():
        return " "
    bare = "".join(one for one in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(one))
    return bare if bare and known.issuperset(bare) else f"[U+{ord(letter):04X}]"


def style(size: float = 7.0, *, is_bold: bool = False) -> ParagraphStyle:
    """Return the style of a text of some size in points."""
    fonts()
    return ParagraphStyle("text", fontName=BOLD if is_bold else PLAIN, fontSize=size, leading=size * 1.25)


def text(said: str, size: float = 7.0, *, is_bold: bool = False) -> Paragraph:
    """Return a text that breaks its lines; nothing in it is markup."""
    return Paragraph(escape(printable(said)), style(size, is_bold=is_bold))


CELL_SIZE = 7.0
"""Of the letters in tables, in points: a register has a dozen columns."""


def table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[float],
    *,
    row_height: float | None = None,
) -> LongTable:
    """Return a table whose headings stand on every page; widths and heights in points, as high as needed without.

    One without rows says so: headings alone could be a list that was cut off.
    """
    head = [text(heading, CELL_SIZE, is_bold=True) for heading in headings]
    shown = rows or [["None.", *[""] * (len(headings) - 1)]]
    cells = [head, *([text(cell, CELL_SIZE) for cell in row] for row in shown)]
    heights = [None, *(row_height for _ in shown)]
    # A row higher than a page goes on over the next one: what was once entered must always be printed.
    made = LongTable(cells, colWidths=list(widths), rowHeights=heights, repeatRows=1, splitInRow=1)
    made.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.4, colors.grey),
                ("BACKGROUND", (0, 0), (-1, 0), _GREY),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 2),
                ("RIGHTPADDING", (0, 0), (-1, -1), 2),
                ("TOPPADDING", (0, 0), (-1, -1), 1.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
            ]
        )
    )
    return made


def moment(at: datetime) -> str:
    """Return a moment in the hospital's own time, with its offset where clocks may be in doubt."""
    return at.astimezone(LONDON).strftime("%Y-%m-%d %H:%M %Z")


def day(at: datetime) -> str:
    """Return the hospital's calendar day of a moment."""
    return london_day(at).isoformat()


def clock(at: datetime) -> str:
    """Return the hospital's time of day of a moment, with its zone in the hour that comes twice in autumn."""
    local = at.astimezone(LONDON)
    comes_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return local.strftime("%H:%M %Z" if comes_twice else "%H:%M")


class Section:
    """Some pages under one head.

    Parameters
    ----------
    head : sequence of str
        The lines at the head of each page, broken where they are longer than it is wide; the first is large.
    story : sequence of Flowable
        What stands below.
    """

    def __init__(self, head: Sequence[str], story: Sequence[Flowable]) -> None:
        self.head = list(head)
        self.story = list(story)

    def lines(self, width: float) -> list[tuple[str, str, float]]:
        """Return the lines of the head, each with font and size, as they fit a page between margins ``width`` apart."""
        first, *others = self.head
        large = [(line, BOLD, LARGE) for line in broken(first, BOLD, LARGE, width - MARK_WIDTH)]
        return [*large, *((line, PLAIN, SMALL) for other in others for line in broken(other, PLAIN, SMALL, width))]

    def height(self, width: float) -> float:
        """Return how much of the page the head takes, in points."""
        return 14.0 + sum(leading(size) for _, _, size in self.lines(width))


LARGE, SMALL = 12.0, 8.0
"""Sizes of the first line of a head, and of the others, in points."""

MARK_WIDTH = 250.0
"""Room beside the first line for the sentence of a simulated page, in points."""


def leading(size: float) -> float:
    """Return how far apart lines of a head are, in points."""
    return size + 2.0


def broken(said: str, font: str, size: float, width: float) -> list[str]:
    """Return a text as lines of at most some width in points; a word that is longer is broken too."""
    lines: list[str] = []
    for line in simpleSplit(printable(said), font, size, width):
        rest = line
        while len(rest) > 1 and pdfmetrics.stringWidth(rest, font, size) > width:
            fits = next(n for n in range(len(rest) - 1, 0, -1) if n == 1 or _fits(rest[:n], font, size, width))
            lines.append(rest[:fits])
            rest = rest[fits:]
        lines.append(rest)
    return lines or [""]


def _fits(said: str, font: str, size: float, width: float) -> bool:
    return pdfmetrics.stringWidth(said, font, size) <= width


def pdf_of(
    sections: Sequence[Section],
    *,
    title: str,
    foot: str,
    is_simulation: bool,
    pagesize: tuple[float, float] = landscape(A4),
) -> bytes:
    """Return a PDF of the sections, each beginning a page; every page says if it is simulated, and which of how many.

    Parameters
    ----------
    sections : sequence of Section
        At least one.
    title : str
        Of the document.
    foot : str
        What stands at the foot of every page, beside its number.
    is_simulation : bool
        Whether every page says SIMULATION.
    pagesize : pair of float
        Width and height in points.
    """
    fonts()
    width, height = pagesize
    out = io.BytesIO()
    document = BaseDocTemplate(out, pagesize=pagesize, title=title, author="Wardporter", invariant=1, pageCompression=1)
    story: list[Flowable] = []
    for number, section in enumerate(sections):
        inner = width - 2 * MARGIN
        below = height - 2 * MARGIN - 5 * mm - section.height(inner)
        frame = Frame(MARGIN, MARGIN + 5 * mm, inner, below, 0, 0, 0, 0)
        draw = _head_of(section, width=width, height=height)
        document.addPageTemplates(PageTemplate(id=f"section-{number}", frames=[frame], onPage=draw))
        if number:
            story += [NextPageTemplate(f"section-{number}"), PageBreak()]
        story += section.story or [text("Nothing.")]
    document.build(story, canvasmaker=_numbered(foot, is_simulation=is_simulation, width=width, height=height))
    return out.getvalue()


def _head_of(section: Section, *, width: float, height: float) -> Callable[[Canvas, Any], None]:
    def draw(canvas: Canvas, _document: Any) -> None:
        canvas.saveState()
        base = height - MARGIN + 4
        for line, font, size in section.lines(width - 2 * MARGIN):
            base -= leading(size)
            canvas.setFont(font, size)
            canvas.drawString(MARGIN, base, line)
        canvas.restoreState()

    return draw


def _numbered(foot: str, *, is_simulation: bool, width: float, height: float) -> type[Canvas]:
    """Return a canvas that numbers its pages once it knows how many there are, and marks simulated ones."""

    class NumberedCanvas(Canvas):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 - the library's name
            self._pages.append(dict(self.__dict__))
            self._startPage()  # pyright: ignore[reportAttributeAccessIssue]

        def save(self) -> None:
            for number, page in enumerate(self._pages, start=1):
                self.__dict__.update(page)
                self.setFont(PLAIN, 7)
                self.drawString(MARGIN, MARGIN, printable(foot))
                self.drawRightString(width - MARGIN, MARGIN, f"page {number} of {len(self._pages)}")
                if is_simulation:
                    mark_simulation(self, width=width, height=height)
                super().showPage()
            super().save()

    return NumberedCanvas


def mark_simulation(canvas: Canvas, *, width: float, height: float) -> None:
    """Write SIMULATION over a page and at its top; widths in points."""
    canvas.saveState()
    canvas.setFillColor(colors.Color(0.75, 0.0, 0.0))
    canvas.setFont(BOLD, 9)
    canvas.drawRightString(width - MARGIN, height - MARGIN - 8, SIMULATION_SENTENCE)
    canvas.setFillColor(colors.Color(0.75, 0.0, 0.0, alpha=0.12))
    canvas.translate(width / 2, height / 2)
    canvas.rotate(30)
    canvas.setFont(BOLD, min(width, height) / 8)
    canvas.drawCentredString(0, 0, SIMULATION)
    canvas.restoreState()
