"""How well people answer: what the record of an experiment says of each of them."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from rl_teacher.feedback.base import Storage
from rl_teacher.feedback.figures import (
    PRIOR_WRONG,
    Judgement,
    alpha_with_others,
    krippendorff_alpha,
    per_minute,
    random_share,
    wilson,
    wrong_shares,
)
from rl_teacher.feedback.schema import checks, golds, labellers, labels, queries, standing
from rl_teacher.labels import PREFERENCES, Verdict

FROM_THE_LIST = "list"
"""The key of an answer that was changed in the list: it has no time of its own, and no side of the screen."""
SIDES = (Verdict.LEFT, Verdict.RIGHT)


@dataclass(frozen=True, slots=True)
class Person:
    """Figures of one labeller in one experiment; None where there is too little to say."""

    labeller_id: str
    name: str
    kind: str
    n_answers: int
    """Questions answered, "can't tell" included; checks and corrections are not among them."""
    last_at: float
    per_minute: float | None
    """While answering; pauses of more than a minute are left out."""
    median_seconds: float | None
    """From seeing a pair to answering it."""
    n_repeats: int
    consistency: float | None
    """Share of repeats answered like the first time."""
    n_golds: int
    gold_accuracy: float | None
    """Share of gold pairs answered as expected."""
    n_shared: int
    """Questions that somebody else answered too."""
    alpha: float | None
    """Krippendorff's α with the others."""
    n_sided: int
    """Answers that chose a side."""
    screen_left: float | None
    """Share of them that chose the left of the screen; sides are swapped at random, so a half is expected."""
    screen_left_interval: tuple[float, float]
    """Where that share lies with 95 % confidence."""
    wrong_share: float
    """Estimated share of wrong answers (`figures.wrong_shares`)."""


@dataclass(frozen=True, slots=True)
class People:
    """Everybody who has answered, most answers first, and how far they agree."""

    people: tuple[Person, ...]
    alpha: float | None
    """Krippendorff's α over the questions that several people answered."""


class Judging(Storage):
    """Judge the judges."""

    def people(self, experiment_id: str) -> People:
        """Figures of everybody who has answered in this experiment."""
        rows, known = self._said(experiment_id)
        wrong = wrong_shares(*_judgements(rows, known))
        by_query = _shared(rows)
        mine: dict[str, list[sa.Row]] = defaultdict(list)
        for row in rows:
            mine[row.labeller_id].append(row)
        found = [_person(own, by_query, known, wrong.get(who)) for who, own in mine.items()]
        found.sort(key=lambda person: (-person.n_answers, person.name))
        return People(tuple(found), krippendorff_alpha([list(said.values()) for said in by_query.values()]))

    def random_shares(self, experiment_id: str) -> dict[str, float]:
        """Estimated share of answers given at random, by labeller: what r̂ may soften their answers by."""
        wrong = wrong_shares(*_judgements(*self._said(experiment_id)))
        return {who: random_share(share) for who, share in wrong.items()}

    def _said(self, experiment_id: str) -> tuple[Sequence[sa.Row], dict[str, Verdict]]:
        """The newest label of everybody about everything, oldest first, and what is known of gold pairs."""
        query = (
            sa.select(standing.c.labeller_id, labellers.c.name, labellers.c.kind, standing.c.verdict)
            .add_columns(queries.c.kind.label("query_kind"), labels.c.seconds, labels.c.key, labels.c.swapped)
            .add_columns(labels.c.given_at, sa.func.coalesce(checks.c.of_id, standing.c.query_id).label("pair"))
            .join(labels, labels.c.seq == standing.c.seq)
            .join(labellers, labellers.c.id == standing.c.labeller_id)
            .join(queries, queries.c.id == standing.c.query_id)
            .outerjoin(checks, checks.c.query_id == standing.c.query_id)
            .where(standing.c.experiment_id == experiment_id, standing.c.verdict != Verdict.WITHDRAWN)
            .where(standing.c.overrules.is_(False))
            .order_by(standing.c.seq)
        )
        expected = sa.select(golds.c.query_id, golds.c.verdict).where(golds.c.experiment_id == experiment_id)
        with self.read() as conn:
            known = {row.query_id: Verdict(row.verdict) for row in conn.execute(expected)}
            return conn.execute(query).all(), known


def _judgements(rows: Sequence[sa.Row], known: dict[str, Verdict]) -> tuple[list[Judgement], dict[str, bool]]:
    sided = [Judgement(row.pair, row.labeller_id, row.verdict == Verdict.LEFT) for row in rows if row.verdict in SIDES]
    return sided, {pair: verdict is Verdict.LEFT for pair, verdict in known.items() if verdict in SIDES}


def _shared(rows: Sequence[sa.Row]) -> dict[str, dict[str, str]]:
    """{question: {labeller: verdict}} of preferences, where several people have one."""
    by_query: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:
        if row.query_kind == "question" and row.verdict in PREFERENCES:
            by_query[row.pair][row.labeller_id] = row.verdict
    return {pair: said for pair, said in by_query.items() if len(said) > 1}


def _person(
    rows: Sequence[sa.Row], shared: dict[str, dict[str, str]], known: dict[str, Verdict], wrong: float | None
) -> Person:
    who = rows[0].labeller_id
    answers = [row for row in rows if row.query_kind == "question"]
    seen = [row for row in rows if row.key != FROM_THE_LIST]
    first = {row.pair: row.verdict for row in answers}
    same = [
        row.verdict == first[row.pair]
        for row in rows
        if row.query_kind == "repeat" and row.verdict in PREFERENCES and first.get(row.pair) in PREFERENCES
    ]
    right = [
        row.verdict == known[row.pair]
        for row in rows
        if row.query_kind == "gold" and row.verdict in PREFERENCES and row.pair in known
    ]
    lefts = [(row.verdict == Verdict.LEFT) != row.swapped for row in seen if row.verdict in SIDES]
    mine = [said for said in shared.values() if who in said]
    with_others = [(said[who], [verdict for other, verdict in said.items() if other != who]) for said in mine]
    seconds = [row.seconds for row in seen if row.seconds > 0]
    return Person(
        labeller_id=who,
        name=rows[0].name,
        kind=rows[0].kind,
        n_answers=len(answers),
        last_at=max(row.given_at for row in rows),
        per_minute=per_minute([row.given_at for row in rows]),
        median_seconds=statistics.median(seconds) if seconds else None,
        n_repeats=len(same),
        consistency=_mean(same),
        n_golds=len(right),
        gold_accuracy=_mean(right),
        n_shared=len(mine),
        alpha=alpha_with_others(with_others),
        n_sided=len(lefts),
        screen_left=_mean(lefts),
        screen_left_interval=wilson(sum(lefts), len(lefts)),
        wrong_share=PRIOR_WRONG if wrong is None else wrong,
    )


def _mean(hits: Sequence[bool]) -> float | None:
    return sum(hits) / len(hits) if hits else None
