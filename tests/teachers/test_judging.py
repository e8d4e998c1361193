"""The faults of synthetic teachers are those that were asked for: recovered from what they say, within its chance."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_teacher.errors import NotFiniteError
from rl_teacher.labels import Verdict
from rl_teacher.teachers.judging import (
    FAULTLESS,
    WINDOW,
    FallibleJudge,
    make_judge,
    oracle,
    parse_teacher,
)
from rl_teacher.trajectory import Query, Segment

LEFT, RIGHT, TIE, ABSTAIN = Verdict.LEFT, Verdict.RIGHT, Verdict.TIE, Verdict.ABSTAIN
_ids = itertools.count()


def clip(rew: Sequence[float] | np.ndarray) -> Segment:
    """A segment with these true rewards, unlike all others."""
    k = len(rew)
    return Segment(np.full((k, 1), next(_ids), np.float32), np.zeros((k, 1), np.float32), np.array(rew, np.float64))


def pairs(rew: np.ndarray) -> list[Query]:
    """Questions about (n, 2, k) true rewards."""
    return [Query(clip(left), clip(right)) for left, right in rew]


def uniform(n: int, seed: int, low: float = 0.0, high: float = 10.0) -> np.ndarray:
    """(n, 2, 1): clips of one step."""
    return np.random.default_rng(seed).uniform(low, high, (n, 2, 1))


def said(faults: str, queries: Sequence[Query], seed: int = 0) -> list[Verdict]:
    judge = FallibleJudge(parse_teacher(faults), seed)
    judge.observe(queries)
    return [judge(query) for query in queries]


def share(verdicts: Sequence[Verdict], wanted: Verdict) -> float:
    return sum(verdict is wanted for verdict in verdicts) / len(verdicts)


def agrees(observed: float, expected: float, n: int) -> bool:
    """Whether a share of n lies in the interval that holds 99.9 % of binomial shares (normal, ± 3.29 deviations)."""
    return abs(observed - expected) <= 3.29 * math.sqrt(expected * (1 - expected) / n) + 1e-12


def bpref(rew: np.ndarray, skip: float, equal: float, gamma: float) -> list[Verdict]:
    """B-Pref's `get_label` without chances, on (n, 2, k) rewards; the running return is that of all of them."""
    sums = rew.sum(-1)
    margin = sums.mean()
    skipped = ~(sums.max(1) > skip * margin) if skip * margin > 0 else np.zeros(len(rew), bool)
    tied = np.abs(sums[:, 0] - sums[:, 1]) < equal * margin
    faded = rew.copy()
    for step in range(rew.shape[-1] - 1):
        faded[..., : step + 1] *= gamma
    right = faded[:, 0].sum(-1) < faded[:, 1].sum(-1)
    return [
        ABSTAIN if no else TIE if alike else RIGHT if second else LEFT
        for no, alike, second in zip(skipped, tied, right, strict=True)
    ]


# -- the oracle ---------------------------------------------------------------------------------------------------


def test_without_faults_it_is_the_oracle_and_takes_no_chances():
    assert make_judge(FAULTLESS, 0) is make_judge(parse_teacher("oracle"), 1) is oracle
    queries = pairs(np.random.default_rng(0).integers(-2, 3, (300, 2, 3)).astype(float))
    judge = FallibleJudge(FAULTLESS, 0)
    judge.observe(queries)
    before = judge.state()["rng"]
    assert [judge(query) for query in queries] == [oracle(query) for query in queries]
    assert judge.state()["rng"] == before


# -- rates ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("rate", [0.05, 0.1, 0.3, 0.5])
def test_mistakes_are_made_at_the_rate_asked_for(rate, seed):
    queries = pairs(uniform(3_000, seed))
    verdicts = said(f"mistake:{rate}", queries, seed)
    wrong = sum(verdict is not oracle(query) for verdict, query in zip(verdicts, queries, strict=True))
    assert agrees(wrong / len(queries), rate, len(queries))
    assert set(verdicts) == {LEFT, RIGHT}


def test_only_choices_are_mistaken():
    queries = pairs(np.ones((50, 2, 3)))
    assert set(said("mistake:1", queries)) == {TIE}
    queries = pairs(uniform(200, 0))
    turned = {LEFT: RIGHT, RIGHT: LEFT, TIE: TIE, ABSTAIN: ABSTAIN}
    right, wrong = (said(f"skip:0.8+equal:0.3+mistake:{rate}", queries) for rate in (0, 1))
    assert wrong == [turned[verdict] for verdict in right]
    assert set(right) == {LEFT, RIGHT, TIE, ABSTAIN}


