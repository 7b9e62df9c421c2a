"""What is kept beside the ledger, and no longer than it has to be: looked at first, purged by two people, once.

Whole months of one type go, or nothing: not before their years have passed, and not while anything of that time is
open: a delivery under way, units on their way, an incident. The entry of the ledger that says what went holds its
digest, so that nothing vanishes unseen; the ledger itself is never purged, and is verified as before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.application.ports import StoredAnswer, UnitOfWork
from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.policy import POLICY
from orchestrator.domain.custody.errors import PeopleMissingError
from orchestrator.domain.custody.incident import Incident
from orchestrator.domain.custody.model import Entry
from orchestrator.domain.custody.movements import Occasion, custody_event, signed_by
from orchestrator.domain.custody.policy import CustodyPolicy
from orchestrator.domain.delivery.model import Delivery
from orchestrator.domain.errors import ConflictError
from orchestrator.domain.people.model import Person, Role
from orchestrator.domain.reason import require_said
from orchestrator.domain.retention.digest import digest_of
from orchestrator.domain.retention.schedule import PURGED, RETENTION, Month, RecordType
from orchestrator.domain.site.model import PlaceId

RECORDS = PlaceId("records")
"""Where the entry of a purge stands: in no place's register."""

NAMED_MAX = 5
"""How many of what stands in the way are named."""


class NotPurgedError(ConflictError):
    """What is asked to go is not due, is under something open, is nothing, or is not what was looked at."""

    code = "retention_not_purged"


@dataclass(frozen=True, slots=True)
class WouldGo:
    """What of one type and month would go: how many records, their digest, and why they may not go yet, if so."""

    kind: RecordType
    month: Month
    years: int
    records: int
    digest: str
    obstacles: tuple[str, ...] = ()

    @property
    def may_go(self) -> bool:
        """Whether two people may let it go now."""
        return self.records > 0 and not self.obstacles


def look_over(uow: UnitOfWork, month: Month, *, policy: CustodyPolicy, at: datetime) -> Sequence[WouldGo]:
    """Return what of a month would go, by type; nothing is changed by looking."""
    return [_would_go(uow, kind, month, _Month.read(uow, kind, month), policy=policy, at=at) for kind in PURGED]


def purge(
    uow: UnitOfWork,
    *,
    kind: RecordType,
    month: Month,
    digest: str,
    reason: str,
    people: Sequence[Person],
    policy: CustodyPolicy,
    at: datetime,
) -> Entry:
    """Let the records of one type and month go, and write into the ledger what went.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    kind : RecordType
        One of those that are purged.
    month : Month
        Of which the records ended.
    digest : str
        That of what was looked at, in hex; nothing else goes.
    reason : str
        Why, in a person's own words.
    people : sequence of Person
        Who has proved themselves for this: an accountable officer and a pharmacist.
    policy : CustodyPolicy
        In force; it says how long a type is kept.
    at : datetime
        Now; aware.

    Raises
    ------
    PeopleMissingError
        They are not an accountable officer and another, a pharmacist.
    NotPurgedError
        The type stays, its years have not passed, something of that time is open, there is nothing, or it is no longer
        what was looked at.
    """
    require_said(reason, act="The purge")
    _require_both(people)
    if not RETENTION[kind].is_purged:
        stays = f"records of the type {kind.value} stay: {RETENTION[kind].stays_because}"
        raise _not_purged(stays, "another type", kind)
    found = _Month.read(uow, kind, month)
    would_go = _would_go(uow, kind, month, found, policy=policy, at=at)
    if not would_go.may_go:
        why = would_go.obstacles[0] if would_go.obstacles else "there is nothing of it"
        raise _not_purged(why, "a month of which all is over and old enough", kind)
    if digest != would_go.digest:
        raise _not_purged("the records are not those that were looked at", "the digest of what is there now", kind)
    occasion = Occasion(
        at=at,
        place=RECORDS,
        signatures=signed_by(people, acting_as=POLICY[Act.PURGE_RECORDS].roles),
        reason=reason,
        facts={"record_type": kind.value, "month": month.name, "records": str(would_go.records), "digest": digest},
    )
    entry = uow.ledger.append(custody_event("purged", occasion), at)
    found.let_go(uow, entry)
    uow.events.append(
        at=at, kind="records_purged", subject=month.name, data={"entry": entry.index, "record_type": kind.value}
    )
    return entry


