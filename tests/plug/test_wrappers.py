from __future__ import annotations

from collections.abc import Callable

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit

from rl_teacher.agents.ppo import PPO
from rl_teacher.config import PPOConfig, RewardConfig
from rl_teacher.envs.make import GymnasiumVec
from rl_teacher.envs.tasks import resolve
from rl_teacher.errors import NotFiniteError, UserError
from rl_teacher.plug.wrappers import TRUE_REWARD, PredictedReward, PredictedRewardVector
from rl_teacher.protocols import VecStep
from rl_teacher.reward.model import RewardEnsemble
from tests.fakes import comparison

N = 4
MODES = list(AutoresetMode)


class Count(gym.Env):
    """Observes (copy, steps of this episode); pays its true reward of 100; ends after `length` steps."""

    def __init__(self, copy: int = 0, length: int = 3, same_array: bool = False) -> None:
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (2,), np.float64)
        self.action_space = gym.spaces.Box(-1.0, 1.0, (1,), np.float32)
        self.copy, self.length, self.same_array = copy, length, same_array
        self.obs = np.array([copy, 0.0])

    def _seen(self):
        return self.obs if self.same_array else self.obs.copy()

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.obs[1] = 0.0
        return self._seen(), {}

    def step(self, action):
        self.obs[1] += 1
        return self._seen(), 100.0, self.obs[1] == self.length, False, {}


def steps_so_far(obs, act):
    """A reward that says which observation it was asked about."""
    return np.asarray(obs)[..., 1] + np.asarray(act)[..., 0]


def play(env, n_steps: int, act: np.ndarray) -> list[np.ndarray]:
    env.reset(seed=0)
    return [np.array(env.step(act)[1]) for _ in range(n_steps)]


@pytest.mark.parametrize("same_array", [False, True])
def test_the_reward_is_of_the_observation_before_the_action_and_the_true_one_in_info(same_array):
    env = PredictedReward(Count(same_array=same_array), steps_so_far)
    env.reset()
    for t in range(3):
        _, rew, terminated, _, info = env.step(np.array([0.5], dtype=np.float32))
        assert (rew, info[TRUE_REWARD]) == (t + 0.5, 100.0)
    assert terminated


def test_predicted_and_true_reward_are_switched_at_run_time_through_other_wrappers():
    env = TimeLimit(PredictedReward(Count(), steps_so_far), 10)
    env.reset()
    env.set_wrapper_attr("predicted", False)
    assert env.step(np.zeros(1, dtype=np.float32))[1] == 100.0
    env.set_wrapper_attr("predicted", True)
    assert env.step(np.zeros(1, dtype=np.float32))[1] == 1.0


def vector(mode: AutoresetMode, each: Callable = lambda env: env, kind=SyncVectorEnv, **kwargs):
    makers = [lambda i=i: each(Count(i, length=3 + i)) for i in range(2)]
    return kind(makers, autoreset_mode=mode, **kwargs)


def expected(mode: AutoresetMode, length: int, n_steps: int) -> list[float]:
    """By hand: the steps of an episode so far, and 0 for the step on which it resets, where there is one."""
    episode = [float(t) for t in range(length)] + ([0.0] if mode is AutoresetMode.NEXT_STEP else [])
    return (episode * n_steps)[:n_steps]


@pytest.mark.parametrize("copies", [True, False])
@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_a_vector_earns_by_hand_in_every_way_of_starting_the_next_episode(mode, copies):
    act = np.zeros((2, 1), dtype=np.float32)
    by_hand = np.array([expected(mode, length, 12) for length in (3, 4)]).T
    together = PredictedRewardVector(vector(mode, copy=copies), steps_so_far)
    assert np.array_equal(play(together, 12, act), by_hand)
    alone = vector(mode, lambda env: PredictedReward(env, steps_so_far), copy=copies)
    assert np.array_equal(play(alone, 12, act), by_hand)


