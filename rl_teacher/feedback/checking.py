"""Checks: pairs that test a person instead of teaching the agent.

A *repeat* is a pair the person has answered before, its sides the other way round than they saw them. A *gold* pair is
one whose answer a researcher has set. Each is a copy of its question, for one person, under an id of its own, and looks
like any other pair to them; what is said of it never reaches r̂.
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from rl_teacher.feedback import tallying
from rl_teacher.feedback.base import Storage, found, new_id
from rl_teacher.feedback.engine import insert_new
from rl_teacher.feedback.records import ConflictError
from rl_teacher.feedback.schema import checks, experiments, golds, labels, queries, standing
from rl_teacher.labels import PREFERENCES, Verdict

LEAST_BETWEEN = 5
"""So many other pairs a person has answered before one comes again: who remembers the answer shows nothing."""

_RATES = sa.select(experiments.c.repeat_rate, experiments.c.gold_rate).where(
    experiments.c.id == sa.bindparam("experiment")
)


class Checking(Storage):
    """Decide which answers are known."""

    def set_gold(self, query_id: str, verdict: Verdict | None, who: str) -> None:
        """Say which answer to a question is right; None: it is a gold pair no more.

        Raises:
            NotFoundError: If there is no such question.
            ConflictError: If it is a check, not answered yet, or the verdict expresses no preference.
        """
        with self.write() as conn:
            asked = sa.select(queries).where(queries.c.id == query_id).with_for_update()
            asked = found(conn.execute(asked).first(), "query", query_id)
            conn.execute(golds.delete().where(golds.c.query_id == query_id))
            if verdict is None:
                return
            if asked.kind != "question" or not asked.n_answers or verdict not in PREFERENCES:
                raise ConflictError(
                    "A gold pair is a question that somebody has answered, with LEFT, RIGHT or TIE as what is expected."
                )
            values = {"query_id": query_id, "experiment_id": asked.experiment_id, "verdict": str(verdict)}
            conn.execute(golds.insert().values(**values, set_by=who, set_at=self.clock()))


def make_check(conn: sa.Connection, experiment_id: str, labeller_id: str, draws: tuple[float, float], now: float):
    """A check for this person, if it is time for one and there is one to make; its id, or None.

    Args:
        conn: A writing transaction.
        experiment_id: What is taught.
        labeller_id: Who is to be shown a pair.
        draws: Two random numbers in [0, 1): whether, and which.
        now: Unix time.
    """
    repeat_rate, gold_rate = conn.execute(_RATES, {"experiment": experiment_id}).one()
    if draws[0] >= repeat_rate + gold_rate:
        return None
    if draws[0] < repeat_rate:
        return _make(conn, "repeat", _repeatable(experiment_id, labeller_id), labeller_id, draws[1], now)
    return _make(conn, "gold", _known(experiment_id, labeller_id), labeller_id, draws[1], now)


def _repeatable(experiment_id: str, labeller_id: str) -> sa.Select:
    """(query, how it was shown) of what the person may be asked again, the oldest answer first."""
    mine = sa.select(standing.c.query_id, standing.c.seq).where(standing.c.labeller_id == labeller_id)
    mine = mine.where(standing.c.experiment_id == experiment_id, standing.c.overrules.is_(False))
    latest = mine.order_by(standing.c.seq.desc()).limit(LEAST_BETWEEN).subquery()
    return (
        sa.select(queries, labels.c.swapped.label("shown_swapped"))
        .join(standing, (standing.c.query_id == queries.c.id) & (standing.c.labeller_id == labeller_id))
        .join(labels, labels.c.seq == standing.c.seq)
        .where(queries.c.experiment_id == experiment_id, queries.c.kind == "question")
        .where(standing.c.verdict.in_(PREFERENCES), standing.c.overrules.is_(False))
        .where(queries.c.id.not_in(sa.select(latest.c.query_id)), ~_was_checked(labeller_id))
        .order_by(standing.c.seq)
    )


def _known(experiment_id: str, labeller_id: str) -> sa.Select:
    """(query, how it is to be shown: by chance) of gold pairs the person has neither answered nor may be asked yet."""
    answered = sa.exists().where(standing.c.query_id == queries.c.id, standing.c.labeller_id == labeller_id)
    return (
        sa.select(queries, sa.null().label("shown_swapped"))
        .join(golds, golds.c.query_id == queries.c.id)
        .where(golds.c.experiment_id == experiment_id, ~answered.correlate(queries), ~_was_checked(labeller_id))
        .where(sa.or_(queries.c.is_full, queries.c.state != "open"))
        .order_by(golds.c.set_at, queries.c.id)
    )


def _was_checked(labeller_id: str) -> sa.ColumnElement[bool]:
    return sa.exists().where(checks.c.of_id == queries.c.id, checks.c.labeller_id == labeller_id).correlate(queries)


def _make(
    conn: sa.Connection, kind: str, candidates: sa.Select, labeller_id: str, draw: float, now: float
) -> str | None:
    n = conn.execute(sa.select(sa.func.count()).select_from(candidates.order_by(None).subquery())).scalar_one()
    if n == 0:
        return None
    of = conn.execute(candidates.offset(int(draw * n)).limit(1)).one()
    swapped = secrets.randbelow(2) == 1 if of.shown_swapped is None else not of.shown_swapped
    values = {name: getattr(of, name) for name in queries.c.keys()}  # noqa: SIM118 (a column collection is no mapping)
    made = new_id()
    values |= {"id": made, "pair": f"check-{made}", "kind": kind, "number": 0, "state": "open", "expired_at": None}
    values |= {"answers_wanted": 1, "n_answers": 0, "is_full": False, "created_at": now}
    insert_new(conn, queries, **values)
    owner = {"query_id": made, "of_id": of.id, "labeller_id": labeller_id}
    conn.execute(checks.insert().values(**owner, swapped=swapped, created_at=now))
    tallying.add(conn, values["experiment_id"], kind, {"asked": 1, "open": 1, "unanswered": 1})
    return made
