"""What the application asks of a store about people, proofs of who acts, and decisions. See `ports`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from orchestrator.domain.access.decision import Decision
from orchestrator.domain.people.model import Person, PersonId
from orchestrator.domain.people.proofs import AccessToken, Credentials, PinCount, Session, StepUp


class PeopleRepository(Protocol):
    """Members of staff."""

    def get(self, person: PersonId) -> Person:
        """Return the person; raises `UnknownPersonError`."""
        ...

    def all(self) -> Sequence[Person]:
        """Return everybody, also those whose account has ended, by id."""
        ...

    def add(self, person: Person, credentials: Credentials) -> None:
        """Keep a new person; raises `AlreadyKeptError` for an id or a badge that is kept already."""
        ...

    def save(self, person: Person) -> None:
        """Keep the next version."""
        ...

    def credentials(self, person: PersonId) -> Credentials:
        """Return what a person is known by; raises `UnknownPersonError`."""
        ...

    def save_credentials(self, person: PersonId, credentials: Credentials) -> None:
        """Keep what a person is known by from now on, and forget what it was.

        Raises `UnknownPersonError`, and `AlreadyKeptError` for a badge of somebody else.
        """
        ...

    def by_badge(self, digest: str) -> tuple[Person, Credentials] | None:
        """Return whose badge has this digest."""
        ...


class ProofRepository(Protocol):
    """Sessions, tokens, step-ups and counted guesses."""

    def session(self, digest: str) -> Session | None:
        """Return the session whose token has this digest."""
        ...

    def sessions(self, *, person: PersonId | None = None, device: str | None = None) -> Sequence[Session]:
        """Return the sessions that nobody has ended, of a person or at a device, oldest first."""
        ...

    def newest_start(self, device: str) -> datetime | None:
        """Return when somebody last signed in at a device."""
        ...

    def add_session(self, session: Session) -> None:
        """Keep a new session."""
        ...

    def save_session(self, session: Session) -> None:
        """Keep the next version."""
        ...

    def token(self, digest: str) -> AccessToken | None:
        """Return the token that has this digest."""
        ...

    def tokens(self) -> Sequence[AccessToken]:
        """Return all tokens, also those that have ended, by id."""
        ...

    def add_token(self, token: AccessToken) -> None:
        """Keep a new token; raises `AlreadyKeptError` for an id that is kept already."""
        ...

    def save_token(self, token: AccessToken) -> None:
        """Keep the next version."""
        ...

    def step_up(self, digest: str) -> StepUp | None:
        """Return the step-up whose token has this digest."""
        ...

    def add_step_up(self, step_up: StepUp) -> None:
        """Keep a new step-up."""
        ...

    def use_step_up(self, digest: str, at: datetime) -> None:
        """Record that a step-up was used."""
        ...

    def forget_step_ups(self, person: PersonId) -> None:
        """Forget every step-up of a person that was not used: it proves nothing any more."""
        ...

    def pin_count(self, badge: str, device: str) -> PinCount:
        """Return the guesses counted of a badge at a device; none when nothing was."""
        ...

    def pin_counts(self, badge: str) -> Sequence[PinCount]:
        """Return the guesses counted of a badge at all devices, by device."""
        ...

    def save_pin_count(self, count: PinCount) -> None:
        """Keep the count."""
        ...

    def forget_pin_counts(self, badge: str) -> None:
        """Count a badge's guesses anew."""
        ...

    def forget_counts_of_nobody(self, *, before: datetime, keep: int) -> None:
        """Forget counts of badges that nobody has: those whose newest guess is older, and all but the newest."""
        ...


@dataclass(frozen=True, slots=True)
class KeptDecision:
    """A decision with its number in the log."""

    number: int
    decision: Decision


class DecisionLog(Protocol):
    """The access log: every decision, numbered in the order of commits; only ever added."""

    def add(self, decision: Decision) -> KeptDecision:
        """Keep a decision and return it with its number (numbers grow)."""
        ...

    def page(self, *, before: int | None, limit: int, refused_only: bool = False) -> Sequence[KeptDecision]:
        """Return up to ``limit`` decisions, newest first, that are older than number ``before``."""
        ...

    def refused_at(self, device: str, *, since: datetime) -> int:
        """Return how many acts were refused to people at a device since a moment, wrong badges and PINs left out."""
        ...
