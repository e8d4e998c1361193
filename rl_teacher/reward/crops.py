"""Sums of r̂ over segments, whole or in random pieces, from one forward pass."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def segment_sums(rew: Tensor, discount: float = 1.0) -> Tensor:
    """Sums over the last axis, (…) for per-step r̂ (…, k).

    With a discount below 1 recent steps count most, as they do in people's judgement: Σ γ^(k-1-t) r̂_t.
    """
    return weighted(rew, discount).sum(-1)


def crop_sums(rew: Tensor, n_crops: int, shortest: float, discount: float, generator: torch.Generator) -> Tensor:
    """Sums over random pieces of both segments of each comparison.

    What holds of two clips mostly holds of equally long pieces of them: more to learn from each answer (SURF, Park et
    al. 2022). All pieces come from one cumulative sum, so they cost no further forward pass.

    Args:
        rew: (E, B, 2, k) r̂ of every step of left and right.
        n_crops: C, pieces per comparison; left and right are cut to the same length, each at its own place.
        shortest: Share of k in the shortest piece.
        discount: γ within a segment.
        generator: Draws the pieces, the same for all members.

    Returns:
        (E, B, 2, C).
    """
    n_members, n, _, k = rew.shape
    least = max(1, math.ceil(shortest * k))
    length = torch.randint(least, k + 1, (n, 1, n_crops), generator=generator)
    start = (torch.rand(n, 2, n_crops, generator=generator) * (k - length + 1)).long()
    # Σ_{t=a}^{b-1} r̂_t = S_b - S_a with S_t = Σ_{s<t} r̂_s
    total = torch.nn.functional.pad(weighted(rew, discount).cumsum(-1), (1, 0))
    begin = start.expand(n_members, n, 2, n_crops)
    return total.gather(-1, begin + length.expand_as(begin)) - total.gather(-1, begin)


def weighted(rew: Tensor, discount: float) -> Tensor:
    """Each step by its weight γ^(k-1-t)."""
    if discount == 1.0:
        return rew
    k = rew.shape[-1]
    return rew * discount ** torch.arange(k - 1, -1, -1, dtype=rew.dtype)
