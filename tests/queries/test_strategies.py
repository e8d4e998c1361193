from __future__ import annotations

import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_teacher.errors import UserError
from rl_teacher.queries.pool import SegmentPool
from rl_teacher.queries.scores import bits
from rl_teacher.queries.strategies import STRATEGIES, coverage, disagreement, entropy, information, make_strategy
from rl_teacher.trajectory import Source
from tests.fakes import FakeReward, trajectory
from tests.queries.worlds import Members, judged, level, pool_of

SCORED = ["disagreement", "entropy", "information", "coverage"]
LEVELS = [*np.linspace(-4, 4, 60)]


def gap(query) -> float:
    return abs(level(query.left) - level(query.right))


def test_disagreement_takes_the_pairs_the_members_dispute():
    """One member likes a high level, the other a low one: they dispute the pairs far apart most."""
    asked = disagreement(pool_of(LEVELS), 5, Members(lambda x: x, lambda x: -x), {})
    others = STRATEGIES["random"](pool_of(LEVELS), 50, FakeReward(), {})
    assert min(gap(q) for q in asked) > np.median([gap(q) for q in others])
    p = 1 / (1 + np.exp(-gap(asked[0])))
    assert asked[0].score == pytest.approx(np.var([p, 1 - p]))
    assert all(q.why == "disagreement" for q in asked)


def test_entropy_takes_near_ties_and_information_does_not():
    """Members that agree: what they call a toss-up teaches nothing about which of them is right."""
    agreeing = Members(lambda x: x, lambda x: x, n_fits=0)
    asked = entropy(pool_of(LEVELS), 5, agreeing, {})
    others = STRATEGIES["random"](pool_of(LEVELS), 50, FakeReward(), {})
    assert max(gap(q) for q in asked) < np.median([gap(q) for q in others])
    assert asked[0].score == pytest.approx(bits(np.array(1 / (1 + np.exp(gap(asked[0]))))))
    assert [q.score for q in information(pool_of(LEVELS), 5, agreeing, {})] == pytest.approx([0.0] * 5, abs=1e-9)


def test_information_is_a_bit_where_two_sure_members_contradict_each_other():
    asked = information(pool_of(LEVELS), 5, Members(lambda x: 50 * x, lambda x: -50 * x), {})
    assert asked[0].score == pytest.approx(1.0, abs=1e-3)
    assert all(q.why == "information" for q in asked)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_information_is_never_negative_nor_above_the_entropy(p):
    gain = bits(np.mean(p)) - bits(np.array(p)).mean()
    assert -1e-9 <= gain <= bits(np.mean(p)) + 1e-9 <= 1.0 + 2e-9


def test_coverage_asks_about_every_kind_of_behaviour():
    """Most clips look much the same; five kinds are rare."""
    rare = [10.0, -10.0, 20.0, -20.0, 30.0]
    pool = pool_of([*np.linspace(-0.5, 0.5, 30), *rare])
    seen = {round(level(s)) for q in coverage(pool, 8, FakeReward(), {}) for s in (q.left, q.right)}
    assert set(rare) <= seen


def test_coverage_leaves_out_what_was_answered():
    pool = pool_of([0.0, 1.0, 10.0, 11.0, 20.0, 21.0], noise=0.01)
    first = coverage(pool, 1, FakeReward(), {})
    again = coverage(pool, 1, FakeReward(), {q.id: judged(q) for q in first})
    assert again[0].score > 0.5
    assert first[0].id != again[0].id


@pytest.mark.parametrize("name", SCORED)
def test_a_batch_is_diverse(name):
    """One pair of kinds is disputed most and most unlike the rest, in many near-copies: a batch is not made of them."""
    levels = [*np.linspace(9.99, 10.01, 30), *np.linspace(-10.01, -9.99, 30), *np.linspace(-4, 4, 40)]
    asked = STRATEGIES[name](pool_of(levels), 8, Members(lambda x: x, lambda x: -0.9 * x), {})
    extreme = sum(gap(q) > 19 for q in asked)
    assert extreme <= 1
    keys = Counter(s.key for q in asked for s in (q.left, q.right))
    assert max(keys.values()) == 1


