"""`--behavior` from end to end."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from rl_teacher.feedback.store import open_store
from tests.commands import refused, summary, teach


@pytest.fixture
def judges(tmp_path, monkeypatch):
    """A folder of the user's on the import path."""
    (tmp_path / "user").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "user")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path / "user" / "their_judges.py"
    sys.modules.pop("their_judges", None)


def test_a_synthetic_teacher_teaches_a_behavior(capsys):
    assert teach("-p synth -l 20 --behavior reacher-spin -n spin -t 20000 -V") == 0
    done = summary("spin")
    assert done["finished"]
    assert (done["env_id"], done["behavior"], done["true_return"]) == ("reacher", "reacher-spin", None)
    assert {"mean", "std", "episodes", "success", "turns_per_second"} == set(done["behavior_return"])
    assert done["behavior_return"]["episodes"] == 20
    assert done["labels"]["answered"] == 20
    lines = [json.loads(line) for line in Path("runs/spin/metrics.jsonl").read_text().splitlines()]
    assert any("behavior_return" in line for line in lines)
    # Whether 20 answers make it spin is luck; that r̂ tells pairs it was not taught, as the judge does, is not.
    assert [line for line in lines if "reward/held_out_accuracy" in line][-1]["reward/held_out_accuracy"] > 0.55
    assert not any("true_return" in line for line in lines)
    said = capsys.readouterr().out
    assert "Behavior return" in said
    assert "True return" not in said


def test_it_goes_on_only_with_the_same_behavior(capsys):
    assert teach("-p rl --behavior reacher-spin -n x -t 5000 -V") == 0
    assert teach("-p rl --behavior reacher-spin -n x -t 5000 -V") == 0
    error = refused("-p rl --behavior reacher-opposite -n x -t 5000 -V", capsys)
    assert "behavior was 'reacher-spin', now 'reacher-opposite'" in error
    assert "behavior was 'reacher-spin', now None" in refused("-p rl -e reacher -n x -t 5000 -V", capsys)


def test_people_are_told_what_the_behavior_is():
    from contextlib import ExitStack

    from rl_teacher.build import build
    from rl_teacher.checkpoints import PARTS
    from rl_teacher.options import parse
    from rl_teacher.runs import RunFolder

    config, machine = parse(shlex.split("-p human --behavior hopper-backflip -n flip --no_serve -V"))
    with ExitStack() as stack:
        folder = RunFolder(machine.run_dir, config.name, PARTS["human"])
        stack.callback(folder.close)
        build(config, machine, folder, stack)
    store = open_store("runs")
    (experiment,) = store.experiments()
    assert "turn a full circle backward" in experiment.instructions
    store.close()


def test_a_judge_of_ones_own_teaches(judges):
    judges.write_text("def high(obs):\n    return obs[..., 1]\n")
    assert teach("-p synth -l 10 -e ShortHopper-v1 --behavior their_judges:high -n own -t 10000 -V") == 0
    done = summary("own")
    assert done["behavior"] == "their_judges:high"
    assert set(done["behavior_return"]) == {"mean", "std", "episodes"}


def test_a_judge_that_cannot_be_used_leaves_no_trace(judges, capsys):
    judges.write_text("def high(obs):\n    return obs\n")
    assert "returned shape" in refused("-p rl -e hopper --behavior their_judges:high -n own", capsys)
    assert not Path("runs").exists()


def test_a_judge_that_gives_nan_later_ends_the_run_in_one_line(judges, capsys):
    judges.write_text(
        "import numpy as np\nn_asked = 0\n"
        "def high(obs):\n"
        "    global n_asked\n    n_asked += 1\n"
        "    return obs[..., 0] * (np.nan if n_asked > 300 else 1.0)\n"
    )
    error = refused("-p synth -l 10 -e Reacher-v1 --behavior their_judges:high -n own -t 100000 -V", capsys)
    assert "The judge 'their_judges:high' returned nan" in error
    assert not summary("own")["finished"]
