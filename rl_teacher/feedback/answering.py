"""Answers: appended, never changed, numbered in the order of their commits; and what they add up to."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import sqlalchemy as sa

from rl_teacher.errors import unknown
from rl_teacher.feedback.base import Storage, batches, clips_of, found, live
from rl_teacher.feedback.claiming import LEASE_SECONDS, lend, open_to
from rl_teacher.feedback.engine import next_number
from rl_teacher.feedback.records import Answer, ConflictError, Counts, Saved, Submit
from rl_teacher.feedback.schema import labellers, labels, leases, queries, standing
from rl_teacher.labels import PREFERENCES, Label, Strength, Verdict

RATE_WINDOW = 300.0
"""Answers per minute are those of the last five minutes."""

LABEL = (
    labels.c.seq,
    labels.c.query_id,
    labels.c.labeller_id,
    labels.c.verdict,
    labels.c.strength,
    labels.c.seconds,
    labels.c.key,
    labels.c.given_at,
)
"""What makes a Label, in its order."""


class Answering(Storage):
    """Keep what people say, and count it."""

    def submit(self, said: Submit) -> Saved:
        """Append one answer; it is on disk when this returns.

        The same id again changes nothing and returns the same number. An answer is kept even if its lease or its
        question has ended. WITHDRAWN takes the labeller's earlier answer back and lends them the question again.

        Raises:
            NotFoundError: If there is no such question.
            ConflictError: If the id was used for something else.
            UserError: If verdict or strength is none we know.
        """
        _check_words(said)
        with self.write() as conn:
            # Locked before looking for the id, so that of two equal submits the second finds the first's row.
            query = sa.select(queries).where(queries.c.id == said.query_id).with_for_update()
            asked = found(conn.execute(query).first(), "query", said.query_id)
            before = conn.execute(sa.select(labels).where(labels.c.id == said.id)).first()
            if before is not None:
                return _repeated(said, before)
            return self._append(conn, said, asked)

    def _append(self, conn: sa.Connection, said: Submit, asked: sa.Row) -> Saved:
        now = self.clock()
        late = _is_late(conn, said, asked.state, now)
        seq = next_number(conn, "labels")
        values = dataclasses.asdict(said)
        del values["lease"]
        values |= {"verdict": str(said.verdict), "strength": str(said.strength), "late": late, "given_at": now}
        conn.execute(labels.insert().values(**values, seq=seq, experiment_id=asked.experiment_id))
        _update_standing(conn, said, seq, asked)
        held = (leases.c.query_id == said.query_id) & (leases.c.labeller_id == said.labeller_id)
        conn.execute(leases.update().where(held & leases.c.released_at.is_(None)).values(released_at=now))
        if said.verdict == Verdict.WITHDRAWN:
            free = sa.select(queries.c.id).where(queries.c.id == said.query_id, open_to(said.labeller_id, now))
            if conn.execute(free).scalar() is not None:
                lend(conn, said.query_id, said.labeller_id, now, LEASE_SECONDS)
        return Saved(seq, repeated=False, late=late)

    def counts(self, experiment_id: str) -> Counts:
        """How far an experiment is; all zero for one that is not there."""
        is_open = (queries.c.state == "open") & queries.c.is_full.is_(False)
        kinds = (sa.true(), is_open, queries.c.n_answers > 0)
        totals = [sa.func.coalesce(sa.func.sum(sa.case((kind, 1), else_=0)), 0) for kind in kinds]
        verdicts = sa.select(standing.c.verdict, sa.func.count()).group_by(standing.c.verdict)
        decided = sa.select(sa.func.count(standing.c.query_id.distinct())).where(
            standing.c.experiment_id == experiment_id, standing.c.verdict.in_(PREFERENCES)
        )
        with self.read() as conn:
            row = conn.execute(sa.select(*totals).where(queries.c.experiment_id == experiment_id)).one()
            grouped = conn.execute(verdicts.where(standing.c.experiment_id == experiment_id))
            by = {verdict: n for verdict, n in grouped}  # noqa: C416 (a Row is not a pair to type checkers)
            n_decided = conn.execute(decided).scalar_one()
        rest: list[int] = [n_decided, *(by.get(verdict, 0) for verdict in Verdict)]
        return Counts(*row, *rest)

    def labels_since(self, experiment_id: str, cursor: int = 0, limit: int = 10_000) -> list[Label]:
        """Events after number `cursor`, oldest first. None is ever missed by going on from the last number seen."""
        query = sa.select(*LABEL).where(labels.c.experiment_id == experiment_id, labels.c.seq > cursor)
        with self.read() as conn:
            return [label_of(row) for row in conn.execute(query.order_by(labels.c.seq).limit(limit))]

    def labels_of(self, query_ids: Sequence[str]) -> dict[str, list[Label]]:
        """The newest label of each labeller by query id; WITHDRAWN ones too. Unlabelled queries have no entry."""
        newest: dict[str, list[Label]] = {}
        query = sa.select(*LABEL).join(standing, standing.c.seq == labels.c.seq).order_by(labels.c.seq)
        with self.read() as conn:
            for ids in batches(list(query_ids)):
                for row in conn.execute(query.where(standing.c.query_id.in_(ids))):
                    newest.setdefault(row.query_id, []).append(label_of(row))
        return newest

    def answers(
        self, experiment_id: str, labeller_id: str | None = None, before_seq: int | None = None, limit: int = 50
    ) -> list[Answer]:
        """Events newest first, of one labeller or of all (None), with their clips; before number `before_seq`."""
        query = (
            sa.select(*LABEL, labels.c.late, labellers.c.name, standing.c.seq.label("newest"))
            .add_columns(queries.c.why, queries.c.step, queries.c.left_segment_id, queries.c.right_segment_id)
            .join(labellers, labellers.c.id == labels.c.labeller_id)
            .join(queries, queries.c.id == labels.c.query_id)
            .join(standing, sa.and_(*(standing.c[key] == labels.c[key] for key in ("query_id", "labeller_id"))))
            .where(labels.c.experiment_id == experiment_id)
        )
        if labeller_id is not None:
            query = query.where(labels.c.labeller_id == labeller_id)
        if before_seq is not None:
            query = query.where(labels.c.seq < before_seq)
        with self.read() as conn:
            rows = conn.execute(query.order_by(labels.c.seq.desc()).limit(limit)).all()
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
            )
            for row in rows
        ]

    def answers_per_minute(self, experiment_id: str) -> float:
        """The pace of the last five minutes, or of the time since the first answer in them, at least one minute."""
        now = self.clock()
        recent = (labels.c.experiment_id == experiment_id) & (labels.c.given_at > now - RATE_WINDOW)
        recent &= labels.c.verdict != Verdict.WITHDRAWN
        with self.read() as conn:
            query = sa.select(sa.func.count(), sa.func.min(labels.c.given_at)).where(recent)
            n, first = conn.execute(query).one()
        return 60.0 * n / max(60.0, now - first) if n else 0.0


def _check_words(said: Submit) -> None:
    if said.verdict not in list(Verdict):
        raise unknown("verdict", str(said.verdict), Verdict)
    if said.strength not in list(Strength):
        raise unknown("strength", str(said.strength), Strength)


def _repeated(said: Submit, before: sa.Row) -> Saved:
    same = (before.query_id, before.labeller_id, before.verdict) == (said.query_id, said.labeller_id, said.verdict)
    if not same:
        raise ConflictError(f"The id '{said.id[:64]}' was used for another answer; make a new one for each answer.")
    return Saved(before.seq, repeated=True, late=before.late)


def _is_late(conn: sa.Connection, said: Submit, state: str, now: float) -> bool:
    """Whether the question was taken back, or lent to others, before this answer came."""
    if state != "open":
        return True
    if said.lease is None:  # somebody who changes an answer holds none
        return False
    mine = (leases.c.query_id == said.query_id) & (leases.c.labeller_id == said.labeller_id)
    lease = conn.execute(sa.select(leases.c.token).where(mine, leases.c.token == said.lease, live(now))).first()
    answered = (standing.c.query_id == said.query_id) & (standing.c.labeller_id == said.labeller_id)
    return lease is None and conn.execute(sa.select(standing.c.seq).where(answered)).first() is None


def _update_standing(conn: sa.Connection, said: Submit, seq: int, asked: sa.Row) -> None:
    """Bring what is derived from labels up to date: the newest verdict, and how many answers the question has."""
    here = (standing.c.query_id == said.query_id) & (standing.c.labeller_id == said.labeller_id)
    verdict = str(said.verdict)
    if conn.execute(standing.update().where(here).values(seq=seq, verdict=verdict)).rowcount == 0:
        values = {"query_id": said.query_id, "labeller_id": said.labeller_id, "experiment_id": asked.experiment_id}
        conn.execute(standing.insert().values(**values, seq=seq, verdict=verdict))
    stands = (standing.c.query_id == said.query_id) & (standing.c.verdict != Verdict.WITHDRAWN)
    n = conn.execute(sa.select(sa.func.count()).where(stands)).scalar_one()
    change = queries.update().where(queries.c.id == said.query_id)
    conn.execute(change.values(n_answers=n, is_full=n >= asked.answers_wanted))


def label_of(row: sa.Row) -> Label:
    """The label in a row that begins with the columns of LABEL."""
    seq, query_id, labeller, verdict, strength, seconds, key, given_at = row[:8]
    return Label(seq, query_id, labeller, Verdict(verdict), Strength(strength), seconds, key, given_at)
