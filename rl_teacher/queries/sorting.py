"""The strategy `sort`: each new clip is put into a ranked list by comparing it with clips already there.

A clip costs about log₂ of the list's length in questions, and its place tells how it compares with all the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rl_teacher.protocols import Pool, RewardModel
from rl_teacher.queries.candidates import LEAST_DRAWN, Doubt, Yardstick, doubts, new_pairs, opinions, overlap
from rl_teacher.queries.pool import Rest
from rl_teacher.queries.ranking import WHY, Ranking, rank
from rl_teacher.queries.scores import bits
from rl_teacher.trajectory import Comparison, Query, Segment

UNDERWAY = 20
"""Clips put into the list side by side, as many as questions are open with a person. Older ones are dropped."""
NEARLY = 0.6
"""A pivot will do if it splits the slots at least so evenly as the best one, as a share of that one's bits …"""
PIVOTS = 8
"""… and so many are looked at: the best may look like the clip, or have been asked about just now."""


def sort(pool: Pool, n: int, reward: RewardModel, answers: Mapping[str, Comparison]) -> list[Query]:
    """Up to n next questions of a binary insertion, at most one for each clip.

    Clips on their way into the list come first, then new ones from the pool (left; the pivot is right). A clip whose
    last question has no answer yet is let alone: that it was asked is known by `pool.is_new`. It is dropped if the
    answer never comes. Nothing is remembered from call to call.

    Where more than UNDERWAY questions are wanted at once, or the pool has no clip to start with, the rest are random
    pairs (`why` says so). `score` is how much the answer is expected to tell about the clip's place, in bits.
    """
    segments = pool.sample(max(2 * n, LEAST_DRAWN)) if n > 0 else []
    if not segments:
        return []
    ranking = rank(answers.values())
    rest = Rest(pool)
    if ranking.order:
        clear, doubtful = _questions(pool, min(n, UNDERWAY), ranking, segments, reward, answers)
    else:
        firsts = new_pairs(pool, min(n, UNDERWAY))
        clear, doubtful = [Query(pair.left, pair.right, WHY, 1.0) for pair in firsts], []
    rest.take(clear)
    rest.take(new_pairs(rest, n - len(rest.taken)))
    rest.take(doubtful)
    return list(rest.taken.values())[:n]


def _questions(
    pool: Pool,
    n: int,
    ranking: Ranking,
    segments: Sequence[Segment],
    reward: RewardModel,
    answers: Mapping[str, Comparison],
) -> tuple[list[Query], list[Query]]:
    """One question for each of up to n clips, those on their way first, newest first; and those nobody could answer.

    Pairs that r̂ calls a tie are asked after all others, clips that look alike only where the pool has nothing else.
    """
    yardstick = Yardstick.of(segments)
    found: dict[int, list[Query]] = {doubt: [] for doubt in Doubt}
    pivots: set[str] = set()
    for clip in [*reversed(ranking.waiting()[-UNDERWAY:]), *segments]:
        if len(found[Doubt.NONE]) == n:
            break
        if any(overlap(clip, query.left) for query in found[Doubt.NONE]):
            continue
        if options := _options(pool, ranking, clip, answers):
            doubt = doubts(options, yardstick, opinions(options, reward))
            best = min(range(len(options)), key=lambda i: (doubt[i], options[i].right.key in pivots))
            found[int(doubt[best])].append(options[best])
            pivots.add(options[best].right.key)
    return [*found[Doubt.NONE], *found[Doubt.TIED]][:n], [*found[Doubt.ALIKE], *found[Doubt.OVERLAPPING]]


def _options(pool: Pool, ranking: Ranking, clip: Segment, answers: Mapping[str, Comparison]) -> list[Query]:
    """The questions that split the clip's slots most evenly, best first; none while one is open."""
    if clip.key in ranking.place:
        return []
    known = ranking.shares.get(clip.key, {})
    asked = [Query(clip, ranking.clips[key], WHY) for key in ranking.order if key not in known]
    pairs = [pair for pair in asked if pair.id not in answers]  # another strategy's answers make no list
    if not pairs or not all(pool.is_new(pair) for pair in pairs):
        return []
    gain = _gain(ranking, clip.key, np.array([ranking.place[pair.right.key] for pair in pairs]))
    best = [i for i in np.argsort(-gain, kind="stable")[:PIVOTS] if gain[i] >= NEARLY * gain.max()]
    return [Query(clip, pairs[i].right, WHY, float(gain[i])) for i in best]


def _gain(ranking: Ranking, key: str, pivots: np.ndarray) -> np.ndarray:
    """Bits that a comparison with each pivot would tell about a clip's slot.

    While several slots agree equally well with the answers these are halved, as in a plain binary search; once there is
    one, or no pivot lies between them, it is checked against the rest.

    Args:
        ranking: The list.
        key: Of the clip.
        pivots: Places in the list.
    """
    slots, best = ranking.slots(key), ranking.best_slots(key)
    # H(P[slot is below the pivot]), slots 0 … i being below the clip at i; first with all slots but the best left out
    halves = bits(np.cumsum(np.isin(np.arange(len(slots)), best) / len(best)))[pivots]
    return halves if halves.max() > 1e-6 else bits(np.cumsum(slots))[pivots]
