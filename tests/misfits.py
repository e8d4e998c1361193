"""What users write that cannot be used: schedules, judges, factories and environments with one fault each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

ROW = gym.spaces.Box(-1.0, 1.0, (3,), np.float32)
TWO = gym.spaces.Discrete(2)
TORQUES = gym.spaces.Box(-1.0, 1.0, (2,), np.float32)
PICTURE = gym.spaces.Box(0, 255, (64, 64, 3), np.uint8)
EPISODE = 40


@dataclass
class State:
    """What tests change."""

    obs: float | None = None
    """Every number of an observation; None: drawn."""
    clip_steps: int = 12


state = State()


def falling(done: float) -> float:
    return 1.0 - done


def never_a_number(done: float) -> float:
    return math.nan if done > 0.5 else done


def nan_judge(obs: np.ndarray) -> np.ndarray:
    return obs[..., 0] * math.nan


def wide_judge(obs: np.ndarray) -> np.ndarray:
    return obs


class Misfit(gym.Env):
    """Has the spaces that it is told to have, and draws nothing of itself."""

    def __init__(self, obs_space: gym.Space = ROW, act_space: gym.Space = TWO) -> None:
        self.metadata = {"render_fps": 10, "render_modes": [], "clip_steps": state.clip_steps}
        self.observation_space, self.action_space = obs_space, act_space
        self.n = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.n = 0
        return self._obs(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.n += 1
        return self._obs(), float(self.np_random.normal()), False, self.n >= EPISODE, {}

    def _obs(self) -> Any:
        if self.observation_space != ROW:
            return self.observation_space.sample()
        drawn = self.np_random.normal(size=3).astype(np.float32)
        return drawn if state.obs is None else np.full_like(drawn, state.obs)


def chooses() -> gym.Env:
    return Misfit()


def moves() -> gym.Env:
    return Misfit(ROW, TORQUES)


def text() -> gym.Env:
    return Misfit(gym.spaces.Text(4))


def many() -> gym.Env:
    return Misfit(gym.spaces.Sequence(ROW))


def camera() -> gym.Env:
    return Misfit(gym.spaces.Dict({"camera": PICTURE, "joints": ROW}))


def seen() -> gym.Env:
    return Misfit(PICTURE)


def parts() -> gym.Env:
    return Misfit(ROW, gym.spaces.Tuple((TWO, TORQUES)))


def raises() -> gym.Env:
    raise RuntimeError("the robot\nis not plugged in")


def returns() -> Any:
    return "a robot"
