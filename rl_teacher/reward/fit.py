"""Fitting the ensemble to comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from rl_teacher.config import RewardConfig
from rl_teacher.protocols import Info
from rl_teacher.reward.loss import agreement, preference_loss
from rl_teacher.reward.networks import EnsembleMLP


@dataclass(frozen=True, slots=True)
class FitData:
    """B comparisons as the networks see them."""

    x: Tensor
    """(B, 2, k, D) normalised features of left and right."""
    mu: Tensor
    """(B, 2)."""
    weight: Tensor
    """(E, B) bootstrap weights; 0 means held out of that member's training."""

    def rows(self, index: Tensor) -> FitData:
        """Some of the comparisons."""
        return FitData(self.x[index], self.mu[index], self.weight[:, index])


def bootstrap(ids: list[str], n_members: int, seed: int) -> Tensor:
    """How often each member draws each comparison, (E, B) float32.

    The paper gives each member a bootstrap sample and holds out 1/e of the data (section 2.2.1 and 2.2.3). A bootstrap
    leaves out just that share by itself, so one draw does both: Poisson(1) weights (Oza and Russell 2001), made of the
    comparison's id, so that what a member has not seen it never sees later either, in whichever order answers come.
    A member that drew nothing at all, as happens with one or two answers, gets all of them: it would only add noise.
    """
    rows = [_draws(id_, n_members, seed) for id_ in ids]
    weight = torch.from_numpy(np.array(rows, dtype=np.float32).reshape(len(ids), n_members).T.copy())
    weight[weight.sum(1) == 0] = 1.0
    return weight


@lru_cache(maxsize=100_000)
def _draws(id_: str, n_members: int, seed: int) -> tuple[int, ...]:
    return tuple(np.random.default_rng([seed, int(id_[:15], 16)]).poisson(1.0, n_members).tolist())


def segment_sums(net: EnsembleMLP, x: Tensor) -> tuple[Tensor, Tensor]:
    """Each member's sum of r̂ over left and right segments, both (E, B), for x (B, 2, k, D)."""
    n, _, k, d = x.shape
    sums = net(x.reshape(-1, d)).reshape(-1, n, 2, k).sum(-1)
    return sums[..., 0], sums[..., 1]


def fit(
    net: EnsembleMLP,
    optim: torch.optim.Optimizer,
    data: FitData,
    config: RewardConfig,
    n_iters: int,
    generator: torch.Generator,
) -> int:
    """At most n_iters gradient steps on minibatches; returns how many.

    Stops early once the members have agreed with `enough_accuracy` of the answers of some minibatches in a row: what
    is learned already costs no time and is not learned by heart.
    """
    n, in_a_row = len(data.mu), 0
    for i in range(n_iters):
        rows = torch.randint(n, (min(config.minibatch, n),), generator=generator)
        mu, weight = data.mu[rows], data.weight[:, rows]
        left, right = segment_sums(net, data.x[rows])
        loss, _ = preference_loss(left, right, mu, weight, config.error_rate)
        optim.zero_grad()
        loss.backward()
        optim.step()
        with torch.no_grad():
            learned = agreement(left, right, mu, weight > 0) >= config.enough_accuracy
        in_a_row = in_a_row + 1 if learned else 0
        if in_a_row >= config.enough_in_a_row:
            return i + 1
    return n_iters


def judge(left: Tensor, right: Tensor, data: FitData, config: RewardConfig) -> Info:
    """Loss and accuracy on what the members trained on and on what each held out, from their sums, both (E, B)."""
    _, each = preference_loss(left, right, data.mu, data.weight, config.error_rate)
    held_out = data.weight == 0
    return {
        "loss": float(each[~held_out].mean()) if bool((~held_out).any()) else float("nan"),
        "held_out_loss": float(each[held_out].mean()) if bool(held_out.any()) else float("nan"),
        "accuracy": agreement(left, right, data.mu, ~held_out),
        "held_out_accuracy": agreement(left, right, data.mu, held_out),
    }
