"""In whose register an opening stands, what an incident tells few, and for what people were called to a robot."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("incident", sa.Column("details", sa.Text(), nullable=False, server_default=""))
    op.create_index("incident_by_delivery", "incident", ["delivery"])
    op.add_column("robot_record", sa.Column("called_for", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("drawer_grant", sa.Column("place", sa.String(), nullable=False, server_default=""))
    # What was granted before goes by its station, which is a place of its own where no site knows it.
    op.execute("UPDATE drawer_grant SET place = (SELECT from_station FROM delivery WHERE delivery.id = delivery_id)")
    op.create_index("drawer_grant_by_drawer", "drawer_grant", ["robot", "drawer", "issued_at"])


def downgrade() -> None:
    op.drop_index("drawer_grant_by_drawer", table_name="drawer_grant")
    op.drop_column("drawer_grant", "place")
    op.drop_column("robot_record", "called_for")
    op.drop_index("incident_by_delivery", table_name="incident")
    op.drop_column("incident", "details")
