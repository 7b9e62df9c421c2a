"""The tables of people, of what proves who acts, and of decisions. No name and no secret is in them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field

from orchestrator.adapters.store.columns import Moment
from orchestrator.adapters.store.rows import Row


class PersonRow(Row, table=True):
    """A member of staff; ``badge`` and ``pin`` are a digest and a slow hash."""

    __tablename__ = "person"  # pyright: ignore[reportAssignmentType]  # SQLModel types it as a declared attribute

    id: str = Field(primary_key=True)
    roles: str = Field(sa_type=Text)
    places: str = Field(sa_type=Text)
    registration: str | None = None
    is_agency: bool
    expires_at: datetime | None = Field(default=None, sa_type=Moment)
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)
    badge: str = Field(unique=True)
    pin: str = Field(sa_type=Text)


class SessionRow(Row, table=True):
    """A person signed in at a device."""

    __tablename__ = "session"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("session_by_person", "person", "ended_at"),
        Index("session_by_device", "device", "started_at"),
    )

    id: str = Field(primary_key=True)
    digest: str = Field(unique=True)
    person: str
    device: str
    is_shared: bool
    started_at: datetime = Field(sa_type=Moment)
    used_at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_because: str | None = None


class TokenRow(Row, table=True):
    """A token of a program."""

    __tablename__ = "access_token"  # pyright: ignore[reportAssignmentType]

    id: str = Field(primary_key=True)
    digest: str = Field(unique=True)
    roles: str = Field(sa_type=Text)
    places: str = Field(sa_type=Text)
    made_at: datetime = Field(sa_type=Moment)
    made_by: str
    expires_at: datetime | None = Field(default=None, sa_type=Moment)
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)
    revoked_by: str | None = None


class StepUpRow(Row, table=True):
    """A person proved for one act."""

    __tablename__ = "step_up"  # pyright: ignore[reportAssignmentType]

    digest: str = Field(primary_key=True)
    person: str
    act: str
    delivery: str
    device: str
    made_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    used_at: datetime | None = Field(default=None, sa_type=Moment)


class PinCountRow(Row, table=True):
    """Wrong PINs of one badge at one device, or at all."""

    __tablename__ = "pin_count"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("pin_count_of_nobody", "is_of_nobody", "newest_at", "badge", "device"),)

    badge: str = Field(primary_key=True)
    device: str = Field(primary_key=True)
    in_a_row: int
    wrong_at: str = Field(sa_type=Text)
    newest_at: datetime | None = Field(default=None, sa_type=Moment)
    is_of_nobody: bool


class DecisionRow(Row, table=True):
    """One decision of the access log; only ever added."""

    __tablename__ = "access_decision"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("access_decision_by_device", "device", "at"),)

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=Moment)
    act: str
    is_allowed: bool
    why: str
    who: str
    kind: str | None = None
    device: str | None = None
    subject: str
