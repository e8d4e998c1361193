"""Actions that are chosen and not measured: one of n, or several such choices at once."""

from __future__ import annotations

import gymnasium as gym
import numpy as np


def choices(space: gym.Space) -> tuple[int, ...]:
    """How many there are to choose from, for each choice that makes an action; () where an action is numbers."""
    if isinstance(space, gym.spaces.Discrete):
        return (int(space.n),)
    if isinstance(space, gym.spaces.MultiDiscrete):
        return tuple(int(n) for n in space.nvec.reshape(-1))
    return (2,) * int(np.prod(space.shape)) if isinstance(space, gym.spaces.MultiBinary) else ()


def first(space: gym.Space) -> np.ndarray:
    """What the environment calls the action that is 0 here, (*act,); 0 where an action is numbers."""
    return np.asarray(getattr(space, "start", 0))
