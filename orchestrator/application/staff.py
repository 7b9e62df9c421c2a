"""Staff on the books: who is added, whose account ends, whose lock is lifted, and the tokens of programs."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.application.openings import void_grants_of
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.secrets import Secrets
from orchestrator.domain.people.errors import (
    PersonInvalidError,
    PersonTakenError,
    RegistrationTakenError,
    UnknownTokenError,
)
from orchestrator.domain.people.model import WARD_PRACTITIONERS, Person, PersonId, Role
from orchestrator.domain.people.proofs import AccessToken, Credentials, SessionEnd, first_maker
from orchestrator.domain.reason import require_said
from orchestrator.domain.site.model import PlaceId, Site

STAFF_CHANGED = "staff_changed"
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ID_WORDS = "1 to 64 letters, digits, dots, underscores, hyphens, a letter or digit first"
AGENCY_LONGEST = timedelta(hours=24)
REGISTRATION_LENGTH_MAX = 40
HANDLING = WARD_PRACTITIONERS | {Role.PHARMACIST, Role.PHARMACY_TECHNICIAN}
TERMINAL = "terminal"
"""Who acts at the terminal of the machine that keeps the books: whoever may read and write them anyway."""
OURS = frozenset({TERMINAL, "custody", "dispatch", "schedule"})
"""What records say where this house acted by itself, or somebody at its terminal: nobody is called so."""
_REGISTRATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./-]*")


@dataclass(frozen=True, slots=True)
class NewSecrets:
    """A badge's code and a PIN, told once and to one person, and what is kept of them."""

    badge: str
    pin: str
    kept: Credentials


def new_secrets(secrets: Secrets) -> NewSecrets:
    """Make a badge code and a PIN; takes long, so never on the control's thread."""
    badge, pin = secrets.new_badge(), secrets.new_pin()
    return NewSecrets(badge, pin, Credentials(secrets.digest_badge(badge), secrets.hash_pin(pin)))


def places_of(site: Site) -> frozenset[PlaceId]:
    """Return the places that people may belong to: those of stations that are more than a robot's resting place."""
    return frozenset(station.place for station in site.stations.values() if not station.kind.is_resting_place)


def add_staff(
    uow: UnitOfWork, person: Person, *, credentials: Credentials, known: Collection[PlaceId], at: datetime, by: str
) -> Person:
    """Add a member of staff.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    person : Person
        Who.
    credentials : Credentials
        What the person is known by.
    known : collection of PlaceId
        The places of the site.
    at : datetime
        Now; aware.
    by : str
        Who adds them.

    Raises
    ------
    PersonInvalidError
        Something said of the person cannot be so.
    PersonTakenError
        The id is somebody's already, or a program's.
    RegistrationTakenError
        Somebody else has the registration number.
    """
    require_sound(person, known, at=at)
    _require_free(uow, person.id)
    require_own_registration(uow, person, at=at)
    uow.people.add(person, credentials)
    tell_staff(uow, person, at=at, by=by, what="added")
    return person


def require_sound(person: Person, known: Collection[PlaceId], *, at: datetime) -> None:
    """Refuse what cannot be so of a member of staff, new or changed.

    Raises
    ------
    PersonInvalidError
        Says what, and of which field.
    """
    for trouble, expected, field in _troubles(person, known, at=at):
        raise PersonInvalidError(
            f"The member of staff was refused: {trouble}; expected {expected}. Correct it.", detail={"field": field}
        )


def require_own_registration(uow: UnitOfWork, person: Person, *, at: datetime) -> None:
    """Refuse the registration number of another account that stands: one person would sign as two.

    Numbers are compared by their letters and digits alone, whatever the case: registers and people write the same
    number with and without spaces.

    Raises
    ------
    RegistrationTakenError
        Names the other account, not the number.
    """
    number = _compared(person.registration)
    if not number:
        return
    for other in uow.people.all():
        if other.id != person.id and other.is_active(at) and _compared(other.registration) == number:
            raise RegistrationTakenError(
                f"The member of staff was refused: {other.id} has this registration number; expected one of their own, "
                "so that nobody signs as two people. Correct the number, or end the other account if it is the same "
                "person's.",
                detail={"field": "registration", "person": other.id},
            )


