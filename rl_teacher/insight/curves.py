"""A run's curves on their way into the store, and the alarm that is raised on them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rl_teacher.feedback.store import Store
from rl_teacher.insight.alarm import Alarm, Fit, alarm, window

CURVES = (
    "labels/answered",
    "reward/comparisons",
    "reward/held_out_accuracy",
    "rew_mean",
    "true_return",
    "behavior_return",
)
"""Metrics that the page draws."""


class Curves:
    """Keeps a few hundred points of each curve in the store.

    Args:
        store: Where trainer and page meet.
        run_id: Whose curves.
        from_step: A run that goes on from a checkpoint forgets what was measured after it.
    """

    def __init__(self, store: Store, run_id: str, from_step: int = 0):
        self._store, self._run_id = store, run_id
        store.forget_points(run_id, from_step)
        self._figures: dict[str, float] = {}
        self._fits: list[Fit] = []
        for point in store.points(run_id):
            known = {name: float(point.data[name]) for name in CURVES if point.data.get(name) is not None}
            new = known.get("reward/comparisons") != self._figures.get("reward/comparisons")
            self._figures = known
            if new:
                self._note_fit()
        self.alarm: Alarm | None = alarm(self._fits)

    def add(self, step: int, figures: Mapping[str, float]) -> str | None:
        """A round is over.

        Args:
            step: Environment steps of the run.
            figures: By the name of their metric; what was not measured this time keeps its last value.

        Returns:
            A line for people where the alarm was raised just now, or is over.
        """
        self._figures |= {name: float(figures[name]) for name in CURVES if math.isfinite(figures.get(name, math.nan))}
        news = None
        if figures.get("reward/fitted"):
            self._note_fit()
            before, self.alarm = self.alarm, alarm(self._fits)
            if self.alarm is not None and before is None:
                news = self.alarm.line()
            elif self.alarm is None and before is not None:
                news = "r̂ no longer rises while its accuracy falls."
        data: dict[str, Any] = dict(self._figures)
        if self.alarm is not None:
            data["alarm"] = {**asdict(self.alarm), "line": self.alarm.line()}
        self._store.add_point(self._run_id, step, data)
        return news

    def _note_fit(self) -> None:
        wanted = [self._figures.get(name) for name in CURVES[1:4]]
        if None not in wanted:
            n, accuracy, reward = (float(value or 0.0) for value in wanted)
            self._fits = window([*self._fits, Fit(int(n), accuracy, reward)])
