"""Bring a database to the present schema, safely when trainer and server open it at the same moment.

What is there is kept as it was: a copy of SQLite's file beside it, in PostgreSQL a schema with copies of the tables,
named by the old version and the time (UTC).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from rl_teacher.errors import UserError
from rl_teacher.feedback.copying import copy_sqlite

if TYPE_CHECKING:
    from alembic.config import Config

REVISIONS = ("0001", "0002", "0003", "0004")
"""All migrations in order. Kept here so that opening an up-to-date database need not load Alembic."""

_LOCK = 0x524C5445  # any number all our processes agree on


def migrate(engine: sa.Engine, writer: sa.Engine, now: float) -> None:
    """Run what is missing, in one transaction.

    Args:
        engine: Begins reading transactions.
        writer: The same database; begins transactions that hold the write lock from the start.
        now: Unix seconds.

    Raises:
        UserError: If the database was made by a newer version, or no copy of it can be kept.
    """
    with engine.connect() as conn:
        if _revision(conn) == REVISIONS[-1]:
            return
    with writer.begin() as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        revision = _revision(conn)  # again: another process may have migrated while we waited for the lock
        if revision == REVISIONS[-1]:
            return
        if revision is not None and revision not in REVISIONS:
            raise UserError(
                f"The database '{engine.url.database}' has schema version {revision}; this RL-Teacher knows up to "
                f"{REVISIONS[-1]}. Install the newer RL-Teacher that made it, or choose another --run-dir."
            )
        if revision is not None:
            name = f"{revision}-{datetime.fromtimestamp(now, UTC):%Y%m%d-%H%M%S}"
            if conn.dialect.name == "postgresql":
                _keep_tables(conn, f"kept-{name}")
            else:
                _keep_file(engine, f"{engine.url.database}.{name}")
        _upgrade(conn)


def _keep_file(engine: sa.Engine, name: str) -> None:
    try:
        with engine.connect() as conn:
            copy_sqlite(conn, Path(name))
    except OSError as error:
        raise UserError(
            f"The database must be brought up to date, and no copy of it can be kept in {name} ({error.strerror}). "
            "Make room there, and start again."
        ) from error


def _keep_tables(conn: sa.Connection, schema: str) -> None:
    quote = conn.dialect.identifier_preparer.quote
    conn.execute(sa.schema.CreateSchema(schema))
    for table in sa.inspect(conn).get_table_names():
        conn.exec_driver_sql(f"CREATE TABLE {quote(schema)}.{quote(table)} AS TABLE {quote(table)}")


def _revision(conn: sa.Connection) -> str | None:
    if not sa.inspect(conn).has_table("alembic_version"):
        return None
    return conn.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(conn: sa.Connection) -> None:
    from alembic import command

    config = alembic_config()
    config.attributes["connection"] = conn
    command.upgrade(config, "head")


def alembic_config() -> Config:
    """Alembic's settings; there is no alembic.ini."""
    from alembic.config import Config

    config = Config()
    folder = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
