"""Signing in with badge and PIN: a guess is counted and committed before the PIN is looked at.

Three steps in three transactions, because the PIN's slow hash is computed between them and off the control's thread:
`count_guess`, then `Secrets.is_pin`, then `signed_in` or `keep_wrong_guess`. A kill in between costs a guess and never
gives one back. An unknown badge goes the same way with the same words, so nothing tells it from a wrong PIN.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.application.deciding import ACCESS_LOCKED, keep_decision
from orchestrator.application.identity import PrincipalMissingError
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.secrets import Secrets
from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.decision import Why
from orchestrator.domain.errors import WardporterError
from orchestrator.domain.people.model import Person
from orchestrator.domain.people.proofs import (
    A_WHILE,
    ANYWHERE,
    COUNTS_OF_NOBODY_MAX,
    Session,
    SessionEnd,
    principal_of_person,
)


class SignInRefusedError(PrincipalMissingError):
    """Badge and PIN are not those of anybody here."""

    code = "sign_in_refused"


class PinLockedError(WardporterError):
    """Too many wrong PINs: no further one is looked at until a person lifts the lock."""

    code = "pin_locked"


class AccountEndedError(WardporterError):
    """Badge and PIN are right, and the account has ended."""

    code = "account_ended"


@dataclass(frozen=True, slots=True)
class Guess:
    """A guess that was counted: whose badge, at which device and when, and the hash it has to fit."""

    badge: str
    device: str
    at: datetime
    act: Act
    subject: str
    person: Person | None
    hashed: str | None


def count_guess(
    uow: UnitOfWork, *, badge: str, device: str, at: datetime, act: Act = Act.SIGN_IN, subject: str = ""
) -> Guess | None:
    """Count a guess as wrong before it is looked at.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction; to be committed before the PIN is compared.
    badge : str
        Digest of the badge's code.
    device : str
        Where.
    at : datetime
        Now; aware.
    act : Act
        What the person wants to do; kept in the log.
    subject : str
        On what.

    Returns
    -------
    Guess or None
        None when the badge is locked, here or everywhere: nothing is compared then. `locked` is the refusal.
    """
    counts = [uow.proofs.pin_count(badge, one) for one in (device, ANYWHERE)]
    known = uow.people.by_badge(badge)
    person = known[0] if known else None
    if any(count.is_locked for count in counts):
        principal = principal_of_person(person, device) if person else None
        keep_decision(uow, at=at, act=act, why=Why.LOCKED, principal=principal, device=device, subject=subject)
        return None
    for count in counts:
        uow.proofs.save_pin_count(replace(count.guessed(at), is_of_nobody=person is None))
    if person is None:
        uow.proofs.forget_counts_of_nobody(before=at - A_WHILE, keep=COUNTS_OF_NOBODY_MAX)
    return Guess(badge, device, at, act, subject, person, known[1].pin if known else None)


def locked() -> PinLockedError:
    """Return the refusal of a badge that is locked."""
    return PinLockedError(
        "The sign-in was refused: too many wrong PINs for this badge; expected a lock to be lifted first. Ask the "
        "nurse in charge of your ward or the site manager, who will ask who you are."
    )


def keep_wrong_guess(uow: UnitOfWork, guess: Guess) -> SignInRefusedError:
    """Keep that badge and PIN did not fit, tell when that locked the badge, and return the refusal."""
    principal = principal_of_person(guess.person, guess.device) if guess.person else None
    why = Why.WRONG_PIN if guess.person else Why.UNKNOWN_BADGE
    keep_decision(
        uow,
        at=guess.at,
        act=guess.act,
        why=why,
        principal=principal,
        device=guess.device,
        subject=guess.subject,
    )
    is_locked = any(uow.proofs.pin_count(guess.badge, one).is_locked for one in (guess.device, ANYWHERE))
    if is_locked:
        who = guess.person.id if guess.person else "unknown"
        data = {"what": "person", "device": guess.device, "why": "too many wrong PINs"}
        uow.events.append(at=guess.at, kind=ACCESS_LOCKED, subject=who, data=data)
    return SignInRefusedError(
        "The sign-in was refused: badge and PIN do not fit; expected those of one member of staff. Try again; after "
        "five wrong PINs the badge is locked."
    )


def is_still_known_by(uow: UnitOfWork, guess: Guess) -> bool:
    """Whether the badge and the PIN that were compared are still the person's: they may be new since."""
    known = uow.people.by_badge(guess.badge)
    return (
        known is not None
        and guess.person is not None
        and (known[0].id, known[1].pin)
        == (
            guess.person.id,
            guess.hashed,
        )
    )


def take_back_guess(uow: UnitOfWork, guess: Guess) -> Person:
    """Take back the count of a guess that was right, and return whose it was.

    Raises
    ------
    AccountEndedError
        The account has ended, or ended while the PIN was compared. The caller keeps the decision.
    """
    assert guess.person is not None, "only somebody known can be right"
    for device in (guess.device, ANYWHERE):
        uow.proofs.save_pin_count(uow.proofs.pin_count(guess.badge, device).was_right(guess.at))
    return uow.people.get(guess.person.id)


def account_ended() -> AccountEndedError:
    """Return the refusal of somebody whose account has ended."""
    return AccountEndedError(
        "The sign-in was refused: the account has ended; expected one that stands. Ask an administrator; agency "
        "accounts end with their shift."
    )


def signed_in(
    uow: UnitOfWork, guess: Guess, *, at: datetime, ids: Ids, secrets: Secrets, own_devices: Collection[str]
) -> tuple[Session, str] | None:
    """Start a session after a right guess.

    Parameters
    ----------
    own_devices : collection of str
        Devices that one person uses for long; all others are shared.

    Returns
    -------
    tuple of Session and str, or None
        The session and its token, told once; None when the account has ended.
    """
    person = take_back_guess(uow, guess)
    principal = principal_of_person(person, guess.device)
    why = Why.ALLOWED if person.is_active(at) else Why.ACCOUNT_ENDED
    keep_decision(uow, at=at, act=guess.act, why=why, principal=principal, device=guess.device, subject="")
    if why is not Why.ALLOWED:
        return None
    token = secrets.new_token()
    session = Session(
        ids.new("session"),
        secrets.digest_token(token),
        person.id,
        guess.device,
        is_shared=guess.device not in own_devices,
        started_at=at,
        used_at=at,
    )
    uow.proofs.add_session(session)
    return session, token


def sign_out(uow: UnitOfWork, session: Session, *, at: datetime) -> None:
    """End a session; ending it again changes nothing."""
    uow.proofs.save_session(session.ended(at, SessionEnd.SIGNED_OUT))
