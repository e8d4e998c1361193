"""The wide part of r̂: a sparse linear and quadratic function of the inputs, fitted exactly.

What people want of a body often depends on few things that can be seen (higher, faster, closer), while an observation
holds many that come along with them. A network of a few thousand weights needs many answers to tell which is which. A
sum of a few terms a x + b x² needs few, and its fit is a convex problem of milliseconds; the network learns the rest.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rl_teacher.reward.loss import preference_loss

PENALTIES = (0.01, 0.03, 0.1, 0.3)
"""Weights of the ℓ1 penalty that are tried; held-out answers choose."""
WITHOUT_HELD_OUT = 2
"""Which of them where there are no held-out answers to choose by."""
STEPS = 100
"""Of each of the two passes of a fit, which goes on from where the last one ended."""
SMALL = 0.2
"""Of the largest coefficient: those that are small beside this pay up to six times as much in the second pass."""
SMALLEST = torch.finfo(torch.float32).tiny
"""Probability."""


def terms(x: Tensor) -> Tensor:
    """The terms of each step, (…, 2D) for inputs (…, D): x and x²."""
    return torch.cat((x, x.square()), -1)


class SparseTerms:
    """Each member's coefficients of the terms, for every penalty.

    Args:
        n_members: E.
        n_in: D.
    """

    def __init__(self, n_members: int, n_in: int) -> None:
        self.every = torch.zeros(len(PENALTIES), n_members, 2 * n_in)
        """(L, E, 2D)."""

    @torch.no_grad()
    def fit(self, x: Tensor, mu: Tensor, weight: Tensor, error_rate: float, step_weight: Tensor) -> Tensor:
        """Fit to all comparisons.

        Args:
            x: (B, 2, k, D) inputs of left and right.
            mu: (B, 2).
            weight: (E, B) bootstrap weights; 0 for held out.
            error_rate: Share of answers assumed to be random.
            step_weight: (k,) how much each step of a segment counts.

        Returns:
            The coefficients under the penalty whose held-out loss is lowest, (E, 2D).
        """
        sums = (terms(x) * step_weight[:, None]).sum(2)
        apart = sums[:, 0] - sums[:, 1]
        share = weight / weight.sum(1, keepdim=True).clamp_min(1.0)
        self.every = _proximal(self.every, apart, mu, share, error_rate, torch.tensor(PENALTIES)[:, None, None])
        # An ℓ1 penalty also holds back what matters. λ_j = λ / (|w_j| / max |w| + δ): Candès, Wakin and Boyd 2008
        largest = self.every.abs().amax(-1, keepdim=True).clamp_min(1e-9)
        dearer = torch.tensor(PENALTIES)[:, None, None] / (self.every.abs() / largest + SMALL)
        self.every = _proximal(self.every, apart, mu, share, error_rate, dearer)
        margin = self.every @ apart.T
        held_out = weight == 0
        if not bool(held_out.any()):
            return self.every[WITHOUT_HELD_OUT]
        losses = [preference_loss(m, torch.zeros_like(m), mu, weight, error_rate)[1][held_out].mean() for m in margin]
        return self.every[int(torch.stack(losses).argmin())]


def _proximal(start: Tensor, apart: Tensor, mu: Tensor, share: Tensor, error_rate: float, penalty: Tensor) -> Tensor:
    """All members and penalties at once, by accelerated proximal gradients (FISTA: Beck and Teboulle 2009, section 4).

    Minimises Σ_i share_i loss_i(w · apart_i) + Σ_j λ_j |w_j| for each; `penalty` λ is (L, E or 1, 2D or 1).
    """
    # The loss has curvature ¼ at most, so the gradient is Lipschitz with L = ¼ λ_max(Σ_i share_i d_i d_iᵀ)
    second = torch.einsum("eb,bi,bj->eij", share, apart, apart)
    rate = 1.0 / (0.25 * torch.linalg.eigvalsh(second)[:, -1] + 1e-6)[None, :, None]
    shrink = rate * penalty
    now, ahead, pace = start, start, 1.0
    for _ in range(STEPS):
        step = ahead - rate * ((share * _slope(ahead @ apart.T, mu[:, 0], error_rate)) @ apart)
        after = step.sign() * (step.abs() - shrink).clamp_min(0.0)
        faster = (1.0 + (1.0 + 4.0 * pace * pace) ** 0.5) / 2.0
        ahead = after + (pace - 1.0) / faster * (after - now)
        now, pace = after, faster
    return now


def _slope(margin: Tensor, mu: Tensor, error_rate: float) -> Tensor:
    """Derivative of the loss by the margin z between left and right."""
    # P and 1-P apart, and never 0: without assumed errors (ε = 0) P / P' is 1 where P is too small for a float, too
    p, other = (torch.sigmoid(z).clamp_min(SMALLEST) for z in (margin, -margin))
    sure, lost = 1.0 - error_rate, 0.5 * error_rate
    # dL/dz = -(μ/P' - (1-μ)/(1-P')) (1-ε) P (1-P), P' = (1-ε) P + ε/2
    return sure * ((1.0 - mu) * other / (sure * other + lost) * p - mu * p / (sure * p + lost) * other)