def fitted(ahead: np.ndarray, left: np.ndarray) -> tuple[float, float]:
    """β of P[left] = σ(β ahead) by Newton's method on the likelihood, and its standard error."""
    beta, information = 0.0, math.inf
    for _ in range(50):
        p = 1 / (1 + np.exp(-beta * ahead))
        information = float((ahead**2 * p * (1 - p)).sum())
        beta += float((ahead * (left - p)).sum()) / information
    return beta, information**-0.5


@pytest.mark.parametrize(("beta", "size"), [(0.0, 1.0), (0.3, 1.0), (1.0, 0.001), (1.0, 1_000.0), (3.0, -20.0)])
def test_rationality_is_recovered_and_means_the_same_on_every_scale(beta, size):
    rew = size * (5 + np.random.default_rng(7).normal(size=(4_000, 2, 2)))
    queries = pairs(rew)
    left = np.array([verdict is LEFT for verdict in said(f"rational:{beta}", queries)])
    sums = rew.sum(-1)
    found, error = fitted((sums[:, 0] - sums[:, 1]) / sums.std(), left)
    assert abs(found - beta) < 3 * error
    assert error < 0.15


def test_rationality_without_bound_is_the_oracle():
    queries = pairs(uniform(100, 0))
    assert said("rational:1e9", queries) == [oracle(query) for query in queries]
    assert parse_teacher("rational:inf") == FAULTLESS


def test_rationality_of_a_myopic_teacher_is_in_units_of_what_it_sees():
    rew = np.random.default_rng(3).normal(size=(4_000, 2, 10))
    left = np.array([verdict is LEFT for verdict in said("rational:1+myopic:0.5", pairs(rew))])
    seen = rew @ 0.5 ** np.arange(9, -1, -1)
    found, error = fitted((seen[:, 0] - seen[:, 1]) / seen.std(), left)
    assert abs(found - 1) < 3 * error


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.9, 0.99])
def test_myopic_answers_follow_the_weighted_sums_exactly(gamma):
    rew = np.random.default_rng(1).normal(size=(1_000, 2, 20))
    verdicts = said(f"myopic:{gamma}", pairs(rew))
    seen = rew @ np.array([gamma ** (19 - t) for t in range(20)])
    assert verdicts == [LEFT if a > b else RIGHT for a, b in seen]
    unweighted = [LEFT if a > b else RIGHT for a, b in rew.sum(-1)]
    n_others = sum(one is not other for one, other in zip(verdicts, unweighted, strict=True))
    assert n_others >= {0.0: 200, 0.5: 200, 0.9: 100, 0.99: 10}[gamma]


def test_the_last_steps_weigh_most():
    early_or_late = Query(clip([1, 0, 0, 0]), clip([0, 0, 0, 1]))
    assert oracle(early_or_late) is TIE
    assert said("myopic:0.99", [early_or_late]) == [RIGHT]


@pytest.mark.parametrize("epsilon", [0.2, 0.5, 1.0])
def test_skip_and_equal_come_as_often_as_defined(epsilon):
    n = 4_000
    queries = pairs(uniform(n, 5))
    # R uniform on [0, 10]: m = 5. P[max < 5 ε] = (ε / 2)², P[|R¹ − R²| < 5 ε] = 1 − (1 − ε / 2)²
    assert agrees(share(said(f"skip:{epsilon}", queries), ABSTAIN), (epsilon / 2) ** 2, n)
    assert agrees(share(said(f"equal:{epsilon}", queries), TIE), 1 - (1 - epsilon / 2) ** 2, n)


def test_all_faults_together_keep_their_rates():
    n, (skip, equal, mistake) = 6_000, (0.6, 0.2, 0.1)
    rew = uniform(n, 11)
    verdicts = said(f"equal:{equal}+mistake:{mistake}+skip:{skip}+rational:2", pairs(rew))
    sums, left = rew.sum(-1), np.array([verdict is LEFT for verdict in verdicts])
    skipped = sums.max(1) < skip * sums.mean()
    tied = ~skipped & (np.abs(sums[:, 0] - sums[:, 1]) < equal * sums.mean())
    counts = Counter(verdicts)
    assert (counts[ABSTAIN], counts[TIE]) == (skipped.sum(), tied.sum())
    chosen = ~skipped & ~tied
    p = 1 / (1 + np.exp(-2 * (sums[:, 0] - sums[:, 1]) / sums.std()))
    p = p * (1 - mistake) + (1 - p) * mistake
    deviation = math.sqrt((p * (1 - p))[chosen].sum())
    better = np.where(sums[:, 0] > sums[:, 1], left, ~left)[chosen].sum()
    assert abs(better - np.maximum(p, 1 - p)[chosen].sum()) <= 3.29 * deviation


