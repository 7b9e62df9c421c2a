"""The tables, as SQLModel rows. They stay in this package; `*_rows.py` turns them into domain types and back.

Nested values of robots (orders, reports, reasons) are JSON text: they are written whole and never searched.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, MetaData, String, Text, UniqueConstraint, false
from sqlmodel import Field, SQLModel

from orchestrator.adapters.store.columns import Moment, Number, one_of
from orchestrator.domain.custody.grant import Purpose
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.issued_grant import GrantOutcome
from orchestrator.domain.delivery.model import DeliveryState, Priority
from orchestrator.domain.emergency.alarm import AlarmKind
from orchestrator.domain.fleet.history import RobotAct
from orchestrator.domain.fleet.record import OrderPhase
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.medicine.model import NeverByRobot, StorageKind
from orchestrator.domain.medicine.recall import RecallClass
from orchestrator.domain.medicine.schedule import Schedule


class Row(SQLModel):
    """The base of every table of the store."""

    metadata = MetaData()


def _refers_to(column: str) -> ForeignKey:
    # Deferred, so that a transaction may write in any order; checked when it commits.
    return ForeignKey(column, deferrable=True, initially="DEFERRED")


class JobRow(Row, table=True):
    """What was asked for, by whom."""

    __tablename__ = "job"  # pyright: ignore[reportAssignmentType]  # SQLModel types it as a declared attribute

    id: str = Field(primary_key=True)
    requested_by: str
    requested_at: datetime = Field(sa_type=Moment)


class DeliveryRow(Row, table=True):
    """A delivery without its lines, counts and history."""

    __tablename__ = "delivery"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        one_of("priority", Priority, name="delivery_priority"),
        one_of("state", DeliveryState, name="delivery_state"),
        Index("delivery_by_age", "queued_at", "id"),
        Index("delivery_by_state", "state"),
    )

    id: str = Field(primary_key=True)
    job_id: str = Field(sa_type=String, sa_column_args=(_refers_to("job.id"),))
    from_station: str
    to_station: str
    priority: str
    load_id: str = Field(unique=True)
    state: str
    queued_at: datetime = Field(sa_type=Moment)
    due_by: datetime | None = Field(default=None, sa_type=Moment)
    trip_id: str | None = Field(default=None, sa_type=String, sa_column_args=(_refers_to("trip.id"),))
    robot: str | None = None
    drawer: str | None = None
    waiting: str = Field(default="[]", sa_type=Text)
    custody: str = Field(default="{}", sa_type=Text, sa_column_kwargs={"server_default": "{}"})
    is_critical: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    arrival: str = Field(default="{}", sa_type=Text, sa_column_kwargs={"server_default": "{}"})


class ToteRow(Row, table=True):
    """One tote of a delivery; the ids of the lines in it are JSON."""

    __tablename__ = "tote"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("tote_by_delivery", "delivery_id"), Index("tote_by_seal", "seal_number"))

    id: str = Field(primary_key=True)
    delivery_id: str = Field(sa_type=String, sa_column_args=(_refers_to("delivery.id"),))
    position: int
    lines: str = Field(sa_type=Text)
    seal_number: str | None = None
    seal_read: str | None = None
    seal_differed: int = 0


class LineRow(Row, table=True):
    """One line of a delivery, as asked for."""

    __tablename__ = "line"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        CheckConstraint("quantity BETWEEN 1 AND 100000", name="line_quantity"),
        one_of("handling_class", HandlingClass, name="line_handling_class"),
        Index("line_by_delivery", "delivery_id"),
        Index("line_by_code", "code"),
    )

    id: str = Field(primary_key=True)
    delivery_id: str = Field(sa_type=String, sa_column_args=(_refers_to("delivery.id"),))
    position: int
    medicine: str
    quantity: int
    unit: str
    batch: str | None = None
    expiry: date | None = None
    handling_class: str
    code: str | None = None
    schedule: str | None = None
    storage: str = Field(default="room", sa_column_kwargs={"server_default": "room"})


class HandoverRow(Row, table=True):
    """A loading or a receipt: who, and when; the seals they put on and read are on the totes."""

    __tablename__ = "handover"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (one_of("kind", ("loading", "receipt"), name="handover_kind"),)

    delivery_id: str = Field(primary_key=True, sa_type=String, sa_column_args=(_refers_to("delivery.id"),))
    kind: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Moment)
    by: str
    drawer: str | None = None
    is_short_or_over: bool = False


class CountRow(Row, table=True):
    """How many of one line were counted at a loading or a receipt."""

    __tablename__ = "line_count"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        one_of("kind", ("loading", "receipt"), name="line_count_kind"),
        CheckConstraint("quantity BETWEEN 0 AND 1000000", name="line_count_quantity"),
    )

    delivery_id: str = Field(primary_key=True, sa_type=String, sa_column_args=(_refers_to("delivery.id"),))
    kind: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    line_id: str = Field(sa_type=String, sa_column_args=(_refers_to("line.id"),))
    quantity: int


class TransitionRow(Row, table=True):
    """One change of a delivery; only ever added."""

    __tablename__ = "transition"  # pyright: ignore[reportAssignmentType]

    delivery_id: str = Field(primary_key=True, sa_type=String, sa_column_args=(_refers_to("delivery.id"),))
    position: int = Field(primary_key=True)
    at: datetime = Field(sa_type=Moment)
    before: str | None = None
    after: str
    cause: str
    reason_code: str | None = None
    reason_sentence: str | None = None


class TripRow(Row, table=True):
    """One robot's round; its stops are JSON."""

    __tablename__ = "trip"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("trip_by_end", "ended_at"),)

    id: str = Field(primary_key=True)
    robot: str
    stops: str = Field(sa_type=Text)
    started_at: datetime = Field(sa_type=Moment)
    has_arrived: bool
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


