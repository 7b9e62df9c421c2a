"""The catalogue of medicines, the trade item numbers of their packs, and what pharmacists said of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

CATEGORIES = "'0000', '0001', '0002', '0003', '0004', '0005', '0006', '0007', '0008', '0009', '0010'"
CLASSES = "'ordinary', 'locked', 'controlled'"


def upgrade() -> None:
    op.create_table(
        "medicine",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("strength", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("drug_class", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("pack_size", sa.Integer(), nullable=True),
        sa.Column("handle_as", sa.String(), nullable=True),
        sa.Column("storage", sa.String(), nullable=False),
        sa.Column("out_of_fridge_min", sa.Integer(), nullable=True),
        sa.Column("never_by_robot", sa.String(), nullable=True),
        sa.Column("is_test_data", sa.Boolean(), nullable=False),
        sa.CheckConstraint(f"category IN ({CATEGORIES})", name="medicine_category"),
        sa.CheckConstraint(f"handle_as IN ({CLASSES})", name="medicine_handle_as"),
        sa.CheckConstraint("storage IN ('room', 'fridge')", name="medicine_storage"),
        sa.CheckConstraint(
            "never_by_robot IN ('intrathecal', 'cytotoxic', 'schedule_one', 'local')", name="medicine_never_by_robot"
        ),
        sa.CheckConstraint("pack_size > 0", name="medicine_pack_size"),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "medicine_gtin",
        sa.Column("gtin", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["code"], ["medicine.code"], initially="DEFERRED", deferrable=True),
        sa.PrimaryKeyConstraint("gtin"),
    )
    op.create_index("medicine_gtin_by_code", "medicine_gtin", ["code"])
    op.create_table(
        "medicine_classification",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("handle_as", sa.String(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(f"category IN ({CATEGORIES})", name="medicine_classification_category"),
        sa.CheckConstraint(f"handle_as IN ({CLASSES})", name="medicine_classification_handle_as"),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("medicine_classification_by_code", "medicine_classification", ["code", "number"])


def downgrade() -> None:
    op.drop_index("medicine_classification_by_code", table_name="medicine_classification")
    op.drop_table("medicine_classification")
    op.drop_index("medicine_gtin_by_code", table_name="medicine_gtin")
    op.drop_table("medicine_gtin")
    op.drop_table("medicine")
