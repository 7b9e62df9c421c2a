"""The note that goes with a delivery, and the label that goes onto each of its totes."""

from __future__ import annotations

import io

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Spacer

from orchestrator.adapters.papers.sheet import (
    BOLD,
    PLAIN,
    SIMULATION_SENTENCE,
    Section,
    broken,
    fonts,
    moment,
    pdf_of,
    printable,
    table,
    text,
)
from orchestrator.adapters.papers.words import BASES, KEPT
from orchestrator.application.papers import DeliveryPaper
from orchestrator.domain.delivery.custody_record import Act, Basis, Dispensed
from orchestrator.domain.delivery.model import PRIORITY_WORDS, Delivery, Line, Tote
from orchestrator.domain.medicine.handling import RULES
from orchestrator.domain.medicine.model import StorageKind
from orchestrator.domain.medicine.schedule import Schedule

LABEL_SIZE = (100 * mm, 60 * mm)
FNC1 = "\xf1"
"""How the drawing library writes the character that makes a Code 128 a GS1-128."""

DESTINATION_SIZES = ((14.0, 1), (12.0, 2), (10.0, 3))
"""Sizes of where a tote goes, in points, and how many lines of each have room on a label."""

FRIDGE_MARK = "FRIDGE: keep at 2 to 8 \u00b0C"

BLIND = "counted blind"
SEAL_TO_WRITE = "____________________"
ROOM_TO_SIGN = 9 * mm

BAR_WIDTH = 0.5 * mm
"""Width of the narrowest bar: the middle of what GS1 allows for logistic labels."""


def tote_label(paper: DeliveryPaper, tote: Tote) -> bytes:
    """Return the label: from, to, tote, seal, whether it goes into a fridge, and the tote's number as GS1-128.

    It names no medicine, no quantity and no patient: it rides through corridors.
    """
    fonts()
    width, height = LABEL_SIZE
    out = io.BytesIO()
    # Not compressed, so that a printer's log, or a test, can read what was drawn.
    canvas = Canvas(out, pagesize=LABEL_SIZE, invariant=1, pageCompression=0)
    canvas.setTitle(f"Tote {tote.id}")
    left, top = 5 * mm, height - 6 * mm
    base = top - 8
    for size, line in _destination(canvas, f"To {paper.to_name}", width - 2 * left):
        canvas.setFont(BOLD, size)
        canvas.drawString(left, base, line)
        base -= size + 2
    canvas.setFont(PLAIN, 9)
    seal, sscc = tote.seal_number, paper.numbers[tote.id]
    for number, line in enumerate(
        (
            f"From {paper.from_name}",
            f"Tote {tote.id}",
            f"Seal {seal or SEAL_TO_WRITE}",
        )
    ):
        fitting = _fitting(canvas, line, PLAIN, 9, width - 2 * left)
        canvas.drawString(left, base + 2 - 11 * number, fitting)
    if _goes_into_fridge(paper.delivery, tote):
        canvas.setFont(BOLD, 9)
        canvas.drawString(left, base + 2 - 33, FRIDGE_MARK)
    bars = Code128(f"{FNC1}00{sscc}", barWidth=BAR_WIDTH, barHeight=15 * mm, quiet=False, humanReadable=False)
    bars.drawOn(canvas, (width - bars.width) / 2, 10 * mm)
    canvas.setFont(PLAIN, 8)
    canvas.drawCentredString(width / 2, 6.5 * mm, f"(00) {sscc}")
    if paper.is_simulation:
        canvas.setFont(BOLD, 8)
        canvas.drawCentredString(width / 2, 2.5 * mm, SIMULATION_SENTENCE)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _goes_into_fridge(delivery: Delivery, tote: Tote) -> bool:
    return any(line.id in tote.lines and line.storage == StorageKind.FRIDGE.value for line in delivery.lines)


def _destination(canvas: Canvas, said: str, width: float) -> list[tuple[float, str]]:
    """Return sizes and lines of where it goes: large on one line, or whole in smaller letters.

    Names of two wards may differ in nothing but their last word.
    """
    for size, most in DESTINATION_SIZES:
        lines = broken(said, BOLD, size, width)
        if len(lines) <= most:
            return [(size, line) for line in lines]
    size, most = DESTINATION_SIZES[-1]
    lines = broken(said, BOLD, size, width)
    last = _fitting(canvas, " ".join(lines[most - 1 :]), BOLD, size, width)
    return [(size, line) for line in (*lines[: most - 1], last)]


