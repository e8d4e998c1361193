"""An environment that draws itself, without anything to install: its picture shows the cart of its observation."""

from __future__ import annotations

from typing import ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.envs.classic_control.cartpole import CartPoleEnv

HEIGHT, WIDTH = 60, 90


class SelfDrawn(CartPoleEnv):
    metadata: ClassVar = {"render_modes": ["rgb_array"], "render_fps": 20}

    def render(self):
        assert self.state is not None
        return drawing(np.asarray(self.state, np.float32))


def drawing(obs: np.ndarray) -> np.ndarray:
    """(HEIGHT, WIDTH, 3): a bar where the cart is, as bright as the pole is upright."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    at = int(np.clip((obs[0] + 2.4) / 4.8 * (WIDTH - 10), 0, WIDTH - 10))
    picture[:, at : at + 10] = int(np.clip(200 - 200 * abs(obs[2]), 0, 255))
    return picture


class Blind(CartPoleEnv):
    """Knows no way to draw itself."""

    metadata: ClassVar = {"render_modes": []}

    def __init__(self):
        super().__init__()


gym.register("SelfDrawn-v0", entry_point=SelfDrawn, max_episode_steps=100)
gym.register("Blind-v0", entry_point=Blind, max_episode_steps=100)
