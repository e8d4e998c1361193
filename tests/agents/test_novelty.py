"""What is worth seeking before anybody is asked."""

from __future__ import annotations

import math

import gymnasium as gym
import numpy as np
import pytest
import torch

from rl_teacher.agents.novelty import NEIGHBOURS, SAMPLE, Novelty, log_distance
from rl_teacher.agents.ppo import PPO
from rl_teacher.agents.replay import FollowingReplay
from rl_teacher.config import PPOConfig
from rl_teacher.envs.stage import random_actions
from rl_teacher.protocols import VecStep
from tests.agents.kinds import agent, weights

ACT = np.zeros((1, 2), dtype=np.float32)


class Plane:
    """Points that are pushed about: obs (x, y) in [-10, 10]², moved by up to 0.5 a step, from (0, 0) for 100."""

    def __init__(self, n_envs: int = 8) -> None:
        self.n_envs = n_envs
        self.obs_space = gym.spaces.Box(-10, 10, (2,), np.float32)
        self.act_space = gym.spaces.Box(-1, 1, (2,), np.float32)
        self.cells: set[tuple[int, int]] = set()
        self.reset()

    def reset(self, seed: int | None = None) -> np.ndarray:
        self._at, self._t = np.zeros((self.n_envs, 2), dtype=np.float32), 0
        return self._at.copy()

    def step(self, act: np.ndarray) -> VecStep:
        self._t += 1
        if self._t == 101:
            over = np.zeros(self.n_envs, dtype=bool)
            return VecStep(self.reset(), np.full(self.n_envs, np.nan), over, over)
        self._at = np.clip(self._at + 0.5 * act, -10, 10).astype(np.float32)
        self.cells |= {(int(x), int(y)) for x, y in np.floor(self._at)}
        over = np.full(self.n_envs, self._t == 100)
        return VecStep(self._at.copy(), np.full(self.n_envs, np.nan), ~over & over, over)

    def renew(self) -> np.ndarray:
        return self.reset()

    def close(self) -> None: ...


def test_the_reward_is_the_log_of_the_distance_to_the_kth_neighbour():
    known = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0], [6.0, 8.0]])
    states = torch.tensor([[0.0, 0.0], [0.0, 3.0], [6.0, 8.0]])
    # of (0, 0), itself left out: 1, 5, 10; of (0, 3), which is not known: 2, 3, √10, √61; of (6, 8): 5, √85, 10
    assert log_distance(states, known, 2).tolist() == pytest.approx([math.log(5), math.log(3), math.log(math.sqrt(85))])
    assert log_distance(states, known, 1).tolist() == pytest.approx([math.log(1), math.log(2), math.log(5)])


def test_over_what_was_seen_it_has_mean_0_and_deviation_1_and_what_is_far_is_worth_more():
    novelty, rng = Novelty(Plane(), 0), np.random.default_rng(0)
    assert not novelty(np.zeros((3, 2), dtype=np.float32), ACT).any()
    seen = rng.normal(size=(600, 2)).astype(np.float32)
    novelty.see(seen)
    rew = novelty(seen.reshape(6, 100, 2), ACT)
    assert rew.shape == (6, 100)
    assert rew.mean() == pytest.approx(0, abs=1e-3)
    assert rew.std() == pytest.approx(1, abs=1e-2)
    near, far = novelty(np.array([[0, 0], [8, 8]], dtype=np.float32), ACT)
    assert far > rew.max() > near


def test_where_nothing_moves_it_stays_finite():
    novelty = Novelty(Plane(), 0)
    novelty.see(np.zeros((50, 2), dtype=np.float32))
    assert np.isfinite(novelty(np.array([[0, 0], [1, 1]], dtype=np.float32), ACT)).all()


def test_every_state_is_in_the_sample_with_the_same_chance():
    novelty = Novelty(Plane(), 0)
    for first in range(0, 10 * SAMPLE, 8):
        novelty.see(np.repeat(np.arange(first, first + 8, dtype=np.float32)[:, None], 2, 1))
    assert len(np.unique(novelty._sample[:, 0])) == SAMPLE
    tenths = np.histogram(novelty._sample[:, 0], 10, (0, 10 * SAMPLE))[0]
    assert (abs(tenths - SAMPLE / 10) < 40).all()  # four standard deviations