@pytest.mark.parametrize("name", [*STRATEGIES, "information+coverage", "sort+random"])
def test_why_and_score_are_kept(name):
    asked = make_strategy(name)(pool_of(LEVELS), 12, Members(lambda x: x, lambda x: -x), {})
    assert {q.why for q in asked} == set(name.split("+"))
    assert all(np.isfinite(q.score) for q in asked)
    assert all(type(q.score) is float for q in asked)


@given(
    st.lists(st.tuples(st.sampled_from(["random", "coverage", "entropy"]), st.floats(0.1, 10)), min_size=2, max_size=3),
    st.lists(st.integers(0, 5), min_size=1, max_size=12),
)
@settings(max_examples=40, deadline=None)
def test_mixtures_honour_their_shares_over_many_small_calls(parts, calls):
    parts = list(dict(parts).items())
    strategy = make_strategy("+".join(f"{part}:{weight!r}" for part, weight in parts))
    pool, given = pool_of(LEVELS), Counter()
    for n in calls:
        asked = strategy(pool, n, FakeReward(), {})
        assert len({q.id for q in asked}) == n
        pool.remember(q.id for q in asked)
        given.update(q.why for q in asked)
    total = sum(weight for _, weight in parts)
    for part, weight in parts:
        assert abs(given[part] - sum(calls) * weight / total) <= len(parts) - 1 + 1e-6


def test_equal_shares_take_turns():
    strategy = make_strategy("coverage + random")
    whys = [strategy(pool_of(LEVELS, seed=i), 1, FakeReward(), {})[0].why for i in range(6)]
    assert whys == ["coverage", "random"] * 3


def test_a_part_that_has_no_more_leaves_its_questions_to_the_others():
    def nothing(pool, n, reward, answers):
        return []

    STRATEGIES["nothing"] = nothing
    try:
        strategy = make_strategy("nothing+random")
    finally:
        del STRATEGIES["nothing"]
    assert [q.why for q in strategy(pool_of(LEVELS), 6, FakeReward(), {})] == ["random"] * 6


@pytest.mark.parametrize("name", ["disagreement+random", "sort+coverage", "entropy+entropy+random:0.5"])
def test_mixtures_never_repeat_a_pair(name):
    """A pool of 15 pairs in all, so that two parts want the same ones."""
    strategy, pool = make_strategy(name), pool_of(range(6))
    asked = [q.id for _ in range(6) for q in strategy(pool, 5, FakeReward(), {}) if not pool.remember([q.id])]
    assert len(set(asked)) == len(asked) == 15


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("best", "Unknown query strategy 'best'.*coverage, disagreement, entropy, information, random, sort"),
        ("information+cover", "Unknown query strategy 'cover'. Did you mean coverage"),
        ("information+", "Unknown query strategy ''"),
        ("", "Unknown query strategy ''"),
        ("random:0+entropy", "Weight '0' given in query strategy 'random:0.entropy'; allowed is a number above 0"),
        ("random:-1+entropy", "Weight '-1'"),
        ("random:nan+entropy", "Weight 'nan'"),
        ("random:inf+entropy", "Weight 'inf'"),
        ("random:much+entropy", "Weight 'much'"),
        ("random:+entropy", "Weight ''"),
        ("random:1:2", "Weight '1:2'"),
    ],
)
def test_names_that_cannot_be_used(name, told):
    with pytest.raises(UserError, match=told):
        make_strategy(name)


@pytest.mark.parametrize("name", STRATEGIES)
def test_nothing_is_asked_where_nothing_is_wanted_or_kept(name):
    assert STRATEGIES[name](pool_of(LEVELS), 0, FakeReward(), {}) == []
    assert STRATEGIES[name](pool_of([]), 5, FakeReward(), {}) == []


@pytest.mark.parametrize("name", STRATEGIES)
def test_two_hundred_questions_about_large_observations_take_little_time(name):
    """0.1–0.5 s on two busy cores; the bound is loose so that only another order of growth fails it."""
    pool = SegmentPool(60, 3, np.random.default_rng(0))
    pool.add([trajectory(1_000, seed=i, obs_dim=105, source=Source("run", 0, i)) for i in range(4)])
    reward = FakeReward()
    reward.n_fits = 1
    began = time.perf_counter()
    assert len(STRATEGIES[name](pool, 200, reward, {})) == 200
    assert time.perf_counter() - began < 3.0
