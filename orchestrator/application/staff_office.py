"""The staff office: what ``wardporter staff`` does with the books themselves, while no service has them open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from orchestrator.application.credentials import Renewed, change_pin, renew_staff, told_of
from orchestrator.application.deciding import keep_decision, keep_refusal, subject_of_person
from orchestrator.application.ports import Clock, Ids, Store, UnitOfWork
from orchestrator.application.secrets import Secrets
from orchestrator.application.sign_in import (
    Guess,
    account_ended,
    count_guess,
    keep_wrong_guess,
    locked,
    take_back_guess,
)
from orchestrator.application.staff import (
    TERMINAL,
    add_staff,
    is_locked,
    make_token,
    new_secrets,
    places_of,
    revoke_staff,
    revoke_token,
    unlock_staff,
)
from orchestrator.application.staff_change import StaffChange, change_staff
from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.decision import NotAllowedError, Why, require_allowed
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.people.model import Person, PersonId, Principal, PrincipalKind, Role
from orchestrator.domain.people.pins import require_good_pin
from orchestrator.domain.people.proofs import AccessToken, principal_of_person
from orchestrator.domain.site.model import PlaceId, Site

T = TypeVar("T")

DEVICE = "terminal"


@dataclass(frozen=True, slots=True)
class Told:
    """What is told once of somebody new: the badge's code and the PIN."""

    badge: str
    pin: str


@dataclass(frozen=True, slots=True)
class ToldAnew:
    """What is told once of somebody whose badge, PIN or both are new; None of what stays as it was."""

    badge: str | None = None
    pin: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A member of staff or a program, as listed; ``state`` is ``active``, ``ended``, ``revoked`` or ``locked``."""

    id: str
    roles: tuple[str, ...]
    places: tuple[str, ...]
    state: str
    is_program: bool = False


@dataclass(frozen=True, slots=True)
class BadgeAndPin:
    """What somebody shows to prove who they are."""

    badge: str
    pin: str


class Office(Protocol):
    """Where staff are kept: in the books at hand, or behind a service that has them open."""

    def add(self, person: Person) -> Told:
        """Add a member of staff."""
        ...

    def list(self) -> Sequence[Listed]:
        """Return everybody, and every program's token."""
        ...

    def revoke(self, person: str, *, reason: str) -> None:
        """End an account."""
        ...

    def unlock(self, person: str, *, identity_check: str, by: BadgeAndPin) -> None:
        """Lift a lock, as somebody who may and who proves it."""
        ...

    def renew(self, person: str, renewed: Renewed, *, reason: str, by: BadgeAndPin) -> ToldAnew:
        """Give somebody a new badge or PIN, as somebody who may and who proves it."""
        ...

    def change(self, person: str, change: StaffChange, *, reason: str) -> None:
        """Change roles, places, registration or end of an account."""
        ...

    def change_pin(self, by: BadgeAndPin, new_pin: str) -> None:
        """Change the PIN of who proves who they are."""
        ...

    def make_token(self, name: str, roles: frozenset[Role], places: frozenset[PlaceId], until: datetime | None) -> str:
        """Make a program's token and return its text."""
        ...

    def revoke_token(self, name: str) -> None:
        """Take a program's token back."""
        ...


