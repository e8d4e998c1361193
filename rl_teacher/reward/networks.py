"""The ensemble: E small networks evaluated as one batched operation."""

from __future__ import annotations

import itertools
import math

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from rl_teacher.choices import choices, first
from rl_teacher.reward.wide import terms


class EnsembleMLP(nn.Module):
    """E independent networks, (R, D) → (E, R), leaky ReLU between layers (Christiano et al. 2017, A.1).

    Args:
        n_members: E.
        n_in: D.
        hidden: Sizes of the hidden layers.
        generator: Draws the weights, by which the members differ, and what dropout leaves out.
        slope: Of the leaky ReLU below zero; the paper's is 0.01.
        dropout: Share of hidden units left out, while `learning`.
        wide: Whether a linear and quadratic function of the inputs is added to each network (`wide.py` fits it).
    """

    def __init__(
        self,
        n_members: int,
        n_in: int,
        hidden: tuple[int, ...],
        generator: torch.Generator,
        slope: float = 0.01,
        dropout: float = 0.0,
        wide: bool = False,
    ):
        super().__init__()
        self.wide: Tensor | None
        """(E, 2D, 1)."""
        self.share: Tensor | None
        """Of the network in r̂: as much as held-out answers say that it helps."""
        self._slope, self._dropout, self._generator = slope, dropout, generator
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        sizes = (n_in, *hidden, 1)
        for fan_in, fan_out in itertools.pairwise(sizes):
            bound = 1.0 / math.sqrt(fan_in)
            weight = torch.empty(n_members, fan_in, fan_out).uniform_(-bound, bound, generator=generator)
            self.weights.append(nn.Parameter(weight))
            self.biases.append(nn.Parameter(torch.zeros(n_members, 1, fan_out)))
        self.register_buffer("wide", torch.zeros(n_members, 2 * n_in, 1) if wide else None)
        self.register_buffer("share", torch.ones(()) if wide else None)

    def forward(self, x: Tensor, *, learning: bool = False) -> Tensor:
        """Each member's value of each row, (E, R) for x (R, D): all of the network while learning, else its share."""
        if self.share is None:
            return self.deep(x, learning=learning)
        share = 1.0 if learning else float(self.share)
        # r̂ = share · network(x) + a·x + b·x²
        return share * self.deep(x, learning=learning) + self.flat(x) if share else self.flat(x)

    def flat(self, x: Tensor) -> Tensor:
        """The linear and quadratic part alone, (E, R)."""
        if self.wide is None:
            return torch.zeros(len(self.weights[0]), len(x))
        return (terms(x) @ self.wide).squeeze(-1)

    def deep(self, x: Tensor, *, learning: bool = False) -> Tensor:
        """The networks alone, (E, R)."""
        h = x.expand(len(self.weights[0]), *x.shape)
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            h = torch.baddbmm(bias, h, weight)
            if i < len(self.weights) - 1:
                h = nn.functional.leaky_relu(h, self._slope, inplace=not torch.is_grad_enabled())
                if learning and self._dropout:
                    h = h * self._kept(h)
        return h.squeeze(-1)

    def squares(self) -> Tensor:
        """Each member's sum of squared weights, (E,): what an ℓ2 penalty weighs."""
        return torch.stack([weight.square().sum((1, 2)) for weight in self.weights]).sum(0)

    def _kept(self, h: Tensor) -> Tensor:
        """0 for what is left out, and for the rest so much more that the sum stays the same on average."""
        kept = torch.rand(h.shape, generator=self._generator) >= self._dropout
        return kept / (1.0 - self._dropout)


def act_dim(space: gym.Space) -> int:
    """Numbers that describe one action: one per dimension of a Box, one for each that can be chosen."""
    return sum(choices(space)) or int(np.prod(space.shape or ()))


def one_hots(index: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Choices as numbers, (R, Σ sizes) float32 for index (R, A) or (R,) int64, counted from zero: a 1 for each."""
    columns = index.reshape(-1, len(sizes)).T
    return torch.cat([nn.functional.one_hot(column, n) for column, n in zip(columns, sizes, strict=True)], 1).float()


def features(obs: np.ndarray, act: np.ndarray, n_obs: int, space: gym.Space, use_act: bool) -> Tensor:
    """What r̂ sees of a step, (R, D): the observation as it came, and the action (one-hot if chosen) if wanted."""
    rows = torch.tensor(np.asarray(obs, dtype=np.float32)).reshape(-1, n_obs)  # a copy: records are read-only
    if not use_act:
        return rows
    if sizes := choices(space):
        index = torch.tensor(np.asarray(act, dtype=np.int64) - first(space)).reshape(len(rows), len(sizes))
        return torch.cat((rows, one_hots(index, sizes)), dim=1)
    return torch.cat((rows, torch.tensor(np.asarray(act, dtype=np.float32)).reshape(len(rows), -1)), 1)
