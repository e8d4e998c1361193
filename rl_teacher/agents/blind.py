"""Our vector environments as Stable-Baselines3 wants them: reset at once, actions in [-1, 1], and no reward to see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from stable_baselines3.common.vec_env import VecEnv as SB3VecEnv

from rl_teacher.agents.networks import RunningNorm
from rl_teacher.errors import NotFiniteError
from rl_teacher.protocols import VecEnv

SPOILED = (
    "The agent chose an action that is not finite: its weights have run away. Start the same command again to go on "
    "from the last checkpoint, or another run with smaller steps (--set ppo.lr=… or learner.lr=…)."
)
_NOTHING: dict[str, Any] = {}


class BlindVec(SB3VecEnv):
    """N blind environments behind SB3's interface.

    Ours reset on the step after an end, SB3's at once: the last observation of an episode goes into the step's info,
    the first one of the next episode is what the step returns, and no step leads across a reset.

    Args:
        env: The environments.
        norm: Normalises what SB3 sees; r̂ and records keep seeing raw observations. None: nothing is normalised.
        tape: Whether what was played is kept for `take`, for on-policy agents, whose rewards come afterwards.
    """

    def __init__(self, env: VecEnv, norm: RunningNorm | None = None, *, tape: bool = False):
        self.inner = env
        self.norm = norm
        self.revealed = False
        """Whether steps return the task's own reward (`rl` mode); else 0."""
        self._tape: list[tuple[np.ndarray, np.ndarray, np.ndarray]] | None = [] if tape else None
        self._raw = np.zeros(0)
        self._act = np.zeros(0)
        super().__init__(env.n_envs, _unbounded(env.obs_space), _unit(env.act_space))

    def to_env(self, act: np.ndarray) -> np.ndarray:
        """Actions (…, *act) in [-1, 1], or chosen, as the environments take them."""
        space = self.inner.act_space
        if not isinstance(space, gym.spaces.Box):
            return act.astype(np.int64)
        half, middle = (space.high - space.low) / 2, (space.high + space.low) / 2
        return (np.clip(act, -1.0, 1.0) * half + middle).astype(np.float32)

    def seen(self, obs: np.ndarray) -> np.ndarray:
        """Observations (…, *obs) as SB3 sees them."""
        return obs if self.norm is None else self.norm(obs).numpy()

    def now(self) -> np.ndarray:
        """The present observations (N, *obs) as SB3 sees them."""
        return self.seen(self._raw)

    def take(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What was played since the last call: raw obs (T, N, *obs), act (T, N, *act), env_rew (T, N)."""
        played, self._tape = self._tape or [], []
        obs, act, env_rew = (np.stack(rows) for rows in zip(*played, strict=True))
        return obs, act, env_rew

    def restart(self, seed: int | None) -> np.ndarray:
        """Begin new episodes everywhere; returns obs (N, *obs) as SB3 sees them."""
        self._raw = self.inner.reset(seed)
        self._check()
        if self._tape is not None:
            self._tape = []
        return self.now()

    def reset(self) -> np.ndarray:
        """The same, whatever the seed."""
        return self.restart(None)

    def step_async(self, actions: np.ndarray) -> None:
        """Remember the actions (N, *act), in [-1, 1].

        Raises:
            NotFiniteError: If one of them is NaN.
        """
        if not np.isfinite(actions).all():
            raise NotFiniteError(SPOILED)
        self._act = self.to_env(actions)

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Take the step: obs, rewards (N,), dones (N,), infos.

        Raises:
            NotFiniteError: If an environment gave a NaN or an infinite observation.
        """
        out = self.inner.step(self._act)
        if self._tape is not None:
            self._tape.append((self._raw, self._act, out.env_rew))
        over = out.terminated | out.truncated
        infos = [_NOTHING] * self.num_envs
        self._raw = out.obs
        self._check()
        if over.any():
            last = self.seen(out.obs)
            for i in np.flatnonzero(over):
                timed_out = bool(out.truncated[i] and not out.terminated[i])
                infos[i] = {"terminal_observation": last[i], "TimeLimit.truncated": timed_out}
            self._raw = out.obs.copy()
            self._raw[over] = self.inner.renew()
            self._check()
        rew = out.env_rew if self.revealed else np.zeros(self.num_envs)
        return self.now(), rew.astype(np.float32), over, infos

    def _check(self) -> None:
        if not np.isfinite(self._raw).all():
            n = int(np.argwhere(~np.isfinite(self._raw.reshape(self.num_envs, -1)).all(-1))[0, 0])
            raise NotFiniteError(
                f"The environment gave an observation that is not finite (environment {n} of {self.num_envs}). Mend "
                "the environment; started again, the run goes on from its last checkpoint."
            )

    def close(self) -> None:
        """Nothing: whoever made the environments closes them."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """SB3 asks for the render mode; there is none."""
        return [None] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """There is nothing to set.

        Raises:
            AttributeError: Always.
        """
        raise AttributeError(f"a blind environment has no attribute {attr_name} to set")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """There is nothing to call.

        Raises:
            AttributeError: Always.
        """
        raise AttributeError(f"a blind environment has no method {method_name} to call")

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        """No wrapper of Gymnasium's is around them."""
        return [False] * self.num_envs

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Nothing: the environments have their seed."""
        return [None] * self.num_envs


def _unbounded(space: gym.spaces.Box) -> gym.spaces.Box:
    return gym.spaces.Box(-np.inf, np.inf, space.shape, np.float32)


def _unit(space: gym.Space) -> gym.Space:
    """Choices as they are, or as many numbers in [-1, 1]: noise is of the same size whatever the units are.

    A space of its own, for SB3 seeds it and draws from it.
    """
    if isinstance(space, gym.spaces.Discrete):
        return gym.spaces.Discrete(int(space.n))
    if isinstance(space, gym.spaces.MultiDiscrete):
        return gym.spaces.MultiDiscrete(space.nvec)
    return gym.spaces.Box(-1.0, 1.0, space.shape or (), np.float32)
