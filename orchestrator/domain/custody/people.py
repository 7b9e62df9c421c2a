"""Who may load, receive, check and take over, and how many of them it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from orchestrator.domain.custody.errors import NotEligibleError, PeopleMissingError, SamePersonError
from orchestrator.domain.custody.policy import CustodyPolicy
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.people.model import Person, PersonId, Role
from orchestrator.domain.site.model import PlaceId


@dataclass(frozen=True, slots=True)
class Present:
    """Who is there when something is done.

    ``by`` is the principal of the request. ``people`` are those who proved themselves for this very act, the one who
    acts first. ``roles`` are those of the principal.
    ``is_believed`` says that development believes anybody; such a principal is nobody for what is
    controlled.
    """

    by: str
    people: tuple[Person, ...] = ()
    roles: frozenset[Role] = frozenset()
    is_believed: bool = False

    @property
    def ids(self) -> tuple[PersonId, ...]:
        """Ids of the people, the one who acts first."""
        return tuple(person.id for person in self.people)

    @property
    def actor(self) -> str:
        """Id of who acts."""
        return self.people[0].id if self.people else self.by


def believed(by: str) -> Present:
    """Return somebody whom development believes to be who they say."""
    return Present(by, roles=frozenset(Role), is_believed=True)


Fits = Callable[[Person], bool]


def require_people(
    present: Present,
    *,
    wanted: int,
    fits: Fits,
    who: str,
    act: str,
    handling_class: HandlingClass,
    at: datetime,
) -> None:
    """Refuse an act unless enough different people are there and each may take part.

    Parameters
    ----------
    present : Present
        Who is there.
    wanted : int
        How many different people it takes.
    fits : callable
        Whether a person may take part.
    who : str
        Who may, in words, for the refusal.
    act : str
        What is refused, such as ``The receipt``.
    handling_class : HandlingClass
        The strictest class handled. Whom development believes may handle what is ordinary.
    at : datetime
        Now; aware.

    Raises
    ------
    SamePersonError, PeopleMissingError, NotEligibleError
        One person stands for two; there are too few; one of them may not.
    """
    if present.is_believed and not present.people and handling_class is HandlingClass.ORDINARY:
        return
    if len(set(present.ids)) < len(present.ids):
        raise SamePersonError(
            f"{act} was refused: one person proved themselves twice; expected {wanted} different people. "
            "Ask a second person to enter badge and PIN.",
            detail={"expected": wanted},
        )
    for person in present.people:
        if not person.is_active(at) or person.has(Role.ACCOUNTABLE_OFFICER) or not fits(person):
            raise NotEligibleError(
                f"{act} was refused: {person.id} may not take part in it; expected {who}. Ask one of them.",
                detail={"person": person.id},
            )
    if len(present.people) < wanted:
        raise PeopleMissingError(
            f"{act} was refused: {len(present.people)} of {wanted} people proved themselves for it; expected {wanted} "
            f"different ones, each {who}, with badge and PIN. Ask for the other, then do it together.",
            detail={"expected": wanted, "present": len(present.people)},
        )


def in_pharmacy(place: PlaceId) -> Fits:
    """Return whether somebody handles medicines in this pharmacy."""
    return lambda person: any(role.is_pharmacy for role in person.roles) and person.belongs_to(place)


def on_ward(place: PlaceId, *, handling_class: HandlingClass, policy: CustodyPolicy) -> Fits:
    """Return whether somebody receives medicines of a class on this ward.

    They are registered, of this ward, and not of an agency where the place does not allow that.
    """

    def fits(person: Person) -> bool:
        is_practitioner = any(role.is_ward_practitioner for role in person.roles) and person.registration is not None
        is_controlled = handling_class is HandlingClass.CONTROLLED
        may_as_agency = not (person.is_agency and is_controlled) or policy.may_agency_handle_controlled
        return is_practitioner and person.belongs_to(place) and may_as_agency

    return fits


def either(*ways: Fits) -> Fits:
    """Return whether a person fits in one of several ways."""
    return lambda person: any(fits(person) for fits in ways)


def holds_role(*roles: Role) -> Fits:
    """Return whether a person has one of the roles, wherever they belong."""
    return lambda person: person.has(*roles)
