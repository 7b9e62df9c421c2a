"""Reports over the whole ledger."""

from __future__ import annotations

from datetime import datetime

from orchestrator.application.ports import UnitOfWork
from orchestrator.application.registers import every_entry
from orchestrator.domain.custody.occurrence import OccurrenceReport, Quarter, occurrence_report
from orchestrator.domain.medicine.model import MedicineCode
from orchestrator.domain.medicine.schedule import Schedule

INCIDENTS_MAX = 100_000


def quarterly_report(uow: UnitOfWork, quarter: Quarter, *, at: datetime, is_simulation: bool) -> OccurrenceReport:
    """Return the occurrence report of a quarter, from the ledger and the incidents as they stand."""
    schedules: dict[str, Schedule | None] = {}

    def schedule_of(code: str) -> Schedule | None:
        if code not in schedules:
            medicine = uow.medicines.find(MedicineCode(code))
            schedules[code] = None if medicine is None else medicine.schedule
        return schedules[code]

    return occurrence_report(
        quarter,
        entries=every_entry(uow.ledger),
        incidents=uow.incidents.newest(INCIDENTS_MAX),
        schedule_of=schedule_of,
        at=at,
        is_simulation=is_simulation,
    )
