"""The networks of r̂ that fit an observation."""

from __future__ import annotations

import gymnasium as gym
import torch

from rl_teacher.config import RewardConfig
from rl_teacher.reward.networks import EnsembleMLP, act_dim
from rl_teacher.reward.pixels import EnsembleCNN

Net = EnsembleMLP | EnsembleCNN
Shape = tuple[int, ...]


def input_size(n_obs: int, act_space: gym.Space, config: RewardConfig, picture: Shape | None) -> int:
    """Numbers that the networks see of a step and that are normalised; 0 where it is a picture of this shape."""
    return 0 if picture else n_obs + (act_dim(act_space) if config.use_act else 0)


def make_net(n_in: int, config: RewardConfig, generator: torch.Generator, picture: Shape | None) -> Net:
    """Convolutions for pictures of this shape, which see no actions and have no wide part; None: dense layers."""
    if picture:
        return EnsembleCNN(config.members, picture, generator, config.slope, config.dropout)
    return EnsembleMLP(config.members, n_in, config.hidden, generator, config.slope, config.dropout, config.wide)
