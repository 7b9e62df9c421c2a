"""What people are known by, changed: a PIN by its owner, a badge or PIN that was lost by an administrator.

From the commit on the old ones prove nothing: sessions end, step-ups that were not used are forgotten, and a guess that
was being compared meanwhile is looked at again (`sign_in.is_still_known_by`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from orchestrator.application.deciding import keep_decision
from orchestrator.application.openings import void_grants_of
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.sign_in import Guess, take_back_guess
from orchestrator.application.staff import NewSecrets, tell_staff
from orchestrator.domain.access.decision import Why
from orchestrator.domain.people.errors import OfficersAccountError, PersonEndedError
from orchestrator.domain.people.model import Person, PersonId, Role
from orchestrator.domain.people.proofs import SessionEnd, principal_of_person
from orchestrator.domain.reason import require_said


class Renewed(StrEnum):
    """What of somebody's is made anew."""

    BADGE = "badge"
    PIN = "pin"
    BOTH = "both"

    @property
    def is_badge(self) -> bool:
        """Whether there is a new badge."""
        return self is not Renewed.PIN

    @property
    def is_pin(self) -> bool:
        """Whether there is a new PIN."""
        return self is not Renewed.BADGE


def change_pin(uow: UnitOfWork, guess: Guess, *, hashed: str, at: datetime) -> Person | None:
    """Keep the PIN that somebody chose, after a right guess of the present one.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    guess : Guess
        Whose badge, and which act; it was right.
    hashed : str
        The hash of the new PIN, which `require_good_pin` let pass.
    at : datetime
        Now; aware.

    Returns
    -------
    Person or None
        Whose PIN it is; None when the account has ended, which is kept in the log.
    """
    person = take_back_guess(uow, guess)
    why = Why.ALLOWED if person.is_active(at) else Why.ACCOUNT_ENDED
    principal = principal_of_person(person, guess.device)
    keep_decision(uow, at=at, act=guess.act, why=why, principal=principal, device=guess.device, subject=person.id)
    if why is not Why.ALLOWED:
        return None
    uow.people.save_credentials(person.id, replace(uow.people.credentials(person.id), pin=hashed))
    end_proofs(uow, person.id, at=at, because=SessionEnd.PIN_CHANGED)
    tell_staff(uow, person, at=at, by=person.id, what="pin_changed")
    return person


def renew_staff(
    uow: UnitOfWork,
    person: PersonId,
    renewed: Renewed,
    *,
    made: NewSecrets,
    reason: str,
    at: datetime,
    by: str,
) -> Person:
    """Give somebody a new badge, a new PIN or both; the old ones prove nothing any more.

    A lock of wrong PINs stays: lifting it is for those who may, and goes with a look at who the person is.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    person : PersonId
        Whose. Nobody's own: the policy says so.
    renewed : Renewed
        What.
    made : NewSecrets
        The new ones; what is not renewed is left out.
    reason : str
        Why, such as "badge lost".
    at : datetime
        Now; aware.
    by : str
        Who renews it.

    Raises
    ------
    UnknownPersonError, InvalidInputError
        Nobody has the id, or the reason says nothing.
    PersonEndedError, OfficersAccountError
        The account has ended, or is the accountable officer's.
    """
    known = uow.people.get(person)
    require_said(reason, act="The renewal")
    require_standing(known, act="The renewal", at=at)
    if known.has(Role.ACCOUNTABLE_OFFICER):
        raise OfficersAccountError(
            f"The renewal was refused: {person} is the accountable officer, in whose name nobody else may come to act; "
            "expected another member of staff. End the account and add one with an id of its own, which everybody "
            "sees.",
            detail={"person": person},
        )
    before = uow.people.credentials(person)
    after = replace(
        before,
        badge=made.kept.badge if renewed.is_badge else before.badge,
        pin=made.kept.pin if renewed.is_pin else before.pin,
    )
    uow.people.save_credentials(person, after)
    _keep_counts(uow, before.badge, after.badge)
    end_proofs(uow, person, at=at, because=SessionEnd.RENEWED)
    void_grants_of(uow, person, at=at, reason="renewed")
    tell_staff(uow, known, at=at, by=by, what="renewed", why=reason, more={"renewed": renewed.value})
    return known


def told_of(renewed: Renewed, made: NewSecrets) -> dict[str, str]:
    """Return what is told once: the new badge's code, the new PIN, or both."""
    badge = {"badge": made.badge} if renewed.is_badge else {}
    return badge | ({"pin": made.pin} if renewed.is_pin else {})


def end_proofs(uow: UnitOfWork, person: PersonId, *, at: datetime, because: SessionEnd) -> None:
    """End every session of a person, and forget their step-ups that were not used."""
    for session in uow.proofs.sessions(person=person):
        uow.proofs.save_session(session.ended(at, because))
    uow.proofs.forget_step_ups(person)


def require_standing(person: Person, *, act: str, at: datetime) -> None:
    """Refuse to change an account that has ended.

    Raises
    ------
    PersonEndedError
        It was revoked, or its time is up.
    """
    if person.is_active(at):
        return
    raise PersonEndedError(
        f"{act} was refused: the account of {person.id} has ended; expected one that stands. Add the person anew, with "
        "an id of its own.",
        detail={"person": person.id},
    )


def _keep_counts(uow: UnitOfWork, before: str, after: str) -> None:
    if before == after:
        return
    counts = uow.proofs.pin_counts(before)
    uow.proofs.forget_pin_counts(before)
    for count in counts:
        uow.proofs.save_pin_count(replace(count, badge=after))
