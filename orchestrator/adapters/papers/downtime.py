"""The downtime pack: lists of where everything is, and blank forms, as a PDF and as tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Spacer

from orchestrator.adapters.papers.registers import harmless
from orchestrator.adapters.papers.sheet import SIMULATION, Section, moment, pdf_of, table, text
from orchestrator.adapters.papers.words import HELD, INCIDENTS, RECALLS
from orchestrator.application.downtime import DowntimePack, PackRow
from orchestrator.domain.delivery.model import PRIORITY_WORDS

BLANK_LINES = 14
WRITING_HEIGHT = 9 * mm


def downtime_pdf(pack: DowntimePack) -> bytes:
    """Return the pack as it is printed: what is on its way, robots, stock, incidents and recalls, then blank forms."""
    as_of = f"As of {moment(pack.taken_at)}. Anything later is not in it: ask, and look."
    sections = [
        Section(["Downtime pack: what is on its way, and who answers for it", as_of], _under_way(pack)),
        Section(["Downtime pack: robots", as_of], _robots(pack)),
        Section(["Downtime pack: what places hold by the ledger", as_of, _stock_warning(pack)], _stock(pack)),
        Section(["Downtime pack: open incidents and recalls in force", as_of], _troubles(pack)),
        *_forms(),
    ]
    return pdf_of(
        sections,
        title="Downtime pack",
        foot=f"downtime pack of {moment(pack.taken_at)}; ledger of {pack.ledger_size} entries",
        is_simulation=pack.is_simulation,
    )


def _stock_warning(pack: DowntimePack) -> str:
    if pack.is_register_of_record:
        return "Register of record: count each cupboard against it before the first entry after the downtime."
    return "Transit record: what robots brought and took; it is not what the cupboards hold."


def _wide(*widths: float) -> list[float]:
    scale = 273.0 / sum(widths)
    return [width * scale * mm for width in widths]


def _under_way(pack: DowntimePack) -> Sequence[Flowable]:
    rows = [
        (
            row.delivery,
            f"{row.state.replace('_', ' ')} since {moment(row.since)}",
            _urgency(row),
            row.where,
            f"{row.medicine}, {row.quantity} {row.unit}, batch {row.batch or '-'}",
            row.handling_class,
            f"{row.tote}, seal {row.seal or '-'}",
            f"{row.from_name} to {row.to_name}",
            row.accountable or "-",
        )
        for row in pack.rows
    ]
    headings = (
        "Delivery",
        "State",
        "Urgency",
        "Where",
        "What",
        "Handling",
        "Tote and seal",
        "From and to",
        "Accountable",
    )
    return [table(headings, rows, _wide(29, 29, 28, 28, 48, 19, 30, 34, 30))]


def _urgency(row: PackRow) -> str:
    critical = "; a late dose harms" if row.is_critical else ""
    due = "" if row.due_by is None else f"; due by {moment(row.due_by)}"
    return f"{PRIORITY_WORDS[row.priority]}{critical}{due}"


def _robots(pack: DowntimePack) -> Sequence[Flowable]:
    rows = [
        (row.robot, row.where, "-" if row.heard_at is None else moment(row.heard_at), row.remark) for row in pack.robots
    ]
    return [table(("Robot", "Where", "Last heard", "Remark"), rows, _wide(25, 90, 35, 120))]


def _stock(pack: DowntimePack) -> Sequence[Flowable]:
    rows = [
        (
            row.place,
            HELD[row.account],
            row.medicine,
            row.batch,
            "patient's own" if row.own_of_patient else "",
            f"{row.units} {row.unit}".rstrip(),
            "",
        )
        for row in pack.stock
    ]
    headings = ("Place", "Where", "Medicine", "Batch", "Whose", "By the ledger", "Counted")
    return [table(headings, rows, _wide(35, 34, 86, 35, 24, 32, 27))]


def _troubles(pack: DowntimePack) -> Sequence[Flowable]:
    incidents = [
        (
            incident.id,
            INCIDENTS[incident.kind],
            moment(incident.at),
            incident.place,
            incident.delivery or "-",
            incident.sentence,
        )
        for incident in pack.incidents
    ]
    recalls = [
        (
            f"{pack.recalled[recall.medicine]} ({recall.medicine})",
            ", ".join(sorted(recall.batches)) or "every batch",
            RECALLS[recall.recall_class],
            recall.reference,
            recall.reason,
            ", ".join(recall.outstanding) or "-",
        )
        for recall in pack.recalls
    ]
    return [
        table(("Incident", "Kind", "When", "Place", "Delivery", "What"), incidents, _wide(30, 30, 35, 30, 35, 110)),
        Spacer(1, 6 * mm),
        table(
            ("Medicine", "Batches", "Class", "Reference", "Why", "Places that have not answered"),
            recalls,
            _wide(40, 40, 30, 40, 70, 50),
        ),
    ]


def _forms() -> Sequence[Section]:
    """Return blank forms: receipt, movements of the register, stock check."""
    return [
        _form(
            "Paper form: handover from a robot or a runner",
            "Count before anybody tells you the quantity. Controlled drugs: two people. Enter it when the screens are "
            "back, at the latest the next day.",
            ("Date and time", "Delivery or tote", "Seal read", "Medicine, strength, form", "Batch", "Counted",
             "Received by (name, number)", "Signature", "Witness (name, number)", "Signature"),
            (24, 30, 24, 44, 22, 16, 34, 26, 34, 26),
        ),
        _form(
            "Paper form: register of controlled drugs during downtime",
            "One page for each class, strength and form. Write its name here: ____________________________________",
            ("Date and time", "Obtained from, or supplied to", "Patient or authority", "In", "Out", "Wasted", "Balance",
             "By (name, number, signature)", "Witness (name, number, signature)"),
            (24, 50, 44, 14, 14, 16, 18, 52, 52),
        ),
        _form(
            "Paper form: count and discrepancy",
            "Count the cupboard first, then compare. What differs is under investigation: tell the nurse in charge and "
            "the pharmacist now.",
            ("Date and time", "Medicine, strength, form", "Batch", "Counted", "Expected", "Difference", "What was done",
             "By (name, number, signature)", "Witness (name, number, signature)"),
            (24, 50, 24, 18, 18, 20, 46, 46, 46),
        ),
    ]  # fmt: skip


def _form(title: str, hint: str, headings: Sequence[str], widths: Sequence[float]) -> Section:
    lines = [[""] * len(headings) for _ in range(BLANK_LINES)]
    return Section(
        [title],
        [text(hint, 9), Spacer(1, 3 * mm), table(headings, lines, _wide(*widths), row_height=WRITING_HEIGHT)],
    )


def downtime_csv(pack: DowntimePack) -> str:
    """Return what is on its way, robots, and what places hold, as one table; a simulated one says so in every row.

    A pack of a fleet has a row for each robot, so that a simulated one is never a table without a row that says so.
    """
    out = io.StringIO()
    rows = csv.writer(out)
    mark = SIMULATION if pack.is_simulation else ""
    rows.writerow(
        ("simulation", "as_of", "kind", "delivery", "state", "since", "where", "medicine", "quantity", "unit", "batch",
         "handling", "tote", "seal", "from", "to", "accountable", "priority", "due_by", "critical")
    )  # fmt: skip
    as_of = pack.taken_at.isoformat()
    for row in pack.rows:
        cells = (
            mark, as_of, "under_way", row.delivery, row.state, row.since.isoformat(), row.where, row.medicine,
            str(row.quantity), row.unit, row.batch, row.handling_class, row.tote, row.seal, row.from_name, row.to_name,
            row.accountable, row.priority.value, "" if row.due_by is None else row.due_by.isoformat(),
            "critical" if row.is_critical else "",
        )  # fmt: skip
        rows.writerow([harmless(cell) for cell in cells])
    for robot in pack.robots:
        heard = "" if robot.heard_at is None else robot.heard_at.isoformat()
        cells = (mark, as_of, "robot", "", robot.remark, heard, f"{robot.robot}: {robot.where}", *[""] * 13)
        rows.writerow([harmless(cell) for cell in cells])
    for held in pack.stock:
        # A balance may be below zero in a transit record; it is a number, and stays one.
        cells = (mark, as_of, "held", "", held.account.value, "", held.place, held.medicine)
        counted = (held.units, harmless(held.unit), harmless(held.batch))
        rows.writerow([*(harmless(cell) for cell in cells), *counted, *[""] * 9])
    return out.getvalue()
