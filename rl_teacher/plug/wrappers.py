"""Gymnasium environments whose reward is r̂: for one environment, and for many that step together."""

from __future__ import annotations

from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper

from rl_teacher.errors import UserError
from rl_teacher.plug.adapting import Adapter
from rl_teacher.protocols import RewardFn

TRUE_REWARD = "env_rew"
"""Where `info` has the environment's own reward."""


class PredictedReward(gym.Wrapper):
    """An environment whose reward is r̂; its own is in `info["env_rew"]`.

    `predicted` may be changed at any time: False gives the environment's own reward again. From outside of further
    wrappers: `env.set_wrapper_attr("predicted", False)`; of a vector of them: `envs.set_attr("predicted", False)`.

    Args:
        env: Any environment whose observations are a Box.
        reward: r̂, of `load_reward` for example, or any function (obs (…, *obs), act (…, *act)) -> rew (…).
        predicted: Whether it begins with r̂.

    Raises:
        UserError: If environment and reward do not fit each other; later also a NotFiniteError for an observation that
            is NaN or infinite.
    """

    def __init__(self, env: gym.Env, reward: RewardFn, *, predicted: bool = True) -> None:
        super().__init__(env)
        self._ask = Adapter(reward, env.observation_space, env.action_space)
        self._obs = np.zeros(())
        self.predicted = predicted

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode."""
        obs, info = self.env.reset(seed=seed, options=options)
        self._obs = np.array(obs)  # a copy: some environments write the next one into the same array
        return obs, info

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Take a step; the reward is r̂ of the observation before it and the action."""
        before = self._obs
        obs, env_rew, terminated, truncated, info = self.env.step(action)
        self._obs = np.array(obs)
        rew = float(self._ask(before, action)) if self.predicted else env_rew
        return obs, rew, terminated, truncated, {**info, TRUE_REWARD: float(env_rew)}


class PredictedRewardVector(VectorWrapper):
    """N environments whose rewards are r̂, asked for all of them in one call; their own are in `info["env_rew"]` (N,).

    All ways of starting the next episode are understood: where an environment resets on the step after the end, that
    step belongs to no episode and earns nothing; where it resets on the same step, or when it is told to, every step
    earns. `predicted` may be changed at any time, as in `PredictedReward`.

    Args:
        env: N environments whose observations are a Box.
        reward: See PredictedReward.
        predicted: Whether it begins with r̂.
        autoreset_mode: How the next episode starts, for environments that do not say it themselves (EnvPool's are
            `AutoresetMode.NEXT_STEP`).

    Raises:
        UserError: If environment and reward do not fit each other, or nobody says how the next episode starts; later
            also a NotFiniteError for an observation that is NaN or infinite.
    """

    def __init__(
        self,
        env: VectorEnv,
        reward: RewardFn,
        *,
        predicted: bool = True,
        autoreset_mode: AutoresetMode | None = None,
    ) -> None:
        super().__init__(env)
        mode = autoreset_mode or env.metadata.get("autoreset_mode")
        if not isinstance(mode, AutoresetMode):
            raise UserError(
                f"{env} does not say when it starts the next episode: metadata has autoreset_mode {mode!r}. Give "
                f"autoreset_mode=, one of {', '.join(str(one) for one in AutoresetMode)}."
            )
        self._resets_later = mode is AutoresetMode.NEXT_STEP
        self._ask = Adapter(reward, env.single_observation_space, env.single_action_space)
        self._obs = np.zeros(())
        self._over = np.zeros(env.num_envs, dtype=bool)
        self.predicted = predicted

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start episodes: all, or those that `options["reset_mask"]` (N,) names."""
        mask = None if options is None else options.get("reset_mask")
        self._over = np.zeros(self.num_envs, dtype=bool) if mask is None else self._over & ~np.asarray(mask, dtype=bool)
        obs, info = self.env.reset(seed=seed, options=options)  # pyright: ignore[reportArgumentType]
        self._obs = np.array(obs)  # a copy: vector environments may write the next ones into the same array
        return obs, info

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Take a step in each; the rewards (N,) are r̂ of the observations before it and the actions."""
        before, reset = self._obs, self._over
        obs, env_rew, terminated, truncated, info = self.env.step(actions)
        self._obs = np.array(obs)
        env_rew = np.array(env_rew, dtype=np.float64)
        if self._resets_later:
            self._over = np.asarray(terminated) | np.asarray(truncated)
        rew = env_rew
        if self.predicted:
            rew = np.where(reset, 0.0, self._ask(before, actions)).astype(np.float64)
        return obs, rew, np.asarray(terminated), np.asarray(truncated), {**info, TRUE_REWARD: env_rew}
