"""One sink for figures: `metrics.jsonl` and TensorBoard, always both. docs/metrics.md explains every name."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rl_teacher.protocols import RewardModel
from rl_teacher.trajectory import Segment


class Metrics:
    """Writes one JSON object a line, each with its `step`, and the same figures to TensorBoard.

    Args:
        folder: The run folder.
        from_step: A run that goes on from a checkpoint forgets what was written after it.
    """

    def __init__(self, folder: Path, from_step: int = 0):
        from torch.utils.tensorboard import SummaryWriter

        self._path = folder / "metrics.jsonl"
        self._forget(from_step)
        self._board = SummaryWriter(str(folder / "tb"), purge_step=from_step + 1)
        self._file = self._path.open("a", encoding="utf-8")

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Figures that are not numbers (nothing to measure yet) are left out."""
        known = {name: float(value) for name, value in figures.items() if math.isfinite(value)}
        self._file.write(json.dumps({"step": step, **known}) + "\n")
        self._file.flush()
        for name, value in known.items():
            self._board.add_scalar(name if "/" in name else f"run/{name}", value, step)

    def close(self) -> None:
        """Closing twice is harmless."""
        self._file.close()
        self._board.close()

    def _forget(self, from_step: int) -> None:
        if not self._path.exists():
            return
        lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines()
        kept = [line for line in lines if _step(line) is not None and (_step(line) or 0) <= from_step]
        self._path.write_text("".join(line + "\n" for line in kept), encoding="utf-8")


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
