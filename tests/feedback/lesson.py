"""A store whose clock stands still until it is turned, and questions to put into it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rl_teacher.feedback.arrays import pack_arrays
from rl_teacher.feedback.records import NewQuery, NewSegment
from rl_teacher.feedback.store import Store, open_store


@dataclass
class Clock:
    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Lesson:
    """An experiment with one run in a store."""

    store: Store
    clock: Clock
    experiment: str
    run: str
    folder: Path
    """Where its blobs are."""
    url: str | None = None
    """Of the database; None: SQLite in the folder."""
    n_asked: int = 0

    def open_again(self) -> Store:
        """The same store, as another process opens it."""
        return open_store(self.folder, self.url, clock=self.clock)

    def segment(self, number: int) -> NewSegment:
        clip = self.store.add_clip(
            "poses", number.to_bytes(4, "little") * 7, "application/octet-stream", b'{"version":1}', 1, 20.0, 0.05
        )
        arrays = {"obs": np.full((3, 2), number, np.float32), "env_rew": np.arange(3, dtype=np.float64)}
        return NewSegment(f"{number:064x}", pack_arrays(arrays), clip, 10 * number, 1, 2, 3)

    def new(self, number: int, **options) -> NewQuery:
        left, right = self.segment(2 * number), self.segment(2 * number + 1)
        return NewQuery(f"pair-{number}", left, right, **{"step": 100, **options})

    def ask(self, n: int, **options) -> list[str]:
        items = [self.new(self.n_asked + place, **options) for place in range(n)]
        self.n_asked += n
        return self.store.add_queries(self.run, items)


def make_lesson(folder: Path, url: str | None = None) -> Lesson:
    clock = Clock()
    store = open_store(folder, url, clock=clock)
    experiment = store.experiment("hop", "hopper", "Make it hop.", 100)
    return Lesson(store, clock, experiment, store.run(experiment, "hop", 1, "human"), folder, url)
