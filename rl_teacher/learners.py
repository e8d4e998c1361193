"""Settings of the agents that come from Stable-Baselines3, sb3-contrib and SBX, with their reasons.

Their PPO has those of ours (`config.PPOConfig`): it is the same algorithm. docs/agents.md shows what was measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from rl_teacher.quantities import in_range


@dataclass(frozen=True, slots=True)
class A2CConfig:
    """Settings of A2C (Mnih et al. 2016): one step after each short rollout.

    Raises:
        UserError: For a setting out of its range.
    """

    n_envs: int = 64
    """Environments stepped together."""
    n_steps: int = 16
    """Steps of each environment between two updates; with the usual 5 most of the time goes into calls, not work …"""
    shortest: int = 16
    """… and no fewer where a round is short."""
    episode_steps: int = 0
    """The learner's own episodes are cut after so many steps; 0: with the task's. See `PPOConfig`."""
    lr: float = 7e-4
    """RMSprop's step size, the paper's."""
    gamma: float = 0.98
    """Discount."""
    lam: float = 0.95
    """λ of the advantage estimate; the paper's 1 is noisy where rollouts are short."""
    value_weight: float = 0.25
    """Weight of the squared error of the value."""
    entropy_weight: float = 0.0
    """Weight of the entropy bonus."""
    max_grad_norm: float = 0.5
    """Gradients longer than this are shortened to it."""
    log_std_init: float = -1.0
    """Initial log standard deviation, in units of half the action range."""
    hidden: tuple[int, ...] = (64, 64)
    """Sizes of the hidden layers of policy and value network."""

    def __post_init__(self) -> None:
        _on_policy(self)
        for name in ("value_weight", "entropy_weight"):
            in_range(f"learner.{name}", getattr(self, name), least=0)
        in_range("learner.max_grad_norm", self.max_grad_norm, least=0, open_below=True)


@dataclass(frozen=True, slots=True)
class TRPOConfig:
    """Settings of TRPO (Schulman et al. 2015), with a line search along the natural gradient.

    Raises:
        UserError: For a setting out of its range.
    """

    n_envs: int = 64
    """Environments stepped together."""
    n_steps: int = 64
    """Steps of each environment between two updates …"""
    shortest: int = 24
    """… fewer where a round is to be shorter, but at least these."""
    episode_steps: int = 0
    """The learner's own episodes are cut after so many steps; 0: with the task's. See `PPOConfig`."""
    lr: float = 1e-3
    """Step size of the value network; the policy's is found by the line search."""
    minibatch: int = 512
    """Rows in a gradient step of the value network."""
    critic_updates: int = 10
    """Its passes over each rollout."""
    gamma: float = 0.98
    """Discount."""
    lam: float = 0.95
    """λ of the advantage estimate."""
    kl: float = 0.02
    """How far the policy moves in one update."""
    log_std_init: float = -1.0
    """Initial log standard deviation, in units of half the action range."""
    hidden: tuple[int, ...] = (64, 64)
    """Sizes of the hidden layers of policy and value network."""

    def __post_init__(self) -> None:
        _on_policy(self)
        for name in ("minibatch", "critic_updates", "kl"):
            in_range(f"learner.{name}", getattr(self, name), least=0, open_below=True)