def test_a_vector_that_is_told_to_reset_earns_in_every_step():
    env = PredictedRewardVector(vector(AutoresetMode.DISABLED), steps_so_far)
    env.reset(seed=0)
    rews = []
    for _ in range(9):
        _, rew, terminated, truncated, _ = env.step(np.zeros((2, 1), dtype=np.float32))
        rews.append(rew)
        if (over := terminated | truncated).any():
            env.reset(options={"reset_mask": over})
    assert np.array_equal(rews, np.array([expected(AutoresetMode.DISABLED, length, 9) for length in (3, 4)]).T)


def test_a_reset_in_between_forgets_what_was_over():
    env = PredictedRewardVector(vector(AutoresetMode.NEXT_STEP), lambda obs, act: steps_so_far(obs, act) + 7)
    act = np.zeros((2, 1), dtype=np.float32)
    assert play(env, 3, act)[-1][0] == 9.0  # the first is over now …
    env.reset()
    assert env.step(act)[1].tolist() == [7.0, 7.0]  # … and would earn nothing


def test_a_vector_switches_too_and_keeps_the_true_rewards():
    env = PredictedRewardVector(vector(AutoresetMode.NEXT_STEP), steps_so_far)
    env.reset(seed=0)
    act = np.ones((2, 1), dtype=np.float32)
    *_, info = env.step(act)
    assert info[TRUE_REWARD].tolist() == [100.0, 100.0]
    env.predicted = False
    assert env.step(act)[1].tolist() == [100.0, 100.0]
    env.predicted = True
    assert env.step(act)[1].tolist() == [3.0, 3.0]


@pytest.mark.slow
def test_wrapped_copies_in_other_processes_are_switched_from_here():
    def switched(one):
        return PredictedReward(one, steps_so_far)

    env = vector(AutoresetMode.NEXT_STEP, switched, kind=AsyncVectorEnv, context="forkserver")
    try:
        env.reset(seed=0)
        act = np.zeros((2, 1), dtype=np.float32)
        assert env.step(act)[1].tolist() == [0.0, 0.0]
        env.set_attr("predicted", False)
        assert env.step(act)[1].tolist() == [100.0, 100.0]
    finally:
        env.close()


def test_who_does_not_say_how_the_next_episode_starts_is_asked():
    env = vector(AutoresetMode.NEXT_STEP)
    env.metadata = {}
    with pytest.raises(UserError, match="autoreset_mode None"):
        PredictedRewardVector(env, steps_so_far)
    told = PredictedRewardVector(env, steps_so_far, autoreset_mode=AutoresetMode.NEXT_STEP)
    assert play(told, 4, np.ones((2, 1), dtype=np.float32))[3].tolist() == [0.0, 4.0]


@pytest.mark.filterwarnings("ignore:.*precision lowered:UserWarning")
def test_envpool_says_nothing_and_resets_on_the_next_step():
    envpool = pytest.importorskip("envpool", reason="EnvPool exists for Linux only")
    env = envpool.make("Pendulum-v1", env_type="gymnasium", num_envs=2, seed=0, max_episode_steps=4)
    told = PredictedRewardVector(env, lambda obs, act: obs[:, 2] * 0 + 1, autoreset_mode=AutoresetMode.NEXT_STEP)
    act = np.zeros((2, 1), dtype=np.float32)
    told.reset()
    assert [told.step(act)[1].tolist() for _ in range(6)] == [[1.0, 1.0]] * 4 + [[0.0, 0.0], [1.0, 1.0]]


class Fixed:
    """A reward that says its shapes."""

    def __init__(self, obs_shape, act_shape, answer=None) -> None:
        self.obs_shape, self.act_shape, self.answer = obs_shape, act_shape, answer

    def __call__(self, obs, act):
        assert obs.shape[1:] == self.obs_shape
        return np.zeros(len(obs)) if self.answer is None else self.answer


