from __future__ import annotations

import numpy as np
import pytest

from rl_teacher.errors import UserError
from rl_teacher.insight.forecast import forecast

N = np.arange(10, 101, 6)


def true_curve(n: np.ndarray | float) -> np.ndarray:
    return 0.9 - 0.8 * np.asarray(n, dtype=float) ** -0.5


def by_chance(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Accuracies measured on the first n of the same answers, each agreed with or not."""
    agreed = rng.random(N[-1])
    return np.array([np.mean(agreed[:n] < share) for n, share in zip(N, p, strict=True)])


def test_a_curve_without_noise_is_found_and_goes_on():
    told = forecast(N, true_curve(N), np.random.default_rng(0))
    assert told.now == pytest.approx(true_curve(100), abs=0.005)
    for further, gain, low, high in told.more:
        assert gain == pytest.approx(true_curve(100 + further) - true_curve(100), abs=0.005)
        assert low <= gain <= high
    assert told.n[-1] == 200
    assert (told.low <= told.accuracy).all()
    assert (told.accuracy <= told.high).all()


def test_the_band_holds_the_truth_about_as_often_as_it_says():
    held = []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        told = forecast(N, by_chance(true_curve(N), rng), rng)
        held.append(told.low[-1] <= true_curve(told.n[-1]) <= told.high[-1])
    assert 0.7 <= np.mean(held) <= 0.95  # it says 0.8


def test_what_is_learned_already_promises_nothing():
    told = forecast(N, np.full(len(N), 0.93), np.random.default_rng(0))
    assert told.now == pytest.approx(0.93, abs=0.01)
    assert all(abs(gain) < 0.01 for _, gain, _, _ in told.more)


def test_a_curve_never_leaves_what_accuracy_can_be():
    rng = np.random.default_rng(1)
    for _ in range(30):
        told = forecast(N, rng.uniform(0, 1, len(N)), rng)
        assert 0.5 <= told.a <= 1.0
        assert told.b >= 0.0
        assert told.low.min() >= 0.0
        assert told.high.max() <= 1.0


@pytest.mark.parametrize(
    ("n", "says"),
    [
        ([], "measured 0 times"),
        ([30], "measured 1 time, from 30 to 30 answers"),
        ([10, 12, 14, 16, 18], "up to 20 answers"),
        ([40, 42, 44, 46, 48, 50], "twice the first"),
    ],
)
def test_with_too_little_it_says_what_is_missing(n, says):
    with pytest.raises(UserError, match=says):
        forecast(n, [0.7] * len(n), np.random.default_rng(0))
