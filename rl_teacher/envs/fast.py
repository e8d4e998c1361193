"""What EnvPool has of environments that are not our tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import gymnasium as gym
import numpy as np


@dataclass(frozen=True, slots=True)
class Fast:
    """An environment in EnvPool, with its own reward and ends, that gives the same numbers as the one on the stage."""

    name: str
    """EnvPool's id."""
    parts: tuple[str, ...] = ()
    """Of a Dict observation, in the order in which they stand in a row; (): the observation is a Box."""

    def n_obs(self, space: gym.Space) -> int:
        """D, the numbers in one observation.

        Args:
            space: EnvPool's of one observation, a Box or a Dict of them.
        """
        boxes = [space[part] for part in self.parts] if isinstance(space, gym.spaces.Dict) else [space]
        return sum(int(np.prod(box.shape or ())) for box in boxes)

    def row(self, obs: np.ndarray | Mapping[str, np.ndarray]) -> np.ndarray:
        """Observations of N copies, (N, D)."""
        if isinstance(obs, np.ndarray):
            return obs.reshape(len(obs), -1)
        return np.concatenate([obs[part].reshape(len(obs[part]), -1) for part in self.parts], axis=1)
