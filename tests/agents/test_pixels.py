from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from rl_teacher.agents.ppo import PPO
from rl_teacher.agents.registry import KINDS, check_fit
from rl_teacher.envs.make import make_vec
from rl_teacher.envs.tasks import resolve
from rl_teacher.errors import UserError
from rl_teacher.settings import PIXELS, ppo_for
from tests import screens
from tests.agents.test_ppo import Poisoned

SMALL = replace(ppo_for(PIXELS), n_envs=4, n_steps=16, shortest=4, minibatch=32, epochs=2, hidden=(16,))
SPEC = resolve(f"gym:{screens.__name__}:Screen-v0")


def agent(poisoned: bool = False, seed: int = 0) -> PPO:
    env = make_vec(SPEC, SMALL.n_envs, 3, 1)
    return PPO(Poisoned(env) if poisoned else env, SMALL, seed)


def weights(ppo: PPO) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in ppo._params])


def brightness(obs: np.ndarray, act: np.ndarray) -> np.ndarray:
    """Of the upper half."""
    assert obs.dtype == np.uint8  # pictures stay what they are until a network sees them
    return obs[..., :42, :].mean((-1, -2)) / 255


def test_blindness_a_nan_in_env_rew_changes_no_weight():
    honest, blind = agent(), agent(poisoned=True)
    before = weights(blind)
    honest.train(128, brightness)
    blind.train(128, brightness)
    assert torch.equal(weights(honest), weights(blind))
    assert torch.isfinite(weights(blind)).all()
    assert not torch.equal(before, weights(blind))


def test_it_learns_to_move_the_square_up():
    ppo = agent()
    first = ppo.train(64, brightness)["rew_mean"]
    ppo.train(3_000, brightness)
    last = ppo.train(256, brightness)["rew_mean"]
    assert last > 1.3 * first


def test_saved_equals_loaded(tmp_path):
    one, other = agent(), agent(seed=5)
    one.train(64, brightness)
    one.save(tmp_path)
    other.load(tmp_path)
    obs = np.random.default_rng(0).integers(0, 255, (6, 84, 84), dtype=np.uint8)
    np.testing.assert_array_equal(one.act(obs, explore=False), other.act(obs, explore=False))
    np.testing.assert_array_equal(one.act(obs, explore=True), other.act(obs, explore=True))


@pytest.mark.parametrize("name", sorted(set(KINDS) - {"ppo"}))
def test_agents_of_others_are_refused_in_a_line(name):
    with pytest.raises(UserError, match="observations are pictures; only our own PPO"):
        check_fit(name, "atari:Pong", (6,), pixels=True)
