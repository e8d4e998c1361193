"""Every setting, frozen, with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class PPOConfig:
    """Settings of our PPO."""

    n_envs: int = 64
    """Environments stepped together."""
    n_steps: int = 64
    """Steps of each environment between two updates …"""
    shortest: int = 24
    """… fewer where a round is to be shorter, but at least these: with 26 hopper learned as well, with 13 badly."""
    minibatch: int = 1024
    """Rows per gradient step: few large steps cost less time than many small ones and learned as much."""
    epochs: int = 7
    """Passes over each rollout."""
    lr: float = 8e-4
    """Adam's step size."""
    gamma: float = 0.98
    """Discount."""
    lam: float = 0.95
    """λ of the advantage estimate."""
    clip: float = 0.2
    """ε: how far the probability of an action may move before it stops being rewarded."""
    value_weight: float = 0.25
    """Weight of the squared error of the value."""
    entropy_weight: float = 0.0
    """Weight of the entropy bonus."""
    max_grad_norm: float = 0.5
    """Gradients longer than this are shortened to it."""
    log_std_init: float = -1.0
    """Initial log standard deviation; the usual 0 drowns clipped actions in noise."""
    hidden: tuple[int, ...] = (64, 64)
    """Sizes of the hidden layers of policy and value network."""


@dataclass(frozen=True, slots=True)
class RewardConfig:
    """Settings of the reward model."""

    members: int = 3
    """E, networks in the ensemble (Christiano et al. 2017 use 3)."""
    hidden: tuple[int, ...] = (64, 64)
    """Sizes of the hidden layers of each member."""
    use_act: bool = False
    """Whether r̂ sees actions. People judge what they see, and our tasks have no torque penalty."""
    lr: float = 2e-3
    """AdamW's step size."""
    weight_decay: float = 1e-2
    """AdamW's decay: the ℓ2 regularisation of the paper, fixed."""
    minibatch: int = 32
    """Comparisons per gradient step."""
    iters: int = 40
    """Gradient steps of one fit while the run goes on."""
    pretrain_iters: int = 300
    """Gradient steps of the first fit, before the agent learns (`--pretrain_iters`)."""
    enough_accuracy: float = 0.97
    """A fit ends early when the members agree with this share of the answers …"""
    enough_in_a_row: int = 6
    """… in so many minibatches in a row."""
    error_rate: float = 0.1
    """Share of answers assumed to be random."""


@dataclass(frozen=True, slots=True)
class RunConfig:
    """All that makes a run what it is, resolved. Written to config.json and compared when the run goes on."""

    env_id: str
    predictor: str
    """rl, synth or human."""
    name: str
    seed: int
    n_labels: int | None
    """Answers in all; None: without end."""
    pretrain_labels: int
    """Answers before the agent learns."""
    num_timesteps: int
    """Environment steps, the stage's included."""
    agent: str
    label_schedule: str
    """anneal, steps or clock."""
    queries: str
    """Name of the query strategy."""
    instructions: str
    """What people are told, Markdown."""
    behavior: str | None
    """What is taught in place of the task, its judge for true reward: ours by name, or package.module:function."""
    ppo: PPOConfig
    reward: RewardConfig

    @property
    def endless(self) -> bool:
        """Whether only the person ends the run: a human run without a number of labels."""
        return self.predictor == "human" and self.n_labels is None


STEPS_PER_LABEL = 8_192
"""Environment steps that one answer pays for where no number of labels is given."""


_LEGGED = {"gamma": 0.995, "entropy_weight": 0.003, "minibatch": 256, "epochs": 10, "lr": 3e-4}
"""Hoppers and walkers step in 8 ms: a longer view in steps, and noise for longer, keep them from settling too early."""

PPO_BY_TASK: Mapping[str, Mapping[str, Any]] = {
    "reacher": {"gamma": 0.95, "minibatch": 512, "epochs": 10, "lr": 5e-4},
    "hopper": _LEGGED,
    "hopper-backflip": {**_LEGGED, "gamma": 0.99, "entropy_weight": 0.005, "log_std_init": -0.7},
    "walker": _LEGGED,
    "walker-ballet": {**_LEGGED, "gamma": 0.99, "entropy_weight": 0.01, "log_std_init": -0.7},
    "humanoid": _LEGGED,
    "swimmer": {"gamma": 0.999},
    "pendulum": {"gamma": 0.95},
    "doublependulum": {"gamma": 0.95},
}
"""Where a task, or a behaviour, needs other settings than `PPOConfig`'s; docs/results.md has the trials."""


def ppo_for(task: str | None, behavior: str | None = None) -> PPOConfig:
    """Our PPO's settings for a behaviour, if it has its own, or else for its task; None: a stock environment."""
    return replace(PPOConfig(), **PPO_BY_TASK.get(behavior or "", PPO_BY_TASK.get(task or "", {})))
