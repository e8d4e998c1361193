"""Every setting, frozen, with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rl_teacher.errors import UserError
from rl_teacher.learners import DQNConfig, Learner, ReplayConfig, settings_of
from rl_teacher.quantities import in_range


@dataclass(frozen=True, slots=True)
class PPOConfig:
    """Settings of our PPO.

    Raises:
        UserError: For a setting out of its range.
    """

    n_envs: int = 64
    """Environments stepped together."""
    n_steps: int = 64
    """Steps of each environment between two updates …"""
    shortest: int = 24
    """… fewer where a round is to be shorter, but at least these: with 26 hopper learned as well, with 13 badly."""
    episode_steps: int = 0
    """The learner's own episodes are cut after so many steps, as by a clock; 0: with the task's. Where a fall spoils
    the rest of an episode and nothing ends it, more of what is learned from is then on its feet."""
    minibatch: int = 1024
    """Rows per gradient step: few large steps cost less time than many small ones and learned as much."""
    epochs: int = 7
    """Passes over each rollout."""
    lr: float = 8e-4
    """Adam's step size …"""
    lr_last: float = 1.0
    """… and the share of it that is left at the end of a run whose steps are counted; it falls evenly. 1: it stays."""
    kl_limit: float = 0.0
    """The passes over a rollout end once the policy is so far (mean KL of a pass) from the one that played it; 0: all
    are made. This and `lr_last` are of our PPO only."""
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

    def __post_init__(self) -> None:
        for name in ("n_envs", "n_steps", "shortest", "minibatch", "epochs", "lr", "clip", "max_grad_norm"):
            in_range(f"ppo.{name}", getattr(self, name), least=0, open_below=True)
        for name in ("gamma", "lam", "lr_last"):
            in_range(f"ppo.{name}", getattr(self, name), least=0, most=1)
        for name in ("value_weight", "entropy_weight", "episode_steps", "kl_limit"):
            in_range(f"ppo.{name}", getattr(self, name), least=0)
        in_range("ppo.log_std_init", self.log_std_init, least=-10, most=2)
        for size in self.hidden:
            in_range("ppo.hidden", size, least=0, open_below=True)


