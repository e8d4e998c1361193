"""Collecting experience, blind to any reward, and turning rewards into advantages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rl_teacher.agents.networks import RunningNorm
from rl_teacher.errors import NotFiniteError
from rl_teacher.protocols import VecEnv


@dataclass(frozen=True, slots=True)
class Rollout:
    """T steps of N environments."""

    obs: np.ndarray
    """(T+1, N, *obs) float32, pictures uint8."""
    act: np.ndarray
    """(T, N, *act) as given to the environments."""
    raw_act: np.ndarray
    """(T, N, A) float32 as drawn by the policy, before clipping."""
    env_rew: np.ndarray
    """(T, N): only ever read in `rl` mode."""
    terminated: np.ndarray
    """(T, N) bool."""
    truncated: np.ndarray
    """(T, N) bool."""
    valid: np.ndarray
    """(T, N) bool: False for the step on which an environment reset, which belongs to no episode."""


class Collector:
    """Plays a policy in N environments; episodes go on from one rollout to the next."""

    def __init__(self, env: VecEnv):
        self.env = env
        self._obs: np.ndarray | None = None
        self._fresh = np.ones(env.n_envs, dtype=bool)

    def restart(self, seed: int) -> None:
        """Begin new episodes everywhere, from this seed."""
        self._obs = self.env.reset(seed)
        self._fresh = np.ones(self.env.n_envs, dtype=bool)

    def collect(self, choose: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], n_steps: int) -> Rollout:
        """Play n_steps in every environment.

        Args:
            choose: obs (N, *obs) -> (action for the environment (N, *act), action as drawn (N, A)).
            n_steps: T.

        Raises:
            NotFiniteError: If an environment gave a NaN or an infinite observation.
        """
        if self._obs is None:
            self._obs = self.env.reset()
        obs, acts, raws, rews, terms, truncs, valids = [self._obs], [], [], [], [], [], []
        for _ in range(n_steps):
            try:
                act, raw = choose(obs[-1])
            except NotFiniteError:
                _check(np.stack(obs))  # the environment's fault is told before the agent's
                raise
            out = self.env.step(act)
            acts.append(act)
            raws.append(raw)
            obs.append(out.obs)
            rews.append(out.env_rew)
            terms.append(out.terminated)
            truncs.append(out.truncated)
            valids.append(self._fresh)
            self._fresh = ~(out.terminated | out.truncated)
        self._obs = obs[-1]
        rollout = Rollout(*(np.stack(rows) for rows in (obs, acts, raws, rews, terms, truncs, valids)))
        _check(rollout.obs)
        return rollout


def _check(obs: np.ndarray) -> None:
    """Refuse observations (T, N, *obs) that are no numbers, and say which."""
    if obs.dtype == np.uint8 or np.isfinite(obs).all():
        return
    t, n = np.argwhere(~np.isfinite(obs.reshape(*obs.shape[:2], -1)).all(-1))[0]
    raise NotFiniteError(
        f"The environment gave an observation that is not finite (environment {n} of {obs.shape[1]}, step {t} of the "
        "rollout). Mend the environment; started again, the run goes on from its last checkpoint."
    )


def gae(
    rew: np.ndarray,
    val: np.ndarray,
    terminated: np.ndarray,
    truncated: np.ndarray,
    gamma: float,
    lam: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Generalised advantage estimation (Schulman et al. 2016, equation 16).

    Critical: a truncated episode would have gone on, so the value of its true last observation is bootstrapped; a
    terminated one ends with 0. Neither leaks into the next episode.

    Args:
        rew: (T, N).
        val: (T+1, N), the values of the observations before each step and after the last.
        terminated: (T, N) bool.
        truncated: (T, N) bool.
        gamma: Discount.
        lam: λ, between the one-step estimate (0) and the Monte-Carlo return (1).

    Returns:
        Advantages and returns, both (T, N).
    """
    # δ_t = r_t + γ V(s_{t+1}) [not terminated] - V(s_t)
    delta = rew + gamma * val[1:] * ~terminated - val[:-1]
    # A_t = δ_t + γ λ A_{t+1} [the episode goes on]
    goes_on = gamma * lam * ~(terminated | truncated)
    adv = np.zeros_like(delta)
    last = np.zeros(delta.shape[1:], dtype=delta.dtype)
    for t in range(len(delta) - 1, -1, -1):
        last = delta[t] + goes_on[t] * last
        adv[t] = last
    return adv, adv + val[:-1]


class RewardScale:
    """Rewards in units of the spread of the discounted return, so that one value-loss weight fits every task.

    Args:
        gamma: Discount.
        n_envs: N.
    """

    def __init__(self, gamma: float, n_envs: int):
        self.norm = RunningNorm(())
        self._gamma = gamma
        self._ret = np.zeros(n_envs)

    def __call__(self, rew: np.ndarray, over: np.ndarray) -> np.ndarray:
        """Scaled rewards (T, N) float32 for rew (T, N), which go on from those before; `over` (T, N) ends episodes."""
        rets = np.empty(rew.shape)
        for t in range(len(rew)):
            self._ret = self._ret * self._gamma + rew[t]
            rets[t] = self._ret
            self._ret = self._ret * ~over[t]
        self.norm.update(rets.reshape(-1))
        return np.clip(rew / np.sqrt(self.norm.var + 1e-8), -10.0, 10.0).astype(np.float32)

    def restart(self) -> None:
        """New episodes begin everywhere."""
        self._ret = np.zeros_like(self._ret)


def must_be_finite(rew: np.ndarray) -> np.ndarray:
    """The same rewards.

    Raises:
        NotFiniteError: If one of them is NaN or infinite.
    """
    if np.isfinite(rew).all():
        return rew
    raise NotFiniteError(
        f"The reward given to the agent is not finite in {int((~np.isfinite(rew)).sum())} of {rew.size} steps. "
        "Nothing was learned from it; the run goes on from its last checkpoint when started again."
    )
