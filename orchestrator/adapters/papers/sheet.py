"""What all printed papers share: fonts, the banner of simulation, page numbers, tables.

Times are the hospital's own (Europe/London). The same data gives the same bytes, so that two prints can be compared.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, NextPageTemplate, PageBreak, PageTemplate, Paragraph
from reportlab.platypus.tables import LongTable, TableStyle

from orchestrator.domain.custody.balances import LONDON

SIMULATION = "SIMULATION"
SIMULATION_SENTENCE = "SIMULATION - not a record of real medicines"
MARGIN = 12 * mm

PLAIN, BOLD = "Vera", "VeraBd"
_GREY = colors.Color(0.9, 0.9, 0.9)


@cache
def fonts() -> None:
    """Make the fonts known that come with the library; they have the letters of European names."""
    pdfmetrics.registerFont(TTFont(PLAIN, "Vera.ttf"))
    pdfmetrics.registerFont(TTFont(BOLD, "VeraBd.ttf"))


def style(size: float = 7.0, *, is_bold: bool = False) -> ParagraphStyle:
    """Return the style of a text of some size in points."""
    fonts()
    return ParagraphStyle("text", fontName=BOLD if is_bold else PLAIN, fontSize=size, leading=size * 1.25)


def text(said: str, size: float = 7.0, *, is_bold: bool = False) -> Paragraph:
    """Return a text that breaks its lines; nothing in it is markup."""
    return Paragraph(escape(said), style(size, is_bold=is_bold))


CELL_SIZE = 6.0
"""Of the letters in tables, in points: a register has a dozen columns."""


def table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[float],
    *,
    row_height: float | None = None,
) -> LongTable:
    """Return a table whose headings stand on every page; widths and heights in points, as high as needed without."""
    head = [text(heading, CELL_SIZE, is_bold=True) for heading in headings]
    cells = [head, *([text(cell, CELL_SIZE) for cell in row] for row in rows)]
    made = LongTable(cells, colWidths=list(widths), rowHeights=[None, *(row_height for _ in rows)], repeatRows=1)
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
    return at.astimezone(LONDON).strftime("%Y-%m-%d")


def clock(at: datetime) -> str:
    """Return the hospital's time of day of a moment."""
    return at.astimezone(LONDON).strftime("%H:%M")


class Section:
    """Some pages under one head.

    Parameters
    ----------
    head : sequence of str
        The lines at the head of each page; the first is large.
    story : sequence of Flowable
        What stands below.
    """

    def __init__(self, head: Sequence[str], story: Sequence[Flowable]) -> None:
        self.head = list(head)
        self.story = list(story)

    @property
    def height(self) -> float:
        """How much of the page the head takes, in points."""
        return 18.0 + 10.0 * (len(self.head) - 1) + 6.0


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
        frame = Frame(
            MARGIN, MARGIN + 5 * mm, width - 2 * MARGIN, height - 2 * MARGIN - 5 * mm - section.height, 0, 0, 0, 0
        )
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
        top = height - MARGIN - 10
        canvas.setFont(BOLD, 12)
        canvas.drawString(MARGIN, top, section.head[0])
        canvas.setFont(PLAIN, 8)
        for number, line in enumerate(section.head[1:], start=1):
            canvas.drawString(MARGIN, top - 2 - 10 * number, line)
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
                self.drawString(MARGIN, MARGIN, foot)
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
