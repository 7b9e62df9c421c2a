"""What proves who acts: a session of a person, a token of a program, a step-up for one act; and counted guesses.

None of them holds a secret: badge codes, PINs and tokens are kept as digests alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.domain.access.acts import Act
from orchestrator.domain.people.model import Person, PersonId, Principal, PrincipalKind, Role
from orchestrator.domain.site.model import PlaceId

IDLE = timedelta(minutes=15)
IDLE_SHARED = timedelta(minutes=2)
ABSOLUTE = timedelta(hours=8)
STEP_UP_LASTS = timedelta(minutes=2)
WRONG_IN_A_ROW = 5
WRONG_IN_A_WHILE = 10
A_WHILE = timedelta(hours=24)
COUNTS_OF_NOBODY_MAX = 2000
"""Counts of badges that nobody has: a stranger makes up as many as they like, and they must not fill the disk."""
ANYWHERE = "*"
"""Stands for all devices together where guesses are counted; no device is called so."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a person is known by: digest of the badge's code, and hash of the PIN."""

    badge: str
    pin: str


class SessionEnd(StrEnum):
    """Why a session was ended before its time."""

    SIGNED_OUT = "signed_out"
    ACT_DONE = "act_done"
    REVOKED = "revoked"
    DEVICE_LOCKED = "device_locked"
    PIN_CHANGED = "pin_changed"
    RENEWED = "renewed"
    ACCOUNT_RESUMED = "account_resumed"


@dataclass(frozen=True, slots=True)
class Session:
    """A person signed in at a device, known by the digest of its token.

    A session on a device that people share ends with one act and after two minutes without use, any other after
    fifteen minutes, and each after eight hours.
    """

    id: str
    digest: str
    person: PersonId
    device: str
    is_shared: bool
    started_at: datetime
    used_at: datetime
    ended_at: datetime | None = None
    ended_because: SessionEnd | None = None

    @property
    def idle_limit(self) -> timedelta:
        """How long it lasts without use."""
        return IDLE_SHARED if self.is_shared else IDLE

    @property
    def ends_at(self) -> datetime:
        """When it ends if nobody uses it."""
        return min(self.used_at + self.idle_limit, self.started_at + ABSOLUTE)

    def is_live(self, at: datetime) -> bool:
        """Whether it proves anything at a moment."""
        return self.ended_at is None and at < self.ends_at

    def is_spent(self, at: datetime) -> bool:
        """Whether it ended with its one act a moment ago: the answer to that act may be asked for again."""
        return self.ended_because is SessionEnd.ACT_DONE and at < self.ends_at

    def is_due(self, at: datetime) -> bool:
        """Whether a use now is worth a write: the books may be behind by an eighth of the idle limit."""
        return at - self.used_at >= self.idle_limit / 8

    def used(self, at: datetime) -> Session:
        """Return it as used at a moment."""
        return replace(self, used_at=max(at, self.used_at))

    def ended(self, at: datetime, because: SessionEnd) -> Session:
        """Return it as ended; the first end stands."""
        return self if self.ended_at is not None else replace(self, ended_at=at, ended_because=because)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token for a program, known by its digest: what it is called, and within which roles and places it acts."""

    id: str
    digest: str
    roles: frozenset[Role]
    places: frozenset[PlaceId]
    made_at: datetime
    made_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: str | None = None

    def is_active(self, at: datetime) -> bool:
        """Whether it proves anything at a moment."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)

    @property
    def principal(self) -> Principal:
        """Who acts with it."""
        return Principal(self.id, PrincipalKind.PROGRAM, self.roles, self.places)


def first_maker(token: AccessToken, tokens: Iterable[AccessToken]) -> str:
    """Return the person, or the terminal, that a token goes back to: programs may make tokens too."""
    makers = {one.id: one.made_by for one in tokens}
    maker = token.made_by
    while maker in makers:
        maker = makers[maker]
    return maker


@dataclass(frozen=True, slots=True)
class StepUp:
    """A person proved by badge and PIN, at a device, to take part in one act on one delivery; good once."""

    digest: str
    person: PersonId
    act: Act
    delivery: str
    device: str
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PinCount:
    """Wrong PINs of one badge at one device, or at all (`ANYWHERE`), counted before each is looked at.

    ``in_a_row`` counts since the last right one; ``wrong_at`` holds the newest `WRONG_IN_A_WHILE` at most. Locked is
    who guessed wrong `WRONG_IN_A_ROW` times in a row, or `WRONG_IN_A_WHILE` times within `A_WHILE` whatever was right
    in between. A lock lasts until a person lifts it: no time passes it by. ``is_of_nobody`` says that nobody had the
    badge: there is no PIN to be guessed then, and such counts are kept `A_WHILE` only, the newest
    `COUNTS_OF_NOBODY_MAX` of them.
    """

    badge: str
    device: str
    in_a_row: int = 0
    wrong_at: tuple[datetime, ...] = ()
    is_of_nobody: bool = False

    @property
    def newest_at(self) -> datetime | None:
        """When the newest wrong guess was made; None when there is none."""
        return self.wrong_at[-1] if self.wrong_at else None

    @property
    def is_locked(self) -> bool:
        """Whether no further PIN is looked at."""
        is_often = len(self.wrong_at) == WRONG_IN_A_WHILE and self.wrong_at[-1] - self.wrong_at[0] < A_WHILE
        return self.in_a_row >= WRONG_IN_A_ROW or is_often

    def guessed(self, at: datetime) -> PinCount:
        """Return it with one more guess, taken as wrong until it is known to be right."""
        return replace(self, in_a_row=self.in_a_row + 1, wrong_at=(*self.wrong_at, at)[-WRONG_IN_A_WHILE:])

    def was_right(self, at: datetime) -> PinCount:
        """Return it after the guess that was counted at a moment turned out right."""
        kept = list(self.wrong_at)
        if at in kept:
            kept.remove(at)
        return replace(self, in_a_row=0, wrong_at=tuple(kept))


def principal_of_person(person: Person, device: str | None) -> Principal:
    """Return a person as who acts."""
    return Principal(person.id, PrincipalKind.PERSON, person.roles, person.places, device)
