"""People, proofs and decisions of the store in memory."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from orchestrator.application.errors import AlreadyKeptError
from orchestrator.application.people_ports import KeptDecision
from orchestrator.domain.access.decision import REFUSED_TO_PEOPLE, Decision
from orchestrator.domain.people.errors import UnknownPersonError
from orchestrator.domain.people.model import Person, PersonId
from orchestrator.domain.people.proofs import AccessToken, Credentials, PinCount, Session, StepUp
from simulation.journal import Journal, refuse_second


@dataclass(slots=True)
class MemoryPeople:
    """Members of staff."""

    journal: Journal
    kept: dict[PersonId, Person] = field(default_factory=dict[PersonId, Person])
    known_by: dict[PersonId, Credentials] = field(default_factory=dict[PersonId, Credentials])

    def get(self, person: PersonId) -> Person:
        """Return the person; raises `UnknownPersonError`."""
        if person not in self.kept:
            raise UnknownPersonError(
                "Nobody has this id; expected one of those that wardporter staff list shows.", detail={"person": person}
            )
        return self.kept[person]

    def all(self) -> Sequence[Person]:
        """Return everybody, by id."""
        return [self.kept[person] for person in sorted(self.kept)]

    def add(self, person: Person, credentials: Credentials) -> None:
        """Keep a new person."""
        refuse_second(self.kept, person.id, "person")
        if self.by_badge(credentials.badge) is not None:
            raise AlreadyKeptError("The person was refused: the badge is kept already; expected a new one.")
        self.journal.put(self.kept, person.id, person)
        self.journal.put(self.known_by, person.id, credentials)

    def save(self, person: Person) -> None:
        """Keep the next version."""
        if self.get(person.id) != person:
            self.journal.put(self.kept, person.id, person)

    def credentials(self, person: PersonId) -> Credentials:
        """Return what a person is known by; raises `UnknownPersonError`."""
        self.get(person)
        return self.known_by[person]

    def save_credentials(self, person: PersonId, credentials: Credentials) -> None:
        """Keep what a person is known by from now on, and forget what it was."""
        self.get(person)
        holder = self.by_badge(credentials.badge)
        if holder is not None and holder[0].id != person:
            raise AlreadyKeptError("The badge was refused: it is kept already; expected a new one.")
        self.journal.put(self.known_by, person, credentials)

    def by_badge(self, digest: str) -> tuple[Person, Credentials] | None:
        """Return whose badge has this digest."""
        found = next((person for person, known in self.known_by.items() if known.badge == digest), None)
        return None if found is None else (self.kept[found], self.known_by[found])


@dataclass(slots=True)
class MemoryProofs:
    """Sessions, tokens, step-ups and counted guesses."""

    journal: Journal
    kept_sessions: dict[str, Session] = field(default_factory=dict[str, Session])
    kept_tokens: dict[str, AccessToken] = field(default_factory=dict[str, AccessToken])
    step_ups: dict[str, StepUp] = field(default_factory=dict[str, StepUp])
    counts: dict[tuple[str, str], PinCount] = field(default_factory=dict[tuple[str, str], PinCount])

    def session(self, digest: str) -> Session | None:
        """Return the session whose token has this digest."""
        return self.kept_sessions.get(digest)

    def sessions(self, *, person: PersonId | None = None, device: str | None = None) -> Sequence[Session]:
        """Return the sessions that nobody has ended, of a person or at a device, oldest first."""
        found = (
            s for s in self.kept_sessions.values() if s.ended_at is None and (s.person == person or s.device == device)
        )
        return sorted(found, key=lambda session: (session.started_at, session.id))

    def newest_start(self, device: str) -> datetime | None:
        """Return when somebody last signed in at a device."""
        return max((s.started_at for s in self.kept_sessions.values() if s.device == device), default=None)

    def add_session(self, session: Session) -> None:
        """Keep a new session."""
        refuse_second(self.kept_sessions, session.digest, "session")
        self.journal.put(self.kept_sessions, session.digest, session)

    def save_session(self, session: Session) -> None:
        """Keep the next version."""
        self.journal.put(self.kept_sessions, session.digest, session)

    def token(self, digest: str) -> AccessToken | None:
        """Return the token that has this digest."""
        return next((token for token in self.kept_tokens.values() if token.digest == digest), None)

    def tokens(self) -> Sequence[AccessToken]:
        """Return all tokens, by id."""
        return [self.kept_tokens[token] for token in sorted(self.kept_tokens)]

    def add_token(self, token: AccessToken) -> None:
        """Keep a new token."""
        refuse_second(self.kept_tokens, token.id, "token")
        self.journal.put(self.kept_tokens, token.id, token)

    def save_token(self, token: AccessToken) -> None:
        """Keep the next version."""
        self.journal.put(self.kept_tokens, token.id, token)

    def step_up(self, digest: str) -> StepUp | None:
        """Return the step-up whose token has this digest."""
        return self.step_ups.get(digest)

    def add_step_up(self, step_up: StepUp) -> None:
        """Keep a new step-up."""
        refuse_second(self.step_ups, step_up.digest, "step-up")
        self.journal.put(self.step_ups, step_up.digest, step_up)

    def use_step_up(self, digest: str, at: datetime) -> None:
        """Record that a step-up was used."""
        self.journal.put(self.step_ups, digest, replace(self.step_ups[digest], used_at=at))

    def forget_step_ups(self, person: PersonId) -> None:
        """Forget every step-up of a person that was not used."""
        unused = [one.digest for one in self.step_ups.values() if one.person == person and one.used_at is None]
        for digest in unused:
            self.journal.take(self.step_ups, digest)

    def pin_count(self, badge: str, device: str) -> PinCount:
        """Return the guesses counted of a badge at a device."""
        return self.counts.get((badge, device)) or PinCount(badge, device)

    def pin_counts(self, badge: str) -> Sequence[PinCount]:
        """Return the guesses counted of a badge at all devices, by device."""
        return [self.counts[key] for key in sorted(self.counts) if key[0] == badge]

    def save_pin_count(self, count: PinCount) -> None:
        """Keep the count."""
        self.journal.put(self.counts, (count.badge, count.device), count)

    def forget_pin_counts(self, badge: str) -> None:
        """Count a badge's guesses anew."""
        for count in self.pin_counts(badge):
            self.journal.take(self.counts, (badge, count.device))

    def forget_counts_of_nobody(self, *, before: datetime, keep: int) -> None:
        """Forget counts of badges that nobody has: those whose newest guess is older, and all but the newest."""
        found = [
            (count.wrong_at[-1], key) for key, count in self.counts.items() if count.is_of_nobody and count.wrong_at
        ]
        old = [key for newest_at, key in found if newest_at < before]
        beyond = [key for _, key in heapq.nsmallest(len(found) - keep, found)] if len(found) > keep else []
        for key in (*old, *beyond):
            self.journal.take(self.counts, key)


@dataclass(slots=True)
class MemoryDecisions:
    """Decisions, numbered from 1 on."""

    journal: Journal
    kept: dict[int, KeptDecision] = field(default_factory=dict[int, KeptDecision])

    def add(self, decision: Decision) -> KeptDecision:
        """Keep a decision and return it with its number."""
        kept = KeptDecision(len(self.kept) + 1, decision)
        self.journal.put(self.kept, kept.number, kept)
        return kept

    def page(self, *, before: int | None, limit: int, refused_only: bool = False) -> Sequence[KeptDecision]:
        """Return up to ``limit`` decisions, newest first, that are older than number ``before``."""
        found = [
            kept
            for kept in self.kept.values()
            if (before is None or kept.number < before) and not (refused_only and kept.decision.is_allowed)
        ]
        return sorted(found, key=lambda kept: -kept.number)[:limit]

    def refused_at(self, device: str, *, since: datetime) -> int:
        """Return how many acts were refused to people at a device since a moment."""
        return sum(
            kept.decision.device == device and kept.decision.at >= since and kept.decision.why in REFUSED_TO_PEOPLE
            for kept in self.kept.values()
        )