@dataclass(frozen=True, slots=True)
class RewardConfig:
    """Settings of the reward model. The values here are those of the preset DEFAULT; `presets.py` has the others.

    Raises:
        UserError: For a setting out of its range.
    """

    members: int = 5
    """E, networks in the ensemble."""
    hidden: tuple[int, ...] = (64, 64)
    """Sizes of the hidden layers of each member."""
    wide: bool = True
    """Whether a sparse linear and quadratic function of the inputs is added to each member, fitted before it."""
    slope: float = 0.01
    """Of the leaky ReLU below zero."""
    dropout: float = 0.0
    """Share of hidden units left out of each gradient step."""
    use_act: bool = False
    """Whether r̂ sees actions. People judge what they see, and our tasks have no torque penalty."""
    normalise_inputs: bool = True
    """Whether inputs are brought to mean 0 and deviation 1 by the labelled segments' statistics."""
    normalise_outputs: bool = True
    """Whether each member's r̂ is brought to mean 0 and deviation 1 before the members are averaged."""
    out_std: float = 1.0
    """To which deviation r̂ is brought with `normalise_outputs`. The paper has 0.05 on Atari; our PPO does not mind."""
    bootstrap: bool = True
    """Whether each member learns from a sample of the answers and holds out 1/e of them."""
    lr: float = 2e-3
    """Adam's step size."""
    weight_decay: float = 1e-2
    """AdamW's decay; not used with `adaptive_l2`."""
    adaptive_l2: bool = False
    """Whether an ℓ2 penalty is adapted to keep held-out loss at 1.1 to 1.5 times training loss."""
    minibatch: int = 16
    """Comparisons per gradient step."""
    iters: int = 40
    """Gradient steps of one fit while the run goes on."""
    pretrain_iters: int = 300
    """Gradient steps of the first fit, before the agent learns (`--pretrain_iters`)."""
    keep_fitting: bool = False
    """Whether r̂ is fitted in every round, or only when there is a new answer."""
    enough_accuracy: float = 0.97
    """A fit ends early when the members agree with this share of the answers …"""
    enough_in_a_row: int = 6
    """… in so many minibatches in a row; 0: never."""
    error_rate: float = 0.1
    """Share of answers assumed to be random."""
    smoothing: float = 0.0
    """Share of each answer that is trained as a tie."""
    learn_ties: bool = True
    """Whether ties are learned from, as ½–½."""
    crops: int = 8
    """Random pieces of each comparison that a gradient step learns from; 0: whole segments only."""
    shortest_crop: float = 0.7
    """Share of a segment in the shortest piece."""
    discount: float = 1.0
    """How much less a step of a segment counts than the next one; 1: all count alike."""
    doubt: float = 0.0
    """Answers that the members who did not learn from them hold for less likely than this are left out; 0: none."""
    newest: int = 0
    """Only so many of the newest answers are learned from; 0: all."""
    curiosity: float = 0.0
    """How many times the standard deviation of the members the agent is given on top of r̂, so that it does what
    nobody knows the worth of, and is asked about (RUNE, Liang et al. 2022). It is no part of r̂ itself."""
    curious_for: int = 0
    """Answers by which that has fallen to nothing, evenly: it pays while there is somebody to ask. 0: it stays."""

    def __post_init__(self) -> None:
        for name in ("members", "lr", "minibatch", "iters", "pretrain_iters", "out_std"):
            in_range(f"reward.{name}", getattr(self, name), least=0, open_below=True)
        for name in ("weight_decay", "slope", "enough_in_a_row", "crops", "newest", "curiosity", "curious_for"):
            in_range(f"reward.{name}", getattr(self, name), least=0)
        for name in ("error_rate", "smoothing", "enough_accuracy", "doubt"):
            in_range(f"reward.{name}", getattr(self, name), least=0, most=1)
        for name in ("discount", "shortest_crop"):
            in_range(f"reward.{name}", getattr(self, name), least=0, most=1, open_below=True)
        in_range("reward.dropout", self.dropout, least=0, most=0.9)
        for size in self.hidden:
            in_range("reward.hidden", size, least=0, open_below=True)


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
    preset: str
    """Name of the recipe that the settings of r̂ come from."""
    teacher: str
    """Who judges in a synthetic run."""
    label_schedule: str
    """When answers are wanted: a name, or a user's function."""
    labels_by: float
    """Share of the run by which all answers are asked for."""
    queries: str
    """Name of the query strategy."""
    instructions: str
    """What people are told, Markdown."""
    behavior: str | None
    """What is taught in place of the task, its judge for true reward: ours by name, or package.module:function."""
    ppo: PPOConfig | None
    """Settings of the agent, if it is a PPO, ours or another's."""
    reward: RewardConfig
    replay: str | None = None
    """Experiment whose people's answers are given once more, in a synthetic teacher's place."""
    fixed_horizon: str | None = None
    """How a stock environment's episodes are made to last until the clock; None: they may end early."""
    learner: Learner | None = None
    """Settings of the agent, if it is no PPO."""
    explore: int | None = None
    """Environment steps in which the agent seeks what it has not seen, before the first question …"""
    explore_from: str | None = None
    """… or the run whose agent did, and is begun with."""

    @property
    def endless(self) -> bool:
        """Whether only the person ends the run: a human run without a number of labels."""
        return self.predictor == "human" and self.n_labels is None

    @property
    def agent_settings(self) -> PPOConfig | Learner:
        """Those of whichever agent it is."""
        return self.ppo or self.learner or PPOConfig()

    def rounds(self) -> tuple[int, int]:
        """Environment steps after which the agent has learned something: as it likes it, and at the least."""
        of = self.agent_settings
        bout = of.n_envs * of.n_steps
        if isinstance(of, (ReplayConfig, DQNConfig)):
            return BOUTS * bout, bout
        return bout, of.n_envs * of.shortest


BOUTS = 16
"""Bouts of learning in a round with a person, for agents that learn from a replay."""
STEPS_PER_LABEL = 8_192
"""Environment steps that one answer pays for where no number of labels is given."""


def read_config(settings: Mapping[str, Any]) -> RunConfig:
    """The configuration in a run folder's config.json.

    Raises:
        UserError: If it is none of this version.
    """
    try:
        kinds = {"ppo": PPOConfig, "reward": RewardConfig, "learner": settings_of(settings["agent"])}
        given = {name: kind for name, kind in kinds.items() if kind is not None and settings.get(name) is not None}
        return RunConfig(**{**settings, **{name: kind(**_tuples(settings[name])) for name, kind in given.items()}})
    except (TypeError, KeyError) as error:
        raise UserError(
            f"config.json of the run does not fit this version of RL-Teacher ({error}). Use the version that made it."
        ) from error


def _tuples(settings: Mapping[str, Any]) -> dict[str, Any]:
    """JSON knows lists only."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}


def derived_seed(*numbers: int) -> int:
    """One seed for one purpose: (seed of the run, purpose, steps done so far)."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0] >> 1)


REWARD_SEED = 4
"""The purpose of r̂'s seed: who takes part in the bootstrap is made of it, so it must be found again."""
