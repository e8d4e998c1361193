"""A round is learned in bites, so that people see how far it is and are heard; what is learned is the same."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_teacher.options import parse
from rl_teacher.pace import Pace, pace_for
from rl_teacher.queries.schedules import ExponentialSchedule
from rl_teacher.rounds import SOON_SECONDS, Loop, together
from rl_teacher.teachers.synthetic import SyntheticTeacher
from tests.agents.kinds import TORCH, agent, by_obs, config, same, weights
from tests.commands import summary
from tests.fakes import FakeAgent, FakeWatch, K, teaching
from tests.trainer import training


@given(st.integers(1, 5_000), st.integers(1, 700))
def test_bites_are_a_round_in_all_and_none_is_shorter_than_it_should_be(n_steps, bite):
    bites = Pace(None, 32_768, K, bite_steps=bite).bites(n_steps)
    assert sum(bites) == n_steps
    assert all(one == bite for one in bites[:-1])
    assert min(bite, n_steps) <= bites[-1] < 2 * bite
    assert Pace(None, 32_768, K).bites(n_steps) == [n_steps]


@pytest.mark.parametrize(("name", "rounds", "bite"), [("ppo", 32_768, 4_096), ("sb3:SAC", 32_768, 256)])
def test_a_bite_is_a_rollout_or_a_few_bouts_of_learning(name, rounds, bite):
    for predictor in ("rl", "synth"):
        run, _ = parse(["-p", predictor, "-e", "cheetah", "-n", "x", "-a", name])
        pace = pace_for(run, K)
        assert (pace.round_steps, pace.bite_steps) == (rounds, bite)


@pytest.mark.parametrize("name", ["ppo", *TORCH])
@pytest.mark.parametrize("n_steps", [391])
def test_an_agent_that_learns_in_bites_learns_the_same(name, n_steps, tmp_path):
    whole, parts = agent(name, 1), agent(name, 1)
    said = whole.train(n_steps, by_obs)
    bites = pace_for(config(name), K).bites(n_steps)
    assert len(bites) > 1
    pieces = together([parts.train(n, by_obs) for n in bites])
    assert said.keys() == pieces.keys()
    assert pieces["steps"] == said["steps"]
    assert pieces["rew_mean"] == pytest.approx(said["rew_mean"], rel=1e-5)
    if name != "ppo":
        assert same(weights(whole), weights(parts))
    for learner in (whole, parts):
        learner.save(tmp_path)
        (tmp_path / "agent.safetensors").rename(tmp_path / f"{learner is whole}")
    assert (tmp_path / "True").read_bytes() == (tmp_path / "False").read_bytes()


def test_several_calls_are_told_as_one():
    seconds = {"collect_seconds": 1.0, "learn_seconds": 2.0}
    first = {"steps": 100, **seconds, "update_seconds": 0.5, "rew_mean": 1.0}
    second = {"steps": 300, **seconds, "update_seconds": 9.0, "rew_mean": 5.0, "kl": 0.1}
    assert together([first]) == first
    assert together([first, second]) == {
        **{"steps": 400, "collect_seconds": 2.0, "learn_seconds": 4.0, "update_seconds": 0.5},
        **{"rew_mean": 4.0, "kl": pytest.approx(0.1)},
    }


class Heard(FakeWatch):
    """Notes the step whenever it is told something, and asks for the end at one of them."""

    loop: Loop

    def __init__(self, stop_at: int | None = None) -> None:
        super().__init__()
        self.seen: list[int] = []
        self._stop_at = stop_at

    def say(self, message: str) -> None:
        super().say(message)
        self.seen.append(self.loop.steps)
        self.stop = self._stop_at is not None and self.loop.steps >= self._stop_at


def looped(watch: Heard, seconds: float) -> Loop:
    """Two rounds of 1,000 steps, in bites that take so long."""
    learner = FakeAgent()
    learner.learn_seconds = seconds
    watch.loop = Loop(learner, Pace(2_000, 1_000, K, bite_steps=100), watch)
    watch.loop.run()
    return watch.loop


def test_steps_go_up_within_a_round_and_its_figures_are_written_once():
    watch = Heard()
    loop = looped(watch, 0.0)
    assert watch.seen == [*range(0, 2_000, 100)]
    assert [info["step"] for info in watch.infos] == [1_000, 2_000]
    assert (loop.steps, loop.cut) == (2_000, False)


def test_the_end_cuts_a_long_round_short_and_lets_a_short_one_be_done():
    long, short = looped(Heard(stop_at=300), SOON_SECONDS), looped(Heard(stop_at=300), 0.01)
    assert (long.steps, long.cut) == (400, True)
    assert (short.steps, short.cut) == (1_000, False)
    assert long.watch.infos == [{"step": 400, **FakeAgent().train(400, None), "learn_seconds": 4 * SOON_SECONDS}]


def test_a_pause_holds_the_agent_within_a_round():
    watch = Heard()
    steps: list[int] = []

    def say(message: str) -> None:
        watch.hold = not steps and watch.loop.steps == 500

    def wait(n: int) -> None:
        steps.append(watch.loop.steps)
        watch.hold = n < 20

    watch.say, watch.on_idle = say, wait
    assert looped(watch, 0.0).steps == 2_000
    assert steps == [600] * 20  # held after the bite in which it was asked for


def test_a_teachers_round_cut_short_asks_and_ends():
    watch, schedule = FakeWatch(), ExponentialSchedule(20, 5, 20_000)
    loop = teaching(SyntheticTeacher(), watch, Pace(20_000, 1_000, K, 5, 20, bite_steps=100), schedule)
    loop.agent.learn_seconds = SOON_SECONDS
    train = loop.agent.train

    def train_and_stop(n_steps, reward):
        watch.stop = loop.agent.n_steps >= 300
        return train(n_steps, reward)

    loop.agent.train = train_and_stop
    loop.run()
    assert loop.agent.n_steps == 400
    assert len(watch.infos) == 1
    assert loop.steps == loop.agent.n_steps + loop.stage.n_steps


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_slow_learner_stops_within_its_first_round_and_goes_on(how):
    pytest.importorskip("stable_baselines3", reason="not installed: pip install 'rl-teacher[sb3]'")
    words = "-p rl -e Reacher-v1 -a sb3:SAC -n slow -t 1e6 -V -w 1 --set learner.random_steps=64"
    steps = [0]
    for _ in range(2):
        with training(words) as trainer:
            trainer.wait_for("going on from step" if steps[-1] else "learning from the true reward", 300.0)
            time.sleep(8.0)
            trainer.process.send_signal(how)
            asked = time.monotonic()
            assert trainer.end() == 0, trainer.output
            assert time.monotonic() - asked < 45.0  # a round of theirs would be minutes; most of this is evaluation
            assert "The same command goes on" in trainer.output
        steps.append(summary("slow")["steps"])
    assert 0 < steps[1] < steps[2] < 32_768
    lines = [json.loads(line)["step"] for line in Path("runs/slow/metrics.jsonl").read_text().splitlines()]
    assert lines == steps[1:]
    assert np.isfinite(summary("slow")["true_return"]["mean"])
