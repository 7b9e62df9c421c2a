"""Which counts of wrong PINs are of badges that nobody has, and when each was last guessed at."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

MOMENT = sa.String(length=27)
COUNT = sa.table(
    "pin_count",
    *(sa.column(name) for name in ("badge", "device", "wrong_at", "newest_at")),
    sa.column("is_of_nobody", sa.Boolean()),
)
PERSON = sa.table("person", sa.column("badge"))


def upgrade() -> None:
    op.add_column("pin_count", sa.Column("newest_at", MOMENT, nullable=True))
    op.add_column("pin_count", sa.Column("is_of_nobody", sa.Boolean(), nullable=False, server_default=sa.false()))
    connection = op.get_bind()
    known = set(connection.execute(sa.select(PERSON.c.badge)).scalars())
    for badge, device, wrong_at in connection.execute(sa.select(COUNT.c.badge, COUNT.c.device, COUNT.c.wrong_at)).all():
        newest_at = max(json.loads(wrong_at), default=None)
        here = sa.and_(COUNT.c.badge == badge, COUNT.c.device == device)
        said = {"newest_at": newest_at, "is_of_nobody": badge not in known}
        connection.execute(sa.update(COUNT).where(here).values(said))
    with op.batch_alter_table("pin_count") as table:
        table.alter_column("is_of_nobody", existing_type=sa.Boolean(), existing_nullable=False, server_default=None)
    op.create_index("pin_count_of_nobody", "pin_count", ["is_of_nobody", "newest_at", "badge", "device"])


def downgrade() -> None:
    op.drop_index("pin_count_of_nobody", table_name="pin_count")
    with op.batch_alter_table("pin_count") as table:
        table.drop_column("is_of_nobody")
        table.drop_column("newest_at")
