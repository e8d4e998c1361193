"""Which pairs to ask, by name."""

from __future__ import annotations

from collections.abc import Mapping

from rl_teacher.protocols import Pool, QueryStrategy, RewardModel
from rl_teacher.trajectory import Comparison, Query, Segment

Answers = Mapping[str, Comparison]
"""Every answered query that bears a preference, by query id, oldest first."""


def random_pairs(pool: Pool, n: int, reward: RewardModel, answers: Answers) -> list[Query]:
    """Up to n pairs of two random segments, as the original's `teach.py` does, without its repeats."""
    del reward, answers
    return new_pairs(pool, n)


def disagreement(pool: Pool, n: int, reward: RewardModel, answers: Answers) -> list[Query]:
    """Of ten times as many random pairs, those the members disagree on most (Christiano et al. 2017, section 2.2.4)."""
    del answers
    candidates = new_pairs(pool, 10 * n)
    scores = reward.votes(candidates).var(0)
    best = sorted(range(len(candidates)), key=lambda i: -scores[i])[:n]
    return [Query(candidates[i].left, candidates[i].right, "disagreement", float(scores[i])) for i in best]


STRATEGIES: dict[str, QueryStrategy] = {"random": random_pairs, "disagreement": disagreement}


def new_pairs(pool: Pool, n: int) -> list[Query]:
    """Up to n random pairs that were never asked: no clip with itself, none twice, in whichever order.

    Nor two clips that show the same moment, as long as there are others. Fewer where the pool holds too little; a few
    rounds of drawing, then it stops rather than search for ever.
    """
    found: dict[str, Query] = {}
    overlapping: dict[str, Query] = {}
    for _ in range(4):
        segments = pool.sample(2 * (n - len(found)))
        for left, right in zip(segments[::2], segments[1::2], strict=True):
            if left.key == right.key:
                continue
            query = Query(left, right)
            if pool.is_new(query):
                (overlapping if overlap(left, right) else found).setdefault(query.id, query)
        if len(found) >= n:
            break
    return [*found.values(), *overlapping.values()][:n]


def overlap(left: Segment, right: Segment) -> bool:
    """Whether both show some step of the same episode."""
    a, b = left.source, right.source
    return (a.run, a.episode) == (b.run, b.episode) and abs(a.start - b.start) < len(left)
