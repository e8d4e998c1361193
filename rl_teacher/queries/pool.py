"""Recent behaviour that questions are made of."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from rl_teacher.protocols import Pool
from rl_teacher.stacks import FOLDED, folded, unfolded
from rl_teacher.tensors import disk_faults
from rl_teacher.trajectory import Query, Segment, Source, Trajectory


class SegmentPool(Pool):
    """The newest few plays on the stage.

    Questions should be about what the policy does *now* (QPA, Hu et al. 2024), so what is old is forgotten.

    Args:
        clip_steps: k, the length of every segment.
        plays: How many are kept.
        rng: Draws the segments.
    """

    def __init__(self, clip_steps: int, plays: int, rng: np.random.Generator):
        self.clip_steps = clip_steps
        self._rng = rng
        self._plays: deque[list[Trajectory]] = deque(maxlen=plays)
        self._asked: set[str] = set()

    def add(self, trajectories: Sequence[Trajectory]) -> None:
        """Take in what was just played. Trajectories shorter than a segment are of no use and are left out."""
        usable = [t for t in trajectories if len(t) >= self.clip_steps]
        if usable:
            self._plays.append(usable)

    def __len__(self) -> int:
        """Steps kept."""
        return sum(len(t) for play in self._plays for t in play)

    def sample(self, n: int) -> list[Segment]:
        """N segments, every possible start equally likely; none while nothing is kept."""
        trajectories = [t for play in self._plays for t in play]
        if not trajectories:
            return []
        starts = np.array([len(t) - self.clip_steps + 1 for t in trajectories])
        ends = np.cumsum(starts)
        segments = []
        for pick in self._rng.integers(ends[-1], size=n):
            i = int(np.searchsorted(ends, pick, side="right"))
            segments.append(trajectories[i].segment(int(pick - ends[i] + starts[i]), self.clip_steps))
        return segments

    def spread(self, n: int) -> list[Segment]:
        """Up to n segments at even distances over what is kept: nothing is drawn, so a run is not changed by a look."""
        trajectories = [t for play in self._plays for t in play]
        places = [(t, start) for t in trajectories for start in range(len(t) - self.clip_steps + 1)]
        return [t.segment(start, self.clip_steps) for t, start in places[:: max(1, -(-len(places) // max(1, n)))]]

    def forget(self) -> None:
        """Drop all behaviour; pairs that were asked are still known."""
        self._plays.clear()

    def is_new(self, query: Query) -> bool:
        """Whether this pair was never asked, in either order."""
        return query.id not in self._asked

    def remember(self, pairs: Iterable[str]) -> None:
        """The queries of these ids have been asked."""
        self._asked.update(pairs)

    def restart(self, seed: int) -> None:
        """From here on segments are drawn with this seed."""
        self._rng = np.random.default_rng(seed)

    def save(self, folder: Path) -> None:
        """Write what is kept to `pool.safetensors` and `pool.json`. What was asked is in the teacher's record.

        What environments drew of themselves is too much to keep, and clips cannot be made without it: there the next
        questions wait for the next play.
        """
        arrays, plays = {}, []
        for i, play in enumerate(self._plays):
            plays.append([])
            for j, one in enumerate(trajectory for trajectory in play if trajectory.frames is None):
                arrays |= {f"{i}.{j}.{name}": value for name, value in _arrays(one).items()}
                plays[-1].append([asdict(one.source), one.terminated, one.truncated])
        path = folder / "pool.safetensors"
        with disk_faults(path):
            save_file(arrays, path)
        (folder / "pool.json").write_text(json.dumps(plays))

    def load(self, folder: Path) -> None:
        """Go on with what `save` wrote."""
        arrays = load_file(folder / "pool.safetensors")
        self._plays.clear()
        for i, play in enumerate(json.loads((folder / "pool.json").read_text())):
            self.add([_trajectory(arrays, f"{i}.{j}.", *about) for j, about in enumerate(play)])


def _arrays(one: Trajectory) -> dict[str, np.ndarray]:
    arrays = {"obs": one.obs, "act": one.act, "env_rew": one.env_rew, "sim": one.sim}
    return folded({name: np.ascontiguousarray(value) for name, value in arrays.items() if value is not None})


def _trajectory(
    arrays: dict[str, np.ndarray], prefix: str, source: dict, terminated: bool, truncated: bool
) -> Trajectory:
    names = ("obs", "act", "env_rew", "sim", *FOLDED)
    kept = unfolded({name: arrays[prefix + name] for name in names if prefix + name in arrays})
    return Trajectory(
        kept["obs"], kept["act"], kept["env_rew"], kept.get("sim"), terminated, truncated, Source(**source)
    )


class Rest(Pool):
    """A pool without the pairs that have been chosen for a batch, but not asked yet.

    Args:
        pool: All behaviour.
    """

    def __init__(self, pool: Pool):
        self._pool = pool
        self.taken: dict[str, Query] = {}
        """What was chosen, by query id."""

    def take(self, queries: Iterable[Query]) -> None:
        """These are chosen; those that were before stay as they are."""
        for query in queries:
            self.taken.setdefault(query.id, query)

    def sample(self, n: int) -> list[Segment]:
        """See `protocols.Pool`."""
        return self._pool.sample(n)

    def spread(self, n: int) -> list[Segment]:
        """See `protocols.Pool`."""
        return self._pool.spread(n)

    def is_new(self, query: Query) -> bool:
        """Whether this pair was neither asked nor chosen, in either order."""
        return query.id not in self.taken and self._pool.is_new(query)

    def add(self, trajectories: Sequence[Trajectory]) -> None:
        """See `protocols.Pool`."""
        self._pool.add(trajectories)

    def forget(self) -> None:
        """See `protocols.Pool`."""
        self._pool.forget()

    def remember(self, pairs: Iterable[str]) -> None:
        """See `protocols.Pool`."""
        self._pool.remember(pairs)

    def restart(self, seed: int) -> None:
        """See `protocols.Pool`."""
        self._pool.restart(seed)
