"""Two environments of one's own, to be taught from nothing: docs/own-environment.md takes you through them.

`lamp` is a desk lamp on MuJoCo, with an XML file of its own; `firefly` is seen as pictures. Neither has a reward: what
they are to do is up to whoever teaches them. The judges at the end only take a person's place, so that runs repeat.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.envs.mujoco import MujocoEnv
from gymnasium.wrappers import TimeLimit

SIDE, SQUARE, STRIDE = 48, 16, 8
"""Pixels of the firefly's picture, of its light, and of one step of its flight."""


class Lamp(MujocoEnv):
    """A desk lamp that can bend its two arms and its head; it begins folded up, the light on the table.

    Observation (9,): sines, then cosines of the angles of lower arm, upper arm and head (0: straight up, positive: to
    the right), then how fast they turn, radians a second. Action (3,): torques of shoulder, elbow and neck.
    """

    metadata: ClassVar[dict[str, Any]] = {
        "render_modes": ["human", "rgb_array", "depth_array", "rgbd_tuple"],  # MujocoEnv insists
        "render_fps": 25,
        "clip_steps": 40,
        "instructions": "Stand up straight and shine at the ceiling.",
    }

    def __init__(self) -> None:
        seen = gym.spaces.Box(-np.inf, np.inf, (9,), np.float64)
        super().__init__(str(Path(__file__).with_name("lamp.xml")), frame_skip=8, observation_space=seen)

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Take a step of 0.04 s. It pays nothing and ends nothing."""
        self.do_simulation(action, self.frame_skip)
        return self._obs(), 0.0, False, False, {}

    def reset_model(self) -> np.ndarray:
        """Fold it up, never quite the same."""
        folded = np.array([-0.3, 2.1, 1.0]) + self.np_random.uniform(-0.15, 0.15, 3)
        self.set_state(folded, self.np_random.normal(0, 0.1, 3))
        return self._obs()

    def _obs(self) -> np.ndarray:
        angle, speed = np.cumsum(self.data.qpos), np.cumsum(self.data.qvel)
        return np.concatenate([np.sin(angle), np.cos(angle), speed])


class Firefly(gym.Env):
    """A bright square in the dark, which five actions leave where it is or move up, down, left, right.

    Observation: the picture, (SIDE, SIDE) uint8, and nothing else.
    """

    metadata: ClassVar[dict[str, Any]] = {
        "render_modes": ["rgb_array"],
        "render_fps": 10,
        "clip_steps": 10,
        "instructions": "Fly to the top right corner and stay there.",
    }
    observation_space = gym.spaces.Box(0, 255, (SIDE, SIDE), np.uint8)
    action_space = gym.spaces.Discrete(5)

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self._at = np.zeros(2, dtype=int)
        """Top and left of the square, pixels."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """Begin anywhere."""
        super().reset(seed=seed)
        self._at = STRIDE * self.np_random.integers(0, (SIDE - SQUARE) // STRIDE + 1, 2)
        return self._obs(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Move by a stride, as far as the edge. It pays nothing and ends nothing."""
        direction = np.array([(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)][action])
        self._at = np.clip(self._at + STRIDE * direction, 0, SIDE - SQUARE)
        return self._obs(), 0.0, False, False, {}

    def _obs(self) -> np.ndarray:
        picture = np.full((SIDE, SIDE), 30, np.uint8)
        top, left = self._at
        picture[top : top + SQUARE, left : left + SQUARE] = 255
        return picture

    def render(self) -> np.ndarray:
        """(SIDE, SIDE, 3) uint8, for people: yellow on blue."""
        return np.where(self._obs()[..., None] > 128, (255, 230, 90), (20, 26, 60)).astype(np.uint8)


def lamp() -> gym.Env:
    """`-e own_environment:lamp`. The clock ends an episode after four seconds."""
    return TimeLimit(Lamp(), 100)


def firefly(render_mode: str | None = None) -> gym.Env:
    """`-e own_environment:firefly`. The clock ends an episode after 40 steps."""
    return TimeLimit(Firefly(render_mode), 40)


def look_up(obs: np.ndarray) -> np.ndarray:
    """`--behavior own_environment:look_up`: all three limbs upright, and calm. Between −1.2 and 1."""
    upright, speed = obs[..., 3:6].mean(-1), obs[..., 6:9]
    return upright - 0.2 * np.tanh(np.square(speed).mean(-1))


def top_right(obs: np.ndarray) -> np.ndarray:
    """`--behavior own_environment:top_right`: how near that corner the firefly is. Between 0 and 1."""
    bright = obs > 128  # (…, SIDE, SIDE)
    top, right = bright.any(-1).argmax(-1), SIDE - 1 - bright.any(-2)[..., ::-1].argmax(-1)
    return 1 - np.hypot(top, SIDE - 1 - right) / np.hypot(SIDE - SQUARE, SIDE - SQUARE)