@dataclass(frozen=True, slots=True)
class StaffOffice:
    """The books at hand. Whoever may write the files may do this, so no proof is asked for.

    But for what is done in somebody's name: an unlocking, a renewal, and one's own PIN.
    """

    store: Store
    secrets: Secrets
    clock: Clock
    site: Site
    premises: Premises
    ids: Ids

    def add(self, person: Person) -> Told:
        """Add a member of staff."""
        made = new_secrets(self.secrets)
        known = places_of(self.site)
        self._act(
            Act.ADD_STAFF,
            person.id,
            lambda uow, at: add_staff(uow, person, credentials=made.kept, known=known, at=at, by=TERMINAL),
        )
        return Told(made.badge, made.pin)

    def list(self) -> Sequence[Listed]:
        """Return everybody, and every program's token."""
        at = self.clock.now()
        with self.store.reading() as uow:
            people = [
                Listed(one.id, _sorted(one.roles), _sorted(one.places), _state(uow, one, at=at))
                for one in uow.people.all()
            ]
            tokens = [
                Listed(one.id, _sorted(one.roles), _sorted(one.places), _state_of_token(one, at=at), is_program=True)
                for one in uow.proofs.tokens()
            ]
        return [*people, *tokens]

    def revoke(self, person: str, *, reason: str) -> None:
        """End an account."""
        self._act(
            Act.REVOKE_STAFF,
            person,
            lambda uow, at: revoke_staff(uow, PersonId(person), reason=reason, at=at, by=TERMINAL),
        )

    def unlock(self, person: str, *, identity_check: str, by: BadgeAndPin) -> None:
        """Lift a lock, as somebody who may and who proves it."""

        def lift(uow: UnitOfWork, at: datetime, who: Person) -> None:
            unlock_staff(uow, PersonId(person), identity_check=identity_check, at=at, by=who.id)

        self._as_person(by, Act.UNLOCK_STAFF, PersonId(person), lift)

    def renew(self, person: str, renewed: Renewed, *, reason: str, by: BadgeAndPin) -> ToldAnew:
        """Give somebody a new badge or PIN, as somebody who may and who proves it."""
        made = new_secrets(self.secrets)

        def renew(uow: UnitOfWork, at: datetime, who: Person) -> None:
            renew_staff(uow, PersonId(person), renewed, made=made, reason=reason, at=at, by=who.id)

        self._as_person(by, Act.RENEW_STAFF, PersonId(person), renew)
        return ToldAnew(**told_of(renewed, made))

    def change(self, person: str, change: StaffChange, *, reason: str) -> None:
        """Change roles, places, registration or end of an account."""

        def do(uow: UnitOfWork, at: datetime) -> Person:
            return change_staff(
                uow,
                PersonId(person),
                change,
                reason=reason,
                known=places_of(self.site),
                at=at,
                by=TERMINAL,
                premises=self.premises,
                ids=self.ids,
            )

        self._act(Act.CHANGE_STAFF, person, do)

    def change_pin(self, by: BadgeAndPin, new_pin: str) -> None:
        """Change the PIN of who proves who they are."""
        require_good_pin(new_pin, present=by.pin)
        guess = self._right_guess(by, Act.CHANGE_PIN)
        hashed = self.secrets.hash_pin(new_pin)
        with self.store.transaction() as uow:
            changed = change_pin(uow, guess, hashed=hashed, at=self.clock.now())
        if changed is None:
            raise account_ended()

    def make_token(self, name: str, roles: frozenset[Role], places: frozenset[PlaceId], until: datetime | None) -> str:
        """Make a program's token and return its text."""
        text = self.secrets.new_token()

        def make(uow: UnitOfWork, at: datetime) -> AccessToken:
            token = AccessToken(name, self.secrets.digest_token(text), roles, places, at, TERMINAL, until)
            return make_token(uow, token, known=places_of(self.site), at=at, by=TERMINAL)

        self._act(Act.MAKE_TOKEN, name, make)
        return text

    def revoke_token(self, name: str) -> None:
        """Take a program's token back."""
        self._act(Act.REVOKE_TOKEN, name, lambda uow, at: revoke_token(uow, name, at=at, by=TERMINAL))

    def _act(self, act: Act, subject: str, do: Callable[[UnitOfWork, datetime], T]) -> T:
        at = self.clock.now()
        terminal = Principal(TERMINAL, PrincipalKind.PROGRAM, frozenset({Role.ADMINISTRATOR}))
        with self.store.transaction() as uow:
            keep_decision(uow, at=at, act=act, why=Why.ALLOWED, principal=terminal, device=DEVICE, subject=subject)
            return do(uow, at)

    def _right_guess(self, by: BadgeAndPin, act: Act, subject: str = "") -> Guess:
        """Return the guess of who shows badge and PIN; a wrong one counts as anywhere else."""
        badge, at = self.secrets.digest_badge(by.badge), self.clock.now()
        with self.store.transaction() as uow:
            guess = count_guess(uow, badge=badge, device=DEVICE, at=at, act=act, subject=subject)
        if guess is None:
            raise locked()
        if not self.secrets.is_pin(by.pin, guess.hashed):
            with self.store.transaction() as uow:
                refused = keep_wrong_guess(uow, guess)
            raise refused
        return guess

    def _as_person(
        self, by: BadgeAndPin, act: Act, person: PersonId, do: Callable[[UnitOfWork, datetime, Person], object]
    ) -> None:
        """Do something about somebody as who proves to be somebody who may."""
        guess = self._right_guess(by, act, person)
        with self.store.transaction() as uow:
            who = take_back_guess(uow, guess)
        if not who.is_active(self.clock.now()):
            raise account_ended()
        with self.store.transaction() as uow:
            refused = self._done(uow, who, act, person, do)
        if refused is not None:
            raise refused

    def _done(
        self,
        uow: UnitOfWork,
        who: Person,
        act: Act,
        person: PersonId,
        do: Callable[[UnitOfWork, datetime, Person], object],
    ) -> NotAllowedError | None:
        """Do it, or keep that it was refused and return why: a refusal must outlive the transaction."""
        at, principal = self.clock.now(), principal_of_person(who, DEVICE)
        try:
            require_allowed(principal, act, subject_of_person(uow.people.get(person)))
        except NotAllowedError as refused:
            keep_refusal(uow, refused, at=at, principal=principal, subject=person)
            return refused
        keep_decision(uow, at=at, act=act, why=Why.ALLOWED, principal=principal, device=DEVICE, subject=person)
        do(uow, at, who)
        return None


def state_of_account(*, is_revoked: bool, is_active: bool, is_locked: bool) -> str:
    """Return how an account stands, in a word."""
    if is_revoked:
        return "revoked"
    if not is_active:
        return "ended"
    return "locked" if is_locked else "active"


def _state(uow: UnitOfWork, person: Person, *, at: datetime) -> str:
    return state_of_account(
        is_revoked=person.revoked_at is not None,
        is_active=person.is_active(at),
        is_locked=is_locked(uow, person.id),
    )


def _state_of_token(token: AccessToken, *, at: datetime) -> str:
    is_revoked = token.revoked_at is not None
    return state_of_account(is_revoked=is_revoked, is_active=token.is_active(at), is_locked=False)


def _sorted(words: frozenset[Role] | frozenset[PlaceId]) -> tuple[str, ...]:
    return tuple(sorted(str(word) for word in words))