class DriveRow(Row, table=True):
    """How long the drive of a trip took, and was planned to; only ever added."""

    __tablename__ = "drive"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        CheckConstraint("planned_s > 0", name="drive_planned"),
        Index("drive_by_arrival", "arrived_at", "trip_id"),
    )

    trip_id: str = Field(primary_key=True, sa_type=String, sa_column_args=(_refers_to("trip.id"),))
    robot: str
    from_station: str
    to_station: str
    planned_s: float
    actual_s: float
    arrived_at: datetime = Field(sa_type=Moment)


class RobotRow(Row, table=True):
    """What is on the books about one robot."""

    __tablename__ = "robot_record"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        one_of("phase", OrderPhase, name="robot_record_phase"),
        CheckConstraint("passed >= 0", name="robot_record_passed"),
    )

    robot: str = Field(primary_key=True)
    trip_id: str | None = Field(default=None, sa_type=String, sa_column_args=(_refers_to("trip.id"),))
    target: str | None = None
    drive_order: str | None = Field(default=None, sa_type=Text)
    phase: str
    passed: int
    tip: str | None = None
    held: str = Field(sa_type=Text)
    granted: str = Field(sa_type=Text)
    route: str = Field(sa_type=Text)
    report: str | None = Field(default=None, sa_type=Text)
    lost_since: datetime | None = Field(default=None, sa_type=Moment)
    waiting: str = Field(sa_type=Text)
    driven_m: float
    holds: str = Field(default="[]", sa_type=Text, sa_column_kwargs={"server_default": "[]"})
    carried: str = Field(default="[]", sa_type=Text, sa_column_kwargs={"server_default": "[]"})
    findings: str = Field(default="[]", sa_type=Text, sa_column_kwargs={"server_default": "[]"})
    sent_to: str | None = None
    checks_grants: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    called_for: str = Field(default="[]", sa_type=Text, sa_column_kwargs={"server_default": "[]"})
    clock_skew_s: float | None = None
    journal: str = Field(default="", sa_column_kwargs={"server_default": ""})
    journal_last: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})


