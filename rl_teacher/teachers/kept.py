"""Questions in a checkpoint: segments as safetensors, where they came from as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

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
            arrays |= {f"{i}.{side}.{name}": np.ascontiguousarray(a) for name, a in _arrays(segment).items()}
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


def _arrays(segment: Segment) -> dict[str, np.ndarray]:
    arrays = {"obs": segment.obs, "act": segment.act, "env_rew": segment.env_rew}
    return arrays if segment.sim is None else {**arrays, "sim": segment.sim}


def _source(segment: Segment) -> list[str | int]:
    source = segment.source
    return [source.run, source.step, source.episode, source.start]


def _segment(arrays: dict[str, np.ndarray], prefix: str, source: list) -> Segment:
    return Segment(
        arrays[prefix + "obs"],
        arrays[prefix + "act"],
        arrays[prefix + "env_rew"],
        arrays.get(prefix + "sim"),
        Source(*source),
    )
