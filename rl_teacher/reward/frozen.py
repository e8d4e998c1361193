"""r̂ as it is after a fit, as one module of tensors: what is exported, with nothing of how it was learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import gymnasium as gym
import torch
from torch import Tensor, nn

from rl_teacher.choices import choices
from rl_teacher.config import RewardConfig
from rl_teacher.reward.making import input_size, make_net
from rl_teacher.reward.networks import one_hots
from rl_teacher.reward.pixels import EnsembleCNN

LIMIT = 10.0
"""Normalised inputs lie within ± this."""


class FrozenReward(nn.Module):
    """R̂ (B,) for obs (B, *obs) and act (B, *act); the same numbers as `RewardEnsemble.predict`.

    Args:
        config: Of r̂.
        n_obs: Numbers in an observation.
        act_space: What can be done; one of n is counted from zero.
        picture: Shape of an observation that is one; None: it is a row of numbers.
    """

    in_mean: Tensor
    in_std: Tensor
    out_mean: Tensor
    out_std: Tensor

    def __init__(
        self, config: RewardConfig, n_obs: int, act_space: gym.Space, picture: tuple[int, ...] | None = None
    ) -> None:
        super().__init__()
        self.config, self.picture = config, picture
        self.choices = choices(act_space)
        """How many actions there are to choose from, for each choice that makes one; (): they are numbers."""
        n_in = input_size(n_obs, act_space, config, picture)
        self.net = make_net(n_in, config, torch.Generator(), picture)  # what it draws is replaced
        self.net.requires_grad_(False)
        self.register_buffer("in_mean", torch.zeros(n_in))
        self.register_buffer("in_std", torch.ones(n_in))
        self.register_buffer("out_mean", torch.zeros(config.members, 1))
        self.register_buffer("out_std", torch.ones(config.members, 1))

    @classmethod
    def of(
        cls,
        tensors: Mapping[str, Tensor],
        config: RewardConfig,
        n_obs: int,
        act_space: gym.Space,
        picture: tuple[int, ...] | None = None,
    ) -> Self:
        """The one whose `state_dict` is given; further tensors are left out.

        Raises:
            RuntimeError: If one is missing or has another shape.
        """
        frozen = cls(config, n_obs, act_space, picture)
        frozen.load_state_dict({name: tensors[name] for name in frozen.state_dict() if name in tensors})
        return frozen

    def forward(self, obs: Tensor, act: Tensor) -> Tensor:
        """R̂ (B,) for obs (B, *obs) float32, or pictures uint8, and act (B, *act), float32 or int64."""
        if isinstance(self.net, EnsembleCNN):
            return self._scaled(self.net.at_once(obs))
        x = obs.flatten(1)
        if self.config.use_act:
            seen = one_hots(act, self.choices) if self.choices else act.flatten(1)
            x = torch.cat((x, seen), 1)
        if self.config.normalise_inputs:
            x = ((x - self.in_mean) / self.in_std).clamp(-LIMIT, LIMIT)
        rew = self.net.deep(x)
        if self.net.share is not None:
            rew = self.net.share * rew + self.net.flat(x)
        return self._scaled(rew)

    def _scaled(self, rew: Tensor) -> Tensor:
        return ((rew - self.out_mean) / self.out_std * self.config.out_std).mean(0)


def settings_of(config: RewardConfig) -> dict[str, Any]:
    """What of the configuration makes the module: enough to build it again."""
    names = ("members", "hidden", "wide", "slope", "use_act", "normalise_inputs", "out_std")
    return {name: getattr(config, name) for name in names}
