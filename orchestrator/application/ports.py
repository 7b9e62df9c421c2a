"""What the application asks of the world. Adapters and `simulation/` implement these.

Thread and order: one thread owns the control and everything behind these ports that writes; see
`orchestrator.application.control`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from orchestrator.application.people_ports import DecisionLog, PeopleRepository, ProofRepository
from orchestrator.domain.custody.approval import ApprovalId, CarriageApproval
from orchestrator.domain.custody.balances import Balance
from orchestrator.domain.custody.incident import Incident, IncidentId
from orchestrator.domain.custody.issued_grant import GrantId, IssuedGrant
from orchestrator.domain.custody.merkle import Frontier, NodeId
from orchestrator.domain.custody.model import Account, Draft, Entry, PendingId, Stock
from orchestrator.domain.custody.origin import LedgerOrigin
from orchestrator.domain.custody.pending import LedgerMode, Pending
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState, Job, Trip, TripId
from orchestrator.domain.dispatch.forecast import Drive
from orchestrator.domain.emergency.alarm import Alarm, AlarmId
from orchestrator.domain.fleet.history import RobotAct, RobotEntry
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.order import DriveOrder, RobotAction
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.medicine.model import Classification, Medicine, MedicineCode
from orchestrator.domain.medicine.recall import Recall, RecallId
from orchestrator.domain.site.closure import LaneClosure
from orchestrator.domain.site.device import DoorPicture, LiftPicture
from orchestrator.domain.site.model import DoorId, LaneId, LevelId, LiftId, PlaceId


class Clock(Protocol):
    """Time, handed in: aware UTC for records, monotonic seconds for timeouts."""

    def now(self) -> datetime:
        """Return the present moment, aware and in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds since some fixed moment; never steps back."""
        ...


class Ids(Protocol):
    """New ids, handed in so that a simulation can repeat them."""

    def new(self, kind: str) -> str:
        """Return an id that was never returned before; ``kind`` is a short prefix such as ``delivery``."""
        ...


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """A message a robot shall get: an order update or an instant action, never both.

    ``settled`` is None while it is still wanted, then how it ended: ``acknowledged``, ``rejected``, ``withdrawn``.
    """

    id: int
    robot: RobotId
    created_at: datetime
    order: DriveOrder | None = None
    action: RobotAction | None = None
    settled: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, numbered without gaps in the order of commits; what `/events` streams."""

    number: int
    at: datetime
    kind: str
    subject: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The answer that a state-changing request got, kept so that its retry gets the same."""

    key: str
    principal: str
    fingerprint: str
    status: int
    body: str
    at: datetime


class DeliveryRepository(Protocol):
    """Deliveries with their lines, loading, receipt and history."""

    def get(self, delivery: DeliveryId) -> Delivery:
        """Return the delivery; raises `UnknownDeliveryError`."""
        ...

    def add(self, delivery: Delivery) -> None:
        """Keep a new delivery."""
        ...

    def save(self, delivery: Delivery) -> None:
        """Keep the next version; history only grows."""
        ...

    def open(self) -> Sequence[Delivery]:
        """Return every delivery that is not closed, oldest first (queued_at, id)."""
        ...

    def sealed_with(self, seal_number: str) -> Delivery | None:
        """Return the newest delivery that carries, or carried, a seal; None when none does."""
        ...

    def page(
        self, *, after: DeliveryId | None, limit: int, states: frozenset[DeliveryState] | None
    ) -> Sequence[Delivery]:
        """Return up to ``limit`` deliveries, newest first, that come after ``after`` in that order."""
        ...

    def with_medicine(self, code: str) -> Sequence[Delivery]:
        """Return every delivery with a line of a medicine by its code, newest first."""
        ...

    def ended_between(self, start: datetime, end: datetime) -> Iterator[Delivery]:
        """Yield each closed delivery that ended from ``start`` on and before ``end``, by id."""
        ...

    def picked_between(self, start: datetime, end: datetime) -> Iterator[Delivery]:
        """Yield each delivery that was picked, last, from ``start`` on and before ``end``, oldest first."""
        ...


class JobRepository(Protocol):
    """Jobs."""

    def add(self, job: Job) -> None:
        """Keep a new job."""
        ...


class TripRepository(Protocol):
    """Trips."""

    def get(self, trip: TripId) -> Trip:
        """Return the trip; raises KeyError when the id was never ours (a bug)."""
        ...

    def add(self, trip: Trip) -> None:
        """Keep a new trip."""
        ...

    def save(self, trip: Trip) -> None:
        """Keep the next version."""
        ...

    def open(self) -> Sequence[Trip]:
        """Return the trips that have not ended, by started_at, id."""
        ...


class DriveRepository(Protocol):
    """Past drives: what was planned, and how long it took. Only ever added."""

    def add(self, drive: Drive) -> None:
        """Keep a drive; raises `AlreadyKeptError` when its trip has one."""
        ...

    def newest(self, limit: int) -> Sequence[Drive]:
        """Return up to ``limit`` drives, newest first (arrived_at, trip)."""
        ...


class RobotRepository(Protocol):
    """What is on our books about each robot."""

    def get(self, robot: RobotId) -> RobotRecord:
        """Return the record; a robot that was never saved has an empty one."""
        ...

    def save(self, record: RobotRecord) -> None:
        """Keep the record."""
        ...


class Outbox(Protocol):
    """Messages that shall leave, written in the transaction that decided them."""

    def add(
        self, robot: RobotId, *, at: datetime, order: DriveOrder | None = None, action: RobotAction | None = None
    ) -> OutboxMessage:
        """Keep a message and return it with its id (ids grow)."""
        ...

    def settle(self, message: int, outcome: str) -> None:
        """Record that the message is no longer wanted, and why."""
        ...

    def wanted(self) -> Sequence[OutboxMessage]:
        """Return the messages still wanted, by id."""
        ...


class EventLog(Protocol):
    """The numbered stream of what happened."""

    def append(self, *, at: datetime, kind: str, subject: str, data: Mapping[str, object]) -> Event:
        """Keep an event and return it with its number."""
        ...

    def after(self, number: int, limit: int) -> Sequence[Event]:
        """Return up to ``limit`` events with a larger number, in order."""
        ...

    def last_number(self) -> int:
        """Return the number of the newest event, 0 when there is none."""
        ...


class Answers(Protocol):
    """Answers by idempotency key."""

    def find(self, *, key: str, principal: str) -> StoredAnswer | None:
        """Return the answer that this principal got under this key."""
        ...

    def add(self, answer: StoredAnswer) -> None:
        """Keep an answer."""
        ...

    def between(self, start: datetime, end: datetime) -> Sequence[StoredAnswer]:
        """Return the answers given from ``start`` on and before ``end``."""
        ...

    def remove_between(self, start: datetime, end: datetime) -> None:
        """Take those answers out for good: their years have passed, and what is asked again then is asked anew."""
        ...


class RobotHistory(Protocol):
    """What people did with robots, and what kept these; only ever added."""

    def add(self, robot: RobotId, *, at: datetime, act: RobotAct, by: str, reason: str, outcome: str) -> RobotEntry:
        """Keep an entry and return it with its number (numbers grow)."""
        ...

    def page(self, robot: RobotId, *, before: int | None, limit: int) -> Sequence[RobotEntry]:
        """Return up to ``limit`` entries of a robot, newest first, that are older than number ``before``."""
        ...


class Closures(Protocol):
    """Lanes that people have closed. An opened one is kept with who opened it, and no longer stands."""

    def close(self, closure: LaneClosure) -> None:
        """Keep a new closure; raises `AlreadyKeptError` when one of this lane stands."""
        ...

    def open(self, lane: LaneId, *, at: datetime, by: str, reason: str) -> None:
        """Record that the lane is open again; one that is not closed stays so."""
        ...

    def standing(self) -> Sequence[LaneClosure]:
        """Return the closures that stand, by lane; also those whose ``until`` is past and that nobody has ended."""
        ...


class AlarmRepository(Protocol):
    """Alarms."""

    def get(self, alarm: AlarmId) -> Alarm:
        """Return the alarm; raises `UnknownAlarmError`."""
        ...

    def add(self, alarm: Alarm) -> None:
        """Keep a new alarm."""
        ...

    def save(self, alarm: Alarm) -> None:
        """Keep the next version."""
        ...

    def standing(self) -> Sequence[Alarm]:
        """Return the alarms that robots are held by, by raised_at, id."""
        ...

    def newest(self, limit: int) -> Sequence[Alarm]:
        """Return up to ``limit`` alarms, standing or not, newest first."""
        ...


class ApprovalRepository(Protocol):
    """Approvals of the accountable officer that robots carry controlled drugs."""

    def get(self, approval: ApprovalId) -> CarriageApproval:
        """Return the approval; raises `UnknownApprovalError`."""
        ...

    def add(self, approval: CarriageApproval) -> None:
        """Keep a new approval."""
        ...

    def save(self, approval: CarriageApproval) -> None:
        """Keep the next version."""
        ...

    def all(self) -> Sequence[CarriageApproval]:
        """Return every approval, oldest first."""
        ...


class IncidentRepository(Protocol):
    """Incidents; follow-ups only grow."""

    def get(self, incident: IncidentId) -> Incident:
        """Return the incident; raises `UnknownIncidentError`."""
        ...

    def add(self, incident: Incident) -> None:
        """Keep a new incident."""
        ...

    def save(self, incident: Incident) -> None:
        """Keep the next version."""
        ...

    def standing(self) -> Sequence[Incident]:
        """Return every incident that nobody has closed, oldest first."""
        ...

    def closed_between(self, start: datetime, end: datetime) -> Sequence[Incident]:
        """Return the incidents that were closed from ``start`` on and before ``end``, by id."""
        ...

    def remove(self, incidents: Collection[IncidentId]) -> None:
        """Take incidents out for good: their years have passed."""
        ...

    def newest(self, limit: int) -> Sequence[Incident]:
        """Return up to ``limit`` incidents, newest first."""
        ...

    def of_delivery(self, delivery: DeliveryId) -> Sequence[Incident]:
        """Return every incident of a delivery, oldest first."""
        ...


class LedgerRepository(Protocol):
    """The custody ledger: entries from index 0 without gaps, only ever added."""

    @property
    def origin(self) -> LedgerOrigin:
        """Whose ledger it is."""
        ...

    @property
    def mode(self) -> LedgerMode:
        """How much of the stock the ledger sees."""
        ...

    @property
    def size(self) -> int:
        """The number of entries."""
        ...

    def append(self, draft: Draft, at: datetime) -> Entry:
        """Keep an entry, if the rules allow it, and return it with its index and hashes.

        Raises
        ------
        WardporterError
            As `orchestrator.domain.custody.rules.changes_of`; `LedgerHaltedError` when the ledger may not grow.
        """
        ...

    def entry(self, index: int) -> Entry:
        """Return an entry; raises `UnknownEntryError`."""
        ...

    def entries(
        self,
        *,
        after: int | None = None,
        limit: int,
        delivery: DeliveryId | None = None,
        place: PlaceId | None = None,
        medicine: str | None = None,
    ) -> Sequence[Entry]:
        """Return up to ``limit`` entries with a larger index than ``after``, in order.

        Those of a delivery, in a place's register, or about a medicine by its code; all without these.
        """
        ...

    def balance(self, account: Account, stock: Stock) -> int:
        """Return the units of a stock in an account; 0 where it never had any."""
        ...

    def balances(
        self, *, of: str | None = None, medicine: str | None = None, batch: str | None = None
    ) -> Sequence[Balance]:
        """Return what accounts hold, without those that hold nothing, in a fixed order.

        Those of a place or tote (``of``), of a medicine by its code, of a batch; all without these.
        """
        ...

    def pending(self, pending: PendingId) -> Pending:
        """Return a pending posting, open or resolved; raises `UnknownPendingError`."""
        ...

    def find_pending(self, pending: PendingId) -> Pending | None:
        """Return a pending posting, open or resolved; None when there is none."""
        ...

    def open_pendings(self) -> Sequence[Pending]:
        """Return the pending postings that nobody has resolved, in the order in which they were opened."""
        ...

    def is_opened(self, place: PlaceId, medicine: str) -> bool:
        """Whether a place has an opening balance of a medicine of the hospital's, of any batch; a patient's is none."""
        ...

    def is_stock_opened(self, place: PlaceId, stock: Stock) -> bool:
        """Whether a place has an opening balance of this very stock."""
        ...

    def frontier(self, size: int | None = None) -> Frontier:
        """Return the right edge of the tree over the first ``size`` entries; over all without it."""
        ...

    def nodes(self, nodes: Sequence[NodeId]) -> Mapping[NodeId, bytes]:
        """Return the hashes of complete nodes of the tree; raises KeyError for one that it has not."""
        ...

    def newest_head(self) -> str | None:
        """Return the newest signed head; None while there is none. Every commit of entries has signed one."""
        ...


class MedicineRepository(Protocol):
    """The catalogue of medicines, and what pharmacists said of them."""

    def get(self, code: MedicineCode) -> Medicine:
        """Return the medicine; one that nobody knows is returned as unclassified, which is handled as controlled."""
        ...

    def find(self, code: MedicineCode) -> Medicine | None:
        """Return the medicine if it is known."""
        ...

    def by_gtin(self, gtin: str) -> Medicine | None:
        """Return the medicine whose pack has a trade item number of 14 digits."""
        ...

    def save(self, medicines: Collection[Medicine]) -> None:
        """Keep medicines, each in place of what was known of its code, trade item numbers too."""
        ...

    def page(self, *, after: MedicineCode | None, limit: int) -> Sequence[Medicine]:
        """Return up to ``limit`` medicines by code, beyond ``after``."""
        ...

    def add_classification(self, classification: Classification) -> None:
        """Keep what a person said of a medicine; only ever added."""
        ...

    def classifications(self, code: MedicineCode) -> Sequence[Classification]:
        """Return what was said of a medicine, oldest first."""
        ...


class GrantRepository(Protocol):
    """Drawer grants and what came of them."""

    def get(self, grant: GrantId) -> IssuedGrant:
        """Return the grant; raises `UnknownGrantError`."""
        ...

    def add(self, grant: IssuedGrant) -> None:
        """Keep a new grant; raises `AlreadyKeptError` when its id or its robot's nonce was granted before."""
        ...

    def save(self, grant: IssuedGrant) -> None:
        """Keep the next version."""
        ...

    def of_nonce(self, robot: RobotId, nonce: str) -> IssuedGrant | None:
        """Return the grant that names a robot's nonce."""
        ...

    def of_delivery(self, delivery: DeliveryId) -> Sequence[IssuedGrant]:
        """Return every grant for a delivery, by issued_at, id."""
        ...

    def last_opened(self, robot: RobotId, drawer: str) -> IssuedGrant | None:
        """Return the newest grant that a drawer was opened on."""
        ...

    def standing(self) -> Sequence[IssuedGrant]:
        """Return the grants that are not settled, by issued_at, id."""
        ...


