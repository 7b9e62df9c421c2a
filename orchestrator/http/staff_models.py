"""What is said and shown of staff, tokens and the access log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.application.credentials import Renewed
from orchestrator.application.people_ports import KeptDecision
from orchestrator.application.staff import REGISTRATION_LENGTH_MAX
from orchestrator.application.staff_change import StaffChange
from orchestrator.domain.people.model import Person, PersonId, Role
from orchestrator.domain.people.proofs import AccessToken
from orchestrator.domain.reason import REASON_LENGTH_MAX
from orchestrator.domain.site.model import PlaceId
from orchestrator.http.request_models import ID_LENGTH_MAX, PAGE_MAX, AskedMoment, Strict

IdText = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Roles = Annotated[list[Annotated[Role, Field(strict=False)]], Field(min_length=1, max_length=len(Role))]
Places = Annotated[list[Annotated[str, Field(min_length=1, max_length=ID_LENGTH_MAX)]], Field(max_length=100)]


class StaffAsked(Strict):
    """A new member of staff. No name is asked for: an id stands for the person everywhere."""

    id: IdText = Field(examples=["nurse-birch-3"])
    roles: Roles
    places: Places = Field(default_factory=list[str], examples=[["birch"]])
    registration: str | None = Field(default=None, max_length=REGISTRATION_LENGTH_MAX)
    is_agency: bool = False
    expires_at: AskedMoment | None = None

    def to_person(self) -> Person:
        """Return what the use case takes."""
        return Person(
            PersonId(self.id),
            frozenset(self.roles),
            frozenset(PlaceId(place) for place in self.places),
            self.registration,
            self.is_agency,
            self.expires_at,
        )


class UnlockAsked(Strict):
    """How the identity of the person was checked; no document's number."""

    identity_check: str = Field(min_length=1, max_length=REASON_LENGTH_MAX, examples=["Photo on the staff card"])


class RenewAsked(Strict):
    """What somebody needs anew, and why."""

    what: Annotated[Renewed, Field(strict=False)]
    reason: str = Field(min_length=1, max_length=REASON_LENGTH_MAX, examples=["Badge lost on the way home"])


class ChangeAsked(Strict):
    """What is to be said of somebody from now on. What is left out stays; ``expires_at`` null takes the end away."""

    roles: Roles | None = None
    places: Places | None = None
    registration: str | None = Field(default=None, min_length=1, max_length=REGISTRATION_LENGTH_MAX)
    expires_at: AskedMoment | None = None
    reason: str = Field(min_length=1, max_length=REASON_LENGTH_MAX, examples=["Moved to Birch ward"])

    def to_change(self) -> StaffChange:
        """Return what the use case takes."""
        return StaffChange(
            None if self.roles is None else frozenset(self.roles),
            None if self.places is None else frozenset(PlaceId(place) for place in self.places),
            self.registration,
            self.expires_at,
            has_no_end="expires_at" in self.model_fields_set and self.expires_at is None,
        )


class TokenAsked(Strict):
    """A token for a program, within some roles and places."""

    name: IdText = Field(examples=["epr"])
    roles: Roles
    places: Places = Field(default_factory=list[str])
    expires_at: AskedMoment | None = None


class EmptyAsked(Strict):
    """Nothing more to say."""


class StaffView(BaseModel):
    """A member of staff, as far as others are told."""

    id: str
    roles: list[Role]
    places: list[str]
    registration: str | None
    is_agency: bool
    expires_at: datetime | None
    revoked_at: datetime | None
    is_locked: bool


class AddedView(StaffView):
    """A member of staff just added: badge code and PIN are told once and kept nowhere; null when asked again."""

    badge: str | None = None
    pin: str | None = None


class RenewedView(StaffView):
    """Somebody whose badge or PIN is new: it is told once and kept nowhere; null when asked again, or not renewed."""

    badge: str | None = None
    pin: str | None = None


class StaffListView(BaseModel):
    """Everybody, by id."""

    staff: list[StaffView]


class TokenView(BaseModel):
    """A program's token, without its text."""

    id: str
    roles: list[Role]
    places: list[str]
    made_at: datetime
    made_by: str
    expires_at: datetime | None
    revoked_at: datetime | None


class MadeTokenView(TokenView):
    """A token just made: its text is told once and kept nowhere; null when asked again."""

    token: str | None = None


class TokensView(BaseModel):
    """All tokens, by name."""

    tokens: list[TokenView]


class LogQuery(BaseModel):
    """Which decisions to list: ``after`` is the cursor that the page before gave as ``next_after``."""

    model_config = ConfigDict(extra="forbid")

    after: int | None = Field(default=None, ge=1, le=2**53)
    limit: int = Field(default=50, ge=1, le=PAGE_MAX)
    refused_only: bool = False


class DecisionView(BaseModel):
    """One decision: who wanted to do what to what, at which device, and whether they might."""

    number: int
    at: datetime
    who: str
    kind: str | None
    device: str | None
    act: str
    subject: str
    is_allowed: bool
    why: str


class DecisionsView(BaseModel):
    """A page of the access log, newest first."""

    decisions: list[DecisionView]
    next_after: int | None


def staff_view(person: Person, *, is_locked: bool) -> StaffView:
    """Return a person as shown."""
    return StaffView(
        id=person.id,
        roles=sorted(person.roles),
        places=sorted(person.places),
        registration=person.registration,
        is_agency=person.is_agency,
        expires_at=person.expires_at,
        revoked_at=person.revoked_at,
        is_locked=is_locked,
    )


def token_view(token: AccessToken) -> TokenView:
    """Return a token as shown."""
    return TokenView(
        id=token.id,
        roles=sorted(token.roles),
        places=sorted(token.places),
        made_at=token.made_at,
        made_by=token.made_by,
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
    )


def decision_view(kept: KeptDecision) -> DecisionView:
    """Return a decision as shown."""
    decision = kept.decision
    return DecisionView(
        number=kept.number,
        at=decision.at,
        who=decision.who,
        kind=decision.kind.value if decision.kind else None,
        device=decision.device,
        act=decision.act.value,
        subject=decision.subject,
        is_allowed=decision.is_allowed,
        why=decision.why.value,
    )
