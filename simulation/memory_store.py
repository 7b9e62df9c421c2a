"""The store in memory: the same ports, the same promises within one process, fast enough for a simulated day.

Every write leaves its undo in a journal; a transaction that fails is undone backwards. Domain objects are immutable,
so nothing is copied.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from orchestrator.application.errors import UnknownApprovalError, UnknownIncidentError
from orchestrator.application.ledger_keeping import LedgerTerms
from orchestrator.application.ports import Event, OutboxMessage, StoredAnswer
from orchestrator.domain.custody.approval import ApprovalId, CarriageApproval
from orchestrator.domain.custody.incident import Incident, IncidentId
from orchestrator.domain.custody.issued_grant import GrantId, GrantOutcome, IssuedGrant, UnknownGrantError
from orchestrator.domain.delivery.errors import UnknownDeliveryError
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState, Job, JobId, Trip, TripId
from orchestrator.domain.dispatch.forecast import Drive
from orchestrator.domain.emergency.alarm import Alarm, AlarmId, UnknownAlarmError
from orchestrator.domain.fleet.history import RobotAct, RobotEntry
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.order import DriveOrder, RobotAction
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.medicine.model import Classification, Medicine, MedicineCode, unknown_medicine
from orchestrator.domain.medicine.recall import Recall, RecallId, UnknownRecallError
from orchestrator.domain.site.closure import LaneClosure
from orchestrator.domain.site.model import LaneId
from simulation.journal import Journal, refuse_second
from simulation.memory_ledger import MemoryLedger
from simulation.memory_people import MemoryDecisions, MemoryPeople, MemoryProofs


@dataclass(slots=True)
class MemoryDeliveries:
    """Deliveries, and those among them that are open."""

    journal: Journal
    kept: dict[DeliveryId, Delivery] = field(default_factory=dict[DeliveryId, Delivery])
    unfinished: dict[DeliveryId, Delivery] = field(default_factory=dict[DeliveryId, Delivery])

    def get(self, delivery: DeliveryId) -> Delivery:
        """Return the delivery; raises `UnknownDeliveryError`."""
        try:
            return self.kept[delivery]
        except KeyError:
            raise UnknownDeliveryError(
                "No delivery has this id; expected one that was queued here. GET /api/v1/deliveries lists them.",
                detail={"delivery": delivery},
            ) from None

    def add(self, delivery: Delivery) -> None:
        """Keep a new delivery."""
        refuse_second(self.kept, delivery.id, "delivery")
        self._put(delivery)

    def save(self, delivery: Delivery) -> None:
        """Keep the next version; history only grows."""
        before = self.get(delivery.id)
        if delivery is before:
            return
        assert delivery.history[: len(before.history)] == before.history, "history only grows"
        self._put(delivery)

    def _put(self, delivery: Delivery) -> None:
        self.journal.put(self.kept, delivery.id, delivery)
        if delivery.state.is_closed:
            self.journal.take(self.unfinished, delivery.id)
        else:
            self.journal.put(self.unfinished, delivery.id, delivery)

    def open(self) -> Sequence[Delivery]:
        """Return every delivery that is not closed, oldest first."""
        return sorted(self.unfinished.values(), key=_by_age)

    def sealed_with(self, seal_number: str) -> Delivery | None:
        """Return the newest delivery that carries, or carried, a seal."""
        found = [d for d in self.kept.values() if any(tote.seal_number == seal_number for tote in d.totes)]
        return max(found, key=_by_age, default=None)

    def page(
        self, *, after: DeliveryId | None, limit: int, states: frozenset[DeliveryState] | None
    ) -> Sequence[Delivery]:
        """Return up to ``limit`` deliveries, newest first, that come after ``after``."""
        bound = None if after is None else _by_age(self.get(after))
        found = [
            delivery
            for delivery in self.kept.values()
            if (states is None or delivery.state in states) and (bound is None or _by_age(delivery) < bound)
        ]
        return sorted(found, key=_by_age, reverse=True)[:limit]

    def with_medicine(self, code: str) -> Sequence[Delivery]:
        """Return every delivery with a line of a medicine by its code, newest first."""
        found = [delivery for delivery in self.kept.values() if any(line.code == code for line in delivery.lines)]
        return sorted(found, key=_by_age, reverse=True)

    def ended_between(self, start: datetime, end: datetime) -> Iterator[Delivery]:
        """Yield each closed delivery that ended from ``start`` on and before ``end``, by id."""
        for delivery in sorted(self.kept.values(), key=lambda delivery: delivery.id):
            if delivery.state.is_closed and start <= delivery.history[-1].at < end:
                yield delivery

    def picked_between(self, start: datetime, end: datetime) -> Iterator[Delivery]:
        """Yield each delivery that was picked, last, from ``start`` on and before ``end``, oldest first."""
        for delivery in sorted(self.kept.values(), key=_by_age):
            by = delivery.custody.dispensed_by
            if by is not None and start <= by.at < end:
                yield delivery


def _by_age(delivery: Delivery) -> tuple[datetime, str]:
    return delivery.queued_at, delivery.id


@dataclass(slots=True)
class MemoryJobs:
    """Jobs."""

    journal: Journal
    kept: dict[JobId, Job] = field(default_factory=dict[JobId, Job])

    def add(self, job: Job) -> None:
        """Keep a new job."""
        refuse_second(self.kept, job.id, "job")
        self.journal.put(self.kept, job.id, job)


@dataclass(slots=True)
class MemoryTrips:
    """Trips, and those among them that have not ended."""

    journal: Journal
    kept: dict[TripId, Trip] = field(default_factory=dict[TripId, Trip])
    unfinished: dict[TripId, Trip] = field(default_factory=dict[TripId, Trip])

    def get(self, trip: TripId) -> Trip:
        """Return the trip; raises KeyError when the id was never ours."""
        return self.kept[trip]

    def add(self, trip: Trip) -> None:
        """Keep a new trip."""
        refuse_second(self.kept, trip.id, "trip")
        self._put(trip)

    def save(self, trip: Trip) -> None:
        """Keep the next version."""
        if self.kept[trip.id] is not trip:
            self._put(trip)

    def _put(self, trip: Trip) -> None:
        self.journal.put(self.kept, trip.id, trip)
        if trip.ended_at is None:
            self.journal.put(self.unfinished, trip.id, trip)
        else:
            self.journal.take(self.unfinished, trip.id)

    def open(self) -> Sequence[Trip]:
        """Return the trips that have not ended, by started_at, id."""
        return sorted(self.unfinished.values(), key=lambda trip: (trip.started_at, trip.id))


@dataclass(slots=True)
class MemoryDrives:
    """Past drives, by trip."""

    journal: Journal
    kept: dict[TripId, Drive] = field(default_factory=dict[TripId, Drive])

    def add(self, drive: Drive) -> None:
        """Keep a drive."""
        refuse_second(self.kept, drive.trip, "drive")
        self.journal.put(self.kept, drive.trip, drive)

    def newest(self, limit: int) -> Sequence[Drive]:
        """Return up to ``limit`` drives, newest first."""
        return sorted(self.kept.values(), key=lambda drive: (drive.arrived_at, drive.trip), reverse=True)[:limit]


@dataclass(slots=True)
class MemoryRobots:
    """Robot records."""

    journal: Journal
    kept: dict[RobotId, RobotRecord] = field(default_factory=dict[RobotId, RobotRecord])

    def get(self, robot: RobotId) -> RobotRecord:
        """Return the record, an empty one for a robot that was never saved."""
        return self.kept.get(robot) or RobotRecord(robot)

    def save(self, record: RobotRecord) -> None:
        """Keep the record."""
        if self.kept.get(record.robot) is not record:
            self.journal.put(self.kept, record.robot, record)


@dataclass(slots=True)
class MemoryOutbox:
    """Messages for robots, with ids from 1 on."""

    journal: Journal
    kept: dict[int, OutboxMessage] = field(default_factory=dict[int, OutboxMessage])
    unsettled: dict[int, OutboxMessage] = field(default_factory=dict[int, OutboxMessage])

    def add(
        self, robot: RobotId, *, at: datetime, order: DriveOrder | None = None, action: RobotAction | None = None
    ) -> OutboxMessage:
        """Keep a message and return it with its id."""
        assert (order is None) != (action is None), "a message is an order or an action"
        message = OutboxMessage(id=len(self.kept) + 1, robot=robot, created_at=at, order=order, action=action)
        self.journal.put(self.kept, message.id, message)
        self.journal.put(self.unsettled, message.id, message)
        return message

    def settle(self, message: int, outcome: str) -> None:
        """Record how a message ended; the first outcome stands."""
        if message not in self.unsettled:
            return
        self.journal.put(self.kept, message, replace(self.kept[message], settled=outcome))
        self.journal.take(self.unsettled, message)

    def wanted(self) -> Sequence[OutboxMessage]:
        """Return the messages still wanted, by id."""
        return [self.unsettled[message] for message in sorted(self.unsettled)]


@dataclass(slots=True)
class MemoryEvents:
    """Events, numbered from 1 on."""

    journal: Journal
    kept: dict[int, Event] = field(default_factory=dict[int, Event])

    def append(self, *, at: datetime, kind: str, subject: str, data: Mapping[str, object]) -> Event:
        """Keep an event and return it with its number."""
        event = Event(number=len(self.kept) + 1, at=at, kind=kind, subject=subject, data=MappingProxyType(dict(data)))
        self.journal.put(self.kept, event.number, event)
        return event

    def after(self, number: int, limit: int) -> Sequence[Event]:
        """Return up to ``limit`` events with a larger number, in order."""
        first = max(number, 0) + 1
        return [self.kept[n] for n in range(first, min(first + limit, len(self.kept) + 1))]

    def last_number(self) -> int:
        """Return the number of the newest event, 0 when there is none."""
        return len(self.kept)


@dataclass(slots=True)
class MemoryAnswers:
    """Answers by principal and idempotency key."""

    journal: Journal
    kept: dict[tuple[str, str], StoredAnswer] = field(default_factory=dict[tuple[str, str], StoredAnswer])

    def find(self, *, key: str, principal: str) -> StoredAnswer | None:
        """Return the answer that this principal got under this key."""
        return self.kept.get((principal, key))

    def add(self, answer: StoredAnswer) -> None:
        """Keep an answer."""
        refuse_second(self.kept, (answer.principal, answer.key), "answer")
        self.journal.put(self.kept, (answer.principal, answer.key), answer)

    def between(self, start: datetime, end: datetime) -> Sequence[StoredAnswer]:
        """Return the answers given from ``start`` on and before ``end``."""
        return [answer for answer in self.kept.values() if start <= answer.at < end]

    def remove_between(self, start: datetime, end: datetime) -> None:
        """Take those answers out for good."""
        for answer in self.between(start, end):
            self.journal.take(self.kept, (answer.principal, answer.key))


@dataclass(slots=True)
class MemoryHistory:
    """What was done with robots, numbered from 1 on."""

    journal: Journal
    kept: dict[int, RobotEntry] = field(default_factory=dict[int, RobotEntry])

    def add(self, robot: RobotId, *, at: datetime, act: RobotAct, by: str, reason: str, outcome: str) -> RobotEntry:
        """Keep an entry and return it with its number."""
        entry = RobotEntry(len(self.kept) + 1, robot, at, act, by, reason, outcome)
        self.journal.put(self.kept, entry.number, entry)
        return entry

    def page(self, robot: RobotId, *, before: int | None, limit: int) -> Sequence[RobotEntry]:
        """Return up to ``limit`` entries of a robot, newest first, that are older than ``before``."""
        found = [e for e in self.kept.values() if e.robot == robot and (before is None or e.number < before)]
        return sorted(found, key=lambda entry: -entry.number)[:limit]


@dataclass(slots=True)
class MemoryClosures:
    """Closures that stand, and those that have ended with who ended them."""

    journal: Journal
    kept: dict[LaneId, LaneClosure] = field(default_factory=dict[LaneId, LaneClosure])
    ended: dict[int, tuple[LaneClosure, datetime, str, str]] = field(
        default_factory=dict[int, tuple[LaneClosure, datetime, str, str]]
    )

    def close(self, closure: LaneClosure) -> None:
        """Keep a new closure."""
        refuse_second(self.kept, closure.lane, "closure")
        self.journal.put(self.kept, closure.lane, closure)

    def open(self, lane: LaneId, *, at: datetime, by: str, reason: str) -> None:
        """Record that the lane is open again; one that is not closed stays so."""
        closure = self.kept.get(lane)
        if closure is None:
            return
        self.journal.put(self.ended, len(self.ended) + 1, (closure, at, by, reason))
        self.journal.take(self.kept, lane)

    def standing(self) -> Sequence[LaneClosure]:
        """Return the closures that stand, by lane."""
        return [self.kept[lane] for lane in sorted(self.kept)]


@dataclass(slots=True)
class MemoryAlarms:
    """Alarms."""

    journal: Journal
    kept: dict[AlarmId, Alarm] = field(default_factory=dict[AlarmId, Alarm])

    def get(self, alarm: AlarmId) -> Alarm:
        """Return the alarm; raises `UnknownAlarmError`."""
        if alarm not in self.kept:
            raise UnknownAlarmError(
                "No alarm has this id; expected one of those that GET /api/v1/alarms lists.", detail={"alarm": alarm}
            )
        return self.kept[alarm]

    def add(self, alarm: Alarm) -> None:
        """Keep a new alarm."""
        refuse_second(self.kept, alarm.id, "alarm")
        self.journal.put(self.kept, alarm.id, alarm)

    def save(self, alarm: Alarm) -> None:
        """Keep the next version."""
        if self.get(alarm.id) != alarm:
            self.journal.put(self.kept, alarm.id, alarm)

    def standing(self) -> Sequence[Alarm]:
        """Return the alarms that robots are held by, by raised_at, id."""
        found = (alarm for alarm in self.kept.values() if alarm.is_standing)
        return sorted(found, key=lambda alarm: (alarm.raised_at, alarm.id))

    def newest(self, limit: int) -> Sequence[Alarm]:
        """Return up to ``limit`` alarms, standing or not, newest first."""
        return sorted(self.kept.values(), key=lambda alarm: (alarm.raised_at, alarm.id), reverse=True)[:limit]


@dataclass(slots=True)
class MemoryApprovals:
    """Approvals to carry."""

    journal: Journal
    kept: dict[ApprovalId, CarriageApproval] = field(default_factory=dict[ApprovalId, CarriageApproval])

    def get(self, approval: ApprovalId) -> CarriageApproval:
        """Return the approval; raises `UnknownApprovalError`."""
        if approval not in self.kept:
            raise UnknownApprovalError(
                "No approval has this id; expected one of those that GET /api/v1/carriage-approvals lists.",
                detail={"approval": approval},
            )
        return self.kept[approval]

    def add(self, approval: CarriageApproval) -> None:
        """Keep a new approval."""
        refuse_second(self.kept, approval.id, "approval")
        self.journal.put(self.kept, approval.id, approval)

    def save(self, approval: CarriageApproval) -> None:
        """Keep the next version."""
        if self.get(approval.id) != approval:
            self.journal.put(self.kept, approval.id, approval)

    def all(self) -> Sequence[CarriageApproval]:
        """Return every approval, oldest first."""
        return sorted(self.kept.values(), key=lambda approval: (approval.approved_at, approval.id))


@dataclass(slots=True)
class MemoryIncidents:
    """Incidents."""

    journal: Journal
    kept: dict[IncidentId, Incident] = field(default_factory=dict[IncidentId, Incident])

    def get(self, incident: IncidentId) -> Incident:
        """Return the incident; raises `UnknownIncidentError`."""
        if incident not in self.kept:
            raise UnknownIncidentError(
                "No incident has this id; expected one of those that GET /api/v1/incidents lists.",
                detail={"incident": incident},
            )
        return self.kept[incident]

    def add(self, incident: Incident) -> None:
        """Keep a new incident."""
        refuse_second(self.kept, incident.id, "incident")
        self.journal.put(self.kept, incident.id, incident)

    def save(self, incident: Incident) -> None:
        """Keep the next version; follow-ups only grow."""
        if self.get(incident.id) != incident:
            self.journal.put(self.kept, incident.id, incident)

    def of_delivery(self, delivery: DeliveryId) -> Sequence[Incident]:
        """Return every incident of a delivery, oldest first."""
        found = (incident for incident in self.kept.values() if incident.delivery == delivery)
        return sorted(found, key=lambda incident: (incident.at, incident.id))

    def standing(self) -> Sequence[Incident]:
        """Return every incident that nobody has closed, oldest first."""
        found = (incident for incident in self.kept.values() if not incident.is_closed)
        return sorted(found, key=lambda incident: (incident.at, incident.id))

    def closed_between(self, start: datetime, end: datetime) -> Sequence[Incident]:
        """Return the incidents that were closed from ``start`` on and before ``end``, by id."""
        found = (i for i in self.kept.values() if i.closed_at is not None and start <= i.closed_at < end)
        return sorted(found, key=lambda incident: incident.id)

    def remove(self, incidents: Collection[IncidentId]) -> None:
        """Take incidents out for good."""
        for incident in incidents:
            self.journal.take(self.kept, incident)

    def newest(self, limit: int) -> Sequence[Incident]:
        """Return up to ``limit`` incidents, newest first."""
        return sorted(self.kept.values(), key=lambda incident: (incident.at, incident.id), reverse=True)[:limit]


@dataclass(slots=True)
class MemoryMedicines:
    """Medicines by code and by trade item number, and what pharmacists said of them."""

    journal: Journal
    kept: dict[MedicineCode, Medicine] = field(default_factory=dict[MedicineCode, Medicine])
    of_gtin: dict[str, MedicineCode] = field(default_factory=dict[str, MedicineCode])
    said: dict[int, Classification] = field(default_factory=dict[int, Classification])

    def get(self, code: MedicineCode) -> Medicine:
        """Return the medicine; one that nobody knows is returned as unclassified."""
        return self.find(code) or unknown_medicine(code)

    def find(self, code: MedicineCode) -> Medicine | None:
        """Return the medicine if it is known."""
        return self.kept.get(code)

    def by_gtin(self, gtin: str) -> Medicine | None:
        """Return the medicine whose pack has a trade item number."""
        code = self.of_gtin.get(gtin)
        return None if code is None else self.kept[code]

    def save(self, medicines: Collection[Medicine]) -> None:
        """Keep medicines, each in place of what was known of its code."""
        for medicine in medicines:
            before = self.kept.get(medicine.code)
            for gtin in () if before is None else before.gtins:
                self.journal.take(self.of_gtin, gtin)
        for medicine in medicines:
            self.journal.put(self.kept, medicine.code, replace(medicine, gtins=tuple(sorted(medicine.gtins))))
            for gtin in medicine.gtins:
                refuse_second(self.of_gtin, gtin, "trade item number")
                self.journal.put(self.of_gtin, gtin, medicine.code)

    def page(self, *, after: MedicineCode | None, limit: int) -> Sequence[Medicine]:
        """Return up to ``limit`` medicines by code, beyond ``after``."""
        return [self.kept[code] for code in sorted(self.kept) if after is None or code > after][:limit]

    def add_classification(self, classification: Classification) -> None:
        """Keep what a person said of a medicine."""
        self.journal.put(self.said, len(self.said) + 1, classification)

    def classifications(self, code: MedicineCode) -> Sequence[Classification]:
        """Return what was said of a medicine, oldest first."""
        return [said for said in self.said.values() if said.code == code]


@dataclass(slots=True)
class MemoryGrants:
    """Drawer grants, and those among them that are not settled."""

    journal: Journal
    kept: dict[GrantId, IssuedGrant] = field(default_factory=dict[GrantId, IssuedGrant])
    unsettled: dict[GrantId, IssuedGrant] = field(default_factory=dict[GrantId, IssuedGrant])
    by_nonce: dict[tuple[RobotId, str], GrantId] = field(default_factory=dict[tuple[RobotId, str], GrantId])

    def get(self, grant: GrantId) -> IssuedGrant:
        """Return the grant; raises `UnknownGrantError`."""
        if grant not in self.kept:
            raise UnknownGrantError(
                "No drawer grant has this id; expected one that was issued here.", detail={"grant": grant}
            )
        return self.kept[grant]

    def add(self, grant: IssuedGrant) -> None:
        """Keep a new grant."""
        refuse_second(self.kept, grant.id, "grant")
        refuse_second(self.by_nonce, (grant.robot, grant.nonce), "grant")
        self.journal.put(self.by_nonce, (grant.robot, grant.nonce), grant.id)
        self._put(grant)

    def save(self, grant: IssuedGrant) -> None:
        """Keep the next version."""
        if self.get(grant.id) != grant:
            self._put(grant)

    def _put(self, grant: IssuedGrant) -> None:
        self.journal.put(self.kept, grant.id, grant)
        if grant.settled_at is None:
            self.journal.put(self.unsettled, grant.id, grant)
        else:
            self.journal.take(self.unsettled, grant.id)

    def of_nonce(self, robot: RobotId, nonce: str) -> IssuedGrant | None:
        """Return the grant that names a robot's nonce."""
        found = self.by_nonce.get((robot, nonce))
        return None if found is None else self.kept[found]

    def of_delivery(self, delivery: DeliveryId) -> Sequence[IssuedGrant]:
        """Return every grant for a delivery, by issued_at, id."""
        return sorted((g for g in self.kept.values() if g.delivery == delivery), key=lambda g: (g.issued_at, g.id))

    def last_opened(self, robot: RobotId, drawer: str) -> IssuedGrant | None:
        """Return the newest grant that a drawer was opened on."""
        found = [
            grant
            for grant in self.kept.values()
            if (grant.robot, grant.drawer, grant.outcome) == (robot, drawer, GrantOutcome.OPENED)
        ]
        return max(found, key=lambda grant: (grant.issued_at, grant.id), default=None)

    def standing(self) -> Sequence[IssuedGrant]:
        """Return the grants that are not settled, by issued_at, id."""
        return sorted(self.unsettled.values(), key=lambda grant: (grant.issued_at, grant.id))


