"""Pictures through the whole loop, and pictures that cannot be used."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from safetensors.numpy import load_file

from rl_teacher import load_reward
from rl_teacher.cli import main
from tests import screens
from tests.commands import refused, summary, teach

QUICK = (
    "--set reward.members=1 --set reward.minibatch=4 --set reward.iters=2 --set ppo.n_envs=4 --set ppo.n_steps=32 "
    "--set ppo.shortest=8 --set ppo.epochs=1 --set ppo.hidden=16 -V -w 1"
)
SCREEN = f"gym:{screens.__name__}:Screen-v0"

gym.register("Float-v0", entry_point=lambda: screens.Screen((84, 84, 4), np.float32), max_episode_steps=40)
gym.register("Tiny-v0", entry_point=lambda: screens.Screen((32, 32)), max_episode_steps=40)


def test_a_run_learns_from_answers_about_pictures_goes_on_and_is_exported(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = f"-p synth -e {SCREEN} -l 12 -i 4 -n screen {QUICK}"
    assert teach(f"{words} -t 500") == 0
    pool = load_file(next((tmp_path / "runs/screen/checkpoints").iterdir()) / "pool.safetensors")
    assert not [name for name in pool if name.endswith(".obs")]  # pictures are packed
    done = summary("screen")
    assert done["finished"]
    assert done["labels"]["answered"] == 12
    assert done["true_return"]["mean"] is not None
    assert main(["export", "reward", "screen"]) == 0
    reward = load_reward("screen-reward")
    rew = reward(np.random.default_rng(0).integers(0, 255, (7, 84, 84), dtype=np.uint8), np.zeros(7, int))
    assert rew.shape == (7,)
    assert main(["export", "policy", "screen"]) == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("-e gym:Tiny-v0", "pictures of 32×32 pixels; each side must have 43 to 256"),
        ("-e gym:Float-v0", "pictures must be uint8"),
        (f"-e {SCREEN} -a sb3:DQN", "only our own PPO"),
        ("-e atari:Pnog", "Did you mean atari:Pong"),
        ("-e atari:Pong --fixed_horizon absorbing", "hidden anyway"),
    ],
)
def test_pictures_that_cannot_be_used_get_a_line(words, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert says in refused(f"-p rl {words} -n x -t 1000 -V", capsys)
