"""A synthetic run that is stopped and goes on ends as one that was never stopped."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rl_teacher import session
from rl_teacher.checkpoints import REDONE_SECONDS, latest
from rl_teacher.files import sha256_of
from tests.commands import summary, teach
from tests.trainer import SCRIPT

TIMES = ("seconds", "wall_seconds", "steps_per_second", "memory_mb", "update_seconds", "label_latency_seconds")


def course(name: str) -> list[dict]:
    """Every line of the metrics, times aside."""
    lines = [json.loads(line) for line in Path("runs", name, "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key.partition("/")[0] not in TIMES} for line in lines]


def ending(name: str) -> dict:
    done = summary(name)
    return {key: done[key] for key in ("steps", "labels", "true_return", "reward_model", "finished")}


@pytest.mark.parametrize(
    "words",
    [
        "-p synth -l 60 -t 45000",
        pytest.param("-p rl -t 170000", marks=pytest.mark.slow),
        pytest.param("-p synth -l 60 --preset paper --teacher mistake:0.1 -t 45000", marks=pytest.mark.slow),
        pytest.param("-p synth -l 60 --queries disagreement+random:0.3 -t 45000", marks=pytest.mark.slow),
        pytest.param("-p synth -l 40 --queries sort -t 45000", marks=pytest.mark.slow),
    ],
)
def test_stopped_and_gone_on_is_the_same_as_never_stopped(words, monkeypatch, capsys):
    monkeypatch.setattr(session, "LEG_STEPS", 10_000)
    words = f"{words} -e Reacher-v1 -s 3 -V"
    assert teach(f"{words} -n whole") == 0
    n_steps = summary("whole")["steps"]
    record, stop_at = session.Session.record, [0.15 * n_steps, 0.5 * n_steps, 0.75 * n_steps]

    def stopped_now_and_then(self, steps, info):
        record(self, steps, info)
        if stop_at and steps >= stop_at[0]:
            stop_at.pop(0)
            self.stop_asked = True

    monkeypatch.setattr(session.Session, "record", stopped_now_and_then)
    for _ in range(4):
        assert teach(f"{words} -n parts") == 0
    said = capsys.readouterr().out
    assert said.count("going on from step") == 3
    assert course("parts") == course("whole")
    assert ending("parts") == ending("whole")
    assert ending("whole")["finished"]


@pytest.mark.slow
def test_killed_and_gone_on_is_the_same_as_never_stopped():
    words = "-p synth -l 100 -e Reacher-v1 -t 400000 -s 2 -V"
    whole, parts = ([sys.executable, str(SCRIPT), *shlex.split(f"{words} -n {name}")] for name in ("whole", "parts"))
    subprocess.run(whole, check=True, capture_output=True, timeout=280)
    run = subprocess.Popen(parts, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    for n_lines in (3, 23):
        while not Path("runs/parts/metrics.jsonl").exists() or len(course("parts")) < n_lines:
            assert run.poll() is None
            time.sleep(0.05)
        run.send_signal(signal.SIGKILL)
        run.wait()
        run = subprocess.Popen(parts, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    assert run.wait(280) == 0
    assert course("parts") == course("whole")
    assert ending("parts") == ending("whole")


def checkpoint(root: Path, step: int, seconds: float, leg: bool) -> Path:
    folder = root / f"step-{step:012d}"
    folder.mkdir(parents=True)
    state = {"steps": step, "loop": {}, "leg": leg, "seconds": {"learn": seconds}}
    state |= {"evaluated_at": 0, "latest": {}, "true_return": None}
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "manifest.json").write_text(json.dumps({"state.json": sha256_of(folder / "state.json")}))
    return folder


@pytest.mark.parametrize(("behind", "chosen"), [(REDONE_SECONDS - 1, 0), (REDONE_SECONDS + 1, 2)])
def test_it_goes_on_from_where_a_leg_began_unless_that_is_much_to_do_again(behind, chosen, tmp_path):
    made = [checkpoint(tmp_path, 100, 50.0, leg=True), checkpoint(tmp_path, 200, 60.0, leg=False)]
    made.append(checkpoint(tmp_path, 300, 50.0 + behind, leg=False))
    assert latest(tmp_path, (), pytest.fail) == made[chosen]


def test_without_the_beginning_of_a_leg_it_goes_on_from_the_newest(tmp_path):
    checkpoint(tmp_path, 100, 50.0, leg=False)
    newest = checkpoint(tmp_path, 200, 60.0, leg=False)
    assert latest(tmp_path, (), pytest.fail) == newest
