"""An alarm: the agent pleases r̂ ever more while r̂ says ever less of what the person would."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WINDOW_SHARE = 0.25
"""The window reaches back over this share of the answers …"""
WINDOW_LEAST = 20
"""… and over at least so many."""
FEWEST_FITS = 6
"""In the window; fewer say nothing."""
LEAST_FALL = 0.05
"""Of held-out accuracy; less is of no consequence."""
JUDGED = 128
"""Accuracy is measured on at most so many comparisons."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What was known after one fit of r̂."""

    answers: int
    """Comparisons that r̂ learned from."""
    accuracy: float
    """Held-out."""
    reward: float
    """Mean r̂ of the agent's play in the round of the fit."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Means over the first and the last third of the window."""

    answers: int
    """Answers that the window reaches back over."""
    reward_before: float
    reward_now: float
    accuracy_before: float
    accuracy_now: float

    def line(self) -> str:
        """For people."""
        return (
            f"Look at the agent: over the last {self.answers} answers mean r̂ of its play rose from "
            f"{self.reward_before:.2f} to {self.reward_now:.2f}, while r̂'s accuracy on held-out answers fell from "
            f"{self.accuracy_before:.0%} to {self.accuracy_now:.0%}. It may be pleasing r̂ and not you; more answers "
            "about what it does now put that right."
        )


def window(fits: Sequence[Fit]) -> list[Fit]:
    """The newest fits, over a quarter of the answers, at least 20."""
    if not fits:
        return []
    reach = max(WINDOW_LEAST, round(WINDOW_SHARE * fits[-1].answers))
    return [fit for fit in fits if fit.answers > fits[-1].answers - reach]


def alarm(fits: Sequence[Fit]) -> Alarm | None:
    """Whether r̂ rises while held-out accuracy falls, over the window.

    Of both, the last third of the window's fits is compared with the first. r̂ rises if the means differ by more than
    two standard errors; accuracy falls if it is lower by more than 0.05 and by more than twice what chance does to a
    mean over as many answers.

    Args:
        fits: Oldest first.
    """
    recent = window(fits)
    if len(recent) < FEWEST_FITS or recent[-1].answers == recent[0].answers:
        return None
    third = len(recent) // 3
    before, now = recent[:third], recent[-third:]
    rewards = [np.array([fit.reward for fit in part]) for part in (before, now)]
    accuracy = [float(np.mean([fit.accuracy for fit in part])) for part in (before, now)]
    rise, error = _difference(*rewards)
    p = min(max(accuracy[0], 0.05), 0.95)
    fall = max(LEAST_FALL, 2.0 * math.sqrt(p * (1.0 - p) / min(recent[-1].answers, JUDGED)))
    if not (rise > 2.0 * error and rise > 0.0 and accuracy[0] - accuracy[1] > fall):
        return None
    reach = recent[-1].answers - recent[0].answers
    return Alarm(reach, float(rewards[0].mean()), float(rewards[1].mean()), accuracy[0], accuracy[1])


def _difference(before: np.ndarray, now: np.ndarray) -> tuple[float, float]:
    """Difference of two means, and its standard error."""
    error = math.sqrt(sum(float(part.var(ddof=1)) / len(part) for part in (before, now)))
    return float(now.mean() - before.mean()), error
