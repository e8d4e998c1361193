from __future__ import annotations

import numpy as np
import pytest

from rl_teacher.queries.candidates import new_pairs
from rl_teacher.queries.pool import SegmentPool
from rl_teacher.queries.strategies import STRATEGIES, disagreement
from rl_teacher.trajectory import Source
from tests.fakes import FakeReward, trajectory


def pool(*lengths: int, k: int = 5) -> SegmentPool:
    made = SegmentPool(k, 3, np.random.default_rng(0))
    made.add([trajectory(n, seed=i) for i, n in enumerate(lengths)])
    return made


@pytest.mark.parametrize("name", STRATEGIES)
def test_strategies_never_repeat_a_pair_nor_pair_a_clip_with_itself(name):
    segments = pool(12, 9, 30)
    seen: set[str] = set()
    for _ in range(20):
        queries = STRATEGIES[name](segments, 10, FakeReward(), {})
        segments.remember(query.id for query in queries)
        for q in queries:
            assert q.left.key != q.right.key
            assert q.id not in seen
            seen.add(q.id)
    assert len(seen) > 50


@pytest.mark.parametrize("name", STRATEGIES)
def test_no_pair_shows_the_same_moment_twice_while_there_are_others(name):
    segments = SegmentPool(5, 3, np.random.default_rng(0))
    segments.add([trajectory(12, seed=i, source=Source("run", 0, i)) for i in range(3)])
    for q in STRATEGIES[name](segments, 15, FakeReward(), {}):
        a, b = q.left.source, q.right.source
        assert a.episode != b.episode or abs(a.start - b.start) >= 5
    alone = SegmentPool(5, 3, np.random.default_rng(0))
    alone.add([trajectory(7, source=Source("run", 0, 1))])
    assert len(STRATEGIES[name](alone, 3, FakeReward(), {})) >= 1  # rather than none


def test_a_pool_that_has_no_more_pairs_gives_fewer():
    segments = pool(6)  # two segments, one pair
    assert len(new_pairs(segments, 10)) == 1
    segments.remember(query.id for query in new_pairs(segments, 10))
    assert new_pairs(segments, 10) == []
    assert new_pairs(pool(), 10) == []


def test_trajectories_shorter_than_a_segment_are_of_no_use():
    assert pool(4, 3).sample(5) == []
    assert len(pool(5).sample(3)) == 3


def test_every_start_is_drawn_the_last_one_too():
    drawn = {segment.source.start for segment in pool(12).sample(500)}
    assert drawn == set(range(8))


def test_the_pool_keeps_the_newest_plays():
    segments = SegmentPool(5, 3, np.random.default_rng(0))
    for i in range(30):
        segments.add([trajectory(20, seed=2 * i), trajectory(20, seed=2 * i + 1), trajectory(4)])
        segments.add([trajectory(4)])  # nothing of use in it: pushes nothing out
    assert len(segments) == 3 * 40
    kept = [trajectory(20, seed=seed) for seed in range(54, 60)]
    for s in segments.sample(200):
        assert any(np.array_equal(s.obs, t.obs[s.source.start :][:5]) for t in kept)


def test_disagreement_takes_the_pairs_the_members_dispute():
    class Disputed(FakeReward):
        def votes(self, queries):
            """Two members: the larger the first observation, the further apart."""
            apart = 1 / (1 + np.exp(-np.array([q.left.obs[0, 0] for q in queries])))
            return np.stack([0.5 + apart / 2, 0.5 - apart / 2])

    chosen = disagreement(pool(200), 5, Disputed(), {})
    others = Disputed().votes(new_pairs(pool(200), 50)).var(0)
    assert min(q.score for q in chosen) > np.median(others)
    assert all(q.why == "disagreement" for q in chosen)