class OutboxRow(Row, table=True):
    """A message a robot shall get, or got."""

    __tablename__ = "outbox"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        CheckConstraint("(drive_order IS NULL) <> (action IS NULL)", name="outbox_order_or_action"),
        Index("outbox_by_outcome", "settled"),
    )

    id: int = Field(primary_key=True, sa_type=Number)
    robot: str
    created_at: datetime = Field(sa_type=Moment)
    drive_order: str | None = Field(default=None, sa_type=Text)
    action: str | None = Field(default=None, sa_type=Text)
    settled: str | None = None


class EventRow(Row, table=True):
    """Something that happened; only ever added."""

    __tablename__ = "event"  # pyright: ignore[reportAssignmentType]

    number: int = Field(primary_key=True, sa_type=Number)
    at: datetime = Field(sa_type=Moment)
    kind: str
    subject: str
    data: str = Field(sa_type=Text)


class RobotEntryRow(Row, table=True):
    """What a person did with a robot, or what kept it; only ever added."""

    __tablename__ = "robot_entry"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        one_of("act", RobotAct, name="robot_entry_act"),
        Index("robot_entry_by_robot", "robot", "number"),
    )

    number: int = Field(primary_key=True, sa_type=Number)
    robot: str
    at: datetime = Field(sa_type=Moment)
    act: str
    by: str
    reason: str
    outcome: str


class ClosureRow(Row, table=True):
    """A lane that a person closed, and who opened it again; it stands until it was opened."""

    __tablename__ = "lane_closure"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("lane_closure_by_end", "opened_at"),)

    number: int = Field(primary_key=True, sa_type=Number)
    lane: str
    at: datetime = Field(sa_type=Moment)
    by: str
    reason: str
    until: datetime | None = Field(default=None, sa_type=Moment)
    opened_at: datetime | None = Field(default=None, sa_type=Moment)
    opened_by: str | None = None
    opened_reason: str | None = None


class WriterEpochRow(Row, table=True):
    """How often the store was opened to write, in one row; see `epoch.py`."""

    __tablename__ = "writer_epoch"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (CheckConstraint("id = 1", name="writer_epoch_one_row"),)

    id: int = Field(primary_key=True)
    number: int = Field(sa_type=Number)


class AnswerRow(Row, table=True):
    """The answer a principal got under an idempotency key."""

    __tablename__ = "answer"  # pyright: ignore[reportAssignmentType]

    principal: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    fingerprint: str
    status: int
    body: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=Moment)


class AlarmRow(Row, table=True):
    """An alarm, from the first word of it until robots were let go on."""

    __tablename__ = "alarm"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (one_of("kind", AlarmKind, name="alarm_kind"), Index("alarm_by_end", "ended_at"))

    id: str = Field(primary_key=True)
    kind: str
    zones: str = Field(sa_type=Text)
    source: str
    raised_at: datetime = Field(sa_type=Moment)
    raised_by: str
    reason: str = Field(sa_type=Text)
    cleared_at: datetime | None = Field(default=None, sa_type=Moment)
    cleared_by: str | None = None
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_by: str | None = None
    ended_because: str | None = Field(default=None, sa_type=Text)


class ApprovalRow(Row, table=True):
    """An approval of the accountable officer that robots of a model carry a class over a route."""

    __tablename__ = "carriage_approval"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (one_of("handling_class", HandlingClass, name="carriage_approval_class"),)

    id: str = Field(primary_key=True)
    handling_class: str
    from_place: str
    to_place: str
    model: str
    approved_by: str
    approved_at: datetime = Field(sa_type=Moment)
    reference: str = Field(sa_type=Text)
    ends_at: datetime | None = Field(default=None, sa_type=Moment)
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)
    revoked_by: str | None = None


