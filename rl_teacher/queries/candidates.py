"""Pairs that could be asked, and whether anybody could tell them apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from rl_teacher.protocols import Pool, RewardModel
from rl_teacher.stacks import regions
from rl_teacher.trajectory import Query, Segment

PER_QUESTION = 10
"""Candidates for each question (Christiano et al. 2017, section 2.2.4)."""
ALIKE = 0.1
"""Two clips look alike where their observations differ by less than this, in standard deviations of the pool (RMS)."""
TIED = 0.02
"""All members call a pair a tie where each gives it a probability nearer to ½ than this."""
ROUNDS = 4
"""Drawings, each for what is missing, before a pool is held to have no more."""
LEAST_DRAWN = 32
"""Segments in one drawing: fewer would not tell how much behaviour varies."""
SCALED_BY = 256
"""Segments that the standard deviations are taken from, at most."""
MOST_DIMS = 512
"""Numbers of one observation that are looked at, evenly spaced; a picture has more."""
CHUNK = 64
"""Segments handled at once: few enough to stay in the cache."""


class Doubt(IntEnum):
    """Why a pair is asked only where there is no better one, slightest doubt first."""

    NONE = 0
    TIED = 1
    """r̂ has been fitted, and all its members call it a tie."""
    ALIKE = 2
    """The clips look alike."""
    OVERLAPPING = 3
    """They show some moment twice."""


@dataclass(frozen=True, slots=True)
class Yardstick:
    """How much behaviour varies: differences of observations are measured in this."""

    weight: np.ndarray
    """(D,) one over the variance of each number of an observation, shared among those that vary at all."""

    @classmethod
    def of(cls, segments: Sequence[Segment]) -> Yardstick:
        """From some segments of the pool."""
        variance = np.concatenate([_flat(s) for s in segments[:SCALED_BY]]).var(0, dtype=np.float64)
        varies = variance > 1e-12
        weight = np.where(varies, 1.0 / np.where(varies, variance, 1.0), 0.0) / max(1, varies.sum())
        return cls(weight.astype(np.float32))

    def difference(self, pairs: Sequence[Query]) -> np.ndarray:
        """RMS over aligned steps of the difference of left and right, (n,), in standard deviations of the pool."""
        rms = np.zeros(len(pairs))
        for i in range(0, len(pairs), CHUNK):
            some = pairs[i : i + CHUNK]
            apart = np.stack([_flat(p.left) for p in some]) - np.stack([_flat(p.right) for p in some])
            # √(1/k Σ_t 1/D Σ_d ((left_td - right_td) / std_d)²)
            rms[i : i + CHUNK] = np.sqrt(np.einsum("nkd,nkd->nd", apart, apart) @ self.weight / apart.shape[1])
        return rms


def doubts(pairs: Sequence[Query], yardstick: Yardstick, votes: np.ndarray | None = None) -> np.ndarray:
    """The `Doubt` about each pair, (n,) int.

    Args:
        pairs: n of them.
        yardstick: Of the pool they come from.
        votes: P[left is better] by each member, (E, n); None where r̂ has not been fitted or is not to be asked.
    """
    doubt = np.zeros(len(pairs), dtype=int)
    if votes is not None:
        doubt = _tied(votes)
    doubt[yardstick.difference(pairs) < ALIKE] = Doubt.ALIKE
    doubt[[overlap(pair.left, pair.right) for pair in pairs]] = Doubt.OVERLAPPING
    return doubt


def _tied(votes: np.ndarray) -> np.ndarray:
    return np.where((abs(votes - 0.5) < TIED).all(0), int(Doubt.TIED), int(Doubt.NONE))


def opinions(pairs: Sequence[Query], reward: RewardModel) -> np.ndarray | None:
    """The votes of a fitted r̂, (E, n); None while it knows nothing."""
    return reward.votes(pairs) if pairs and reward.n_fits > 0 else None


def new_pairs(pool: Pool, n: int) -> list[Query]:
    """Up to n random pairs that were never asked: no clip with itself, none twice, in whichever order.

    Pairs that look alike or show the same moment come last, and only as long as there are no others. Fewer than n where
    the pool holds too little; a few rounds of drawing, then it stops rather than search for ever.
    """
    return _search(pool, n)[0]


def _search(pool: Pool, n: int) -> tuple[list[Query], np.ndarray]:
    """See `new_pairs`; also the `Doubt` about each, r̂ not being asked."""
    found: dict[str, Query] = {}
    doubt: list[int] = []
    yardstick = None
    for _ in range(ROUNDS):
        missing = n - doubt.count(Doubt.NONE)
        segments = pool.sample(max(2 * missing, LEAST_DRAWN)) if missing > 0 else []
        if not segments:
            break
        yardstick = yardstick or Yardstick.of(segments)
        drawn = _pairs(pool, segments, found)
        found |= {pair.id: pair for pair in drawn}
        doubt += doubts(drawn, yardstick).tolist()
    order = np.argsort(doubt, kind="stable")[:n]
    pairs = list(found.values())
    return [pairs[i] for i in order], np.array(doubt, dtype=int)[order]


def _pairs(pool: Pool, segments: Sequence[Segment], known: dict[str, Query]) -> list[Query]:
    made = [Query(a, b) for a, b in zip(segments[::2], segments[1::2], strict=True) if a.key != b.key]
    return list({pair.id: pair for pair in made if pair.id not in known and pool.is_new(pair)}.values())


def overlap(left: Segment, right: Segment) -> bool:
    """Whether both show some step of the same episode."""
    a, b = left.source, right.source
    return (a.run, a.episode) == (b.run, b.episode) and abs(a.start - b.start) < len(left)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs to choose from, with what is known about each."""

    pairs: list[Query]
    doubt: np.ndarray
    """(m,) int, see `Doubt`."""
    votes: np.ndarray
    """(E, m) P[left is better] by each member."""
    looks: np.ndarray
    """(m, 2, F) how left and right look: mean and standard deviation of each number of the observation over the clip.

    Each is brought to mean 0 and variance 1 over the candidates and divided by √(2F'), F' being those that vary, so
    that the Euclidean distance of two pairs is an RMS in standard deviations.
    """
    moments: np.ndarray
    """(m, 2, 2) int: episode (any number, the same for the same one) and first step of left and right."""
    clip_steps: int

    def __len__(self) -> int:
        """M."""
        return len(self.doubt)