@dataclass(slots=True)
class MemoryRecalls:
    """Recalls."""

    journal: Journal
    kept: dict[RecallId, Recall] = field(default_factory=dict[RecallId, Recall])

    def get(self, recall: RecallId) -> Recall:
        """Return the recall; raises `UnknownRecallError`."""
        if recall not in self.kept:
            raise UnknownRecallError(
                "No recall has this id; expected one of those that GET /api/v1/recalls lists.",
                detail={"recall": recall},
            )
        return self.kept[recall]

    def add(self, recall: Recall) -> None:
        """Keep a new recall."""
        refuse_second(self.kept, recall.id, "recall")
        self.journal.put(self.kept, recall.id, recall)

    def save(self, recall: Recall) -> None:
        """Keep the next version."""
        if self.get(recall.id) != recall:
            self.journal.put(self.kept, recall.id, recall)

    def standing(self) -> Sequence[Recall]:
        """Return the recalls in force, oldest first."""
        return sorted(
            (r for r in self.kept.values() if r.is_standing), key=lambda recall: (recall.raised_at, recall.id)
        )

    def newest(self, limit: int) -> Sequence[Recall]:
        """Return up to ``limit`` recalls, newest first."""
        return sorted(self.kept.values(), key=lambda recall: (recall.raised_at, recall.id), reverse=True)[:limit]

    def is_recalled(self, medicine: str, batch: str | None) -> bool:
        """Whether a batch of a medicine is recalled now."""
        return any(recall.covers(medicine, batch) for recall in self.kept.values())


