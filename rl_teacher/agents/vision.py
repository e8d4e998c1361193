"""How our agent sees pictures: convolutions that policy and value share."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn

from rl_teacher.stacks import layout
from rl_teacher.vision import after, half_precision, planes

FILTERS, KERNELS, STRIDES = (16, 32), (8, 4), (4, 2)
"""The first of DQN's networks (Mnih et al. 2013): a third of the work of its successor's (docs/pixels.md)."""
CHUNK = 512
"""Rows per forward pass where nothing is learned from them."""


class Eyes(nn.Module):
    """Pictures (B, *obs) uint8 → features (B, n_out) float32.

    Args:
        obs_shape: Of a picture.
        hidden: Sizes of the dense layers after the convolutions.
        generator: Draws the weights.
    """

    def __init__(self, obs_shape: tuple[int, ...], hidden: tuple[int, ...], generator: torch.Generator) -> None:
        super().__init__()
        self.obs_shape = obs_shape
        channels, height, width, _ = layout(obs_shape)
        layers: list[nn.Module] = []
        for (n_in, n_out), kernel, stride in zip(
            itertools.pairwise((channels, *FILTERS)), KERNELS, STRIDES, strict=True
        ):
            layers += [_begun(nn.Conv2d(n_in, n_out, kernel, stride), generator), nn.ReLU()]
        layers.append(nn.Flatten())
        size = FILTERS[-1] * after(height, KERNELS, STRIDES) * after(width, KERNELS, STRIDES)
        for n_out in hidden:
            layers += [_begun(nn.Linear(size, n_out), generator), nn.ReLU()]
            size = n_out
        self.layers = nn.Sequential(*layers)
        self.n_out = size

    def forward(self, obs: Tensor) -> Tensor:
        """Features (B, n_out)."""
        return self.layers(planes(obs, self.obs_shape))

    def learning(self, obs: Tensor) -> Tensor:
        """The same, to learn from."""
        with half_precision():
            return self(obs).float()

    @torch.no_grad()
    def many(self, obs: Tensor) -> Tensor:
        """The same without gradients, for however many pictures (…, *obs): (…, n_out)."""
        lead = obs.shape[: obs.ndim - len(self.obs_shape)]
        rows = obs.reshape(-1, *self.obs_shape).split(CHUNK)
        return torch.cat([self(some) for some in rows]).reshape(*lead, self.n_out)


def _begun(layer: nn.Conv2d | nn.Linear, generator: torch.Generator) -> nn.Module:
    nn.init.orthogonal_(layer.weight, math.sqrt(2), generator=generator)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
