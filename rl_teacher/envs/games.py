"""N copies of an Atari game for a learner, or to see how well one plays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np

from rl_teacher.envs.atari import ATARI, LONGEST_GAME, blank, game_of, make_pool
from rl_teacher.envs.tasks import EnvSpec
from rl_teacher.protocols import VecStep


def is_game(spec: EnvSpec) -> bool:
    """Whether it is one of Atari's."""
    return spec.env_id.startswith(ATARI)


def whole_games(spec: EnvSpec) -> EnvSpec:
    """The environment as it is judged: a game is over when it is over, and counts what its score says."""
    return replace(spec, fixed_horizon=None) if is_game(spec) else spec


class GameVec:
    """N copies in EnvPool's C++ threads, the score blanked.

    With `spec.fixed_horizon` no end is told: the next game begins with the next step, as if it were the same. Without,
    games end, or are cut after `LONGEST_GAME` steps, and reset on the step after that as `protocols.VecEnv` wants.
    """

    def __init__(self, spec: EnvSpec, n_envs: int, seed: int, n_threads: int) -> None:
        self.n_envs = n_envs
        self._spec, self._n_threads = spec, n_threads
        self._hides = spec.fixed_horizon is not None
        self._ending = game_of(spec.env_id).ending if self._hides else 0.0
        self._env: Any = self._make(seed)
        self.obs_space: gym.spaces.Box = self._env.observation_space
        self.act_space: gym.Space = gym.spaces.Discrete(int(self._env.action_space.n))
        self._over = np.zeros(n_envs, dtype=bool)

    def _make(self, seed: int) -> Any:
        limit = None if self._hides else LONGEST_GAME
        return make_pool(self._spec.env_id, self.n_envs, seed, self._n_threads, limit)

    def reset(self, seed: int | None = None) -> np.ndarray:
        """Begin games everywhere; returns obs (N, 4, 84, 84) uint8."""
        if seed is not None:  # EnvPool takes a seed only when it is made
            self.close()
            self._env = self._make(seed)
        self._over = np.zeros(self.n_envs, dtype=bool)
        obs, _ = self._env.reset()
        return blank(obs, self._spec.env_id)

    def step(self, act: np.ndarray) -> VecStep:
        """Take one step in each; act is (N,)."""
        obs, rew, terminated, truncated, _ = self._env.step(act.astype(np.int32))
        seen = blank(obs, self._spec.env_id)
        env_rew = rew.astype(np.float64) - self._ending * terminated
        if self._spec.judge is not None:
            env_rew = np.asarray(self._spec.judge(seen, {}), dtype=np.float64)
        env_rew[self._over] = 0.0  # a reset belongs to no episode
        if self._hides:
            return VecStep(seen, env_rew, *np.zeros((2, self.n_envs), dtype=bool))
        truncated = truncated & ~terminated
        self._over = terminated | truncated
        return VecStep(seen, env_rew, terminated, truncated)

    def renew(self) -> np.ndarray:
        """Begin the next game now wherever one is over; returns their first obs (n, 4, 84, 84) uint8."""
        obs, _ = self._env.reset(np.flatnonzero(self._over).astype(np.int32))
        self._over = np.zeros(self.n_envs, dtype=bool)
        return blank(obs, self._spec.env_id)

    def close(self) -> None:
        """Free the simulator. Closing twice is harmless."""
        if self._env is not None:
            self._env.close()
            self._env = None
