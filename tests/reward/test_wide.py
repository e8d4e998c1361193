from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from rl_teacher.config import RewardConfig
from rl_teacher.reward.fit import FitData, fair_share
from rl_teacher.reward.loss import preference_loss
from rl_teacher.reward.networks import EnsembleMLP
from rl_teacher.reward.wide import PENALTIES, SparseTerms, _proximal, _slope, terms
from tests.reward.test_model import by_first_number, model


def answers(n: int, n_in: int, want, k: int = 6, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """x (n, 2, k, n_in) and μ by the sums of `want` (…, n_in) -> (…)."""
    x = torch.randn(n, 2, k, n_in, generator=torch.Generator().manual_seed(seed))
    sums = want(x).sum(-1)
    left = (sums[:, 0] > sums[:, 1]).float()
    return x, torch.stack((left, 1 - left), 1)


def bags(n_members: int, n: int) -> torch.Tensor:
    return torch.poisson(torch.ones(n_members, n), generator=torch.Generator().manual_seed(0))


def fitted(x: torch.Tensor, mu: torch.Tensor, n_members: int = 3) -> tuple[SparseTerms, torch.Tensor]:
    sparse = SparseTerms(n_members, x.shape[-1])
    return sparse, sparse.fit(x, mu, bags(n_members, len(x)), 0.1, torch.ones(x.shape[2]))


def test_of_many_inputs_it_finds_the_few_that_matter_and_the_shape_of_their_effect():
    x, mu = answers(100, 30, lambda x: x[..., 3] - x[..., 7].square())
    _, found = fitted(x, mu)
    mean = found.mean(0)
    strongest = mean.abs().argsort(descending=True)[:2].tolist()
    assert set(strongest) == {3, 30 + 7}
    assert mean[3] > 0 > mean[37]
    others = [i for i in range(60) if i not in (3, 37)]
    assert mean[others].abs().max() < 0.4 * mean[[3, 37]].abs().min()
    assert float((found == 0).float().mean()) > 0.5  # none, not little


def test_it_stands_at_the_minimum_of_what_it_claims_to_minimise():
    x, mu = answers(80, 5, lambda x: x[..., 0])
    sparse = SparseTerms(2, 5)
    weight = bags(2, 80)
    apart = terms(x).sum(2)[:, 0] - terms(x).sum(2)[:, 1]
    share = weight / weight.sum(1, keepdim=True)
    penalty = torch.tensor(PENALTIES)[:, None, None] * torch.linspace(1, 3, 10)
    best = sparse.every
    for _ in range(10):
        best = _proximal(best, apart, mu, share, 0.1, penalty)

    def cost(every: torch.Tensor) -> torch.Tensor:
        rows = []
        for w, dear in zip(every, penalty, strict=True):
            margin = w @ apart.T
            each = preference_loss(margin, torch.zeros_like(margin), mu, weight, 0.1)[1]
            rows.append((share * each).sum(1) + (dear * w.abs()).sum(1))
        return torch.stack(rows)

    at = cost(best)
    generator = torch.Generator().manual_seed(1)
    for size in (1e-3, 1e-2, 1e-1):
        for _ in range(20):
            step = size * torch.randn(best.shape, generator=generator)
            assert (cost(best + step) >= at - 1e-5).all()


def test_the_slope_is_the_derivative_of_the_loss():
    margin = torch.linspace(-6, 6, 25, dtype=torch.float64, requires_grad=True)
    for mu in (1.0, 0.0, 0.5, 0.75):
        both = torch.tensor([[mu, 1 - mu]], dtype=torch.float64).expand(25, 2)
        loss, _ = preference_loss(margin[None], torch.zeros(1, 25), both, torch.ones(1, 25), 0.1)
        (by_autograd,) = torch.autograd.grad(loss * 25, margin)
        assert torch.allclose(by_autograd, _slope(margin.detach(), both[:, 0], 0.1), atol=1e-9)


def test_r_hat_with_it_learns_from_fewer_answers():
    fresh = by_first_number(300, first=5_000)

    def share_right(wide: bool) -> float:
        r_hat = model(wide=wide)
        r_hat.fit(by_first_number(25), 300)
        sums = [[r_hat.predict(s.obs, s.act).sum() for s in (c.query.left, c.query.right)] for c in fresh]
        return float(np.mean([(a > b) == (c.mu[0] > 0.5) for (a, b), c in zip(sums, fresh, strict=True)]))

    assert share_right(wide=True) > share_right(wide=False) + 0.03
    assert share_right(wide=True) > 0.9


def test_the_network_is_added_where_it_helps_and_left_out_where_it_does_not():
    def share_of(net: EnsembleMLP, data: FitData) -> float:
        rows = data.x.reshape(-1, 3)
        flat, deep = (part(rows).reshape(2, *data.x.shape[:-1]) for part in (net.flat, net.deep))
        return fair_share(flat, deep, data, RewardConfig())

    net = EnsembleMLP(2, 3, (4,), torch.Generator().manual_seed(0), wide=True)
    assert net.wide is not None
    net.wide[:, 0] = 1.0
    x, mu = answers(200, 3, lambda x: x[..., 0])
    data = FitData(x, mu, bags(2, 200))
    with torch.no_grad():
        net.weights[-1].mul_(20)  # a loud network that has learned nothing
    assert share_of(net, data) == 0.0
    net.wide.zero_()
    taught = net.deep(x.reshape(-1, 3)).reshape(2, 200, 2, 6).sum(-1).mean(0)
    left = (taught[:, 0] > taught[:, 1]).float()
    assert share_of(net, FitData(x, torch.stack((left, 1 - left), 1), bags(2, 200))) > 0.0
    assert share_of(net, FitData(x, mu, torch.ones(2, 200))) == 1.0  # nothing is held out


def test_it_goes_on_from_a_checkpoint(tmp_path):
    first, second = model(wide=True), model(seed=1, wide=True)
    info = first.fit(by_first_number(40))
    assert info["network_share"] in (0.0, 0.25, 0.5, 0.75, 1.0)
    first.save(tmp_path)
    second.load(tmp_path)
    obs, act = 100 + np.random.default_rng(0).normal(size=(7, 3)), np.zeros((7, 2))
    assert np.array_equal(first.predict(obs, act), second.predict(obs, act))
    assert second._terms is not None
    assert first._terms is not None
    assert torch.equal(first._terms.every, second._terms.every)


def test_many_inputs_and_many_answers_are_a_matter_of_a_second():
    x, mu = answers(700, 105, lambda x: x[..., 0], k=30)
    sparse = SparseTerms(5, 105)
    began = time.perf_counter()
    sparse.fit(x, mu, bags(5, 700), 0.1, torch.ones(30))
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize("error_rate", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("mu", [(1.0, 0.0), (0.0, 1.0), (0.25, 0.75)])
def test_its_slope_is_that_of_the_loss_at_any_margin(mu, error_rate):
    margin = torch.tensor([[-300.0, -90, -20, -1, 0, 1, 20, 90, 300]], requires_grad=True)
    mus = torch.tensor([mu] * 9)
    loss, _ = preference_loss(margin, torch.zeros_like(margin), mus, torch.ones(1, 9), error_rate)
    (slope,) = torch.autograd.grad(9 * loss, margin)
    assert torch.allclose(_slope(margin.detach(), mus[:, 0], error_rate), slope, atol=1e-5)


def test_answers_that_nothing_contradicts_are_learned_from_without_assumed_errors():
    x, mu = answers(60, 4, lambda x: x[..., 0])
    sparse = SparseTerms(2, 4)
    found = sparse.fit(30.0 * x, mu, bags(2, 60), 0.0, torch.ones(6))
    assert bool(found.isfinite().all())
    assert bool((found[:, 0] > 0).all())
