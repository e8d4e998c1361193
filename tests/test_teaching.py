"""A run around somebody's own learner: the same folder, store and page as that of our agent."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rl_teacher import Teaching
from rl_teacher.cli import main
from rl_teacher.errors import UserError
from rl_teacher.feedback.store import open_store
from rl_teacher.reopen import reopen
from tests.commands import summary, teach
from tests.test_examples import EXAMPLES
from tests.trainer import person, training

REACHER = {"env_id": "Reacher-v1", "predictor": "synth", "n_labels": 12, "no_videos": True, "workers": 1}


def still(obs):
    return np.zeros((len(obs), 2), dtype=np.float32)


def learn(teaching: Teaching, n_ticks: int = 10_000) -> int:
    """A learner that learns nothing; returns how often it was let."""
    for n in range(n_ticks):
        if teaching.over:
            return n
        teaching.tick(50, still)
    return n_ticks


def test_a_run_from_beginning_to_end_is_one_like_ours():
    with Teaching(name="mine", num_timesteps=2_500, **REACHER) as teaching:
        learn(teaching)
    done = summary("mine")
    assert done["finished"]
    assert done["labels"]["answered"] == 12
    assert done["true_return"]["episodes"] == 20
    teaching.close()  # once more is harmless
    assert main(["export", "reward", "mine"]) == 0
    with pytest.raises(UserError, match="is finished: nothing more is asked"):
        Teaching(name="mine", num_timesteps=2_500, **REACHER)
    with closing(open_store("runs")) as store, pytest.raises(UserError, match="learner of another program"):
        reopen(Path("runs"), store.run_by_name("mine"), store)


def test_a_run_that_was_left_early_goes_on_with_all_that_was_answered(capsys):
    with Teaching(name="mine", num_timesteps=2_500, **REACHER) as teaching:
        learn(teaching, 20)
        fits, answered = teaching.n_fits, summary("mine")["labels"]["answered"]
        seen = np.random.default_rng(0).normal(size=(30, 10)), np.zeros((30, 2))
        before = teaching.reward(*seen)
    assert not summary("mine")["finished"]
    assert summary("mine")["labels"]["answered"] >= answered >= 3
    with Teaching(name="mine", num_timesteps=2_500, **REACHER) as again:
        assert again.n_fits == fits
        assert np.array_equal(again.reward(*seen), before)
        learn(again)
    assert "going on from step" in capsys.readouterr().out
    assert summary("mine")["finished"]
    assert summary("mine")["labels"]["answered"] == 12


def test_what_fails_in_the_learner_passes_and_is_kept_what_was_learned():
    def stopped() -> None:
        with Teaching(name="mine", num_timesteps=2_500, **REACHER) as teaching:
            learn(teaching, 20)
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        stopped()
    assert not summary("mine")["finished"]
    with closing(open_store("runs")) as store:
        assert "ZeroDivisionError" in store.run_by_name("mine").message


def test_ctrl_c_stops_in_good_order():
    def stopped() -> None:
        with Teaching(name="mine", num_timesteps=2_500, **REACHER) as teaching:
            learn(teaching, 20)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    with closing(open_store("runs")) as store:
        assert "the same command goes on" in store.run_by_name("mine").message
    assert summary("mine")["true_return"]["episodes"] == 20


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"predictor": "rl"}, "where nobody teaches"),
        ({"env_id": "Reachr-v1"}, "Did you mean"),
        ({"n_labels": -3}, "-3 given"),
        ({"colour": "blue"}, "Unrecognized arguments: --colour=blue"),
        ({"agent": "dreamer"}, "Unknown agent"),
        ({"explore": 900, "num_timesteps": 5_000}, "your learner learns by itself"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(options, says):
    with pytest.raises(UserError, match=says) as caught:
        Teaching(**{"name": "x", **REACHER, **options})
    assert "\n" not in str(caught.value)
    assert not Path("runs/x/config.json").exists()


def test_a_name_that_our_agent_has_is_not_taken_over(capsys):
    assert teach("-p synth -l 4 -e Reacher-v1 -n ours -t 2500 -V -w 1") == 0
    with pytest.raises(UserError, match="agent was 'ppo', now 'outside'"):
        Teaching(name="ours", num_timesteps=2_500, **{**REACHER, "n_labels": 4})


@pytest.mark.slow
def test_people_teach_a_learner_of_another_program_through_the_page():
    words = "--gym_id Reacher-v5 --predictor human --n_labels 8 --n_steps 6000 --name people --epochs 1"
    with training(words, EXAMPLES / "single_file_ppo.py") as trainer, person(trainer) as me:
        assert me.answer(8) == 8
        assert trainer.end() == 0
    done = summary("people")
    assert done["finished"]
    assert done["labels"]["answered"] == 8
    assert json.loads(Path("runs/people/config.json").read_text())["settings"]["agent"] == "outside"
    assert main(["export", "policy", "people"]) == 2
