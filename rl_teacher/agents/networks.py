"""The policy and value networks of our agents, and what they need of spaces."""

from __future__ import annotations

import itertools
import math
from typing import cast

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from rl_teacher.choices import choices, first
from rl_teacher.errors import NotFiniteError


def mlp(n_in: int, hidden: tuple[int, ...], n_out: int, out_gain: float, generator: torch.Generator) -> nn.Sequential:
    """A tanh network with orthogonal weights and zero biases.

    Args:
        n_in: Size of the input.
        hidden: Sizes of the hidden layers.
        n_out: Size of the output.
        out_gain: Scale of the last layer's weights; small for a policy, so that it starts almost indifferent.
        generator: Draws the weights.
    """
    sizes = (n_in, *hidden, n_out)
    layers: list[nn.Module] = []
    for i, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
        last = i == len(sizes) - 2
        linear = nn.Linear(fan_in, fan_out)
        nn.init.orthogonal_(linear.weight, out_gain if last else math.sqrt(2), generator=generator)
        nn.init.zeros_(linear.bias)
        layers += [linear] if last else [linear, nn.Tanh()]
    return nn.Sequential(*layers)


class GaussianPolicy(nn.Module):
    """Actions drawn around a mean, the same spread everywhere, in units of half the action range.

    Inside, an action lies in [-1, 1] per dimension; `to_env` clips and stretches it to the environment's bounds.
    """

    def __init__(
        self,
        obs_dim: int,
        space: gym.spaces.Box,
        hidden: tuple[int, ...],
        log_std_init: float,
        generator: torch.Generator,
    ):
        super().__init__()
        self.mean = mlp(obs_dim, hidden, int(np.prod(space.shape)), 0.01, generator)
        self.log_std = nn.Parameter(torch.full((int(np.prod(space.shape)),), log_std_init))
        self._shape = cast(tuple[int, ...], space.shape)
        self._middle = ((space.high + space.low) / 2).astype(np.float32)
        self._half = ((space.high - space.low) / 2).astype(np.float32)

    def sample(self, obs: Tensor, generator: torch.Generator) -> Tensor:
        """Actions (N, A) drawn for obs (N, D)."""
        mean = self.mean(obs)
        noise = torch.empty_like(mean).normal_(generator=generator)
        return mean + noise * self.log_std.exp()

    def best(self, obs: Tensor) -> Tensor:
        """The mean actions (N, A)."""
        return self.mean(obs)

    def logp_entropy(self, obs: Tensor, act: Tensor) -> tuple[Tensor, Tensor]:
        """Log π(act | obs), (B,), and the entropy of π, a scalar."""
        # log π = -½ Σ ((a - μ)/σ)² - Σ log σ - ½ A log 2π
        scaled = (act - self.mean(obs)) * (-self.log_std).exp()
        spread = self.log_std.sum()
        n_act = act.shape[-1]
        logp = -0.5 * scaled.square().sum(-1) - spread - 0.5 * n_act * math.log(2 * math.pi)
        entropy = spread + 0.5 * n_act * (1.0 + math.log(2 * math.pi))
        return logp, entropy

    def to_env(self, act: Tensor) -> np.ndarray:
        """Actions (…, A) as the environment takes them, (…, *act), within its bounds."""
        bounded = act.clamp(-1.0, 1.0).numpy().reshape(*act.shape[:-1], *self._shape)
        return bounded * self._half + self._middle


