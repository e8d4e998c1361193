"""Whole databases from here to there."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from rl_teacher.feedback.driver import choose_driver
from rl_teacher.feedback.schema import audit, counters, metadata

ROWS = 1_000
"""So many at a time."""


def copy_sqlite(conn: sa.Connection, file: Path) -> None:
    """Write the database behind a connection to a new file, as it is at one moment; others may write meanwhile.

    Args:
        conn: Of a SQLite database.
        file: Whole afterwards, with nothing in a log beside it.

    Raises:
        OSError: If it cannot be written.
    """
    module = choose_driver().module
    try:
        with closing(module.connect(str(file))) as target:
            conn.connection.driver_connection.backup(target)  # type: ignore[union-attr]
            target.execute("PRAGMA journal_mode=DELETE")
    except module.Error as error:
        file.unlink(missing_ok=True)
        raise OSError(None, str(error), str(file)) from error
    with file.open("rb") as written:
        os.fsync(written.fileno())


def copy_rows(source: sa.Connection, target: sa.Connection) -> None:
    """Copy every row into a database without any; both have the present schema.

    Args:
        source: A reading transaction, which sees one moment.
        target: A writing one.
    """
    target.execute(counters.delete())
    for table in metadata.sorted_tables:
        for rows in source.execution_options(yield_per=ROWS).execute(sa.select(table)).partitions():
            target.execute(table.insert(), [dict(row._mapping) for row in rows])
    if target.dialect.name == "postgresql":  # it would number the next row from 1
        last = sa.select(sa.func.coalesce(sa.func.max(audit.c.id), 0) + 1).scalar_subquery()
        target.execute(sa.select(sa.func.setval(sa.func.pg_get_serial_sequence("audit", "id"), last, False)))


def is_empty(conn: sa.Connection) -> bool:
    """Whether nothing has been put into a store's database yet."""
    tables = [table for table in metadata.sorted_tables if table is not counters]
    return not any(conn.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() for table in tables)
