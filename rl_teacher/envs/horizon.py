"""Environments that end early, made to last: else the end itself tells the agent what nobody has said."""

from __future__ import annotations

from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np

from rl_teacher.errors import UserError, unknown

NEVER_DONE = "never-done"
ABSORBING = "absorbing"
HORIZONS = (NEVER_DONE, ABSORBING)
"""The environment goes on as if nothing had happened; or it stands still where it ended and earns nothing more."""


def clock(env: gym.Env) -> int | None:
    """Steps after which an environment ends its episodes: of its registration, or of a TimeLimit around it."""
    if env.spec is not None and env.spec.max_episode_steps is not None:
        return env.spec.max_episode_steps
    while isinstance(env, gym.Wrapper):
        if isinstance(env, gym.wrappers.TimeLimit):
            return int(env._max_episode_steps)
        env = env.env
    return None


class FixedHorizon(gym.Wrapper):
    """An environment whose episodes all last until the clock.

    Args:
        env: With a `clock` of its own.
        how: Of `HORIZONS`.

    Raises:
        UserError: If there is no such way, or the environment has no clock.
    """

    def __init__(self, env: gym.Env, how: str) -> None:
        super().__init__(env)
        if how not in HORIZONS:
            raise unknown("fixed horizon", how, HORIZONS)
        limit = clock(env)
        if limit is None:
            name = env.spec.id if env.spec else str(env)
            raise UserError(
                f"--fixed_horizon {how} given, but {name} has no clock, so no episode would ever end. Register it with "
                "max_episode_steps, wrap it in gymnasium.wrappers.TimeLimit, or leave the option out."
            )
        self._limit, self._absorbs = limit, how == ABSORBING
        self._elapsed, self._end = 0, None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode."""
        self._elapsed, self._end = 0, None
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Take a step; it never says `terminated`."""
        self._elapsed += 1
        if self._end is not None:
            return self._end.copy(), 0.0, False, self._elapsed >= self._limit, {}
        obs, rew, terminated, truncated, info = self.env.step(action)
        if terminated and self._absorbs:
            self._end = np.array(obs)
        return obs, rew, False, bool(truncated) or self._elapsed >= self._limit, info
