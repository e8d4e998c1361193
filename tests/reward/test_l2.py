from __future__ import annotations

import pytest
import torch

from rl_teacher.reward.l2 import LEAST, MOST, AdaptiveL2

WEIGHT = torch.tensor([[1.0, 2.0, 0.0], [0.0, 1.0, 1.0]])


def after(train: float, held_out: float, n: int = 20) -> torch.Tensor:
    l2 = AdaptiveL2(2)
    for _ in range(n):
        l2.update(torch.where(WEIGHT > 0, train, held_out), WEIGHT)
    return l2.coefficient


def test_who_generalises_badly_is_held_back_and_who_could_learn_more_is_let_go():
    start = AdaptiveL2(2).coefficient
    assert (after(1.0, 1.6) > start).all()
    assert (after(1.0, 1.0) < start).all()
    assert torch.equal(after(1.0, 1.3), start)  # within the paper's bounds


def test_means_are_compared_whatever_the_sizes_of_the_sets():
    l2, start = AdaptiveL2(1), AdaptiveL2(1).coefficient
    each = torch.full((1, 10), 0.5)
    weight = torch.tensor([[1.0] * 9 + [0.0]])
    for _ in range(5):
        l2.update(torch.where(weight > 0, each, 1.3 * each), weight)
    assert torch.equal(l2.coefficient, start)  # sums would have a ratio of 0.14


def test_each_member_has_its_own():
    l2 = AdaptiveL2(2)
    each = torch.tensor([[1.0, 1.0, 2.0], [1.0, 1.0, 1.0]])
    for _ in range(5):
        l2.update(each, WEIGHT)
    assert l2.coefficient[0] > l2.coefficient[1]


def test_without_held_out_answers_nothing_changes():
    l2 = AdaptiveL2(1)
    l2.update(torch.ones(1, 3), torch.ones(1, 3))
    assert torch.equal(l2.coefficient, AdaptiveL2(1).coefficient)


def test_it_stays_in_bounds():
    assert float(after(1.0, 9.0, n=1_000).max()) == pytest.approx(MOST)
    assert float(after(1.0, 0.1, n=1_000).min()) == pytest.approx(LEAST)
