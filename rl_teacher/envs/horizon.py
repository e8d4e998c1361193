"""Environments that end early, made to last: else the end itself tells the agent what nobody has said."""

from __future__ import annotations

from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np

from rl_teacher.errors import UserError, unknown

NEVER_DONE = "never-done"
ABSORBING = "absorbing"
LONGEST = 300
"""Letters shown of what was raised."""
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
        UserError: If there is no such way, or the environment has no clock; in `step`, if it cannot go on.
    """

    def __init__(self, env: gym.Env, how: str) -> None:
        super().__init__(env)
        if how not in HORIZONS:
            raise unknown("fixed horizon", how, HORIZONS)
        limit = clock(env)
        if limit is None:
            raise UserError(
                f"--fixed_horizon {how} given, but {_name(env)} has no clock, so no episode would ever end. Register "
                "it with max_episode_steps, wrap it in gymnasium.wrappers.TimeLimit, or leave the option out."
            )
        self._limit, self._absorbs = limit, how == ABSORBING
        self._elapsed, self._ended = 0, False
        self._end: np.ndarray | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode."""
        self._elapsed, self._ended, self._end = 0, False, None
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Take a step; it never says `terminated`."""
        self._elapsed += 1
        if self._end is not None:
            return self._end.copy(), 0.0, False, self._elapsed >= self._limit, {}
        try:
            obs, rew, terminated, truncated, info = self.env.step(action)
        except Exception as error:
            if not self._ended:
                raise
            raise self._stuck(error) from error
        self._ended |= bool(terminated)
        if terminated and self._absorbs:
            self._end = np.array(obs)
        return obs, rew, False, bool(truncated) or self._elapsed >= self._limit, info

    def _stuck(self, error: Exception) -> UserError:
        """It went on behind its end, and its own code did not expect that."""
        said = " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST]
        return UserError(
            f"--fixed_horizon {NEVER_DONE} given, but {_name(self.env)} raised {said} in a step after its end, so it "
            f"cannot go on there. Allowed is {ABSORBING}: begin another run with --fixed_horizon {ABSORBING}."
        )


def _name(env: gym.Env) -> str:
    return env.spec.id if env.spec else str(env.unwrapped)
