"""A run in a store whose r̂ is known: what a clip is worth stands in its observations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from rl_teacher.feedback.arrays import pack_arrays
from rl_teacher.feedback.records import NewQuery, NewSegment, Submit
from rl_teacher.insight.subject import Subject
from rl_teacher.labels import Verdict, preference
from rl_teacher.trajectory import Comparison, Query, Segment, Source, Trajectory
from tests.fakes import FakeReward
from tests.feedback.conftest import database, lesson  # noqa: F401
from tests.feedback.lesson import Lesson, make_lesson

K = 4


class Known(FakeReward):
    """Two members that both take the observation for the reward. `outside` says what the second held out."""

    n_members, n_fits = 2, 1

    def __init__(self) -> None:
        self.outside: set[str] = set()
        self.learned_by_heart: set[str] = set()

    def predict(self, obs: np.ndarray, act: np.ndarray) -> np.ndarray:
        return obs[..., 0].astype(np.float32)

    incentive = predict

    def votes(self, queries):
        apart = np.array([q.left.obs.sum() - q.right.obs.sum() for q in queries])
        p = 1 / (1 + np.exp(-apart))
        first = [0.01 if q.id in self.learned_by_heart else one for q, one in zip(queries, p, strict=True)]
        return np.stack([first, p])

    def held_out(self, queries):
        out = [q.id in self.outside for q in queries]
        return np.stack([np.zeros(len(out), dtype=bool), np.array(out, dtype=bool)])


@dataclass
class Desk:
    """What the trainer would have at hand."""

    lesson: Lesson
    reward: Known = field(default_factory=Known)
    comparisons: dict[str, Comparison] = field(default_factory=dict)
    pool: list[Segment] = field(default_factory=list)
    subject: Subject = field(init=False)
    n_asked: int = 0

    def __post_init__(self) -> None:
        store = self.lesson.store

        def play(seed: int) -> Trajectory:
            obs = np.full((K + 1, 1), seed, np.float32)
            return Trajectory(obs, np.zeros((K, 1), np.float32), np.full(K, 2.0), np.zeros((K + 1, 2)))

        self.subject = Subject(
            store=store,
            experiment_id=self.lesson.experiment,
            run_id=self.lesson.run,
            step=lambda: 777,
            reward=lambda: self.reward,
            comparisons=lambda: self.comparisons,
            recent=lambda n: self.pool[:n],
            play=play,
            clip=self.clip,
            film=lambda job: f"{job.kind}: not here",
            has_true_return=True,
        )

    def without(self, **parts) -> Subject:
        return replace(self.subject, **parts)

    def clip(self, played: Segment | Trajectory) -> str:
        sim = played.sim
        assert sim is not None
        return self.lesson.store.add_clip(
            "poses", sim.tobytes(), "application/octet-stream", b"{}", len(sim), 20.0, 0.05
        )

    def segment(self, worth: float, start: int = 0, episode: int = 0) -> Segment:
        obs = np.full((K, 1), worth, np.float32)
        where = Source("hop", 50, episode, start)
        return Segment(obs, np.full((K, 1), start, np.float32), np.zeros(K), np.full((K, 2), worth), where)

    def ask(self, left: float, right: float) -> tuple[str, Query]:
        """A question about clips of these worths; its id in the store."""
        self.n_asked += 1
        sides = [self.segment(worth, 10 * self.n_asked, i) for i, worth in enumerate((left, right))]
        query = Query(*sides)
        new = [
            NewSegment(
                side.key,
                pack_arrays({"obs": side.obs, "act": side.act, "env_rew": side.env_rew, "sim": side.sim}),
                self.clip(side),
                side.source.step,
                side.source.episode,
                side.source.start,
                K,
            )
            for side in sides
        ]
        return self.lesson.store.add_queries(self.lesson.run, [NewQuery(query.id, *new)])[0], query

    def answered(self, left: float, right: float, verdict: Verdict, who: str = "ann") -> str:
        store = self.lesson.store
        query_id, query = self.ask(left, right)
        store.submit(Submit(f"label-{self.n_asked}", query_id, store.labeller(who), verdict))
        mu = preference(store.labels_of([query_id])[query_id])
        if mu is not None:
            self.comparisons[query.id] = Comparison(query, mu)
        return query_id


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(make_lesson(tmp_path / "store"))
    yield made
    made.lesson.store.close()
