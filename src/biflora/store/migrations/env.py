"""Alembic runs this; biflora calls it at start with its own connection (`store.engine.migrate`)."""

from __future__ import annotations

from alembic import context

from biflora.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
