"""Which settings go with which task, behaviour and kind of observation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rl_teacher.config import PPOConfig, RewardConfig
from rl_teacher.learners import DM_CONTROL, META_WORLD, DQNConfig, Learner, ReplayConfig, family, learner_for

PIXELS = "pixels"
"""In a task's place where observations are pictures: Atari's settings for our PPO (Schulman et al. 2017, table 5, with
16 environments)."""

_LEGGED = {"gamma": 0.995, "entropy_weight": 0.003, "minibatch": 256, "epochs": 10, "lr": 3e-4}
"""Hoppers and walkers step in 8 ms: a longer view in steps, and noise for longer, keep them from settling too early."""

PPO_BY_TASK: Mapping[str, Mapping[str, Any]] = {
    "reacher": {"gamma": 0.95, "minibatch": 512, "epochs": 10, "lr": 5e-4},
    "hopper": _LEGGED,
    "hopper-backflip": {**_LEGGED, "gamma": 0.99, "entropy_weight": 0.01, "log_std_init": 0.0, "lr_last": 0.1},
    "walker": {**_LEGGED, "gamma": 0.99, "episode_steps": 250},
    "walker-ballet": {**_LEGGED, "gamma": 0.99, "entropy_weight": 0.01, "log_std_init": -0.7},
    "ant": {"gamma": 0.99, "episode_steps": 250, "lr_last": 0.1, "kl_limit": 0.02},
    "humanoid": _LEGGED,
    "swimmer": {"gamma": 0.999, "lam": 0.99, "n_envs": 16, "n_steps": 512, "shortest": 96, "log_std_init": -0.5},
    "pendulum": {"gamma": 0.95},
    "doublependulum": {"gamma": 0.98, "lr_last": 0.1, "kl_limit": 0.03},
    META_WORLD: {"n_envs": 16, "n_steps": 256, "shortest": 96, "gamma": 0.99, "minibatch": 512},
    PIXELS: {
        **{"n_envs": 16, "n_steps": 128, "shortest": 64, "minibatch": 256, "epochs": 3, "lr": 2.5e-4, "clip": 0.1},
        **{"gamma": 0.99, "lam": 0.95, "entropy_weight": 0.01, "value_weight": 0.5, "hidden": (256,)},
    },
}
"""Where a task, or a behaviour, needs other settings than `PPOConfig`'s; docs/results.md has the trials, docs/agents.md
those of Meta-World."""


def ppo_for(task: str | None, behavior: str | None = None) -> PPOConfig:
    """Our PPO's settings for a behaviour, if it has its own, or else for its task; None: a stock environment."""
    of_task = PPO_BY_TASK.get(task or "", PPO_BY_TASK.get(family(task or "") or "", {}))
    return replace(PPOConfig(), **PPO_BY_TASK.get(behavior or "", of_task))


def settings_for(agent: str, task: str | None, behavior: str | None = None) -> tuple[PPOConfig | None, Learner | None]:
    """An agent's settings for a behaviour, if there are any of its own, or else for its task: one of the two kinds."""
    learner = learner_for(agent, task)
    return (ppo_for(task, behavior), None) if learner is None else (None, learner)


REWARD_OF_PIXELS: Mapping[str, Any] = {
    **{"wide": False, "use_act": False, "dropout": 0.5, "out_std": 0.05, "newest": 3_000},
    **{"members": 3, "lr": 5e-4, "weight_decay": 1e-4, "minibatch": 8, "iters": 40, "pretrain_iters": 400},
}
"""Of r̂ where observations are pictures, whatever the recipe: first what the paper did on Atari (appendix A.2), then
what two CPU cores can do (docs/pixels.md)."""


REWARD_OF_CONTROL: Mapping[str, Any] = {"wide": False, "hidden": (128, 128), "crops": 0}
"""Of DEFAULT's r̂ on DeepMind Control: limbs are cosines there, and a task's worth is a product of what it wants. Fitted
to the same 100 answers about walker-walk, r̂ with DEFAULT's own settings told far less of a walk that it had not seen
(docs/agents.md)."""


QUERIES_OF_PIXELS = "random"
"""The strategy where observations are pictures: to choose by disagreement, r̂ would look at ten films for each that it
asks about, thousands before the agent learns."""


def exploring(learner: Learner | None) -> Learner | None:
    """An agent's settings where it explores before it is taught: what its critic learns then is not about r̂ at all."""
    return replace(learner, reset_critic=True) if isinstance(learner, (ReplayConfig, DQNConfig)) else learner


def reward_for(
    reward: RewardConfig, task: str | None = None, behavior: str | None = None, *, pixels: bool = False
) -> RewardConfig:
    """A recipe's settings of r̂ for a task or a behaviour.

    What makes a trick is no sum of squares, so there the network is by itself. Fitted to the earlier of 200 answers
    about ballet and backflip and judged on the later ones, r̂ without the wide part had more of them right every time:
    docs/behaviors.md.
    """
    if pixels:
        return replace(reward, **REWARD_OF_PIXELS)
    if reward.wide and family(task or "") == DM_CONTROL:  # ORIGINAL and PAPER, without it, stay as they were published
        return replace(reward, **REWARD_OF_CONTROL)
    return reward if behavior is None else replace(reward, wide=False)
