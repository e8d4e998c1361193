"""Answers: appended, never changed, numbered in the order of their commits; and what they add up to."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import exc

from rl_teacher.errors import unknown
from rl_teacher.feedback import tallying
from rl_teacher.feedback.base import Storage, batches, found
from rl_teacher.feedback.claiming import LEASE_SECONDS, LIVE, OPEN, lend
from rl_teacher.feedback.engine import next_number
from rl_teacher.feedback.records import ConflictError, Counts, Saved, Submit
from rl_teacher.feedback.schema import labels, leases, queries, standing, tallies
from rl_teacher.labels import Label, Strength, Verdict

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
    labels.c.overrules,
)
"""What a Label is made of, in its order."""

Standing = dict[str, tuple[str, bool]]
"""What each labeller says of a query now, by labeller: verdict, and whether it overrules."""

# Made once: most of the time of a submit would go into making them.
_QUERY, _WHO, _NOW = sa.bindparam("query"), sa.bindparam("who"), sa.bindparam("now")
_ASKED = sa.select(queries).where(queries.c.id == _QUERY).with_for_update()
_SAME_ID = sa.select(labels).where(labels.c.id == sa.bindparam("id"))
_STANDING = sa.select(standing.c.labeller_id, standing.c.verdict, standing.c.overrules).where(
    standing.c.query_id == _QUERY
)
_STAND = (
    standing.update()
    .where(standing.c.query_id == _QUERY, standing.c.labeller_id == _WHO)
    .values({name: sa.bindparam(name) for name in ("seq", "verdict", "overrules")})
)
_ANSWERED = (
    queries.update().where(queries.c.id == _QUERY).values(n_answers=sa.bindparam("n"), is_full=sa.bindparam("full"))
)
_HELD = (leases.c.query_id == _QUERY) & (leases.c.labeller_id == _WHO)
_LEASE = sa.select(leases.c.token).where(_HELD, leases.c.token == sa.bindparam("lease"), LIVE)
_GIVE_BACK = leases.update().where(_HELD, leases.c.released_at.is_(None)).values(released_at=_NOW)
_ALL_COUNTS = sa.select(
    *(sa.func.coalesce(sa.func.sum(tallies.c[f"n_{field.name}"]), 0) for field in dataclasses.fields(Counts))
).where(tallies.c.experiment_id == sa.bindparam("experiment"))
_COUNTS = _ALL_COUNTS.where(tallies.c.kind == "question")
_RECENT = sa.select(sa.func.count(), sa.func.min(labels.c.given_at)).where(
    labels.c.experiment_id == sa.bindparam("experiment"),
    labels.c.given_at > sa.bindparam("since"),
    labels.c.verdict != Verdict.WITHDRAWN,
)
_MAY_HAVE = sa.select(queries.c.id).where(queries.c.id == _QUERY, OPEN)


class Answering(Storage):
    """Keep what people say, and count it."""

    def submit(self, said: Submit) -> Saved:
        """Append one answer; it is on disk when this returns.

        The same id again changes nothing and returns the same number. An answer is kept even if its lease or its
        question has ended. WITHDRAWN takes the labeller's earlier answer back and lends them the question again. One
        that overrules stands above what others said of the question; the others' events stay as they are.

        Raises:
            NotFoundError: If there is no such question.
            ConflictError: If the id was used for something else, or a check is to be corrected.
            UserError: If verdict or strength is none we know.
        """
        _check_words(said)
        try:
            return self._submit(said)
        except exc.IntegrityError:  # on PostgreSQL: at this moment the same id came for another question
            return self._submit(said)

    def _submit(self, said: Submit) -> Saved:
        given = {"query": said.query_id, "id": said.id}
        with self.write() as conn:
            # Locked before looking for the id, so that of two equal submits the second finds the first's row.
            asked = found(conn.execute(_ASKED, given).first(), "query", said.query_id)
            before = conn.execute(_SAME_ID, given).first()
            if before is not None:
                return _repeated(said, before)
            if said.overrules and asked.kind != "question":
                raise ConflictError("This pair tests a person; nothing is learned from it, so nothing is corrected.")
            return self._append(conn, said, asked)

    def _append(self, conn: sa.Connection, said: Submit, asked: sa.Row) -> Saved:
        now = self.clock()
        given = {"query": said.query_id, "who": said.labeller_id, "now": now}
        before: Standing = {row.labeller_id: (row.verdict, row.overrules) for row in conn.execute(_STANDING, given)}
        late = not said.overrules and _is_late(conn, said, asked.state, said.labeller_id in before, now)
        seq = next_number(conn, "labels")
        values = {field.name: getattr(said, field.name) for field in dataclasses.fields(said) if field.name != "lease"}
        values |= {"verdict": str(said.verdict), "strength": str(said.strength), "late": late, "given_at": now}
        conn.execute(labels.insert(), {**values, "seq": seq, "experiment_id": asked.experiment_id})
        _update_standing(conn, said, seq, asked, before)
        conn.execute(_GIVE_BACK, given)
        if said.verdict == Verdict.WITHDRAWN and not said.overrules and conn.execute(_MAY_HAVE, given).first():
            lend(conn, [said.query_id], said.labeller_id, now, LEASE_SECONDS)
        return Saved(seq, repeated=False, late=late)

    def counts(self, experiment_id: str, checks: bool = False) -> Counts:
        """How far an experiment is; all zero for one that is not there.

        Args:
            experiment_id: Which.
            checks: Count checks too, as those see it who are not to know them.
        """
        with self.read() as conn:
            row = conn.execute(_ALL_COUNTS if checks else _COUNTS, {"experiment": experiment_id}).one()
            return Counts(*(int(value) for value in row))

    def labels_since(self, experiment_id: str, cursor: int = 0, limit: int = 10_000) -> list[Label]:
        """Events after number `cursor`, oldest first. None is ever missed by going on from the last number seen.

        What was said of checks is not among them.
        """
        query = sa.select(*LABEL).join(queries, queries.c.id == labels.c.query_id).where(queries.c.kind == "question")
        query = query.where(labels.c.experiment_id == experiment_id, labels.c.seq > cursor)
        with self.read() as conn:
            return [label_of(row) for row in conn.execute(query.order_by(labels.c.seq).limit(limit))]

    def last_seq(self, experiment_id: str) -> int:
        """Number of the newest event of an experiment, those about checks included; 0 before there is one."""
        query = sa.select(sa.func.max(labels.c.seq)).where(labels.c.experiment_id == experiment_id)
        with self.read() as conn:
            return conn.execute(query).scalar() or 0

    def labels_of(self, query_ids: Sequence[str]) -> dict[str, list[Label]]:
        """The newest label of each labeller by query id; WITHDRAWN ones too. Unlabelled queries have no entry."""
        newest: dict[str, list[Label]] = {}
        query = sa.select(*LABEL).join(standing, standing.c.seq == labels.c.seq).order_by(labels.c.seq)
        with self.read() as conn:
            for ids in batches(list(query_ids)):
                for row in conn.execute(query.where(standing.c.query_id.in_(ids))):
                    newest.setdefault(row.query_id, []).append(label_of(row))
        return newest

    def answers_per_minute(self, experiment_id: str) -> float:
        """The pace of the last five minutes, or of the time since the first answer in them, at least one minute."""
        now = self.clock()
        with self.read() as conn:
            n, first = conn.execute(_RECENT, {"experiment": experiment_id, "since": now - RATE_WINDOW}).one()
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


def _is_late(conn: sa.Connection, said: Submit, state: str, answered: bool, now: float) -> bool:
    """Whether the question was taken back, or lent to others, before this answer came."""
    if state != "open":
        return True
    if said.lease is None or answered:  # somebody who changes an answer holds none
        return False
    given = {"query": said.query_id, "who": said.labeller_id, "lease": said.lease, "now": now}
    return conn.execute(_LEASE, given).first() is None


def _update_standing(conn: sa.Connection, said: Submit, seq: int, asked: sa.Row, before: Standing) -> None:
    """Bring what is derived from labels up to date: newest verdict, answers of the question, counts of the whole."""
    newest = {"seq": seq, "verdict": str(said.verdict), "overrules": said.overrules}
    if said.labeller_id in before:
        conn.execute(_STAND, {**newest, "query": said.query_id, "who": said.labeller_id})
    else:
        owner = {"query_id": said.query_id, "labeller_id": said.labeller_id, "experiment_id": asked.experiment_id}
        conn.execute(standing.insert(), {**owner, **newest})
    after = {**before, said.labeller_id: (str(said.verdict), said.overrules)}
    stands = [overrules for verdict, overrules in after.values() if verdict != Verdict.WITHDRAWN]
    n, is_full = len(stands), len(stands) >= asked.answers_wanted or any(stands)
    conn.execute(_ANSWERED, {"query": said.query_id, "n": n, "full": is_full})
    was = tallying.share(asked.state, asked.is_full, asked.n_answers, list(before.values()))
    now_is = tallying.share(asked.state, is_full, n, list(after.values()))
    tallying.add(conn, asked.experiment_id, asked.kind, tallying.difference(now_is, was))


def label_of(row: sa.Row) -> Label:
    """The label in a row that begins with `LABEL`."""
    seq, query_id, labeller, verdict, strength, seconds, key, given_at, overrules = row[:9]
    return Label(seq, query_id, labeller, Verdict(verdict), Strength(strength), seconds, key, given_at, overrules)
