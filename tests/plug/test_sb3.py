from __future__ import annotations

import sys

import numpy as np
import pytest

from rl_teacher.errors import UserError
from rl_teacher.plug.wrappers import TRUE_REWARD, PredictedReward
from rl_teacher.teaching import Teaching
from tests.commands import summary

pytest.importorskip("stable_baselines3", reason="Stable-Baselines3 is not installed: pip install 'rl-teacher[sb3]'")

from stable_baselines3 import DQN, PPO, SAC
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

from rl_teacher.plug.sb3 import Model, PredictedVecEnv, TeachingCallback, relabel

PENDULUM = {"env_id": "gym:Pendulum-v1", "predictor": "synth", "n_labels": 20, "no_videos": True, "workers": 1}


def first(obs, act):
    """A reward that says what it was asked about."""
    return obs[..., 0] + (10 * act[..., 0] if act.ndim == obs.ndim else 10 * act)


def test_rewards_are_of_the_observation_before_the_action_also_where_an_episode_ends():
    env = PredictedVecEnv(make_vec_env("CartPole-v1", 2, seed=0), first)
    before, n_ended = env.reset(), 0
    for _ in range(60):
        obs, rew, dones, infos = env.step(np.ones(2, dtype=np.int64))
        np.testing.assert_allclose(rew, before[:, 0] + 10, rtol=1e-6)
        assert [info[TRUE_REWARD] for info in infos] == [1.0, 1.0]
        before, n_ended = obs, n_ended + dones.sum()
    assert n_ended > 2
    env.predicted = False
    assert env.step(np.ones(2, dtype=np.int64))[1].tolist() == [1.0, 1.0]


def test_normalised_observations_are_refused_inside_and_welcome_outside():
    venv = make_vec_env("Pendulum-v1", 1)
    with pytest.raises(UserError, match="it must be outside"):
        PredictedVecEnv(VecNormalize(venv), first)
    model = PPO("MlpPolicy", VecNormalize(PredictedVecEnv(venv, first)), n_steps=16, batch_size=16)
    model.learn(32)
    seen = np.array([[0.3, 0.1, -2.0]], dtype=np.float32)
    around = model.get_vec_normalize_env()
    assert np.array_equal(
        Model(model).act(seen, explore=False), model.predict(around.normalize_obs(seen), deterministic=True)[0]
    )


@pytest.mark.parametrize(("algorithm", "gym_id"), [(SAC, "Pendulum-v1"), (DQN, "CartPole-v1")])
def test_all_of_a_replay_is_rewarded_anew_also_when_the_ring_has_wrapped(algorithm, gym_id):
    paid = []

    def watched(obs, act):
        paid.append(first(obs, act))
        return paid[-1]

    env = PredictedVecEnv(make_vec_env(gym_id, 2, seed=0), watched)
    model = algorithm("MlpPolicy", env, buffer_size=120, learning_starts=10_000)
    for n_steps in (40, 200):  # 20 of 60 rows of two; then all of them, and some once more
        model.learn(n_steps, reset_num_timesteps=False)
        was = model.replay_buffer.rewards.copy()
        n = model.replay_buffer.size()
        relabel(model, lambda obs, act: first(obs, act) + 1)
        np.testing.assert_allclose(model.replay_buffer.rewards[:n], was[:n] + 1, rtol=1e-4, atol=1e-4)
        assert (model.replay_buffer.rewards[n:] == 0).all()
        relabel(model, first)
    assert model.replay_buffer.full


def test_a_model_whose_environments_pay_their_own_reward_is_refused():
    class Lessons:
        n_fits, stop_asked, reward = 0, False, staticmethod(first)

        def tick(self, n_steps, policy): ...

    callback = TeachingCallback(Lessons())
    with pytest.raises(UserError, match="pay their own reward"):
        PPO("MlpPolicy", make_vec_env("Pendulum-v1", 1), n_steps=16, batch_size=16).learn(16, callback=callback)
    wrapped = make_vec_env("Pendulum-v1", 1, wrapper_class=PredictedReward, wrapper_kwargs={"reward": first})
    PPO("MlpPolicy", wrapped, n_steps=16, batch_size=16).learn(16, callback=callback)


@pytest.mark.slow
def test_the_whole_loop_runs_around_learn():
    with Teaching(name="ppo", num_timesteps=3_000, **PENDULUM) as teaching:
        env = PredictedVecEnv(make_vec_env("Pendulum-v1", 4), teaching.reward)
        model = PPO("MlpPolicy", env, n_steps=64, batch_size=64, n_epochs=2)
        model.learn(3_000, callback=TeachingCallback(teaching))
        assert teaching.over
    done = summary("ppo")
    assert done["finished"]
    assert done["agent"] == "outside"
    assert done["labels"]["answered"] == 20
    assert done["true_return"]["episodes"] == 20


@pytest.mark.slow
def test_a_replay_is_never_older_than_the_newest_fit():
    with Teaching(name="sac", num_timesteps=1_200, **PENDULUM) as teaching:
        env = PredictedVecEnv(make_vec_env("Pendulum-v1", 4), teaching.reward)
        model = SAC("MlpPolicy", env, learning_starts=600, policy_kwargs={"net_arch": [32]})
        model.learn(1_200, callback=TeachingCallback(teaching))
        assert teaching.n_fits > 3
        buffer = model.replay_buffer
        n = buffer.size()
        fresh = teaching.reward(buffer.observations[:n], model.policy.unscale_action(buffer.actions[:n]))
        np.testing.assert_allclose(buffer.rewards[:n], fresh, atol=1e-4)


def test_the_missing_library_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "stable_baselines3.common.base_class", None)
    monkeypatch.delitem(sys.modules, "rl_teacher.plug.sb3")
    with pytest.raises(UserError, match=r"rl-teacher\[sb3\]"):
        __import__("rl_teacher.plug.sb3")
