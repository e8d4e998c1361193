"""Which pairs to ask, by name."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from rl_teacher.errors import UserError, unknown
from rl_teacher.protocols import Pool, QueryStrategy, RewardModel
from rl_teacher.queries.batches import best_of, farthest_of
from rl_teacher.queries.candidates import Candidates, draw, new_pairs
from rl_teacher.queries.mixtures import Mixture
from rl_teacher.queries.scores import bits
from rl_teacher.queries.sorting import sort
from rl_teacher.trajectory import Comparison, Query

Answers = Mapping[str, Comparison]
"""Every answered query that bears a preference, by query id, oldest first."""

REMEMBERED = 200
"""Newest answers that `coverage` need not cover again."""


def random_pairs(pool: Pool, n: int, reward: RewardModel, answers: Answers) -> list[Query]:
    """Up to n pairs of two random segments, as the original's `teach.py` does, without its repeats."""
    del reward, answers
    return new_pairs(pool, n)


def disagreement(pool: Pool, n: int, reward: RewardModel, answers: Answers) -> list[Query]:
    """The pairs the members disagree on most (Christiano et al. 2017, section 2.2.4)."""
    del answers
    candidates, _ = draw(pool, n, reward)
    return _best(candidates, candidates.votes.var(0), n, "disagreement")


def entropy(pool: Pool, n: int, reward: RewardModel, answers: Answers) -> list[Query]:
    """The pairs whose answer is most uncertain to the ensemble as a whole: near-ties for r̂, whatever the reason."""
    del answers
    candidates, _ = draw(pool, n, reward)
    # H(mean_e p_e)
    return _best(candidates, bits(candidates.votes.mean(0)), n, "entropy")


def information(pool: Pool, n: int, reward: RewardModel, answers: Answers) -> list[Query]:
    """The pairs whose answer tells most about which member is right (BALD: Houlsby et al. 2011, section 2)."""
    del answers
    candidates, _ = draw(pool, n, reward)
    # I(answer; member) = H(mean_e p_e) - mean_e H(p_e)
    gain = bits(candidates.votes.mean(0)) - bits(candidates.votes).mean(0)
    return _best(candidates, np.maximum(gain, 0.0), n, "information")


def coverage(pool: Pool, n: int, reward: RewardModel, answers: Answers) -> list[Query]:
    """Pairs that look different from each other and from the newest answered ones, so that nothing is left out."""
    answered = [comparison.query for comparison in list(answers.values())[-REMEMBERED:]]
    candidates, covered = draw(pool, n, reward, answered)
    return [
        _because(candidates, i, "coverage", far) for i, far in zip(*farthest_of(candidates, covered, n), strict=True)
    ]


STRATEGIES: dict[str, QueryStrategy] = {
    "random": random_pairs,
    "disagreement": disagreement,
    "entropy": entropy,
    "information": information,
    "coverage": coverage,
    "sort": sort,
}
"""The single strategies; `make_strategy` also takes mixtures of them."""


def make_strategy(name: str) -> QueryStrategy:
    """A strategy by name.

    Args:
        name: One of STRATEGIES, or a mixture such as `information+coverage` or `disagreement:0.7+random:0.3`; a part
            without a weight has 1.

    Raises:
        UserError: For an unknown part, or a weight that is no positive number.
    """
    parts: list[QueryStrategy] = []
    weights: list[float] = []
    for part in name.split("+"):
        one, colon, weight = part.strip().partition(":")
        if one not in STRATEGIES:
            raise unknown("query strategy", one, STRATEGIES)
        parts.append(STRATEGIES[one])
        weights.append(_weight(name, weight) if colon else 1.0)
    return parts[0] if len(parts) == 1 else Mixture(parts, weights)


def _weight(name: str, given: str) -> float:
    try:
        weight = float(given)
    except ValueError:
        weight = math.nan
    if not 0.0 < weight <= 1e6:
        raise UserError(
            f"Weight '{given}' given in query strategy '{name}'; allowed is a number above 0. "
            "Write disagreement:0.7+random:0.3, for example."
        )
    return weight


def _best(candidates: Candidates, score: np.ndarray, n: int, why: str) -> list[Query]:
    return [_because(candidates, i, why, float(score[i])) for i in best_of(candidates, score, n)]


def _because(candidates: Candidates, i: int, why: str, score: float) -> Query:
    return Query(candidates.pairs[i].left, candidates.pairs[i].right, why, score)
