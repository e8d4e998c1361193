"""Observations that are pictures: what counts as one, and how many of them are kept in little room.

A stack of the last four frames shares three of them with the next one. A segment keeps each frame once, as a view that
looks like all the stacks; a file keeps them packed as well.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

SMALLEST, LARGEST = 43, 256
"""Pixels of a side. Below, nothing is left after the four convolutions of r̂; above, memory and time are wasted."""
FOLDED = _PACKED, _SHAPE = "obs.packed", "obs.shape"
"""Names of what is stored in the place of `obs`."""


def is_picture(space: Any) -> bool:
    """Whether the observations of a Box are pictures: uint8 in two or three dimensions."""
    return getattr(space, "dtype", None) == np.uint8 and len(space.shape or ()) in (2, 3)


def layout(shape: tuple[int, ...]) -> tuple[int, int, int, bool]:
    """Channels, height and width of a picture (C, H, W), (H, W, C) or (H, W), and whether channels come last.

    The smaller of the outer dimensions are the channels.
    """
    first, second, *third = shape
    if not third:
        return 1, first, second, False
    last = third[0] < first
    return (third[0], first, second, True) if last else (first, second, third[0], False)


def why_no_picture(shape: tuple[int, ...]) -> str | None:
    """Why pictures of this shape cannot be used, in words; None if they can."""
    _, height, width, _ = layout(shape)
    if min(height, width) < SMALLEST or max(height, width) > LARGEST:
        return f"pictures of {height}×{width} pixels; each side must have {SMALLEST} to {LARGEST}"
    return None


def thin(obs: np.ndarray) -> np.ndarray:
    """The same observations (T, *obs) in an array of their own, stacks of frames (T, C, H, W) with each frame once."""
    frames = _frames(obs)
    return obs.copy() if frames is None else _stacked(frames, obs.shape[1])


def regions(obs: np.ndarray, n: int) -> np.ndarray:
    """How bright n × n regions of each picture are at most, (T, D) float32 for (T, *obs); of a stack, the newest."""
    channels, height, width, last = layout(obs.shape[1:])
    seen = obs.mean(-1) if last else obs.reshape(len(obs), channels, height, width)[:, -1]
    side = -(-max(height, width) // n)
    rows, columns = height // side, width // side
    blocks = seen[:, : rows * side, : columns * side].reshape(len(obs), rows, side, columns, side)
    return blocks.mean((2, 4), dtype=np.float32).reshape(len(obs), -1)


def folded(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays as they are stored: `obs`, if they are pictures, packed; the others as they are."""
    obs = arrays["obs"]
    if not _pictures(obs):
        return dict(arrays)
    frames = _frames(obs)
    data = zlib.compress((obs if frames is None else frames).tobytes(), 1)
    kept = {name: value for name, value in arrays.items() if name != "obs"}
    shape = np.array([frames is not None, *obs.shape], dtype=np.int64)
    return {**kept, _PACKED: np.frombuffer(data, np.uint8), _SHAPE: shape}


def unfolded(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What `folded` was given."""
    if _PACKED not in arrays:
        return dict(arrays)
    shared, n, *one = (int(number) for number in arrays[_SHAPE])
    flat = np.frombuffer(zlib.decompress(arrays[_PACKED].tobytes()), np.uint8)
    obs = _stacked(flat.reshape(n + one[0] - 1, *one[1:]), one[0]) if shared else flat.reshape(n, *one)
    return {**{name: value for name, value in arrays.items() if name not in (_PACKED, _SHAPE)}, "obs": obs}


def _pictures(obs: np.ndarray) -> bool:
    return obs.dtype == np.uint8 and obs.ndim in (3, 4)


def _frames(obs: np.ndarray) -> np.ndarray | None:
    """Each frame once, (T+C-1, H, W); None where stacks share none, as when a game begins anew in between."""
    if not _pictures(obs) or obs.ndim != 4 or layout(obs.shape[1:])[3] or obs.shape[1] == 1 or len(obs) < 2:
        return None
    if not np.array_equal(obs[1:, :-1], obs[:-1, 1:]):
        return None
    return np.concatenate((obs[0, :-1], obs[:, -1]))


def _stacked(frames: np.ndarray, n_stack: int) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(frames, n_stack, axis=0)
    return np.moveaxis(windows, -1, 1)
