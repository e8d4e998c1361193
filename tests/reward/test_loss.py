from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rl_teacher.reward.loss import agreement, calibration_error, prefer_left, preference_loss

sums = st.floats(-50, 50, allow_nan=False, width=32)


def loss_of(left, right, mu, error_rate=0.1):
    loss, _ = preference_loss(
        torch.tensor([[left]]), torch.tensor([[right]]), torch.tensor([mu]), torch.ones(1, 1), error_rate
    )
    return float(loss)


@pytest.mark.parametrize("mu", [(1.0, 0.0), (0.0, 1.0), (0.5, 0.5)], ids=["LEFT", "RIGHT", "TIE"])
def test_loss_equals_the_cross_entropy_by_hand(mu):
    left, right = 1.3, 0.4
    p = math.exp(left) / (math.exp(left) + math.exp(right))
    by_hand = -(mu[0] * math.log(p) + mu[1] * math.log(1 - p))
    assert loss_of(left, right, mu, error_rate=0.0) == pytest.approx(by_hand, rel=1e-5)
    p = 0.9 * p + 0.05
    by_hand = -(mu[0] * math.log(p) + mu[1] * math.log(1 - p))
    assert loss_of(left, right, mu) == pytest.approx(by_hand, rel=1e-5)


@given(sums, sums, st.sampled_from([(1.0, 0.0), (0.5, 0.5), (0.25, 0.75)]))
def test_swapping_sides_and_mu_changes_nothing(left, right, mu):
    assert loss_of(left, right, mu) == pytest.approx(loss_of(right, left, mu[::-1]), rel=1e-4, abs=1e-5)


@given(sums, sums, st.floats(-10, 10, width=32))
def test_a_constant_added_to_both_sums_changes_no_probability(left, right, constant):
    left, right, constant = (torch.tensor(x) for x in (left, right, constant))
    before, after = prefer_left(left, right, 0.1), prefer_left(left + constant, right + constant, 0.1)
    assert float(before) == pytest.approx(float(after), abs=1e-4)


@given(sums, sums)
def test_with_the_error_model_nothing_is_certain(left, right):
    p = float(prefer_left(torch.tensor(left), torch.tensor(right), 0.1))
    assert 0.05 - 1e-6 <= p <= 0.95 + 1e-6


def test_a_batch_gives_what_its_items_give_alone():
    generator = torch.Generator().manual_seed(0)
    left, right = torch.randn(1, 6, generator=generator), torch.randn(1, 6, generator=generator)
    mu = torch.tensor([[1.0, 0], [0, 1], [0.5, 0.5], [1, 0], [0, 1], [0.75, 0.25]])
    _, together = preference_loss(left, right, mu, torch.ones(1, 6), 0.1)
    alone = [
        preference_loss(left[:, i : i + 1], right[:, i : i + 1], mu[i : i + 1], torch.ones(1, 1), 0.1)[0]
        for i in range(6)
    ]
    assert torch.allclose(together[0], torch.stack(alone))


def test_held_out_comparisons_pull_at_nothing():
    left = torch.zeros(2, 3, requires_grad=True)
    weight = torch.tensor([[1.0, 0, 2], [0, 0, 0]])
    loss, _ = preference_loss(left, torch.zeros(2, 3), torch.tensor([[1.0, 0]] * 3), weight, 0.1)
    loss.backward()
    assert (left.grad[weight == 0] == 0).all()
    assert (left.grad[weight > 0] != 0).all()


def test_ties_do_not_count_as_mistakes():
    left, right = torch.tensor([[1.0, 1.0, 1.0]]), torch.zeros(1, 3)
    mu = torch.tensor([[1.0, 0], [0, 1], [0.5, 0.5]])
    assert agreement(left, right, mu, torch.ones(1, 3, dtype=torch.bool)) == 0.5
    assert math.isnan(agreement(left, right, mu, torch.tensor([[False, False, True]])))


def test_calibration_error_by_hand():
    p = torch.tensor([[0.85, 0.82, 0.15, 0.5]])
    mu = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0.5, 0.5]])
    everything = torch.ones(1, 4, dtype=torch.bool)
    assert calibration_error(p, mu, everything) == pytest.approx((0.33 + 0.15 + 0.0) / 4, abs=1e-6)
    assert calibration_error(mu[:, :1].T, mu, everything) == 0.0
    assert math.isnan(calibration_error(p, mu, ~everything))


@pytest.mark.parametrize("apart", [-200.0, -30.0, 30.0, 200.0])
def test_without_assumed_errors_the_loss_is_finite_and_still_has_a_slope_where_it_is_large(apart):
    left = torch.tensor([[apart]], requires_grad=True)
    loss, _ = preference_loss(left, torch.zeros(1, 1), torch.tensor([[1.0, 0.0]]), torch.ones(1, 1), 0.0)
    (slope,) = torch.autograd.grad(loss, left)
    assert float(loss.detach()) == pytest.approx(max(0.0, -apart), abs=1e-3)
    assert float(slope) == pytest.approx(-1.0 if apart < 0 else 0.0, abs=1e-3)
