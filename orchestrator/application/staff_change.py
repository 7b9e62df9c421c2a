"""Staff who change wards, roles or the end of their account; what they signed before stays as it was signed.

Sessions go on and step-ups stay, for both are judged by the person as they are now: the very next request, and an open
event stream within half a second, see the change.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.application.accountability import leave_what_is_not_theirs
from orchestrator.application.credentials import end_proofs
from orchestrator.application.openings import void_grants_of
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.staff import (
    end_administration_of,
    has_same_registration,
    require_own_registration,
    require_sound,
    tell_staff,
)
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.people.errors import OfficersAccountError, PersonEndedError
from orchestrator.domain.people.model import Person, PersonId, Role
from orchestrator.domain.people.proofs import SessionEnd
from orchestrator.domain.reason import require_said
from orchestrator.domain.site.model import PlaceId

ACT = "The change"


class NothingChangedError(InvalidInputError):
    """Nothing was named that is to be changed."""

    code = "nothing_changed"


@dataclass(frozen=True, slots=True)
class StaffChange:
    """What is to be said of somebody from now on; None leaves it as it is. ``has_no_end`` takes the end away."""

    roles: frozenset[Role] | None = None
    places: frozenset[PlaceId] | None = None
    registration: str | None = None
    expires_at: datetime | None = None
    has_no_end: bool = False

    def of(self, person: Person) -> Person:
        """Return the person as changed."""
        return replace(
            person,
            roles=person.roles if self.roles is None else self.roles,
            places=person.places if self.places is None else self.places,
            registration=self.registration or person.registration,
            expires_at=None if self.has_no_end else self.expires_at or person.expires_at,
        )


def change_staff(
    uow: UnitOfWork,
    person: PersonId,
    change: StaffChange,
    *,
    reason: str,
    known: Collection[PlaceId],
    at: datetime,
    by: str,
    premises: Premises,
    ids: Ids,
) -> Person:
    """Change roles, places, registration or end of an account; the same again changes nothing.

    Whoever loses a role or place is taken off what they may answer for no longer, as with a revocation, and their
    drawer grants that no robot has answered are void. Whoever is an administrator no longer loses the tokens of
    administrators that they made.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    person : PersonId
        Whose. Nobody's own: the policy says so.
    change : StaffChange
        What.
    reason : str
        Why, such as "moved to Birch ward".
    known : collection of PlaceId
        The places of the site.
    at : datetime
        Now; aware.
    by : str
        Who changes it.
    premises : Premises
        Stations, places and policy.
    ids : Ids
        Where new ids come from.

    Raises
    ------
    UnknownPersonError, InvalidInputError
        Nobody has the id, the reason says nothing, or nothing is to be changed.
    PersonInvalidError
        What would be said of the person cannot be so.
    PersonEndedError, OfficersAccountError
        The account was revoked, or somebody would become or cease to be the accountable officer.
    RegistrationTakenError
        The registration number, or that of an account which would stand again, is somebody else's by now.
    """
    before = uow.people.get(person)
    require_said(reason, act=ACT)
    if change == StaffChange():
        raise NothingChangedError(
            f"{ACT} was refused: it names nothing; expected roles, places, registration or end. Say what changes.",
            detail={"field": "roles"},
        )
    after = change.of(before)
    _require_changeable(before, after)
    require_sound(after, known, at=at)
    if after == before:
        return before
    if not (before.is_active(at) and has_same_registration(before, after)):
        require_own_registration(uow, after, at=at)
    uow.people.save(after)
    if not before.is_active(at):
        # What was left of an account that had ended does not come back to life with it.
        end_proofs(uow, person, at=at, because=SessionEnd.ACCOUNT_RESUMED)
    if not (before.roles <= after.roles and before.places <= after.places):
        void_grants_of(uow, person, at=at, reason="staff_changed")
        leave_what_is_not_theirs(uow, after, at=at, by=by, premises=premises, ids=ids)
    if before.has(Role.ADMINISTRATOR) and not after.has(Role.ADMINISTRATOR):
        end_administration_of(uow, person, at=at, by=by)
    tell_staff(uow, after, at=at, by=by, what="changed", why=reason, more={"changes": _history(before, after)})
    return after


def _require_changeable(before: Person, after: Person) -> None:
    if before.revoked_at is not None:
        raise PersonEndedError(
            f"{ACT} was refused: the account of {before.id} was revoked; expected one that stands. Add the person "
            "anew, with an id of its own.",
            detail={"person": before.id},
        )
    if before.has(Role.ACCOUNTABLE_OFFICER) != after.has(Role.ACCOUNTABLE_OFFICER):
        raise OfficersAccountError(
            f"{ACT} was refused: {before.id} would become, or cease to be, the accountable officer, whose account is "
            "for that alone; expected other roles. Add an account with an id of its own, or end this one.",
            detail={"person": before.id},
        )


def _history(before: Person, after: Person) -> dict[str, object]:
    """Return what was and what is, of what changed; of the registration only that it did."""
    said: dict[str, object] = {}
    if before.roles != after.roles:
        said["roles"] = {"from": sorted(before.roles), "to": sorted(after.roles)}
    if before.places != after.places:
        said["places"] = {"from": sorted(before.places), "to": sorted(after.places)}
    if before.expires_at != after.expires_at:
        said["expires_at"] = {"from": _text(before.expires_at), "to": _text(after.expires_at)}
    if before.registration != after.registration:
        said["registration"] = "changed"
    return said


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
