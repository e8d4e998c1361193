from __future__ import annotations

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch

from rl_teacher.agents.networks import RunningNorm, make_policy
from rl_teacher.agents.ppo import PPO, Batch, ppo_loss
from rl_teacher.config import PPOConfig
from rl_teacher.envs.make import make_vec
from rl_teacher.envs.tasks import resolve
from rl_teacher.errors import NotFiniteError
from rl_teacher.protocols import VecStep

SMALL = PPOConfig(n_envs=4, n_steps=32, minibatch=32, epochs=2, hidden=(16,))


class Poisoned:
    """An environment whose true reward is NaN, for whoever looks at it."""

    def __init__(self, env) -> None:
        self._env = env

    def __getattr__(self, name):
        return getattr(self._env, name)

    def step(self, act):
        out = self._env.step(act)
        return VecStep(out.obs, np.full_like(out.env_rew, np.nan), out.terminated, out.truncated)


def agent(seed: int = 0, env_id: str = "Reacher-v1", poisoned: bool = False, config: PPOConfig = SMALL) -> PPO:
    env = make_vec(resolve(env_id), config.n_envs, 3, 1)
    return PPO(Poisoned(env) if poisoned else env, config, seed)


def weights(ppo: PPO) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in (*ppo.policy.parameters(), *ppo.value.parameters())])


def by_obs(obs, act):
    return -np.abs(obs[..., 0])


def test_blindness_a_nan_in_env_rew_changes_no_weight():
    honest, blind = agent(), agent(poisoned=True)
    honest.train(512, by_obs)
    blind.train(512, by_obs)
    assert torch.equal(weights(honest), weights(blind))
    assert torch.isfinite(weights(blind)).all()


class Watched(Poisoned):
    """Remembers which of its steps were resets, which belong to no episode."""

    def __init__(self, env) -> None:
        super().__init__(env)
        self.over, self.resets = np.zeros(env.n_envs, dtype=bool), []

    def step(self, act):
        out = super().step(act)
        self.resets.append(self.over)
        self.over = out.terminated | out.truncated
        return out


def test_nothing_is_learned_from_the_steps_on_which_environments_reset(monkeypatch):
    def trained(bribe: float) -> tuple[torch.Tensor, int, int]:
        env = Watched(make_vec(resolve("Reacher-v1"), SMALL.n_envs, 3, 1))
        learner, rows = PPO(env, SMALL, 0), []

        def reward(obs, act):
            return by_obs(obs, act) + bribe * np.stack(env.resets[-len(obs) :])

        def loss(policy, value, batch, config):
            rows.append(len(batch.obs))
            return ppo_loss(policy, value, batch, config)

        monkeypatch.setattr("rl_teacher.agents.ppo.ppo_loss", loss)
        learner.train(512, reward)
        return weights(learner), sum(rows), int(np.sum(env.resets))

    honest, n_rows, n_resets = trained(0.0)
    bribed, _, _ = trained(1e6)
    assert n_resets >= 8
    assert n_rows == SMALL.epochs * (512 - n_resets)
    assert torch.equal(honest, bribed)


@pytest.mark.parametrize(("asked", "taken"), [(1, 96), (97, 100), (128, 128), (129, 256)])
def test_short_rounds_are_short_rollouts(asked, taken):
    """4 environments, rollouts of 24 to 32 steps of each."""
    assert agent().train(asked, by_obs)["steps"] == taken


def step_sizes(horizon: int | None, n_rounds: int, config: PPOConfig) -> list[float]:
    env = make_vec(resolve("Reacher-v1"), config.n_envs, 3, 1)
    ppo, sizes = PPO(env, config, 0, horizon), []
    for _ in range(n_rounds):
        ppo.train(128, by_obs)
        sizes.append(ppo._optim.param_groups[0]["lr"])
    return sizes


def test_the_step_size_falls_evenly_to_what_is_to_be_left_of_it():
    """It is that of the beginning of each rollout, and stays after the end, and where there is no end."""
    falling = replace(SMALL, lr=1e-3, lr_last=0.2)
    assert step_sizes(256, 4, falling) == pytest.approx([1e-3, 6e-4, 2e-4, 2e-4])
    assert step_sizes(None, 3, falling) == pytest.approx([1e-3] * 3)
    assert step_sizes(256, 3, replace(SMALL, lr=1e-3)) == pytest.approx([1e-3] * 3)


def test_a_run_that_goes_on_has_the_step_size_it_would_have_had(tmp_path):
    falling = replace(SMALL, lr_last=0.0)
    first, second = (PPO(make_vec(resolve("Reacher-v1"), 4, 3, 1), falling, 0, 512) for _ in range(2))
    first.train(256, by_obs)
    first.save(tmp_path)
    second.load(tmp_path)
    second.train(128, by_obs)
    assert second._optim.param_groups[0]["lr"] == pytest.approx(falling.lr / 2)


def test_passes_over_a_rollout_end_once_the_policy_has_moved_far_enough(monkeypatch):
    def n_steps(limit: float) -> int:
        calls = []

        def loss(policy, value, batch, config):
            calls.append(len(batch.obs))
            return ppo_loss(policy, value, batch, config)

        with monkeypatch.context() as patch:
            patch.setattr("rl_teacher.agents.ppo.ppo_loss", loss)
            agent(config=replace(SMALL, epochs=8, lr=3e-3, kl_limit=limit)).train(128, by_obs)
        return len(calls)

    assert n_steps(0.0) == n_steps(1e9) == 8 * 4
    assert n_steps(1e-9) == 4
    assert 4 < n_steps(0.01) < 8 * 4


