"""Answers looked at again."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from rl_teacher.feedback.answering import LABEL, label_of
from rl_teacher.feedback.base import Storage, batches, clips_of
from rl_teacher.feedback.records import Answer
from rl_teacher.feedback.schema import labellers, labels, queries, standing


class Review(Storage):
    """Look at what was said of some questions."""

    def standing_answers(self, query_ids: Sequence[str]) -> list[Answer]:
        """The newest answer of each labeller to each of these questions, the oldest first."""
        query = (
            sa.select(*LABEL, labels.c.late, labellers.c.name, queries.c.why, queries.c.step)
            .add_columns(queries.c.left_segment_id, queries.c.right_segment_id)
            .join(standing, standing.c.seq == labels.c.seq)
            .join(labellers, labellers.c.id == labels.c.labeller_id)
            .join(queries, queries.c.id == labels.c.query_id)
            .order_by(labels.c.seq)
        )
        with self.read() as conn:
            rows = [
                row
                for ids in batches(list(query_ids))
                for row in conn.execute(query.where(standing.c.query_id.in_(ids)))
            ]
            clips = clips_of(conn, [id for row in rows for id in (row.left_segment_id, row.right_segment_id)])
        return [
            Answer(
                label=label_of(row),
                labeller_name=row.name,
                late=row.late,
                superseded=False,
                why=row.why,
                step=row.step,
                left=clips[row.left_segment_id],
                right=clips[row.right_segment_id],
            )
            for row in rows
        ]