def test_what_does_not_fit_is_named_with_both_shapes():
    with pytest.raises(UserError, match=r"observations have shape \(2,\), the reward was learned from \(17,\)"):
        PredictedReward(Count(), Fixed((17,), (1,)))
    with pytest.raises(UserError, match=r"actions have shape \(1,\), the reward was learned from \(6,\)"):
        PredictedReward(Count(), Fixed((2,), (6,)))
    with pytest.raises(UserError, match="observation space Discrete"):
        PredictedReward(gym.make("FrozenLake-v1"), steps_so_far)
    env = PredictedRewardVector(vector(AutoresetMode.NEXT_STEP), Fixed((2,), (1,), np.zeros(5)))
    env.reset()
    with pytest.raises(UserError, match=r"returned shape \(5,\); allowed is \(2,\)"):
        env.step(np.zeros((2, 1), dtype=np.float32))


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_an_observation_that_is_not_finite_is_named(poison):
    env = Count()
    env.obs[0] = poison
    wrapped = PredictedReward(env, steps_so_far)
    wrapped.reset()
    with pytest.raises(NotFiniteError, match=rf"1 of 2 numbers .* the first is {poison} at \[0\]"):
        wrapped.step(np.zeros(1, dtype=np.float32))


class Through:
    """Environments under a Gymnasium wrapper, as our PPO wants them: the reward that they pay is its true one."""

    def __init__(self, env, seed: int) -> None:
        self.env, self.seed, self.n_envs = env, seed, env.num_envs
        space = env.single_observation_space
        self.obs_space, self.act_space = gym.spaces.Box(space.low, space.high), env.single_action_space
        self.paid = []

    def reset(self, seed=None):
        state = np.random.SeedSequence(self.seed if seed is None else seed).generate_state(self.n_envs)
        return self.env.reset(seed=[int(s) for s in state])[0].astype(np.float32)

    def step(self, act):
        obs, rew, terminated, truncated, _ = self.env.step(act)
        self.paid.append(rew)
        return VecStep(obs.astype(np.float32), rew, terminated, truncated & ~terminated)

    def close(self):
        self.env.close()


@pytest.fixture
def short_pendulum():
    gym.register("ShortPendulum-v0", "gymnasium.envs.classic_control:PendulumEnv", max_episode_steps=30)
    yield "ShortPendulum-v0"
    del gym.registry["ShortPendulum-v0"]


@pytest.mark.parametrize("wrapper", ["one", "vector"])
@pytest.mark.parametrize("gym_id", ["ShortPendulum-v0", "CartPole-v1"])
def test_same_seed_same_answers_natively_and_through_the_wrapper(gym_id, wrapper, short_pendulum):
    config = PPOConfig(n_envs=N, n_steps=64, minibatch=64, epochs=2, hidden=(16,))
    native = GymnasiumVec(resolve(f"gym:{gym_id}"), N, seed=3)
    r_hat = learned(native.obs_space, native.act_space)
    wanted, paid = [], []

    def asked(obs, act):
        wanted.append(r_hat.predict(obs, act))
        return wanted[-1]

    agent = PPO(native, config, seed=0)
    collect = agent._collector.collect

    def watched(choose, n_steps):
        rollout = collect(choose, n_steps)
        paid.append(rollout.valid)
        return rollout

    agent._collector.collect = watched
    agent.train(3 * N * 64, asked)
    if wrapper == "one":
        env = SyncVectorEnv([lambda: PredictedReward(gym.make(gym_id), r_hat.predict)] * N)
    else:
        env = PredictedRewardVector(SyncVectorEnv([lambda: gym.make(gym_id)] * N), r_hat.predict)
    through = Through(env, seed=3)
    PPO(through, config, seed=0).train(3 * N * 64, None)
    rews, valid = np.concatenate(wanted), np.concatenate(paid)
    assert (~valid).sum() > N
    np.testing.assert_allclose(through.paid, rews * valid, atol=1e-4)


def learned(obs_space, act_space) -> RewardEnsemble:
    model = RewardEnsemble(obs_space, act_space, RewardConfig(members=2, hidden=(8,)), 0)
    model.fit([comparison(seed, obs_dim=obs_space.shape[0]) for seed in range(8)])
    return model
