"""Reports over the whole ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from orchestrator.application.ports import UnitOfWork
from orchestrator.application.registers import every_entry
from orchestrator.domain.custody.occurrence import OccurrenceReport, Quarter, occurrence_report
from orchestrator.domain.medicine.model import Medicine, MedicineCode
from orchestrator.domain.medicine.schedule import Schedule

INCIDENTS_MAX = 100_000


def quarterly_report(uow: UnitOfWork, quarter: Quarter, *, at: datetime, is_simulation: bool) -> OccurrenceReport:
    """Return the occurrence report of a quarter, from the ledger and the incidents as they stand."""
    known: dict[str, Medicine | None] = {}

    def medicine_of(code: str) -> Medicine | None:
        if code not in known:
            known[code] = uow.medicines.find(MedicineCode(code))
        return known[code]

    def schedule_of(code: str) -> Schedule | None:
        medicine = medicine_of(code)
        return None if medicine is None else medicine.schedule

    report = occurrence_report(
        quarter,
        entries=every_entry(uow.ledger),
        incidents=uow.incidents.newest(INCIDENTS_MAX),
        schedule_of=schedule_of,
        at=at,
        is_simulation=is_simulation,
    )
    told = [one.medicine for section in report.sections for one in (*section.movements, *section.differences)]
    return replace(report, medicines={code: found for code in told if (found := medicine_of(code)) is not None})