def test_it_is_the_same_function_until_a_quarter_more_was_seen():
    novelty, rng = Novelty(Plane(), 0), np.random.default_rng(0)
    asked = rng.normal(size=(20, 2)).astype(np.float32)
    novelty.see(rng.normal(size=(100, 2)).astype(np.float32))
    first = novelty(asked, ACT)
    novelty.see(rng.normal(size=(24, 2)).astype(np.float32))
    assert np.array_equal(novelty(asked, ACT), first)
    novelty.see(rng.normal(size=(1, 2)).astype(np.float32))
    assert not np.array_equal(novelty(asked, ACT), first)


def test_saved_and_loaded_it_goes_on_as_if_nothing_had_been(tmp_path):
    one, other, rng = Novelty(Plane(), 1), Novelty(Plane(), 2), np.random.default_rng(0)
    seen = rng.normal(size=(4 * SAMPLE, 2)).astype(np.float32)
    one.see(seen[: 2 * SAMPLE])
    one(seen[:9], ACT)
    one.save(tmp_path)
    other.load(tmp_path)
    for novelty in (one, other):
        novelty.see(seen[2 * SAMPLE :])
    assert np.array_equal(one(seen[:99], ACT), other(seen[:99], ACT))


def test_an_agent_that_seeks_it_gets_about_more_than_chance_does():
    chance, sought, n_steps = Plane(), Plane(), 30_000
    rng = np.random.default_rng(0)
    for _ in range(n_steps // chance.n_envs):
        chance.step(random_actions(chance.act_space, chance.n_envs, rng))
    novelty = Novelty(sought, 0)
    learner = PPO(novelty, PPOConfig(n_envs=8, n_steps=200, minibatch=256, log_std_init=-0.5), 0)
    learner.train(n_steps, novelty)
    assert len(sought.cells) > 1.5 * len(chance.cells)
    assert all(bool(torch.isfinite(weight).all()) for weight in learner.policy.parameters())  # blind: env_rew was NaN


def test_the_critic_begins_anew_when_r_hat_takes_its_place_and_not_before():
    learner = agent("sb3:SAC", reset_critic=True, poisoned=True)
    novelty = Novelty(learner.env.inner, 0)
    learner.env.inner = novelty
    for _ in range(3):
        learner.train(96, novelty)
    assert learner.replay.n_relabelled == 2, "as more is known, all that was done is worth something else"
    assert learner._critic_is_due
    before = weights(learner)
    with learner.dice:
        learner._follow(lambda obs, act: obs[..., 0])
    assert not learner._critic_is_due
    after = weights(learner)
    changed = {name for name, value in before.items() if not torch.equal(value, after.get(name, value))}
    assert any("critic" in name for name in changed)
    assert not any("actor" in name for name in changed)
    assert np.allclose(
        learner.replay.rewards[: learner.replay.size()], learner.replay.observations[: learner.replay.size(), :, 0]
    )


def test_hardly_anything_seen_is_no_reason_for_a_reward():
    novelty = Novelty(Plane(), 0)
    novelty.see(np.arange(2 * NEIGHBOURS, dtype=np.float32).reshape(-1, 2))
    assert not novelty(np.ones((4, 2), dtype=np.float32), ACT).any()


def test_a_replay_is_given_anew_so_seldom_that_each_step_is_rewarded_a_few_times_in_all():
    novelty, rng, asked = Novelty(Plane(), 0), np.random.default_rng(0), []

    def counted(obs: np.ndarray, act: np.ndarray) -> np.ndarray:
        asked.append(obs.size // 2)
        return novelty(obs, act)

    spaces = novelty.obs_space, novelty.act_space
    replay = FollowingReplay(20_000, *spaces, device="cpu", n_envs=8)
    replay.to_env = lambda act: act
    replay.restart(0)
    for _ in range(20):
        replay.follow(counted)
        for _ in range(16):
            for _ in range(8):
                obs = rng.normal(size=(8, 2)).astype(np.float32)
                novelty.see(obs)
                replay.add(obs, obs, np.zeros((8, 2)), np.zeros(8), np.zeros(8), [{}] * 8)
            replay.price_new()
    assert sum(asked) < 8 * 20 * 1_024
    assert replay.n_relabelled > 5
