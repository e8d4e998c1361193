"""The synthetic teacher: judges segments by their true reward, and answers at once."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rl_teacher.errors import UserError
from rl_teacher.labels import Label, Verdict, preference
from rl_teacher.protocols import Changes
from rl_teacher.teachers.judging import FallibleJudge, Judge, oracle
from rl_teacher.teachers.kept import load_queries, save_queries
from rl_teacher.trajectory import Comparison, Query

PATIENCE = 1_000
"""Answers "can't tell" in a row, after which nothing is to be expected any more."""


class SyntheticTeacher:
    """Answers by a judge. Keeps all it ever said, in memory and in the checkpoint.

    Args:
        judge: Says which clip is better; a FallibleJudge sees all questions of a round before it answers the first.
    """

    def __init__(self, judge: Judge = oracle):
        self._judge = judge
        self._queries: list[Query] = []
        self._labels: list[Label] = []
        self._n_abstained = 0
        self._at_a_loss = 0
        """Answers in a row, up to now, that were "can't tell"."""

    @property
    def n_open(self) -> int:
        """None: it answers at once."""
        return 0

    @property
    def n_decided(self) -> int:
        """Questions whose answer expresses a preference."""
        return len(self._labels) - self._n_abstained

    @property
    def labels(self) -> Sequence[Label]:
        """Everything it said, oldest first."""
        return self._labels

    def asked(self) -> set[str]:
        """Every pair it judged."""
        return {query.id for query in self._queries}

    def ask(self, queries: Sequence[Query]) -> None:
        """Judge them now.

        Raises:
            UserError: If it could not tell any of the last thousand: such a run would learn nothing to its end.
        """
        if isinstance(self._judge, FallibleJudge):
            self._judge.observe(queries)
        for query in queries:
            self._keep(query, self._judge(query), time.time())
        if self._at_a_loss >= PATIENCE:
            raise UserError(
                f"The synthetic teacher could not tell {self._at_a_loss:,} pairs in a row, fewer than {PATIENCE:,} are "
                "allowed: both clips were too poor each time. Give --teacher a smaller skip, or none."
            )

    def _keep(self, query: Query, verdict: Verdict, given_at: float) -> None:
        abstained = verdict is Verdict.ABSTAIN
        self._n_abstained += abstained
        self._at_a_loss = self._at_a_loss + 1 if abstained else 0
        self._queries.append(query)
        self._labels.append(
            Label(len(self._labels) + 1, query.id, "synthetic", verdict, key="judge", given_at=given_at)
        )

    def changes(self, cursor: int) -> Changes:
        """The answers after the first `cursor` ones."""
        comparisons = []
        for query, label in zip(self._queries[cursor:], self._labels[cursor:], strict=True):
            mu = preference([label])
            if mu is not None:
                comparisons.append(Comparison(query, mu, label.given_at))
        return Changes(len(self._labels), tuple(comparisons))

    def expire(self, older_than: int) -> int:
        """Nothing is ever open."""
        del older_than
        return 0

    def tally(self) -> dict[str, int]:
        """How many were asked, answered, and answered left, right, tie, abstain."""
        counts = Counter(label.verdict for label in self._labels)
        verdicts = (Verdict.LEFT, Verdict.RIGHT, Verdict.TIE, Verdict.ABSTAIN)
        n = len(self._labels)
        return {"asked": n, "answered": n, **{verdict.lower(): counts[verdict] for verdict in verdicts}}

    def save(self, folder: Path) -> None:
        """Write the questions' segments to `teacher.safetensors`, answers and judge to `teacher.json`."""
        rows = save_queries(folder, self._queries)
        for row, label in zip(rows, self._labels, strict=True):
            row |= {"verdict": label.verdict, "given_at": label.given_at}
        judge = self._judge.state() if isinstance(self._judge, FallibleJudge) else None
        (folder / "teacher.json").write_text(json.dumps({"answers": rows, "judge": judge}))

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote."""
        kept = json.loads((folder / "teacher.json").read_text())
        if isinstance(kept, list):  # of a run begun when every judge was the oracle
            kept = {"answers": kept, "judge": None}
        self._queries, self._labels, self._n_abstained, self._at_a_loss = [], [], 0, 0
        for query, row in zip(load_queries(folder, kept["answers"]), kept["answers"], strict=True):
            self._keep(query, Verdict(row["verdict"]), row["given_at"])
        if isinstance(self._judge, FallibleJudge) and kept["judge"] is not None:
            self._judge.restore(kept["judge"])
