"""What bad input gets: one line that says what was given, what is allowed and what to do; exit code 2; nothing lost."""

from __future__ import annotations

import hashlib
import json
import math
import shlex
import shutil
import signal
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rl_teacher.checkpoints import PARTS
from rl_teacher.envs.simulator import Simulator
from rl_teacher.errors import outside_fault
from rl_teacher.feedback.store import open_store
from rl_teacher.runs import RunFolder
from tests.commands import refused, summary, teach
from tests.trainer import SCRIPT, person, training
from tests.unprivileged import run_unprivileged

WELL = "-p rl -e Reacher-v1 -n x -t 5000 -V"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("-p rl -e HalfChetah-v1 -n x", "Did you mean HalfCheetah"),
        ("-p rl -e gym:Humanoid-v2 -n x", "cannot be built here"),
        ("-p rl -e tests.moody:nothing -n x", "tests.moody has no 'nothing'"),
        ("-p synth -l 10 -L 11 -e Reacher-v1 -n x", "Give -L 10 or fewer"),
        ("-p synth -l 0 -e Reacher-v1 -n x", "allowed is a whole number from 1 to 100000. Give for example -l 700."),
        ("-p synth -l 9 -L x -e Reacher-v1 -n x", "Give for example -L 175."),
        ("-p synth -l 1e99 -e Reacher-v1 -n x", "Give for example -l 700."),
        ("-p rl -i x -e Reacher-v1 -n x", "Give for example -i 300."),
        ("-p rl -t x -e Reacher-v1 -n x", "Give for example -t 1e6."),
        ("-p rl -s x -e Reacher-v1 -n x", "Give for example -s 1."),
        ("-p rl -w x -e Reacher-v1 -n x", "Give for example -w 4."),
        ("-p rl --port x -e Reacher-v1 -n x", "Give for example --port 8000."),
        ("-p synth -l 1e12 -e Reacher-v1 -n x", "from 1 to 100000. Give for example -l 700."),
        ("-p rl -t -1e6 -e Reacher-v1 -n x", "-t/--num_timesteps -1e6 given; allowed is"),
        ("-p synth -l -5 -e Reacher-v1 -n x", "-5"),
        ("-p synth -l many -e Reacher-v1 -n x", "many given"),
        ("-p rl -t 1.5 -e Reacher-v1 -n x", "1.5 given"),
        ("-p rl -e Reacher-v1 -n a/b", "a/b"),
        ("-p rl -e Reacher-v1 -n ..", "'..'"),
        ("-p rl -e Reacher-v1 -n $'a\nb'", "allowed are up to 100 ASCII letters"),
        ("-p rl -e Reacher-v1 -n ü", "ASCII letters (A-Z, a-z)"),
        ("-p rl -e 'Rea\ncher' -n x", "Unknown environment"),
        ("-p rl -e Reacher-v1 -n x -a dreamer", "Choose one of them"),
        ("-p human -e Reacher-v1 -n x --host a..b", "no address of any machine"),
        (f"-p human -e Reacher-v1 -n x --host {'h' * 300}", "no address of any machine"),
        ("-p rl -e Reacher-v1 -n x --store postgresql+nope://x/y", "Choose one"),
        ("-p rl -e Reacher-v1 -n x --store sqlite+aiosqlite:///x.db", "Choose one"),
        ("-p rl -e Reacher-v1 -n x --store 'sqlite:///q.db?timeout=abc'", "no options after '?'"),
        ("-p rl -e Reacher-v1 -n x --store 'sqlite:///file::memory:?uri=true'", "cannot be shared"),
        (
            "-p rl -e Reacher-v1 -n x --instructions 'bad\udcff'",
            "'bad\N{REPLACEMENT CHARACTER}' given, which is no text in UTF-8",
        ),
        ("-p rl -e Reacher-v1 -n x --run_dir 'r\udcff'", "which is no text in UTF-8"),
        ("-p rl -e Reacher-v1 -n x --store postgresql+psycopg://u@h:notaport/db", "not the address of a database"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line_and_leaves_no_trace(words, says, capsys):
    assert says in refused(words, capsys)
    assert not Path("runs", "x", "config.json").exists()
    assert teach(WELL) == 0  # the name is still free


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda run: (shutil.rmtree(run / "tb"), (run / "tb").write_text("")), "tb"),
        (lambda run: ((run / "metrics.jsonl").unlink(), (run / "metrics.jsonl").mkdir()), "metrics.jsonl"),
        (lambda run: (run / "config.json").write_text('{"settings": null}'), "holds no settings"),
        (lambda run: (run / "config.json").write_text("{"), "holds no JSON object"),
    ],
)
def test_a_spoilt_run_folder_is_named(spoil, says, capsys):
    assert teach(WELL) == 0
    (Path("runs/x") / "summary.json").unlink()  # as if it had not come to its end
    spoil(Path("runs/x"))
    assert says in refused(WELL, capsys)