class CategoricalPolicy(nn.Module):
    """One of n actions, or A such choices at once that do not know of each other, for Discrete and MultiDiscrete."""

    def __init__(self, obs_dim: int, space: gym.Space, hidden: tuple[int, ...], generator: torch.Generator):
        super().__init__()
        self.sizes = choices(space)
        """How many there are to choose from, A of them."""
        self.logits = mlp(obs_dim, hidden, sum(self.sizes), 0.01, generator)
        self._shape, self._first = space.shape or (), first(space)

    def sample(self, obs: Tensor, generator: torch.Generator) -> Tensor:
        """Actions (N, A) drawn for obs (N, D), as floats.

        Raises:
            NotFiniteError: If a NaN leaves nothing to choose by.
        """
        return torch.cat([self._drawn(part.softmax(-1), generator) for part in self._each(obs)], -1)

    def _each(self, obs: Tensor) -> tuple[Tensor, ...]:
        """The logits of each choice, A of (N, n)."""
        return self.logits(obs).split(self.sizes, -1)

    @staticmethod
    def _drawn(chances: Tensor, generator: torch.Generator) -> Tensor:
        try:
            return torch.multinomial(chances, 1, generator=generator).float()
        except RuntimeError as error:
            if bool(chances.isfinite().all()):
                raise
            raise NotFiniteError(
                "The agent cannot choose an action: the environment gave an observation that is not finite, or the "
                "agent's own weights are not. Mend the environment and start the same command again."
            ) from error

    def best(self, obs: Tensor) -> Tensor:
        """The likeliest actions (N, A)."""
        return torch.cat([part.argmax(-1, keepdim=True) for part in self._each(obs)], -1).float()

    def logp_entropy(self, obs: Tensor, act: Tensor) -> tuple[Tensor, Tensor]:
        """Log π(act | obs), (B,), and the mean entropy of π."""
        # log π = Σ log π_i, H(π) = Σ H(π_i)
        every = [part.log_softmax(-1) for part in self._each(obs)]
        chosen = act.long().split(1, -1)
        logp = torch.cat([part.gather(-1, at) for part, at in zip(every, chosen, strict=True)], -1).sum(-1)
        return logp, -torch.stack([(part.exp() * part).sum(-1).mean() for part in every]).sum()

    def to_env(self, act: Tensor) -> np.ndarray:
        """Actions (…, A) as the environment takes them, (…, *act) int64."""
        return act.long().numpy().reshape(*act.shape[:-1], *self._shape) + self._first


Policy = GaussianPolicy | CategoricalPolicy


def make_policy(
    obs_dim: int, space: gym.Space, hidden: tuple[int, ...], log_std_init: float, generator: torch.Generator
) -> Policy:
    """The policy that fits an action space.

    Raises:
        TypeError: For another space than Box, Discrete and MultiDiscrete (environments with others are refused when
            made).
    """
    if isinstance(space, gym.spaces.Box):
        return GaussianPolicy(obs_dim, space, hidden, log_std_init, generator)
    if choices(space):
        return CategoricalPolicy(obs_dim, space, hidden, generator)
    raise TypeError(f"no policy for the action space {space}; Box, Discrete and MultiDiscrete have one")


class RunningNorm:
    """Mean and variance of a stream of rows, after Chan et al. 1979, and the normalisation by them.

    Frozen while a batch is collected and learned from; updated in between.
    """

    def __init__(self, shape: tuple[int, ...], clip: float = 10.0):
        self.mean = np.zeros(shape)
        self.var = np.ones(shape)
        self.count = 0.0
        self.clip = clip
        self._affine()

    @np.errstate(over="ignore", invalid="ignore")  # what is not finite is named when it would be saved
    def update(self, rows: np.ndarray) -> None:
        """Take in rows (n, *shape)."""
        n = len(rows)
        if n == 0:
            return
        mean, var = rows.mean(0, dtype=np.float64), rows.var(0, dtype=np.float64)
        total = self.count + n
        delta = mean - self.mean
        # M2 = M2_a + M2_b + δ² n_a n_b / (n_a + n_b)
        m2 = self.var * self.count + var * n + delta**2 * self.count * n / total
        self.mean = self.mean + delta * n / total
        self.var = m2 / total
        self.count = total
        self._affine()

    def __call__(self, obs: np.ndarray) -> Tensor:
        """Normalised obs (…, *shape), float32, clipped to ±clip."""
        x = torch.tensor(np.asarray(obs, dtype=np.float32))  # a copy: records are read-only
        return torch.addcmul(self._shift, x, self._scale).clamp_(-self.clip, self.clip)

    @property
    def affine(self) -> tuple[Tensor, Tensor]:
        """(b, a) (*shape) float32 of the normalisation a x + b, before it is clipped."""
        return self._shift, self._scale

    def state(self) -> dict[str, Tensor]:
        """For the checkpoint."""
        return {
            "mean": torch.as_tensor(self.mean).clone(),
            "var": torch.as_tensor(self.var).clone(),
            "count": torch.tensor([self.count], dtype=torch.float64),
        }

    def restore(self, state: dict[str, Tensor]) -> None:
        """Back to what `state` gave."""
        self.mean, self.var = state["mean"].numpy().copy(), state["var"].numpy().copy()
        self.count = float(state["count"][0])
        self._affine()

    def _affine(self) -> None:
        scale = 1.0 / np.sqrt(self.var + 1e-8)
        self._scale = torch.as_tensor(scale, dtype=torch.float32)
        self._shift = torch.as_tensor(-self.mean * scale, dtype=torch.float32)