class GrantSigner(Protocol):
    """Signs drawer grants with the key that robots know the public half of."""

    def sign(self, text: str) -> str:
        """Return the Ed25519 signature (RFC 8032) over the UTF-8 bytes of ``text``, in base64."""
        ...


class RecallRepository(Protocol):
    """Recalls; what places said of them only grows."""

    def get(self, recall: RecallId) -> Recall:
        """Return the recall; raises `UnknownRecallError`."""
        ...

    def add(self, recall: Recall) -> None:
        """Keep a new recall."""
        ...

    def save(self, recall: Recall) -> None:
        """Keep the next version."""
        ...

    def standing(self) -> Sequence[Recall]:
        """Return the recalls in force, oldest first."""
        ...

    def newest(self, limit: int) -> Sequence[Recall]:
        """Return up to ``limit`` recalls, in force or not, newest first."""
        ...

    def is_recalled(self, medicine: str, batch: str | None) -> bool:
        """Whether a batch of a medicine is recalled now."""
        ...


class UnitOfWork(Protocol):
    """One transaction. Leaving it without an error commits; an error rolls everything back."""

    @property
    def deliveries(self) -> DeliveryRepository:
        """Return the repository within this transaction."""
        ...

    @property
    def jobs(self) -> JobRepository:
        """Return the repository within this transaction."""
        ...

    @property
    def trips(self) -> TripRepository:
        """Return the repository within this transaction."""
        ...

    @property
    def drives(self) -> DriveRepository:
        """Return the repository within this transaction."""
        ...

    @property
    def robots(self) -> RobotRepository:
        """Return the repository within this transaction."""
        ...

    @property
    def outbox(self) -> Outbox:
        """Return the repository within this transaction."""
        ...

    @property
    def events(self) -> EventLog:
        """Return the repository within this transaction."""
        ...

    @property
    def alarms(self) -> AlarmRepository:
        """Return the repository within this transaction."""
        ...

    @property
    def approvals(self) -> ApprovalRepository:
        """Return the repository within this transaction."""
        ...

    @property
    def incidents(self) -> IncidentRepository:
        """Return the repository within this transaction."""
        ...

    @property
    def answers(self) -> Answers:
        """Return the repository within this transaction."""
        ...

    @property
    def history(self) -> RobotHistory:
        """Return the repository within this transaction."""
        ...

    @property
    def closures(self) -> Closures:
        """Return the repository within this transaction."""
        ...

    @property
    def ledger(self) -> LedgerRepository:
        """Return the custody ledger within this transaction."""
        ...

    @property
    def recalls(self) -> RecallRepository:
        """Return the repository within this transaction."""
        ...

    @property
    def medicines(self) -> MedicineRepository:
        """Return the repository within this transaction."""
        ...

    @property
    def grants(self) -> GrantRepository:
        """Return the repository within this transaction."""
        ...

    @property
    def people(self) -> PeopleRepository:
        """Return the repository within this transaction."""
        ...

    @property
    def proofs(self) -> ProofRepository:
        """Return the repository within this transaction."""
        ...

    @property
    def decisions(self) -> DecisionLog:
        """Return the repository within this transaction."""
        ...


