"""The ensemble for pictures: E convolutional networks as one (Christiano et al. 2017, appendix A.2)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rl_teacher.stacks import layout
from rl_teacher.trajectory import Segment
from rl_teacher.vision import after, half_precision, planes

FILTERS, DENSE = 16, 64
KERNELS, STRIDES = (7, 5, 3, 3), (3, 2, 1, 1)
CHUNK = 256
"""Rows per forward pass: the activations of three members are some 60 MB."""


class EnsembleCNN(nn.Module):
    """E independent networks, (R, *obs) uint8 → (E, R).

    Four convolutions, each with batch norm, leaky ReLU and dropout, 64 dense units and one number. The first
    convolution sees the same picture for all members, the others are grouped by member. Dropout leaves out whole
    filters of a picture, which costs little to draw; single pixels of a feature map say nearly the same as their
    neighbours.

    Args:
        n_members: E.
        obs_shape: Of a picture.
        generator: Draws the weights, by which the members differ, and what dropout leaves out.
        slope: Of the leaky ReLU below zero.
        dropout: Share of filters left out, while `learning`.
    """

    wide: None = None
    share: None = None

    def __init__(
        self,
        n_members: int,
        obs_shape: tuple[int, ...],
        generator: torch.Generator,
        slope: float = 0.01,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.n_members, self.obs_shape = n_members, obs_shape
        self.slope, self._dropout, self._generator = slope, dropout, generator
        channels, height, width, _ = layout(obs_shape)
        self.kernels, self.shifts = nn.ParameterList(), nn.ParameterList()
        self.gains = nn.ParameterList()
        for i, kernel in enumerate(KERNELS):
            fan_in = (FILTERS if i else channels) * kernel**2
            shape = (n_members * FILTERS, fan_in // kernel**2, kernel, kernel)
            # He et al. 2015: half of what goes through a ReLU is lost
            self.kernels.append(nn.Parameter(torch.randn(shape, generator=generator) * math.sqrt(2.0 / fan_in)))
            self.gains.append(nn.Parameter(torch.ones(n_members * FILTERS)))
            self.shifts.append(nn.Parameter(torch.zeros(n_members * FILTERS)))
            self.register_buffer(f"mean{i}", torch.zeros(n_members * FILTERS))
            self.register_buffer(f"var{i}", torch.ones(n_members * FILTERS))
        flat = FILTERS * after(height, KERNELS, STRIDES) * after(width, KERNELS, STRIDES)
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for fan_in, fan_out in ((flat, DENSE), (DENSE, 1)):
            bound = 1.0 / math.sqrt(fan_in)
            weight = torch.empty(n_members, fan_in, fan_out).uniform_(-bound, bound, generator=generator)
            self.weights.append(nn.Parameter(weight))
            self.biases.append(nn.Parameter(torch.zeros(n_members, 1, fan_out)))

    def forward(self, x: Tensor, *, learning: bool = False) -> Tensor:
        """Each member's value of each picture, (E, R) for x (R, *obs).

        While `learning` batch norm uses the rows' own statistics and takes note of them, and filters are left out.
        """
        if learning:
            with half_precision():
                return self._pass(x, learning=True).float()
        return torch.cat([self.at_once(rows) for rows in x.split(CHUNK)], 1)

    def at_once(self, x: Tensor) -> Tensor:
        """The same as `forward`, not learning, in a single pass: for few rows."""
        return self._pass(x, learning=False)

    def squares(self) -> Tensor:
        """Each member's sum of squared weights, (E,): what an ℓ2 penalty weighs."""
        weights = [*self.kernels, *self.weights]
        return torch.stack([weight.square().reshape(self.n_members, -1).sum(1) for weight in weights]).sum(0)

    def _pass(self, x: Tensor, *, learning: bool) -> Tensor:
        h = planes(x, self.obs_shape)
        for i, (kernel, gain, shift) in enumerate(zip(self.kernels, self.gains, self.shifts, strict=True)):
            h = F.conv2d(h, kernel, stride=STRIDES[i], groups=self.n_members if i else 1)
            mean, var = self.get_buffer(f"mean{i}"), self.get_buffer(f"var{i}")
            h = F.batch_norm(h, mean, var, gain, shift, training=learning)
            h = F.leaky_relu(h, self.slope)
            if learning and self._dropout:
                kept = torch.rand((*h.shape[:2], 1, 1), generator=self._generator) >= self._dropout
                h = h * (kept / (1.0 - self._dropout)).to(h.dtype)
        h = h.reshape(x.shape[0], self.n_members, -1).transpose(0, 1)
        h = F.leaky_relu(torch.baddbmm(self.biases[0], h, self.weights[0]), self.slope)
        return torch.baddbmm(self.biases[1], h, self.weights[1]).squeeze(-1)


class Pairs:
    """The pictures of B pairs of segments, stacked only for those that are asked for: all would be gigabytes.

    Args:
        pairs: Left and right.
    """

    def __init__(self, pairs: Sequence[tuple[Segment, Segment]]) -> None:
        self._pairs = pairs
        self.shape = (len(pairs), 2, *pairs[0][0].obs.shape)
        """(B, 2, k, *obs)."""

    def __getitem__(self, index: Tensor) -> Tensor:
        """(b, 2, k, *obs) uint8 of some pairs."""
        rows = [[segment.obs for segment in self._pairs[i]] for i in index.tolist()]
        return torch.from_numpy(np.array(rows))
