"""Pictures as networks take them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rl_teacher.stacks import layout


def planes(obs: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Pictures (R, *shape) uint8 as (R, C, H, W) float32 between 0 and 1."""
    channels, height, width, last = layout(shape)
    seen = obs.movedim(-1, 1) if last else obs.reshape(-1, channels, height, width)
    return seen.float().div_(255.0)


def tensor_of(obs: np.ndarray) -> Tensor:
    """Observations as a tensor of the same type, copied: records are read-only, and stacks of frames overlap."""
    return torch.from_numpy(np.array(obs, order="C"))


def half_precision() -> torch.autocast:
    """Learn from pictures in bfloat16 where the processor has matrix units for it (AMX): more than twice as fast.

    What is learned stays float32, and so does everything that is said of pictures.
    """
    has_units = getattr(torch.cpu, "_is_amx_tile_supported", bool)()
    return torch.autocast("cpu", torch.bfloat16, enabled=has_units)


def after(size: int, kernels: tuple[int, ...], strides: tuple[int, ...]) -> int:
    """Pixels of a side that are left after convolutions without a border."""
    for kernel, stride in zip(kernels, strides, strict=True):
        size = (size - kernel) // stride + 1
    return size
