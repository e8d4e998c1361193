"""What further answers would bring: a learning curve through the held-out accuracies measured so far.

accuracy(n) = a − b·n^(−c), the inverse power law that learning curves of classifiers follow (Cortes et al. 1994,
"Learning curves: asymptotic values and rate of convergence"; Figueroa et al. 2012, "Predicting sample size required for
classification performance", who fit it with weights, as here). docs/insight.md says what it cannot know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rl_teacher.errors import UserError

FEWEST_POINTS = 5
"""Numbers of answers at which accuracy was measured, to draw a curve through."""
FEWEST_ANSWERS = 20
SPREAD = 2.0
"""The largest of these numbers over the smallest, at least."""
DRAWS = 400
"""Curves of the bootstrap."""
BAND = (10.0, 90.0)
"""Percentiles of them that the band runs between."""
JUDGED = 128
"""Accuracy is measured on at most so many comparisons (`reward.model.JUDGED`)."""
RATES = np.linspace(0.1, 1.5, 29)
"""c is one of these: slower than n^(−0.1) cannot be told from a straight line with a few hundred answers."""
AHEAD = (50, 100)
"""Further answers that are forecast."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """A curve with its band. Accuracies are shares in [0, 1]."""

    a: float
    """Where accuracy would end."""
    b: float
    c: float
    n: np.ndarray
    """(M,) numbers of answers, the last of them 100 beyond those given."""
    accuracy: np.ndarray
    """(M,) the curve."""
    low: np.ndarray
    """(M,) 10th percentile of the bootstrap's curves."""
    high: np.ndarray
    """(M,) 90th percentile."""
    now: float
    """The curve at the answers given."""
    more: tuple[tuple[int, float, float, float], ...]
    """(further answers, gain in accuracy, its 10th and its 90th percentile)."""


def forecast(answers: Sequence[float], accuracy: Sequence[float], rng: np.random.Generator) -> Forecast:
    """A curve through what was measured, and how sure it is.

    Args:
        answers: n, answers that r̂ had learned from, rising.
        accuracy: Held-out accuracy measured then.
        rng: Draws the bootstrap.

    Raises:
        UserError: If there is too little to draw a curve through; says what is missing.
    """
    n, measured = np.asarray(answers, dtype=np.float64), np.asarray(accuracy, dtype=np.float64)
    _check(n)
    weight = np.minimum(n, JUDGED)
    fitted = _fit(n, measured[None], weight)
    a, b, c = (float(part[0]) for part in fitted)
    last = int(n[-1])
    shown = np.unique(np.linspace(n[0], last + AHEAD[-1], 60).round())
    draws = _fit(n, _curve(fitted, n) + _noise(n, a - b * n**-c, rng), weight)
    every = np.clip(_curve(draws, shown), 0.0, 1.0)
    low, high = np.percentile(every, BAND, axis=0)
    ends = np.array([last, *(last + more for more in AHEAD)], dtype=np.float64)
    middle, of_draws = _curve(fitted, ends)[0], _curve(draws, ends)
    more = []
    for i, ahead in enumerate(AHEAD, 1):
        least, most = np.percentile(of_draws[:, i] - of_draws[:, 0], BAND)
        more.append((ahead, float(middle[i] - middle[0]), float(least), float(most)))
    curve = _curve(fitted, shown)[0]
    # a skewed bootstrap may leave the curve itself outside: a band that does not hold its curve helps nobody
    low, high = np.minimum(low, curve), np.maximum(high, curve)
    return Forecast(a, b, c, shown, curve, low, high, float(middle[0]), tuple(more))


def _check(n: np.ndarray) -> None:
    if len(n) < FEWEST_POINTS or n[-1] < FEWEST_ANSWERS or n[-1] < SPREAD * n[0]:
        given = f"{len(n)} time{'' if len(n) == 1 else 's'}"
        span = f", from {n[0]:.0f} to {n[-1]:.0f} answers" if len(n) else ""
        raise UserError(
            f"Too early for a forecast: accuracy was measured {given}{span}. At least {FEWEST_POINTS} times are "
            f"needed, up to {FEWEST_ANSWERS} answers or more and to twice the first number. Answer on."
        )


def _fit(n: np.ndarray, accuracy: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weighted least squares for each row of accuracy (D, M) -> a, b, c (D,), with ½ ≤ a ≤ 1 and b ≥ 0.

    For a given c the rest is a straight line in x = n^(−c), so every c of a grid is tried.
    """
    w = weight / weight.sum()
    x = n ** -RATES[:, None]
    x_mean = (w * x).sum(1, keepdims=True)
    spread = (w * (x - x_mean) ** 2).sum(1)
    y_mean = (w * accuracy).sum(1)
    slope = np.einsum("m,cm,dm->dc", w, x - x_mean, accuracy - y_mean[:, None]) / spread
    b = np.maximum(-slope, 0.0)
    a = np.clip(y_mean[:, None] + b * x_mean.T, 0.5, 1.0)
    # where a was clipped: the best line through that end
    held = np.maximum(np.einsum("dcm,cm,m->dc", a[:, :, None] - accuracy[:, None], x, w) / (w * x**2).sum(1), 0.0)
    b = np.where((a == 1.0) | (a == 0.5), held, b)
    error = np.einsum("m,dcm->dc", w, (a[:, :, None] - b[:, :, None] * x - accuracy[:, None]) ** 2)
    best = error.argmin(1)
    rows = np.arange(len(accuracy))
    return a[rows, best], b[rows, best], RATES[best]


def _curve(fitted: tuple[np.ndarray, np.ndarray, np.ndarray], n: np.ndarray) -> np.ndarray:
    """(D, M) accuracies at n of D curves."""
    a, b, c = (part[:, None] for part in fitted)
    return a - b * n**-c


def _noise(n: np.ndarray, p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How far off measured accuracies are by chance, (DRAWS, M).

    Each is a mean over answers, and a later one is over the same answers and some more, so the errors of neighbours are
    nearly the same: that of n answers is a random walk of n steps over n. Independent errors would make a band far too
    narrow. Beyond JUDGED answers, drawing those that are judged adds an error of its own.
    """
    p = np.clip(p, 0.05, 0.95)
    deviation = np.sqrt(p * (1.0 - p))
    steps = np.sqrt(np.diff(n, prepend=0.0)) * rng.standard_normal((DRAWS, len(n)))
    drawn = np.sqrt(np.maximum(1.0 / np.minimum(n, JUDGED) - 1.0 / n, 0.0)) * rng.standard_normal((DRAWS, len(n)))
    return deviation * (steps.cumsum(1) / n + drawn)