def test_a_line_of_metrics_that_is_no_text_is_passed_over(capsys):
    assert teach(WELL) == 0
    (Path("runs/x") / "summary.json").unlink()
    with Path("runs/x/metrics.jsonl").open("ab") as file:
        file.write(b'{"step": \xff\n')
    assert teach(WELL) == 0
    assert all(json.loads(line)["step"] for line in Path("runs/x/metrics.jsonl").read_text().splitlines())


def test_a_checkpoint_holds_what_going_on_from_it_needs(capsys):
    """The lists in `runs` and what a run really writes are the same."""
    for predictor, words in (("rl", ""), ("synth", "-l 4")):
        assert teach(f"-p {predictor} {words} -e Reacher-v1 -n {predictor} -t 5000 -V") == 0
        newest = max(Path("runs", predictor, "checkpoints").iterdir())
        assert set(json.loads((newest / "manifest.json").read_text())) == {*PARTS[predictor], "state.json"}
        with closing(RunFolder(Path("runs"), predictor, PARTS[predictor])) as folder:
            assert folder.latest(pytest.fail) == newest
    assert set(PARTS["synth"]) > set(PARTS["human"]) > set(PARTS["rl"])


@pytest.mark.parametrize("spoilt", ["state.json", "agent.safetensors"])
def test_a_checkpoint_without_what_it_needs_is_set_aside_and_the_one_before_used(spoilt, capsys):
    words = "-p synth -l 10 -e Reacher-v1 -n x -t 5000 -V"
    assert teach(words) == 0
    (Path("runs/x") / "summary.json").unlink()
    before, newest = sorted(Path("runs/x/checkpoints").iterdir())[-2:]
    (newest / spoilt).write_text("{}")
    manifest = json.loads((newest / "manifest.json").read_text())
    if spoilt == "state.json":
        manifest[spoilt] = hashlib.sha256(b"{}").hexdigest()
    else:
        (newest / spoilt).unlink()
        del manifest[spoilt]
    (newest / "manifest.json").write_text(json.dumps(manifest))
    capsys.readouterr()
    assert teach(words) == 0
    said = capsys.readouterr().out
    assert f"checkpoint {newest.name} is damaged ({spoilt}" in said
    assert f"going on from step {int(before.name.removeprefix('step-')):,}" in said


def test_a_checkpoint_out_of_reach_is_not_taken_for_damaged(capsys):
    assert teach(WELL) == 0
    (Path("runs/x") / "summary.json").unlink()
    newest = max(Path("runs/x/checkpoints").iterdir())
    (newest / "agent.safetensors").rename(newest / "elsewhere")
    (newest / "agent.safetensors").mkdir()  # an error of the file system that is not "missing"
    assert "cannot be read" in refused(WELL, capsys)
    assert newest.exists()


def test_a_database_that_may_only_be_read_is_refused_in_one_line():
    assert teach(WELL) == 0
    Path("runs/feedback.db").chmod(0o444)
    done = run_unprivileged([sys.executable, str(SCRIPT), *shlex.split("-p rl -e Reacher-v1 -n y -t 5000 -V")])
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert "feedback.db' cannot be opened (attempt to write a readonly database)" in done.stderr
    assert "--store" in done.stderr