def test_same_seed_same_weights_other_seed_others():
    runs = [agent(seed) for seed in (1, 1, 2)]
    for run in runs:
        run.train(256, None)
    assert torch.equal(weights(runs[0]), weights(runs[1]))
    assert not torch.equal(weights(runs[0]), weights(runs[2]))


def test_a_nan_in_the_given_reward_is_named_and_nothing_learned():
    ppo = agent()
    before = weights(ppo)
    with pytest.raises(NotFiniteError, match=r"not finite in 128 of 128 steps"):
        ppo.train(128, lambda obs, act: np.full(obs.shape[:2], np.nan))
    assert torch.equal(before, weights(ppo))


def test_saved_and_loaded_it_acts_the_same_and_goes_on_learning(tmp_path):
    first, second = agent(1), agent(2)
    first.train(256, by_obs)
    first.save(tmp_path)
    second.load(tmp_path)
    obs = np.random.default_rng(0).normal(size=(5, 10)).astype(np.float32)
    assert np.array_equal(first.act(obs, explore=False), second.act(obs, explore=False))
    assert np.array_equal(first.act(obs, explore=True), second.act(obs, explore=True))
    second.train(128, by_obs)
    assert torch.isfinite(weights(second)).all()


def test_a_poisoned_agent_is_not_saved(tmp_path):
    ppo = agent()
    with torch.no_grad():
        ppo.policy.log_std[0] = torch.nan
    with pytest.raises(NotFiniteError, match=r"policy\.log_std"):
        ppo.save(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("env_id", ["gym:CartPole-v1", "gym:Pendulum-v1", "Humanoid-v1"])
def test_actions_fit_their_space(env_id):
    ppo = agent(env_id=env_id, config=replace(SMALL, n_envs=2))
    env = ppo._collector.env
    space = env.act_space
    for explore in (True, False):
        for action in ppo.act(env.reset() * 100, explore=explore):
            assert space.contains(action.astype(space.dtype) if isinstance(space, gym.spaces.Box) else int(action))


def test_several_choices_are_one_action_whose_chances_multiply():
    space = gym.spaces.MultiDiscrete([3, 2])
    policy = make_policy(4, space, (8,), 0.0, torch.Generator().manual_seed(0))
    obs, draw = torch.randn(5, 4), torch.Generator().manual_seed(1)
    assert policy.sample(obs, draw).shape == (5, 2)
    assert all(space.contains(action) for action in policy.to_env(policy.sample(obs.repeat(40, 1), draw)))
    every = torch.cartesian_prod(torch.arange(3.0), torch.arange(2.0))
    logp = torch.stack([policy.logp_entropy(obs, one.expand(5, 2))[0] for one in every])
    assert torch.allclose(logp.exp().sum(0), torch.ones(5))
    _, entropy = policy.logp_entropy(obs, every[0].expand(5, 2))
    assert torch.allclose(entropy, -(logp.exp() * logp).sum(0).mean())
    assert torch.equal(every[logp.argmax(0)], policy.best(obs))


def test_it_learns_to_make_several_choices():
    ppo = agent(env_id="tests.several:Several", config=PPOConfig(n_envs=16, n_steps=20, minibatch=80, lr=3e-3))
    from rl_teacher.envs.evaluate import evaluate

    ppo.train(6_400, None)
    assert evaluate(ppo, resolve("tests.several:Several"), 4).mean > 36.0  # of 40; random ones make 17


@pytest.mark.slow
def test_it_learns_cartpole_where_episodes_terminate():
    config = PPOConfig(n_envs=16, n_steps=64, minibatch=128)
    ppo = agent(env_id="gym:CartPole-v1", config=config)
    from rl_teacher.envs.evaluate import evaluate

    spec = resolve("gym:CartPole-v1")
    before = evaluate(ppo, spec, 10).mean
    ppo.train(30_000, None)
    assert evaluate(ppo, spec, 10).mean > max(150.0, 2 * before)


def test_the_surrogate_is_clipped():
    generator = torch.Generator().manual_seed(0)
    policy = make_policy(2, gym.spaces.Box(-1, 1, (1,)), (4,), 0.0, generator)
    value = torch.nn.Linear(2, 1)
    obs, act = torch.zeros(2, 2), torch.tensor([[0.0], [0.1]])
    with torch.no_grad():
        logp, _ = policy.logp_entropy(obs, act)
    # the policy has moved far towards both: ratio e² ≈ 7.4 for each
    batch = Batch(obs, act, logp - 2.0, torch.tensor([1.0, -1.0]), torch.zeros(2))
    _, info = ppo_loss(policy, value, batch, PPOConfig(clip=0.2))
    ratio = float(np.exp(2.0))
    # the good action earns no more than 1.2, the bad one is charged in full
    expected = -(1.2 - ratio) / 2
    assert float(info[0]) == pytest.approx(expected, rel=1e-5)


def test_running_norm_equals_the_statistics_of_all_rows():
    rows = np.random.default_rng(0).normal(3.0, 5.0, size=(1_000, 4))
    norm = RunningNorm((4,))
    for part in np.split(rows, 10):
        norm.update(part)
    assert np.allclose(norm.mean, rows.mean(0))
    assert np.allclose(norm.var, rows.var(0))
    normalised = norm(rows.astype(np.float32)).numpy()
    assert np.allclose(normalised.mean(0), 0, atol=1e-5)
    assert np.allclose(normalised.std(0), 1, atol=1e-4)
