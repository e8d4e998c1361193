"""Laws that hold for every agent of Stable-Baselines3, sb3-contrib and SBX."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rl_teacher.errors import NotFiniteError, UserError
from tests.agents.kinds import BOX, CHOICE, SEVERAL, TORCH, agent, by_obs, home, same, weights


@pytest.mark.parametrize("name", TORCH)
def test_blindness_a_nan_in_env_rew_changes_no_weight(name):
    honest, blind = agent(name), agent(name, poisoned=True)
    before = weights(honest)
    for _ in range(2):
        honest.train(160, by_obs)
        blind.train(160, by_obs)
    assert same(weights(honest), weights(blind))
    assert not same(before, weights(honest))
    assert all(bool(torch.isfinite(value).all()) for value in weights(blind).values())


@pytest.mark.parametrize("name", TORCH)
def test_without_a_reward_model_it_learns_from_the_environments_own(name):
    own, other = agent(name), agent(name)
    own.train(160, None)
    other.train(160, by_obs)
    assert not same(weights(own), weights(other))


@pytest.mark.parametrize("name", TORCH)
def test_saved_and_loaded_it_acts_the_same_and_goes_on_as_if_nothing_had_been(name, tmp_path):
    first, second = agent(name, 1), agent(name, 2)
    first.train(160, by_obs)
    first.save(tmp_path)
    second.load(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".safetensors"}
    assert same(weights(first), weights(second))
    obs = first.env.inner.reset() + 0.1
    for explore in (False, True):
        assert np.array_equal(first.act(obs, explore=explore), second.act(obs, explore=explore))
    for learner in (first, second):
        learner.restart(7)
        learner.train(160, by_obs)
    assert same(weights(first), weights(second))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sbx:SAC", "sbx:PPO"])
def test_those_in_jax_are_blind_too_and_go_on_from_a_checkpoint(name, tmp_path):
    """Two of them, for each takes seconds to compile; benchmarks/agents.py runs the others."""
    honest, blind = (agent(name, i + 1, poisoned=i > 0, reset_critic=True) for i in range(2))
    before = weights(honest)
    honest.train(160, by_obs)
    assert not same(before, weights(honest))
    honest.save(tmp_path)
    blind.load(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".safetensors"}
    obs = honest.env.inner.reset() + 0.1
    for explore in (False, True):
        assert np.array_equal(honest.act(obs, explore=explore), blind.act(obs, explore=explore))
    for learner in (honest, blind):
        learner.restart(7)
        learner.train(160, lambda obs, act: -by_obs(obs, act))  # SAC's critic begins anew
    assert same(weights(honest), weights(blind))


@pytest.mark.parametrize("name", ["sb3:PPO", "sb3:SAC"])
def test_same_seed_same_weights_other_seed_others_whatever_else_draws_from_the_global_generators(name):
    runs = []
    for seed in (1, 1, 2):
        runs.append(agent(name, seed))
        np.random.rand(len(runs))  # noqa: NPY002
        torch.rand(len(runs))
        runs[-1].train(160, by_obs)
    assert same(weights(runs[0]), weights(runs[1]))
    assert not same(weights(runs[0]), weights(runs[2]))


def test_it_leaves_the_global_random_numbers_as_they_were():
    np.random.seed(5)  # noqa: NPY002
    torch.manual_seed(5)
    expected = np.random.rand(), torch.rand(1)  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    torch.manual_seed(5)
    learner = agent("sb3:SAC")
    learner.train(160, by_obs)
    learner.act(learner.env.inner.reset(), explore=True)
    assert (np.random.rand(), torch.rand(1)) == expected  # noqa: NPY002


@pytest.mark.parametrize("name", TORCH)
def test_actions_fit_their_space(name):
    learner = agent(name)
    space = learner.env.inner.act_space
    for explore in (True, False):
        for action in learner.act(learner.env.inner.reset() * 100, explore=explore):
            assert space.contains(action if home(name) == BOX else int(action))


@pytest.mark.parametrize("env_id", [BOX, CHOICE, SEVERAL])
def test_on_policy_agents_act_as_sb3_says_they_do(env_id):
    """Their networks are asked directly, past SB3's own `predict`."""
    learner = agent("sb3:PPO", env_id=env_id)
    learner.train(160, by_obs)
    obs = np.random.default_rng(0).normal(size=(500, *learner.env.inner.obs_space.shape)).astype(np.float32)
    theirs, _ = learner.algorithm.predict(learner.env.seen(obs), deterministic=True)
    assert np.allclose(learner.act(obs, explore=False), learner.env.to_env(theirs), atol=1e-6)
    with learner.dice:
        noisy, _ = learner.algorithm.predict(learner.env.seen(obs), deterministic=False)
    ours = learner.act(obs, explore=True)
    assert ours.std() == pytest.approx(learner.env.to_env(noisy).std(), rel=0.1)
    assert ours.mean() == pytest.approx(learner.env.to_env(noisy).mean(), abs=0.1)


