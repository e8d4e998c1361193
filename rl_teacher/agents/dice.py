"""The process's global random numbers, which other people's agents draw from, lent to one agent at a time."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


class Dice:
    """Within the block NumPy's and PyTorch's global generators are this agent's own; outside nobody notices.

    So two agents in one process do not disturb each other, nor does an evaluation disturb what is learned.

    Args:
        seed: Of both generators.
    """

    def __init__(self, seed: int):
        self._numpy = np.random.RandomState(seed % 2**32).get_state()  # it is what SB3 draws from
        self._torch = torch.Generator().manual_seed(seed).get_state()

    def __enter__(self) -> None:
        self._outside = np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
        self._set(self._numpy, self._torch)

    def __exit__(self, *_: object) -> None:
        self._numpy, self._torch = np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
        self._set(*self._outside)

    @staticmethod
    def _set(of_numpy: object, of_torch: Tensor) -> None:
        np.random.set_state(of_numpy)  # noqa: NPY002  # pyright: ignore[reportArgumentType]
        torch.set_rng_state(of_torch)

    def state(self) -> dict[str, Tensor]:
        """For the checkpoint."""
        _, key, position, has_gauss, gauss = self._numpy
        rest = torch.tensor([float(position), float(has_gauss), float(gauss)], dtype=torch.float64)
        return {"torch": self._torch, "numpy": torch.from_numpy(np.asarray(key, dtype=np.int64)), "numpy_rest": rest}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Back to what `state` gave."""
        position, has_gauss, gauss = state["numpy_rest"].tolist()
        key = state["numpy"].numpy().astype(np.uint32)
        self._numpy = ("MT19937", key, int(position), int(has_gauss), gauss)
        self._torch = state["torch"].clone()
