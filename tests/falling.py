"""Environments that fall with the third step and go on if they are let: each kind of observation and action."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

LAST, FALL = 24, 3
"""The clock, and the step with which it falls."""
CHOICES = gym.spaces.Discrete(2)
TORQUES = gym.spaces.Box(-1.0, 1.0, (2,), np.float32)
SPACES = {
    "row": gym.spaces.Box(0.0, np.inf, (3,), np.float32),
    "parts": gym.spaces.Dict(
        {"light": gym.spaces.Discrete(2), "row": gym.spaces.Box(0.0, np.inf, (3,), np.float32)},
    ),
    "picture": gym.spaces.Box(0, 255, (48, 48, 1), np.uint8),
}


class Falls(gym.Env):
    """Sees how many steps it took; pays 1 for each, and 5 for each after its fall.

    Args:
        sees: A name of SPACES.
        acts: What it takes.
        brittle: Whether it raises in a step after its fall.
    """

    metadata = {"render_fps": 10, "clip_steps": 3}  # noqa: RUF012

    def __init__(self, sees: str = "row", acts: gym.Space = CHOICES, brittle: bool = False) -> None:
        self.observation_space, self.action_space = SPACES[sees], acts
        self._sees, self._brittle = sees, brittle
        self.n = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.n = 0
        return self._obs(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if self._brittle and self.n >= FALL:
            raise RuntimeError("it lies on the floor")
        self.n += 1
        return self._obs(), 5.0 if self.n > FALL else 1.0, self.n >= FALL, False, {}

    def _obs(self) -> Any:
        if self._sees == "picture":
            return np.full((48, 48, 1), self.n, np.uint8)
        row = np.full(3, self.n, np.float32)
        return row if self._sees == "row" else {"light": self.n % 2, "row": row}


def row_chosen() -> gym.Env:
    return gym.wrappers.TimeLimit(Falls("row"), LAST)


def row_moved() -> gym.Env:
    return gym.wrappers.TimeLimit(Falls("row", TORQUES), LAST)


def parts_chosen() -> gym.Env:
    return gym.wrappers.TimeLimit(Falls("parts"), LAST)


def parts_moved() -> gym.Env:
    return gym.wrappers.TimeLimit(Falls("parts", TORQUES), LAST)


def picture_chosen() -> gym.Env:
    return gym.wrappers.TimeLimit(Falls("picture"), LAST)


def picture_moved() -> gym.Env:
    return gym.wrappers.TimeLimit(Falls("picture", TORQUES), LAST)


def brittle() -> gym.Env:
    return gym.wrappers.TimeLimit(Falls(brittle=True), LAST)


def clockless() -> gym.Env:
    return Falls()


def falls_with_the_clock() -> gym.Env:
    return gym.wrappers.TimeLimit(Falls(), FALL)


KINDS = [f"{sees}_{acts}" for sees in SPACES for acts in ("chosen", "moved")]
for name in KINDS:
    sees, acts = name.split("_")
    arguments = {"sees": sees, "acts": CHOICES if acts == "chosen" else TORQUES}
    words = "".join(word.title() for word in (sees, acts))
    gym.register(f"Falls{words}-v0", lambda **options: Falls(**options), max_episode_steps=LAST, kwargs=arguments)

IDS = [f"tests.falling:{name}" for name in KINDS]
IDS += [f"gym:tests.falling:Falls{name.title().replace('_', '')}-v0" for name in KINDS]
"""The same twice: from a factory, and by Gymnasium's own registry."""