def draw(pool: Pool, n: int, reward: RewardModel, asked_before: Sequence[Query] = ()) -> tuple[Candidates, np.ndarray]:
    """PER_QUESTION times n random new pairs as candidates.

    Args:
        pool: Recent behaviour.
        n: Questions to choose from them.
        reward: r̂, whose members vote.
        asked_before: Further pairs, whose looks are wanted in the same units.

    Returns:
        The candidates and the looks of `asked_before`, (A, 2, F).
    """
    pairs, doubt = _search(pool, PER_QUESTION * n)
    if not pairs:
        nothing = np.zeros((0, 2, 1))
        return Candidates([], np.zeros(0, int), np.zeros((1, 0)), nothing, np.zeros((0, 2, 2), int), 0), nothing
    sides = [side for pair in pairs for side in (pair.left, pair.right)]
    votes = reward.votes(pairs)
    raw = _looks(sides)
    spread = raw.std(0)
    scale = np.where(spread > 1e-6, spread, np.inf) * np.sqrt(2 * max(1, (spread > 1e-6).sum()))
    looks = ((raw - raw.mean(0)) / scale).reshape(len(pairs), 2, -1)
    before = [side for pair in asked_before for side in (pair.left, pair.right)]
    looks_before = ((_looks(before) - raw.mean(0)) / scale).reshape(len(asked_before), 2, -1) if before else looks[:0]
    if reward.n_fits > 0:
        doubt = np.maximum(doubt, _tied(votes))
    return Candidates(pairs, doubt, votes, looks, _moments(sides), len(sides[0])), looks_before


def _looks(segments: Sequence[Segment]) -> np.ndarray:
    """Mean and standard deviation of each number of the observation over each clip, (n, 2D)."""
    rows = []
    for i in range(0, len(segments), CHUNK):
        obs = np.stack([_flat(s) for s in segments[i : i + CHUNK]])
        mean = obs.mean(1)
        obs -= mean[:, None]
        rows.append(np.concatenate([mean, np.sqrt(np.einsum("nkd,nkd->nd", obs, obs) / obs.shape[1])], axis=1))
    return np.concatenate(rows)


def _moments(sides: Sequence[Segment]) -> np.ndarray:
    episodes: dict[tuple[str, int], int] = {}
    where = [s.source for s in sides]
    rows = [(episodes.setdefault((w.run, w.episode), len(episodes)), w.start) for w in where]
    return np.array(rows).reshape(-1, 2, 2)


def _flat(segment: Segment) -> np.ndarray:
    """(k, D) of a segment's observations, D at most about MOST_DIMS; of pictures, how bright each region is."""
    if segment.obs.dtype == np.uint8:
        return regions(segment.obs, math.isqrt(MOST_DIMS))
    obs = segment.obs.reshape(len(segment), -1)
    return obs[:, :: -(-obs.shape[1] // MOST_DIMS)] if obs.shape[1] > MOST_DIMS else obs
