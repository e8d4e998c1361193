"""The synthetic teacher: prefers the segment whose true reward is higher, and answers at once."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from rl_teacher.errors import NotFiniteError
from rl_teacher.labels import Label, Verdict, preference
from rl_teacher.protocols import Changes
from rl_teacher.tensors import disk_faults
from rl_teacher.trajectory import Comparison, Query, Segment, Source

Judge = Callable[[Query], Verdict]


def oracle(query: Query) -> Verdict:
    """Never wrong: compares the sums of true reward, says TIE only where they are equal.

    Raises:
        NotFiniteError: If a true reward is NaN, which has no order.
    """
    left, right = float(query.left.env_rew.sum()), float(query.right.env_rew.sum())
    if np.isnan(left) or np.isnan(right):
        raise NotFiniteError(
            "The task's own reward is not a number on a segment, so a synthetic teacher cannot judge it. Mend the "
            "environment, or teach it with -p human."
        )
    if left == right:
        return Verdict.TIE
    return Verdict.LEFT if left > right else Verdict.RIGHT


class SyntheticTeacher:
    """Answers by a judge. Keeps all it ever said, in memory and in the checkpoint."""

    def __init__(self, judge: Judge = oracle):
        self._judge = judge
        self._queries: list[Query] = []
        self._labels: list[Label] = []
        self._n_abstained = 0

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
        """Judge them now."""
        for query in queries:
            verdict = self._judge(query)
            self._n_abstained += verdict is Verdict.ABSTAIN
            self._queries.append(query)
            self._labels.append(
                Label(len(self._labels) + 1, query.id, "synthetic", verdict, key="judge", given_at=time.time())
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
        """Write the questions' segments and the answers to `teacher.safetensors` and `teacher.json`."""
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
        path = folder / "teacher.safetensors"
        with disk_faults(path):
            save_file(arrays, path)
        (folder / "teacher.json").write_text(json.dumps(rows))

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote."""
        arrays = load_file(folder / "teacher.safetensors")
        self._queries, self._labels, self._n_abstained = [], [], 0
        for i, row in enumerate(json.loads((folder / "teacher.json").read_text())):
            left, right = (_segment(arrays, f"{i}.{side}.", row[side]) for side in ("left", "right"))
            query = Query(left, right, row["why"], row["score"])
            verdict = Verdict(row["verdict"])
            self._n_abstained += verdict is Verdict.ABSTAIN
            self._queries.append(query)
            self._labels.append(Label(i + 1, query.id, "synthetic", verdict, key="judge", given_at=row["given_at"]))


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
