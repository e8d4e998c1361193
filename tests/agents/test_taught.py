"""Whole runs with other people's agents: taught, stopped and gone on, and opened again by the worker."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rl_teacher import session
from rl_teacher.feedback.store import open_store
from rl_teacher.reopen import reopen
from tests.commands import summary, teach
from tests.test_resume import course, ending

SMALL = {
    "sb3:SAC": "--set learner.updates=0.03 --set learner.hidden=16 --set learner.random_steps=300",
    "sb3:PPO": "--set ppo.n_envs=8 --set ppo.n_steps=16 --set ppo.minibatch=64 --set ppo.epochs=2",
}


@pytest.mark.parametrize("agent", SMALL)
def test_stopped_and_gone_on_is_the_same_as_never_stopped(agent, monkeypatch, capsys):
    monkeypatch.setattr(session, "LEG_STEPS", 1_000)
    words = f"-p synth -l 20 -t 3000 -e Reacher-v1 -s 3 -V -w 1 -a {agent} {SMALL[agent]}"
    assert teach(f"{words} -n whole") == 0
    record, stop_at = session.Session.record, [500, 1_600]

    def stopped_now_and_then(self, steps, info):
        record(self, steps, info)
        if stop_at and steps >= stop_at[0]:
            stop_at.pop(0)
            self.stop_asked = True

    monkeypatch.setattr(session.Session, "record", stopped_now_and_then)
    for _ in range(3):
        assert teach(f"{words} -n parts") == 0
    assert capsys.readouterr().out.count("going on from step") == 2
    assert course("parts") == course("whole")
    assert ending("parts") == ending("whole")
    assert summary("whole")["agent"] == agent
    assert summary("whole")["finished"]
    settings = json.loads(Path("runs/whole/config.json").read_text())["settings"]
    assert (settings["ppo"] is None) == (agent == "sb3:SAC")
    with closing(open_store(Path("runs"))) as store:
        subject = reopen(Path("runs"), store.run_by_name("whole"), store)
        assert np.isfinite(subject.play(0).obs).all()


@pytest.mark.slow
def test_an_agent_that_chooses_is_taught_in_an_environment_that_terminates():
    """CartPole ends by itself when the pole falls: DQN must be told so, through r̂ that says nothing about it."""
    words = "-p rl -e gym:CartPole-v1 -s 1 -t 6000 -V -n pole -a sb3:DQN"
    assert teach(f"{words} --set learner.explore_steps=2000 --set learner.updates=0.5") == 0
    assert summary("pole")["true_return"]["mean"] > 60  # random actions: 22
