"""Recent behaviour that questions are made of."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np

from rl_teacher.protocols import Pool
from rl_teacher.trajectory import Query, Segment, Trajectory


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
