from __future__ import annotations

import numpy as np
import pytest

from rl_teacher.insight.alarm import Fit, alarm, window

ANSWERS = np.arange(200, 301, 5)
LINE = np.linspace(0, 1, len(ANSWERS))


def fits(accuracy, reward, answers=ANSWERS) -> list[Fit]:
    return [Fit(int(n), float(a), float(r)) for n, a, r in zip(answers, accuracy, reward, strict=True)]


def test_it_is_raised_when_reward_rises_while_accuracy_falls():
    raised = alarm(fits(0.85 - 0.2 * LINE, 0.5 + LINE))
    assert raised is not None
    assert raised.reward_now > raised.reward_before
    assert raised.accuracy_now < raised.accuracy_before - 0.05
    line = raised.line()
    assert f"over the last {raised.answers} answers" in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("accuracy", "reward"),
    [
        (0.85 - 0.2 * LINE, 0.5 - LINE),  # both fall: it unlearns, which is told by the curves
        (0.85 - 0.2 * LINE, 0.5 + 0 * LINE),
        (0.65 + 0.2 * LINE, 0.5 + LINE),  # both rise: that is how it should go
        (0.85 + 0 * LINE, 0.5 + LINE),
        (0.85 - 0.04 * LINE, 0.5 + LINE),  # a fall of no consequence
    ],
)
def test_it_is_not_raised_otherwise(accuracy, reward):
    assert alarm(fits(accuracy, reward)) is None


def test_few_answers_must_fall_further_for_chance_does_more_to_them():
    few = ANSWERS - 180  # 20 to 120
    assert alarm(fits(0.85 - 0.15 * LINE, 0.5 + LINE)) is not None
    assert alarm(fits(0.85 - 0.15 * LINE, 0.5 + LINE, few // 2)) is None


def test_a_rise_within_the_noise_is_none():
    noise = np.random.default_rng(0).normal(0, 1, len(ANSWERS))
    assert alarm(fits(0.85 - 0.2 * LINE, 0.05 * LINE + noise)) is None


def test_chance_alone_hardly_ever_raises_it():
    raised = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        agreed = np.cumsum(rng.random(300) < 0.75) / np.arange(1, 301)
        raised += alarm(fits(agreed[ANSWERS - 1], rng.normal(1, 0.3, len(ANSWERS)) + LINE)) is not None
    assert raised <= 3


def test_only_the_window_counts():
    """What was long ago is put right meanwhile."""
    early = fits(0.9 - 0.3 * LINE, LINE, ANSWERS - 190)
    late = fits(0.8 + 0 * LINE, 1 + 0 * LINE, ANSWERS + 500)
    assert alarm([*early, *late]) is None
    assert window([*early, *late])[0].answers >= 500
    assert [fit.answers for fit in window(fits(LINE, LINE, np.arange(1, 22)))] == list(range(2, 22))


def test_few_fits_or_no_new_answer_say_nothing():
    assert alarm([]) is None
    assert alarm(fits(0.9 - 0.3 * LINE, LINE)[-4:]) is None
    assert alarm(fits(0.9 - 0.3 * LINE, LINE, np.full(len(ANSWERS), 300))) is None
