"""What is printed, and the port to whatever prints it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from orchestrator.application.downtime import DowntimePack
from orchestrator.application.registers import Register
from orchestrator.domain.custody.occurrence import OccurrenceReport
from orchestrator.domain.custody.scan_compliance import ScanReport
from orchestrator.domain.custody.tote_number import sscc_of
from orchestrator.domain.delivery.errors import UnknownToteError
from orchestrator.domain.delivery.model import Delivery, Tote, ToteId
from orchestrator.domain.site.model import PlaceId, Site, StationId


@dataclass(frozen=True, slots=True)
class DeliveryPaper:
    """A delivery as its note and the labels of its totes show it; ``numbers`` are those of the labels."""

    delivery: Delivery
    from_name: str
    to_name: str
    from_place: PlaceId
    to_place: PlaceId
    numbers: Mapping[ToteId, str]
    printed_at: datetime
    is_simulation: bool


def paper_of(delivery: Delivery, site: Site, *, at: datetime, is_simulation: bool, prefix: str) -> DeliveryPaper:
    """Return what is printed of a delivery; ``prefix`` is the hospital's GS1 company prefix."""
    return DeliveryPaper(
        delivery=delivery,
        from_name=_name(site, delivery.from_station),
        to_name=_name(site, delivery.to_station),
        from_place=_place(site, delivery.from_station),
        to_place=_place(site, delivery.to_station),
        numbers={tote.id: sscc_of(tote.id, prefix=prefix) for tote in delivery.totes},
        printed_at=at,
        is_simulation=is_simulation,
    )


def tote_of(delivery: Delivery, tote: ToteId) -> Tote:
    """Return a tote of a delivery; raises `UnknownToteError`."""
    for one in delivery.totes:
        if one.id == tote:
            return one
    raise UnknownToteError(
        f"Delivery {delivery.id} has no tote of this id; expected one of those that GET /api/v1/deliveries/"
        f"{delivery.id} lists. Look there.",
        detail={"delivery": delivery.id, "tote": tote},
    )


def _name(site: Site, station: StationId) -> str:
    found = site.stations.get(station)
    return station if found is None else found.name or found.id


def _place(site: Site, station: StationId) -> PlaceId:
    # A station that has gone from the site is a place of its own.
    found = site.stations.get(station)
    return PlaceId(station) if found is None else found.place


class Papers(Protocol):
    """Draws papers. What is simulated says so on every page, label and row."""

    def register_pdf(self, register: Register) -> bytes:
        """Return a register as it is printed: pages headed by class, strength and form."""
        ...

    def register_csv(self, register: Register) -> str:
        """Return a register as a table, one row for each line."""
        ...

    def delivery_note(self, paper: DeliveryPaper) -> bytes:
        """Return the note that goes with a delivery: which lines lie in which tote."""
        ...

    def tote_label(self, paper: DeliveryPaper, tote: Tote) -> bytes:
        """Return the label that goes onto a tote; it names no medicine, no quantity and no patient."""
        ...

    def downtime_pdf(self, pack: DowntimePack) -> bytes:
        """Return the downtime pack as it is printed, blank forms and all."""
        ...

    def scans_pdf(self, report: ScanReport) -> bytes:
        """Return the report on scanning as it is printed."""
        ...

    def scans_csv(self, report: ScanReport) -> str:
        """Return the report on scanning as a table."""
        ...

    def occurrence_pdf(self, report: OccurrenceReport) -> bytes:
        """Return the quarterly report as it is printed."""
        ...