@dataclass(frozen=True, slots=True)
class ReplayConfig:
    """Settings of SAC, TD3, TQC and CrossQ, which learn from a replay of all they did.

    Raises:
        UserError: For a setting out of its range.
    """

    n_envs: int = 8
    """Environments stepped together."""
    n_steps: int = 8
    """Steps of each environment between two bouts of learning: in larger bouts less time is lost between them."""
    updates: float = 0.5
    """Gradient steps for each environment step. The usual 1 takes twice the time, for which people wait."""
    episode_steps: int = 0
    """The learner's own episodes are cut after so many steps; 0: with the task's. See `PPOConfig`."""
    random_steps: int = 5_000
    """Environment steps of uniformly random actions before anything is learned."""
    capacity: int = 1_000_000
    """Environment steps in the replay; the oldest are forgotten. Memory: some 200 bytes each on HalfCheetah."""
    minibatch: int = 256
    """Rows per gradient step."""
    recent_share: float = 0.5
    """Share of a minibatch that comes from recent play: r̂ was asked about that (Hu et al. 2024, QPA) …"""
    recent_steps: int = 10_000
    """… of the last so many environment steps; ten episodes of 1,000."""
    reset_critic: bool = False
    """Whether the critic begins anew when r̂ changes for the first time, or takes the place of exploring: what it had
    learned was about another reward. True with `--explore`."""
    lr: float = 3e-4
    """Adam's step size."""
    gamma: float = 0.99
    """Discount."""
    tau: float = 0.005
    """How fast the target critic follows; CrossQ has none."""
    noise: float = 0.1
    """Standard deviation of TD3's exploration, in units of half the action range; the others have their own."""
    hidden: tuple[int, ...] = (256, 256)
    """Sizes of the hidden layers: wider ones learn little better and cost a multiple on two cores, CrossQ's 1,024
    twenty-fold."""

    def __post_init__(self) -> None:
        _off_policy(self)
        in_range("learner.noise", self.noise, least=0, most=1)


@dataclass(frozen=True, slots=True)
class DQNConfig:
    """Settings of DQN (Mnih et al. 2015), for few actions to choose from.

    Raises:
        UserError: For a setting out of its range.
    """

    n_envs: int = 8
    """Environments stepped together."""
    n_steps: int = 8
    """Steps of each environment between two bouts of learning."""
    updates: float = 0.25
    """Gradient steps for each environment step."""
    episode_steps: int = 0
    """The learner's own episodes are cut after so many steps; 0: with the task's. See `PPOConfig`."""
    random_steps: int = 1_000
    """Environment steps of random actions before anything is learned."""
    capacity: int = 200_000
    """Environment steps in the replay; the oldest are forgotten."""
    minibatch: int = 128
    """Rows per gradient step."""
    recent_share: float = 0.5
    """Share of a minibatch that comes from recent play …"""
    recent_steps: int = 10_000
    """… of the last so many environment steps."""
    reset_critic: bool = False
    """Whether it begins anew when r̂ changes for the first time; what it chooses by begins anew too."""
    lr: float = 1e-3
    """Adam's step size."""
    gamma: float = 0.99
    """Discount."""
    target_every: int = 500
    """Environment steps between two copies to the target network."""
    explore_steps: int = 20_000
    """Environment steps until random actions are as rare as …"""
    explore_least: float = 0.04
    """… this share of all."""
    hidden: tuple[int, ...] = (128, 128)
    """Sizes of the hidden layers."""

    def __post_init__(self) -> None:
        _off_policy(self)
        for name in ("target_every", "explore_steps"):
            in_range(f"learner.{name}", getattr(self, name), least=0, open_below=True)
        in_range("learner.explore_least", self.explore_least, least=0, most=1)
        in_range("learner.hidden", len(self.hidden), least=1)  # SBX's asks for the first size


Learner = A2CConfig | TRPOConfig | ReplayConfig | DQNConfig


def _on_policy(config: A2CConfig | TRPOConfig) -> None:
    for name in ("n_envs", "n_steps", "shortest", "lr"):
        in_range(f"learner.{name}", getattr(config, name), least=0, open_below=True)
    for name in ("gamma", "lam"):
        in_range(f"learner.{name}", getattr(config, name), least=0, most=1)
    in_range("learner.log_std_init", config.log_std_init, least=-10, most=2)
    _everybody(config)


def _off_policy(config: ReplayConfig | DQNConfig) -> None:
    for name in ("n_envs", "n_steps", "updates", "capacity", "minibatch", "recent_steps", "lr"):
        in_range(f"learner.{name}", getattr(config, name), least=0, open_below=True)
    for name in ("gamma", "recent_share"):
        in_range(f"learner.{name}", getattr(config, name), least=0, most=1)
    in_range("learner.random_steps", config.random_steps, least=0)
    _everybody(config)


def _everybody(config: Learner) -> None:
    in_range("learner.episode_steps", config.episode_steps, least=0)
    for size in config.hidden:
        in_range("learner.hidden", size, least=0, open_below=True)


