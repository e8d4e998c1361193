"""The arrays of a segment as bytes. Apart from `blobs`, so that the server is there before NumPy would be."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from safetensors.numpy import load as load_safetensors
from safetensors.numpy import save as save_safetensors

from rl_teacher.stacks import unfolded

Arrays = dict[str, np.ndarray]
"""The arrays of a segment by name: obs, act, env_rew and, where there is one, sim."""


def pack_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Named arrays as safetensors: no pickle, and the same arrays give the same bytes in whatever order they come."""
    ordered = {name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}
    return save_safetensors(ordered)


def unpack_arrays(data: bytes) -> Arrays:
    """What `pack_arrays` wrote, pictures unpacked."""
    return unfolded(load_safetensors(data))
