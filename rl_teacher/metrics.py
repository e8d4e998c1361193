"""One sink for figures: `metrics.jsonl` and TensorBoard, always both. docs/metrics.md explains every name."""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rl_teacher.protocols import RewardModel
from rl_teacher.trajectory import Segment

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class Metrics:
    """Writes one JSON object a line, each with its `step`, and the same figures to TensorBoard.

    Where the disk is full, no half line stays, so that the same figures can be written again; TensorBoard's curves have
    a gap there.

    Args:
        folder: The run folder.
        from_step: A run that goes on from a checkpoint forgets what was written after it.
    """

    def __init__(self, folder: Path, from_step: int = 0):
        self._path = folder / "metrics.jsonl"
        self._forget(from_step)
        self._board = _open_board(folder, from_step)
        self._file = self._path.open("ab", buffering=0)

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Figures that are not numbers (nothing to measure yet) are left out."""
        known = {name: float(value) for name, value in figures.items() if math.isfinite(value)}
        line = (json.dumps({"step": step, **known}) + "\n").encode()
        end = self._file.seek(0, os.SEEK_END)
        if self._file.write(line) < len(line):  # as much as there was room for
            self._file.truncate(end)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        self._chart(step, known)

    def _chart(self, step: int, known: Mapping[str, float]) -> None:
        """TensorBoard's writer never recovers from a full disk: a new one takes its place."""
        try:
            if self._board is None:
                self._board = _open_board(self._path.parent, step)
            for name, value in known.items():
                self._board.add_scalar(name if "/" in name else f"run/{name}", value, step)
        except OSError:
            self._board = None

    def close(self) -> None:
        """Closing twice is harmless."""
        self._file.close()
        if self._board is not None:
            with suppress(OSError):
                self._board.close()

    def _forget(self, from_step: int) -> None:
        if not self._path.exists():
            return
        lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines()
        kept = [line for line in lines if _step(line) is not None and (_step(line) or 0) <= from_step]
        self._path.write_text("".join(line + "\n" for line in kept), encoding="utf-8")


def _open_board(folder: Path, from_step: int) -> SummaryWriter:
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder / "tb"), purge_step=from_step + 1)


def _step(line: str) -> int | None:
    """The step of a line; None for one that a crash cut short."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return None


def memory_mb() -> float:
    """Resident memory of this process, MiB; NaN where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.exists():
        return math.nan
    line = next(row for row in status.read_text().splitlines() if row.startswith("VmRSS"))
    return float(line.split()[1]) / 1024


def correlations(reward: RewardModel, segments: Sequence[Segment]) -> tuple[float, float]:
    """Pearson's r and Spearman's ρ between r̂'s and the true sums over segments; NaN: there is nothing to compare."""
    if len(segments) < 3:
        return math.nan, math.nan
    predicted = reward.predict(np.stack([s.obs for s in segments]), np.stack([s.act for s in segments])).sum(1)
    true = np.array([s.env_rew.sum() for s in segments])
    if not np.isfinite(true).all() or predicted.std() < 1e-9 or true.std() < 1e-9:
        return math.nan, math.nan
    return _pearson(predicted, true), _pearson(np.argsort(np.argsort(predicted)), np.argsort(np.argsort(true)))


def _pearson(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1])
