"""Where custody takes place: which station belongs to which place, and what the place has decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.domain.custody.people import Fits, in_pharmacy, on_ward
from orchestrator.domain.custody.policy import SHIPPED, CustodyPolicy
from orchestrator.domain.medicine.handling import HandlingClass, HandlingRule
from orchestrator.domain.site.model import PlaceId, Station, StationId, StationKind


@dataclass(frozen=True, slots=True)
class Premises:
    """The stations of a site, and the custody policy in force there."""

    stations: Mapping[StationId, Station]
    policy: CustodyPolicy = SHIPPED

    def place(self, station: StationId) -> PlaceId:
        """Return the place of a station; a station that has gone from the site is a place of its own."""
        found = self.stations.get(station)
        return PlaceId(station) if found is None else found.place

    def is_pharmacy(self, place: PlaceId) -> bool:
        """Whether a place is a pharmacy: it has a hatch."""
        return any(s.place == place and s.kind is StationKind.PHARMACY_HATCH for s in self.stations.values())

    def rule(self, handling_class: HandlingClass) -> HandlingRule:
        """Return what a class asks for here."""
        return self.policy.rule(handling_class)

    def staff_of(self, place: PlaceId, handling_class: HandlingClass) -> tuple[Fits, str]:
        """Return who handles medicines of a class at a place, and how to say it: pharmacy staff, or its nurses."""
        if self.is_pharmacy(place):
            return in_pharmacy(place), f"a pharmacist or pharmacy technician of {place}"
        ward = on_ward(place, handling_class=handling_class, policy=self.policy)
        return ward, f"a registered nurse, midwife or theatre practitioner of {place}"