def has_same_registration(person: Person, other: Person) -> bool:
    """Whether two accounts name the same registration number, or both none."""
    return _compared(person.registration) == _compared(other.registration)


def _compared(registration: str | None) -> str:
    return "".join(sign for sign in (registration or "").casefold() if sign.isalnum())


def _troubles(person: Person, known: Collection[PlaceId], *, at: datetime) -> list[tuple[str, str, str]]:
    """Return what cannot be so, what was expected instead, and of which field."""
    is_handling = person.has(*HANDLING)
    strangers = sorted(person.places - set(known))
    checks = (
        (
            ID.fullmatch(person.id) is None,
            "the id is none",
            _ID_WORDS,
            "id",
        ),
        (
            person.registration is not None
            and person.registration.strip() != ""
            and _REGISTRATION.fullmatch(person.registration.strip()) is None,
            "the registration number holds something else than a number at a register does",
            "letters from A to Z, digits, spaces, dots, hyphens, slashes, a letter or digit first",
            "registration",
        ),
        (not person.roles, "no role is named", "at least one", "roles"),
        (
            is_handling and person.has(Role.ACCOUNTABLE_OFFICER),
            "the accountable officer would handle medicines",
            "another person for that: the officer reads and follows up",
            "roles",
        ),
        (is_handling and not person.places, "no place is named", "the ward or pharmacy they work in", "places"),
        (bool(strangers), f"there is no place {', '.join(strangers)}", f"some of {', '.join(sorted(known))}", "places"),
        (
            any(role.is_registered for role in person.roles) and not (person.registration or "").strip(),
            "no registration number is given",
            "the number at the professional register, which these roles ask for",
            "registration",
        ),
        (
            len(person.registration or "") > REGISTRATION_LENGTH_MAX,
            "the registration number is too long",
            f"at most {REGISTRATION_LENGTH_MAX} characters",
            "registration",
        ),
        (
            person.is_agency and (person.expires_at is None or person.expires_at > at + AGENCY_LONGEST),
            "an agency account has no end within a day",
            "the end of the shift",
            "expires_at",
        ),
        (
            person.expires_at is not None and person.expires_at <= at,
            "the account has ended already",
            "an end to come",
            "expires_at",
        ),
    )
    return [(trouble, expected, field) for is_so, trouble, expected, field in checks if is_so]


def revoke_staff(uow: UnitOfWork, person: PersonId, *, reason: str, at: datetime, by: str) -> Person:
    """End somebody's account, every session of theirs and every drawer grant not answered; again changes nothing.

    So do the tokens of administrators that they made: see `end_administration_of`.

    Raises
    ------
    UnknownPersonError, InvalidInputError
        Nobody has the id, or the reason says nothing.
    """
    known = uow.people.get(person)
    require_said(reason, act="The revocation")
    if known.revoked_at is not None:
        return known
    revoked = replace(known, revoked_at=at)
    uow.people.save(revoked)
    for session in uow.proofs.sessions(person=person):
        uow.proofs.save_session(session.ended(at, SessionEnd.REVOKED))
    void_grants_of(uow, person, at=at)
    end_administration_of(uow, person, at=at, by=by)
    tell_staff(uow, revoked, at=at, by=by, what="revoked", why=reason)
    return revoked


