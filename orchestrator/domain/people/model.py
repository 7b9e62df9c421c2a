"""People who work here, and the principals that act.

A person is known by an id of ours, never by a name: names stay in the staff list and are shown to people only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from orchestrator.domain.site.model import PlaceId

PersonId = NewType("PersonId", str)


class Role(StrEnum):
    """What somebody is employed as here; a person may have several."""

    PHARMACIST = "pharmacist"
    PHARMACY_TECHNICIAN = "pharmacy_technician"
    NURSE = "nurse"
    NURSE_IN_CHARGE = "nurse_in_charge"
    MIDWIFE = "midwife"
    THEATRE_PRACTITIONER = "theatre_practitioner"
    PORTER = "porter"
    SITE_MANAGER = "site_manager"
    ENGINEER = "engineer"
    ACCOUNTABLE_OFFICER = "accountable_officer"
    ADMINISTRATOR = "administrator"

    @property
    def is_registered(self) -> bool:
        """Whether the role asks for a professional registration number."""
        return self in REGISTERED

    @property
    def is_ward_practitioner(self) -> bool:
        """Whether the role may receive and witness medicines on a ward."""
        return self in WARD_PRACTITIONERS

    @property
    def is_pharmacy(self) -> bool:
        """Whether the role handles medicines in the pharmacy."""
        return self in (Role.PHARMACIST, Role.PHARMACY_TECHNICIAN)


WARD_PRACTITIONERS = frozenset({Role.NURSE, Role.NURSE_IN_CHARGE, Role.MIDWIFE, Role.THEATRE_PRACTITIONER})
REGISTERED = WARD_PRACTITIONERS | {Role.PHARMACIST, Role.PHARMACY_TECHNICIAN}


@dataclass(frozen=True, slots=True)
class Person:
    """One member of staff.

    ``registration`` is the number at the professional register, where a role asks for one. ``places`` are the wards and
    pharmacies the person belongs to; site-wide roles need none. ``expires_at`` ends an agency account with its shift.
    ``revoked_at`` ends any account at once.
    """

    id: PersonId
    roles: frozenset[Role]
    places: frozenset[PlaceId] = frozenset()
    registration: str | None = None
    is_agency: bool = False
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_active(self, at: datetime) -> bool:
        """Whether the account stands at a moment."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)

    def has(self, *roles: Role) -> bool:
        """Whether the person has one of the roles."""
        return not self.roles.isdisjoint(roles)

    def belongs_to(self, place: PlaceId) -> bool:
        """Whether the person is a member of a place."""
        return place in self.places


class PrincipalKind(StrEnum):
    """What acts: a person, a program with a token, or whoever development believes."""

    PERSON = "person"
    PROGRAM = "program"
    DEVELOPMENT = "development"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts, as far as a request proved it.

    ``id`` is the person's, or the program's. ``device`` is where a person signed in. ``made_by`` is the person, or the
    terminal, that a program's leave to look after staff goes back to.
    """

    id: str
    kind: PrincipalKind
    roles: frozenset[Role]
    places: frozenset[PlaceId] = frozenset()
    device: str | None = None
    made_by: str | None = None