class IncidentRow(Row, table=True):
    """What went wrong with a medicine, and what was found out about it."""

    __tablename__ = "incident"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        one_of("kind", IncidentKind, name="incident_kind"),
        Index("incident_by_age", "at", "id"),
        Index("incident_by_delivery", "delivery"),
    )

    id: str = Field(primary_key=True)
    kind: str
    at: datetime = Field(sa_type=Moment)
    place: str
    is_controlled: bool
    sentence: str = Field(sa_type=Text)
    details: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    delivery: str | None = Field(default=None, sa_type=String, sa_column_args=(_refers_to("delivery.id"),))
    schedule: str | None = None
    caused_by: str = Field(sa_type=Text)
    follow_ups: str = Field(sa_type=Text)


class MedicineRow(Row, table=True):
    """A medicine of the catalogue."""

    __tablename__ = "medicine"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        one_of("category", Schedule, name="medicine_category"),
        one_of("handle_as", HandlingClass, name="medicine_handle_as"),
        one_of("storage", StorageKind, name="medicine_storage"),
        one_of("never_by_robot", NeverByRobot, name="medicine_never_by_robot"),
        CheckConstraint("pack_size > 0", name="medicine_pack_size"),
    )

    code: str = Field(primary_key=True)
    name: str
    form: str
    strength: str
    unit: str
    drug_class: str
    category: str | None = None
    pack_size: int | None = None
    handle_as: str | None = None
    storage: str
    out_of_fridge_min: int | None = None
    never_by_robot: str | None = None
    is_test_data: bool


class MedicineGtinRow(Row, table=True):
    """A trade item number of a medicine's packs."""

    __tablename__ = "medicine_gtin"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("medicine_gtin_by_code", "code"),)

    gtin: str = Field(primary_key=True)
    code: str = Field(sa_type=String, sa_column_args=(_refers_to("medicine.code"),))


class ClassificationRow(Row, table=True):
    """What a pharmacist said of a medicine; only ever added."""

    __tablename__ = "medicine_classification"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        one_of("category", Schedule, name="medicine_classification_category"),
        one_of("handle_as", HandlingClass, name="medicine_classification_handle_as"),
        Index("medicine_classification_by_code", "code", "number"),
    )

    number: int = Field(primary_key=True)
    code: str
    at: datetime = Field(sa_type=Moment)
    by: str
    category: str
    handle_as: str | None = None
    reason: str = Field(sa_type=Text)


class GrantRow(Row, table=True):
    """A grant for one drawer, and what came of it; a robot's nonce is granted once."""

    __tablename__ = "drawer_grant"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        one_of("purpose", Purpose, name="drawer_grant_purpose"),
        one_of("outcome", GrantOutcome, name="drawer_grant_outcome"),
        UniqueConstraint("robot", "nonce", name="drawer_grant_nonce"),
        Index("drawer_grant_by_delivery", "delivery_id"),
        Index("drawer_grant_by_end", "settled_at"),
        Index("drawer_grant_by_drawer", "robot", "drawer", "issued_at"),
    )

    id: str = Field(primary_key=True)
    delivery_id: str = Field(sa_type=String, sa_column_args=(_refers_to("delivery.id"),))
    robot: str
    drawer: str
    purpose: str
    nonce: str
    action: str
    by: str
    people: str = Field(sa_type=Text)
    issued_at: datetime = Field(sa_type=Moment)
    place: str = Field(default="", sa_column_kwargs={"server_default": ""})
    outcome: str
    reason: str
    answered_at: datetime | None = Field(default=None, sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)
    settled_at: datetime | None = Field(default=None, sa_type=Moment)


class RecallRow(Row, table=True):
    """A recall, and what places said of it."""

    __tablename__ = "recall"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        one_of("recall_class", RecallClass, name="recall_class"),
        Index("recall_by_medicine", "medicine", "ended_at"),
    )

    id: str = Field(primary_key=True)
    medicine: str
    batches: str = Field(sa_type=Text)
    recall_class: str
    reference: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    raised_by: str
    raised_at: datetime = Field(sa_type=Moment)
    places: str = Field(sa_type=Text)
    acknowledgements: str = Field(sa_type=Text)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_by: str | None = None
