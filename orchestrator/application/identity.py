"""Who acts: the one port that says it, from what a request carries and never from its body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from orchestrator.application.ports import UnitOfWork
from orchestrator.application.secrets import Secrets
from orchestrator.domain.errors import WardporterError
from orchestrator.domain.people.model import Principal, Role
from orchestrator.domain.people.proofs import Session, SessionEnd, first_maker, principal_of_person

SESSION_COOKIE = "wardporter_session"
BEARER = "bearer "


class PrincipalMissingError(WardporterError):
    """The request does not say who acts, and this act needs to know."""

    code = "principal_missing"


class PrincipalInvalidError(PrincipalMissingError):
    """What the request says about who acts proves nothing."""

    code = "principal_invalid"


class SessionEndedError(PrincipalMissingError):
    """The session or account behind the proof has ended."""

    code = "session_ended"


@dataclass(frozen=True, slots=True)
class Carried:
    """What a request carries that may prove who acts: headers by lower-case name, and cookies; and whether it reads."""

    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    is_reading: bool = False

    @property
    def token(self) -> str | None:
        """The bearer token, or the one in the cookie of our pages."""
        said = self.headers.get("authorization")
        if said is not None and said[: len(BEARER)].lower() == BEARER:
            return said[len(BEARER) :].strip()
        return None if said is not None else self.cookies.get(SESSION_COOKIE)


@dataclass(frozen=True, slots=True)
class Proven:
    """Who acts, as proven. ``session`` is where a person signed in.

    ``is_spent`` says that the session ended with its one act a moment ago: it proves nothing new, and only the answer
    to that act may be asked for again.
    """

    principal: Principal
    session: Session | None = None
    is_spent: bool = False


class Identity(Protocol):
    """The way to know who acts."""

    @property
    def is_development(self) -> bool:
        """Whether anybody is believed to be whoever they say."""
        ...

    def prove(self, uow: UnitOfWork, carried: Carried, *, at: datetime) -> Proven:
        """Return who acts; raises `PrincipalMissingError` or one of its kind."""
        ...


class StaffIdentity:
    """Knows people by their sessions and programs by their tokens."""

    is_development = False

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def prove(self, uow: UnitOfWork, carried: Carried, *, at: datetime) -> Proven:
        """Return who acts.

        Raises
        ------
        PrincipalMissingError
            The request carries no token.
        PrincipalInvalidError
            It carries one that was never ours.
        SessionEndedError
            The session, the token or the account has ended.
        """
        token = carried.token
        if not token:
            raise PrincipalMissingError(
                "The request was refused: it does not say who acts; expected a token in the header Authorization: "
                "Bearer. Sign in at POST /api/v1/sessions, or on the page /sign-in; wardporter staff add "
                "makes an account. Among simulated robots WARDPORTER_IDENTITY=development believes a header instead."
            )
        digest = self._secrets.digest_token(token)
        session = uow.proofs.session(digest)
        if session is not None:
            return _of_session(uow, session, at=at)
        known = uow.proofs.token(digest)
        if known is None:
            raise PrincipalInvalidError(
                "The request was refused: nobody has this token; expected one that was made here. Sign in again."
            )
        if not known.is_active(at):
            raise SessionEndedError(
                "The request was refused: the token has ended or was taken back; expected one that is good. Ask an "
                "administrator for a new one."
            )
        if Role.ADMINISTRATOR not in known.roles:
            return Proven(known.principal)
        # Whoever looks after staff through a program is still who they are, where nobody may do it for oneself.
        return Proven(replace(known.principal, made_by=first_maker(known, uow.proofs.tokens())))


def _of_session(uow: UnitOfWork, session: Session, *, at: datetime) -> Proven:
    person = uow.people.get(session.person)
    is_spent = session.is_spent(at)
    if not person.is_active(at) or not (session.is_live(at) or is_spent):
        because = session.ended_because
        locked = because is SessionEnd.DEVICE_LOCKED
        raise SessionEndedError(
            "The request was refused: "
            + ("too much was refused on this device, so its sessions ended" if locked else "the session has ended")
            + "; expected one that goes on. Sign in again.",
            detail={"ended": because.value if because else "time_is_up"},
        )
    return Proven(principal_of_person(person, session.device), session, is_spent)
