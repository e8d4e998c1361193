"""The synthetic teacher: judges segments by their true reward, and answers at once."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from rl_teacher.errors import UserError
from rl_teacher.labels import Label, Verdict, preference
from rl_teacher.protocols import Changes
from rl_teacher.teachers.judging import FallibleJudge, Judge, oracle
from rl_teacher.tensors import disk_faults
from rl_teacher.trajectory import Comparison, Query, Segment, Source

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
        arrays = {}
        rows = []
        for i, (query, label) in enumerate(zip(self._queries, self._labels, strict=True)):
            for side in ("left", "right"):
                segment: Segment = getattr(query, side)
                arrays |= {f"{i}.{side}.{name}": np.ascontiguousarray(a) for name, a in _arrays(segment).items()}
            rows.append(
                {
                    "verdict": label.verdict,
                    "given_at": label.given_at,
                    "why": query.why,
                    "score": query.score,
                    "left": _source(query.left),
                    "right": _source(query.right),
                }
            )
        judge = self._judge.state() if isinstance(self._judge, FallibleJudge) else None
        path = folder / "teacher.safetensors"
        with disk_faults(path):
            save_file(arrays, path)
        (folder / "teacher.json").write_text(json.dumps({"answers": rows, "judge": judge}))

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote."""
        arrays = load_file(folder / "teacher.safetensors")
        kept = json.loads((folder / "teacher.json").read_text())
        if isinstance(kept, list):  # of a run begun when every judge was the oracle
            kept = {"answers": kept, "judge": None}
        self._queries, self._labels, self._n_abstained, self._at_a_loss = [], [], 0, 0
        for i, row in enumerate(kept["answers"]):
            left, right = (_segment(arrays, f"{i}.{side}.", row[side]) for side in ("left", "right"))
            self._keep(Query(left, right, row["why"], row["score"]), Verdict(row["verdict"]), row["given_at"])
        if isinstance(self._judge, FallibleJudge) and kept["judge"] is not None:
            self._judge.restore(kept["judge"])


def _arrays(segment: Segment) -> dict[str, np.ndarray]:
    arrays = {"obs": segment.obs, "act": segment.act, "env_rew": segment.env_rew}
    return arrays if segment.sim is None else {**arrays, "sim": segment.sim}


def _source(segment: Segment) -> list[str | int]:
    source = segment.source
    return [source.run, source.step, source.episode, source.start]


def _segment(arrays: dict[str, np.ndarray], prefix: str, source: list) -> Segment:
    return Segment(
        arrays[prefix + "obs"],
        arrays[prefix + "act"],
        arrays[prefix + "env_rew"],
        arrays.get(prefix + "sim"),
        Source(*source),
    )