def _fitting(canvas: Canvas, said: str, font: str, size: float, width: float) -> str:
    """Return a text, shortened until it fits; names of stations come from files."""
    shown = printable(said)
    while canvas.stringWidth(shown, font, size) > width and len(shown) > 1:
        shown = shown[:-2].rstrip() + "…"
    return shown


def delivery_note(paper: DeliveryPaper) -> bytes:
    """Return the note: what is in which tote, on what basis, who prepared and checked it, and room to sign on paper."""
    delivery = paper.delivery
    custody = delivery.custody
    basis = custody.basis
    facts = [
        f"Delivery {delivery.id}",
        f"From {paper.from_name} to {paper.to_name}; {PRIORITY_WORDS[delivery.priority]}"
        + ("" if delivery.due_by is None else f"; due by {moment(delivery.due_by)}"),
        f"Basis: {_basis(basis)}"
        + ("" if custody.patient is None else f"; for patient {custody.patient}")
        + ("; the patient's own medicines" if custody.own_of_patient else ""),
        f"Verified by {_who(custody.verified)}; dispensed by {_who(custody.dispensed_by)}",
        f"Checked by {_who(custody.checked)}; accountable {custody.accountable or '-'}",
    ]
    rows = [_row(paper, line) for line in delivery.lines]
    headings = ("Tote", "Medicine", "Quantity sent", "Batch", "Expiry", "Handling", "Keep", "Counted", "Remarks")
    widths = [width * mm for width in (10, 46, 21, 23, 19, 19, 16, 16, 16)]
    paper_form = [
        Spacer(1, 6 * mm),
        text("If the screen cannot be used, count before anybody tells you the quantity, and sign here:", 8),
        table(
            ("", "Name", "Registration number", "Date and time", "Signature"),
            [("Received by", "", "", "", ""), ("Witness", "", "", "", "")],
            [width * mm for width in (24, 50, 36, 36, 40)],
            row_height=ROOM_TO_SIGN,
        ),
    ]
    # Not in the head of every page: of many totes nothing else would find room there.
    totes = [
        text(f"Tote {_number(delivery, tote)} is {tote.id}, number {paper.numbers[tote.id]}, seal {_seal(tote)}", 8)
        for tote in delivery.totes
    ]
    story = [*totes, Spacer(1, 3 * mm), table(headings, rows, widths), *paper_form]
    section = Section([f"Delivery note: {paper.to_name}", *facts], story)
    return pdf_of(
        [section],
        title=f"Delivery note {delivery.id}",
        foot=f"{delivery.id}; printed {moment(paper.printed_at)}",
        is_simulation=paper.is_simulation,
        pagesize=A4,
    )


def _seal(tote: Tote) -> str:
    # A note may be printed before the tote is sealed.
    return tote.seal_number or SEAL_TO_WRITE


def _basis(basis: Basis | None) -> str:
    if basis is None:
        return "none stated"
    asked = "" if basis.requested_by is None else f", requested by {basis.requested_by}"
    return f"{BASES[basis.kind]} {basis.reference}{asked}"


def _who(act: Act | None) -> str:
    return "-" if act is None else f"{act.by} ({moment(act.at)})"


def _number(delivery: Delivery, tote: Tote) -> str:
    return str(delivery.totes.index(tote) + 1)


def _row(paper: DeliveryPaper, line: Line) -> tuple[str, ...]:
    picked = paper.delivery.custody.picked(line.id)
    batch = picked.batch if picked is not None else line.batch
    return (
        _number(paper.delivery, paper.delivery.tote_of(line.id)),
        line.medicine,
        # Who counts blind must not read the quantity off the paper in the bag, but has to know what is one.
        f"{BLIND}, in {line.unit}" if RULES[line.handling_class].is_count_blind else f"{line.quantity} {line.unit}",
        batch or "-",
        _end_of(picked, line),
        _handling(line),
        KEPT.get(line.storage, line.storage),
        "",
        "",
    )


def _handling(line: Line) -> str:
    """Return how strictly a line is handled, and its schedule where it has one."""
    try:
        schedule = Schedule(line.schedule or Schedule.NONE)
    except ValueError:
        return line.handling_class.value
    return f"{line.handling_class.value}, {schedule.label}" if schedule.number else line.handling_class.value


def _end_of(picked: Dispensed | None, line: Line) -> str:
    """Return the last day of a line as it was picked, with the hour where its code gives one."""
    if picked is not None and picked.expires_at is not None:
        return moment(picked.expires_at)
    expiry = line.expiry if picked is None else picked.expiry
    return "-" if expiry is None else expiry.isoformat()
