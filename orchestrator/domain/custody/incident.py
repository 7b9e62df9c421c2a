"""Incidents: what went wrong with a medicine, kept until it was followed up; near misses count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from orchestrator.domain.delivery.ids import DeliveryId
from orchestrator.domain.people.model import PersonId
from orchestrator.domain.site.model import PlaceId

IncidentId = NewType("IncidentId", str)


class IncidentKind(StrEnum):
    """What went wrong."""

    SHORT = "short"
    OVER = "over"
    SEAL_DIFFERS = "seal_differs"
    SEAL_BROKEN = "seal_broken"
    WRONG_CONTENTS = "wrong_contents"
    DRAWER_FORCED = "drawer_forced"
    DRAWER_NOT_EMPTY = "drawer_not_empty"
    DRAWER_LEFT_OPEN = "drawer_left_open"
    BREAK_GLASS = "break_glass"
    MECHANICAL_KEY = "mechanical_key"
    TEMPERATURE = "temperature"
    CUSTODY_WITHOUT_PERSON = "custody_without_person"
    BREAKAGE = "breakage"
    LOST = "lost"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What somebody found out or did about an incident."""

    by: PersonId
    at: datetime
    sentence: str
    closes: bool = False


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident.

    ``is_controlled`` makes it one that the accountable officer sees. ``schedule`` is the strictest legal schedule among
    the medicines. ``caused_by`` are the people who were there; none of them closes it. ``sentence`` names no patient
    and no quantity, because everybody may be told it; ``details`` are for pharmacists and the accountable officer.
    """

    id: IncidentId
    kind: IncidentKind
    at: datetime
    place: PlaceId
    is_controlled: bool
    sentence: str
    delivery: DeliveryId | None = None
    schedule: str | None = None
    caused_by: tuple[PersonId, ...] = ()
    follow_ups: tuple[FollowUp, ...] = ()
    details: str = ""

    @property
    def is_closed(self) -> bool:
        """Whether somebody has closed it."""
        return self.closed_at is not None

    @property
    def closed_at(self) -> datetime | None:
        """When somebody closed it, first."""
        return next((follow_up.at for follow_up in self.follow_ups if follow_up.closes), None)
