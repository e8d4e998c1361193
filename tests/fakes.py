"""Stand-ins for the parts of the loop, small enough to reason about: the loop must run on them in milliseconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from rl_teacher.labels import Verdict
from rl_teacher.loop import TeachingLoop
from rl_teacher.pace import Pace
from rl_teacher.protocols import Changes, Info
from rl_teacher.queries.pool import SegmentPool
from rl_teacher.queries.strategies import random_pairs
from rl_teacher.trajectory import Comparison, Query, Source, Trajectory

K = 5
"""Steps of a segment in the loop's tests."""


def trajectory(n_steps: int = 20, seed: int = 0, obs_dim: int = 3, act_dim: int = 2, **fields) -> Trajectory:
    rng = np.random.default_rng(seed)
    return Trajectory(
        rng.normal(size=(n_steps + 1, obs_dim)).astype(np.float32),
        rng.normal(size=(n_steps, act_dim)).astype(np.float32),
        rng.normal(size=n_steps),
        **fields,
    )


def query(seed: int = 0, k: int = 5, **shape: int) -> Query:
    return Query(
        trajectory(k, 2 * seed, **shape).segment(0, k),
        trajectory(k, 2 * seed + 1, **shape).segment(0, k),
    )


def comparison(seed: int = 0, k: int = 5, left: float | None = None, **shape: int) -> Comparison:
    """A comparison by the true reward, or with the given share for left."""
    asked = query(seed, k, **shape)
    share = float(asked.left.env_rew.sum() > asked.right.env_rew.sum()) if left is None else left
    return Comparison(asked, np.array([share, 1 - share], dtype=np.float32))


class FakeAgent:
    """Takes exactly the steps it is told to and remembers what it was given to please."""

    def __init__(self) -> None:
        self.rewards: list[object] = []
        self.n_steps = 0
        self.rounds: list[int] = []
        """Steps asked for."""
        self.update_seconds = self.learn_seconds = 0.0

    def act(self, obs: np.ndarray, *, explore: bool) -> np.ndarray:
        del explore
        return np.zeros((len(obs), 2), dtype=np.float32)

    def train(self, n_steps: int, reward: object) -> Info:
        self.rewards.append(reward)
        self.n_steps += n_steps
        self.rounds.append(n_steps)
        seconds = {"learn_seconds": self.learn_seconds, "update_seconds": self.update_seconds}
        return {"steps": n_steps, "collect_seconds": 0.0, **seconds}

    def save(self, folder: Path) -> None: ...

    def load(self, folder: Path) -> None: ...


class FakeStage:
    def __init__(self) -> None:
        self.now = 0
        self.n_played = 0
        self.n_steps = 0
        self.random: list[bool] = []

    def play(self, actor: object, n_steps: int) -> list[Trajectory]:
        self.random.append(actor is None)
        self.n_played += 1
        self.n_steps += n_steps
        return [trajectory(n_steps, seed=self.n_played, source=Source("run", self.now, self.n_played))]


class FakeReward:
    n_members, n_fits = 1, 0

    def predict(self, obs: np.ndarray, act: np.ndarray) -> np.ndarray:
        return np.zeros(obs.shape[:-1], dtype=np.float32)

    incentive = predict

    def votes(self, queries: Sequence[Query]) -> np.ndarray:
        return np.full((1, len(queries)), 0.5)

    def held_out(self, queries: Sequence[Query]) -> np.ndarray:
        return np.zeros((self.n_members, len(queries)), dtype=bool)

    def fit(self, comparisons: Sequence[Comparison], n_iters: int | None = None) -> Info:
        self.n_fits += 1
        self.seen, self.iters = len(comparisons), n_iters
        return {"comparisons": float(len(comparisons))}

    def save(self, folder: Path) -> None: ...

    def load(self, folder: Path) -> None: ...