# -- thresholds -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("skip", "equal", "gamma"), [(0.1, 0.1, 0.9), (0.9, 0.0, 1.0), (0.0, 0.5, 1.0), (1, 0.3, 0.5)])
def test_where_returns_are_positive_it_judges_as_b_pref_does(skip, equal, gamma):
    rew = np.random.default_rng(2).gamma(0.3, size=(1_000, 2, 5))
    assert said(f"skip:{skip}+equal:{equal}+myopic:{gamma}", pairs(rew)) == bpref(rew, skip, equal, gamma)


def test_thresholds_follow_the_return():
    """When sums have grown tenfold, so have the thresholds; meanwhile the same pair is judged by the newest."""
    judge = FallibleJudge(parse_teacher("skip:1+equal:0.2"), 0)
    small, large = uniform(WINDOW, 3), 10 * uniform(WINDOW, 3)
    first = pairs(small)
    judge.observe(first)
    before = [judge(query) for query in first]
    second = pairs(large)
    judge.observe(second)
    assert [judge(query) for query in second] == before
    assert {judge(query) for query in first} == {ABSTAIN}, "what was good once is poor now"
    assert len(set(before)) == 4


def test_the_second_round_uses_the_same_epsilon_as_the_first():
    """B-Pref multiplied its thresholds by ε once more in every later round."""
    judge = FallibleJudge(parse_teacher("skip:0.5+equal:0.5"), 0)
    for _ in range(5):
        queries = pairs(uniform(500, 4))
        judge.observe(queries)
        counts = Counter(judge(query) for query in queries)
        assert counts[ABSTAIN] == Counter(said("skip:0.5", queries))[ABSTAIN] > 0
        assert agrees(counts[TIE] / (500 - counts[ABSTAIN]), 0.43, 500), "1 − (1 − ¼)², nearly all of it judged"


@given(st.sampled_from([0.25, 8.0, 1024.0]), st.floats(-20, 10), st.integers(0, 50))
def test_a_reward_in_other_units_is_judged_alike(factor, low, seed):
    rew = uniform(40, seed, low, low + 10)
    faults = "rational:1+myopic:0.9+mistake:0.1+skip:0.5+equal:0.1"
    assert said(faults, pairs(rew), seed) == said(faults, pairs(factor * rew), seed)


def test_below_zero_it_skips_as_many_as_above():
    """Reacher's rewards are −distance: B-Pref's thresholds would be negative, so that nothing is skipped and no tie."""
    n = 4_000
    below = said("skip:0.5", pairs(uniform(n, 6, -10, 0)))
    assert agrees(share(below, ABSTAIN), 0.25**2, n)
    assert said("skip:0.5", pairs(uniform(n, 6, -1010, -1000))) == below
    assert set(bpref(uniform(n, 6, -10, 0), 0.5, 0.5, 1)) == {LEFT, RIGHT}, "as it would have been"
    alike = said("equal:0.5", pairs(uniform(n, 6, -10, 0)))
    assert agrees(share(alike, TIE), 1 - 0.75**2, n)


def test_around_zero_something_is_always_judged():
    verdicts = said("skip:1+equal:1", pairs(uniform(1_000, 8, -5, 5)))
    assert min(Counter(verdicts)[verdict] for verdict in (LEFT, RIGHT, TIE, ABSTAIN)) > 50


def test_where_nothing_is_ever_rewarded_all_is_equal_and_nothing_skipped():
    assert set(said("rational+skip:1+equal:1+mistake", pairs(np.zeros((20, 2, 4))))) == {TIE}


def test_the_first_question_is_its_own_scale():
    """Alone, left is two standard deviations from right: P = σ(2β)."""
    n, right = 2_000, 0
    for seed in range(n):
        right += FallibleJudge(parse_teacher("rational:1"), seed)(Query(clip([0]), clip([7]))) is RIGHT
    assert agrees(right / n, 1 / (1 + math.exp(-2)), n)


# -- the same again -------------------------------------------------------------------------------------------------


def test_same_seed_same_answers_and_another_seed_others():
    queries = pairs(uniform(300, 9))
    one, again, other = (said("rational:1+mistake:0.2", queries, seed) for seed in (1, 1, 2))
    assert one == again != other


def test_a_reward_that_is_not_finite_is_refused_and_not_remembered():
    judge = FallibleJudge(parse_teacher("equal"), 0)
    judge.observe(pairs(uniform(5, 0)))
    before = judge.state()
    for bad in (math.nan, math.inf):
        with pytest.raises(NotFiniteError, match="not a number"):
            judge.observe([Query(clip([1.0, bad]), clip([0.0, 0.0]))])
    assert judge.state() == before
