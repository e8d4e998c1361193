"""The two calls by which the original RL-Teacher was plugged into agents that collect whole paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rl_teacher.plug.lessons import Lessons, Policy
from rl_teacher.protocols import Actor


class PathPredictor:
    """A predictor in the original's sense, with `predict_reward(path)` and `path_callback(path)`.

    A path holds `obs` (T, *obs) and `actions` (T, *act) of T steps; other entries are not looked at. Teachers see what
    `policy` does on the stage, not the path itself.

    Args:
        lessons: `Teaching` for example.
        policy: What the agent does now; asked whenever questions are made.
    """

    def __init__(self, lessons: Lessons, policy: Policy | Actor) -> None:
        self._lessons, self._policy = lessons, policy

    def predict_reward(self, path: Mapping[str, Any]) -> np.ndarray:
        """R̂ of every step, (T,)."""
        return self._lessons.reward(np.asarray(path["obs"]), np.asarray(path["actions"]))

    def path_callback(self, path: Mapping[str, Any]) -> None:
        """A path was collected: teaching goes on by as many steps."""
        self._lessons.tick(len(path["obs"]), self._policy)
