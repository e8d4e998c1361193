"""How much an answer would tell."""

from __future__ import annotations

import numpy as np


def bits(p: np.ndarray) -> np.ndarray:
    """Entropy of an answer that is `left` with probability p, element by element, from 0 to 1 bit."""
    p = np.clip(np.asarray(p, dtype=np.float64), 1e-12, 1.0 - 1e-12)
    # H(p) = -p log₂ p - (1-p) log₂ (1-p)
    return -p * np.log2(p) - (1.0 - p) * np.log2(1.0 - p)
