"""An environment that fails when it is told to, as its authors' own ones do now and then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

EPISODE = 50


@dataclass
class Mood:
    fails_in: str = ""
    """reset, step, close or exit (which is a step that ends the program)."""
    after: int = 0
    """Steps of all copies together that go well before."""
    obs: float = 0.5
    rew: float = 1.0
    obs_size: int = 3
    act_size: int = 2
    steps: int = 0


mood = Mood()


@contextmanager
def in_a_mood(**fields: Any) -> Iterator[None]:
    for name, value in vars(Mood(**fields)).items():
        setattr(mood, name, value)
    try:
        yield
    finally:
        for name, value in vars(Mood()).items():
            setattr(mood, name, value)


class Moody(gym.Env):
    metadata = {"render_fps": 10, "render_modes": []}  # noqa: RUF012

    def __init__(self, discrete: bool) -> None:
        self.observation_space = gym.spaces.Box(-1.0, 1.0, (mood.obs_size,), np.float32)
        box = gym.spaces.Box(-1.0, 1.0, (mood.act_size,), np.float32)
        self.action_space = gym.spaces.Discrete(mood.act_size) if discrete else box

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._fail_in("reset")
        return self._obs(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        mood.steps += 1
        self._fail_in("step")
        if mood.fails_in == "exit":
            raise SystemExit(7)
        return self._obs(), mood.rew * self.np_random.normal(), False, False, {}

    def close(self) -> None:
        self._fail_in("close")

    def _fail_in(self, what: str) -> None:
        if mood.fails_in == what and mood.steps >= mood.after:
            raise ValueError(f"the motor\nis too hot to {what}")

    def _obs(self) -> np.ndarray:
        return np.full(mood.obs_size, mood.obs, np.float32)


for name, discrete in (("Moody-v0", False), ("MoodyDiscrete-v0", True)):
    gym.register(name, Moody, max_episode_steps=EPISODE, kwargs={"discrete": discrete})