def test_new_instructions_are_told_when_the_run_folder_was_deleted():
    words = f"{WELL} --instructions"
    assert teach(f"{words} 'Hop.'") == 0
    shutil.rmtree("runs/x")
    assert teach(f"{words} 'Do a **flip**.'") == 0
    store = open_store("runs")
    (experiment,) = store.experiments()
    assert experiment.instructions == "Do a **flip**."
    store.edit_experiment(experiment.id, instructions="Land on your feet.")
    Path("runs/x/summary.json").unlink()
    assert teach(f"{words} 'Do a **flip**.'") == 0  # goes on: what the page made of it stays
    assert store.experiments()[0].instructions == "Land on your feet."
    store.close()


def test_faults_from_outside_are_told_from_our_own():
    assert "No space left" in (outside_fault(OSError(28, "No space left on device", "/x/y")) or "")
    assert outside_fault(ValueError("ours")) is None


def test_a_full_disk_ends_the_run_with_a_line_and_the_last_checkpoint_good(monkeypatch, capsys):
    from rl_teacher import runs

    assert teach("-p rl -e Reacher-v1 -n full -t 5000 -V") == 0
    (Path("runs/full") / "summary.json").unlink()
    good = sorted(Path("runs/full/checkpoints").iterdir())

    def full(path: Path, value: object) -> None:
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as spoilt:
        spoilt.setattr(runs, "write_json", full)
        assert "No space left on device" in refused("-p rl -e Reacher-v1 -n full -t 5000 -V", capsys)
    assert sorted(p for p in Path("runs/full/checkpoints").iterdir() if p.suffix != ".tmp") == good


def test_a_nan_seen_on_the_stage_is_named_and_never_asked(monkeypatch, capsys):
    honest = Simulator.step
    taken = []

    def poisoned(self, act):
        obs, env_rew, terminated, truncated = honest(self, act)
        taken.append(1)
        return (np.full_like(obs, math.nan) if len(taken) == 600 else obs), env_rew, terminated, truncated

    words = "-p synth -l 100 -e Reacher-v1 -n stage -t 60000 -V"
    with monkeypatch.context() as spoilt:
        spoilt.setattr(Simulator, "step", poisoned)
        assert "not finite on the stage" in refused(words, capsys)
    assert teach(words) == 0
    assert summary("stage")["labels"]["answered"] == 100
    assert summary("stage")["reward_model"]["held_out_accuracy"] > 0.5


def test_one_label_is_asked_at_once_even_with_none_before_training():
    assert teach("-p synth -l 1 -L 0 -e Reacher-v1 -n one -t 20000 -V") == 0
    assert summary("one")["labels"]["answered"] == 1
    assert summary("one")["reward_model"]["fits"] == 1


def test_only_ties_are_said_and_leave_no_nan(monkeypatch, capsys):
    honest = Simulator.step

    def dull(self, act):
        obs, _, terminated, truncated = honest(self, act)
        return obs, 0.0, terminated, truncated

    monkeypatch.setattr(Simulator, "step", dull)
    assert teach("-p synth -l 8 -e Reacher-v1 -n ties -t 20000 -V") == 0
    assert "only ties so far" in capsys.readouterr().out
    assert summary("ties")["labels"]["tie"] == 8
    last = json.loads(Path("runs/ties/metrics.jsonl").read_text().splitlines()[-1])
    assert all(math.isfinite(value) for value in last.values())


@pytest.mark.slow
def test_a_person_with_neither_count_given_teaches_until_they_stop():
    with training("-p human -e Reacher-v1 -n endless -t 1 -V") as trainer, person(trainer) as me:
        trainer.wait_for("no preference has been expressed yet")
        assert me.answer(3, lambda query_id: "ABSTAIN") == 3
        assert me.answer(12) == 12
        trainer.wait_for("learning from the answers")
        assert me.answer(6) == 6
        assert trainer.process.poll() is None  # -t does not end it
        trainer.process.send_signal(signal.SIGINT)
        assert trainer.end() == 0
    done = summary("endless")
    assert not done["finished"]
    assert done["steps"] > 4_096
    assert done["labels"]["answered"] >= 21
    store = open_store("runs")
    assert store.counts(store.experiments()[0].id).answered >= 21
    store.close()
