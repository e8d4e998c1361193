"""The replay follows r̂ as a whole, also when its ring has wrapped."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from rl_teacher.agents.replay import FollowingReplay
from rl_teacher.errors import NotFiniteError
from tests.agents.kinds import agent, weights

N, ROWS = 2, 10


def ring(**settings: float) -> FollowingReplay:
    """Room for ten steps of two environments, whose actions are doubled before r̂ sees them."""
    spaces = gym.spaces.Box(-np.inf, np.inf, (2,)), gym.spaces.Box(-1, 1, (1,))
    replay = FollowingReplay(N * ROWS, *spaces, device="cpu", n_envs=N)
    replay.to_env = lambda act: 2 * act
    replay.restart(0)
    for name, value in settings.items():
        setattr(replay, name, value)
    return replay


def play(replay: FollowingReplay, first: int, n: int, ends: tuple[int, ...] = ()) -> None:
    """Steps first … first + n - 1 of both environments: obs = (step, environment), act = step / 100."""
    for t in range(first, first + n):
        obs = np.array([[t, i] for i in range(N)], dtype=np.float32)
        over = np.full(N, t in ends)
        following = obs + np.array([1000 if t in ends else 1, 0])
        replay.add(obs, following, np.full((N, 1), t / 100), np.zeros(N), over, [{"TimeLimit.truncated": False}] * N)


def r1(obs: np.ndarray, act: np.ndarray) -> np.ndarray:
    return obs[..., 0] + 0.25 * obs[..., 1] + act[..., 0]


def r2(obs: np.ndarray, act: np.ndarray) -> np.ndarray:
    return -r1(obs, act)


def fresh(replay: FollowingReplay, reward) -> np.ndarray:
    return reward(replay.observations, 2 * replay.actions)[: replay.size()]


@pytest.mark.parametrize("n_steps", [4, ROWS, 2 * ROWS + 3])
def test_after_a_new_model_every_reward_is_its_also_where_the_ring_has_wrapped(n_steps):
    replay = ring()
    assert not replay.follow(r1)
    play(replay, 0, n_steps)
    replay.sample(4)
    assert replay.full == (n_steps >= ROWS)
    assert np.allclose(replay.rewards[: replay.size()], fresh(replay, r1))
    assert replay.follow(r2)
    assert np.allclose(replay.rewards[: replay.size()], fresh(replay, r2))
    play(replay, n_steps, 3)
    replay.sample(4)
    assert np.allclose(replay.rewards[: replay.size()], fresh(replay, r2))


def test_the_same_model_is_recognised_and_costs_nothing():
    replay = ring()
    replay.follow(r1)
    play(replay, 0, 25)
    replay.sample(4)
    for _ in range(3):
        assert not replay.follow(lambda obs, act: r1(obs, act))
    assert replay.n_relabelled == 0


def test_no_drawn_reward_is_missing():
    replay = ring()
    replay.follow(r1)
    for first in range(0, 60, 3):
        play(replay, first, 3)
        drawn = replay.sample(64)
        assert np.allclose(drawn.rewards[:, 0], r1(drawn.observations.numpy(), 2 * drawn.actions.numpy()))


def test_what_is_new_is_rewarded_in_one_call():
    calls: list[int] = []

    def counted(obs: np.ndarray, act: np.ndarray) -> np.ndarray:
        calls.append(len(obs))
        return r1(obs, act)

    replay = ring()
    replay.follow(counted)
    play(replay, 0, 4)
    replay.sample(4)
    calls.clear()
    play(replay, 4, 3)
    for _ in range(5):
        replay.sample(4)
    assert calls == [3 * N]


def test_the_share_of_recent_play_is_as_set():
    replay = ring(recent_share=0.5, recent_steps=2 * N)
    replay.follow(r1)
    play(replay, 0, 2 * ROWS + 3)
    steps = replay.sample(4_000).observations[:, 0].numpy()
    newest = np.isin(steps, [2 * ROWS + 1, 2 * ROWS + 2]).mean()
    assert newest == pytest.approx(0.5 + 0.5 * 0.2, abs=0.03)
    assert set(steps) == set(range(ROWS + 3, 2 * ROWS + 3))
    replay.recent_share = 0.0
    assert np.isin(replay.sample(4_000).observations[:, 0], [21, 22]).mean() == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize("n_steps", [1, 7, ROWS, 2 * ROWS + 3])
def test_saved_and_put_back_it_is_the_same_oldest_first(n_steps):
    replay, other = ring(recent_share=0.5), ring(recent_share=0.5)
    replay.follow(r1)
    play(replay, 0, n_steps, ends=(2, 15))
    replay.sample(4)
    play(replay, n_steps, 2)
    other.restore(load(save(replay.state())))
    other.follow(r1)
    assert other.n_relabelled == 0, "the same model is recognised after a restart"
    order = (np.arange(replay.size()) + (replay.pos if replay.full else 0)) % ROWS
    for name in ("observations", "next_observations", "actions", "dones", "timeouts"):
        assert np.array_equal(getattr(replay, name)[order], getattr(other, name)[: other.size()]), name
    for held in (replay, other):
        held.price_new()
        play(held, n_steps + 2, 4)
        held.sample(4)
    assert np.allclose(fresh(other, r1), other.rewards[: other.size()])
    assert other.size() == replay.size()


def test_a_checkpoint_holds_each_observation_once():
    replay = ring()
    play(replay, 0, ROWS, ends=(4,))
    state = replay.state()
    assert state["obs"].shape == (ROWS, N, 2)
    assert len(state["others"]) == 2 * N  # the end, and the newest row


def test_a_replay_that_does_not_fit_is_refused():
    replay, small = ring(), FollowingReplay(4, *(gym.spaces.Box(-1, 1, (n,)) for n in (2, 1)), n_envs=N)
    play(replay, 0, 5)
    small.restart(0)
    with pytest.raises(ValueError, match="5 rows for a ring of 2"):
        small.restore(replay.state())


def test_a_reward_that_is_not_finite_is_named_in_both_modes():
    replay = ring()
    replay.follow(lambda obs, act: np.full(len(obs), np.inf))
    play(replay, 0, 3)
    with pytest.raises(NotFiniteError, match="not finite in 6 of 6"):
        replay.sample(4)


@pytest.mark.parametrize("name", ["sb3:SAC", "sb3:TD3", "sb3:TQC", "sb3:CrossQ", "sb3:DQN"])
def test_the_critic_begins_anew_once_when_the_model_changes_and_only_if_asked(name):
    def policy(learner) -> dict[str, torch.Tensor]:
        return {key: value for key, value in weights(learner).items() if key.startswith("policy.actor.")}

    kept, reset = agent(name), agent(name, reset_critic=True)
    for learner in (kept, reset):
        learner.train(160, r1_of_obs)
        before = weights(learner)
        actor = policy(learner)
        with learner.dice:
            learner._follow(r2_of_obs)
        changed = {key for key, value in weights(learner).items() if not torch.equal(value, before.get(key, value))}
        if learner is kept:
            assert not changed
        else:
            assert any(("critic" if name != "sb3:DQN" else "q_net") in key for key in changed)
            assert all(torch.equal(actor[key], value) for key, value in policy(learner).items())
        settled = weights(learner)
        with learner.dice:
            learner._follow(r1_of_obs)
        assert all(torch.equal(settled[key], value) for key, value in weights(learner).items())
        learner.train(64, r1_of_obs)


def r1_of_obs(obs: np.ndarray, act: np.ndarray) -> np.ndarray:
    return obs[..., 0]


def r2_of_obs(obs: np.ndarray, act: np.ndarray) -> np.ndarray:
    return -obs[..., 0]


@pytest.mark.parametrize("name", ["sb3:SAC", "sb3:DQN"])
def test_an_agents_whole_replay_has_the_rewards_of_the_newest_model_after_it_has_wrapped(name):
    learner = agent(name, capacity=200)
    learner.train(480, r1_of_obs)
    assert learner.replay.full
    learner.train(64, r2_of_obs)
    assert np.allclose(learner.replay.rewards, -learner.replay.observations[..., 0])
