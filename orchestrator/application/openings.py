"""What becomes of a grant: events for everybody, entries of the ledger for what is on it, and grants taken back.

An opening is an act of custody even when nothing is taken. Whoever had it granted signs that entry, because they proved
themselves for it. That it opened, was refused or was closed is what the robot reports; nobody signs what they have not
seen, so those entries name the people as a fact and the robot as the one that says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from orchestrator.application.ledger_keeping import LedgerHaltedError
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.recorded_acts import record_event
from orchestrator.domain.custody.issued_grant import GrantOutcome, IssuedGrant
from orchestrator.domain.custody.people import Present
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.people.model import PersonId

DRAWER_GRANTED, GRANT_VOID = "drawer_granted", "drawer_grant_void"
OPENED, REFUSED, CLOSED = "drawer_opened", "drawer_refused", "drawer_closed"
LEFT_OPEN = "drawer_left_open"
REPORTED_BY_ROBOT = frozenset({OPENED, REFUSED, CLOSED, LEFT_OPEN})
ENTRY_MISSED = "ledger_entry_missed"


def record_opening(
    uow: UnitOfWork,
    kind: str,
    grant: IssuedGrant,
    *,
    at: datetime,
    present: Present | None = None,
    facts: Mapping[str, str] | None = None,
) -> None:
    """Tell what became of a grant, and enter it into the ledger where the delivery is on it.

    Parameters
    ----------
    uow : UnitOfWork
        The transaction in which it becomes so.
    kind : str
        What became of it; the kind of the event, and of the ledger's entry.
    grant : IssuedGrant
        As it is now.
    at : datetime
        Now; aware.
    present : Present or None
        Who signs: those who proved themselves for it. None where nobody did for this.
    facts : mapping, optional
        What else the entry says.

    Raises
    ------
    LedgerHaltedError
        It is to be granted, and the ledger may not grow. What has happened already is kept and told without an entry
        then (`ENTRY_MISSED`); the grant itself says it still.
    """
    tell_grant(uow, kind, grant, at=at)
    try:
        _enter(uow, kind, grant, at=at, present=present, facts=facts or {})
    except LedgerHaltedError:
        if kind == DRAWER_GRANTED:
            raise
        # It has happened all the same, and a robot that is not heard because of our books is worse than a gap in them.
        data = {"event": kind, "grant": grant.id, "robot": grant.robot, "drawer": grant.drawer}
        uow.events.append(at=at, kind=ENTRY_MISSED, subject=grant.delivery, data=data)


def _enter(
    uow: UnitOfWork,
    kind: str,
    grant: IssuedGrant,
    *,
    at: datetime,
    present: Present | None,
    facts: Mapping[str, str],
) -> None:
    said = {
        "grant": grant.id,
        "robot": grant.robot,
        "drawer": grant.drawer,
        "purpose": grant.purpose.value,
        "asked_by": grant.by,
        "opened_for": ", ".join(grant.people),
        **(reported_by(uow, grant.robot) if kind in REPORTED_BY_ROBOT else {}),
        **facts,
    }
    record_event(
        uow,
        uow.deliveries.get(grant.delivery),
        kind,
        at=at,
        place=grant.place,
        present=Present(grant.robot) if present is None else present,
        reason=grant.reason,
        facts={name: text for name, text in said.items() if text},
    )


def reported_by(uow: UnitOfWork, robot: RobotId) -> dict[str, str]:
    """Return that a robot says so, and by how many seconds its clock is ahead of ours where that is known."""
    skew_s = uow.robots.get(robot).clock_skew_s
    return {"reported_by": robot, "robot_clock_skew_s": "" if skew_s is None else f"{skew_s:.1f}"}


def tell_grant(uow: UnitOfWork, kind: str, grant: IssuedGrant, *, at: datetime) -> None:
    """Append to the event stream what became of a grant; neither its nonce nor what lies in the drawer is in it."""
    uow.events.append(
        at=at,
        kind=kind,
        subject=grant.delivery,
        data={
            "grant": grant.id,
            "robot": grant.robot,
            "drawer": grant.drawer,
            "purpose": grant.purpose.value,
            "by": grant.by,
            "people": list(grant.people),
            "reason": grant.reason,
        },
    )


def void_grants_of(
    uow: UnitOfWork, person: PersonId, *, at: datetime, reason: str = "revoked"
) -> tuple[IssuedGrant, ...]:
    """Take back every grant of a person that no robot has answered, as when their account is revoked.

    A robot opens as soon as a grant reaches it; what is taken back is what has not reached it.
    """
    return tuple(
        void_grant(uow, grant, reason=reason, at=at)
        for grant in uow.grants.standing()
        if grant.is_open and person in grant.people
    )


def void_grant(uow: UnitOfWork, grant: IssuedGrant, *, reason: str, at: datetime) -> IssuedGrant:
    """Take back a grant that no robot has answered: it is sent no more."""
    for message in uow.outbox.wanted():
        if message.action is not None and message.action.id == grant.action:
            uow.outbox.settle(message.id, "withdrawn")
    ended = grant.ended(GrantOutcome.VOID, reason=reason, at=at)
    uow.grants.save(ended)
    record_opening(uow, GRANT_VOID, ended, at=at)
    return ended
