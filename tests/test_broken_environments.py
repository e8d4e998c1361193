"""Environments that fail: one line for the user, a log for the author, and nothing learned is lost."""

from __future__ import annotations

import json
import math
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from rl_teacher.teach import main
from tests.moody import in_a_mood
from tests.trainer import SCRIPT

AT_START = 308
"""Steps that are played at a start to see how long a clip can be, first for the options and then for the run."""
ROLLOUT = 4_096


def teach(words: str) -> int:
    return main(shlex.split(words))


def refused(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert teach(words) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1, error
    return error


def command(predictor: str, kind: str = "") -> str:
    return f"-p {predictor} -e gym:tests.moody:Moody{kind}-v0 -n x -t 5000 -V"


def left() -> set[str]:
    return {path.name for path in Path("runs/x").glob("*")} - {"tb", "lock", "metrics.jsonl", "config.json"}


@pytest.mark.parametrize(
    ("predictor", "fails_in", "after", "where"),
    [
        ("rl", "step", AT_START + 10, "rollout.py"),
        ("rl", "reset", AT_START + ROLLOUT // 2, "rollout.py"),
        ("rl", "step", AT_START + 2 * ROLLOUT, "evaluate.py"),
        ("synth -l 10", "step", AT_START + 10, "stage.py"),
    ],
)
def test_an_environment_that_fails_is_named_and_what_was_learned_is_saved(predictor, fails_in, after, where, capsys):
    with in_a_mood(fails_in=fails_in, after=after):
        error = refused(command(predictor), capsys)
    assert f"'gym:tests.moody:Moody-v0' raised ValueError: the motor is too hot to {fails_in} (" in error
    assert "moody.py:" in error
    assert "Mend it and start the same command again" in error
    assert "runs/x/error.log" in error
    log = Path("runs/x/error.log").read_text()
    assert where in log
    assert "is too hot to" in log
    assert left() == {"checkpoints", "summary.json", "error.log"}
    assert not json.loads(Path("runs/x/summary.json").read_text())["finished"]
    assert teach(command(predictor)) == 0
    assert "going on from step" in capsys.readouterr().out


@pytest.mark.parametrize("fails_in", ["step", "reset"])
def test_one_that_fails_at_once_is_refused_at_the_start(fails_in, capsys):
    with in_a_mood(fails_in=fails_in):
        error = refused(command("rl"), capsys)
    assert "Moody-v0' raised ValueError" in error
    assert "moody.py" in Path("runs/x/error.log").read_text()
    assert left() == {"error.log"}
    assert teach(command("rl")) == 0


def test_one_that_fails_in_closing_is_told_after_all_is_saved(capsys):
    with in_a_mood(fails_in="close", after=AT_START + ROLLOUT):
        assert "too hot to close" in refused(command("rl"), capsys)
    assert teach(command("rl")) == 0


def test_one_that_would_end_the_program_ends_with_the_line(capsys):
    with in_a_mood(fails_in="exit"):
        assert "raised SystemExit: 7" in refused(command("rl"), capsys)


def test_the_authors_module_is_found_and_its_line_is_told():
    Path("mine.py").write_text(
        "import gymnasium as gym\n"
        "class Mine(gym.Env):\n"
        "    def __init__(self):\n"
        "        raise KeyError('no such\\nrobot')\n"
        "gym.register('Mine-v0', Mine)\n"
    )
    words = [sys.executable, str(SCRIPT), *shlex.split("-p rl -e gym:mine:Mine-v0 -n x")]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "'mine:Mine-v0' raised KeyError" in done.stderr
    assert f"{Path.cwd()}/mine.py:4" in done.stderr
    assert "mine.py" in Path("runs/x/error.log").read_text()


@pytest.mark.parametrize("predictor", ["rl", "synth -l 10", "synth -l 10 -L 0"])
@pytest.mark.parametrize("kind", ["", "Discrete"])
def test_a_nan_before_the_first_round_leaves_a_run_that_goes_on_once_it_is_mended(kind, predictor, capsys):
    with in_a_mood(obs=math.nan):
        error = refused(command(predictor, kind), capsys)
    assert "observation that is not finite" in error
    assert "Mend the environment" in error
    assert left() == {"checkpoints", "summary.json"}
    assert teach(command(predictor, kind)) == 0
    assert json.loads(Path("runs/x/summary.json").read_text())["finished"]


def test_a_reward_too_large_to_learn_from_leaves_no_checkpoint_but_a_summary_and_says_what_to_do(capsys):
    with in_a_mood(rew=1e200):
        error = refused(command("rl"), capsys)
    assert "would hold values that are not finite" in error
    assert "mend it and start the same command again" in error
    assert len(error) < 400
    assert left() == {"checkpoints", "summary.json"}
    assert not list(Path("runs/x/checkpoints").glob("step-????????????"))
    assert teach(command("rl")) == 0
    assert json.loads(Path("runs/x/summary.json").read_text())["finished"]


def test_a_true_return_beyond_all_numbers_is_left_out_of_the_goodbye(capsys):
    with in_a_mood(rew=1e200):
        assert teach(command("synth -l 10")) == 0
    assert "True return" not in capsys.readouterr().out
