"""The record of answers as people look through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from rl_teacher.feedback.answering import LABEL, label_of
from rl_teacher.feedback.base import Storage, batches, clips_of
from rl_teacher.feedback.records import Answer
from rl_teacher.feedback.schema import golds, labellers, labels, queries, runs, standing
from rl_teacher.labels import PREFERENCES, Verdict


@dataclass(frozen=True, slots=True)
class AnswerFilter:
    """Which answers to list; what is None or empty does not matter."""

    labeller_id: str | None = None
    verdict: Verdict | None = None
    """Only those that say so now, not those that said so once."""
    run: str = ""
    """Name of the run that asked."""
    why: str = ""
    """Part of the reason for asking, in any case of letters."""
    disputed: bool = False
    """Only pairs of which two people say different things."""
    kind: str = ""
    """question, repeat or gold."""


EVENTS = (
    sa.select(*LABEL, labels.c.late, labellers.c.name, standing.c.seq.label("newest"))
    .add_columns(queries.c.why, queries.c.step, queries.c.left_segment_id, queries.c.right_segment_id)
    .add_columns(queries.c.kind, runs.c.name.label("run"), golds.c.verdict.label("gold"))
    .join(labellers, labellers.c.id == labels.c.labeller_id)
    .join(queries, queries.c.id == labels.c.query_id)
    .join(runs, runs.c.id == queries.c.run_id)
    .join(standing, sa.and_(*(standing.c[key] == labels.c[key] for key in ("query_id", "labeller_id"))))
    .outerjoin(golds, golds.c.query_id == queries.c.id)
)
"""Every answer ever given, with what a list needs beside it."""


class Listing(Storage):
    """Look back."""

    def answers(
        self, experiment_id: str, only: AnswerFilter | None = None, before_seq: int | None = None, limit: int = 50
    ) -> list[Answer]:
        """Events newest first, with their clips; before number `before_seq`."""
        query = EVENTS.where(labels.c.experiment_id == experiment_id, *_conditions(only or AnswerFilter()))
        if before_seq is not None:
            query = query.where(labels.c.seq < before_seq)
        with self.read() as conn:
            return _answers(conn, conn.execute(query.order_by(labels.c.seq.desc()).limit(limit)).all())

    def standing_answers(self, query_ids: Sequence[str]) -> list[Answer]:
        """The newest answer of each labeller to each of these questions, the oldest first."""
        query = EVENTS.where(standing.c.seq == labels.c.seq).order_by(labels.c.seq)
        with self.read() as conn:
            found = [conn.execute(query.where(labels.c.query_id.in_(ids))) for ids in batches(list(query_ids))]
            return _answers(conn, [row for rows in found for row in rows])


def _answers(conn: sa.Connection, rows: Sequence[sa.Row]) -> list[Answer]:
    clips = clips_of(conn, [id for row in rows for id in (row.left_segment_id, row.right_segment_id)])
    return [
        Answer(
            label=label_of(row),
            labeller_name=row.name,
            late=row.late,
            superseded=row.newest != row.seq,
            why=row.why,
            step=row.step,
            left=clips[row.left_segment_id],
            right=clips[row.right_segment_id],
            run=row.run,
            kind=row.kind,
            gold=None if row.gold is None else Verdict(row.gold),
        )
        for row in rows
    ]


def _conditions(only: AnswerFilter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if only.labeller_id is not None:
        found.append(labels.c.labeller_id == only.labeller_id)
    if only.verdict is not None:
        found.append((labels.c.verdict == str(only.verdict)) & (standing.c.seq == labels.c.seq))
    if only.run:
        found.append(runs.c.name == only.run)
    if only.why:
        found.append(queries.c.why.icontains(only.why, autoescape=True))
    if only.kind:
        found.append(queries.c.kind == only.kind)
    if only.disputed:
        found.append(labels.c.query_id.in_(disputed()))
    return found


def disputed() -> sa.Select:
    """Ids of questions of which people say different things."""
    said = sa.select(standing.c.query_id).where(standing.c.verdict.in_(PREFERENCES))
    return said.group_by(standing.c.query_id).having(sa.func.count(standing.c.verdict.distinct()) > 1)
