from __future__ import annotations

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch

from rl_teacher.config import RewardConfig
from rl_teacher.reward.frozen import FrozenReward
from rl_teacher.reward.model import RewardEnsemble
from rl_teacher.reward.pixels import EnsembleCNN
from rl_teacher.settings import reward_for
from rl_teacher.tensors import load_tensors
from rl_teacher.trajectory import Comparison, Query
from tests.screens import film, pair

ACT = gym.spaces.Discrete(2)
SMALL = replace(reward_for(RewardConfig(), pixels=True), members=2, dropout=0.0, lr=2e-3)


def model(shape: tuple[int, ...] = (48, 48), config: RewardConfig = SMALL, seed: int = 0) -> RewardEnsemble:
    return RewardEnsemble(gym.spaces.Box(0, 255, shape, np.uint8), ACT, config, seed)


def answered(n: int, seed: int = 0, k: int = 5) -> list[Comparison]:
    """Who is higher on the screen is better."""
    rng = np.random.default_rng(seed)
    pairs = [pair(rng, k=k) for _ in range(n)]
    better = [q.left.env_rew.sum() > q.right.env_rew.sum() for q in pairs]
    return [Comparison(q, np.array([left, 1 - left], np.float32)) for q, left in zip(pairs, better, strict=True)]


def fitted(**settings) -> RewardEnsemble:
    r_hat = model(config=replace(SMALL, **settings))
    r_hat.fit(answered(24), 25)
    return r_hat


def test_it_learns_what_the_answers_say_and_is_scaled():
    r_hat = model(config=replace(SMALL, bootstrap=False))
    info = r_hat.fit(answered(40), 50)
    assert info["accuracy"] > 0.85
    rng = np.random.default_rng(9)
    high, low = film(rng, 0.9), film(rng, 0.1)
    assert r_hat.predict(high.obs, high.act).mean() > r_hat.predict(low.obs, low.act).mean()
    every = np.concatenate([r_hat.predict(s.obs, s.act) for c in answered(40) for s in (c.query.left, c.query.right)])
    assert 0.02 < every.std() < 0.08  # 0.05, but for the mean over the members


@pytest.mark.parametrize("shape", [(48, 48), (4, 48, 56), (56, 48, 3), (1, 43, 43)])
def test_a_batch_gives_what_its_items_give_alone_in_every_layout(shape):
    r_hat = model(shape)
    obs = np.random.default_rng(0).integers(0, 255, (3, 2, *shape), dtype=np.uint8)
    act = np.zeros((3, 2), int)
    together = r_hat.predict(obs, act)
    assert together.shape == (3, 2)
    alone = [[float(r_hat.predict(obs[i, j], act[i, j])) for j in range(2)] for i in range(3)]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_members_differ_and_one_does_not_hear_of_the_other():
    net = EnsembleCNN(3, (4, 48, 48), torch.Generator().manual_seed(0))
    x = torch.randint(0, 255, (5, 4, 48, 48), dtype=torch.uint8)
    before = net(x)
    assert before.shape == (3, 5)
    assert (before[0] != before[1]).all()
    with torch.no_grad():
        for kernel in net.kernels:
            kernel[:16] += 1.0  # of the first member
    after = net(x)
    assert (after[0] != before[0]).all()
    assert torch.equal(after[1:], before[1:])


def test_the_first_convolution_reads_colours_as_such():
    obs = np.random.default_rng(0).integers(0, 255, (2, 48, 56, 3), dtype=np.uint8)
    net = EnsembleCNN(1, (48, 56, 3), torch.Generator().manual_seed(0))
    first = EnsembleCNN(1, (3, 48, 56), torch.Generator().manual_seed(0))
    moved = torch.from_numpy(np.moveaxis(obs, -1, 1).copy())
    torch.testing.assert_close(net(torch.from_numpy(obs)), first(moved))


def test_nothing_is_left_out_and_nothing_noted_while_predicting():
    r_hat = fitted(dropout=0.5)
    obs = film(np.random.default_rng(3), 0.5).obs
    act = np.zeros(5, int)
    said = r_hat.predict(obs, act)
    noted = {name: value.clone() for name, value in r_hat._net.state_dict().items()}
    np.testing.assert_array_equal(r_hat.predict(obs, act), said)
    assert all(torch.equal(value, noted[name]) for name, value in r_hat._net.state_dict().items())


def test_saved_equals_loaded_and_goes_on_in_the_same_way(tmp_path):
    r_hat, other = fitted(), model(seed=1)
    r_hat.save(tmp_path)
    other.load(tmp_path)
    other._seed = r_hat._seed
    for one in (r_hat, other):
        one.fit(answered(26), 2)
    obs, act = film(np.random.default_rng(3), 0.5).obs, np.zeros(5, int)
    np.testing.assert_array_equal(r_hat.predict(obs, act), other.predict(obs, act))


def test_votes_are_those_of_the_sums():
    r_hat = fitted()
    rng = np.random.default_rng(5)
    asked = [pair(rng) for _ in range(20)]  # more than are stacked at a time
    votes = r_hat.votes(asked)
    swapped = r_hat.votes([Query(q.right, q.left) for q in asked])
    assert votes.shape == (2, 20)
    np.testing.assert_allclose(votes, 1 - swapped, atol=1e-5)


def test_only_the_newest_answers_count():
    r_hat = model(config=replace(SMALL, newest=10))
    assert r_hat.fit(answered(14), 1)["comparisons"] == 10


def test_frozen_says_the_same_as_a_module_and_as_onnx(tmp_path):
    r_hat = fitted()
    r_hat.save(tmp_path)
    tensors = {name.removeprefix("net."): t for name, t in load_tensors(tmp_path / "reward.safetensors").items()}
    named = {f"net.{n}": tensors[n] for n in r_hat._net.state_dict()} | {
        n: tensors[n] for n in ("in_mean", "in_std", "out_mean", "out_std")
    }
    frozen = FrozenReward.of(named, r_hat.config, 48 * 48, ACT, (48, 48)).eval()
    obs, act = film(np.random.default_rng(3), 0.5).obs, np.zeros(5, int)
    said = frozen(torch.from_numpy(np.array(obs)), torch.from_numpy(act)).detach().numpy()
    np.testing.assert_allclose(said, r_hat.predict(obs, act), atol=1e-6)
    reference = pytest.importorskip("onnx.reference")
    from rl_teacher.onnx_form import write_onnx

    write_onnx(frozen, (48, 48), ACT, tmp_path / "r.onnx")
    (rew,) = reference.ReferenceEvaluator(str(tmp_path / "r.onnx")).run(None, {"obs": np.array(obs), "act": act})
    np.testing.assert_allclose(rew, said, atol=1e-5)
