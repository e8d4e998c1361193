"""SB3 resets at once, we on the step after: nothing may be learned across a reset, and no end be told wrongly."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from rl_teacher.agents.blind import BlindVec
from rl_teacher.agents.networks import RunningNorm
from rl_teacher.envs.make import make_vec
from rl_teacher.envs.tasks import resolve
from rl_teacher.errors import NotFiniteError
from rl_teacher.protocols import VecStep
from tests.agents.kinds import BOX, CHOICE, agent, by_obs


class Counting:
    """Environment i counts its episodes and steps: obs = (i, episode, step). It ends after i + 2 steps, the even ones
    by themselves, the odd ones by the clock."""

    def __init__(self, n_envs: int = 3) -> None:
        self.n_envs = n_envs
        self.obs_space = gym.spaces.Box(-np.inf, np.inf, (3,), np.float32)
        self.act_space = gym.spaces.Box(-2.0, 6.0, (1,), np.float32)
        self.acts: list[np.ndarray] = []

    def reset(self, seed: int | None = None) -> np.ndarray:
        self._episode, self._step = np.zeros((2, self.n_envs))
        self._over = np.zeros(self.n_envs, dtype=bool)
        return self._obs()

    def _obs(self) -> np.ndarray:
        return np.stack([np.arange(self.n_envs), self._episode, self._step], 1).astype(np.float32)

    def step(self, act: np.ndarray) -> VecStep:
        assert not self._over.any(), "stepped although it is over"
        self.acts.append(act)
        self._step += 1
        self._over = self._step == np.arange(self.n_envs) + 2
        even = np.arange(self.n_envs) % 2 == 0
        return VecStep(self._obs(), np.full(self.n_envs, np.nan), self._over & even, self._over & ~even)

    def renew(self) -> np.ndarray:
        self._episode[self._over] += 1
        self._step[self._over] = 0
        started, self._over = self._obs()[self._over], np.zeros(self.n_envs, dtype=bool)
        return started

    def close(self) -> None:
        pass


def test_the_last_observation_is_told_and_the_next_episode_begins_at_once():
    vec = BlindVec(Counting())
    vec.reset()
    for t in range(1, 13):
        obs, rew, dones, infos = vec.step(np.zeros((3, 1)))
        assert (rew == 0).all()
        for i in range(3):
            length = i + 2
            assert dones[i] == (t % length == 0)
            assert obs[i].tolist() == [i, t // length, t % length]
            if dones[i]:
                assert infos[i]["terminal_observation"].tolist() == [i, t // length - 1, length]
                assert infos[i]["TimeLimit.truncated"] == (i == 1)
            else:
                assert not infos[i]


def test_actions_are_stretched_and_clipped():
    inner = Counting()
    vec = BlindVec(inner)
    vec.reset()
    vec.step(np.array([[-1.0], [0.0], [7.0]]))
    assert inner.acts[0].ravel().tolist() == [-2.0, 2.0, 6.0]


def test_what_sb3_sees_is_normalised_and_what_is_on_the_tape_is_raw():
    norm = RunningNorm((3,))
    norm.update(np.random.default_rng(0).normal(3.0, 2.0, size=(100, 3)))
    vec = BlindVec(Counting(), norm, tape=True)
    first = vec.reset()
    raw = np.array([[i, 0, 0] for i in range(3)], dtype=np.float32)
    assert np.allclose(first, norm(raw).numpy())
    for _ in range(2):
        _, _, _, infos = vec.step(np.zeros((3, 1)))
    assert np.allclose(infos[0]["terminal_observation"], norm(np.float32([0, 0, 2])).numpy())
    obs, act, env_rew = vec.take()
    assert obs[0].tolist() == raw.tolist()
    assert (obs.shape, act.shape) == ((2, 3, 3), (2, 3, 1))
    assert np.isnan(env_rew).all()


def test_an_observation_that_is_not_finite_is_named():
    inner = Counting()
    vec = BlindVec(inner)
    vec.reset()
    inner._obs = lambda: np.full((3, 3), np.inf, dtype=np.float32)
    with pytest.raises(NotFiniteError, match="environment 0 of 3"):
        vec.step(np.zeros((3, 1)))


@pytest.mark.parametrize("backend", ["envpool", "gymnasium"])
def test_renewed_environments_play_on_as_those_that_reset_by_themselves(backend):
    """Step by step the same episodes, for the same actions, only without the step of the reset."""
    spec = resolve("ShortHopper-v1")
    waits, renews = (make_vec(spec, 2, 5, 1, backend, staggered=True) for _ in range(2))
    act = np.random.default_rng(0).uniform(-1, 1, size=(700, 2, 3)).astype(np.float32)
    assert np.array_equal(waits.reset(), renews.reset())
    for i in range(2):  # the copies wait at different steps: follow one at a time
        waits.reset(9), renews.reset(9)
        t, n_ends = 0, 0
        while t < 650:
            left = waits.step(act[t])
            right = renews.step(act[t])
            assert np.array_equal(left.obs[i], right.obs[i])
            assert left.truncated[i] == right.truncated[i]
            over = right.truncated
            started = renews.renew() if over.any() else None
            t += 1
            if over[i]:
                n_ends += 1
                assert started is not None
                again = waits.step(act[t])
                assert np.array_equal(again.obs[i], started[int(over[:i].sum())])
        assert n_ends >= 2


def test_no_transition_in_the_replay_leads_across_a_reset():
    learner = agent("sb3:SAC", env_id="Reacher-v1")
    learner.train(800, by_obs)
    replay = learner.replay
    rows = range(replay.size())
    target = slice(4, 6)  # a reacher's target stays where it is for an episode
    for t in rows:
        assert np.array_equal(replay.observations[t][:, target], replay.next_observations[t][:, target])
    assert replay.dones.sum() >= 8
    assert np.array_equal(replay.dones, replay.timeouts)  # all by the clock: what comes after still counts
    ends = replay.sample(256).dones
    assert not ends.any()


def test_a_termination_is_one_in_the_replay():
    learner = agent("sb3:DQN")
    learner.train(800, by_obs)
    replay = learner.replay
    assert replay.dones.sum() >= 8
    assert not replay.timeouts.any()
    assert replay.sample(512).dones.any()


@pytest.mark.parametrize(("env_id", "clock"), [(BOX, True), (CHOICE, False)])
def test_only_the_clock_leaves_the_value_of_what_would_have_come(env_id, clock):
    """A rollout's rewards before they are priced are γ V(last observation) where the clock ran out, else 0."""
    learner = agent("sb3:PPO", env_id=env_id, n_steps=64)
    held = {}
    price = learner._buffer.price

    def watch(ended: np.ndarray) -> np.ndarray:
        held["rewards"], held["ended"] = learner._buffer.rewards.copy(), ended
        return price(ended)

    learner._buffer.price = watch
    learner.train(256, by_obs)
    assert held["ended"].any()
    assert (held["rewards"][~held["ended"]] == 0).all()
    assert (held["rewards"][held["ended"]] != 0).all() == clock