class MemoryUnitOfWork:
    """The repositories; one object serves every transaction of its store."""

    def __init__(self, journal: Journal, terms: LedgerTerms) -> None:
        self.deliveries = MemoryDeliveries(journal)
        self.jobs = MemoryJobs(journal)
        self.trips = MemoryTrips(journal)
        self.drives = MemoryDrives(journal)
        self.robots = MemoryRobots(journal)
        self.outbox = MemoryOutbox(journal)
        self.events = MemoryEvents(journal)
        self.answers = MemoryAnswers(journal)
        self.history = MemoryHistory(journal)
        self.closures = MemoryClosures(journal)
        self.alarms = MemoryAlarms(journal)
        self.approvals = MemoryApprovals(journal)
        self.incidents = MemoryIncidents(journal)
        self.ledger = MemoryLedger(journal, terms)
        self.medicines = MemoryMedicines(journal)
        self.recalls = MemoryRecalls(journal)
        self.grants = MemoryGrants(journal)
        self.people = MemoryPeople(journal)
        self.proofs = MemoryProofs(journal)
        self.decisions = MemoryDecisions(journal)


class MemoryStore:
    """Everything in dictionaries. One thread at a time; transactions do not nest."""

    def __init__(self, ledger: LedgerTerms | None = None) -> None:
        self._journal = Journal()
        self._uow = MemoryUnitOfWork(self._journal, ledger or LedgerTerms.unbound())

    @contextmanager
    def transaction(self) -> Iterator[MemoryUnitOfWork]:
        """Open a transaction; what it wrote is undone when the block ends with an error."""
        assert not self._journal.is_open, "transactions do not nest"
        self._journal.is_open = True
        try:
            yield self._uow
            self._uow.ledger.sign_head()
        except BaseException:
            self._journal.undo()
            raise
        finally:
            self._journal.forget()
            self._journal.is_open = False

    @contextmanager
    def reading(self) -> Iterator[MemoryUnitOfWork]:
        """Open a block that only reads; a write in it is a fault of the program."""
        yield self._uow
