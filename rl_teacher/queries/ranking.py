"""A ranked list of clips, made of nothing but the answers: binary insertion that survives wrong answers.

Nothing is saved: `rank` builds the list anew from the answered questions, so that changed and withdrawn answers and a
run that goes on need no care.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from rl_teacher.trajectory import Comparison, Query, Segment

WHY = "sort"
"""Queries with this `why` make the list."""
ERROR = 0.1
"""ε: share of answers assumed to be wrong."""
CHECKS = 1
"""Answers of each clip beyond those that a binary search needs: an early mistake shows in them …"""
DOUBTS = 2
"""… and so many further ones for each answer that does not agree with its place, or where two places are as good."""
SWEEPS = 5
"""Times that all clips are put in their best place given all others, at most."""


@dataclass
class Ranking:
    """Clips from worst to best. A list of L has L + 1 slots for a further clip; slot j is above j clips."""

    order: list[str] = field(default_factory=list)
    """Keys of the clips in the list, worst first."""
    clips: dict[str, Segment] = field(default_factory=dict)
    """Every clip that was compared, by key, in the order of its first answer; those not in `order` are on their way."""
    shares: dict[str, dict[str, float]] = field(default_factory=dict)
    """Key of a clip → key of another → share of the answer for the first being the better of the two."""
    place: dict[str, int] = field(default_factory=dict)
    """Key of a clip in the list → its index in `order`."""

    def waiting(self) -> list[Segment]:
        """Clips on their way into the list, newest last."""
        return [clip for key, clip in self.clips.items() if key not in self.place]

    def slots(self, key: str) -> np.ndarray:
        """Posterior over the slots of the list, the clip itself left out if it is in it; (L+1,), sums to 1."""
        weight = np.exp(self._log_weight(key))
        return weight / weight.sum()

    def best_slots(self, key: str) -> np.ndarray:
        """The most probable slots, one or several equally so."""
        weight = self._log_weight(key)
        return np.flatnonzero(weight > weight.max() - 1e-6)

    def answers(self, key: str) -> tuple[np.ndarray, np.ndarray]:
        """Where the clips of the list are that it was compared with, and its share in each answer.

        Places are in the list without the clip itself.
        """
        own = self.place.get(key, len(self.order))
        against = [
            (self.place[other], share) for other, share in self.shares.get(key, {}).items() if other in self.place
        ]
        where = np.array([place - (place > own) for place, _ in against], dtype=int)
        return where, np.array([share for _, share in against])

    def _log_weight(self, key: str) -> np.ndarray:
        where, share = self.answers(key)
        n_slots = len(self.order) + 1 - (key in self.place)
        # P[answer | above] = s (1-ε) + (1-s) ε, P[answer | below] = s ε + (1-s) (1-ε), s the share for the clip
        above = np.log(share * (1.0 - ERROR) + (1.0 - share) * ERROR)
        below = np.log(share * ERROR + (1.0 - share) * (1.0 - ERROR))
        # log w_j = Σ_i below_i + Σ_{i: place_i < j} (above_i - below_i), the prior being the same for all slots
        steps = np.bincount(where + 1, weights=above - below, minlength=n_slots)
        return np.cumsum(steps) + below.sum()

    def n_contradicting(self, key: str) -> int:
        """Answers that do not agree with the clip's most probable slot."""
        where, share = self.answers(key)
        slot = self._slot(key)
        return int(np.sum(np.where(where < slot, share < 0.5, share > 0.5)))

    def _slot(self, key: str) -> int:
        best = self.best_slots(key)
        return int(best[len(best) // 2])

    def is_placed_surely(self, key: str) -> bool:
        """Whether a clip on its way has answers enough: log₂ of the slots, a few more, or all there are."""
        n, size = len(self.answers(key)[0]), len(self.order)
        wanted = math.ceil(math.log2(size + 1)) + CHECKS
        if n < min(size, wanted):
            return False
        n_doubts = self.n_contradicting(key) + (len(self.best_slots(key)) > 1)
        return n >= min(size, wanted + DOUBTS * n_doubts)

    def put(self, key: str) -> bool:
        """Put a clip where it belongs, given all others; says whether that changed the list."""
        slot = self._slot(key)
        was = self.place.get(key)
        if was is not None:
            if was in self.best_slots(key):
                return False
            del self.order[was]
        self.order.insert(slot, key)
        self.place = {key: i for i, key in enumerate(self.order)}
        return True


def rank(comparisons: Iterable[Comparison]) -> Ranking:
    """The list that follows from the answers.

    Args:
        comparisons: Answered queries, oldest first; those whose `why` is not "sort" are left out.
    """
    ranking = Ranking()
    for comparison in comparisons:
        if comparison.query.why == WHY:
            _take(ranking, comparison)
    for _ in range(SWEEPS):
        moved = [ranking.put(key) for key in list(ranking.order)]
        if not any(moved):
            break
    return ranking


def _take(ranking: Ranking, comparison: Comparison) -> None:
    left, right = comparison.query.left, comparison.query.right
    for clip, other, share in ((right, left, comparison.mu[1]), (left, right, comparison.mu[0])):
        ranking.clips.setdefault(clip.key, clip)
        ranking.shares.setdefault(clip.key, {})[other.key] = float(share)
    if not ranking.order:
        ranking.put(right.key)
    ready = [left.key, right.key]
    while ready:
        key = ready.pop()
        if key not in ranking.place and ranking.is_placed_surely(key):
            ranking.put(key)
            ready += [other for other in ranking.shares[key] if other not in ranking.place]


def implied(ranking: Ranking, n: int, least: float = 0.8) -> list[Comparison]:
    """Further comparisons that follow from the list, though nobody was asked: soft ones, as sure as the list is.

    How sure: the probability, by the posterior over slots, that the better one is above the other: by its own answers
    with the other's place taken for granted, and the other way round, whichever is less. μ holds it.

    Args:
        ranking: As `rank` gives it.
        n: At most so many, evenly spread over all that are sure enough.
        least: Only pairs whose order is at least so probable.
    """
    size = len(ranking.order)
    above = np.full((size, size), 0.5)  # [i, j]: P[clip i is better than clip j] by the answers about clip i
    for i, key in enumerate(ranking.order):
        up_to = np.cumsum(ranking.slots(key))[:-1]
        above[i, np.arange(size) != i] = 1.0 - up_to
    sure = np.tril(np.minimum(above, 1.0 - above.T), -1)  # j < i: i is held to be the better one
    pairs = [
        (int(i), int(j))
        for i, j in np.argwhere(np.tril(sure >= least, -1))
        if ranking.order[j] not in ranking.shares[ranking.order[i]]
    ]
    picked = np.unique(np.linspace(0, len(pairs) - 1, min(n, len(pairs))).round().astype(int))
    return [_implied(ranking, pairs[i], float(sure[pairs[i]])) for i in picked]


def _implied(ranking: Ranking, pair: tuple[int, int], p: float) -> Comparison:
    left, right = (ranking.clips[ranking.order[i]] for i in pair)
    return Comparison(Query(left, right, "implied", p), np.array([p, 1.0 - p], dtype=np.float32))
