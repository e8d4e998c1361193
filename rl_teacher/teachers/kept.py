"""Questions in a checkpoint: segments as safetensors, where they came from as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from rl_teacher.stacks import FOLDED, unfolded
from rl_teacher.tensors import disk_faults
from rl_teacher.trajectory import Query, Segment, Source

FILE = "teacher.safetensors"


def save_queries(folder: Path, queries: Sequence[Query]) -> list[dict[str, Any]]:
    """Write the segments to `teacher.safetensors`; returns what else makes them questions, a row each, for JSON."""
    arrays: dict[str, np.ndarray] = {}
    rows = []
    for i, query in enumerate(queries):
        for side in ("left", "right"):
            segment: Segment = getattr(query, side)
            arrays |= {f"{i}.{side}.{name}": np.ascontiguousarray(a) for name, a in segment.stored().items()}
        rows.append(
            {
                **{"why": query.why, "score": query.score},
                **{"left": _source(query.left), "right": _source(query.right)},
            }
        )
    with disk_faults(folder / FILE):
        save_file(arrays, folder / FILE)
    return rows


def load_queries(folder: Path, rows: Sequence[Mapping[str, Any]]) -> list[Query]:
    """The questions of `save_queries`, in its order."""
    arrays = load_file(folder / FILE)
    queries = []
    for i, row in enumerate(rows):
        left, right = (_segment(arrays, f"{i}.{side}.", row[side]) for side in ("left", "right"))
        queries.append(Query(left, right, row["why"], row["score"]))
    return queries


def _source(segment: Segment) -> list[str | int]:
    source = segment.source
    return [source.run, source.step, source.episode, source.start]


def _segment(arrays: dict[str, np.ndarray], prefix: str, source: list) -> Segment:
    names = ("obs", "act", "env_rew", "sim", *FOLDED)
    kept = unfolded({name: arrays[prefix + name] for name in names if prefix + name in arrays})
    return Segment(kept["obs"], kept["act"], kept["env_rew"], kept.get("sim"), Source(*source))
