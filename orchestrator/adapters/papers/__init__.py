"""What is printed: registers, notes, labels, reports, the downtime pack."""

from __future__ import annotations

from orchestrator.adapters.papers.delivery import delivery_note, tote_label
from orchestrator.adapters.papers.downtime import downtime_pdf
from orchestrator.adapters.papers.files import write_whole, written_pack
from orchestrator.adapters.papers.occurrence import occurrence_pdf
from orchestrator.adapters.papers.registers import register_csv, register_pdf
from orchestrator.adapters.papers.scans import scans_csv, scans_pdf
from orchestrator.application.downtime import DowntimePack
from orchestrator.application.papers import DeliveryPaper
from orchestrator.application.registers import Register
from orchestrator.domain.custody.occurrence import OccurrenceReport
from orchestrator.domain.custody.scan_compliance import ScanReport
from orchestrator.domain.delivery.model import Tote

__all__ = ["PrintedPapers", "register_csv", "register_pdf", "write_whole", "written_pack"]


class PrintedPapers:
    """Implements `orchestrator.application.papers.Papers`."""

    def register_pdf(self, register: Register) -> bytes:
        """Return a register as it is printed."""
        return register_pdf(register)

    def register_csv(self, register: Register) -> str:
        """Return a register as a table."""
        return register_csv(register)

    def delivery_note(self, paper: DeliveryPaper) -> bytes:
        """Return the note that goes with a delivery."""
        return delivery_note(paper)

    def tote_label(self, paper: DeliveryPaper, tote: Tote) -> bytes:
        """Return the label that goes onto a tote."""
        return tote_label(paper, tote)

    def downtime_pdf(self, pack: DowntimePack) -> bytes:
        """Return the downtime pack as it is printed."""
        return downtime_pdf(pack)

    def scans_pdf(self, report: ScanReport) -> bytes:
        """Return the report on scanning as it is printed."""
        return scans_pdf(report)

    def scans_csv(self, report: ScanReport) -> str:
        """Return the report on scanning as a table."""
        return scans_csv(report)

    def occurrence_pdf(self, report: OccurrenceReport) -> bytes:
        """Return the occurrence report as it is printed."""
        return occurrence_pdf(report)
