"""Bring a database to the present schema, safely when trainer and server open it at the same moment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from rl_teacher.errors import UserError

if TYPE_CHECKING:
    from alembic.config import Config

REVISIONS = ("0001", "0002", "0003", "0004")
"""All migrations in order. Kept here so that opening an up-to-date database need not load Alembic."""

_LOCK = 0x524C5445  # any number all our processes agree on


def migrate(engine: sa.Engine, writer: sa.Engine) -> None:
    """Run what is missing, in one transaction.

    Args:
        engine: Begins reading transactions.
        writer: The same database; begins transactions that hold the write lock from the start.

    Raises:
        UserError: If the database was made by a newer version.
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
        _upgrade(conn)


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
