"""Several totes in a delivery: each with its seal and its lines. The id of the first stays that of the load."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

DELIVERY = sa.table("delivery", *(sa.column(name) for name in ("id", "tote_id", "load_id", "seal_number", "custody")))
LINE = sa.table("line", *(sa.column(name) for name in ("id", "delivery_id", "position")))
HANDOVER = sa.table("handover", *(sa.column(name) for name in ("delivery_id", "kind", "seal_number")))
TOTE = sa.table(
    "tote",
    *(
        sa.column(name)
        for name in ("id", "delivery_id", "position", "lines", "seal_number", "seal_read", "seal_differed")
    ),
)
DIFFERED = "seal_differed"


def upgrade() -> None:
    op.create_table(
        "tote",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("delivery_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("seal_number", sa.String(), nullable=True),
        sa.Column("seal_read", sa.String(), nullable=True),
        sa.Column("seal_differed", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], initially="DEFERRED", deferrable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("tote_by_delivery", "tote", ["delivery_id"])
    op.create_index("tote_by_seal", "tote", ["seal_number"])
    _one_tote_each()
    op.drop_column("delivery", "seal_number")
    op.drop_column("handover", "seal_number")
    # Renamed, not made anew: SQLite would count rebuilding the table as deleting what lines and counts refer to.
    op.alter_column("delivery", "tote_id", new_column_name="load_id")


def downgrade() -> None:
    """Go back to one tote for each delivery; refused while some delivery has several."""
    bind = op.get_bind()
    several = bind.execute(sa.select(TOTE.c.delivery_id).where(TOTE.c.position > 0).limit(1)).first()
    if several is not None:
        raise RuntimeError(
            f"The downgrade was refused: delivery {several.delivery_id} has several totes, and the older version knows "
            "one; expected none. Put back a copy of the store that the older version wrote."
        )
    op.alter_column("delivery", "load_id", new_column_name="tote_id")
    op.add_column("delivery", sa.Column("seal_number", sa.String(), nullable=True))
    op.add_column("handover", sa.Column("seal_number", sa.String(), nullable=False, server_default=""))
    for row in bind.execute(sa.select(TOTE)).all():
        own = DELIVERY.c.id == row.delivery_id
        bind.execute(sa.update(DELIVERY).where(own).values(seal_number=row.seal_number))
        for kind, seal in (("loading", row.seal_number), ("receipt", row.seal_read)):
            where = sa.and_(HANDOVER.c.delivery_id == row.delivery_id, HANDOVER.c.kind == kind)
            bind.execute(sa.update(HANDOVER).where(where).values(seal_number=seal or ""))
        if row.seal_differed:
            custody = json.loads(bind.execute(sa.select(DELIVERY.c.custody).where(own)).scalar_one())
            custody[DIFFERED] = row.seal_differed
            bind.execute(sa.update(DELIVERY).where(own).values(custody=json.dumps(custody)))
    op.drop_index("tote_by_seal", table_name="tote")
    op.drop_index("tote_by_delivery", table_name="tote")
    op.drop_table("tote")


def _one_tote_each() -> None:
    """Put the lines of each delivery into its one tote, with its seal as put on and as read."""
    bind = op.get_bind()
    lines: dict[str, list[str]] = {}
    for line in bind.execute(sa.select(LINE).order_by(LINE.c.delivery_id, LINE.c.position)):
        lines.setdefault(line.delivery_id, []).append(line.id)
    received = sa.select(HANDOVER.c.delivery_id, HANDOVER.c.seal_number).where(HANDOVER.c.kind == "receipt")
    read = {row.delivery_id: row.seal_number for row in bind.execute(received)}
    totes: list[dict[str, Any]] = []
    for delivery in bind.execute(
        sa.select(DELIVERY.c.id, DELIVERY.c.tote_id, DELIVERY.c.seal_number, DELIVERY.c.custody)
    ):
        custody = json.loads(delivery.custody)
        differed = custody.pop(DIFFERED, 0)
        totes.append(
            {
                "id": delivery.tote_id,
                "delivery_id": delivery.id,
                "position": 0,
                "lines": json.dumps(lines.get(delivery.id, [])),
                "seal_number": delivery.seal_number,
                "seal_read": read.get(delivery.id),
                "seal_differed": differed,
            }
        )
        if differed:
            bind.execute(sa.update(DELIVERY).where(DELIVERY.c.id == delivery.id).values(custody=json.dumps(custody)))
    if totes:
        bind.execute(sa.insert(TOTE), totes)
