"""Several strategies that share the questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rl_teacher.protocols import Pool, QueryStrategy, RewardModel
from rl_teacher.queries.pool import Rest
from rl_teacher.trajectory import Comparison, Query


class Mixture(QueryStrategy):
    """Each part chooses its share of the questions, and says so in the query's `why`.

    Shares hold over many calls, however small: what a part is owed is carried on. That is the only state; each leg of a
    run begins with nothing owed, which shifts a question at most. A part that has too few pairs leaves its questions to
    the others.

    Args:
        parts: The strategies.
        weights: One for each, above 0.
    """

    def __init__(self, parts: Sequence[QueryStrategy], weights: Sequence[float]):
        self._parts = parts
        self._share = np.array(weights) / np.sum(weights)
        self._owed = np.zeros(len(parts))

    def __call__(self, pool: Pool, n: int, reward: RewardModel, answers: Mapping[str, Comparison]) -> list[Query]:
        """Up to n pairs, no pair twice; see `protocols.QueryStrategy`."""
        rest = Rest(pool)
        for part, turns in zip(self._parts, self._turns(n), strict=True):
            rest.take(part(rest, turns, reward, answers) if turns else [])
        for part in self._parts:
            missing = n - len(rest.taken)
            rest.take(part(rest, missing, reward, answers) if missing else [])
        return list(rest.taken.values())

    def _turns(self, n: int) -> list[int]:
        """How many of the next n questions each part chooses: one by one, whoever is owed most."""
        turns = np.zeros(len(self._parts), dtype=int)
        for _ in range(n):
            self._owed += self._share
            turn = int(np.argmax(np.round(self._owed, 9)))  # the first of equals, whatever the rounding
            self._owed[turn] -= 1.0
            turns[turn] += 1
        return turns.tolist()
