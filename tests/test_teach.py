"""The command from end to end, on real simulators."""

from __future__ import annotations

import json
import math
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rl_teacher.config import RewardConfig
from rl_teacher.feedback.store import open_store
from rl_teacher.teach import main

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "rl_teacher" / "teach.py"


def teach(words: str) -> int:
    return main(shlex.split(words))


def summary(name: str) -> dict:
    return json.loads(Path("runs", name, "summary.json").read_text())


def metrics(name: str) -> list[dict]:
    lines = [json.loads(line) for line in Path("runs", name, "metrics.jsonl").read_text().splitlines()]
    timeless = ("seconds", "per_second", "memory")
    return [{key: value for key, value in line.items() if not any(word in key for word in timeless)} for line in lines]


def test_rl_writes_everything_a_run_promises(capsys):
    assert teach("-p rl -e Reacher-v1 -n first -t 20000 -V") == 0
    done = summary("first")
    assert done["finished"]
    assert done["steps"] >= 20_000
    assert {"name", "env_id", "agent", "predictor", "seed", "wall_seconds", "steps_per_second"} <= set(done)
    phases = {"collect", "learn", "reward_fit", "query", "stage", "eval", "wait", "other"}
    assert set(done["seconds"]) == phases
    assert sum(done["seconds"].values()) == pytest.approx(done["wall_seconds"], rel=0.02)
    assert done["true_return"]["episodes"] == 20
    assert done["reward_model"] is None
    assert set(done["labels"].values()) == {0}
    folder = Path("runs/first")
    assert json.loads((folder / "config.json").read_text())["about"]["versions"]["torch"]
    assert list((folder / "checkpoints").iterdir())
    assert list((folder / "tb").iterdir())
    assert all("step" in line for line in metrics("first"))
    assert "rl-teacher watch first" in capsys.readouterr().out


def test_a_finished_run_says_so_and_changes_nothing(capsys):
    teach("-p rl -e Reacher-v1 -n once -t 5000 -V")
    store = open_store("runs")
    before = _files("runs/once")
    assert teach("-p rl -e Reacher-v1 -n once -t 5000 -V") == 0
    assert "finished" in capsys.readouterr().out
    assert _files("runs/once") == before
    assert [experiment.status for experiment in store.experiments()] == ["finished"]
    store.close()


def _files(folder: str) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def test_same_seed_same_metrics_other_seed_others():
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert teach(f"-p synth -l 40 -e Reacher-v1 -n {name} -s {seed} -t 40000 -V -w 2") == 0
    assert metrics("a") == metrics("b")
    assert metrics("a") != metrics("c")
    assert len(metrics("a")) >= 2


def test_synth_asks_all_and_reports_the_reward_model():
    assert teach("-p synth -l 60 -e Reacher-v1 -n s -t 40000 -V") == 0
    done = summary("s")
    assert done["labels"]["asked"] == done["labels"]["answered"] == 60
    assert sum(done["labels"][verdict] for verdict in ("left", "right", "tie", "abstain")) == 60
    model = done["reward_model"]
    assert model["members"] == RewardConfig().members
    assert model["fits"] >= 2
    assert 0.5 < model["held_out_accuracy"] <= 1
    assert -1 <= model["correlation"] <= 1


def test_synth_without_pretraining_labels_starts_by_asking(capsys):
    assert teach("-p synth -l 20 -L 0 -e Reacher-v1 -n zero -t 40000 -V") == 0
    assert summary("zero")["labels"]["answered"] == 20


def test_stock_environments_work_even_where_nothing_can_be_drawn():
    assert teach("-p synth -l 20 -e gym:CartPole-v1 -n cart -t 20000") == 0
    assert summary("cart")["true_return"]["mean"] > 0


def test_mistakes_end_with_code_2_and_one_line(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)  # as if it were not installed
    for words, says in [
        ("-p rl -e Nowhere-v1 -n x", "Unknown environment"),
        ("-p rl -e Reacher-v1 -n ../x", "allowed are up to 100 ASCII letters"),
        ("-p human -e gym:CartPole-v1 -n x --no_serve", "rl-teacher[pixels]"),
        ("-p human -e Reacher-v1 -n y --host nosuchhost.invalid", "no address of any machine"),
        ("-p rl -e Reacher-v1 -n y --store postgresql+psycopg://nobody@127.0.0.1:1/x", "PostgreSQL"),
        ("-p rl -e Reacher-v1 -n y --store nonsense", "nonsense"),
    ]:
        assert teach(words) == 2
        error = capsys.readouterr().err
        assert says in error
        assert error.count("\n") == 1
        assert "Traceback" not in error


def test_a_refused_command_reserves_no_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    assert teach("-p human -e gym:CartPole-v1 -n free --no_serve") == 2
    assert teach("-p synth -l 4 -e gym:CartPole-v1 -n free -t 5000 -V") == 0


def test_a_nan_in_the_true_reward_stops_a_synthetic_teacher_with_a_line(monkeypatch, capsys):
    from rl_teacher.envs.simulator import Simulator

    honest = Simulator.step

    def poisoned(self, act):
        obs, _, terminated, truncated = honest(self, act)
        return obs, math.nan, terminated, truncated

    monkeypatch.setattr(Simulator, "step", poisoned)
    assert teach("-p synth -l 10 -e Reacher-v1 -n judge -t 20000 -V") == 2
    assert "a synthetic teacher cannot judge it" in capsys.readouterr().err
    store = open_store("runs")
    assert store.run_by_name("judge").status == "failed"
    store.close()


