"""An environment in which two choices are made at once: one is right if it is as told, the other always the same."""

from __future__ import annotations

import gymnasium as gym
import numpy as np


class Several(gym.Env):
    """Pays 1 for each right choice: of three as observed, of two the last."""

    observation_space = gym.spaces.Dict({"told": gym.spaces.Discrete(3), "at": gym.spaces.Box(0.0, 1.0, (1,))})
    action_space = gym.spaces.MultiDiscrete([3, 2])

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._n = 0
        return self._see(), {}

    def step(self, action):
        rew = float(action[0] == self._told) + float(action[1] == 1)
        self._n += 1
        return self._see(), rew, False, self._n == 20, {}

    def _see(self):
        self._told = int(self.np_random.integers(3))
        return {"told": self._told, "at": np.array([self._n / 20], np.float32)}
