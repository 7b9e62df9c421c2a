"""Grants as they are kept: who was given one, and what came of it; and who may be given one at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType

from orchestrator.domain.custody.grant import Purpose
from orchestrator.domain.delivery.model import DeliveryId
from orchestrator.domain.errors import ConflictError, NotFoundError
from orchestrator.domain.fleet.model import ActionId, RobotId
from orchestrator.domain.medicine.handling import HandlingRule
from orchestrator.domain.people.model import PersonId
from orchestrator.domain.site.model import PlaceId

GrantId = NewType("GrantId", str)

RETRIEVERS = 2
"""How many people take out where a robot stands, whatever lies in the drawer (design §6)."""


class GrantOutcome(StrEnum):
    """What came of a grant. ``void`` was taken back before the robot answered."""

    ISSUED = "issued"
    OPENED = "opened"
    REFUSED = "refused"
    VOID = "void"


class UnknownGrantError(NotFoundError):
    """No grant has this id."""

    code = "grant_unknown"


class NoGrantsError(ConflictError):
    """The robot does not check grants: its drawers cannot be opened from here."""

    code = "robot_checks_no_grants"


class RobotNotReadyToOpenError(ConflictError):
    """The robot does not stand where its drawer may be opened, or has not said so lately."""

    code = "robot_not_ready_to_open"


class NonceUsedError(ConflictError):
    """A grant for what the robot shows was issued already."""

    code = "nonce_used"


class DrawerNotEmptyError(ConflictError):
    """Something lies already in the drawer that is to be loaded."""

    code = "drawer_not_empty"


class DrawerNotOpenedError(ConflictError):
    """The drawer was not opened for this act by those who do it."""

    code = "drawer_not_opened"


@dataclass(frozen=True, slots=True)
class IssuedGrant:
    """One grant on our books.

    Parameters
    ----------
    id : GrantId
        Ours.
    delivery, robot, drawer, purpose, nonce
        What it says; see `orchestrator.domain.custody.grant.Grant`.
    action : ActionId
        The instant action that brings it to the robot.
    by : str
        The principal who asked.
    people : tuple of PersonId
        Who authenticated for it; empty where a principal alone suffices.
    issued_at : datetime
        When; aware.
    place : PlaceId
        Whose register its entries stand in: the place where it opens, or that sent what is retrieved.
    outcome : GrantOutcome
        What came of it.
    reason : str
        The robot's reason code when it refused, ours when it was taken back.
    answered_at : datetime or None
        When the robot answered, or it was taken back.
    closed_at : datetime or None
        When the drawer was reported locked again.
    settled_at : datetime or None
        From when on it matters no more: it opened nothing, or the robot has left with the drawer as it should be.
    """

    id: GrantId
    delivery: DeliveryId
    robot: RobotId
    drawer: str
    purpose: Purpose
    nonce: str
    action: ActionId
    by: str
    people: tuple[PersonId, ...]
    issued_at: datetime
    place: PlaceId
    outcome: GrantOutcome = GrantOutcome.ISSUED
    reason: str = ""
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    settled_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether the robot has not answered yet."""
        return self.outcome is GrantOutcome.ISSUED

    @property
    def is_standing_open(self) -> bool:
        """Whether the drawer was opened on it and was not reported locked since."""
        return self.outcome is GrantOutcome.OPENED and self.closed_at is None

    def opened(self, at: datetime) -> IssuedGrant:
        """Return it after the robot has opened the drawer."""
        return replace(self, outcome=GrantOutcome.OPENED, answered_at=at)

    def ended(self, outcome: GrantOutcome, *, reason: str, at: datetime) -> IssuedGrant:
        """Return it after it came to nothing."""
        return replace(self, outcome=outcome, reason=reason, answered_at=at, settled_at=at)


def people_asked_for(purpose: Purpose, rule: HandlingRule) -> int:
    """Return how many different people have to be there for a grant of what is handled by a rule."""
    match purpose:
        case Purpose.LOAD:
            return rule.loaders
        case Purpose.HAND_OVER | Purpose.RECOUNT | Purpose.TAKE_BACK:
            return rule.receivers
        case Purpose.RETRIEVE:
            return max(RETRIEVERS, rule.receivers)