def test_another_configuration_under_the_same_name_is_refused(capsys):
    teach("-p rl -e Reacher-v1 -n x -t 5000 -V")
    assert teach("-p rl -e Reacher-v1 -n x -t 6000 -V") == 2
    assert "num_timesteps was 5000, now 6000" in capsys.readouterr().err


def start(words: str) -> subprocess.Popen[str]:
    """The command as a user types it, from the folder of the test."""
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *shlex.split(words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": ""},
    )


def wait_for(condition, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.mark.slow
def test_ctrl_c_saves_and_the_same_command_goes_on():
    words = "-p synth -l 200 -e Reacher-v1 -n stopped -t 150000 -V"
    run = start(words)
    wait_for(lambda: Path("runs/stopped/metrics.jsonl").exists() and len(metrics("stopped")) >= 1)
    run.send_signal(signal.SIGINT)
    out, _ = run.communicate(timeout=60)
    assert run.returncode == 0, out
    assert "The same command goes on." in out
    first = summary("stopped")
    assert not first["finished"]
    assert 0 < first["steps"] < 150_000
    again = start(words)
    out, _ = again.communicate(timeout=120)
    assert "going on from step" in out
    done = summary("stopped")
    assert done["finished"]
    assert done["labels"]["answered"] == 200
    assert done["wall_seconds"] > first["wall_seconds"]
    steps = [line["step"] for line in metrics("stopped")]
    assert steps == sorted(steps)


@pytest.mark.slow
def test_after_kill_9_it_goes_on_from_the_last_checkpoint():
    words = "-p synth -l 100 -e Reacher-v1 -n killed -t 120000 -V"
    run = start(words)
    wait_for(lambda: Path("runs/killed/metrics.jsonl").exists() and len(metrics("killed")) >= 1)
    run.kill()
    run.communicate()
    again = start(words)
    out, _ = again.communicate(timeout=120)
    assert again.returncode == 0, out
    done = summary("killed")
    assert done["finished"]
    assert done["labels"]["answered"] == 100
    assert math.isfinite(done["true_return"]["mean"])


def test_a_nan_reward_changes_nothing_for_the_agent_and_is_null_in_the_summary(monkeypatch):
    """The environment's own reward is read by nobody but the judge and the metrics."""
    import rl_teacher.envs.make as make

    assert teach("-p synth -l 10 -e Reacher-v1 -n honest -t 20000 -V") == 0
    honest = make.EnvPoolVec.step

    def poisoned(self, act):
        out = honest(self, act)
        return type(out)(out.obs, out.env_rew * math.nan, out.terminated, out.truncated)

    monkeypatch.setattr(make.EnvPoolVec, "step", poisoned)
    assert teach("-p synth -l 10 -e Reacher-v1 -n blind -t 20000 -V") == 0
    done = summary("blind")
    assert done["true_return"]["mean"] is None
    learned = ("policy_loss", "value_loss", "kl", "rew_mean")
    for a, b in zip(metrics("honest"), metrics("blind"), strict=True):
        assert {key: a[key] for key in learned if key in a} == {key: b[key] for key in learned if key in b}


def test_a_nan_observation_ends_the_run_with_a_line_and_the_last_good_state_saved(monkeypatch, capsys):
    import rl_teacher.envs.make as make

    honest, n_steps = make.EnvPoolVec.step, 0

    def poisoned(self, act):
        nonlocal n_steps
        n_steps += 1
        out = honest(self, act)
        return out if n_steps < 700 else type(out)(out.obs * math.nan, out.env_rew, out.terminated, out.truncated)

    monkeypatch.setattr(make.EnvPoolVec, "step", poisoned)
    words = "-p synth -l 10 -e Reacher-v1 -n nan -t 200000 -V"
    assert teach(words) == 2
    error = capsys.readouterr().err
    assert "observation that is not finite" in error
    assert error.count("\n") == 1
    monkeypatch.setattr(make.EnvPoolVec, "step", honest)
    assert list(Path("runs/nan/checkpoints").iterdir())
    assert teach("-p synth -l 10 -e Reacher-v1 -n nan -t 200000 -V") == 0
    assert "going on from step" in capsys.readouterr().out
    assert summary("nan")["labels"]["answered"] == 10


def test_a_nan_in_r_hat_ends_the_run_with_a_line_and_poisons_no_checkpoint(monkeypatch, capsys):
    import torch

    from rl_teacher.reward.model import RewardEnsemble

    honest = RewardEnsemble.fit

    def poisoned(self, comparisons, n_iters=None):
        info = honest(self, comparisons, n_iters)
        if self.n_fits == 3:
            with torch.no_grad():
                self._net.weights[0].fill_(math.nan)
                self._net.wide.fill_(math.nan)
        return info

    monkeypatch.setattr(RewardEnsemble, "fit", poisoned)
    assert teach("-p synth -l 100 -e Reacher-v1 -n nan -t 200000 -V") == 2
    said = capsys.readouterr()
    assert "r̂ is not finite" in said.err
    assert said.err.count("\n") == 1
    assert "Not saved" in said.out


def test_segments_longer_than_the_episode_are_refused():
    from dataclasses import replace

    from rl_teacher.envs.tasks import resolve
    from rl_teacher.errors import UserError
    from rl_teacher.lengths import check_length

    check_length(resolve("ShortReacher-v1"))
    with pytest.raises(
        UserError, match="Segments of 15 steps are longer than an episode of 'Reacher-v1', which has 14"
    ):
        check_length(replace(resolve("Reacher-v1"), episode_steps=14))
