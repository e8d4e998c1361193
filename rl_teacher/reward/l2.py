"""An ℓ2 penalty that adapts itself (Christiano et al. 2017, section 2.2.3)."""

from __future__ import annotations

import torch
from torch import Tensor

LOW, HIGH = 1.1, 1.5
"""The paper's bounds of held-out loss over training loss."""
STEP = 1.05
"""How much a coefficient changes at once: slowly, for a minibatch holds few held-out comparisons."""
MEMORY = 0.95
"""Of the running means of both losses, over minibatches."""
LEAST, MOST = 1e-6, 1.0


class AdaptiveL2:
    """Each member's coefficient rises while it generalises badly and falls while it could learn more.

    The losses compared are *means*: sums over a small held-out set and a large training set would say nothing.

    Args:
        n_members: E.
    """

    def __init__(self, n_members: int) -> None:
        self.coefficient = torch.full((n_members,), 1e-4)
        """(E,)."""
        self._means = torch.zeros(2, n_members)
        """Running means of training and held-out loss; 0 while there is none."""

    def update(self, each: Tensor, weight: Tensor) -> None:
        """After a gradient step.

        Args:
            each: (E, B) loss of each comparison, detached.
            weight: (E, B) how often each member drew it; 0 for held out.
        """
        for i, use in enumerate((weight, (weight == 0).float())):
            n = use.sum(1)
            now = (use * each).sum(1) / n.clamp_min(1.0)
            running = torch.where(self._means[i] > 0, MEMORY * self._means[i] + (1 - MEMORY) * now, now)
            self._means[i] = torch.where(n > 0, running, self._means[i])
        ratio = self._means[1] / self._means[0].clamp_min(1e-9)
        known = (self._means > 0).all(0)
        factor = torch.where(ratio > HIGH, STEP, torch.where(ratio < LOW, 1.0 / STEP, 1.0))
        self.coefficient = torch.where(known, self.coefficient * factor, self.coefficient).clamp(LEAST, MOST)

    def state(self) -> dict[str, Tensor]:
        """For the checkpoint."""
        return {"coefficient": self.coefficient.clone(), "means": self._means.clone()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Back to what `state` gave."""
        self.coefficient, self._means = state["coefficient"].clone(), state["means"].clone()
