from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from rl_teacher.envs.behaviors import resolve
from rl_teacher.envs.evaluate import evaluate
from rl_teacher.envs.horizon import FixedHorizon
from rl_teacher.envs.make import make_vec
from rl_teacher.envs.stage import Stage
from tests.commands import refused, summary, teach

LAST = 8
"""Steps on the clock."""


class Falls(gym.Env):
    """Observes the steps since the start; falls with the third; pays 1 a step, and 5 while it lies."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (1,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.n_steps = 0
        return np.zeros(1, dtype=np.float32), {}

    def step(self, action):
        self.n_steps += 1
        fallen = self.n_steps >= 3
        return np.array([self.n_steps], dtype=np.float32), 5.0 if self.n_steps > 3 else 1.0, fallen, False, {}


@pytest.fixture(autouse=True)
def falls() -> Iterator[None]:
    gym.register("Falls-v0", Falls, max_episode_steps=LAST)
    gym.register("FallsForEver-v0", Falls)
    yield
    for name in ("Falls-v0", "FallsForEver-v0"):
        del gym.registry[name]


@pytest.mark.parametrize(
    ("how", "obs", "rew"),
    [
        ("never-done", [1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 1, 5, 5, 5, 5, 5]),
        ("absorbing", [1, 2, 3, 3, 3, 3, 3, 3], [1, 1, 1, 0, 0, 0, 0, 0]),
    ],
)
def test_episodes_last_until_the_clock_by_hand(how, obs, rew):
    env = FixedHorizon(gym.make("Falls-v0", disable_env_checker=True), how)
    for _ in range(2):  # a second episode knows nothing of the first
        env.reset()
        played = [env.step(0) for _ in range(LAST)]
        assert [step[0][0] for step in played] == obs
        assert [step[1] for step in played] == rew
        assert not any(step[2] for step in played)
        assert [step[3] for step in played] == [False] * 7 + [True]


@pytest.mark.parametrize("how", ["never-done", "absorbing"])
def test_learner_stage_and_evaluation_all_have_it(how):
    spec = resolve("gym:Falls-v0", None, how)
    assert spec.clip_steps == LAST  # nothing keeps an untrained agent from living that long
    env = make_vec(spec, 2, seed=0)
    env.reset()
    steps = [env.step(np.zeros(2, dtype=np.int64)) for _ in range(LAST)]
    assert not any(step.terminated.any() for step in steps)
    assert steps[-1].truncated.all()

    class Still:
        def act(self, obs, *, explore):
            return np.zeros(len(obs), dtype=np.int64)

    assert evaluate(Still(), spec, 2).mean == (3.0 if how == "absorbing" else 28.0)
    said = []
    (played,) = Stage(spec, 0, n_envs=1, warn=said.append).play(None, LAST)
    assert (len(played), played.terminated, played.truncated) == (LAST, False, True)
    assert not said


def test_an_early_end_is_told_once_where_nothing_was_chosen():
    said = []
    stage = Stage(resolve("gym:Falls-v0"), 0, warn=said.append)
    stage.play(None, 40)
    stage.play(None, 40)
    (line,) = said
    assert "'gym:Falls-v0' ends episodes early" in line
    assert "--fixed_horizon absorbing" in line


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("-e gym:Falls-v0 --fixed-horizon endless", "Unknown fixed horizon 'endless'. Allowed: absorbing, never-done"),
        ("-e gym:FallsForEver-v0 --fixed-horizon absorbing", "has no clock"),
        ("-e Reacher-v1 --fixed-horizon absorbing", "nothing ends an episode but the clock. Leave it out"),
        ("--behavior hopper-backflip --fixed-horizon never-done", "nothing ends an episode but the clock"),
    ],
)
def test_where_it_makes_no_sense_it_is_refused_in_one_line(words, says, capsys):
    assert says in refused(f"-p synth -l 4 -n x {words}", capsys)
    assert not Path("runs/x/config.json").exists()


def test_it_is_part_of_what_a_run_is(capsys):
    words = "-p synth -l 4 -e gym:CartPole-v1 -n fixed -t 1500 -V -w 1"
    assert teach(f"{words} --fixed-horizon absorbing") == 0
    assert "ends episodes early" not in capsys.readouterr().out
    assert json.loads(Path("runs/fixed/config.json").read_text())["settings"]["fixed_horizon"] == "absorbing"
    assert 5 < summary("fixed")["true_return"]["mean"] < 499  # the same as if it ended early
    assert "fixed_horizon was 'absorbing', now None" in refused(words, capsys)
    assert teach(words.replace("fixed", "early")) == 0
    assert capsys.readouterr().out.count("ends episodes early") == 1
