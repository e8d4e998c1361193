"""Choosing a batch of questions that does not ask the same thing over and over."""

from __future__ import annotations

import numpy as np

from rl_teacher.queries.candidates import Candidates

NEAR = 0.25
"""Two pairs are near-copies where their looks differ by less than this: RMS, in standard deviations over the pool."""


def best_of(candidates: Candidates, score: np.ndarray, n: int) -> list[int]:
    """Up to n candidates, best score first, as different from each other as can be had.

    One after another; each time the best score among those that look like no pair chosen before and share no moment
    with one; where there are none left, among those that only share a moment; then among the near-copies. Pairs that
    are doubtful (`Doubt`) wait until all others are chosen.

    Args:
        candidates: m of them.
        score: (m,), more is better.
        n: How many.
    """
    return _greedy(candidates, np.full(len(candidates), np.inf), n, score)[0]


def farthest_of(candidates: Candidates, covered: np.ndarray, n: int) -> tuple[list[int], list[float]]:
    """Up to n candidates that cover the looks of all: each is the farthest from those covered and chosen before.

    This is k-center greedy as in core-set selection (Sener & Savarese 2018, algorithm 1), over pairs.

    Args:
        candidates: m of them.
        covered: Looks of pairs that need no covering, (A, 2, F). With none, a pair of two average clips is.
        n: How many.

    Returns:
        Which, and how far each was when it was chosen (RMS, in standard deviations over the pool).
    """
    if not len(candidates):
        return [], []
    start = covered if len(covered) else np.zeros_like(candidates.looks[:1])
    return _greedy(candidates, distances(candidates.looks, start).min(1), n)


def distances(pairs: np.ndarray, others: np.ndarray, lengths: np.ndarray | None = None) -> np.ndarray:
    """How differently m pairs look from A others, (m, A): the same whichever side a clip is on.

    Args:
        pairs: Looks, (m, 2, F).
        others: Looks, (A, 2, F).
        lengths: The squared lengths of `pairs`, (m,), where they are known already.
    """
    a, b, c, d = pairs[:, 0], pairs[:, 1], others[:, 0].T, others[:, 1].T
    lengths = (_lengths(pairs) if lengths is None else lengths)[:, None] + _lengths(others)
    # min(|a-c|² + |b-d|², |a-d|² + |b-c|²), as |a|² + |b|² + |c|² + |d|² - 2 max(a·c + b·d, a·d + b·c)
    return np.sqrt(np.maximum(0.0, lengths - 2 * np.maximum(a @ c + b @ d, a @ d + b @ c)))


def _lengths(looks: np.ndarray) -> np.ndarray:
    return np.einsum("msf,msf->m", looks, looks)


def _greedy(
    c: Candidates, nearest: np.ndarray, n: int, score: np.ndarray | None = None
) -> tuple[list[int], list[float]]:
    """One after another; `nearest`, how far each is from what was chosen before, is the score where none is given."""
    chosen: list[int] = []
    scores: list[float] = []
    lengths = _lengths(c.looks)
    shares = np.zeros(len(c), dtype=bool)
    for _ in range(min(n, len(c))):
        worth = nearest if score is None else score
        burden = 4 * c.doubt + 2 * (nearest < NEAR) + shares
        burden[chosen] = np.iinfo(burden.dtype).max
        free = np.flatnonzero(burden == burden.min())
        best = int(free[np.argmax(worth[free])])
        chosen.append(best)
        scores.append(float(worth[best]))
        nearest = np.minimum(nearest, distances(c.looks, c.looks[best : best + 1], lengths)[:, 0])
        shares |= _shares_a_moment(c, best)
    return chosen, scores


def _shares_a_moment(c: Candidates, i: int) -> np.ndarray:
    """Which candidates show some step that candidate i shows too, (m,)."""
    there, here = c.moments[:, :, None], c.moments[i]
    same = (there[..., 0] == here[:, 0]) & (abs(there[..., 1] - here[:, 1]) < c.clip_steps)
    return same.any((1, 2))
