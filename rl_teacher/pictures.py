"""Pictures of an environment that draws itself, packed: a play on the stage has hundreds of them in memory."""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np


class Picture(NamedTuple):
    """One picture without loss, some hundredth of its size for the flat colours of games and toys."""

    height: int
    width: int
    data: bytes

    def array(self) -> np.ndarray:
        """(height, width, 3) uint8."""
        return np.frombuffer(zlib.decompress(self.data), np.uint8).reshape(self.height, self.width, 3)


def pack(picture: np.ndarray) -> Picture:
    """Pack a picture.

    Raises:
        ValueError: Unless it is (height, width, 3) uint8.
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or not picture.size:
        raise ValueError(f"a picture must be (height, width, 3) uint8, not {picture.shape} {picture.dtype}")
    height, width, _ = picture.shape
    return Picture(height, width, zlib.compress(picture.tobytes(), 1))
