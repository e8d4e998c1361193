"""The parts of a run, built from its configuration."""

from __future__ import annotations

import shlex

import numpy as np

from rl_teacher.agents.making import for_learning
from rl_teacher.envs.make import make_vec
from rl_teacher.envs.tasks import resolve
from rl_teacher.options import parse
from tests.commands import refused


def test_a_walker_learns_in_short_episodes_and_is_judged_in_whole_ones():
    config, _ = parse(shlex.split("-p rl -e walker -n x"))
    spec = resolve("walker")
    learns = for_learning(spec, config)
    assert (spec.episode_steps, learns.episode_steps) == (1000, config.ppo.episode_steps)
    env = make_vec(learns, 2, 0, 1)
    env.reset()
    act = np.zeros((2, *env.act_space.shape), np.float32)
    ends = [t for t in range(1, 2 * config.ppo.episode_steps) if env.step(act).truncated.any()]
    assert ends == [config.ppo.episode_steps]
    env.close()


def test_a_task_shorter_than_that_keeps_its_own_clock():
    config, _ = parse(shlex.split("-p rl -e reacher -n x --set ppo.episode_steps=100"))
    assert for_learning(resolve("reacher"), config).episode_steps == 50


def test_a_stock_environment_keeps_its_own_clock(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = refused("-p rl -e gym:Hopper-v5 -n x --set ppo.episode_steps=100", capsys)
    assert "a clock of its own. Leave it out." in error