_ORIGINAL_TRPO = TRPOConfig(n_steps=125, gamma=0.995, lam=0.97, kl=0.001, hidden=(64,), log_std_init=-1.0)
"""As in OpenAI's repository: 8,000 steps, KL 0.001, one layer of 64. Its value function was linear, its step had no
line search, its advantage no λ; and its actions were drawn wider."""

_BY_AGENT: Mapping[str, Learner] = {
    "trpo": _ORIGINAL_TRPO,
    "sb3:TRPO": TRPOConfig(),
    "sb3:A2C": A2CConfig(),
    **{f"{library}:{name}": ReplayConfig() for library in ("sb3", "sbx") for name in ("SAC", "TQC")},
    **{f"{library}:{name}": ReplayConfig(lr=1e-3) for library in ("sb3", "sbx") for name in ("TD3", "CrossQ")},
    **{f"{library}:DQN": DQNConfig() for library in ("sb3", "sbx")},
}
"""What each begins with. TD3 and CrossQ take the larger steps of their papers; CrossQ is steadied by its batch norm."""

_FALLING: dict[str, Any] = {"episode_steps": 250}
"""Nothing ends an episode when it falls: cut earlier, more of what is learned from is on its feet (`PPO_BY_TASK`)."""

BY_TASK: Mapping[str, Mapping[str, Any]] = {
    "reacher": {"gamma": 0.95, "random_steps": 2_000},
    "hopper": {"gamma": 0.995},
    "walker": {"gamma": 0.99, **_FALLING},
    "ant": {"gamma": 0.99, **_FALLING, "capacity": 500_000},
    "humanoid": {"gamma": 0.995, "capacity": 200_000},
    "swimmer": {"gamma": 0.999},
    "pendulum": {"gamma": 0.95, "random_steps": 2_000},
    "doublependulum": {"gamma": 0.95, "random_steps": 2_000},
}
"""Where a task needs others: how far it must look ahead, as our PPO was found to, and what fits into memory, for an
ant has 105 numbers in an observation and a humanoid 348. Names that an agent does not have are left out."""


DM_CONTROL = "dm:"
"""All tasks of DeepMind Control; their names begin with it."""
META_WORLD = "metaworld:"
"""The same of Meta-World."""

SAC_BY_TASK: Mapping[str, Mapping[str, Any]] = {
    DM_CONTROL: {"updates": 1.0, "lr": 5e-4, "random_steps": 1_000},
    "dm:quadruped-walk": {"lr": 1e-4},
    META_WORLD: {"updates": 1.0, "lr": 3e-4, "minibatch": 512, "hidden": (256, 256, 256), "random_steps": 1_000},
}
"""What SAC and TQC take besides: B-Pref's gradient step for every step, and its step sizes (Lee et al. 2021). Its
networks of 2 x 1,024 and minibatches of 1,024 are left out: one gradient step of those takes a third of a second on two
cores. On Meta-World its networks and minibatches are smaller, and taken too. docs/agents.md says so."""


def family(task: str) -> str | None:
    """Whose task it is, where all of one house share settings: `DM_CONTROL`, `META_WORLD`."""
    return next((house for house in (DM_CONTROL, META_WORLD) if task.startswith(house)), None)


def learner_for(agent: str, task: str | None) -> Learner | None:
    """An agent's settings for a task of ours or a stock environment's id (None: for neither).

    Returns:
        None if the agent is a PPO.
    """
    config = _BY_AGENT.get(agent)
    if config is None or agent == "trpo" or task is None:
        return config
    settings = dict(BY_TASK.get(task, {}))
    if agent.endswith((":SAC", ":TQC")):
        settings |= {**SAC_BY_TASK.get(family(task) or "", {}), **SAC_BY_TASK.get(task, {})}
    known = {field.name for field in fields(config)}
    return replace(config, **{name: value for name, value in settings.items() if name in known})


def settings_of(agent: str) -> type[Learner] | None:
    """The class of an agent's settings; None: the agent is a PPO."""
    config = _BY_AGENT.get(agent)
    return None if config is None else type(config)
