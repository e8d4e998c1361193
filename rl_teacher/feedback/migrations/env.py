"""What Alembic runs: the migrations, on the connection and in the transaction of whoever called it."""

from __future__ import annotations

from alembic import context

from rl_teacher.feedback.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
    transactional_ddl=True,  # true of SQLite too, as long as nobody commits in between
)
with context.begin_transaction():
    context.run_migrations()
