"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "answer",
        sa.Column("principal", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("principal", "key"),
    )
    op.create_table(
        "event",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("requested_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("robot", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.Column("drive_order", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("settled", sa.String(), nullable=True),
        sa.CheckConstraint("(drive_order IS NULL) <> (action IS NULL)", name="outbox_order_or_action"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("outbox_by_outcome", ["settled"], unique=False)

    op.create_table(
        "trip",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("robot", sa.String(), nullable=False),
        sa.Column("stops", sa.Text(), nullable=False),
        sa.Column("started_at", sa.String(length=27), nullable=False),
        sa.Column("has_arrived", sa.Boolean(), nullable=False),
        sa.Column("ended_at", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("trip", schema=None) as batch_op:
        batch_op.create_index("trip_by_end", ["ended_at"], unique=False)

    op.create_table(
        "delivery",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("from_station", sa.String(), nullable=False),
        sa.Column("to_station", sa.String(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("tote_id", sa.String(), nullable=False),
        sa.Column("seal_number", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("queued_at", sa.String(length=27), nullable=False),
        sa.Column("due_by", sa.String(length=27), nullable=True),
        sa.Column("trip_id", sa.String(), nullable=True),
        sa.Column("robot", sa.String(), nullable=True),
        sa.Column("drawer", sa.String(), nullable=True),
        sa.Column("waiting", sa.Text(), nullable=False),
        sa.CheckConstraint("priority IN ('stat', 'urgent', 'routine')", name="delivery_priority"),
        sa.CheckConstraint(
            "state IN ('queued', 'verified', 'assigned', 'loading', 'sealed', "
            "'in_transit', 'arrived', 'received', 'held', 'returning', 'returned', 'cancelled', "
            "'handed_to_runner', 'incident')",
            name="delivery_state",
        ),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], initially="DEFERRED", deferrable=True),
        sa.ForeignKeyConstraint(["trip_id"], ["trip.id"], initially="DEFERRED", deferrable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("tote_id"),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index("delivery_by_age", ["queued_at", "id"], unique=False)
        batch_op.create_index("delivery_by_state", ["state"], unique=False)

    op.create_table(
        "robot_record",
        sa.Column("robot", sa.String(), nullable=False),
        sa.Column("trip_id", sa.String(), nullable=True),
        sa.Column("target", sa.String(), nullable=True),
        sa.Column("drive_order", sa.Text(), nullable=True),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("passed", sa.Integer(), nullable=False),
        sa.Column("tip", sa.String(), nullable=True),
        sa.Column("held", sa.Text(), nullable=False),
        sa.Column("granted", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("lost_since", sa.String(length=27), nullable=True),
        sa.Column("waiting", sa.Text(), nullable=False),
        sa.Column("driven_m", sa.Float(), nullable=False),
        sa.CheckConstraint(
            "phase IN ('wanted', 'acknowledged', 'cancelling', 'done', 'lost')", name="robot_record_phase"
        ),
        sa.CheckConstraint("passed >= 0", name="robot_record_passed"),
        sa.ForeignKeyConstraint(["trip_id"], ["trip.id"], initially="DEFERRED", deferrable=True),
        sa.PrimaryKeyConstraint("robot"),
    )
    op.create_table(
        "handover",
        sa.Column("delivery_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("drawer", sa.String(), nullable=True),
        sa.Column("seal_number", sa.String(), nullable=False),
        sa.Column("is_short_or_over", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind IN ('loading', 'receipt')", name="handover_kind"),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], initially="DEFERRED", deferrable=True),
        sa.PrimaryKeyConstraint("delivery_id", "kind"),
    )
    op.create_table(
        "line",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("delivery_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("medicine", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("batch", sa.String(), nullable=True),
        sa.Column("expiry", sa.Date(), nullable=True),
        sa.Column("handling_class", sa.String(), nullable=False),
        sa.CheckConstraint("handling_class IN ('ordinary', 'controlled')", name="line_handling_class"),
        sa.CheckConstraint("quantity BETWEEN 1 AND 100000", name="line_quantity"),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], initially="DEFERRED", deferrable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("line", schema=None) as batch_op:
        batch_op.create_index("line_by_delivery", ["delivery_id"], unique=False)

    op.create_table(
        "transition",
        sa.Column("delivery_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("before", sa.String(), nullable=True),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("reason_code", sa.String(), nullable=True),
        sa.Column("reason_sentence", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], initially="DEFERRED", deferrable=True),
        sa.PrimaryKeyConstraint("delivery_id", "position"),
    )
    op.create_table(
        "line_count",
        sa.Column("delivery_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("line_id", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('loading', 'receipt')", name="line_count_kind"),
        sa.CheckConstraint("quantity BETWEEN 0 AND 1000000", name="line_count_quantity"),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], initially="DEFERRED", deferrable=True),
        sa.ForeignKeyConstraint(["line_id"], ["line.id"], initially="DEFERRED", deferrable=True),
        sa.PrimaryKeyConstraint("delivery_id", "kind", "position"),
    )
