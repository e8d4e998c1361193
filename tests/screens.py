"""Environments of pictures, small and quick: a bright square that the agent moves; the true reward is its height."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np

from rl_teacher.trajectory import Query, Segment


class Screen(gym.Env):
    """A square on a screen, at the height (0 to 1) that two actions move up and down."""

    metadata: ClassVar = {"render_modes": ["rgb_array"], "render_fps": 20}

    def __init__(self, shape: tuple[int, ...] = (84, 84), kind: type = np.uint8, render_mode: str | None = None):
        self.observation_space = gym.spaces.Box(0, 255, shape, kind)
        self.action_space = gym.spaces.Discrete(2)
        self.render_mode = render_mode
        self.at = 0.0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.at = float(self.np_random.random())
        return self._obs(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.at = float(np.clip(self.at + (0.05 if action else -0.05), 0, 1))
        return self._obs(), self.at, False, False, {}

    def _obs(self) -> np.ndarray:
        return drawn(self.at, self.observation_space.shape or ()).astype(self.observation_space.dtype)

    def render(self) -> np.ndarray:
        return drawn(self.at, (60, 80, 3))


class Liar(Screen):
    """Its pictures are not what its space says."""

    def _obs(self) -> np.ndarray:
        return super()._obs() / np.float32(255)


class Dashboard(Screen):
    """The same among other things that are seen."""

    def __init__(self, render_mode: str | None = None):
        super().__init__(render_mode=render_mode)
        speed = gym.spaces.Box(-1, 1, (2,), np.float32)
        self.observation_space = gym.spaces.Dict({"eye": self.observation_space, "speed": speed})


def drawn(at: float, shape: tuple[int, ...]) -> np.ndarray:
    picture = np.zeros(shape, np.uint8)
    seen = picture[-1] if len(shape) == 3 and shape[0] <= 4 else picture
    top = round((1 - at) * (seen.shape[0] - 12))
    seen[top : top + 12, 20:32] = 255
    return picture


def film(rng: np.random.Generator, at: float, k: int = 5, shape: tuple[int, ...] = (48, 48)) -> Segment:
    """k pictures of a square that hardly moves."""
    obs = np.stack([drawn(float(np.clip(at + rng.normal() * 0.02, 0, 1)), shape) for _ in range(k)])
    obs.reshape(k, -1)[:, 0] = rng.integers(0, 255, k)  # no two films are the same
    return Segment(obs, rng.integers(0, 2, k), np.full(k, at))


def pair(rng: np.random.Generator, **settings: Any) -> Query:
    return Query(film(rng, rng.random(), **settings), film(rng, rng.random(), **settings))


gym.register("Screen-v0", entry_point=Screen, max_episode_steps=40)
