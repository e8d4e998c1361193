"""An environment that says what a success is, small and quick."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np


class Lucky(gym.Env):
    """Five steps; one on which the action is above the observation is a success, and the last one is never told."""

    def __init__(self) -> None:
        self.observation_space = gym.spaces.Box(-1.0, 1.0, (1,), np.float32)
        self.action_space = gym.spaces.Box(-1.0, 1.0, (1,), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self._elapsed = 0
        return self._obs(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self._elapsed += 1
        info = {"success": float(action[0] > self._at[0])} if self._elapsed < 5 else {}
        return self._obs(), float(action[0]), self._elapsed == 5, False, info

    def _obs(self) -> np.ndarray:
        self._at = self.np_random.uniform(-0.5, 0.5, 1).astype(np.float32)
        return self._at