def unlock_staff(uow: UnitOfWork, person: PersonId, *, identity_check: str, at: datetime, by: str) -> Person:
    """Lift the lock that wrong PINs laid on somebody's badge, at every device, after their identity was checked.

    Parameters
    ----------
    identity_check : str
        How it was checked, such as "photo on the staff card"; kept, so no document's number.

    Raises
    ------
    UnknownPersonError, InvalidInputError
        Nobody has the id, or the check says nothing.
    """
    known = uow.people.get(person)
    require_said(identity_check, act="The unlocking")
    uow.proofs.forget_pin_counts(uow.people.credentials(person).badge)
    tell_staff(uow, known, at=at, by=by, what="unlocked", why=identity_check)
    return known


def make_token(
    uow: UnitOfWork, token: AccessToken, *, known: Collection[PlaceId], at: datetime, by: str
) -> AccessToken:
    """Keep a program's token.

    Raises
    ------
    PersonInvalidError, PersonTakenError
        What is said of it cannot be so, or its name is taken.
    """
    strangers = sorted(token.places - set(known))
    if ID.fullmatch(token.id) is None or not token.roles or strangers:
        raise PersonInvalidError(
            f"The token was refused: it needs a name of {_ID_WORDS}, at least one role, and places of this site "
            f"({', '.join(sorted(known))}). Correct it.",
            detail={"field": "places" if strangers else "roles" if not token.roles else "name"},
        )
    if not token.is_active(at):
        raise PersonInvalidError(
            "The token was refused: it has ended already, so it would prove nothing; expected an end to come, or none. "
            "Correct it.",
            detail={"field": "expires_at"},
        )
    _require_free(uow, token.id)
    uow.proofs.add_token(token)
    uow.events.append(at=at, kind=STAFF_CHANGED, subject=token.id, data={"what": "token_made", "by": by})
    return token


def revoke_token(uow: UnitOfWork, token: str, *, at: datetime, by: str) -> AccessToken:
    """Take a program's token back at once; taking it back again changes nothing.

    Raises
    ------
    UnknownTokenError
        No token has the name.
    """
    known = next((one for one in uow.proofs.tokens() if one.id == token), None)
    if known is None:
        raise UnknownTokenError(
            "No token has this name; expected one of those that GET /api/v1/tokens lists.", detail={"token": token}
        )
    if known.revoked_at is not None:
        return known
    revoked = replace(known, revoked_at=at, revoked_by=by)
    uow.proofs.save_token(revoked)
    uow.events.append(at=at, kind=STAFF_CHANGED, subject=token, data={"what": "token_revoked", "by": by})
    return revoked


def end_administration_of(uow: UnitOfWork, person: PersonId, *, at: datetime, by: str) -> None:
    """Take back the tokens of administrators that go back to a person, who could go on as one by them.

    Tokens for other roles stay: the programs of the hospital go on when who set them up leaves.
    """
    tokens = uow.proofs.tokens()
    for token in tokens:
        if Role.ADMINISTRATOR in token.roles and token.is_active(at) and first_maker(token, tokens) == person:
            revoke_token(uow, token.id, at=at, by=by)


def is_locked(uow: UnitOfWork, person: PersonId) -> bool:
    """Whether wrong PINs have locked somebody's badge, at some device or everywhere."""
    return any(count.is_locked for count in uow.proofs.pin_counts(uow.people.credentials(person).badge))


def _require_free(uow: UnitOfWork, name: str) -> None:
    if name.lower() in OURS or any(one.id == name for one in (*uow.people.all(), *uow.proofs.tokens())):
        raise PersonTakenError(
            f"The id {name} was refused: it is somebody's, a program's, or this house's own; expected one of its own. "
            "Ids are never given twice, so that the records stay true. Choose another.",
            detail={"id": name},
        )


def tell_staff(
    uow: UnitOfWork,
    person: Person,
    *,
    at: datetime,
    by: str,
    what: str,
    why: str = "",
    more: Mapping[str, object] | None = None,
) -> None:
    """Append to the event stream what became of a member of staff; no secret and no registration number is in it."""
    data = {"what": what, "by": by, "why": why, **(more or {})}
    uow.events.append(at=at, kind=STAFF_CHANGED, subject=person.id, data=data)
