"""Algorithms of Stable-Baselines3, sb3-contrib and SBX, made from our settings."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np
from stable_baselines3.common.buffers import ReplayBuffer, RolloutBuffer
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.noise import NormalActionNoise, VectorizedActionNoise

from rl_teacher.agents.blind import BlindVec
from rl_teacher.agents.registry import Kind
from rl_teacher.config import PPOConfig
from rl_teacher.learners import A2CConfig, DQNConfig, ReplayConfig, TRPOConfig

XLA_FLAGS = "--xla_cpu_multi_thread_eigen=false"
"""One thread for JAX too: a second one fights the simulator's."""


def on_policy(
    kind: Kind, env: BlindVec, config: PPOConfig | A2CConfig | TRPOConfig, buffer: type[RolloutBuffer], seed: int
) -> Any:
    """PPO, A2C or TRPO.

    Args:
        kind: Which.
        env: Where it collects.
        config: Its settings.
        buffer: The class of its rollouts.
        seed: Of its weights; the global random numbers are set by it too (see `Dice`).
    """
    arch = {"pi": list(config.hidden), "vf": list(config.hidden)}
    settings: dict[str, Any] = {
        "learning_rate": config.lr,
        "n_steps": config.n_steps,
        "gamma": config.gamma,
        "gae_lambda": config.lam,
        "policy_kwargs": {"net_arch": arch, "log_std_init": config.log_std_init},
        "rollout_buffer_class": buffer,
    }
    if isinstance(config, PPOConfig):
        settings |= {"batch_size": config.minibatch, "n_epochs": config.epochs, "clip_range": config.clip}
    if isinstance(config, TRPOConfig):
        settings |= {"batch_size": config.minibatch, "n_critic_updates": config.critic_updates, "target_kl": config.kl}
    else:
        settings |= {"ent_coef": float(config.entropy_weight), "vf_coef": float(config.value_weight)}
        settings |= {"max_grad_norm": config.max_grad_norm}
    return _make(kind, env, settings, seed)


def off_policy(
    kind: Kind, env: BlindVec, config: ReplayConfig | DQNConfig, buffer: type[ReplayBuffer], capacity: int, seed: int
) -> Any:
    """SAC, TD3, TQC, CrossQ or DQN.

    Args:
        kind: Which.
        env: Where it collects.
        config: Its settings.
        buffer: The class of its replay.
        capacity: Transitions in it.
        seed: Of its weights; the global random numbers are set by it too (see `Dice`).
    """
    settings: dict[str, Any] = {
        "learning_rate": config.lr,
        "buffer_size": capacity,
        "learning_starts": config.random_steps,
        "batch_size": config.minibatch,
        "gamma": config.gamma,
        "train_freq": (config.n_steps, "step"),
        "gradient_steps": max(1, round(config.n_envs * config.n_steps * config.updates)),
        "replay_buffer_class": buffer,
        "policy_kwargs": {"net_arch": list(config.hidden)},
    }
    if isinstance(config, DQNConfig):
        algorithm = _make(kind, env, {**settings, "target_update_interval": config.target_every}, seed)
        algorithm.exploration_schedule = _Exploration(algorithm, config)
        return algorithm
    if kind.algorithm != "CrossQ":
        settings["tau"] = config.tau
    if kind.algorithm == "TD3":
        n_act = int(np.prod(env.action_space.shape or ()))
        noise = NormalActionNoise(np.zeros(n_act), np.full(n_act, config.noise))
        settings["action_noise"] = VectorizedActionNoise(noise, env.num_envs)
    return _make(kind, env, settings, seed)


class _Exploration:
    """DQN's share of random actions, by the steps it took: its own schedule wants to know the end of the run."""

    def __init__(self, algorithm: Any, config: DQNConfig):
        self._algorithm = algorithm
        self._config = config

    def __call__(self, progress: float) -> float:
        done = min(1.0, self._algorithm.num_timesteps / self._config.explore_steps)
        return 1.0 - done * (1.0 - self._config.explore_least)


def _make(kind: Kind, env: BlindVec, settings: Mapping[str, Any], seed: int) -> Any:
    if kind.module == "sbx":
        _calm_jax()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about libraries' own insides, and sizes that do not divide: nothing to do
        made = getattr(import_module(kind.module), kind.algorithm)(
            "MlpPolicy", env, seed=seed, device="cpu", **settings
        )
    made.set_logger(Logger(None, []))
    return made


def _calm_jax() -> None:
    """Before it is imported: one thread, the processor only, and nothing printed that a user cannot act on."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")  # nets so small gain nothing on a GPU
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if XLA_FLAGS not in os.environ.get("XLA_FLAGS", ""):
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {XLA_FLAGS}".strip()
