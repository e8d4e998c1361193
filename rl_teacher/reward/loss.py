"""From segment sums to probabilities to the loss. Pure functions."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def prefer_left(left_sum: Tensor, right_sum: Tensor, error_rate: float) -> Tensor:
    """P̂[left is better] from the sums of r̂ over two segments, any equal shapes.

    Bradley–Terry on undiscounted sums (Christiano et al. 2017, equation 1), with their assumption that a share of the
    answers (10 %, section 2.2.3) is uniformly random, so that no answer can be surprising without bound.
    """
    # P[σ¹ ≻ σ²] = exp Σ r̂¹ / (exp Σ r̂¹ + exp Σ r̂²) = sigmoid(Σ r̂¹ - Σ r̂²)
    p = torch.sigmoid(left_sum - right_sum)
    # P' = (1 - ε) P + ε / 2
    return (1.0 - error_rate) * p + 0.5 * error_rate


def _log_prefer(apart: Tensor, error_rate: float) -> Tensor:
    """The logarithm of P' in `prefer_left`, with a slope also where P is too small for a float."""
    # log P' = log(exp(log (1 - ε) + log sigmoid(Σ r̂¹ - Σ r̂²)) + exp(log (ε / 2)))
    right, wrong = torch.tensor([1.0 - error_rate, 0.5 * error_rate]).log()
    return torch.logaddexp(right + functional.logsigmoid(apart), wrong)


def preference_loss(
    left_sum: Tensor, right_sum: Tensor, mu: Tensor, weight: Tensor, error_rate: float
) -> tuple[Tensor, Tensor]:
    """Cross-entropy between the answers and the predictions (Christiano et al. 2017, section 2.2.3).

    Args:
        left_sum: (E, B), each member's sum of r̂ over the left segments.
        right_sum: (E, B).
        mu: (B, 2), the teachers' preference; (½, ½) for a tie.
        weight: (E, B), how often each member drew the comparison; 0 holds it out.
        error_rate: Assumed share of random answers.

    Returns:
        The loss to be minimised, a scalar: the members' weighted means, summed (so that none depends on another); and
        each comparison's own loss per member, (E, B), detached.
    """
    apart = left_sum - right_sum
    # loss = - Σ μ(1) log P[σ¹ ≻ σ²] + μ(2) log P[σ² ≻ σ¹]
    each = -(mu[:, 0] * _log_prefer(apart, error_rate) + mu[:, 1] * _log_prefer(-apart, error_rate))
    loss = ((weight * each).sum(1) / weight.sum(1).clamp_min(1.0)).sum()
    return loss, each.detach()


def calibration_error(p: Tensor, mu: Tensor, use: Tensor, n_bins: int = 10) -> float:
    """How far probabilities are from what then happens: the expected calibration error (Guo et al. 2017, equation 3).

    Args:
        p: (E, B) P[left is better], the assumed errors of the teacher included.
        mu: (B, 2).
        use: (E, B) bool.
        n_bins: Of equal width over [0, 1].

    Returns:
        The mean distance of both over bins, weighted by their entries; in [0, 1], NaN when no entry is marked.
    """
    if not bool(use.any()):
        return float("nan")
    chances, happened = p[use], mu[:, 0].expand_as(p)[use]
    bins = (chances * n_bins).long().clamp_max(n_bins - 1)
    # ECE = Σ_b n_b/n |mean p_b - mean μ_b| = Σ_b |Σ_b p - Σ_b μ| / n
    gap = torch.zeros(n_bins).index_add_(0, bins, chances - happened)
    return float(gap.abs().sum() / len(chances))


def agreement(left_sum: Tensor, right_sum: Tensor, mu: Tensor, use: Tensor) -> float:
    """Share of decided answers (ties left out) that a member's ranking agrees with, over the entries marked by `use`.

    Args:
        left_sum: (E, B).
        right_sum: (E, B).
        mu: (B, 2).
        use: (E, B) bool.

    Returns:
        A share in [0, 1], or NaN when no entry is marked and decided.
    """
    decided = use & (mu[:, 0] != mu[:, 1])
    right = (left_sum > right_sum) == (mu[:, 0] > mu[:, 1])
    n = int(decided.sum())
    return float((right & decided).sum()) / n if n else float("nan")