class FakePerson:
    """Answers when told to. `says` decides the verdict of the n-th answer."""

    def __init__(self, says: Callable[[int], Verdict] = lambda n: Verdict.LEFT) -> None:
        self.says = says
        self.open: list[Query] = []
        self.expired: list[Query] = []
        self.said: list[tuple[Query, Verdict]] = []

    @property
    def record(self) -> list[tuple[Query, Verdict]]:
        """What stands: the newest word on each question, unless that was taken back."""
        newest = {query.id: (query, verdict) for query, verdict in self.said}
        return [(query, verdict) for query, verdict in newest.values() if verdict is not Verdict.WITHDRAWN]

    @property
    def n_open(self) -> int:
        return len(self.open)

    @property
    def n_decided(self) -> int:
        return sum(verdict is not Verdict.ABSTAIN for _, verdict in self.record)

    def tally(self) -> dict[str, int]:
        kinds = {str(kind).lower(): 0 for kind in (Verdict.LEFT, Verdict.RIGHT, Verdict.TIE, Verdict.ABSTAIN)}
        for _, verdict in self.record:
            kinds[str(verdict).lower()] += 1
        return {"asked": self.n_open + len(self.record), "answered": len(self.record), **kinds}

    def asked(self) -> set[str]:
        return {query.id for query in [*self.open, *self.expired, *(query for query, _ in self.said)]}

    def ask(self, queries: Sequence[Query]) -> None:
        assert not self.asked() & {query.id for query in queries}, "a pair was asked twice"
        self.open += queries

    def answer(self, n: int = 1, verdict: Verdict | None = None) -> None:
        for _ in range(min(n, self.n_open)):
            self.said.append((self.open.pop(), verdict or self.says(len(self.said))))

    def undo(self) -> None:
        if self.record:
            query, _ = self.record[-1]
            self.said.append((query, Verdict.WITHDRAWN))
            self.open.append(query)

    def changes(self, cursor: int) -> Changes:
        shares = {Verdict.LEFT: (1.0, 0.0), Verdict.RIGHT: (0.0, 1.0), Verdict.TIE: (0.5, 0.5)}
        newest = {query.id: (query, verdict) for query, verdict in self.said[cursor:]}
        said = tuple(
            Comparison(query, np.array(shares[verdict], dtype=np.float32), given_at=time.time())
            for query, verdict in newest.values()
            if verdict in shares
        )
        withdrawn = tuple(query.id for query, verdict in newest.values() if verdict not in shares)
        return Changes(len(self.said), said, withdrawn)

    def expire(self, older_than: int) -> int:
        stale = [q for q in self.open if q.left.source.step < older_than]
        self.open = [q for q in self.open if q.left.source.step >= older_than]
        self.expired += stale
        return len(stale)


class FakeWatch:
    """Looks on. `on_idle` is what happens while the loop waits; too much waiting is an error.

    Its clock goes on by a second for each wait and each round.
    """

    def __init__(self, on_idle: Callable[[int], None] = lambda n: None, patience: int = 10_000) -> None:
        self.on_idle, self.patience = on_idle, patience
        self.infos: list[dict[str, float]] = []
        self.messages: list[str] = []
        self.n_idle = 0
        self.stop = self.hold = False

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        yield

    def elapsed(self) -> float:
        return float(self.n_idle + len(self.infos))

    def record(self, steps: int, info: Info) -> None:
        self.infos.append({"step": steps, **info})

    def has_explored(self, steps: int) -> None: ...

    def say(self, message: str) -> None:
        self.messages.append(message)

    def idle(self, message: str) -> None:
        self.messages.append(message)
        self.n_idle += 1
        if self.n_idle > self.patience:
            raise AssertionError(f"waited for ever: {message}")
        self.on_idle(self.n_idle)

    def paused(self) -> bool:
        return self.hold

    def should_stop(self) -> bool:
        return self.stop


def teaching(teacher, watch, pace: Pace, schedule) -> TeachingLoop:
    return TeachingLoop(
        FakeAgent(),
        pace,
        watch,
        stage=FakeStage(),
        pool=SegmentPool(K, 8, np.random.default_rng(0)),
        reward=FakeReward(),
        teacher=teacher,
        choose=random_pairs,
        schedule=schedule,
        pretrain_iters=77,
    )


def human_pace(total_steps: int | None = 5_000, n_pretrain: int = 4, n_labels: int | None = None) -> Pace:
    return Pace(total_steps, 100, K, n_pretrain, n_labels, min_open=3, max_open=6, slack=2, stale_after=1_000)
