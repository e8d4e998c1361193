"""Pictures through the whole loop, and pictures that cannot be used."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from rl_teacher import PredictedReward, Teaching, load_policy, load_reward, session
from rl_teacher.agents.making import make_agent
from rl_teacher.checkpoints import PARTS
from rl_teacher.cli import main
from rl_teacher.config import read_config
from rl_teacher.envs.make import make_vec
from rl_teacher.envs.tasks import resolve
from rl_teacher.errors import UserError
from rl_teacher.reward.model import RewardEnsemble
from rl_teacher.runs import newest_checkpoint
from tests import screens
from tests.commands import refused, summary, teach
from tests.test_resume import course, ending

QUICK = (
    "--set reward.members=1 --set reward.minibatch=4 --set reward.iters=2 --set ppo.n_envs=4 --set ppo.n_steps=32 "
    "--set ppo.shortest=8 --set ppo.epochs=1 --set ppo.hidden=16 -V -w 1"
)
SCREEN = f"gym:{screens.__name__}:Screen-v0"

gym.register("Float-v0", entry_point=lambda: screens.Screen((84, 84, 4), np.float32), max_episode_steps=40)
gym.register("Dash-v0", entry_point=screens.Dashboard, max_episode_steps=40)
gym.register("Liar-v0", entry_point=screens.Liar, max_episode_steps=40)
gym.register("Tiny-v0", entry_point=lambda: screens.Screen((32, 32)), max_episode_steps=40)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A finished run, and what was exported of it."""
    folder = tmp_path_factory.mktemp("screen")
    with pytest.MonkeyPatch.context() as here:
        here.chdir(folder)
        assert teach(f"-p synth -e {SCREEN} -l 12 -i 4 -n screen {QUICK} -t 500") == 0
        for what in ("reward", "policy"):
            assert main(["export", what, "screen"]) == 0
    return folder


def test_a_run_learns_from_answers_about_pictures(run, monkeypatch):
    monkeypatch.chdir(run)
    done = summary("screen")
    assert done["finished"]
    assert done["labels"]["answered"] == 12
    assert done["true_return"]["mean"] is not None
    pool = load_file(newest_checkpoint(run / "runs", "screen", PARTS["synth"])[1] / "pool.safetensors")
    assert not [name for name in pool if name.endswith(".obs")]  # pictures are packed


def test_stopped_and_gone_on_is_the_same_as_never_stopped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(session, "LEG_STEPS", 256)
    words = f"-p synth -e {SCREEN} -l 8 -i 2 -t 900 {QUICK}"
    assert teach(f"{words} -n whole") == 0
    record = session.Session.record

    def stopped_once(self, steps, info):
        record(self, steps, info)
        if steps >= 400:
            self.stop_asked = True
            monkeypatch.setattr(session.Session, "record", record)

    monkeypatch.setattr(session.Session, "record", stopped_once)
    assert [teach(f"{words} -n parts") for _ in range(2)] == [0, 0]
    assert course("parts") == course("whole")
    assert ending("parts") == ending("whole")


def test_what_was_exported_is_the_runs_own_in_every_form(run):
    settings, checkpoint = newest_checkpoint(run / "runs", "screen", PARTS["synth"])
    config, env = read_config(settings), make_vec(resolve(SCREEN), 1, 0)
    r_hat, agent = RewardEnsemble(env.obs_space, env.act_space, config.reward, 0), make_agent(config, env, 0)
    r_hat.load(checkpoint)
    agent.load(checkpoint)
    reward, policy = load_reward(run / "screen-reward"), load_policy(run / "screen-policy")
    obs = np.random.default_rng(0).integers(0, 255, (300, 84, 84), dtype=np.uint8)  # more than one pass takes
    act = np.arange(300) % 2
    np.testing.assert_array_equal(reward(obs, act), r_hat.predict(obs, act))
    np.testing.assert_array_equal(policy(obs), agent.act(obs, explore=False))
    assert reward(obs[:6].reshape(2, 3, 84, 84), act[:6].reshape(2, 3)).shape == (2, 3)
    assert reward(obs[:0], act[:0]).shape == policy(obs[:0]).shape == (0,)
    few, done = torch.from_numpy(obs[:5]), torch.from_numpy(act[:5])
    paying, acting = (torch.export.load(run / f"screen-{kind}/{kind}.pt2").module() for kind in ("reward", "policy"))
    np.testing.assert_allclose(paying(few, done), reward(obs[:5], act[:5]), atol=1e-6)
    np.testing.assert_array_equal(acting(few), policy(obs[:5]))
    reference = pytest.importorskip("onnx.reference")
    paying, acting = (
        reference.ReferenceEvaluator(str(run / f"screen-{kind}/{kind}.onnx")) for kind in ("reward", "policy")
    )
    (rew,) = paying.run(None, {"obs": obs[:5], "act": act[:5]})
    np.testing.assert_allclose(rew, reward(obs[:5], act[:5]), atol=1e-5)
    (chosen,) = acting.run(None, {"obs": obs[:5]})
    np.testing.assert_array_equal(chosen, policy(obs[:5]))


def test_a_wrapper_pays_it_and_what_is_no_such_picture_is_refused(run):
    reward = load_reward(run / "screen-reward")
    env = PredictedReward(screens.Screen(), reward)
    first, _ = env.reset(seed=0)
    _, rew, *_ = env.step(1)
    assert rew == reward(first, np.array(1))
    with pytest.raises(UserError, match=r"Pictures of float32 given; allowed is uint8"):
        reward(np.zeros((3, 84, 84), np.float32), np.zeros(3, int))
    with pytest.raises(UserError, match="learned from"):
        PredictedReward(screens.Screen((84, 1, 84)), reward)
    with pytest.raises(UserError, match="learned from"):
        PredictedReward(screens.Screen(kind=np.float32), reward)


def test_somebodys_own_learner_is_taught_from_pictures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = {"set": ["reward.members=1", "reward.iters=2", "reward.minibatch=4"], "no_videos": True}
    with Teaching(
        env_id=SCREEN, name="own", predictor="synth", n_labels=6, num_timesteps=300, pretrain_iters=2, **words
    ) as teaching:
        obs = np.zeros((4, 84, 84), np.uint8)
        while not teaching.over:
            assert teaching.reward(obs, np.ones(4, int)).shape == (4,)
            teaching.tick(64, lambda seen: np.ones(len(seen), int))
    assert teaching.n_fits > 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("-e gym:Tiny-v0", "pictures of 32×32 pixels; each side must have 43 to 256"),
        ("-e gym:Float-v0", "pictures must be uint8"),
        ("-e gym:Liar-v0", "a picture of float32; its observation space has uint8"),
        ("-e gym:Dash-v0", "a picture in ['eye'], for which nobody chose a network"),
        (f"-e {SCREEN} -a sb3:DQN", "only our own PPO"),
        (f"-e {SCREEN} -p synth --explore 100", "observations are pictures"),
        (f"-e {SCREEN} -p synth --set reward.use_act=true", "reward.use_act"),
        ("-e atari:pnog", "Did you mean atari:Pong"),
        ("-e atari:Pong --fixed_horizon absorbing", "hidden anyway"),
    ],
)
def test_pictures_that_cannot_be_used_get_a_line(words, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert says in refused(f"-p rl {words} -n x -t 1000 -V", capsys)
