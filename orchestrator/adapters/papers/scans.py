"""The report on scanning, on paper and as a table."""

from __future__ import annotations

import csv
import io

from reportlab.lib.units import mm

from orchestrator.adapters.papers.registers import harmless
from orchestrator.adapters.papers.sheet import SIMULATION, Section, pdf_of, table
from orchestrator.domain.custody.scan_compliance import PlaceScans, ScanReport


def scans_pdf(report: ScanReport) -> bytes:
    """Return the report as it is printed."""
    days = f"{report.period.first} to {report.period.last}"
    rows = [
        (
            one.place,
            str(one.scanned),
            str(one.by_hand),
            _percent(one),
            "; ".join(f"{reason}: {times}" for reason, times in one.reasons.items()),
        )
        for one in (*report.places, report.whole)
    ]
    headings = ("Place", "Lines scanned", "Entered by hand", "Scanned, per cent", "Why not, and how often")
    section = Section(
        [f"Scanning of packs, {days}", "By the place that picked them; a line picked anew counts as it was last."],
        [table(headings, rows, [width * mm for width in (50, 26, 26, 30, 141)])],
    )
    return pdf_of([section], title=f"Scanning {days}", foot=days, is_simulation=report.is_simulation)


def scans_csv(report: ScanReport) -> str:
    """Return the report as a table: one row for each place and reason, and one for what was scanned."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(("simulation", "from", "to", "place", "how", "reason", "lines"))
    simulation = SIMULATION if report.is_simulation else ""
    for one in report.places:
        head = (simulation, str(report.period.first), str(report.period.last), one.place)
        rows.writerow([harmless(cell) for cell in (*head, "scanned", "", str(one.scanned))])
        for reason, times in one.reasons.items():
            rows.writerow([harmless(cell) for cell in (*head, "by hand", reason, str(times))])
    return out.getvalue()


def _percent(one: PlaceScans) -> str:
    return f"{100 * one.share_scanned:.1f}" if one.scanned + one.by_hand else "-"
