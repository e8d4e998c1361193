"""The teacher that says once more what people said: another algorithm, or another seed, on the same answers."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rl_teacher.errors import UserError, unknown
from rl_teacher.feedback.store import Store
from rl_teacher.labels import Verdict
from rl_teacher.protocols import Changes
from rl_teacher.teachers.human import HumanTeacher
from rl_teacher.teachers.kept import load_queries, save_queries
from rl_teacher.trajectory import Comparison, Query


def recorded(store: Store, name: str, assumed_random: float = 0.0) -> list[Comparison]:
    """What people answered in an experiment, as it stands today, in the order of the answers.

    Args:
        store: Where it lies.
        name: Of the experiment, which is that of its run.
        assumed_random: Share of answers that r̂ holds for random in any case (`HumanTeacher`).

    Raises:
        UserError: If there is no such experiment, or no answer in it expresses a preference.
    """
    experiments = {one.name: one.id for one in store.experiments()}
    if name not in experiments:
        raise unknown("recorded experiment", name, experiments)
    people = HumanTeacher(store, experiments[name], "", lambda segment: "", assumed_random)  # it asks nothing here
    said = sorted(people.changes(0).comparisons, key=lambda one: one.given_at)
    if not said:
        raise UserError(
            f"--replay {name} given, but nobody has preferred any clip there yet. Allowed is an experiment with "
            "answers; teach it first, or choose another."
        )
    return said


class ReplayTeacher:
    """Gives recorded answers in their order, one for each question it is asked, whatever that is about.

    Everything it has to say is in the checkpoint: what people answer meanwhile changes nothing for a run begun.

    Args:
        said: What was answered, the oldest first; nothing where `load` follows.
    """

    def __init__(self, said: Sequence[Comparison] = ()):
        self._said = list(said)
        self._given_at: list[float] = []
        """When those that were given were given, Unix seconds."""

    @property
    def n_open(self) -> int:
        """None: it answers at once."""
        return 0

    @property
    def n_decided(self) -> int:
        """Answers given so far; each expresses a preference."""
        return len(self._given_at)

    def asked(self) -> set[str]:
        """Every pair of the record: none of them can come from this run's own play."""
        return {one.query.id for one in self._said}

    def ask(self, queries: Sequence[Query]) -> None:
        """Give as many answers as there are questions, while the record lasts."""
        n = min(len(queries), len(self._said) - len(self._given_at))
        self._given_at += [time.time()] * n

    def changes(self, cursor: int) -> Changes:
        """The answers after the first `cursor` ones."""
        given = zip(self._said[cursor:], self._given_at[cursor:], strict=False)
        return Changes(len(self._given_at), tuple(Comparison(one.query, one.mu, at) for one, at in given))

    def expire(self, older_than: int) -> int:
        """Nothing is ever open."""
        del older_than
        return 0

    def tally(self) -> dict[str, int]:
        """How many were asked, answered, and answered left, right, tie; by the side that μ is on."""
        counts = Counter(_side(one) for one in self._said[: len(self._given_at)])
        verdicts = (Verdict.LEFT, Verdict.RIGHT, Verdict.TIE, Verdict.ABSTAIN)
        n = len(self._given_at)
        return {"asked": n, "answered": n, **{verdict.lower(): counts[verdict] for verdict in verdicts}}

    def save(self, folder: Path) -> None:
        """Write the whole record: segments to `teacher.safetensors`, answers to `teacher.json`."""
        rows = save_queries(folder, [one.query for one in self._said])
        for row, one in zip(rows, self._said, strict=True):
            row["mu"] = [float(share) for share in one.mu]
        (folder / "teacher.json").write_text(json.dumps({"said": rows, "given_at": self._given_at}))

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote."""
        kept = json.loads((folder / "teacher.json").read_text())
        queries = load_queries(folder, kept["said"])
        self._said = [
            Comparison(query, np.array(row["mu"], np.float32)) for query, row in zip(queries, kept["said"], strict=True)
        ]
        self._given_at = kept["given_at"]


def _side(said: Comparison) -> Verdict:
    if said.mu[0] == said.mu[1]:
        return Verdict.TIE
    return Verdict.LEFT if said.mu[0] > said.mu[1] else Verdict.RIGHT
