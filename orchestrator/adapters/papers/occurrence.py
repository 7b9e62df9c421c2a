"""The quarterly occurrence report on paper."""

from __future__ import annotations

from collections.abc import Mapping

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Spacer

from orchestrator.adapters.papers.sheet import Section, moment, pdf_of, table, text
from orchestrator.adapters.papers.words import ACCOUNTS, INCIDENTS
from orchestrator.domain.custody.occurrence import OccurrenceReport
from orchestrator.domain.custody.occurrence import Section as Part
from orchestrator.domain.medicine.model import Medicine


def occurrence_pdf(report: OccurrenceReport) -> bytes:
    """Return the report as it is printed, a section for each schedule, empty ones too."""
    state = "final" if report.is_final else "not final: entries of this quarter may still come"
    sections = [
        Section(
            [
                f"Controlled drugs occurrence report {report.quarter.name}: {_title(part)}",
                f"{state}. {_nil(part.is_nil)}",
            ],
            _story(part, report.medicines),
        )
        for part in report.sections
    ]
    return pdf_of(
        sections,
        title=f"Occurrence report {report.quarter.name}",
        foot=f"{report.quarter.name}; {_nil(report.is_nil)}",
        is_simulation=report.is_simulation,
    )


def _title(part: Part) -> str:
    return "not classified" if part.schedule is None else f"schedule {part.schedule}"


def _nil(is_nil: bool) -> str:
    return "Nil return" if is_nil else "Not a nil return"


def _named(code: str, medicines: Mapping[str, Medicine]) -> str:
    known = medicines.get(code)
    return code if known is None else f"{known.title} ({code})"


def _counted(units: str, code: str, medicines: Mapping[str, Medicine]) -> str:
    known = medicines.get(code)
    return units if known is None else f"{units} {known.unit}"


def _story(part: Part, medicines: Mapping[str, Medicine]) -> list[Flowable]:
    incidents = [
        (
            incident.id,
            INCIDENTS[incident.kind],
            moment(incident.at),
            incident.place,
            incident.sentence,
            _end(incident.is_closed),
        )
        for incident in part.incidents
    ]
    differences = [
        (
            str(difference.entry),
            difference.place,
            _named(difference.medicine, medicines),
            f"{_counted(str(abs(difference.units)), difference.medicine, medicines)} "
            f"{'short' if difference.units > 0 else 'over'}"
            f"{', settled or corrected' if difference.is_settled else ''}",
        )
        for difference in part.differences
    ]
    found = sum(not difference.is_settled for difference in part.differences)
    movements = [
        (
            _named(movement.medicine, medicines),
            ACCOUNTS[movement.account],
            _counted(f"{movement.units:+d}", movement.medicine, medicines),
        )
        for movement in part.movements
    ]
    return [
        text(
            f"Entries: {part.entries}, corrections: {part.corrections}, late: {part.late_entries}. "
            f"Incidents and near misses: {len(part.incidents)}. Differences: {found}.",
            9,
        ),
        Spacer(1, 3 * mm),
        table(
            ("Incident", "Kind", "When", "Place", "What", "State"),
            incidents,
            [width * mm for width in (35, 35, 38, 35, 105, 25)],
        ),
        Spacer(1, 3 * mm),
        table(("Entry", "Place", "Medicine", "Difference"), differences, [width * mm for width in (25, 60, 100, 88)]),
        Spacer(1, 3 * mm),
        table(
            ("Medicine", "Account", "Gained (+) or given up (-)"), movements, [width * mm for width in (100, 90, 83)]
        ),
    ]


def _end(is_closed: bool) -> str:
    return "closed" if is_closed else "open"
