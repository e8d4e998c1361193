"""A policy as it is, as one module of tensors: what is exported, with nothing of how it was learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from rl_teacher.agents.networks import GaussianPolicy, RunningNorm, make_policy
from rl_teacher.tensors import group


class FrozenPolicy(nn.Module):
    """The best known actions (B, *act) for obs (B, *obs); the same as `PPO.act` without exploration.

    Args:
        obs_dim: Numbers in an observation.
        space: What can be done; one of n is counted from zero.
        hidden: Sizes of the hidden layers.
    """

    shift: Tensor
    scale: Tensor
    middle: Tensor
    reach: Tensor
    """Half of the range of an action."""

    def __init__(self, obs_dim: int, space: gym.Space, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.policy = make_policy(obs_dim, space, hidden, 0.0, torch.Generator()).requires_grad_(False)
        self._shape = space.shape or ()
        self.limit = RunningNorm((obs_dim,)).clip
        self.register_buffer("shift", torch.zeros(obs_dim))
        self.register_buffer("scale", torch.ones(obs_dim))
        box = space if isinstance(space, gym.spaces.Box) else gym.spaces.Box(-1.0, 1.0, ())
        self.register_buffer("middle", torch.as_tensor(((box.high + box.low) / 2).astype(np.float32)), persistent=False)
        self.register_buffer("reach", torch.as_tensor(((box.high - box.low) / 2).astype(np.float32)), persistent=False)

    @classmethod
    def of_checkpoint(cls, tensors: Mapping[str, Tensor], space: gym.Space, hidden: tuple[int, ...]) -> Self:
        """The policy in what `PPO.save` wrote.

        Raises:
            RuntimeError: If it was written for other observations or actions.
        """
        named = dict(tensors)
        norm = RunningNorm(tuple(named["obs_norm.mean"].shape))
        norm.restore(group(named, "obs_norm"))
        frozen = cls(len(norm.mean), space, hidden)
        frozen.policy.load_state_dict(group(named, "policy"))
        frozen.shift, frozen.scale = norm.affine
        return frozen

    def forward(self, obs: Tensor) -> Tensor:
        """Actions (B, *act) for obs (B, *obs) float32: float32 within bounds, or int64 where they are choices."""
        x = torch.addcmul(self.shift, obs.flatten(1), self.scale).clamp(-self.limit, self.limit)
        if isinstance(self.policy, GaussianPolicy):
            act = self.policy.best(x).clamp(-1.0, 1.0)
            return act.reshape(-1, *self.reach.shape) * self.reach + self.middle
        return self.policy.best(x).long().reshape(-1, *self._shape)
