"""PPO, A2C and TRPO of Stable-Baselines3, sb3-contrib and SBX: collecting blind, rewarded rollout by rollout."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.buffers import RolloutBuffer
from torch import Tensor

from rl_teacher.agents import algorithms
from rl_teacher.agents.blind import BlindVec
from rl_teacher.agents.borrowed import BorrowedAgent
from rl_teacher.agents.networks import RunningNorm
from rl_teacher.agents.registry import Kind
from rl_teacher.agents.rollout import RewardScale, must_be_finite
from rl_teacher.choices import choices
from rl_teacher.config import PPOConfig
from rl_teacher.learners import A2CConfig, TRPOConfig
from rl_teacher.protocols import Info, RewardFn, VecEnv
from rl_teacher.tensors import group, named


class PricedRollout(RolloutBuffer):
    """A rollout that gets its rewards when it is complete, just before its advantages are computed.

    Collected blind, its rewards are 0, but for γ V(last observation) where the clock ended an episode.
    """

    price: Callable[[np.ndarray], np.ndarray]
    """Ends of episodes (T, N) -> the rewards (T, N) of what was just played, in one call."""

    def compute_returns_and_advantage(self, last_values: Tensor, dones: np.ndarray) -> None:
        """SB3's advantages, of the rewards that there are now."""
        ended = np.concatenate((self.episode_starts[1:], dones[None])).astype(bool)
        self.rewards += self.price(ended)
        super().compute_returns_and_advantage(last_values, dones)


class OnPolicyAgent(BorrowedAgent):
    """One of them, behind the Agent protocol. It normalises what it sees, and its rewards, as our PPO does.

    Args:
        kind: Which.
        env: N blind environments to learn in.
        config: Its settings.
        seed: Of its weights and of all it draws.
    """

    def __init__(self, kind: Kind, env: VecEnv, config: PPOConfig | A2CConfig | TRPOConfig, seed: int):
        self.config = config
        self._jax = kind.module == "sbx"
        """Then rollouts have one of two lengths only: it compiles anew for each."""
        self._rng = torch.Generator().manual_seed(seed)
        self._norm = RunningNorm(env.obs_space.shape)
        self._scale = RewardScale(config.gamma, env.n_envs)
        self._reward: RewardFn | None = None
        self._rew_mean = 0.0
        self._played: np.ndarray = np.zeros(0)
        blind = BlindVec(env, self._norm, tape=True)
        super().__init__(blind, lambda: algorithms.on_policy(kind, blind, config, PricedRollout, seed % 2**32), seed)
        self._buffer: Any = self.algorithm.rollout_buffer
        self._buffer.price = self._price

    def train(self, n_steps: int, reward: RewardFn | None) -> Info:
        """Collect and learn until at least n_steps were taken; see `protocols.Agent`."""
        self._reward = reward
        rollout = self._rollout(n_steps)
        steps, seconds, infos, to_update = 0, np.zeros(2), [], 0.0
        with self._told():
            if self.algorithm._last_obs is None:
                self._begin()
            while steps < n_steps:
                began = time.perf_counter()
                self._buffer.buffer_size = rollout
                self.algorithm.collect_rollouts(self.env, self.callback, self._buffer, rollout)
                collected = time.perf_counter()
                self.algorithm.train()
                self._see_more()
                infos.append(self._figures())
                steps += rollout * self.env.num_envs
                seconds += collected - began, time.perf_counter() - collected
                to_update = to_update or float(seconds.sum())
        means = {name: float(np.mean([info[name] for info in infos])) for name in infos[0]}
        return {
            "steps": steps,
            "collect_seconds": seconds[0],
            "learn_seconds": seconds[1],
            "update_seconds": to_update,
            **means,
        }

    @torch.no_grad()
    def act(self, obs: np.ndarray, *, explore: bool) -> np.ndarray:
        """Actions (N, *act) for obs (N, *obs).

        On the stage this is called for a step of two environments at a time; what SB3 does around its networks would
        take ten times as long as they.
        """
        if self._jax:
            return super().act(obs, explore=explore)
        policy = self.algorithm.policy
        out = policy.action_net(policy.mlp_extractor.forward_actor(self._norm(obs)))
        if sizes := choices(self.env.action_space):
            parts = out.split(sizes, -1)
            drawn = [torch.multinomial(part.softmax(-1), 1, generator=self._rng) for part in parts] if explore else []
            chosen = torch.cat(drawn or [part.argmax(-1, keepdim=True) for part in parts], -1)
        else:
            noise = torch.empty_like(out).normal_(generator=self._rng) * policy.log_std.exp() if explore else 0.0
            chosen = out + noise
        return self.env.to_env(chosen.reshape(len(obs), *(self.env.action_space.shape or ())).numpy())

    def restart(self, seed: int) -> None:
        """Begin new episodes in all environments; see `protocols.Agent`."""
        super().restart(seed)
        self._scale.restart()

    def _rollout(self, n_steps: int) -> int:
        """T: as the settings say, or fewer where n_steps in all environments are fewer."""
        wanted = -(-n_steps // self.env.num_envs)
        if self._jax:
            return self.config.n_steps if wanted > self.config.shortest else self.config.shortest
        return min(self.config.n_steps, max(self.config.shortest, wanted))

    def _price(self, ended: np.ndarray) -> np.ndarray:
        obs, act, env_rew = self.env.take()
        self._played = obs
        rew = must_be_finite(env_rew if self._reward is None else self._reward(obs, act))
        self._rew_mean = float(rew.mean())
        return self._scale(rew, ended)

    def _see_more(self) -> None:
        """The normaliser takes in what was played, once it has been learned from."""
        self._norm.update(self._played.reshape(-1, *self._played.shape[2:]))
        self.algorithm._last_obs = self.env.now()

    def _figures(self) -> dict[str, float]:
        return {**super()._figures(), "rew_mean": self._rew_mean}

    def _more(self) -> dict[str, Tensor]:
        norms = {**named(self._norm.state(), "obs_norm"), **named(self._scale.norm.state(), "ret_norm")}
        return {**norms, "rng": self._rng.get_state()}

    def _take_more(self, tensors: dict[str, Tensor]) -> None:
        self._norm.restore(group(tensors, "obs_norm"))
        self._scale.norm.restore(group(tensors, "ret_norm"))
        self._rng.set_state(tensors["rng"])
        if self._norm.mean.shape != self.env.observation_space.shape:
            raise ValueError(f"{self._norm.mean.shape} numbers in an observation")