@dataclass(frozen=True, slots=True)
class _Month:
    """The records of one type that ended in a month; of the three kinds, one."""

    month: Month
    deliveries: Sequence[Delivery] = ()
    incidents: Sequence[Incident] = ()
    answers: Sequence[StoredAnswer] = ()

    @classmethod
    def read(cls, uow: UnitOfWork, kind: RecordType, month: Month) -> _Month:
        """Return what is there of a type."""
        start, end = month.starts_at, month.ends_at
        if kind is RecordType.INCIDENT:
            return cls(month, incidents=uow.incidents.closed_between(start, end))
        if kind is RecordType.ANSWER:
            return cls(month, answers=uow.answers.between(start, end))
        is_own = kind is RecordType.PATIENTS_OWN
        ended = (
            delivery
            for delivery in uow.deliveries.ended_between(start, end)
            if delivery.custody.own_of_patient is is_own and delivery.custody.purged_by is None
        )
        return cls(month, deliveries=tuple(ended))

    @property
    def records(self) -> Sequence[Mapping[str, object]]:
        """What would go, each record with its id."""
        return (
            *({"id": one.id, "custody": one.custody} for one in self.deliveries),
            *({"id": one.id, "incident": one} for one in self.incidents),
            *({"id": f"{one.principal} {one.key}", "answer": one} for one in self.answers),
        )

    def let_go(self, uow: UnitOfWork, entry: Entry) -> None:
        """Take them out of the store; of a delivery stays that it was, its lines, states and seals."""
        for delivery in self.deliveries:
            uow.deliveries.save(replace(delivery, custody=delivery.custody.purged(entry.index)))
        if self.incidents:
            uow.incidents.remove([incident.id for incident in self.incidents])
        if self.answers:
            uow.answers.remove_between(self.month.starts_at, self.month.ends_at)


def _would_go(
    uow: UnitOfWork, kind: RecordType, month: Month, found: _Month, *, policy: CustodyPolicy, at: datetime
) -> WouldGo:
    years, records = policy.years_kept(kind), found.records
    obstacles = [*_open_things(uow, found)]
    if not month.is_due(years, at):
        obstacles.insert(0, f"{years} years have not passed since the end of {month.name}")
    return WouldGo(kind, month, years, len(records), digest_of(records), tuple(obstacles))


def _open_things(uow: UnitOfWork, found: _Month) -> Sequence[str]:
    """Return what is open of the month or before it, or about one of its deliveries; by it the month is not over."""
    end = found.month.ends_at
    ids = {delivery.id for delivery in found.deliveries}
    incidents = [one.id for one in uow.incidents.standing() if one.at < end or one.delivery in ids]
    under_way = [one.id for one in uow.deliveries.open() if one.queued_at < end]
    pending = [one.id for one in uow.ledger.open_pendings() if one.opened_at < end]
    obstacles: list[str] = []
    for what, open_ones in (("incidents", incidents), ("deliveries", under_way), ("units in transit", pending)):
        if open_ones:
            obstacles.append(f"{what} of that time, or before, are open: {', '.join(open_ones[:NAMED_MAX])}")
    return obstacles


def _require_both(people: Sequence[Person]) -> None:
    officers = [person for person in people if person.has(Role.ACCOUNTABLE_OFFICER)]
    pharmacists = [person for person in people if person.has(Role.PHARMACIST)]
    is_by_two = any(officer.id != pharmacist.id for officer in officers for pharmacist in pharmacists)
    if len(people) != 2 or not is_by_two:
        raise PeopleMissingError(
            f"The act “{Act.PURGE_RECORDS.words}” was refused: it is not asked by an accountable officer and a "
            "pharmacist together; expected these two, different people, with badge and PIN. Ask for the other.",
            detail={"needed": 2, "present": len(people)},
        )


def _not_purged(found: str, expected: str, kind: RecordType) -> NotPurgedError:
    return NotPurgedError(
        f"Nothing was purged: {found}; expected {expected}. Look at GET /api/v1/retention first.",
        detail={"record_type": kind.value},
    )
