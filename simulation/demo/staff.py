"""The staff of a demonstration: made at its start, with badges and PINs that nobody had before."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml
from rich.table import Table

from orchestrator.adapters.clock import RandomIds, SystemClock
from orchestrator.adapters.config.built_in import built_in
from orchestrator.adapters.identity.secrets import Argon2Secrets, key_in
from orchestrator.adapters.store import open_store
from orchestrator.application.secrets import Secrets
from orchestrator.application.staff_office import StaffOffice
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.people.model import Person, PersonId, Role
from orchestrator.domain.site.model import PlaceId, Site, StationId
from simulation.demo.stage import Stage

POLICY_FILE = "demo.policy.yaml"
SITE_WIDE = (Role.SITE_MANAGER, Role.PORTER, Role.ENGINEER, Role.ACCOUNTABLE_OFFICER, Role.ADMINISTRATOR)


@dataclass(frozen=True, slots=True)
class Member:
    """One member of staff, with what they sign in with and the device they stand at."""

    person: Person
    badge: str
    pin: str

    @property
    def device(self) -> str:
        """The device they use."""
        return f"desk-of-{self.person.id}"[:64]


@dataclass(frozen=True, slots=True)
class DemoStaff:
    """Everybody, in the order they were made."""

    members: Sequence[Member]
    site: Site

    def of(self, person: str) -> Member:
        """Return a member by id."""
        return next(one for one in self.members if one.person.id == person)

    def first(self, *roles: Role, at: StationId | None = None) -> str:
        """Return the id of the first who has one of the roles, at a station's place where one is named."""
        place = None if at is None else self.site.stations[at].place
        return next(
            one.person.id
            for one in self.members
            if one.person.has(*roles) and (place is None or one.person.belongs_to(place))
        )

    def table(self) -> Table:
        """Return everybody as the person at the terminal needs it to sign in on the page."""
        table = Table(title="Staff of this demonstration, made just now; each signs in with badge and PIN")
        for heading in ("id", "roles", "place", "badge", "PIN"):
            table.add_column(heading, no_wrap=True)
        for one in self.members:
            roles = ", ".join(sorted(role.value.replace("_", " ") for role in one.person.roles))
            table.add_row(one.person.id, roles, ", ".join(sorted(one.person.places)) or "-", one.badge, one.pin)
        return table


def make_staff(stage: Stage, *, secrets: Secrets | None = None) -> DemoStaff:
    """Put the staff of a demonstration into its books, before its service opens them, and name their devices.

    Parameters
    ----------
    stage : Stage
        Where the books will be.
    secrets : Secrets, optional
        Those that the service will have, where they are not as usual.
    """
    data = Path(stage.service_env["WARDPORTER_DATA"])
    store = open_store(stage.service_env["WARDPORTER_STORE"])
    try:
        premises = Premises(stage.site.stations)
        secrets = secrets or Argon2Secrets(key_in(data))
        office = StaffOffice(store, secrets, SystemClock(), stage.site, premises, RandomIds())
        members = [Member(person, told.badge, told.pin) for person in _people(stage) for told in (office.add(person),)]
    finally:
        store.close()
    staff = DemoStaff(members, stage.site)
    (stage.folder / POLICY_FILE).write_text(_policy_text(staff), encoding="utf-8")
    return staff


def _people(stage: Stage) -> list[Person]:
    stations = stage.site.stations
    pharmacies = dict.fromkeys(stations[hatch].place for hatch in stage.cast.hatches)
    wards = dict.fromkeys(place for ward in stage.cast.wards if (place := stations[ward].place) not in pharmacies)
    people: list[Person] = []
    for place in pharmacies:
        for role, count in ((Role.PHARMACIST, 2), (Role.PHARMACY_TECHNICIAN, 2)):
            people += [_at(place, role, number) for number in range(1, count + 1)]
    for place in wards:
        people += [_at(place, Role.NURSE, number) for number in (1, 2)]
        people.append(_at(place, Role.NURSE_IN_CHARGE, 1))
    # Over the whole site: no two people have one registration number, or one of them would sign as two.
    registered = [replace(person, registration=f"TEST-{number:04d}") for number, person in enumerate(people, 1)]
    return registered + [Person(PersonId(f"{_words(role)}-1"), frozenset({role})) for role in SITE_WIDE]


def _at(place: PlaceId, role: Role, number: int) -> Person:
    name = PersonId(f"{_words(role)}-{re.sub(r'[^A-Za-z0-9._-]', '-', place)[:40]}-{number}")
    return Person(name, frozenset({role}), frozenset({place}))


def _words(role: Role) -> str:
    return role.value.replace("_", "-")


def _policy_text(staff: DemoStaff) -> str:
    policy: Mapping[str, object] = yaml.safe_load(built_in("policies/default.policy.yaml").read_text(encoding="utf-8"))
    own = [one.device for one in staff.members]
    return yaml.safe_dump({**policy, "policy": "demo", "own_devices": own}, sort_keys=False)