@pytest.mark.parametrize("name", ["sb3:PPO", "sb3:A2C", "sb3:TRPO"])
def test_on_policy_agents_can_choose_among_n(name):
    learner = agent(name, env_id=CHOICE)
    learner.train(160, by_obs)
    assert set(learner.act(learner.env.inner.reset(), explore=True).tolist()) <= {0, 1}


@pytest.mark.parametrize("name", ["sb3:PPO", "sb3:A2C", "sb3:TRPO", "sbx:PPO"])
def test_on_policy_agents_can_make_several_choices_at_once(name):
    if name.startswith("sbx"):
        pytest.importorskip("sbx", reason="SBX is not installed: pip install 'rl-teacher[sbx]'")
    learner = agent(name, env_id=SEVERAL)
    learner.train(160, by_obs)
    space = learner.env.inner.act_space
    for explore in (True, False):
        assert all(space.contains(action) for action in learner.act(learner.env.inner.reset(), explore=explore))


def test_actions_are_stretched_to_the_environments_bounds():
    """A humanoid's are between -0.4 and 0.4."""
    learner = agent("sb3:SAC", env_id="Humanoid-v1")
    learner.train(80, by_obs)
    assert np.abs(learner.act(learner.env.inner.reset() * 100, explore=True)).max() == pytest.approx(0.4, abs=0.1)
    assert np.allclose(learner.env.to_env(np.array([-1.0, 0.5, 2.0] + [0.0] * 14)), [-0.4, 0.2, 0.4] + [0.0] * 14)


@pytest.mark.parametrize("name", ["sb3:PPO", "sb3:SAC"])
def test_a_nan_in_the_given_reward_is_named_and_nothing_learned(name):
    learner = agent(name)
    learner.train(96, by_obs)
    before = {key: value for key, value in weights(learner).items() if "count" not in key}
    with pytest.raises(NotFiniteError, match="reward given to the agent is not finite in 32 of 32"):
        learner.train(32, lambda obs, act: np.full(obs.shape[:-1], np.nan))
    after = weights(learner)
    assert same(before, {key: after[key] for key in before})


@pytest.mark.parametrize("name", ["sb3:PPO", "sb3:SAC"])
def test_weights_that_have_run_away_are_told_in_one_line(name):
    learner = agent(name)
    learner.train(160, by_obs)
    with torch.no_grad():
        for parameter in learner.algorithm.policy.parameters():
            parameter.fill_(np.nan)
    with pytest.raises(NotFiniteError, match="its weights have run away"):
        learner.train(64, by_obs)


@pytest.mark.parametrize("name", ["sb3:PPO", "sb3:SAC"])
def test_a_checkpoint_of_another_environment_is_refused_in_one_line(name, tmp_path):
    first = agent(name)
    first.train(32, by_obs)
    first.save(tmp_path)
    with pytest.raises(UserError, match="observation or action space has changed"):
        agent(name, env_id="cheetah").load(tmp_path)


@pytest.mark.parametrize("name", ["sb3:PPO", "sb3:TRPO", "sb3:A2C", "sb3:SAC", "sb3:DQN"])
def test_its_figures_have_our_names(name):
    info = agent(name).train(160, by_obs)
    assert {"steps", "collect_seconds", "learn_seconds", "update_seconds", "rew_mean", "value_loss"} <= set(info)
    assert set(info) <= {
        *("steps", "collect_seconds", "learn_seconds", "update_seconds"),
        *("rew_mean", "policy_loss", "value_loss", "entropy", "kl"),
    }
    assert info["steps"] == 160
