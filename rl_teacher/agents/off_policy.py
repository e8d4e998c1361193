"""SAC, TD3, TQC, CrossQ and DQN of Stable-Baselines3, sb3-contrib and SBX, with a replay that follows r̂."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rl_teacher.agents import algorithms
from rl_teacher.agents.blind import BlindVec
from rl_teacher.agents.borrowed import BorrowedAgent
from rl_teacher.agents.novelty import Novelty
from rl_teacher.agents.registry import Kind
from rl_teacher.agents.replay import FollowingReplay
from rl_teacher.agents.weights import fresh_critic
from rl_teacher.learners import DQNConfig, ReplayConfig
from rl_teacher.protocols import Info, RewardFn, VecEnv
from rl_teacher.tensors import load_tensors, must_fit, save_finite

REPLAY = "replay.safetensors"


class OffPolicyAgent(BorrowedAgent):
    """One of them, behind the Agent protocol.

    Args:
        kind: Which.
        env: N blind environments to learn in.
        config: Its settings.
        seed: Of its weights and of all it draws.
        only_plays: It learns no more, and needs no replay.
    """

    def __init__(
        self, kind: Kind, env: VecEnv, config: ReplayConfig | DQNConfig, seed: int, *, only_plays: bool = False
    ):
        self.config = config
        self._only_plays = only_plays
        capacity = env.n_envs if only_plays else config.capacity
        blind = BlindVec(env)
        super().__init__(
            blind,
            lambda: algorithms.off_policy(kind, blind, config, FollowingReplay, capacity, seed % 2**32),
            seed,
        )
        self.replay: FollowingReplay = self.algorithm.replay_buffer
        self.replay.to_env = blind.to_env
        self.replay.recent_share, self.replay.recent_steps = config.recent_share, config.recent_steps
        self.replay.restart(seed)
        self._critic_is_due = config.reset_critic

    def train(self, n_steps: int, reward: RewardFn | None) -> Info:
        """Collect and learn until at least n_steps were taken; see `protocols.Agent`."""
        began = time.perf_counter()
        collect, learn, to_update, steps = 0.0, 0.0, 0.0, 0
        infos: list[dict[str, float]] = []
        means: list[float] = []
        algorithm: Any = self.algorithm
        self.env.revealed = reward is None
        with self._told():
            self._follow(reward)
            learn += time.perf_counter() - began
            if algorithm._last_obs is None:
                self._begin()
            while steps < n_steps:
                started = time.perf_counter()
                played = algorithm.collect_rollouts(
                    self.env,
                    callback=self.callback,
                    train_freq=algorithm.train_freq,
                    replay_buffer=self.replay,
                    action_noise=algorithm.action_noise,
                    learning_starts=algorithm.learning_starts,
                )
                steps += played.episode_timesteps
                collected = time.perf_counter()
                collect += collected - started
                means.append(self.replay.price_new())
                if algorithm.num_timesteps > algorithm.learning_starts:
                    algorithm.train(gradient_steps=algorithm.gradient_steps, batch_size=algorithm.batch_size)
                    infos.append(self._figures())
                    to_update = to_update or time.perf_counter() - began
                learn += time.perf_counter() - collected
        figures = {name: float(np.mean([info[name] for info in infos if name in info])) for name in _names(infos)}
        return {
            "steps": steps,
            "collect_seconds": collect,
            "learn_seconds": learn,
            "update_seconds": to_update or time.perf_counter() - began,
            "rew_mean": float(np.mean(means)),
            **figures,
        }

    def save(self, folder: Path) -> None:
        """Write all that `BorrowedAgent` writes, and the replay to `replay.safetensors`."""
        super().save(folder)
        tensors = {**self.replay.state(), "critic_is_due": torch.tensor([self._critic_is_due])}
        save_finite(tensors, folder / REPLAY)

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote; the environments start new episodes.

        Raises:
            UserError: If it was written for other observations or actions.
        """
        super().load(folder)
        if self._only_plays:
            return
        tensors = load_tensors(folder / REPLAY)
        with must_fit(folder / REPLAY):
            self.replay.restore(tensors)
        self._critic_is_due = bool(tensors["critic_is_due"].item())

    def restart(self, seed: int) -> None:
        """Begin new episodes in all environments; see `protocols.Agent`."""
        super().restart(seed)
        self.replay.restart(seed)

    def _follow(self, reward: RewardFn | None) -> None:
        """All that was played is worth what the present r̂ says; what a critic learned of another r̂ may be forgotten."""
        changed = self.replay.follow(reward)
        if changed and self._critic_is_due and not isinstance(reward, Novelty):
            fresh_critic(self.algorithm)
            self._critic_is_due = False


def _names(infos: list[dict[str, float]]) -> list[str]:
    """Of all figures; a delayed policy does not log each time."""
    return sorted({name for info in infos for name in info})
