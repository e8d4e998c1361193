"""Recent behaviour that questions are made of."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from rl_teacher.protocols import Pool
from rl_teacher.trajectory import Query, Segment, Trajectory


class SegmentPool(Pool):
    """The newest trajectories, some thousand steps of them.

    Questions should be about what the policy does *now* (QPA, Hu et al. 2024), so what is old is forgotten.

    Args:
        clip_steps: k, the length of every segment.
        capacity: Steps kept; the newest trajectory is kept whatever its length.
        rng: Draws the segments.
    """

    def __init__(self, clip_steps: int, capacity: int, rng: np.random.Generator):
        self.clip_steps = clip_steps
        self.capacity = capacity
        self._rng = rng
        self._trajectories: deque[Trajectory] = deque()
        self._asked: set[str] = set()

    def add(self, trajectories: Sequence[Trajectory]) -> None:
        """Take in what was just played. Trajectories shorter than a segment are of no use and are left out."""
        self._trajectories.extend(t for t in trajectories if len(t) >= self.clip_steps)
        while len(self._trajectories) > 1 and len(self) - len(self._trajectories[0]) >= self.capacity:
            self._trajectories.popleft()

    def __len__(self) -> int:
        """Steps kept."""
        return sum(len(t) for t in self._trajectories)

    def sample(self, n: int) -> list[Segment]:
        """N segments, every possible start equally likely; none while nothing is kept."""
        if not self._trajectories:
            return []
        starts = np.array([len(t) - self.clip_steps + 1 for t in self._trajectories])
        ends = np.cumsum(starts)
        segments = []
        for pick in self._rng.integers(ends[-1], size=n):
            i = int(np.searchsorted(ends, pick, side="right"))
            segments.append(self._trajectories[i].segment(int(pick - ends[i] + starts[i]), self.clip_steps))
        return segments

    def forget(self) -> None:
        """Drop all behaviour; pairs that were asked are still known."""
        self._trajectories.clear()

    def is_new(self, query: Query) -> bool:
        """Whether this pair was never asked, in either order."""
        return query.id not in self._asked

    def remember(self, queries: Sequence[Query]) -> None:
        """These have been asked now."""
        self._asked.update(query.id for query in queries)
