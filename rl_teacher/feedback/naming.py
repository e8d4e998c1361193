"""Which blobs the rows of a database name."""

from __future__ import annotations

import sqlalchemy as sa

from rl_teacher.feedback.schema import clips, renditions, results, segments

NAMES = (clips.c.blob, clips.c.scene_blob, renditions.c.blob, segments.c.data_blob, results.c.blob)
"""Every column that holds the sha256 of a blob; a test proves that there is no other."""


def named_blobs(conn: sa.Connection) -> set[str]:
    """The sha256 of every blob that a row names; a database of an older version may lack some of the tables."""
    there = set(sa.inspect(conn).get_table_names())
    columns = [column for column in NAMES if column.table.name in there]
    return {sha for column in columns for sha in conn.scalars(sa.select(column).where(column.is_not(None)).distinct())}
