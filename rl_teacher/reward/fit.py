"""Fitting the ensemble to comparisons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from rl_teacher.config import RewardConfig
from rl_teacher.protocols import Info
from rl_teacher.reward.crops import crop_sums, segment_sums
from rl_teacher.reward.l2 import AdaptiveL2
from rl_teacher.reward.loss import agreement, calibration_error, prefer_left, preference_loss
from rl_teacher.reward.making import Net
from rl_teacher.reward.pixels import Pairs

PAIRS = 16
"""Pairs of films whose pictures are stacked at a time: 22 MB with the paper's Atari clips."""
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Of the network in r̂, where there is a wide part."""
DOUBT_FROM = 50
"""Comparisons below which no answer is doubted: who has learned from few cannot tell which of them is wrong."""


@dataclass(frozen=True, slots=True)
class FitData:
    """B comparisons as the networks see them."""

    x: Tensor | Pairs
    """(B, 2, k, D) features of left and right, or pictures (B, 2, k, *obs)."""
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


def steps_of(net: Net, x: Tensor | Pairs, *, learning: bool = False) -> Tensor:
    """Each member's r̂ of every step, (E, B, 2, k) for x (B, 2, k, D), or pictures (B, 2, k, *obs)."""
    if isinstance(x, Pairs):
        return torch.cat([steps_of(net, x[some]) for some in torch.arange(x.shape[0]).split(PAIRS)], 1)
    return net(x.reshape(-1, *x.shape[3:]), learning=learning).reshape(-1, *x.shape[:3])


def fit(
    net: Net,
    optim: torch.optim.Optimizer,
    data: FitData,
    config: RewardConfig,
    n_iters: int,
    generator: torch.Generator,
    l2: AdaptiveL2 | None = None,
) -> int:
    """At most n_iters gradient steps on minibatches; returns how many.

    Stops early once the members have agreed with `enough_accuracy` of the answers of some minibatches in a row: what
    is learned already costs no time and is not learned by heart.
    """
    n, in_a_row = len(data.mu), 0
    # μ' = (1 - s) μ + s/2
    data = replace(data, mu=(1.0 - config.smoothing) * data.mu + 0.5 * config.smoothing)
    for i in range(n_iters):
        batch = data.rows(torch.randint(n, (min(config.minibatch, n),), generator=generator))
        rew = steps_of(net, batch.x, learning=True)
        loss, each, right = _loss(rew, batch, config, generator)
        if l2 is not None:
            loss = loss + (l2.coefficient * net.squares()).sum()
            l2.update(each, batch.weight)
        optim.zero_grad()
        loss.backward()
        optim.step()
        in_a_row = in_a_row + 1 if right >= config.enough_accuracy else 0
        if config.enough_in_a_row and in_a_row >= config.enough_in_a_row:
            return i + 1
    return n_iters


def _loss(
    rew: Tensor, batch: FitData, config: RewardConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor, float]:
    """The loss on a minibatch, each comparison's own (E, B), and the share of answers the members agree with."""
    whole = segment_sums(rew, config.discount)
    left, right = whole[..., 0], whole[..., 1]
    loss, each = preference_loss(left, right, batch.mu, batch.weight, config.error_rate)
    if config.crops:
        crops = crop_sums(rew, config.crops, config.shortest_crop, config.discount, generator)
        mu, weight = (x.repeat_interleave(config.crops, dim) for x, dim in ((batch.mu, 0), (batch.weight, 1)))
        loss, _ = preference_loss(crops[:, :, 0].flatten(1), crops[:, :, 1].flatten(1), mu, weight, config.error_rate)
    with torch.no_grad():
        return loss, each, agreement(left, right, batch.mu, batch.weight > 0)


@torch.no_grad()
def doubted(net: Net, data: FitData, config: RewardConfig) -> Tensor:
    """Which answers are probably wrong, (B,) bool (the idea of RIME, Cheng et al. 2024).

    Those that the members who have not learned from them hold for less likely than `config.doubt`, on average. A
    doubted answer is only left out of one fit: when r̂ comes to see what the person meant, it counts again.
    """
    if not config.doubt or len(data.mu) < DOUBT_FROM:
        return torch.zeros(len(data.mu), dtype=torch.bool)
    left, right = segment_sums(steps_of(net, data.x), config.discount).unbind(-1)
    p = prefer_left(left, right, error_rate=0.0)
    outsiders = (data.weight == 0).float()
    # P[answer] = Σ_i μ_i P_i, averaged over the members that held it out
    chance = data.mu[:, 0] * p + data.mu[:, 1] * (1.0 - p)
    n = outsiders.sum(0)
    return (n > 0) & ((outsiders * chance).sum(0) / n.clamp_min(1.0) < config.doubt)


def fair_share(flat: Tensor, deep: Tensor, data: FitData, config: RewardConfig) -> float:
    """How much of the network to add to the wide part: the share with the lowest loss on held-out answers.

    Args:
        flat: What the wide part says of every step, (E, B, 2, k).
        deep: What the network says, (E, B, 2, k).
        data: The comparisons.
        config: See RewardConfig.
    """
    held_out = data.weight == 0
    if not bool(held_out.any()):
        return 1.0
    ours, networks = (segment_sums(part, config.discount) for part in (flat, deep))

    def loss(share: float) -> float:
        left, right = (ours + share * networks).unbind(-1)
        return float(preference_loss(left, right, data.mu, data.weight, config.error_rate)[1][held_out].mean())

    return min(SHARES, key=loss)


def judge(left: Tensor, right: Tensor, data: FitData, config: RewardConfig) -> Info:
    """Loss, accuracy and calibration on what the members trained on and on what each held out, from sums (E, B)."""
    _, each = preference_loss(left, right, data.mu, data.weight, config.error_rate)
    held_out = data.weight == 0
    p = prefer_left(left, right, config.error_rate)
    return {
        "loss": float(each[~held_out].mean()) if bool((~held_out).any()) else float("nan"),
        "held_out_loss": float(each[held_out].mean()) if bool(held_out.any()) else float("nan"),
        "accuracy": agreement(left, right, data.mu, ~held_out),
        "held_out_accuracy": agreement(left, right, data.mu, held_out),
        "calibration_error": calibration_error(p, data.mu, held_out),
    }