class Store(Protocol):
    """Where everything is kept."""

    def transaction(self) -> AbstractContextManager[UnitOfWork]:
        """Open a transaction; it commits durably when the block ends without an error."""
        ...

    def reading(self) -> AbstractContextManager[UnitOfWork]:
        """Open a block that sees one committed state and only reads."""
        ...


class RobotTransport(Protocol):
    """The way to the broker. Never blocks; a message it cannot send now is lost, and the link resends."""

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> None:
        """Hand a message over."""
        ...


class Building(Protocol):
    """Doors and lifts. A session is one holding: for which robot, what for, since when, last renewed when, by whom.

    Behind it the device itself decides: it is open for a robot when it says so, naming the session, and not while it
    is silent. What is held is renewed by `advance` until it is released; what an earlier start of the orchestrator
    still holds is `left_behind` until it is held again for the same robot or released.
    """

    def start(self) -> None:
        """Begin a new epoch, in which nothing is held yet."""
        ...

    def subscriptions(self) -> Sequence[str]:
        """Return the topics that devices talk on; none when there is no broker between."""
        ...

    def receive(self, topic: str, payload: bytes, *, is_retained: bool) -> bool:
        """Take in a message; return whether it was a device's and brought news. No other changes anything."""
        ...

    def advance(self) -> bool:
        """Let time pass: renew what is held, repeat what is released and not confirmed.

        Returns
        -------
        bool
            Whether a device stands differently by it, or is silent, since the last call. Told once.
        """
        ...

    def next_due_s(self) -> float | None:
        """Return when `advance` has something to do or to tell, in monotonic seconds; None when only a message can."""
        ...

    def hold_door(self, door: DoorId, robot: RobotId, *, purpose: str) -> None:
        """Ask that the door opens and stays open for the robot; asking again changes nothing."""
        ...

    def release_door(self, door: DoorId, robot: RobotId) -> None:
        """Say that the robot no longer needs the door."""
        ...

    def is_door_open_for(self, door: DoorId, robot: RobotId) -> bool:
        """Whether the door says that it is fully open and held in our session for the robot."""
        ...

    def hold_lift(self, lift: LiftId, level: LevelId, robot: RobotId, *, purpose: str) -> None:
        """Ask that the cabin comes to the level and waits there, doors open, for the robot alone."""
        ...

    def release_lift(self, lift: LiftId, robot: RobotId) -> None:
        """Say that the robot no longer needs the lift."""
        ...

    def is_lift_open_for(self, lift: LiftId, level: LevelId, robot: RobotId) -> bool:
        """Whether the cabin says that it stands open at the level, in service, held in our session for the robot."""
        ...

    def left_behind(self) -> Sequence[tuple[DoorId | LiftId, RobotId]]:
        """Return what devices still hold for robots since an earlier start of the orchestrator."""
        ...

    def doors(self) -> Mapping[DoorId, DoorPicture]:
        """Return how every motorised door stands now, by its own word."""
        ...

    def lifts(self) -> Mapping[LiftId, LiftPicture]:
        """Return where every lift is now, by its own word."""
        ...
