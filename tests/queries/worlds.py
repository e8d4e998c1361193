"""Pools and reward models of which the right choice is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from rl_teacher.queries.pool import SegmentPool
from rl_teacher.trajectory import Comparison, Query, Segment, Source, Trajectory
from tests.fakes import FakeReward

K = 5


def clip(level: float, episode: int, noise: float = 0.0, looks: float = 0.0) -> Trajectory:
    """One clip's worth of an observation that stays at `level`; the action only says which episode it is.

    `looks` is how much clips of one level differ otherwise, in a second number.
    """
    random = np.random.default_rng(episode).normal(size=(K + 1, 2)) * (noise, looks)
    obs = (np.array([level, 0.0]) + random).astype(np.float32)
    return Trajectory(obs, np.full((K, 1), episode, np.float32), np.full(K, level), source=Source("run", 0, episode))


def pool_of(levels: Iterable[float], seed: int = 0, noise: float = 0.0, looks: float = 0.0) -> SegmentPool:
    """A pool of one clip for each level, every clip an episode of its own."""
    made = SegmentPool(K, 3, np.random.default_rng(seed))
    made.add([clip(level, i, noise, looks) for i, level in enumerate(levels)])
    return made


def level(segment: Segment) -> float:
    return float(segment.obs[:, 0].mean())


class Members(FakeReward):
    """r̂ whose members value a clip by functions of its level: P[left] is the logistic of the difference."""

    def __init__(self, *values, n_fits: int = 1) -> None:
        self.values, self.n_members, self.n_fits = values, len(values), n_fits
        self.n_votes = 0

    def votes(self, queries: Sequence[Query]) -> np.ndarray:
        self.n_votes += 1
        apart = [[value(level(q.left)) - value(level(q.right)) for q in queries] for value in self.values]
        return 1 / (1 + np.exp(-np.array(apart).reshape(self.n_members, len(queries))))


def judged(query: Query, wrong: bool = False) -> Comparison:
    """By the level."""
    share = float((level(query.left) > level(query.right)) != wrong)
    return Comparison(query, np.array([share, 1 - share], dtype=np.float32))
