"""The figures of people against examples worked by hand, and what must hold of them whatever people say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_teacher.feedback.figures import (
    PRIOR_WRONG,
    Judgement,
    alpha_with_others,
    krippendorff_alpha,
    per_minute,
    random_share,
    wilson,
    wrong_shares,
)

UNITS = st.lists(st.lists(st.sampled_from("LRT"), min_size=1, max_size=4), max_size=12)


def units(*observers: str) -> list[list[str]]:
    """Rows of observers, one letter a unit and "." for none, as units."""
    return [[value for value in unit if value != "."] for unit in zip(*observers, strict=True)]


def test_alpha_of_krippendorffs_binary_example():
    """Krippendorff 2011, section A: 2 observers, 10 units, alpha = 0.095."""
    assert krippendorff_alpha(units("0100000010", "1110010000")) == pytest.approx(0.0952, abs=1e-4)


def test_alpha_of_krippendorffs_example_with_missing_data():
    """Krippendorff 2011, section C: 4 observers, 12 units, values missing, nominal alpha = 0.743."""
    rows = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
    assert krippendorff_alpha(units(*rows)) == pytest.approx(0.743, abs=5e-4)


def test_alpha_by_hand():
    """Three pairs, L-L, R-R, L-R: o_LL = o_RR = 2, o_LR = o_RL = 1; D_o = 2/6, D_e = 2·3·3/30: alpha = 4/9."""
    assert krippendorff_alpha([["L", "L"], ["R", "R"], ["L", "R"]]) == pytest.approx(4 / 9)


def test_no_alpha_without_pairs_or_without_variety():
    assert krippendorff_alpha([]) is None
    assert krippendorff_alpha([["L"], ["R"]]) is None
    assert krippendorff_alpha([["L", "L"], ["L", "L"]]) is None
    assert alpha_with_others([]) is None


@given(UNITS)
def test_alpha_is_at_most_one_and_one_only_for_perfect_agreement(values):
    alpha = krippendorff_alpha(values)
    if alpha is not None:
        perfect = all(len(set(unit)) == 1 for unit in values if len(unit) > 1)
        assert alpha <= 1 + 1e-9
        assert (alpha > 1 - 1e-9) is perfect


@given(UNITS, st.permutations("LRT"))
def test_alpha_does_not_care_for_order_or_names(values, names):
    renamed = [[dict(zip("LRT", names, strict=True))[value] for value in reversed(unit)] for unit in reversed(values)]
    before, after = krippendorff_alpha(values), krippendorff_alpha(renamed)
    assert before == after or math.isclose(before, after, abs_tol=1e-9)


@given(st.lists(st.tuples(st.sampled_from("LRT"), st.sampled_from("LRT")), max_size=20))
def test_between_two_people_each_agrees_with_the_other_as_both_do(values):
    both = krippendorff_alpha([list(unit) for unit in values])
    for mine in ([(a, [b]) for a, b in values], [(b, [a]) for a, b in values]):
        one = alpha_with_others(mine)
        assert one == both or math.isclose(one, both, abs_tol=1e-9)


def test_who_contradicts_everybody_agrees_least():
    said = {"ann": "LLRRLR", "bob": "LLRRLR", "cem": "RRLLRL"}
    alpha = {
        who: alpha_with_others([(own[n], [other[n] for name, other in said.items() if name != who]) for n in range(6)])
        for who, own in said.items()
    }
    assert alpha["cem"] < 0 < alpha["ann"] == alpha["bob"]


def test_wilson_by_hand():
    """8 of 10: (0.8 + 3.8415/20 ± 1.96 √(0.016 + 3.8415/400)) / 1.38415 = 0.490 to 0.943."""
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(0, 50), st.integers(1, 50))
def test_wilson_holds_the_share_and_mirrors(k, more):
    n = k + more
    low, high = wilson(k, n)
    assert 0 <= low <= k / n <= high <= 1
    assert wilson(n - k, n) == pytest.approx((1 - high, 1 - low))


def test_pace_leaves_breaks_out():
    assert per_minute([0, 6, 12, 1000, 1006]) == pytest.approx(10)
    assert per_minute([5]) is None
    assert per_minute([0, 1000]) is None


def judged(rng: np.random.Generator, wrong: dict[str, float], n: int) -> list[Judgement]:
    truth = rng.random(n) < 0.5
    return [
        Judgement(str(pair), who, bool(truth[pair] != (rng.random() < share)))
        for who, share in wrong.items()
        for pair in range(n)
    ]


def test_error_rates_are_recovered_from_answers_to_the_same_pairs():
    wrong = {"ann": 0.02, "bob": 0.1, "cem": 0.35}
    found = wrong_shares(judged(np.random.default_rng(0), wrong, 400))
    for who, share in wrong.items():
        assert found[who] == pytest.approx(share, abs=0.05)


def test_who_is_alone_is_held_for_as_good_as_anybody():
    alone = [Judgement(str(pair), "ann", True) for pair in range(200)]
    assert wrong_shares(alone)["ann"] == pytest.approx(PRIOR_WRONG, abs=2e-3)
    assert wrong_shares([]) == {}


def test_repeats_alone_tell():
    """Consistency (1-e)² + e² = 0.68 is e = 0.2."""
    pairs = [(True, pair % 100 < 68) for pair in range(400)]
    said = [Judgement(str(pair), "ann", left) for pair, both in enumerate(pairs) for left in both]
    assert wrong_shares(said)["ann"] == pytest.approx(0.2, abs=0.03)


def test_gold_alone_tells():
    said = [Judgement(str(pair), "ann", pair % 4 != 0) for pair in range(200)]
    known = {str(pair): True for pair in range(200)}
    assert wrong_shares(said, known)["ann"] == pytest.approx((50 + 1) / 220)


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab"), st.booleans()), max_size=40))
def test_error_rates_stay_between_never_and_as_by_chance(said):
    judgements = [Judgement(str(pair), who, left) for pair, who, left in said]
    mirrored = [Judgement(one.pair, one.person, not one.left) for one in judgements]
    found = wrong_shares(judgements)
    assert all(0 < share <= 0.5 for share in found.values())
    assert wrong_shares(mirrored) == pytest.approx(found)


def test_half_of_what_is_random_is_right():
    assert (random_share(0.0), random_share(0.1), random_share(0.7)) == (0.0, 0.2, 1.0)
