"""A policy as it is, as one module of tensors: what is exported, with nothing of how it was learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from rl_teacher.agents.networks import GaussianPolicy, RunningNorm, make_policy
from rl_teacher.agents.vision import Eyes
from rl_teacher.tensors import group

CLIP = RunningNorm(()).clip
"""Normalised observations lie within ± this."""
ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU}
SQUASHES = ("clip", "tanh")


class FrozenPolicy(nn.Module):
    """The best known actions (B, *act) for obs (B, *obs); the same as an agent's `act` without exploration.

    Args:
        obs_dim: Numbers in an observation.
        space: What can be done; one of n is counted from zero.
        hidden: Sizes of the hidden layers.
        activation: What follows each of them, "tanh" or "relu".
        squash: How actions get into their bounds: "clip", or "tanh".
        limit: Normalised observations lie within ± this; None: anywhere.
        picture: Shape of an observation that is one, uint8; it is seen by our PPO's eyes, and not normalised.
    """

    shift: Tensor
    scale: Tensor
    middle: Tensor
    reach: Tensor
    """Half of the range of an action."""

    def __init__(
        self,
        obs_dim: int,
        space: gym.Space,
        hidden: tuple[int, ...],
        activation: str = "tanh",
        squash: str = "clip",
        limit: float | None = CLIP,
        picture: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__()
        if activation not in ACTIVATIONS or squash not in SQUASHES:
            raise KeyError(f"activation {activation}, squash {squash}")
        self.picture = picture
        nothing_drawn = torch.Generator()
        self.eyes = Eyes(picture, hidden, nothing_drawn).requires_grad_(False) if picture else None
        obs_dim, hidden = (self.eyes.n_out, ()) if self.eyes else (obs_dim, hidden)
        self.policy = make_policy(obs_dim, space, hidden, 0.0, nothing_drawn).requires_grad_(False)
        self._shape = space.shape or ()
        for i, layer in enumerate(self.net):
            if not isinstance(layer, nn.Linear):
                self.net[i] = ACTIVATIONS[activation]()
        self.activation, self.squash, self.limit = activation, squash, limit
        n_normalised = 0 if self.eyes else obs_dim
        self.register_buffer("shift", torch.zeros(n_normalised))
        self.register_buffer("scale", torch.ones(n_normalised))
        box = space if isinstance(space, gym.spaces.Box) else gym.spaces.Box(-1.0, 1.0, ())
        self.register_buffer("middle", torch.as_tensor(((box.high + box.low) / 2).astype(np.float32)), persistent=False)
        self.register_buffer("reach", torch.as_tensor(((box.high - box.low) / 2).astype(np.float32)), persistent=False)

    @classmethod
    def of_checkpoint(
        cls,
        tensors: Mapping[str, Tensor],
        space: gym.Space,
        hidden: tuple[int, ...],
        picture: tuple[int, ...] | None = None,
    ) -> Self:
        """The policy in what `PPO.save` wrote.

        Raises:
            RuntimeError: If it was written for other observations or actions.
        """
        named = dict(tensors)
        frozen = cls(named["obs_norm.mean"].numel(), space, hidden, picture=picture)
        frozen.policy.load_state_dict(group(named, "policy"))
        if frozen.eyes:
            frozen.eyes.load_state_dict(group(named, "eyes"))
        else:
            frozen._normalise(named)
        return frozen

    @classmethod
    def of_layers(
        cls, layers: Sequence[tuple[Tensor, Tensor]], tensors: Mapping[str, Tensor], space: gym.Space, on_policy: bool
    ) -> Self:
        """The policy of an agent of another library.

        Args:
            layers: Weights (out, in) and biases (out,) of each; see `actors.layers_of`.
            tensors: What the agent wrote; it holds the normalisation of observations, if there is any.
            space: What can be done.
            on_policy: Whether it is one that forgets what it learned from: they have other activations.
        """
        hidden = tuple(len(bias) for _, bias in layers[:-1])
        kind = ("tanh", "clip", CLIP) if on_policy else ("relu", "tanh", None)
        frozen = cls(layers[0][0].shape[1], space, hidden, *kind)
        linear = [layer for layer in frozen.net if isinstance(layer, nn.Linear)]
        for layer, (weight, bias) in zip(linear, layers, strict=True):
            layer.load_state_dict({"weight": weight, "bias": bias})
        if on_policy:
            frozen._normalise(tensors)
        return frozen

    @property
    def net(self) -> nn.Sequential:
        """The layers, and what follows each."""
        return self.policy.mean if isinstance(self.policy, GaussianPolicy) else self.policy.logits

    @property
    def settings(self) -> dict[str, Any]:
        """What it is built from."""
        layers = [*(self.eyes.layers if self.eyes else ()), *self.net]
        hidden = [layer.out_features for layer in layers if isinstance(layer, nn.Linear)][:-1]
        return {"hidden": hidden, "activation": self.activation, "squash": self.squash, "limit": self.limit}

    def _normalise(self, tensors: Mapping[str, Tensor]) -> None:
        norm = RunningNorm(tuple(tensors["obs_norm.mean"].shape))
        norm.restore(group(tensors, "obs_norm"))
        self.shift, self.scale = (part.flatten() for part in norm.affine)

    def _normalised(self, obs: Tensor) -> Tensor:
        x = torch.addcmul(self.shift, obs.flatten(1), self.scale)
        return x if self.limit is None else x.clamp(-self.limit, self.limit)

    def forward(self, obs: Tensor) -> Tensor:
        """Actions (B, *act), float32 within bounds or int64 of choices: for obs (B, *obs), float32 or pictures."""
        x = self.eyes(obs) if self.eyes else self._normalised(obs)
        if isinstance(self.policy, GaussianPolicy):
            act = self.policy.best(x)
            act = act.tanh() if self.squash == "tanh" else act.clamp(-1.0, 1.0)
            return act.reshape(-1, *self.reach.shape) * self.reach + self.middle
        return self.policy.best(x).long().reshape(-1, *self._shape)
