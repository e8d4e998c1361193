from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_teacher.queries.candidates import ALIKE, Doubt, Yardstick, doubts, draw, new_pairs
from rl_teacher.queries.strategies import STRATEGIES
from rl_teacher.trajectory import Query, Segment
from tests.fakes import FakeReward, trajectory
from tests.queries.worlds import K, Members, clip, level, pool_of


def segment(obs: object) -> Segment:
    given = np.array(obs, dtype=np.float32)
    return Segment(given, np.zeros((len(given), 1), np.float32), np.zeros(len(given)))


def test_difference_is_the_rms_over_aligned_steps_in_units_of_the_pool():
    yardstick = Yardstick(np.array([1 / 4 / 2, 1 / 100 / 2]))  # standard deviations 2 and 10, both numbers vary
    pair = Query(segment([[0, 0], [0, 0]]), segment([[2, 10], [4, 0]]))
    assert yardstick.difference([pair]) == pytest.approx(np.sqrt((1 + 1 + 4 + 0) / 4))


def test_a_number_that_never_varies_counts_for_nothing():
    plain = [segment(np.random.default_rng(i).normal(size=(K, 2))) for i in range(20)]
    padded = [segment(np.concatenate([s.obs, np.full((K, 3), 7.0)], 1)) for s in plain]
    ours, theirs = (Yardstick.of(some).difference([Query(some[0], some[1])]) for some in (plain, padded))
    assert ours == pytest.approx(theirs, rel=1e-5)
    assert ours > ALIKE


@given(st.integers(0, 1_000), st.floats(0.1, 100.0), st.floats(-100.0, 100.0))
@settings(max_examples=30, deadline=None)
def test_units_of_the_observation_do_not_matter(seed, scale, shift):
    base = [np.random.default_rng((seed, i)).normal(size=(K, 3)) for i in range(10)]
    one, other = ([segment(s * x + t) for x in base] for s, t in ((1.0, 0.0), (scale, shift)))
    a, b = (Yardstick.of(some).difference([Query(some[0], some[1])]) for some in (one, other))
    assert a == pytest.approx(b, rel=2e-2)


def test_doubts_from_slight_to_grave():
    pairs = [
        Query(clip(0, 0).segment(0, K), clip(3, 1).segment(0, K)),
        Query(clip(0, 2).segment(0, K), clip(4, 3).segment(0, K)),
        Query(clip(0, 4).segment(0, K), clip(0, 5).segment(0, K)),
        Query(clip(0, 6).segment(0, K), clip(5, 6).segment(0, K)),
    ]
    votes = np.array([[0.9, 0.51, 0.5, 0.5], [0.5, 0.49, 0.5, 0.5]])  # the first is a tie for one member only
    yardstick = Yardstick(np.array([1.0, 0.0]))
    assert doubts(pairs, yardstick, votes).tolist() == [Doubt.NONE, Doubt.TIED, Doubt.ALIKE, Doubt.OVERLAPPING]
    assert doubts(pairs, yardstick).tolist() == [Doubt.NONE, Doubt.NONE, Doubt.ALIKE, Doubt.OVERLAPPING]


@pytest.mark.parametrize("name", STRATEGIES)
def test_clips_that_look_alike_are_paired_last(name):
    """Twelve clips of two kinds: of 66 pairs, 36 can be told apart."""
    kinds = pool_of([0.0] * 6 + [1.0] * 6, noise=1e-3)
    reward = Members(lambda x: x, lambda x: 2 * x)
    for _ in range(4):
        asked = STRATEGIES[name](kinds, 5, reward, {})
        kinds.remember(q.id for q in asked)
        assert len(asked) == 5
        assert all(abs(level(q.left) - level(q.right)) > 0.5 for q in asked)
    rest = [q for _ in range(60) for q in STRATEGIES[name](kinds, 1, reward, {}) if not kinds.remember([q.id])]
    assert any(abs(level(q.left) - level(q.right)) < 0.5 for q in rest)  # rather than none


@pytest.mark.parametrize("name", [name for name in STRATEGIES if name not in ("random", "sort")])
def test_pairs_all_members_call_a_tie_come_last_once_r_has_been_fitted(name):
    """Below 0 all clips are worth the same to all members, though they look different."""
    levels = [*np.linspace(-3, -1, 20), 1.0, 2.0, 3.0]
    members = [lambda x: max(x, 0.0), lambda x: 2 * max(x, 0.0)]

    def n_tied(n_fits: int, n: int) -> int:
        asked = STRATEGIES[name](pool_of(levels, seed=3), n, Members(*members, n_fits=n_fits), {})
        assert len(asked) == n
        return sum(level(q.left) < 0 and level(q.right) < 0 for q in asked)

    assert n_tied(1, 10) == 0
    assert n_tied(1, 200) > 50  # rather than none
    assert name != "coverage" or n_tied(0, 10) > 0


def test_a_converged_policy_still_gives_questions():
    alike = pool_of([0.0] * 8)
    for name, strategy in STRATEGIES.items():
        assert len(strategy(alike, 4, Members(lambda x: x), {})) == 4, name


def test_random_asks_no_votes():
    reward = Members(lambda x: x)
    assert len(STRATEGIES["random"](pool_of(range(30)), 5, reward, {})) == 5
    assert reward.n_votes == 0


def test_a_few_questions_are_drawn_as_widely_as_many():
    """The first of one drawing would be the only pair for n = 1; where it is doubtful there must be others."""
    for seed in range(20):
        (pair,) = new_pairs(pool_of([0.0] * 24 + [1.0] * 6, seed, noise=1e-3), 1)
        assert abs(level(pair.left) - level(pair.right)) > 0.5


def test_candidates_are_ten_times_as_many_and_know_the_looks_of_others():
    pool = pool_of(range(40))
    candidates, none = draw(pool, 3, FakeReward())
    assert len(candidates) == 30
    assert none.shape == (0, 2, candidates.looks.shape[-1])
    assert candidates.looks.reshape(60, -1).mean(0) == pytest.approx(0, abs=1e-5)
    _, same = draw(pool, 3, FakeReward(), candidates.pairs[:2])
    assert same.shape == (2, 2, candidates.looks.shape[-1])
    nothing, _ = draw(pool_of([]), 3, FakeReward())
    assert len(nothing) == 0


def test_large_observations_are_thinned_out():
    big = [trajectory(K, seed=i, obs_dim=20_000).segment(0, K) for i in range(2)]
    assert len(Yardstick.of(big).weight) <= 512
    assert Yardstick.of(big).difference([Query(big[0], big[1])]) > ALIKE
