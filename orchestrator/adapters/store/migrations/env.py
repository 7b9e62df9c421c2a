"""What Alembic runs: our migrations on the connection that `migrate` hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

import orchestrator.adapters.store.ledger_tables  # noqa: F401  # tables of the same metadata
from orchestrator.adapters.store.rows import Row

connection = context.config.attributes["connection"]
assert isinstance(connection, Connection), "migrations run through orchestrator.adapters.store.migrate"
# Batches rebuild a table, which is how SQLite changes a column or a check.
context.configure(connection=connection, target_metadata=Row.metadata, render_as_batch=True)
context.run_migrations()
